//! How a connection begins: boot, base, set-up, restoring.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    types::Status,
    v16::session::{BOOT_TRIGGER_AFTER, PROFILE_TIMEOUT},
};

#[test]
fn after_a_boot_the_base_comes_first_then_the_limit_then_the_set_up() {
    let mut bench = Bench::new(SETTINGS);
    assert!(bench.calls.is_empty(), "nothing before the boot");
    bench.limit(request(1, 16));
    assert!(bench.calls.is_empty(), "nothing before the boot");
    let answer = bench.boot();
    assert_eq!(
        answer,
        json!([3, "their-id", {"status": "Accepted", "currentTime": "2026-01-15T12:00:00Z",
            "interval": 60}])
    );
    let base = bench.answer("Accepted");
    assert_eq!(
        (profile(&base)["stackLevel"].as_u64(), limits(&base)),
        (Some(0), vec![(0, 6.0)])
    );
    let lease = bench.answer("Accepted");
    assert_eq!(limits(&lease), [(0, 16.0), (120, 6.0)]);
    assert_eq!(profile(&lease)["stackLevel"], 1);
    assert_eq!(
        profile(&lease)["chargingSchedule"]["startSchedule"],
        "2026-01-15T11:59:58Z"
    );
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
    let names = bench.settle();
    assert_eq!(names.first().map(String::as_str), Some("TriggerMessage"));
    assert_eq!(names.get(1).map(String::as_str), Some("GetConfiguration"));
    assert!(bench.notes.contains(&Note::BaseInPlace));
}

#[test]
fn without_a_boot_it_is_asked_for_and_then_waited_for() {
    let mut bench = Bench::new(SETTINGS);
    bench.pass(Duration::from_millis(4_999));
    assert!(bench.calls.is_empty());
    bench.pass(Duration::from_millis(1));
    let (name, call) = bench.take();
    assert_eq!(
        (name.as_str(), &call[3]["requestedMessage"]),
        ("TriggerMessage", &json!("BootNotification"))
    );
    bench.pass(Duration::from_millis(54_999));
    assert!(bench.calls.is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.take().0, "SetChargingProfile");
}

#[test]
fn one_that_refuses_to_boot_again_or_speaks_is_ready() {
    let mut refusing = Bench::new(SETTINGS);
    refusing.pass(BOOT_TRIGGER_AFTER);
    refusing.answer("NotImplemented");
    assert_eq!(refusing.take().0, "SetChargingProfile");

    let mut speaking = Bench::new(SETTINGS);
    speaking.call("Heartbeat", &json!({}));
    assert_eq!(limits(&speaking.answer("Accepted")), [(0, 6.0)]);
    assert!(
        speaking.calls.is_empty(),
        "the set-up still waits for the boot"
    );
    speaking.limit(request(1, 10));
    assert_eq!(
        limits(&speaking.answer("Accepted")),
        [(0, 10.0), (120, 6.0)]
    );
}

#[test]
fn observing_sends_answers_and_nothing_else() {
    let mut bench = Bench::new(Settings {
        control: false,
        ..SETTINGS
    });
    bench.boot();
    bench.limit(request(1, 16));
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
    assert_eq!(bench.reports.last().unwrap().status, Status::Charging);

    bench.session.configure(SETTINGS, bench.now());
    bench.collect();
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6.0)],
        "control begins with the base"
    );
    bench.session.configure(
        Settings {
            control: false,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.settle();
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
}

#[test]
fn one_that_nobody_knows_is_answered_pending_and_never_commanded() {
    let mut bench = Bench::new(Settings {
        adopted: false,
        control: false,
        ..SETTINGS
    });
    assert_eq!(bench.boot()[2]["status"], "Pending");
    let tag = bench.call("Authorize", &json!({"idTag": "A"}));
    assert_eq!(tag[2]["idTagInfo"]["status"], "Invalid");
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    bench.limit(request(1, 16));
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
}

#[test]
fn after_a_reboot_the_base_and_what_is_left_of_the_lease_go_in_again() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    bench.answer("Accepted");
    bench.pass(Duration::from_secs(50));
    bench.boot();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 16.0), (70, 6.0)]);
    assert_eq!(bench.outcomes.len(), 1, "nobody asked, nobody is told");
    bench.settle();
    bench.pass(Duration::from_secs(100));
    bench.boot();
    bench.answer("Accepted");
    assert_ne!(
        bench.take().0,
        "SetChargingProfile",
        "the lease has run out"
    );
}

#[test]
fn a_boot_loop_is_answered_pending_and_costs_no_writes() {
    let mut bench = Bench::new(SETTINGS);
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(bench.boot()[2]["status"].as_str().unwrap().to_owned());
        bench.settle();
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(
        statuses
            .iter()
            .filter(|status| *status == "Accepted")
            .count(),
        5
    );
    // One base for each, and one after each of the two clearings, which are done once.
    assert_eq!(bench.session.counters().profiles_sent, 7);
    bench.pass(Duration::from_mins(1));
    assert_eq!(bench.boot()[2]["status"], "Accepted");
}

#[test]
fn a_missing_base_is_told_and_tried_again() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    for _ in 0..2 {
        bench.take();
        bench.pass(PROFILE_TIMEOUT);
    }
    assert!(bench.notes.contains(&Note::BaseMissing));
    assert_ne!(
        bench.settle().first().map(String::as_str),
        Some("SetChargingProfile")
    );
    bench.pass(Duration::from_mins(5));
    assert_eq!(
        bench.settle().first().map(String::as_str),
        Some("SetChargingProfile")
    );
    assert!(bench.notes.contains(&Note::BaseInPlace));
}

#[test]
fn a_changed_safe_current_renews_the_base() {
    let mut bench = Bench::settled();
    bench.session.configure(
        Settings {
            safe_ma: 8_000,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.collect();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 8.0)]);
    bench.limit(LimitRequest {
        safe_ma: 7_000,
        ..request(1, 16)
    });
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 16.0), (120, 7.0)]);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 7.0)]);
}

#[test]
fn a_connection_that_comes_back_without_a_boot_costs_no_base() {
    let learnt = Bench::settled().session.learnt();
    let mut back = Bench::again(SETTINGS, learnt.clone());
    back.call("Heartbeat", &json!({}));
    assert!(back.calls.is_empty(), "the base is there");
    back.limit(request(1, 10));
    assert_eq!(limits(&back.answer("Accepted")), [(0, 10.0), (120, 6.0)]);

    let mut booted = Bench::again(SETTINGS, learnt.clone());
    booted.boot();
    assert_eq!(limits(&booted.answer("Accepted")), [(0, 6.0)]);

    let changed = Settings {
        safe_ma: 8_000,
        ..SETTINGS
    };
    let mut other = Bench::again(changed, learnt);
    other.call("Heartbeat", &json!({}));
    assert_eq!(limits(&other.answer("Accepted")), [(0, 8.0)]);
}
