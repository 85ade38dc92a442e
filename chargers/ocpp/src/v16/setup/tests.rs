use super::*;
use serde_json::json;

/// Plays a set-up against `answer`, which gives `None` for no answer; returns the calls.
fn play(answer: impl Fn(&Call) -> Option<Value>) -> Vec<String> {
    play_with(&Quirks::default(), answer)
}

fn play_with(quirks: &Quirks, answer: impl Fn(&Call) -> Option<Value>) -> Vec<String> {
    let mut capabilities = Capabilities::default();
    let mut setup = Setup::default();
    let mut ladder = Ladder::default();
    setup.restart(quirks);
    let mut calls = Vec::new();
    while let Some(call) = setup.next(1, true) {
        let (key, value) = (&call.payload["key"], &call.payload["value"]);
        calls.push(match call.action {
            "ChangeConfiguration" => {
                format!("{}={}", key.as_str().unwrap(), value.as_str().unwrap())
            }
            "GetConfiguration" => format!("get {}", key[0].as_str().unwrap_or("all")),
            other => other.to_owned(),
        });
        assert!(calls.len() < 40, "the set-up ends: {calls:?}");
        match answer(&call) {
            Some(payload) => drop(setup.answered(&payload, &mut ladder, &mut capabilities)),
            None => drop(setup.timed_out()),
        }
    }
    assert!(setup.is_done());
    calls
}

#[test]
fn a_willing_charge_point() {
    let calls = play(|call| {
        Some(match call.action {
            "GetConfiguration" => {
                json!({"configurationKey": [{"key": "x", "readonly": false}]})
            }
            _ => json!({"status": "Accepted"}),
        })
    });
    let all = "MeterValuesSampledData=Current.Import,Energy.Active.Import.Register,\
               Current.Offered,Power.Active.Import,Voltage";
    assert_eq!(
        calls,
        [
            "get all",
            "MeterValueSampleInterval=5",
            all,
            "WebSocketPingInterval=30",
            "TriggerMessage"
        ]
    );
}

#[test]
fn what_is_right_or_fixed_is_left_alone() {
    let calls = play(|call| {
        Some(match call.action {
            "GetConfiguration" => json!({"configurationKey": [
                {"key": "meterValueSampleInterval", "value": 5, "readonly": "false"},
                {"key": "MeterValuesSampledData", "value": "Voltage", "readonly": "true"},
                {"key": "WebSocketPingInterval", "value": "20"}]}),
            _ => json!({"status": "Accepted"}),
        })
    });
    assert_eq!(calls, ["get all", "TriggerMessage"]);
}

#[test]
fn one_unknown_measurand_does_not_cost_the_others() {
    let calls = play(|call| {
        let refused = call.payload["value"]
            .as_str()
            .is_some_and(|v| v.contains("Offered"))
            || call.payload["value"] == "5";
        Some(match call.action {
            "GetConfiguration" => json!({"configurationKey": [{"key": "x"}]}),
            _ if refused => json!({"status": "NotSupported"}),
            _ => json!({"status": "Accepted"}),
        })
    });
    assert!(calls.contains(&"MeterValueSampleInterval=10".to_owned()));
    let last = calls
        .iter()
        .rfind(|call| call.starts_with("MeterValuesSampledData"))
        .unwrap();
    assert_eq!(
        last,
        "MeterValuesSampledData=Current.Import,Energy.Active.Import.Register,\
         Power.Active.Import,Voltage"
    );
}

#[test]
fn one_that_hangs_on_every_call_is_left_alone() {
    assert_eq!(
        play(|_| None),
        ["get all", "get ChargingScheduleAllowedChargingRateUnit"]
    );
}

#[test]
fn one_that_gives_single_keys_only() {
    let calls = play(
        |call| match (call.action, call.payload["key"][0].as_str()) {
            ("GetConfiguration", None) => Some(json!({"unknownKey": []})),
            ("GetConfiguration", Some(key)) => {
                Some(json!({"configurationKey": [{"key": key, "value": "1", "readonly": true}]}))
            }
            _ => Some(json!({"status": "Accepted"})),
        },
    );
    assert_eq!(calls.len(), 1 + KEYS.len() + 1, "{calls:?}");
}
