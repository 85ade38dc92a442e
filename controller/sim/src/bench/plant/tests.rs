//! Runs of simple controllers in houses whose outcome can be worked out by hand.

use headroom_core::Phase;

use super::*;
use crate::bench::clairvoyant;
use crate::bench::controller::Kind;
use crate::current::{Current, Wiring};

/// Two hours with 3 × 16 A and a steady background of 4 A: 12 A are left.
fn steady(more: &str) -> Scenario {
    let text = format!(
        "title = \"steady\"\nduration_h = 2\nvisits = [{{ from_h = 0, to_h = 3 }}]\n{more}\n\
         [site]\nmain_fuse = {{ rating_a = 16 }}\n\
         [background]\nkind = \"constant\"\namps = [4, 4, 4]\n"
    );
    Scenario::parse("steady", &text).unwrap()
}

const ONE: &str = "chargers = [{ id = \"ev1\", phases = [\"l1\", \"l2\", \"l3\"] }]";
const TWO: &str =
    "chargers = [{ id = \"ev1\", phases = [\"l1\"] }, { id = \"ev2\", phases = [\"l1\"] }]";

fn run(scenario: &Scenario, kind: Kind) -> RunMetrics {
    let trace = background(scenario, 1).unwrap();
    let charge = clairvoyant::charge(scenario, &trace, 1);
    let mut metrics = Run::new(scenario, &trace, kind, 1).run();
    relate(scenario, &charge, &mut metrics);
    metrics
}

#[test]
fn the_clairvoyant_gives_what_the_rating_leaves() {
    let scenario = steady(ONE);
    let trace = background(&scenario, 1).unwrap();
    let charge = clairvoyant::charge(&scenario, &trace, 1);
    // A little more than 12 A: the power factors differ.
    let amps = charge[0] / 7200.0 / 3.0;
    assert!((12.0..12.15).contains(&amps), "{amps}");
}

#[test]
fn the_clairvoyant_lets_cars_take_turns_that_do_not_fit_together() {
    let scenario = steady(TWO);
    let mut now = Currents::none(Wiring::Star);
    now.add(Phase::L1, Current::new(6.0, 1.0));
    let trace = vec![now; 7200];
    let charge = clairvoyant::charge(&scenario, &trace, 1);
    let ratio = charge[0] / charge[1];
    assert!((0.8..1.25).contains(&ratio), "{charge:?}");
}

/// Where currents add as phasors a car between two lines gets more than numbers allow: beside 20 A on
/// 3-1 the first line of 40 A carries c with c² + 400 + 20·c = 1600.
#[test]
fn the_clairvoyant_knows_that_currents_between_lines_are_phasors() {
    let text = "title = \"it\"\nduration_h = 1\nvisits = [{ from_h = 0, to_h = 3 }]\n\
                chargers = [{ id = \"ev1\", phases = [\"l1\", \"l2\"], max_current_a = 32 }]\n\
                [site]\ngrid = \"it_3ph\"\nmain_fuse = { rating_a = 40 }\n\
                [[cars]]\nat = \"ev1\"\nphases = 1\n\
                [background]\nkind = \"constant\"\namps = [0, 0, 20]\n";
    let scenario = Scenario::parse("it", text).unwrap();
    let mut now = Currents::none(Wiring::Delta);
    now.add(Phase::L3, Current::new(20.0, 0.99));
    let charge = clairvoyant::charge(&scenario, &vec![now; 3600], 1);
    let amps = charge[0] / 3600.0;
    assert!((amps - 26.06).abs() < 0.05, "{amps}");
}

/// 16 A gG, and 7.3 s until a charger has answered: half an ampere is kept free for a step of 10 A, and whole amperes are
/// given.
#[test]
fn who_keeps_the_promise_leaves_room_for_a_step_of_the_house() {
    let scenario = steady(ONE);
    let trace = background(&scenario, 1).unwrap();
    let (charge, _) = clairvoyant::charge_as_promised(&scenario, &trace, 1);
    assert!((charge[0] - 11.0 * 3.0 * 7200.0).abs() < 1e-6, "{charge:?}");
}

