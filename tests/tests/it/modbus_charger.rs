//! A charger with Modbus registers, served by pymodbus, throttled by the real binary: the current that its car draws
//! is in the meter's next telegram.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::{Controller, free_port},
    house::House,
    peer::Peer,
    pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);
/// What the installer set in the charger: short, so that a test sees it run out.
const VALIDITY_S: u64 = 6;

fn tuning() -> Value {
    json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 20})
}

fn draws(peer: &Peer, controller: &Controller, bounds: std::ops::RangeInclusive<f64>) {
    let mut last = Value::Null;
    let found = wait::at_most(SOON, || {
        last = peer.now().unwrap_or_default();
        let current = last["current_a"][0].as_f64()?;
        bounds.contains(&current).then_some(())
    });
    if found.is_none() {
        panic!(
            "it does not draw {bounds:?} A: {last}\n{:#}",
            controller.status()
        );
    }
}

#[test]
fn an_alfen_is_lowered_kept_alive_and_falls_to_its_safe_current_by_itself() {
    let dir = TempDir::new().unwrap();
    let port = free_port();
    let validity = VALIDITY_S.to_string();
    let Some(peer) = Peer::modbus(port, &["--validity", &validity, "--safe", "6"]) else {
        return;
    };
    let meter = MeterPort::new(&dir.path().join("meter"));
    let mut controller = Controller::start(&dir.path().join("data"), Some(&meter.source()));
    controller.configure_site(25.0, &tuning());
    let house = House::new(meter);
    house.add(peer.draw(), &[0, 1, 2]);
    let charger = json!({
        "id": "ev1", "driver": {"kind": "modbus", "profile": "alfen", "address": format!("127.0.0.1:{port}"), "unit": 1},
        "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"], "safe_current_a": 6, "lease_s": 60,
    });
    let made = controller.api.post("chargers", &charger).expect(201);
    assert_eq!(made.json["driver"]["profile"], "alfen");
    draws(&peer, &controller, 15.5..=16.0);
    controller.wait_status("the car's report at its full current", SOON, |status| {
        let load = &status["loads"][0];
        let seen = load["measured_a"][1].as_f64()? >= 15.5 && load["status"] == "charging";
        (seen && load["acknowledged_a"] == 16.0).then_some(())
    });

    // A cooker on L2: 14 A and 16 A are more than 25 A.
    let mark = peer.mark();
    house.background([1, 14, 1]);
    let begun = Instant::now();
    peer.wait_current(mark, Duration::from_secs(10), 0.0..=11.0);
    println!(
        "benchmark: overload to an Alfen's car at its new current: {:?}",
        begun.elapsed()
    );
    house.wait_relieved(1, 25_300);
    house.background([1, 1, 1]);
    draws(&peer, &controller, 15.5..=16.0);

    // For longer than its validity nothing changes, and the limit is kept alive all the same.
    let quiet = peer.mark();
    let writes = |peer: &Peer| peer.now().unwrap()["writes"].as_u64().unwrap();
    let before = writes(&peer);
    let later = Instant::now() + Duration::from_secs(2 * VALIDITY_S);
    let fell = wait::at_most(later - Instant::now(), || {
        let states = peer.states();
        let fell = |state: &&Value| state["valid"] == false;
        states.iter().skip(quiet).find(fell).cloned()
    });
    assert_eq!(fell, None, "the validity ran out; {before} writes before");

    // Nobody renews it any more: it falls to its own safe current.
    let mark = peer.mark();
    let killed = Instant::now();
    controller.process.kill();
    peer.wait_current(mark, SOON, 5.9..=6.1);
    let fell_after = killed.elapsed();
    println!("benchmark: kill -9 to an Alfen's car at its safe current: {fell_after:?}");
    assert!(
        // Less than two validities.
        fell_after <= Duration::from_secs(2 * VALIDITY_S - 1),
        "{fell_after:?}"
    );
}

#[test]
fn a_profile_that_is_none_is_answered_with_those_there_are() {
    let dir = TempDir::new().unwrap();
    let controller = Controller::start(dir.path(), None);
    let driver =
        |profile: &str| json!({"kind": "modbus", "profile": profile, "address": "127.0.0.1"});
    for (path, body, known) in [
        (
            "chargers",
            json!({"id": "ev1", "driver": driver("alfa")}),
            "alfen, keba, phoenix_charx_N",
        ),
        (
            "chargers",
            json!({"id": "ev1", "driver": driver("relay_coil_0")}),
            "is not for a charger",
        ),
        (
            "slow-loads",
            json!({"id": "heater", "rated_w": 2000, "driver":
                {"kind": "mqtt", "profile": "sonoff", "broker": "127.0.0.1", "topic": "heater"}}),
            "tasmota, tasmota_N",
        ),
    ] {
        let error = controller.api.post(path, &body).expect(422).json["errors"][0].clone();
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!("driver.profile"), &json!("unknown"))
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(known), "{message}");
    }
}

#[test]
fn what_is_found_in_the_network_is_asked_for_and_answered_at_once() {
    let dir = TempDir::new().unwrap();
    let controller = Controller::start(dir.path(), None);
    let begun = Instant::now();
    let found = controller.api.get("discovery").expect(200).json;
    println!("benchmark: GET /discovery: {:?}", begun.elapsed());
    assert_eq!(found["searching"], true, "{found}");
    assert!(
        found["items"].is_array() && found["next"].is_null(),
        "{found}"
    );
}
