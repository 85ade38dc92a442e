//! From the connection to the end of the set-up, and over a boot.

use super::*;

#[test]
fn after_a_boot_the_base_comes_first_then_the_limit_then_the_set_up() {
    let mut bench = Bench::new(SETTINGS);
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
        profile(&lease)["maxOfflineDuration"],
        Value::Null,
        "2.1 only"
    );
    assert_eq!(schedule(&lease)["startSchedule"], "2026-01-15T11:59:58Z");
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
    let names = bench.settle();
    assert_eq!(
        names,
        [
            "TriggerMessage",
            "TriggerMessage",
            "GetVariables",
            "SetVariables",
            "SetVariables",
            "SetVariables",
            "GetChargingProfiles"
        ]
    );
    assert!(bench.notes.contains(&Note::BaseInPlace));
    let can = bench.session.capabilities();
    assert_eq!((can.limits, can.lease), (Grade::Claimed, Grade::Claimed));
}

#[test]
fn one_that_only_reconnects_refuses_to_boot_again_and_is_ready() {
    let mut bench = Bench::new(SETTINGS);
    bench.pass(BOOT_TRIGGER_AFTER);
    let (_, call) = bench.take();
    assert_eq!(call[3], json!({"requestedMessage": "BootNotification"}));
    bench.reply(&call, &json!({"status": "Rejected"}));
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);

    let mut speaking = Bench::new(SETTINGS);
    speaking.event("Updated", "Charging", 16.0, 0);
    assert_eq!(limits(&speaking.answer("Accepted")), [(0, 6.0)]);
    speaking.limit(request(1, 10));
    assert_eq!(
        limits(&speaking.answer("Accepted")),
        [(0, 10.0), (120, 6.0)]
    );
    let report = speaking.reports.last().unwrap();
    assert_eq!(report.status, Status::Charging, "adopted in its course");
    assert_eq!(report.current_ma, [Some(16_000); 3]);
}

#[test]
fn observing_sends_answers_and_nothing_else() {
    let mut bench = Bench::new(Settings {
        control: false,
        ..SETTINGS
    });
    bench.boot();
    bench.limit(request(1, 16));
    bench.operate(7, &Operation::Reset { hard: true });
    bench.plug("Available");
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Timeout)]);
    assert_eq!(bench.operated, [(7, LimitOutcome::Rejected)]);
    assert_eq!(bench.reports.last().unwrap().status, Status::Available);

    bench.session.configure(SETTINGS, bench.now());
    bench.collect();
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6.0)],
        "control begins with the base"
    );
}

#[test]
fn one_that_nobody_knows_may_boot_and_nothing_else() {
    let mut bench = Bench::new(Settings {
        adopted: false,
        control: false,
        ..SETTINGS
    });
    assert_eq!(bench.boot()[2]["status"], "Pending");
    for action in ["Authorize", "Heartbeat", "TransactionEvent", "MeterValues"] {
        let answer = bench.call(action, &json!({}));
        assert_eq!(
            (&answer[0], &answer[2]),
            (&json!(4), &json!("SecurityError")),
            "{action}"
        );
    }
    bench.limit(request(1, 16));
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
}

#[test]
fn the_messages_of_1_6_are_refused_with_a_word() {
    let mut bench = Bench::new(SETTINGS);
    let answer = bench.call(
        "BootNotification",
        &json!({"chargePointVendor": "V", "chargePointModel": "M"}),
    );
    assert_eq!(
        (&answer[0], &answer[2]),
        (&json!(4), &json!("FormatViolation"))
    );
    assert!(bench.notes.contains(&Note::OtherVersion));
    assert!(bench.calls.is_empty(), "that was no boot");
}

#[test]
fn after_a_reboot_the_base_goes_first_and_what_was_left_of_the_lease_after_it() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 12));
    bench.answer("Accepted");
    bench.settle();
    bench.pass(Duration::from_secs(10));
    bench.settle();
    bench.pass(Duration::from_secs(10));
    bench.boot();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 12.0), (100, 6.0)]);
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)], "told once");

    // Nothing that hangs holds up the base.
    bench.settle();
    bench.pass(Duration::from_secs(200));
    bench.settle();
    bench.operate(7, &Operation::Reset { hard: true });
    bench.take();
    bench.boot();
    assert!(bench.calls.is_empty(), "one call at a time");
    bench.pass(LIMIT_PATIENCE);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
}

#[test]
fn boots_in_a_loop_are_told_to_wait() {
    let mut bench = Bench::new(SETTINGS);
    let statuses: Vec<Value> = (0..7).map(|_| bench.boot()[2]["status"].clone()).collect();
    assert_eq!(statuses.iter().filter(|s| *s == "Accepted").count(), 5);
    assert!(bench.notes.contains(&Note::BootLoop));
}

#[test]
fn a_silent_car_is_asked_for_its_values_in_both_ways() {
    let mut bench = Bench::settled();
    bench.event("Updated", "Charging", 6.0, 0);
    bench.pass(METER_SILENCE);
    let asked = bench.error("NotImplemented");
    let trigger = |message: &str| json!({"requestedMessage": message, "evse": {"id": 1}});
    assert_eq!(asked[3], trigger("TransactionEvent"));
    bench.pass(METER_SILENCE);
    assert_eq!(bench.error("NotImplemented")[3], trigger("MeterValues"));
    bench.pass(METER_SILENCE * 3);
    assert!(bench.calls.is_empty(), "it cannot");
}
