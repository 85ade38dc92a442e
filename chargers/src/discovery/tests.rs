//! A search that finds what a responder that others wrote announces on loopback.

use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};

use super::*;

/// Time for announcements on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn found(host: &str) -> Found {
    Found {
        kind: FoundKind::Relay,
        name: "relay".to_owned(),
        host: host.to_owned(),
        host_name: None,
        driver: None,
        source: None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_found_is_bounded_and_forgotten() {
    let now = Instant::now();
    let mut state = State::default();
    for number in 0..1000 {
        state.note(found(&format!("192.0.2.{number}")), now);
    }
    assert_eq!(state.found.len(), FOUND_MAX);
    state.note(found("192.0.2.0"), now + FORGET_AFTER);
    assert_eq!(state.found.len(), FOUND_MAX, "the same one again");
    state.forget(now + FORGET_AFTER + Duration::from_secs(1));
    assert_eq!(state.found.len(), 1);
}

#[tokio::test]
async fn a_shelly_that_announces_itself_on_loopback_is_found() {
    let responder = ServiceDaemon::new().unwrap();
    responder.enable_interface(IfKind::LoopbackV4).unwrap();
    let properties = [("gen", "2"), ("app", "Plus1")];
    let service = ServiceInfo::new(
        "_shelly._tcp.local.",
        "shellyplus1-a8032abe54dc",
        "shellyplus1-a8032abe54dc.local.",
        "127.0.0.1",
        8123,
        &properties[..],
    );
    responder.register(service.unwrap()).unwrap();
    let discovery = Discovery {
        loopback: true,
        ..Discovery::default()
    };
    let (at_once, searching) = discovery.look();
    assert_eq!(
        (at_once, searching),
        (Vec::new(), true),
        "nothing is waited for"
    );
    let begun = Instant::now();
    let relay = loop {
        let (found, searching) = discovery.look();
        assert!(searching);
        let ours = |found: &Found| found.name == "shellyplus1-a8032abe54dc";
        if let Some(relay) = found.into_iter().find(ours) {
            break relay;
        }
        assert!(begun.elapsed() < SOON, "nothing was found on loopback");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(relay.kind, FoundKind::Relay);
    assert_eq!(relay.host, "127.0.0.1:8123");
    let driver = serde_json::to_value(&relay.driver).unwrap();
    assert_eq!(driver["kind"], "shelly_gen2");
    drop(responder.shutdown());
}
