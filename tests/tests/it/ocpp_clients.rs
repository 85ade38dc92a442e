//! Charge points made with libraries of others than the rest of the tests, in the closed loop: what they draw is in the
//! meter's next telegram.

use std::time::Duration;

use headroom_tests::{controller::Controller, house::House, peer::Peer, pty::MeterPort, wait};
use serde_json::json;
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);
/// Short, so that a test sees it run out.
const LEASE_S: u32 = 10;

/// Raised, lowered by an overload, given back, and safe when the controller is killed.
fn closed_loop(start: impl Fn(&str) -> Option<Peer>) -> Option<Peer> {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let mut controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    let tuning = json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12});
    controller.configure_site(25.0, &tuning);
    controller.add_charger("ev1", &json!({"lease_s": LEASE_S, "safe_current_a": 6}));
    let house = House::new(port);
    let peer = start(&controller.ocpp_url())?;
    house.add(peer.draw(), &[0, 1, 2]);
    let draws = |what: &str, bounds: std::ops::RangeInclusive<f64>| {
        let found = wait::at_most(SOON, || {
            let state = peer.now().unwrap_or_default();
            let current = state["current_a"][0].as_f64()?;
            bounds.contains(&current).then_some(())
        });
        if found.is_none() {
            let log = controller.process.stderr.all();
            let log = log[log.len().saturating_sub(20)..].join("\n");
            panic!("{what}: not at {bounds:?} A: {:?}\n{log}", peer.now());
        }
    };
    draws("raised", 15.5..=16.0);
    house.background([16; 3]);
    draws("lowered", 6.0..=9.0);
    house.background([1; 3]);
    draws("given back", 15.5..=16.0);
    let seen = wait::at_most(SOON, || {
        let measured = controller.load("ev1")["measured_a"][0].as_f64()?;
        (measured > 15.0).then_some(())
    });
    assert!(seen.is_some(), "its values: {:#}", controller.load("ev1"));
    controller.process.kill();
    let found = wait::at_most(SOON, || {
        let state = peer.now().unwrap_or_default();
        ((state["current_a"][0].as_f64()? - 6.0).abs() < 0.01).then_some(())
    });
    assert!(found.is_some(), "not safe by itself: {:?}", peer.now());
    Some(peer)
}

#[test]
fn no_message_breaks_a_schema_in_the_eyes_of_ocpp_rpc() {
    let Some(peer) = closed_loop(|url| Peer::strict(url, "ev1")) else {
        return;
    };
    let violations = peer.events("violation");
    assert!(violations.is_empty(), "{violations:#?}");
    let judged = peer.events("messages");
    let judged = judged.last().and_then(|told| told["judged"].as_u64());
    println!("ocpp-rpc judged {judged:?} messages, 0 violations");
    assert!(judged.is_some_and(|judged| judged >= 50), "{judged:?}");
}

#[test]
fn every_message_is_one_in_the_eyes_of_ocpp_client() {
    let Some(peer) = closed_loop(|url| Peer::in_rust(url, "ev1")) else {
        return;
    };
    let violations = peer.events("violation");
    assert!(violations.is_empty(), "{violations:#?}");
    let profiles = peer.events("profile");
    assert!(profiles.len() >= 4, "{profiles:?}");
    assert!(
        profiles.iter().all(|profile| profile["taken"] == true),
        "{profiles:?}"
    );
}
