//! A charge point with two connectors, made with a library that others wrote: one connection serves two chargers.

use std::time::Duration;

use headroom_tests::{
    controller::{Controller, charge_point_id, password},
    house::House,
    peer::Peer,
    program,
    pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);
/// Short, so that a test sees it run out.
const LEASE_S: u32 = 10;
const SAFE_A: f64 = 6.0;
/// Of the first and of the second connector.
const CHARGERS: [&str; 2] = ["left", "right"];
const TUNING: &str =
    r#"{"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12}"#;

/// The current that a connector's car draws on its first phase, in amperes.
fn draws(peer: &Peer, connector: u64) -> f64 {
    let state = peer.now_at(connector).unwrap_or_default();
    state["current_a"][0].as_f64().unwrap_or(-1.0)
}

fn within(controller: &Controller, what: &str, found: impl FnMut() -> Option<()>) {
    if wait::at_most(SOON, found).is_none() {
        let log = controller.process.stderr.all();
        let log = log[log.len().saturating_sub(20)..].join("\n");
        panic!(
            "{what}: not within {SOON:?}\n{:#}\n{log}",
            controller.status()
        );
    }
}

fn two_cars_at_one_charge_point(versions: &[&str]) {
    if program::python().is_none() {
        return;
    }
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let mut controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    controller.configure_site(50.0, &serde_json::from_str(TUNING).unwrap());
    let house = House::new(port);
    for (id, priority, connector) in [(CHARGERS[0], 5, 1), (CHARGERS[1], 1, 2)] {
        let driver = json!({"kind": "ocpp", "charge_point_id": charge_point_id("two"), "connector": connector,
            "auth": "basic", "password": password("two")});
        let charger = json!({"driver": driver, "priority": priority, "lease_s": LEASE_S,
            "safe_current_a": SAFE_A});
        controller.add_charger(id, &charger);
    }
    let peer = Peer::with_two_connectors(&controller.ocpp_url(), "two", versions).unwrap();
    for connector in [1, 2] {
        house.add(peer.draw_at(connector), &[0, 1, 2]);
    }
    within(&controller, "both at 16 A", || {
        (draws(&peer, 1) > 15.5 && draws(&peer, 2) > 15.5).then_some(())
    });

    // 50 - 24 leave 26 A for both.
    house.background([24; 3]);
    within(&controller, "the second one lowered", || {
        let (first, second) = (draws(&peer, 1), draws(&peer, 2));
        (first > 15.5 && (6.0..=10.0).contains(&second)).then_some(())
    });
    // Each says what it draws itself.
    within(&controller, "each with its own current", || {
        let of = |id: &str| {
            let load = controller.load(id);
            load["measured_a"][0].as_f64().unwrap_or_default()
        };
        let same = |id, connector| (of(id) - draws(&peer, connector)).abs() < 0.5;
        (same(CHARGERS[0], 1) && same(CHARGERS[1], 2)).then_some(())
    });
    let set = peer.events("profile");
    let of_whole: Vec<&Value> = set.iter().filter(|set| set["connector"] == 0).collect();
    assert!(of_whole.is_empty(), "{of_whole:?}");
    assert_eq!(peer.events("boot").len(), 1);

    // Both fall by themselves.
    controller.process.kill();
    within(&controller, "both at their safe current", || {
        let safe = |connector| (draws(&peer, connector) - SAFE_A).abs() < 0.01;
        (safe(1) && safe(2)).then_some(())
    });
}

#[test]
fn an_overload_lowers_the_connector_of_lower_priority_by_1_6() {
    two_cars_at_one_charge_point(&[]);
}

#[test]
fn an_overload_lowers_the_connector_of_lower_priority_by_2_0_1() {
    two_cars_at_one_charge_point(&["--ocpp201"]);
}
