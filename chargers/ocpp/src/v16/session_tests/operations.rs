//! What people ask for besides limits, and the clearing of what others left behind.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::types::{Grade, Operation, Trigger};

fn operate(bench: &mut Bench, number: u64, operation: &Operation) {
    bench.session.operate(number, operation, bench.now());
    bench.collect();
}

fn start() -> Operation {
    Operation::RemoteStart {
        id_tag: "a tag of more than twenty characters".into(),
    }
}

#[test]
fn each_operation_is_one_call_and_has_one_outcome() {
    let cases = [
        (
            Operation::SetAvailability { operative: false },
            "ChangeAvailability",
            json!({"connectorId": 1, "type": "Inoperative"}),
        ),
        (
            Operation::Reset { hard: true },
            "Reset",
            json!({"type": "Hard"}),
        ),
        (
            start(),
            "RemoteStartTransaction",
            json!({"connectorId": 1, "idTag": "a tag of more than t"}),
        ),
        (
            Operation::RemoteStop,
            "RemoteStopTransaction",
            json!({"transactionId": 7}),
        ),
        (
            Operation::Trigger(Trigger::Heartbeat),
            "TriggerMessage",
            json!({"requestedMessage": "Heartbeat"}),
        ),
        (
            Operation::DataTransfer {
                vendor_id: "V".into(),
                message_id: Some("M".into()),
                data: None,
            },
            "DataTransfer",
            json!({"vendorId": "V", "messageId": "M"}),
        ),
    ];
    for (operation, action, payload) in cases {
        let mut bench = Bench::settled();
        bench.call(
            "MeterValues",
            &json!({"connectorId": 1, "transactionId": 7, "meterValue": []}),
        );
        for (number, status, outcome) in [
            (1, "Accepted", LimitOutcome::Accepted),
            (2, "Rejected", LimitOutcome::Rejected),
            (3, "Scheduled", LimitOutcome::Accepted),
        ] {
            operate(&mut bench, number, &operation);
            let call = bench.answer(status);
            assert_eq!((&call[2], &call[3]), (&json!(action), &payload));
            assert_eq!(bench.operated.pop(), Some((number, outcome)), "{action}");
        }
        operate(&mut bench, 4, &operation);
        bench.take();
        bench.pass(Duration::from_secs(30));
        assert_eq!(bench.operated, [(4, LimitOutcome::Timeout)]);
    }
}

#[test]
fn what_cannot_be_is_rejected_at_once() {
    let observing = Settings {
        control: false,
        ..SETTINGS
    };
    let mut bench = Bench::new(observing);
    bench.boot();
    operate(&mut bench, 1, &start());
    assert_eq!(bench.operated, [(1, LimitOutcome::Rejected)]);

    let mut bench = Bench::settled();
    operate(&mut bench, 1, &Operation::RemoteStop);
    assert_eq!(
        bench.operated,
        [(1, LimitOutcome::Rejected)],
        "there is no transaction"
    );
    for number in 2..=11 {
        operate(&mut bench, number, &start());
    }
    assert_eq!(bench.operated.len(), 2, "one goes, eight wait");
    bench.session.closed(bench.now());
    bench.collect();
    let ends: Vec<_> = bench.operated.iter().skip(2).collect();
    assert_eq!(ends.len(), 9, "each has its end: {ends:?}");

    let mut bench = Bench::new(SETTINGS);
    bench.boot_as("EN+", "AC7000", "1.1.805");
    bench.settle();
    let availability = Operation::SetAvailability { operative: true };
    operate(&mut bench, 1, &availability);
    assert_eq!(
        bench.operated,
        [(1, LimitOutcome::Rejected)],
        "it would break this one"
    );
}

#[test]
fn profiles_of_others_are_cleared_once_and_only_above_a_base() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    let mut names = Vec::new();
    let mut cleared = Vec::new();
    while !bench.calls.is_empty() {
        let (name, call) = bench.take();
        let answer = json!({"status": "Accepted", "configurationKey": [{"key": "x"}]});
        bench.reply(&call, &answer);
        if name == "ClearChargingProfile" {
            cleared.push(call[3].clone());
        }
        names.push(name);
    }
    let purposes: Vec<_> = cleared
        .iter()
        .map(|payload| payload["chargingProfilePurpose"].clone())
        .collect();
    assert_eq!(purposes, ["TxProfile", "ChargePointMaxProfile"]);
    for (index, name) in names.iter().enumerate() {
        if name == "ClearChargingProfile" {
            assert_eq!(
                names[index + 1],
                "SetChargingProfile",
                "the base again: {names:?}"
            );
        }
    }
    bench.boot();
    assert!(
        !bench.settle().contains(&"ClearChargingProfile".to_owned()),
        "once"
    );
}

#[test]
fn without_a_base_nothing_is_cleared() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    while !bench.calls.is_empty() {
        let (name, call) = bench.take();
        assert_ne!(name, "ClearChargingProfile");
        let profile = name == "SetChargingProfile";
        let status = if profile { "Rejected" } else { "Accepted" };
        bench.reply(&call, &json!({"status": status}));
    }
    operate(&mut bench, 1, &Operation::ClearForeignProfiles);
    assert_eq!(bench.operated, [(1, LimitOutcome::Rejected)]);
    assert!(bench.calls.is_empty());
}

