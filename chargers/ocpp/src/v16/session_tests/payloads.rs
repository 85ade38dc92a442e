//! Malformed but plausible payloads, as charge points in the field send them: each is understood.
//!
//! A row is named by the number of its quirk, or by `r` and its place in the list of payloads that
//! typed libraries refuse.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::types::Status;

/// What a payload has to lead to.
#[derive(Debug)]
enum Means {
    Current([Option<u32>; 3]),
    Energy(u64),
    Limit(u32),
    State(Status),
    /// It is answered, and nothing else is changed by it.
    Answer(Value),
    /// A transaction begins.
    Begins,
    /// The running transaction is this one; 0: none.
    Transaction(i64),
}

const A: fn(u32) -> Option<u32> = Some;

fn values(sample: &Value) -> Value {
    json!({"connectorId": 1, "meterValue": [
        {"timestamp": "2026-01-15T12:00:00Z", "sampledValue": [sample]}]})
}

fn samples(samples: &Value) -> Value {
    json!({"connectorId": 1, "meterValue": [
        {"timestamp": "2026-01-15T12:00:00Z", "sampledValue": samples}]})
}

fn current(value: &Value, phase: &str, unit: &str) -> Value {
    json!({"measurand": "Current.Import", "value": value, "phase": phase, "unit": unit})
}

