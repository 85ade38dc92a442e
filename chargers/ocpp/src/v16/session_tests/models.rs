//! What models of the table of quirks get differently, each by the number of its quirk.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::{types::Grade, v16::session::BOOT_TRIGGER_AFTER};

fn booted(vendor: &str, model: &str, firmware: &str) -> Bench {
    let mut bench = Bench::new(SETTINGS);
    bench.boot_as(vendor, model, firmware);
    bench
}

#[test]
fn quirk_01_02_03_abb_is_never_asked_for_its_measurands_and_gets_stack_level_0() {
    let mut bench = booted("ABB", "TAC-W22", "1.8.0");
    let mut asked = Vec::new();
    while !bench.calls.is_empty() {
        let (name, call) = bench.take();
        if name == "GetConfiguration" {
            asked.push(call[3]["key"][0].clone());
        }
        bench.reply(&call, &json!({"status": "Accepted"}));
    }
    assert!(!asked.contains(&Value::Null), "key by key: {asked:?}");
    assert!(asked.contains(&json!("ChargeProfileMaxStackLevel")));
    assert!(!asked.contains(&json!("MeterValuesSampledData")));
    bench.limit(request(1, 16));
    assert_eq!(profile(&bench.answer("Accepted"))["stackLevel"], 0);
    assert!(bench.notes.contains(&Note::Quirks(vec![1, 2, 3])));
}

#[test]
fn quirk_05_12_measurands_without_the_offered_current() {
    for (vendor, model) in [("EV-BOX", "Elvi"), ("Easee", "Charge")] {
        let mut bench = booted(vendor, model, "");
        let mut wanted = Vec::new();
        while !bench.calls.is_empty() {
            let (_, call) = bench.take();
            if call[3]["key"] == "MeterValuesSampledData" {
                wanted.push(call[3]["value"].as_str().unwrap().to_owned());
            }
            bench.reply(
                &call,
                &json!({"status": "Accepted", "configurationKey": [{"key": "x"}]}),
            );
        }
        assert_eq!(wanted.len(), 1, "{vendor}: {wanted:?}");
        assert!(!wanted[0].contains("Offered"), "{vendor}: {wanted:?}");
    }
}

#[test]
fn quirk_06_wallbox_gets_nothing_before_its_boot() {
    let learnt = booted("Wall Box Chargers", "Pulsar Max", "6.6.12")
        .session
        .learnt();
    let mut bench = Bench::again(SETTINGS, learnt);
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    assert!(bench.calls.is_empty());
    bench.boot_as("Wall Box Chargers", "Pulsar Max", "6.6.12");
    assert_eq!(bench.take().0, "SetChargingProfile");
}

#[test]
fn quirk_06_one_that_broke_on_an_early_call_is_waited_for_but_not_for_ever() {
    let mut learnt = Learnt::default();
    for breaks in 1..=2 {
        let mut bench = Bench::again(SETTINGS, learnt);
        bench.call("Heartbeat", &json!({}));
        bench.take();
        bench.session.closed(bench.now());
        bench.collect();
        let told = bench.notes.contains(&Note::EarlyCallBroke);
        assert_eq!(told, breaks == 2, "one break may be chance");
        learnt = bench.session.learnt();
    }
    let mut again = Bench::again(SETTINGS, learnt);
    again.call("Heartbeat", &json!({}));
    again.limit(request(1, 10));
    again.pass(Duration::from_millis(14_900));
    assert!(again.calls.is_empty());
    again.pass(Duration::from_millis(100));
    assert_eq!(again.take().0, "SetChargingProfile");
}

#[test]
fn one_that_reconnects_all_the_time_is_not_taken_for_one_that_breaks_on_early_calls() {
    let mut learnt = Learnt::default();
    for round in 0..5 {
        let mut bench = Bench::again(SETTINGS, learnt);
        bench.call("Heartbeat", &json!({}));
        if round == 0 {
            // Its base; later connections need none.
            bench.answer("Accepted");
        }
        // The boot is asked for, and just then the connection ends.
        bench.pass(BOOT_TRIGGER_AFTER);
        assert_eq!(bench.take().0, "TriggerMessage");
        bench.session.closed(bench.now());
        bench.collect();
        assert!(!bench.notes.contains(&Note::EarlyCallBroke));
        learnt = bench.session.learnt();
    }
}

#[test]
fn quirk_13_zaptec_gets_a_heartbeat_and_values_at_each_step() {
    let mut bench = booted("Zaptec", "Go", "");
    let mut set = Vec::new();
    while !bench.calls.is_empty() {
        let (_, call) = bench.take();
        set.push((call[3]["key"].clone(), call[3]["value"].clone()));
        let keys = json!({"status": "Accepted", "configurationKey": [
            {"key": "HeartbeatInterval", "value": "86400"},
            {"key": "MeterValueSampleInterval", "value": "0"}]});
        bench.reply(&call, &keys);
    }
    for (key, value) in [
        ("HeartbeatInterval", "60"),
        ("MeterValueSampleInterval", "5"),
        ("PowerActiveImportDeltaForEagerMeterValueSample", "200"),
    ] {
        assert!(set.contains(&(json!(key), json!(value))), "{key}: {set:?}");
    }
}

