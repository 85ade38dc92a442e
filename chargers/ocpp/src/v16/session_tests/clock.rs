//! Leases in the charge point's own clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

#[test]
fn a_lease_starts_in_the_charge_points_own_clock() {
    for offset_s in [-300, 300, -1_788_000_000] {
        let mut bench = Bench::settled();
        for _ in 0..2 {
            let stamp = bench.stamp(offset_s);
            bench.call(
                "StatusNotification",
                &json!({"connectorId": 1, "status": "Charging", "timestamp": stamp}),
            );
            bench.pass(Duration::from_secs(5));
        }
        bench.limit(request(1, 10));
        let lease = bench.answer("Accepted");
        let start = &profile(&lease)["chargingSchedule"]["startSchedule"];
        assert_eq!(
            start.as_str().unwrap(),
            bench.stamp(offset_s - 2),
            "{offset_s}"
        );
    }
}

#[test]
fn the_boot_answer_sets_the_clock_right() {
    let mut bench = Bench::settled();
    for _ in 0..2 {
        let stamp = bench.stamp(-300);
        bench.call(
            "StatusNotification",
            &json!({"connectorId": 1, "status": "Charging", "timestamp": stamp}),
        );
        bench.pass(Duration::from_secs(5));
    }
    bench.boot();
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    let start = &profile(&lease)["chargingSchedule"]["startSchedule"];
    assert_eq!(start.as_str().unwrap(), bench.stamp(-2));
}

#[test]
fn an_unknowable_clock_gets_a_duration() {
    let mut bench = Bench::settled();
    for second in 0..2 {
        bench.pass(Duration::from_secs(5));
        let local = format!("2026-01-15T14:07:{:02}", 5 * (second + 1));
        bench.call(
            "StatusNotification",
            &json!({"connectorId": 1, "status": "Charging", "timestamp": local}),
        );
    }
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    let schedule = &profile(&lease)["chargingSchedule"];
    assert_eq!(
        (&schedule["duration"], &schedule["startSchedule"]),
        (&json!(120), &Value::Null)
    );
}
