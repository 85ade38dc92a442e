//! Home Assistant as the judge of the profile that drives it: its real core, headless, with a number and a switch as the
//! charger. An optional step: it is skipped where Home Assistant is not installed.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::{Controller, free_port},
    house::House,
    peer::Peer,
    pty::MeterPort,
};
use serde_json::json;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_charger_of_home_assistant_is_lowered_paused_and_given_back() {
    let dir = TempDir::new().unwrap();
    let port = free_port();
    let Some((peer, token)) = Peer::home_assistant(port, &dir.path().join("home-assistant")) else {
        return;
    };
    let meter = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&meter.source()));
    let tuning = json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 60});
    controller.configure_site(25.0, &tuning);
    let house = House::new(meter);
    house.background([2, 1, 3]);
    house.add(peer.draw(), &[0, 1, 2]);
    let charger = json!({
        "id": "ev1", "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"], "safe_current_a": 0, "lease": "none",
        "driver": {"kind": "http", "profile": "home-assistant-charger", "host": format!("127.0.0.1:{port}"), "password": token,
            "params": {"limit_entity": "input_number.limit", "switch_entity": "input_boolean.charge",
                "number_domain": "input_number", "switch_domain": "input_boolean",
                "current_l1": "input_number.l1", "current_l2": "input_number.l2", "current_l3": "input_number.l3"}},
    });
    let mark = peer.mark();
    let made = controller.api.post("chargers", &charger).expect(201).json;
    assert!(!made.to_string().contains(&token));
    peer.wait_current(mark, SOON, 16.0..=16.0);
    controller.wait_status("its own word of it", SOON, |status| {
        let load = &status["loads"][0];
        (load["measured_a"][2] == 16.0 && load["acknowledged_a"] == 16.0).then_some(())
    });

    // A cooker on L2: 14 A and 16 A are more than 25 A.
    let mark = peer.mark();
    house.background([1, 14, 1]);
    let begun = Instant::now();
    peer.wait_current(mark, SOON, 6.0..=11.0);
    println!(
        "benchmark: overload to a charger of Home Assistant at its new current: {:?}",
        begun.elapsed()
    );
    house.wait_relieved(1, 25_300);

    // Less than 6 A is left: it is switched off.
    let mark = peer.mark();
    house.background([1, 22, 1]);
    let begun = Instant::now();
    peer.wait("off", mark, SOON, |line| {
        (line["on"] == false && line["current_a"][0] == 0.0).then_some(())
    });
    println!(
        "benchmark: overload to a switched off charger of Home Assistant: {:?}",
        begun.elapsed()
    );
    let mark = peer.mark();
    house.background([1, 1, 1]);
    peer.wait_current(mark, SOON, 16.0..=16.0);

    // Its answer to a call that does nothing is 200 all the same: what counts is what is read back.
    let can =
        controller.api.get("diagnostics").expect(200).json["chargers"][0]["capabilities"].clone();
    assert_eq!(
        (&can["limits"], &can["lease"]),
        (&json!("proven"), &json!("not_there")),
        "{can}"
    );
}
