//! A relay behind Debian's mosquitto, switched by the real binary.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headroom_tests::{
    broker::Broker, controller::Controller, house::House, mqtt_relay::MqttRelay, pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

fn heater(broker: &Broker, profile: &str) -> Value {
    json!({
        "id": "heater", "name": "Water heater",
        "driver": {"kind": "mqtt", "profile": profile, "broker": format!("127.0.0.1:{}", broker.port), "topic": "heater"},
        "rated_w": 2000, "phases": ["l1"], "min_on_s": 1, "min_off_s": 2, "max_off_s": 600, "priority": 1,
    })
}

fn tuning() -> Value {
    json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 20})
}

#[test]
fn a_tasmota_goes_off_under_overload_and_on_again() {
    let dir = TempDir::new().unwrap();
    let Some(broker) = Broker::start(dir.path()).map(Arc::new) else {
        return;
    };
    let Some(relay) = MqttRelay::start(&broker, "heater", 1987) else {
        return;
    };
    // Somebody published its state long ago, and let the broker keep it.
    broker.publish("stat/heater/POWER", b"OFF", true);
    let meter = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&meter.source()));
    controller.configure_site(25.0, &tuning());
    let house = House::new(meter);
    house.background([10, 2, 2]);
    let load = heater(&broker, "tasmota_timer");
    drop(controller.api.post("slow-loads", &load).expect(201));
    controller.wait_status("the heater is seen on, with its power", SOON, |status| {
        let load = &status["loads"][0];
        let seen = load["connected"] == true && load["on"] == true;
        (seen && load["power_w"] == 1987.0).then_some(())
    });

    house.background([30, 2, 2]);
    let begun = Instant::now();
    wait::until("the heater is off", SOON, || (!relay.on()).then_some(()));
    println!(
        "benchmark: overload to the relay behind a broker open: {:?}",
        begun.elapsed()
    );
    house.background([2, 2, 2]);
    wait::until("the heater is on again", SOON, || relay.on().then_some(()));
    controller.wait_status("it is seen", SOON, |status| {
        (status["loads"][0]["on"] == true).then_some(())
    });
    // The way back goes before the order: without Headroom its timer opens it.
    let commands = relay.commands();
    let on = commands
        .iter()
        .rposition(|(_, payload)| payload == "ON")
        .unwrap();
    let (name, seconds) = &commands[on - 1];
    assert_eq!(name, "RuleTimer1", "{commands:?}");
    assert!(
        seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0),
        "{commands:?}"
    );

    // A device that says nothing is not there, whatever the broker keeps.
    relay.mute(true);
    controller.wait_status("the heater is lost", SOON, |status| {
        (status["loads"][0]["connected"] == false).then_some(())
    });
    relay.mute(false);
    controller.wait_status("the heater is back", SOON, |status| {
        (status["loads"][0]["connected"] == true).then_some(())
    });
}
