use super::*;
use serde_json::json;

/// Plays a set-up against `answer`, which gives `None` for no answer; returns the calls.
fn play(answer: impl Fn(&Call) -> Option<Value>) -> Vec<String> {
    let mut setup = Setup::default();
    let mut ladder = Ladder::default();
    setup.restart(7);
    let mut calls = Vec::new();
    while let Some(call) = setup.next(1) {
        let payload = &call.payload;
        calls.push(match call.action {
            "SetVariables" => {
                let data = &payload["setVariableData"][0];
                let name = data["variable"]["name"].as_str().unwrap();
                format!("{name}={}", data["attributeValue"].as_str().unwrap())
            }
            "GetVariables" => {
                format!(
                    "get {}",
                    payload["getVariableData"].as_array().unwrap().len()
                )
            }
            "TriggerMessage" => payload["requestedMessage"].as_str().unwrap().to_owned(),
            other => other.to_owned(),
        });
        assert!(calls.len() < 40, "the set-up ends: {calls:?}");
        match answer(&call) {
            Some(payload) => drop(setup.answered(&payload, &mut ladder)),
            None => drop(setup.timed_out()),
        }
    }
    assert!(setup.is_done());
    calls
}

fn set(status: &str) -> Value {
    json!({"setVariableResult": [{"attributeStatus": status}]})
}

/// An answer to `GetVariables` with these values, as far as they were asked for.
fn told(call: &Call, values: &[(&str, &str)]) -> Value {
    let asked = call.payload["getVariableData"].as_array().unwrap();
    let results: Vec<Value> = asked
        .iter()
        .map(|data| {
            let name = data["variable"]["name"].as_str().unwrap();
            let value = values.iter().find(|(own, _)| *own == name);
            let status = value.map_or("UnknownVariable", |_| "Accepted");
            json!({"attributeStatus": status, "attributeValue": value.map(|(_, value)| value),
                "component": data["component"], "variable": data["variable"]})
        })
        .collect();
    json!({"getVariableResult": results})
}

const ALL: &str = "TxUpdatedMeasurands=Current.Import,Energy.Active.Import.Register,\
                   Current.Offered,Power.Active.Import,Voltage";

#[test]
fn a_willing_station() {
    let calls = play(|call| {
        Some(match call.action {
            "GetVariables" => told(call, &[("RateUnit", "A,W"), ("Enabled", "false")]),
            "SetVariables" => set("Accepted"),
            _ => json!({"status": "Accepted"}),
        })
    });
    assert_eq!(
        calls,
        [
            "StatusNotification",
            "TransactionEvent",
            "get 8",
            "Enabled=true",
            "TxUpdatedInterval=5",
            ALL,
            "WebSocketPingInterval=30",
            "GetChargingProfiles"
        ]
    );
}

#[test]
fn what_is_right_is_left_alone() {
    let list = &ALL["TxUpdatedMeasurands=".len()..];
    let calls = play(|call| {
        Some(match call.action {
            "GetVariables" => told(
                call,
                &[
                    ("TxUpdatedInterval", "5"),
                    ("TxUpdatedMeasurands", list),
                    ("WebSocketPingInterval", "20"),
                    ("Enabled", "true"),
                ],
            ),
            _ => json!({"status": "Rejected"}),
        })
    });
    assert_eq!(
        calls,
        [
            "StatusNotification",
            "TransactionEvent",
            "get 8",
            "GetChargingProfiles"
        ]
    );
}

#[test]
fn one_that_takes_one_variable_at_a_time_and_no_samples() {
    let calls = play(|call| {
        let data = &call.payload["setVariableData"][0];
        let offered = data["attributeValue"]
            .as_str()
            .is_some_and(|value| value.contains("Offered"));
        let sampled = data["component"]["name"] == "SampledDataCtrlr";
        let interval = data["variable"]["name"] == "TxUpdatedInterval";
        Some(match call.action {
            "GetVariables" if call.payload["getVariableData"][1].is_null() => told(call, &[]),
            "GetVariables" => json!({}),
            "SetVariables" if interval || (sampled && offered) => set("Rejected"),
            "SetVariables" => set("Accepted"),
            _ => json!({"status": "Accepted"}),
        })
    });
    assert_eq!(calls.iter().filter(|call| *call == "get 1").count(), 8);
    for wanted in ["TxUpdatedInterval=60", "Interval=30"] {
        assert!(calls.contains(&wanted.to_owned()), "{wanted}: {calls:?}");
    }
    let last = calls
        .iter()
        .rfind(|call| call.starts_with("TxUpdatedMeasurands"))
        .unwrap();
    assert_eq!(
        last,
        "TxUpdatedMeasurands=Current.Import,Energy.Active.Import.Register,\
         Power.Active.Import,Voltage"
    );
}

#[test]
fn one_that_hangs_on_every_call_is_left_alone() {
    assert_eq!(play(|_| None), ["StatusNotification", "TransactionEvent"]);
}
