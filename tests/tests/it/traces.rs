//! `GET /diagnostics` shows what charge points and the meter said last, without what tells whose it is.

use std::time::Duration;

use headroom_tests::{demo::Demo, wait};
use serde_json::Value;

#[test]
fn the_last_messages_of_charge_points_and_meter_are_in_the_diagnostics_without_secrets() {
    let demo = Demo::start(&["--seed", "1"]);
    let api = &demo.api;
    let list = |told: &Value, name: &str| told[name].as_array().cloned().unwrap_or_default();
    let told = wait::until("both traces", Duration::from_secs(60), || {
        let told = api.get("diagnostics").expect(200).json;
        let limits = list(&told, "ocpp_trace");
        let told_limit = limits.iter().any(|it| {
            it["direction"] == "out"
                && it["message"]
                    .as_str()
                    .is_some_and(|text| text.contains("\"SetChargingProfile\""))
        });
        (told_limit && list(&told, "meter_trace").len() > 2).then_some(told)
    });
    for message in list(&told, "ocpp_trace") {
        assert!(
            ["in", "out"].contains(&message["direction"].as_str().unwrap()),
            "{message}"
        );
        let charger = message["charger"].as_str().unwrap();
        let number = charger.strip_prefix("ev").unwrap_or(charger);
        assert!(
            message["charge_point"].as_str().unwrap().ends_with(number),
            "{message}"
        );
        assert!(
            message["time"].as_str().unwrap().ends_with('Z'),
            "{message}"
        );
        let frame: Value = serde_json::from_str(message["message"].as_str().unwrap()).unwrap();
        assert!([2, 3, 4].contains(&frame[0].as_u64().unwrap()), "{frame}");
    }
    let status = api.get("status").expect(200).json;
    let meter_id = status["meter"]["meter_id"].as_str().unwrap();
    for telegram in list(&told, "meter_trace") {
        assert_eq!(telegram["valid"], true, "{telegram}");
        let text = telegram["telegram"].as_str().unwrap();
        assert!(
            text.starts_with('/') && text.contains("1-0:1.7.0("),
            "{text}"
        );
        assert!(!text.contains(meter_id), "{text}");
    }
}