#[test]
fn who_keeps_the_promise_raises_no_sooner_than_thirty_seconds_after_a_change() {
    let scenario = steady(ONE);
    let mut trace = background(&scenario, 1).unwrap();
    for now in &mut trace[3000..3010] {
        for line in Phase::ALL {
            now.add(line, Current::new(5.0, 0.95));
        }
    }
    let (charge, done) = clairvoyant::charge_as_promised(&scenario, &trace, 1);
    let charge = charge[0] / 3.0;
    assert_eq!((done.commands, done.closings), (3, 1));
    // Seven amperes beside nine, where no step is larger than what the class leaves; for thirty seconds, not for ten.
    assert!(
        (charge - (11.0 * 7170.0 + 7.0 * 30.0)).abs() < 1e-6,
        "{charge}"
    );
}

#[test]
fn a_limit_that_never_changes_is_one_command_and_one_closing() {
    let metrics = run(&steady(ONE), Kind::Static);
    assert_eq!((metrics.trips, metrics.typical_trips), (0, 0));
    assert!((metrics.commands_per_hour - 0.5).abs() < 0.01);
    assert!((metrics.commands_per_hour_of_day - 0.5).abs() < 0.01);
    assert!((metrics.closings_per_day - 12.0).abs() < 0.01);
    // 12 of 12.1 A, less the start.
    assert!((0.97..1.0).contains(&metrics.energy_share), "{metrics:?}");
    assert!(metrics.above_rating_as.abs() < 1e-9);
    assert!((metrics.highest_thermal - 0.64).abs() < 0.02);
}

#[test]
fn a_charger_that_is_stuck_draws_what_it_likes_and_is_no_overload_of_ours() {
    let mut scenario = steady(ONE);
    scenario.faults = vec![Fault::Stuck {
        charger: "ev1".to_owned(),
        at_h: 1.0,
        current_a: 15.0,
    }];
    let metrics = run(&scenario, Kind::Hold);
    assert!(metrics.above_rating_as > 1000.0, "{metrics:?}");
    assert_eq!(metrics.reliefs_s.len(), 0, "{:?}", metrics.reliefs_s);
}

#[test]
fn a_charger_that_cannot_be_reached_stops_when_its_lease_has_run_out() {
    let mut scenario = steady(ONE);
    scenario.faults = vec![Fault::Dead {
        charger: "ev1".to_owned(),
        at_h: 1.0,
        for_s: 7200.0,
        noticed_after_s: 5.0,
    }];
    let metrics = run(&scenario, Kind::Headroom);
    // Half of the time, and a lease at most.
    assert!((0.4..0.56).contains(&metrics.energy_share), "{metrics:?}");
}

#[test]
fn the_core_keeps_the_fuse_and_gives_what_is_left() {
    let metrics = run(&steady(ONE), Kind::Headroom);
    assert_eq!(metrics.trips, 0);
    assert_eq!(metrics.refused, Vec::<String>::new());
    assert!(metrics.energy_share > 0.9, "{metrics:?}");
    let again = run(&steady(ONE), Kind::Headroom);
    assert_eq!(metrics, again, "the same seed gives the same run");
}

#[test]
fn a_house_behind_which_everything_is_told_late_trips_with_a_blind_controller() {
    // A kettle of 12 A beside 12 A, for hours, and nobody who acts.
    let mut scenario = steady(ONE);
    scenario.background = BackgroundSpec::Csv {
        file: String::new(),
        rows: vec![(0.0, [4.0, 4.0, 4.0]), (3600.0, [16.0, 4.0, 4.0])],
    };
    scenario.faults = vec![Fault::MeterGap {
        at_h: 0.9,
        for_s: 7200.0,
    }];
    let metrics = run(&scenario, Kind::Hold);
    assert!(metrics.trips > 0);
    assert!(metrics.first_trip_s.unwrap() > 3600.0);
}

#[test]
fn a_made_house_that_opens_a_device_at_once_is_rejected() {
    let made = |step_a: u32, highest: f64| {
        let text = format!(
            "title = \"steps\"\nduration_h = 1\n{ONE}\n\
             [site]\nmain_fuse = {{ rating_a = 16 }}\n\
             [background]\nkind = \"steps\"\nstep_a = {step_a}\nbase_a = 1\nhighest = {highest}\ngap_s = [20, 60]\n"
        );
        background(&Scenario::parse("steps", &text).unwrap(), 1)
    };
    assert!(made(5, 0.8).is_some());
    // A fuse that opens at once does not get warm.
    assert!(made(40, 2.6).is_none());
}
