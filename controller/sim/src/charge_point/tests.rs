//! Charge points in virtual time: leases, rotation, clocks, faults.

use crate::car::CarSpec;

use super::*;

fn charge_point(change: impl FnOnce(&mut ChargePointSpec)) -> ChargePoint {
    let mut spec = ChargePointSpec {
        terminals: vec![Phase::L2, Phase::L3, Phase::L1],
        car: CarSpec {
            delay_s: (1.0, 1.0),
            restart_s: (5.0, 5.0),
            ..CarSpec::default()
        },
        ..ChargePointSpec::default()
    };
    change(&mut spec);
    ChargePoint::new(spec, 1)
}

/// Runs to a time in seconds; returns the currents of the house's lines at the end.
fn run(charge_point: &mut ChargePoint, to_s: u64) -> [f64; 3] {
    let mut currents = Currents::default();
    while charge_point.now_ms < to_s * 1000 {
        currents = Currents::default();
        charge_point.step(
            charge_point.now_ms + 100,
            100,
            PerPhase::all(230.0),
            &mut currents,
        );
    }
    currents.branches.0.map(Current::magnitude)
}

fn lease(charge_point: &mut ChargePoint, amps: f64, lease_s: u32, safe_a: f64) {
    charge_point
        .lease(Limit { amps, phases: 3 }, lease_s, safe_a)
        .unwrap();
}

fn close(left: [f64; 3], right: [f64; 3]) -> bool {
    left.iter().zip(right).all(|(a, b)| (a - b).abs() < 0.01)
}

#[test]
fn without_a_lease_it_gives_its_base_and_with_one_the_lease() {
    let mut charge_point = charge_point(|_| {});
    assert!(close(run(&mut charge_point, 60), [0.0; 3]));
    assert_eq!(charge_point.status(), ConnectorStatus::SuspendedEvse);
    lease(&mut charge_point, 10.0, 120, 0.0);
    assert!(close(run(&mut charge_point, 90), [10.0; 3]));
    assert_eq!(charge_point.status(), ConnectorStatus::Charging);
}

#[test]
fn a_lease_that_runs_out_falls_to_the_safe_current() {
    let mut charge_point = charge_point(|_| {});
    lease(&mut charge_point, 16.0, 60, 6.0);
    assert!(close(run(&mut charge_point, 60), [16.0; 3]));
    assert!(close(run(&mut charge_point, 66), [6.0; 3]));
    lease(&mut charge_point, 16.0, 60, 0.0);
    run(&mut charge_point, 100);
    lease(&mut charge_point, 16.0, 60, 0.0);
    assert!(close(run(&mut charge_point, 159), [16.0; 3]), "renewed");
    assert!(close(run(&mut charge_point, 167), [0.0; 3]));
}

#[test]
fn a_car_with_one_phase_draws_on_the_line_of_the_first_terminal() {
    let mut charge_point = charge_point(|spec| spec.car.phases = 1);
    lease(&mut charge_point, 10.0, 600, 0.0);
    assert!(close(run(&mut charge_point, 60), [0.0, 10.0, 0.0]));
    let readings = charge_point.readings();
    assert!(close(
        [readings.amps[0], readings.amps[1], readings.amps[2]],
        [10.0, 0.0, 0.0]
    ));
    assert!((readings.power_w - 2277.0).abs() < 1.0);
}

#[test]
fn no_profile_at_all_means_full_current() {
    let mut charge_point = charge_point(|spec| spec.max_current_a = 12.0);
    assert_eq!(charge_point.clear_profiles(Filter::default()), 1);
    assert!(close(run(&mut charge_point, 60), [12.0; 3]));
}

#[test]
fn its_clock_is_the_one_it_was_set_to() {
    let mut charge_point = charge_point(|_| {});
    run(&mut charge_point, 10);
    charge_point.set_clock(1_800_000_000_000);
    assert_eq!(charge_point.clock_ms(), 1_800_000_000_000);
    lease(&mut charge_point, 16.0, 30, 0.0);
    run(&mut charge_point, 39);
    assert!(charge_point.readings().offered_a > 15.0);
    run(&mut charge_point, 41);
    assert!(charge_point.readings().offered_a < 1.0);
}

#[test]
fn faults_are_what_they_are_called() {
    for (obedience, amps, after) in [
        (Obedience::Ignores, 16.0, 16.0),
        (Obedience::Floor(6.0), 8.0, 6.0),
        (Obedience::NeverExpires, 8.0, 8.0),
        (Obedience::Obeys, 8.0, 0.0),
    ] {
        let mut charge_point = charge_point(|spec| spec.obedience = obedience);
        lease(&mut charge_point, 8.0, 60, 0.0);
        assert!(
            close(run(&mut charge_point, 50), [amps; 3]),
            "{obedience:?}"
        );
        assert!(
            close(run(&mut charge_point, 80), [after; 3]),
            "{obedience:?}"
        );
    }
    let mut slow = charge_point(|spec| spec.latency_s = 20.0);
    run(&mut slow, 5);
    lease(&mut slow, 8.0, 600, 0.0);
    run(&mut slow, 24);
    assert!(slow.readings().offered_a < 1.0);
    run(&mut slow, 26);
    assert!(slow.readings().offered_a > 7.0);
}

#[test]
fn a_reboot_stops_everything_and_keeps_its_base() {
    let mut charge_point = charge_point(|spec| spec.base_limit_a = Some(6.0));
    lease(&mut charge_point, 16.0, 30, 6.0);
    run(&mut charge_point, 25);
    charge_point.reboot();
    assert!(!charge_point.network());
    run(&mut charge_point, 54);
    assert_eq!(charge_point.status(), ConnectorStatus::Unavailable);
    assert!(close(run(&mut charge_point, 80), [6.0; 3]));
    assert_eq!(
        charge_point.transaction().map(|running| running.number),
        Some(2)
    );
}

#[test]
fn a_stopped_session_draws_nothing_until_it_is_started() {
    let mut charge_point = charge_point(|_| {});
    lease(&mut charge_point, 16.0, 600, 0.0);
    run(&mut charge_point, 30);
    assert!(charge_point.stop_transaction());
    assert!(close(run(&mut charge_point, 60), [0.0; 3]));
    assert_eq!(charge_point.status(), ConnectorStatus::Finishing);
    assert!(charge_point.start_transaction());
    assert!(close(run(&mut charge_point, 100), [16.0; 3]));
}
