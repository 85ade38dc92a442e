//! What is said of a load is so: who follows is not said to disobey, and who has nothing keeps nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod rig;

use headroom_core::action::{Reason, ReasonCode};
use rig::*;
use serde_json::json;

fn reason(rig: &Rig, load: usize) -> Reason {
    rig.engine.snapshot().loads[load].reason.clone()
}

/// Meters of chargers are not exact: 0.1 A more than it was told is what it was told.
#[test]
fn a_charger_that_was_raised_and_follows_is_not_said_to_disobey() {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    let (mut draw, mut raises) = (0.0, Vec::new());
    for s in 1..600 {
        let house = if s < 100 { 16.0 } else { 12.0 };
        let mut all = rig.report(s, "ev1", draw, None);
        all.extend(rig.read(s, [Some(house + draw); 3]));
        for (limit, renewal) in limits(&all) {
            if !renewal {
                raises.push(limit);
                draw = limit + 0.1;
            }
        }
        let why = reason(&rig, 0);
        assert_ne!(why.code, ReasonCode::NotObeying, "at {s} s: {}", why.text);
        let all_of_it = why.code == ReasonCode::Normal && draw > 1.0;
        assert!(!all_of_it, "at {s} s it has {draw} of 16 A: {}", why.text);
    }
    assert!(raises.len() >= 2 && raises.is_sorted(), "{raises:?}");
}

#[test]
fn a_charger_that_was_lowered_and_draws_what_it_had_is_said_not_to_follow() {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    rig.calm(1..6, "ev1", 5.0, 0.0);
    rig.calm(6..40, "ev1", 5.0, 16.0);
    let mut told = Vec::new();
    let mut said = Vec::new();
    for s in 40..55 {
        told.extend(rig.report(s, "ev1", 16.0, None));
        told.extend(rig.read(s, [Some(31.0); 3]));
        said.push(reason(&rig, 0));
    }
    assert!(limits(&told).iter().any(|(limit, _)| *limit < 16.0));
    let late = |why: &Reason| why.text.contains("has not been seen to follow yet");
    assert!(said.iter().any(late), "{said:?}");
}

#[test]
fn two_loads_of_one_name_are_told_apart() {
    let (mut one, mut other) = (charger("ev1"), charger("ev2"));
    one["name"] = json!("Garage");
    other["name"] = json!("Garage");
    let mut third = charger("ev3");
    third["name"] = json!("Drive");
    let mut rig = Rig::new(&house(&json!([one, other, third]), &json!([])));
    rig.calm(1..6, "ev1", 5.0, 0.0);
    let said = |load: usize| reason(&rig, load).text;
    assert!(said(0).contains("Garage (ev1) "), "{}", said(0));
    assert!(said(1).contains("Garage (ev2) "), "{}", said(1));
    assert!(said(2).contains("Drive "), "{}", said(2));
}

/// One that waits is not told that another waiting one has what it needs.
#[test]
fn who_is_said_to_keep_what_it_has_has_something() {
    let mut car = charger("ev1");
    car["priority"] = json!(3);
    // Once on it stays on for a while, whoever asks; the pump is off for a while yet.
    let heater = json!({"id": "heater", "rated_w": 2000, "phases": ["l1"], "priority": 1,
                        "min_on_s": 900, "min_off_s": 1});
    let pump = json!({"id": "pump", "rated_w": 1000, "phases": ["l1"], "priority": 2,
                      "min_off_s": 600});
    let mut rig = Rig::new(&house(&json!([car]), &json!([heater, pump])));
    let mut on = false;
    for s in 1..200 {
        let slow = |id: &str, on: bool| json!({"type": "slow_load", "id": id, "connected": true, "on": on});
        let plugged = s >= 90;
        let status = if plugged { "preparing" } else { "available" };
        let mut all = rig.give(
            s,
            json!({"type": "charger", "id": "ev1", "connected": true, "status": status,
                   "current_a": [0.0, 0.0, 0.0]}),
        );
        all.extend(rig.give(s, slow("heater", on)));
        all.extend(rig.give(s, slow("pump", false)));
        let house = if s >= 60 { 11.0 } else { 3.0 };
        let l1 = house + if on { 8.7 } else { 0.0 };
        all.extend(rig.read(s, [Some(l1), Some(house), Some(house)]));
        on = switches(&all).last().copied().unwrap_or(on);
    }
    let why = reason(&rig, 0).text;
    assert!(on, "{why}");
    assert!(why.contains("ev1 waits"), "{why}");
    assert!(why.contains("heater keeps what it has"), "{why}");
}

#[test]
fn a_charger_that_waits_is_said_to_need_what_it_must_have_to_start() {
    // It was stopped, and starts again with an ampere more than its least.
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    rig.calm(1..6, "ev1", 5.0, 0.0);
    rig.calm(6..40, "ev1", 5.0, 16.0);
    rig.calm(40..50, "ev1", 22.0, 16.0);
    rig.calm(50..1_500, "ev1", 18.5, 0.0);
    let why = reason(&rig, 0).text;
    assert!(why.contains("leaves 6.5 A for the loads"), "{why}");
    assert!(why.contains("it needs 7 A"), "{why}");

    // Under a cap on the power each of its three phases counts.
    let mut config = house(&json!([charger("ev1")]), &json!([]));
    config["site"]["max_power_w"] = json!(4_600);
    let mut rig = Rig::new(&config);
    rig.calm(1..60, "ev1", 2.0, 0.0);
    let why = reason(&rig, 0).text;
    assert!(why.contains("leaves 14 A for the loads"), "{why}");
    assert!(why.contains("it needs 18 A"), "{why}");
}
