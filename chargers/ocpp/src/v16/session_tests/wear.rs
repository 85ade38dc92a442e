//! The charge point's memory: what waits for its sake, and what never does.

use std::time::Duration;

use serde_json::json;

use super::*;

/// The limit is sent and taken.
fn taken(bench: &mut Bench, request: LimitRequest) {
    bench.limit(request);
    bench.answer("Accepted");
}

#[test]
fn a_used_up_budget_stops_raises_and_renewals_and_no_reduction() {
    let mut bench = Bench::settled();
    taken(&mut bench, request(1, 16));
    let written = u32::try_from(bench.session.counters().profiles_sent).unwrap();
    bench.session.set_writes_per_day(written);
    for (command, ampere, what) in [(2, 16, "a renewal"), (3, 20, "a raise")] {
        bench.limit(request(command, ampere));
        assert!(bench.calls.is_empty(), "{what} waits for tomorrow");
        assert_eq!(
            bench.outcomes.last(),
            Some(&(command, LimitOutcome::Rejected))
        );
    }
    let told = |note: &&Note| matches!(note, Note::WriteBudgetUsed(_));
    assert_eq!(bench.notes.iter().filter(told).count(), 1, "told once");
    bench.limit(request(4, 10));
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 10.0), (120, 6.0)]);
    bench.limit(request(5, 0));
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 0.0), (120, 6.0)]);
    bench.limit(request(6, 0));
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 0.0), (120, 6.0)],
        "without this renewal it would rise to its safe current"
    );
    bench.boot();
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6.0)],
        "the base of a boot"
    );
    bench.settle();
    bench.pass(Duration::from_hours(24));
    bench.settle();
    taken(&mut bench, request(7, 16));
    assert_eq!(bench.outcomes.last(), Some(&(7, LimitOutcome::Accepted)));
}

#[test]
fn a_refused_raise_waits_longer_each_time_and_a_reduction_does_not() {
    let mut bench = Bench::settled();
    taken(&mut bench, request(1, 10));
    bench.limit(request(2, 16));
    bench.answer("Rejected");
    bench.pass(Duration::from_secs(10));
    bench.limit(request(3, 16));
    assert!(bench.calls.is_empty());
    assert_eq!(bench.outcomes.last(), Some(&(3, LimitOutcome::Rejected)));
    taken(&mut bench, request(4, 8));
    assert_eq!(bench.outcomes.last(), Some(&(4, LimitOutcome::Accepted)));
    bench.limit(request(5, 16));
    assert_eq!(
        limits(&bench.answer("Rejected")),
        [(0, 16.0), (120, 6.0)],
        "it takes limits again"
    );
}

#[test]
fn a_model_that_wants_raises_apart_gets_them_so() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot_as("EVSwitch", "One", "");
    bench.settle();
    taken(&mut bench, request(1, 10));
    bench.pass(Duration::from_secs(2));
    bench.limit(request(2, 12));
    bench.pass(Duration::from_millis(7_900));
    assert!(bench.calls.is_empty(), "ten seconds after the last limit");
    bench.pass(Duration::from_millis(100));
    bench.answer("Accepted");
    taken(&mut bench, request(3, 8));
    assert_eq!(bench.outcomes.len(), 3);
}

#[test]
fn the_count_of_the_day_survives_a_reconnection() {
    let mut bench = Bench::settled();
    taken(&mut bench, request(1, 16));
    let written = u32::try_from(bench.session.counters().profiles_sent).unwrap();
    let mut again = Bench::again(SETTINGS, bench.session.learnt());
    again.session.set_writes_per_day(written);
    again.call("Heartbeat", &json!({}));
    again.settle();
    again.limit(request(2, 20));
    assert!(again.calls.is_empty());
}
