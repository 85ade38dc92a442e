//! A circuit with a meter of its own: a garage behind 20 A, read through a second port.

use std::time::Duration;

use headroom_tests::{
    controller::Controller, house::House, peer::Peer, program, pty::MeterPort, wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_charger_stays_within_what_the_meter_of_its_circuit_leaves() {
    if program::python().is_none() {
        return;
    }
    let dir = TempDir::new().unwrap();
    let main_port = MeterPort::new(&dir.path().join("main"));
    let garage_port = MeterPort::new(&dir.path().join("garage"));
    let controller = Controller::start(&dir.path().join("data"), Some(&main_port.source()));
    let site = json!({
        "name": "Test house", "mode": "control", "grid": "tn_3ph",
        "main_fuse": {"rating_a": 35, "characteristic": "gg"},
        "circuits": [{"id": "garage", "parent": "main", "rating_a": 20, "meter": garage_port.source()}],
        "tuning": {"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12},
    });
    drop(controller.api.put("site", &site).expect(200));
    let (main, garage) = (House::new(main_port), House::new(garage_port));
    garage.background([8, 8, 8]);

    let charger = json!({"circuit": "garage", "lease_s": 10});
    controller.add_charger("ev1", &charger);
    let peer = Peer::start(&controller.ocpp_url(), "ev1", &["--phases", "3"]).unwrap();
    for house in [&main, &garage] {
        house.add(peer.draw(), &[0, 1, 2]);
    }
    let draws = |what: &str, bounds: std::ops::RangeInclusive<f64>| {
        let mut last = Value::Null;
        let found = wait::at_most(SOON, || {
            last = peer.now().unwrap_or_default();
            let current = last["current_a"][0].as_f64()?;
            bounds.contains(&current).then_some(())
        });
        if found.is_none() {
            panic!("{what}: {last}\n{:#}", controller.status());
        }
    };
    // Never heard, it would give nothing; the main fuse alone would give all.
    draws("what the garage leaves", 6.0..=12.0);
    controller.wait_status("why no more", SOON, |status| {
        let reason = &status["loads"][0]["reason"];
        (reason["circuit"] == "garage").then_some(())
    });
    garage.background([1, 1, 1]);
    draws("all of it", 15.5..=16.0);
    garage.silent(true);
    draws("nothing, for nothing is known", 0.0..=0.0);
    controller.wait_status("the alarm", SOON, |status| {
        let mut alarms = status["alarms"].as_array()?.iter();
        alarms.any(|it| it["code"] == "circuit_meter").then_some(())
    });
    garage.silent(false);
    draws("all of it again", 15.5..=16.0);
    controller.wait_status("that it is over", SOON, |status| {
        let mut alarms = status["alarms"].as_array()?.iter();
        alarms.all(|it| it["code"] != "circuit_meter").then_some(())
    });
}