fn status(status: &str, stamp: &str) -> Value {
    json!({"connectorId": 1, "status": status, "errorCode": "NoError", "timestamp": stamp})
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<(&'static str, &'static str, Value, Means)> {
    use Means::{Answer, Begins, Current, Energy, Limit, State, Transaction};
    let charging = || State(Status::Charging);
    let nothing = || Answer(json!({}));
    vec![
        // Values.
        (
            "r1 a JSON number",
            "MeterValues",
            values(&current(&json!(9.6), "L1", "A")),
            Current([A(9_600), None, None]),
        ),
        (
            "r2 unit Hz",
            "MeterValues",
            values(&json!({"value": "50", "measurand": "Frequency", "unit": "Hz"})),
            nothing(),
        ),
        (
            "r3 empty unit",
            "MeterValues",
            values(&json!({"value": "5", "unit": "", "measurand": "Current.Import"})),
            Current([A(5_000); 3]),
        ),
        (
            "r4 unknown measurand",
            "MeterValues",
            values(&json!({"value": "5", "measurand": "Vendor.Own"})),
            nothing(),
        ),
        (
            "r5 unknown context",
            "MeterValues",
            values(&json!({"value": "5", "context": "Odd", "measurand": "Current.Import"})),
            Current([A(5_000); 3]),
        ),
        (
            "r6 empty location",
            "MeterValues",
            values(&json!({"value": "5", "location": "", "measurand": "Current.Import"})),
            Current([A(5_000); 3]),
        ),
        (
            "r7 value null",
            "MeterValues",
            values(&json!({"value": null})),
            nothing(),
        ),
        (
            "r8 no list",
            "MeterValues",
            json!({"connectorId": 1, "meterValue": null}),
            nothing(),
        ),
        (
            "r9 one object for a list",
            "MeterValues",
            samples(&current(&json!("7"), "L1", "A")),
            Current([A(7_000), None, None]),
        ),
        (
            "r10 comma",
            "MeterValues",
            values(&current(&json!("9,6"), "L2", "A")),
            Current([None, A(9_600), None]),
        ),
        (
            "r11 milliamperes",
            "MeterValues",
            values(&current(&json!("9600"), "L3", "mA")),
            Current([None, None, A(9_600)]),
        ),
        (
            "r12 kWh",
            "MeterValues",
            values(&json!({"value": "3.2", "unit": "kWh",
                "measurand": "Energy.Active.Import.Register"})),
            Energy(3_200),
        ),
        (
            "r13 energy without a measurand",
            "MeterValues",
            values(&json!({"value": "3200"})),
            Energy(3_200),
        ),
        (
            "r14 energy as a number",
            "MeterValues",
            values(&json!({"value": 3200, "unit": "Wh"})),
            Energy(3_200),
        ),
        (
            "r15 offered current",
            "MeterValues",
            values(&json!({"value": 16, "measurand": "Current.Offered"})),
            Limit(16_000),
        ),
        (
            "38 leading space",
            "MeterValues",
            values(&current(&json!(" 9.6"), "L1", "A")),
            Current([A(9_600), None, None]),
        ),
        (
            "39 phase L2-N",
            "MeterValues",
            values(&current(&json!("9.6"), "L2-N", "A")),
            Current([None, A(9_600), None]),
        ),
        (
            "39 kW per phase",
            "MeterValues",
            samples(&json!([
            {"measurand": "Power.Active.Import", "value": "2.3", "unit": "kW", "phase": "L1-N"},
            {"measurand": "Voltage", "value": "230", "phase": "L1-N"}])),
            Current([A(10_000), None, None]),
        ),
        (
            "40 phase N",
            "MeterValues",
            values(&current(&json!("9.6"), "N", "A")),
            Current([A(9_600); 3]),
        ),
        (
            "35 values after the end",
            "MeterValues",
            json!({"connectorId": 1, "transactionId": 7, "meterValue": []}),
            Transaction(7),
        ),
        (
            "36 transaction -1",
            "MeterValues",
            json!({"connectorId": 1, "transactionId": -1, "meterValue": []}),
            Transaction(0),
        ),
        (
            "36 transaction null",
            "MeterValues",
            json!({"connectorId": 1, "transactionId": null, "meterValue": []}),
            Transaction(0),
        ),
        (
            "r16 transaction as text",
            "MeterValues",
            json!({"connectorId": "1", "transactionId": "9", "meterValue": []}),
            Transaction(9),
        ),
        // Time stamps.
        (
            "37 time without a zone",
            "StatusNotification",
            status("Charging", "2026-01-15T12:00:00"),
            charging(),
        ),
        (
            "r17 zone +02",
            "StatusNotification",
            status("Charging", "2026-01-15T12:00:00+02"),
            charging(),
        ),
        (
            "r18 zone +0200",
            "StatusNotification",
            status("Charging", "2026-01-15T12:00:00+0200"),
            charging(),
        ),
        (
            "r19 empty time",
            "StatusNotification",
            status("Charging", ""),
            charging(),
        ),
        (
            "r20 1970",
            "StatusNotification",
            status("Charging", "1970-01-01T00:00:00Z"),
            charging(),
        ),
        // Words.
        (
            "r21 vendor's error code",
            "StatusNotification",
            json!({"connectorId": 1, "status": "Charging", "errorCode": "Vendor42"}),
            charging(),
        ),
        (
            "r22 unknown status",
            "StatusNotification",
            status("Occupied", ""),
            State(Status::Unknown),
        ),
        (
            "r23 small letters",
            "StatusNotification",
            status("suspendedev", ""),
            State(Status::SuspendedEv),
        ),
        (
            "r24 connector as text",
            "StatusNotification",
            json!({"connectorId": "1", "status": "Charging"}),
            charging(),
        ),
        (
            "r25 no connector",
            "StatusNotification",
            json!({"status": "Charging"}),
            charging(),
        ),
        // Boot.
        (
            "r26 no vendor",
            "BootNotification",
            json!({"chargePointModel": "M"}),
            Answer(json!("Accepted")),
        ),
        (
            "r27 an unknown field",
            "BootNotification",
            json!({"chargePointVendor": "V", "chargePointModel": "M", "extra": {"a": 1}}),
            Answer(json!("Accepted")),
        ),
        (
            "r28 an array",
            "BootNotification",
            json!([]),
            Answer(json!("Accepted")),
        ),
        // Transactions.
        (
            "r29 meterStart with a fraction",
            "StartTransaction",
            json!({"connectorId": 1, "idTag": "A", "meterStart": 1.5, "timestamp": ""}),
            Begins,
        ),
        ("r30 an empty start", "StartTransaction", json!({}), Begins),
        (
            "35 a corrupt tag",
            "StartTransaction",
            json!({"connectorId": 1, "idTag": "\u{0}\u{fffd}", "meterStart": "0"}),
            Begins,
        ),
        (
            "r31 unknown reason",
            "StopTransaction",
            json!({"transactionId": 5, "reason": "BecauseICan"}),
            Answer(json!({"status": "Accepted"})),
        ),
        (
            "r32 empty reason",
            "StopTransaction",
            json!({"transactionId": 5, "reason": ""}),
            Answer(json!({"status": "Accepted"})),
        ),
        // Vendors' own.
        (
            "23 gatewayInfo",
            "DataTransfer",
            json!({"vendorId": "EN+", "messageId": "gatewayInfo", "data": {"not": "text"}}),
            Answer(json!("UnknownVendorId")),
        ),
        (
            "r33 security event",
            "SecurityEventNotification",
            json!({"type": 7}),
            nothing(),
        ),
        (
            "r34 surplus field",
            "Heartbeat",
            json!({"surplus": true}),
            nothing(),
        ),
    ]
}

#[test]
fn each_is_understood() {
    let rows = rows();
    for (name, action, payload, means) in &rows {
        let mut bench = Bench::settled();
        let answer = bench.call(action, payload);
        assert_eq!(answer[0], 3, "{name}: {answer}");
        let report = bench.reports.last().cloned().unwrap_or_default();
        match means {
            Means::Current(want) => assert_eq!(report.current_ma, want, "{name}"),
            Means::Energy(want) => assert_eq!(report.energy_wh, Some(*want), "{name}"),
            Means::Limit(want) => assert_eq!(report.limit_ma, Some(*want), "{name}"),
            Means::State(want) => assert_eq!(report.status, *want, "{name}"),
            Means::Answer(Value::String(want)) => {
                assert_eq!(answer[2]["status"], want.as_str(), "{name}");
            }
            Means::Answer(want) if want["status"].is_string() => {
                assert_eq!(answer[2]["idTagInfo"], *want, "{name}");
            }
            Means::Answer(_) => {
                let known = report.current_ma.iter().any(Option::is_some);
                assert!(!known && report.energy_wh.is_none(), "{name}: {report:?}");
            }
            Means::Begins => {
                let id = answer[2]["transactionId"].as_i64();
                assert!(id.is_some_and(|id| id > 0), "{name}: {answer}");
                assert_eq!(answer[2]["idTagInfo"]["status"], "Accepted", "{name}");
            }
            Means::Transaction(want) => {
                bench.limit(request(1, 10));
                let ids = std::iter::from_fn(|| {
                    let call = (!bench.calls.is_empty()).then(|| bench.answer("Rejected"))?;
                    Some(profile(&call)["transactionId"].as_i64().unwrap_or(0))
                });
                assert_eq!(ids.max(), Some(*want), "{name}");
            }
        }
        // Whatever it was, the session goes on.
        bench.pass(Duration::from_secs(1));
        assert_eq!(bench.call("Heartbeat", &json!({}))[0], 3, "{name}");
    }
    println!("{} malformed payloads understood", rows.len());
}

#[test]
fn answers_to_our_calls_too() {
    // r35 readonly as text, r36 a value as a number, r37 keys in other letters.
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    let mut set = Vec::new();
    while !bench.calls.is_empty() {
        let (_, call) = bench.take();
        set.push(call[3]["key"].clone());
        bench.reply(
            &call,
            &json!({"status": "Accepted", "configurationKey": [
                {"key": "meterValueSampleInterval", "value": 5, "readonly": "false"},
                {"key": "METERVALUESSAMPLEDDATA", "value": "Voltage", "readonly": "true"},
                {"key": "webSocketPingInterval", "value": 20},
                {"key": "chargeProfileMaxStackLevel", "value": 3.0, "readonly": true}]}),
        );
    }
    assert!(!set.contains(&json!("MeterValueSampleInterval")), "{set:?}");
    assert!(!set.contains(&json!("MeterValuesSampledData")), "{set:?}");
    assert!(!set.contains(&json!("WebSocketPingInterval")), "{set:?}");
    bench.limit(request(1, 10));
    let (_, call) = bench.take();
    // r38 an unknown status is a refusal, r39 and r40 both spellings of an error are.
    bench.reply(&call, &json!({"status": "Perhaps"}));
    for code in [
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
    ] {
        let (_, call) = bench.take();
        let error = json!([4, call[1], code]).to_string();
        bench.session.receive(&error, bench.now());
        bench.collect();
    }
    assert!(bench.outcomes.is_empty(), "the next form is tried");
    bench.answer("Accepted");
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
}
