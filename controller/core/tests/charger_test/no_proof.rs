//! What looks like a limit that runs out, and proves no lease.

use headroom_core::config::LeaseProof;
use headroom_core::trial::Verdict;
use serde_json::json;

use crate::house::{House, LEASE_S, Manner, expect, expect_no_proof};

/// One that is asked nothing in the silence, and keeps what it was told.
fn unasked_and_forever() -> Manner {
    Manner {
        unasked: true,
        forever: true,
        ..Manner::default()
    }
}

/// It, in the silence, in a house that draws 6 A on each line.
fn beside_loads_of_the_house() -> House {
    let mut house = House::with(unasked_and_forever(), &json!({"safe_current_a": 6}));
    house.background = [6_000; 3];
    house.in_silence()
}

#[test]
fn a_car_that_stops_by_itself_proves_no_lease() {
    let mut house = House::new(Manner::default()).in_silence();
    house.manner.car = vec![0; 3];
    expect_no_proof(house.end(), "may have stopped by itself");
}

#[test]
fn a_load_of_the_house_that_is_off_for_a_moment_proves_no_lease() {
    // 3 A on one line for one reading, then the whole fall on all lines for two.
    for (drops, readings) in [([3_000, 0, 0], 1), ([4_500; 3], 2)] {
        let mut house = beside_loads_of_the_house();
        house.seconds(LEASE_S + 5);
        assert!(house.engine.test().unwrap().is_running());
        house.background = drops.map(|drop| 6_000 - drop);
        house.seconds(readings);
        house.background = [6_000; 3];
        let report = expect(house.end(), Verdict::Failed, "");
        assert_eq!(report.limits.lease, Some(LeaseProof::None));
    }
}

#[test]
fn a_load_of_the_house_that_goes_off_for_good_proves_no_lease() {
    // On one line the meter shows it; on all lines the charger says that it goes on.
    for drops in [[4_500, 0, 0], [4_500; 3]] {
        let mut house = beside_loads_of_the_house();
        house.seconds(LEASE_S);
        house.background = drops.map(|drop| 6_000 - drop);
        expect_no_proof(house.end(), "");
    }
}

#[test]
fn a_button_at_the_charger_proves_no_lease() {
    // With a time of its own that its driver knows, it is believed at that time and at no other one.
    for guard_s in [None, Some(12)] {
        let manner = Manner {
            tells: true,
            forever: true,
            guard_s,
            ..Manner::default()
        };
        let mut house = House::new(manner).in_silence();
        house.seconds(2);
        house.limit = 0;
        expect_no_proof(house.end(), "may have stopped by itself");
    }
}

#[test]
fn a_limit_that_was_never_told_before_proves_no_lease() {
    let manner = Manner {
        forever: true,
        guard_s: Some(4),
        ..Manner::default()
    };
    let mut house = House::new(manner).in_silence();
    house.manner.tells = true;
    house.seconds(2);
    house.limit = 0;
    expect_no_proof(house.end(), "");
}

#[test]
fn a_car_that_is_full_or_leaves_while_nobody_asks_proves_no_lease() {
    for (safe, full) in [(0, true), (6, true), (0, false), (6, false)] {
        let house = House::with(unasked_and_forever(), &json!({"safe_current_a": safe}));
        let mut house = house.in_silence();
        house.seconds(LEASE_S - 5);
        if full {
            house.manner.car = vec![0; 3];
        } else {
            house.plugged = false;
        }
        expect_no_proof(house.end(), "");
    }
}

#[test]
fn one_that_loses_its_meter_values_in_the_silence_is_not_judged_by_the_meter() {
    let mut house = House::new(Manner::default()).in_silence();
    house.seconds(2);
    house.manner.says = false;
    expect_no_proof(house.end(), "does not say");
}