#[test]
fn after_a_clearing_the_base_and_the_lease_go_in_again() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    bench.answer("Accepted");
    operate(&mut bench, 1, &Operation::ClearForeignProfiles);
    bench.answer("Accepted");
    let lease = bench.answer("Accepted");
    assert_eq!(limits(&lease), [(0, 16.0), (120, 6.0)]);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
    bench.answer("Unknown");
    assert_eq!(bench.operated, [(1, LimitOutcome::Accepted)]);
    assert!(bench.calls.is_empty());
}

#[test]
fn by_urgency_reductions_first_and_questions_last() {
    let mut bench = Bench::settled();
    bench.tells_schedules = true;
    bench.limit(request(1, 16));
    bench.answer("Accepted");
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    // The line is taken, and everything else waits behind it.
    operate(&mut bench, 1, &start());
    let (_, taken) = bench.take();
    operate(&mut bench, 2, &Operation::Reset { hard: false });
    bench.session.configure(
        Settings {
            safe_ma: 7_000,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.pass(Duration::from_millis(29_900));
    bench.limit(LimitRequest {
        safe_ma: 7_000,
        ..request(2, 8)
    });
    bench.reply(&taken, &json!({"status": "Accepted"}));
    let mut order = Vec::new();
    while !bench.calls.is_empty() {
        let (name, call) = bench.take();
        let what = match name.as_str() {
            "SetChargingProfile" => format!("profile {:?}", limits(&call)),
            _ => name,
        };
        order.push(what);
        bench.reply(&call, &json!({"status": "Accepted"}));
        bench.pass(Duration::from_millis(100));
    }
    bench.pass(Duration::from_secs(4));
    order.extend(
        bench
            .calls
            .iter()
            .map(|call| call[2].as_str().unwrap().to_owned()),
    );
    assert_eq!(
        order,
        [
            "profile [(0, 8.0), (120, 7.0)]",
            "profile [(0, 7.0)]",
            "Reset",
            "TriggerMessage",
            "GetCompositeSchedule"
        ]
    );
}

fn schedule(ampere: f64) -> Value {
    json!({"status": "Accepted", "chargingSchedule": {"chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": ampere}]}})
}

#[test]
fn the_schedule_in_force_is_evidence() {
    // What it says, what is reported as its limit, and what is noted.
    let foreign = Note::ForeignLimit {
        limit_ma: 16_000,
        shown_ma: 10_000,
    };
    let ignored = Note::LimitIgnored {
        limit_ma: 16_000,
        shown_ma: 32_000,
    };
    let cases = [
        (16.0, Some(16_000), None),
        (10.0, Some(10_000), Some(foreign)),
        (32.0, None, Some(ignored)),
    ];
    for (said, reported, noted) in cases {
        let mut bench = Bench::settled();
        bench.tells_schedules = true;
        bench.call(
            "MeterValues",
            &json!({"connectorId": 1, "transactionId": 7, "meterValue": []}),
        );
        bench.limit(request(1, 16));
        bench.answer("Accepted");
        bench.pass(Duration::from_secs(3));
        let (name, call) = bench.take();
        assert_eq!(name, "GetCompositeSchedule");
        assert_eq!(
            call[3],
            json!({"connectorId": 1, "duration": 180, "chargingRateUnit": "A"})
        );
        let sent = bench.session.counters().profiles_sent;
        bench.reply(&call, &schedule(said));
        assert_eq!(bench.reports.last().unwrap().limit_ma, reported, "{said}");
        let told = bench
            .notes
            .iter()
            .find(|note| matches!(note, Note::ForeignLimit { .. } | Note::LimitIgnored { .. }));
        assert_eq!(told, noted.as_ref());
        if said < 16.0 {
            assert_eq!(
                bench.session.counters().profiles_sent,
                sent,
                "another's limit is not answered"
            );
        }
        let capabilities = bench.session.capabilities();
        assert_eq!(capabilities.composite_schedule, Grade::Proven);
    }
}

#[test]
fn one_that_does_not_tell_its_schedule_is_not_asked_for_ever() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    bench.answer("Accepted");
    bench.pass(Duration::from_secs(3));
    assert_eq!(
        bench.session.capabilities().composite_schedule,
        Grade::NotThere
    );
    bench.tells_schedules = true;
    bench.limit(request(2, 10));
    bench.answer("Accepted");
    bench.pass(Duration::from_mins(1));
    assert!(bench.calls.is_empty());
}

#[test]
fn two_answers_that_say_nothing_are_enough() {
    let mut bench = Bench::settled();
    bench.tells_schedules = true;
    for (command, ampere) in [(1, 16), (2, 10), (3, 8)] {
        bench.limit(request(command, ampere));
        bench.answer("Accepted");
        bench.pass(Duration::from_secs(31));
        if command < 3 {
            assert_eq!(bench.answer("Accepted")[2], "GetCompositeSchedule");
        }
    }
    assert!(bench.calls.is_empty());
    let capabilities = bench.session.capabilities();
    assert_eq!(capabilities.composite_schedule, Grade::NotThere);
}
