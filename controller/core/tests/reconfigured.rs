//! What a changed configuration, a refusal and a relay that does not say how it is must not do.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod rig;

use headroom_core::Action;
use headroom_core::action::Command;
use headroom_core::snapshot::Source;
use rig::{Rig, charger, house};
use serde_json::{Value, json};

fn heater(min_off_s: u32) -> Value {
    json!({"id": "heater", "rated_w": 2000, "phases": ["l1"], "min_off_s": min_off_s, "min_on_s": 60})
}

fn relay(rig: &mut Rig, s: u64, on: Option<bool>) -> Vec<Action> {
    let power = on.map(|on| if on { 2000 } else { 0 });
    rig.give(
        s,
        json!({"type": "slow_load", "id": "heater", "connected": true, "on": on, "power_w": power}),
    )
}

fn configure(rig: &mut Rig, s: u64, mut config: Value) -> Vec<Action> {
    config["type"] = "configure".into();
    rig.give(s, config)
}

/// The limits, in amperes, and numbers of phases that were told.
fn limits(actions: &[Action]) -> Vec<(i64, u8)> {
    let limit = |action: &Action| match action.what {
        Command::SetLimit {
            limit_a, phases, ..
        } => Some((limit_a.0 / 1000, phases)),
        Command::Switch { .. } => None,
    };
    actions.iter().filter_map(limit).collect()
}

/// The switches: to what, and whether it was said before.
fn switches(actions: &[Action]) -> Vec<(bool, bool)> {
    let switch = |action: &Action| match action.what {
        Command::Switch { on, .. } => Some((on, action.renewal)),
        Command::SetLimit { .. } => None,
    };
    actions.iter().filter_map(switch).collect()
}

/// A charger on its own, told and telling what it was told.
fn drive(rig: &mut Rig, s: u64, told: &mut (i64, u8), lines: [f64; 3]) -> Vec<Action> {
    let (limit, phases) = *told;
    let own: Vec<i64> = (0..3)
        .map(|line| if line == 0 || phases == 3 { limit } else { 0 })
        .collect();
    let status = if limit > 0 {
        "charging"
    } else {
        "suspended_evse"
    };
    let report = json!({"type": "charger", "id": "ev1", "connected": true, "status": status,
                        "current_a": own, "limit_a": limit});
    let mut actions = rig.give(s, report);
    let carried =
        [0, 1, 2].map(|line| Some(lines[line] + f64::from(i32::try_from(own[line]).unwrap())));
    actions.extend(rig.read(s, carried));
    if let Some(last) = limits(&actions).last() {
        *told = *last;
    }
    actions
}

#[test]
fn a_charger_that_does_not_switch_any_more_stops_before_it_uses_all_of_its_lines() {
    let mut car = charger("ev1");
    car["phase_switching"] = true.into();
    let mut config = house(&json!([car]), &json!([]));
    config["site"]["main_fuse"] = json!({"rating_a": 20});
    config["site"]["largest_step_a"] = 3.into();
    let mut rig = Rig::new(&config);
    let mut told = (0, 3);
    for s in 1..760 {
        let l2 = if s < 755 { 15.0 } else { 1.0 };
        drive(&mut rig, s, &mut told, [2.0, l2, 2.0]);
    }
    assert_eq!(told, (16, 1), "one phase while L2 is full");
    config["chargers"] = json!([charger("ev1")]);
    let actions = configure(&mut rig, 760, config);
    assert_eq!(limits(&actions), [(0, 3)]);
    assert!(!actions[0].renewal);
    assert!(
        actions[0].reason.text.contains("stops"),
        "{}",
        actions[0].reason.text
    );
    told = (0, 3);
    let mut when = None;
    for s in 761..1200 {
        let raised = drive(&mut rig, s, &mut told, [2.0, 1.0, 2.0]);
        let starts = limits(&raised).iter().any(|(limit, _)| *limit > 0);
        when = when.or(starts.then_some(s));
    }
    assert_eq!(told, (16, 3));
    assert!(when.unwrap() >= 760 + 180, "{when:?}");
}

#[test]
fn a_relay_that_does_not_say_how_it_is_has_its_time_off_first() {
    let config = house(&json!([]), &json!([heater(600)]));
    let mut rig = Rig::new(&config);
    relay(&mut rig, 0, Some(true));
    let mut closed = Vec::new();
    for s in 1..5 {
        rig.read(s, [Some(11.7), Some(3.0), Some(3.0)]);
    }
    let pause =
        json!({"type": "command", "command": {"kind": "pause", "load": "heater", "for_s": 1}});
    assert_eq!(switches(&rig.give(5, pause)), [(false, false)]);
    rig.read(6, [Some(3.0); 3]);
    configure(&mut rig, 7, house(&json!([]), &json!([])));
    configure(&mut rig, 8, config);
    relay(&mut rig, 9, None);
    for s in 10..700 {
        let actions = rig.read(s, [Some(3.0); 3]);
        closed.extend(switches(&actions).iter().filter(|(on, _)| *on).map(|_| s));
    }
    assert_eq!(closed.first(), Some(&608));
}

