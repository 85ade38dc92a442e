//! What a station says, at any time.

use proptest::prelude::*;

use super::*;

#[test]
fn every_call_of_a_station_is_answered() {
    let mut bench = Bench::settled();
    let cases = [
        (
            "Heartbeat",
            json!({}),
            json!({"currentTime": "2026-01-15T12:00:00Z"}),
        ),
        (
            "Authorize",
            json!({"idToken": {"idToken": "A", "type": "Local"}}),
            json!({"idTokenInfo": {"status": "Accepted"}}),
        ),
        (
            "DataTransfer",
            json!({"vendorId": "X"}),
            json!({"status": "UnknownVendorId"}),
        ),
        ("NotifyEvent", json!({"eventData": 7}), json!({})),
        ("NotifyReport", json!({}), json!({})),
        ("NotifyMonitoringReport", json!({}), json!({})),
        ("MeterValues", json!({"evseId": 1}), json!({})),
        (
            "StatusNotification",
            json!({"connectorStatus": "Lost"}),
            json!({}),
        ),
        ("TransactionEvent", json!({}), json!({})),
        (
            "TransactionEvent",
            json!({"idToken": {"idToken": "A", "type": "Local"}}),
            json!({"idTokenInfo": {"status": "Accepted"}}),
        ),
        (
            "SecurityEventNotification",
            json!({"type": "Reset"}),
            json!({}),
        ),
        (
            "FirmwareStatusNotification",
            json!({"status": "Idle"}),
            json!({}),
        ),
        ("LogStatusNotification", json!({}), json!({})),
        ("ReportChargingProfiles", json!({"requestId": 0}), json!({})),
        (
            "NotifyChargingLimit",
            json!({"chargingLimit": {"chargingLimitSource": "EMS"}}),
            json!({}),
        ),
        ("ClearedChargingLimit", json!({}), json!({})),
        (
            "NotifyEVChargingNeeds",
            json!({}),
            json!({"status": "Rejected"}),
        ),
        (
            "NotifyEVChargingSchedule",
            json!({}),
            json!({"status": "Accepted"}),
        ),
        (
            "SignCertificate",
            json!({"csr": "x"}),
            json!({"status": "Rejected"}),
        ),
        ("ReservationStatusUpdate", json!({}), json!({})),
    ];
    for (action, payload, want) in cases {
        let answer = bench.call(action, &payload);
        assert_eq!(answer, json!([3, "their-id", want]), "{action}");
    }
    let unknown = bench.call("PullDynamicScheduleUpdate", &json!({}));
    assert_eq!(
        (&unknown[0], &unknown[2]),
        (&json!(4), &json!("NotImplemented"))
    );
    assert!(bench.notes.contains(&Note::LimitedBy("EMS".into())));
}

#[test]
fn replayed_events_set_neither_clock_nor_current() {
    let mut bench = Bench::settled();
    bench.plug("Occupied");
    bench.event("Updated", "Charging", 6.0, 0);
    for _ in 0..4 {
        bench.pass(Duration::from_secs(1));
        let stamp = bench.stamp(-600);
        bench.call(
            "TransactionEvent",
            &json!({"eventType": "Updated", "timestamp": stamp, "offline": true, "seqNo": 1,
                "triggerReason": "MeterValuePeriodic", "transactionInfo": {"transactionId": "tx-1"},
                "evse": {"id": 1}, "meterValue": [{"timestamp": stamp, "sampledValue": [
                    {"value": 32, "measurand": "Current.Import", "unitOfMeasure": {"unit": "A"}}]}]}),
        );
    }
    let report = bench.reports.last().unwrap();
    assert_eq!(report.current_ma, [Some(6_000); 3]);
    bench.limit(request(1, 12));
    let lease = bench.answer("Accepted");
    assert_eq!(schedule(&lease)["startSchedule"], "2026-01-15T12:00:02Z");
}

