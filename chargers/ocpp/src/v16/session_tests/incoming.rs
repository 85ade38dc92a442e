//! What the charge point tells.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

#[test]
fn transactions() {
    let mut bench = Bench::settled();
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 1000,
        "timestamp": "2026-01-15T12:00:00Z"});
    let first = bench.call("StartTransaction", &start)[2].clone();
    assert_eq!(first["idTagInfo"]["status"], "Accepted");
    let id = first["transactionId"].as_i64().unwrap();
    assert!((1..=i64::from(i32::MAX)).contains(&id));
    assert_eq!(
        bench.call("StartTransaction", &start)[2],
        first,
        "a repeated call, the same id"
    );
    assert_eq!(bench.reports.last().unwrap().energy_wh, Some(1_000));
    let other = json!({"connectorId": 1, "meterStart": 2000, "timestamp": "2026-01-15T13:00:00Z"});
    assert_ne!(
        bench.call("StartTransaction", &other)[2]["transactionId"],
        first["transactionId"]
    );
    let stop = json!({"transactionId": id, "meterStop": 3000, "reason": "Whatever"});
    assert_eq!(
        bench.call("StopTransaction", &stop)[2]["idTagInfo"]["status"],
        "Accepted"
    );
}

#[test]
fn meter_values_become_reports_each_time() {
    let mut bench = Bench::settled();
    let before = bench.reports.len();
    for _ in 0..2 {
        let stamp = bench.stamp(0);
        let values = json!({"connectorId": 1, "transactionId": 7, "meterValue": [
            {"timestamp": stamp, "sampledValue": [
                {"value": "9.8", "measurand": "Current.Import", "phase": "L1"},
                {"value": "9.7", "measurand": "Current.Import", "phase": "L2"},
                {"value": "0", "measurand": "Current.Import", "phase": "L3"},
                {"value": "10", "measurand": "Current.Offered"},
                {"value": "3200", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]}]});
        assert_eq!(bench.call("MeterValues", &values)[2], json!({}));
    }
    assert_eq!(
        bench.reports.len(),
        before + 2,
        "with every message, changed or not"
    );
    let report = bench.reports.last().unwrap();
    assert_eq!(report.current_ma, [Some(9_800), Some(9_700), Some(0)]);
    assert_eq!(
        (report.limit_ma, report.energy_wh),
        (Some(10_000), Some(3_200))
    );
    // It was running before we were: its id is good for the ladder's transaction rung.
    bench.limit(request(1, 10));
    let forms: Vec<_> = std::iter::from_fn(|| {
        (!bench.calls.is_empty())
            .then(|| profile(&bench.answer("Rejected"))["transactionId"].clone())
    })
    .collect();
    assert!(forms.contains(&json!(7)), "{forms:?}");
}

#[test]
fn a_silent_charging_connector_is_asked() {
    let mut bench = Bench::settled();
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    bench.pass(Duration::from_secs(30));
    let (name, call) = bench.take();
    assert_eq!(
        (name.as_str(), &call[3]["requestedMessage"]),
        ("TriggerMessage", &json!("MeterValues"))
    );
    bench.reply(&call, &json!({"status": "NotImplemented"}));
    bench.pass(Duration::from_mins(10));
    assert!(bench.calls.is_empty(), "it has said that it cannot");
}

#[test]
fn every_tolerated_payload_is_answered() {
    // Payloads that typed libraries refuse, and that charge points in the field send.
    let sample = |sample: Value| {
        json!({"connectorId": 1, "meterValue": [
        {"timestamp": "2026-01-15T12:00:00Z", "sampledValue": [sample]}]})
    };
    let stamped = |stamp: &str| {
        json!({"connectorId": 1, "status": "Charging", "errorCode": "NoError",
        "timestamp": stamp})
    };
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 1.5,
        "timestamp": "2026-01-15T12:00:00Z"});
    let cases = [
        ("MeterValues", sample(json!({"value": 7.5}))),
        (
            "MeterValues",
            sample(json!({"value": "50", "measurand": "Frequency", "unit": "Hz"})),
        ),
        ("MeterValues", sample(json!({"value": "5", "unit": ""}))),
        (
            "MeterValues",
            sample(json!({"value": "5", "measurand": "Vendor.Special"})),
        ),
        (
            "MeterValues",
            sample(json!({"value": "5", "context": "Vendor.Special"})),
        ),
        ("MeterValues", sample(json!({"value": "5", "location": ""}))),
        ("MeterValues", json!({"connectorId": 1, "meterValue": null})),
        ("MeterValues", json!({})),
        ("StatusNotification", stamped("2026-01-15T12:00:00")),
        ("StatusNotification", stamped("2026-01-15T12:00:00+02")),
        ("StatusNotification", stamped("2026-01-15T12:00:00+0200")),
        ("StatusNotification", stamped("")),
        (
            "StatusNotification",
            json!({"connectorId": 1, "status": "Charging", "errorCode": "Vendor42"}),
        ),
        (
            "StatusNotification",
            json!({"connectorId": "1", "status": "Occupied"}),
        ),
        ("BootNotification", json!({"chargePointModel": "M"})),
        (
            "BootNotification",
            json!({"chargePointVendor": "V", "chargePointModel": "M", "extra": {}}),
        ),
        ("BootNotification", json!([])),
        ("StartTransaction", start),
        ("StartTransaction", json!({})),
        (
            "StopTransaction",
            json!({"transactionId": 5, "reason": "BecauseICan"}),
        ),
        ("StopTransaction", json!({"transactionId": 5, "reason": ""})),
        ("StopTransaction", json!({"transactionId": null})),
        (
            "DataTransfer",
            json!({"vendorId": "gatewayInfo", "data": {"not": "text"}}),
        ),
        ("FirmwareStatusNotification", json!({"status": "Odd"})),
        ("SecurityEventNotification", json!({})),
        ("Authorize", json!({"idTag": "\u{0}\u{1}"})),
        ("Heartbeat", json!({"surplus": true})),
    ];
    for (action, payload) in cases {
        let mut bench = Bench::settled();
        let answer = bench.call(action, &payload);
        assert_eq!(
            (&answer[0], &answer[1]),
            (&json!(3), &json!("their-id")),
            "{action} {payload}"
        );
    }
}
