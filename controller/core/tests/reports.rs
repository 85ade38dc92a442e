//! What a charger says anew is acted upon in the same step, not with the meter's next reading.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod rig;

use headroom_core::action::Command;
use headroom_core::{Action, Event, Instant};
use rig::{Rig, charger, house};
use serde_json::{Value, json};

/// Two chargers beside a house of one ampere. The first has had what it can take for minutes, and said so; the second has
/// no car, and was never told anything.
fn calm_house() -> Rig {
    let mut rig = Rig::new(&house(&json!([charger("ev1"), charger("ev2")]), &json!([])));
    let mut told = 0.0;
    for s in 0..300 {
        let mut actions = rig.give(s, said("ev1", "charging", told, told));
        actions.extend(rig.give(s, said("ev2", "available", 0.0, 0.0)));
        actions.extend(rig.read(s, [Some(1.0 + told); 3]));
        told = limits_of("ev1", &actions).last().copied().unwrap_or(told);
    }
    assert!(told > 15.9, "{told}");
    rig
}

fn said(id: &str, status: &str, draw: f64, limit: f64) -> Value {
    json!({"type": "charger", "id": id, "connected": true, "status": status,
           "current_a": [draw, draw, draw], "limit_a": limit})
}

fn limits_of(id: &str, actions: &[Action]) -> Vec<f64> {
    let of = |action: &Action| match &action.what {
        Command::SetLimit { load, limit_a, .. } if load == id => Some(limit_a.to_f64()),
        _ => None,
    };
    actions.iter().filter_map(of).collect()
}

/// What one report between two readings leads to, at once.
fn at_once(rig: &mut Rig, report: Value) -> Vec<Action> {
    let event: Event = serde_json::from_value(report).unwrap();
    rig.engine
        .step(event, Instant(rig.engine.now().0 + 500))
        .actions
}

#[test]
fn the_same_again_leads_to_nothing_and_moves_no_deadline() {
    let mut rig = calm_house();
    let deadline = rig.engine.next_deadline();
    let actions = at_once(&mut rig, said("ev1", "charging", 16.0, 16.0));
    assert!(actions.is_empty(), "{actions:?}");
    assert_eq!(rig.engine.next_deadline(), deadline);
}

#[test]
fn a_car_that_comes_gets_its_current_with_its_report() {
    let mut rig = calm_house();
    let actions = at_once(&mut rig, said("ev2", "preparing", 0.0, 0.0));
    assert!(limits_of("ev2", &actions) >= vec![6.0], "{actions:?}");
}

#[test]
fn one_whose_car_leaves_gives_its_current_back_with_its_report() {
    let mut rig = calm_house();
    for s in 300..420 {
        rig.give(s, said("ev1", "suspended_ev", 0.0, 16.0));
        rig.read(s, [Some(1.0); 3]);
    }
    let actions = at_once(&mut rig, said("ev1", "available", 0.0, 16.0));
    assert_eq!(limits_of("ev1", &actions), [0.0], "{actions:?}");
}

#[test]
fn one_that_draws_more_than_it_was_told_is_told_less_with_its_report() {
    let mut rig = calm_house();
    let actions = at_once(&mut rig, said("ev1", "charging", 26.0, 16.0));
    let told = limits_of("ev1", &actions);
    assert!(told.len() == 1 && told[0] < 16.0, "{actions:?}");
}

#[test]
fn one_that_goes_away_is_an_alarm_at_once_and_is_told_again_with_its_first_report() {
    let mut rig = calm_house();
    let mut away = said("ev1", "charging", 16.0, 16.0);
    away["connected"] = json!(false);
    at_once(&mut rig, away);
    let alarms = rig.engine.snapshot().alarms;
    assert_eq!(alarms[0].code, "charger_lost", "{alarms:?}");
    let actions = at_once(&mut rig, said("ev1", "charging", 16.0, 16.0));
    assert_eq!(limits_of("ev1", &actions), [16.0], "{actions:?}");
}