proptest! {
    #[test]
    fn any_message_at_any_time_is_taken(
        actions in prop::collection::vec((0..9_usize, 0..4_u32, -5..50_i32), 1..40),
    ) {
        const ACTIONS: [&str; 9] = ["BootNotification", "StatusNotification", "TransactionEvent",
            "MeterValues", "NotifyEvent", "ReportChargingProfiles", "Heartbeat", "Teleport", "NotifyReport"];
        let mut bench = Bench::new(SETTINGS);
        for (index, evse, number) in actions {
            bench.calls.truncate(0);
            let payload = json!({"evseId": evse, "connectorId": number, "requestId": number,
                "evse": {"id": evse}, "eventType": number, "connectorStatus": "Occupied",
                "chargingProfile": [{"id": number}], "chargingStation": {},
                "transactionInfo": {"transactionId": number, "chargingState": "Charging"},
                "meterValue": {"sampledValue": {"value": number}}});
            bench.call(ACTIONS[index], &payload);
            bench.limit(request(u64::from(evse), 6 + evse));
            bench.pass(Duration::from_secs(u64::from(evse) * 3));
        }
    }
}

/// One transaction event that breaks the standard in one place.
fn broken(change: impl Fn(&mut Value)) -> Report {
    let mut bench = Bench::settled();
    bench.plug("Occupied");
    let stamp = bench.stamp(0);
    let mut event = json!({"eventType": "Started", "timestamp": stamp, "triggerReason": "Trigger",
        "seqNo": 1, "transactionInfo": {"transactionId": "tx-1", "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": stamp, "sampledValue": [
            {"value": 9.6, "measurand": "Current.Import", "phase": "L1",
                "unitOfMeasure": {"unit": "A"}}]}]});
    change(&mut event);
    let answer = bench.call("TransactionEvent", &event);
    assert_eq!(answer[0], 3, "{event}: {answer}");
    bench.reports.pop().expect("a report")
}

#[test]
fn payloads_that_break_the_standard_are_understood() {
    type Change = fn(&mut Value);
    fn sample(event: &mut Value) -> &mut Value {
        &mut event["meterValue"][0]["sampledValue"][0]
    }
    let cases: [(&str, Change); 20] = [
        ("nothing", |_| {}),
        ("a value as text", |e| sample(e)["value"] = json!("9.6")),
        ("a leading space", |e| sample(e)["value"] = json!(" 9.6")),
        ("a comma", |e| sample(e)["value"] = json!("9,6")),
        ("L1-N", |e| sample(e)["phase"] = json!("L1-N")),
        ("milliamperes", |e| {
            sample(e)["value"] = json!(9_600);
            sample(e)["unitOfMeasure"] = json!({"unit": "mA"});
        }),
        ("the unit of 1.6", |e| {
            sample(e)["unitOfMeasure"] = json!(null);
            sample(e)["unit"] = json!("A");
        }),
        ("no measurand", |e| sample(e)["measurand"] = json!(null)),
        ("an unknown context", |e| {
            sample(e)["context"] = json!("Sometimes");
        }),
        ("an empty location", |e| sample(e)["location"] = json!("")),
        ("unknown fields", |e| e["surprise"] = json!({"a": [1]})),
        ("no zone", |e| e["timestamp"] = json!("2026-01-15T12:00:00")),
        ("a short zone", |e| {
            e["timestamp"] = json!("2026-01-15T14:00:00+02");
        }),
        ("no time", |e| e["timestamp"] = json!("")),
        ("1970", |e| e["timestamp"] = json!("1970-01-01T00:00:05Z")),
        ("numbers as text", |e| e["evse"] = json!({"id": "1"})),
        ("no EVSE", |e| e["evse"] = json!(null)),
        ("one element instead of a list", |e| {
            e["meterValue"] = e["meterValue"][0].clone();
        }),
        ("an unknown event", |e| e["eventType"] = json!("Continued")),
        ("a transaction without a name", |e| {
            e["transactionInfo"] = json!({"chargingState": "charging"});
        }),
    ];
    for (name, change) in cases {
        let report = broken(change);
        assert_eq!(report.status, Status::Charging, "{name}");
        assert_eq!(report.current_ma, [Some(9_600), None, None], "{name}");
    }
    let worse = broken(|e| sample(e)["value"] = json!("----"));
    assert_eq!(worse.current_ma, [None; 3], "unknown, and not 0");
    let odd = broken(|e| e["transactionInfo"]["chargingState"] = json!("Dreaming"));
    assert_eq!(odd.status, Status::Unknown, "it may draw");
}
