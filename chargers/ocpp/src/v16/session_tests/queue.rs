//! One call at a time, by urgency; answers that come late; the end.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::v16::session::PROFILE_TIMEOUT;

#[test]
fn a_reduction_overtakes_the_set_up_and_is_not_held_up_by_a_hanging_call() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    bench.answer("Accepted");
    let (name, hanging) = bench.take();
    assert_eq!(name, "TriggerMessage");
    bench.limit(request(1, 16));
    bench.limit(request(2, 6));
    assert!(bench.calls.is_empty(), "one call at a time");
    bench.pass(Duration::from_secs(3));
    let lease = bench.answer("Accepted");
    assert_eq!(
        limits(&lease),
        [(0, 6.0), (120, 6.0)],
        "only the newest was sent"
    );
    assert_eq!(bench.outcomes, [(2, LimitOutcome::Accepted)]);
    bench.reply(&hanging, &json!({"status": "Accepted"}));
    assert_eq!(bench.session.counters().answers_dropped, 1);
    assert_eq!(bench.take().0, "GetConfiguration", "the set-up goes on");
}

#[test]
fn calls_are_answered_while_ours_is_pending() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, pending) = bench.take();
    assert!(bench.call("Heartbeat", &json!({}))[2]["currentTime"].is_string());
    bench.reply(&pending, &json!({"status": "Accepted"}));
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
}

#[test]
fn an_unanswered_limit_is_tried_once_more_with_the_newest_value() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, first) = bench.take();
    bench.pass(PROFILE_TIMEOUT);
    let (_, second) = bench.take();
    assert_eq!(limits(&second), limits(&first));
    bench.pass(PROFILE_TIMEOUT);
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Timeout)]);
    assert!(bench.calls.is_empty());

    bench.limit(request(2, 10));
    bench.take();
    bench.limit(request(3, 8));
    bench.pass(PROFILE_TIMEOUT);
    let (_, newest) = bench.take();
    assert_eq!(limits(&newest), [(0, 8.0), (120, 6.0)]);
    bench.reply(&first, &json!({"status": "Accepted"}));
    bench.reply(&newest, &json!({"status": "Accepted"}));
    let last = &bench.outcomes[1..];
    assert_eq!(
        last,
        [(2, LimitOutcome::Timeout), (3, LimitOutcome::Accepted)]
    );
}

#[test]
fn a_limit_from_before_observing_is_not_sent_after_it() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, first) = bench.take();
    bench.limit(request(2, 14));
    bench.session.configure(
        Settings {
            control: false,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.reply(&first, &json!({"status": "Accepted"}));
    bench.session.configure(SETTINGS, bench.now());
    bench.collect();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)], "the base");
    assert!(!bench.settle().contains(&"SetChargingProfile".to_owned()));
}

#[test]
fn a_limit_that_observing_drops_has_its_outcome() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, first) = bench.take();
    bench.limit(request(2, 14));
    let observe = Settings {
        control: false,
        ..SETTINGS
    };
    bench.session.configure(observe, bench.now());
    bench.collect();
    assert_eq!(bench.outcomes, [(2, LimitOutcome::Timeout)]);
    bench.limit(request(3, 13));
    bench.reply(&first, &json!({"status": "Accepted"}));
    assert_eq!(
        bench.outcomes,
        [
            (2, LimitOutcome::Timeout),
            (3, LimitOutcome::Timeout),
            (1, LimitOutcome::Accepted)
        ]
    );
}

#[test]
fn the_end_of_the_connection_is_a_time_out_for_what_was_under_way() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 10));
    bench.take();
    bench.limit(request(2, 8));
    bench.session.closed(bench.now());
    bench.collect();
    assert_eq!(
        bench.outcomes,
        [(1, LimitOutcome::Timeout), (2, LimitOutcome::Timeout)]
    );
}

#[test]
fn an_unknown_action_is_not_implemented_and_the_session_goes_on() {
    let mut bench = Bench::settled();
    let answer = bench.call("Teleport", &json!({}));
    assert_eq!(
        (&answer[0], &answer[2]),
        (&json!(4), &json!("NotImplemented"))
    );
    assert_eq!(
        bench.call("DataTransfer", &json!({}))[2]["status"],
        "UnknownVendorId"
    );
    for garbage in [
        "",
        "nonsense",
        "{}",
        "[5]",
        "[6,\"a\"]",
        "[3,\"unknown\",{}]",
        "[4,\"unknown\"]",
    ] {
        bench.session.receive(garbage, bench.now());
        bench.collect();
    }
    let counters = bench.session.counters();
    assert_eq!((counters.frames_ignored, counters.answers_dropped), (5, 2));
    bench.limit(request(1, 10));
    bench.answer("Accepted");
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
}