#[test]
fn quirk_19_20_power_only_models_get_watts_from_the_first_profile() {
    for vendor in ["MicroOcpp", "HUAWEI"] {
        let mut bench = booted(vendor, "x", "");
        let base = bench.answer("Accepted");
        let unit = &profile(&base)["chargingSchedule"]["chargingRateUnit"];
        assert_eq!(unit, "W", "{vendor}");
    }
}

#[test]
fn quirk_21_the_first_limit_after_a_pause_is_sent_twice() {
    let mut bench = booted("go-e", "Charger", "");
    bench.settle();
    for (command, ampere) in [(1, 0), (2, 12)] {
        bench.limit(request(command, ampere));
        bench.answer("Accepted");
    }
    bench.pass(Duration::from_millis(2_900));
    assert!(bench.calls.is_empty());
    bench.pass(Duration::from_millis(100));
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 12.0), (117, 6.0)]);
    assert_eq!(bench.outcomes.len(), 2, "nobody asked, nobody is told");
    bench.limit(request(3, 14));
    bench.answer("Accepted");
    bench.pass(Duration::from_secs(10));
    assert!(bench.calls.is_empty(), "only after a pause");
}

#[test]
fn quirk_26_the_answer_to_a_start_is_held_back() {
    let mut bench = booted("Free2move", "eProWallbox", "2.9.3");
    bench.settle();
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 0,
        "timestamp": "2026-01-15T12:00:00Z"});
    let text = json!([2, "s", "StartTransaction", start]).to_string();
    bench.session.receive(&text, bench.now());
    bench.collect();
    bench.pass(Duration::from_millis(999));
    assert!(bench.answers.is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.answers.len(), 1);
    assert!(bench.answers[0][2]["transactionId"].is_number());
}

#[test]
fn quirk_35_values_after_the_end_bring_no_transaction_back() {
    let mut bench = Bench::settled();
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 0,
        "timestamp": "2026-01-15T12:00:00Z"});
    let id = bench.call("StartTransaction", &start)[2]["transactionId"].clone();
    bench.call(
        "StopTransaction",
        &json!({"transactionId": id, "meterStop": 5}),
    );
    let values = json!({"connectorId": 1, "transactionId": id, "meterValue": []});
    bench.call("MeterValues", &values);
    bench.limit(request(1, 10));
    while !bench.calls.is_empty() {
        let call = bench.answer("Rejected");
        assert_eq!(profile(&call)["transactionId"], Value::Null);
    }
}

#[test]
fn quirk_41_zappi_gets_one_profile_and_no_random_delay() {
    let mut bench = booted("myenergi", "zappi", "");
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    assert_eq!(
        (
            &profile(&lease)["stackLevel"],
            &profile(&lease)["chargingProfileId"]
        ),
        (&json!(0), &json!(1)),
        "in place of the base"
    );
}

#[test]
fn quirk_43_steps_are_rounded_down() {
    let mut bench = booted("NECHARGE", "x", "");
    bench.settle();
    bench.limit(request(1, 12));
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 10.0), (120, 6.0)]);
}

#[test]
fn a_lease_that_ran_out_by_itself_is_proven_by_the_current() {
    let values = |ampere: f64| {
        json!({"connectorId": 1, "transactionId": 7, "meterValue": [{"sampledValue": [
            {"value": ampere, "measurand": "Current.Import"}]}]})
    };
    // What it draws after the lease, and what is known then.
    for (after, want) in [(6.0, Grade::Proven), (16.0, Grade::NotThere)] {
        let mut bench = Bench::settled();
        bench.call(
            "StatusNotification",
            &json!({"connectorId": 1, "status": "Charging"}),
        );
        bench.limit(request(1, 16));
        bench.answer("Accepted");
        assert_eq!(bench.session.capabilities().lease, Grade::Claimed);
        bench.call("MeterValues", &values(15.9));
        let learnt = bench.session.learnt();
        bench.session.closed(bench.now());
        // It comes back when the lease has long run out.
        let mut again = Bench::again(SETTINGS, learnt);
        again.pass(Duration::from_secs(140));
        again.calls.clear();
        again.call(
            "StatusNotification",
            &json!({"connectorId": 1, "status": "Charging"}),
        );
        again.call("MeterValues", &values(after));
        assert_eq!(again.session.capabilities().lease, want, "{after}");
        assert_eq!(again.capabilities.last().map(|c| c.lease), Some(want));
    }
}

#[test]
fn limits_are_proven_when_the_current_comes_down() {
    let values = |ampere: f64| {
        json!({"connectorId": 1, "transactionId": 7, "meterValue": [{"sampledValue": [
            {"value": ampere, "measurand": "Current.Import"}]}]})
    };
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    bench.answer("Accepted");
    bench.call("MeterValues", &values(16.0));
    assert_eq!(bench.session.capabilities().limits, Grade::Claimed);
    bench.limit(request(2, 8));
    bench.answer("Accepted");
    bench.call("MeterValues", &values(16.0));
    assert_eq!(bench.session.capabilities().limits, Grade::Claimed);
    bench.call("MeterValues", &values(7.9));
    assert_eq!(bench.session.capabilities().limits, Grade::Proven);
}