#[test]
fn a_relay_whose_lease_ran_out_is_closed_anew_in_its_time() {
    let config = house(&json!([]), &json!([heater(300)]));
    let mut rig = Rig::new(&config);
    let mut on = false;
    relay(&mut rig, 0, Some(on));
    for s in 1..330 {
        let l1 = if on { 11.7 } else { 3.0 };
        let mut actions = rig.read(s, [Some(l1), Some(3.0), Some(3.0)]);
        actions.extend(relay(&mut rig, s, Some(on)));
        on = switches(&actions).last().map_or(on, |(to, _)| *to);
    }
    assert!(on);
    rig.give(
        330,
        json!({"type": "slow_load", "id": "heater", "connected": false}),
    );
    for s in 331..600 {
        rig.read(s, [Some(3.0); 3]);
    }
    relay(&mut rig, 600, None);
    let mut told = Vec::new();
    for s in 601..1000 {
        let now = switches(&rig.read(s, [Some(3.0); 3]));
        told.extend(now.into_iter().map(|it| (s, it)));
    }
    // Nobody knows when it opened: its time off counts from when it came back.
    assert_eq!(told.first(), Some(&(900, (true, false))), "{told:?}");
}

#[test]
fn another_power_or_other_lines_of_a_relay_are_no_command() {
    let config = house(&json!([]), &json!([heater(600)]));
    let mut rig = Rig::new(&config);
    relay(&mut rig, 0, Some(true));
    for s in 1..5 {
        rig.read(s, [Some(11.7), Some(3.0), Some(3.0)]);
    }
    let pause =
        json!({"type": "command", "command": {"kind": "pause", "load": "heater", "for_s": 1}});
    rig.give(5, pause);
    let mut changed = heater(600);
    changed["phases"] = json!(["l2", "l3", "l1"]);
    let mut told = Vec::new();
    for s in 6..1300 {
        if s == 500 {
            let actions = configure(&mut rig, s, house(&json!([]), &json!([changed.clone()])));
            assert!(actions.iter().all(|action| action.renewal), "{actions:?}");
        }
        if s == 900 {
            changed["rated_w"] = 1800.into();
            configure(&mut rig, s, house(&json!([]), &json!([changed.clone()])));
        }
        let now = switches(&rig.read(s, [Some(3.0); 3]));
        told.extend(
            now.into_iter()
                .filter(|(_, renewal)| !renewal)
                .map(|it| (s, it.0)),
        );
    }
    assert_eq!(told, [(605, true)], "its time off goes on");
}

#[test]
fn a_higher_least_raises_nothing_while_the_meter_is_lost() {
    let mut car = charger("ev1");
    car["safe_current_a"] = 6.into();
    let mut config = house(&json!([car]), &json!([]));
    let mut rig = Rig::new(&config);
    let mut told = (0, 3);
    for s in 1..60 {
        if s == 40 {
            let limit = json!({"kind": "limit", "load": "ev1", "limit_a": 6, "for_s": 3600});
            rig.give(s, json!({"type": "command", "command": limit}));
        }
        drive(&mut rig, s, &mut told, [3.0; 3]);
    }
    rig.give(130, json!({"type": "tick"}));
    car["safe_current_a"] = 8.into();
    car["min_current_a"] = 8.into();
    config["chargers"] = json!([car]);
    let actions = configure(&mut rig, 131, config);
    assert_eq!(limits(&actions), [(0, 3)], "{actions:?}");
}

#[test]
fn a_charger_whose_circuit_gives_just_its_least_starts_again() {
    let mut car = charger("ev1");
    car["circuit"] = "garage".into();
    let mut config = house(&json!([car]), &json!([]));
    config["site"]["circuits"] = json!([{"id": "garage", "parent": "main", "rating_a": 6}]);
    let mut rig = Rig::new(&config);
    let mut told = (0, 3);
    let mut history = Vec::new();
    for s in 1..600 {
        let full = (100..200).contains(&s);
        drive(&mut rig, s, &mut told, [if full { 24.0 } else { 3.0 }; 3]);
        if history.last() != Some(&told.0) {
            history.push(told.0);
        }
    }
    assert_eq!(history, [0, 6, 0, 6]);
}

#[test]
fn a_line_that_the_newest_reading_leaves_out_is_not_said_to_be_measured() {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    for s in 1..20 {
        rig.read(s, [Some(3.0); 3]);
    }
    let sources = |rig: &Rig| {
        rig.engine
            .snapshot()
            .phases
            .iter()
            .map(|phase| phase.source)
            .collect::<Vec<_>>()
    };
    assert_eq!(sources(&rig), [Source::Measured; 3]);
    rig.read(20, [Some(3.0), None, Some(3.0)]);
    assert_eq!(
        sources(&rig),
        [Source::Measured, Source::WorstCase, Source::Measured]
    );
}
