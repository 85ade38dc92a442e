//! Security profile 2 of OCPP: TLS with the house's own authority, and Basic authentication, on the same port as plain connections.

use std::{fs, time::Duration};

use headroom_tests::{controller::Controller, peer::Peer, pty::MeterPort};
use serde_json::json;
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);

/// It was let in, booted, and had its transaction accepted.
fn begins(peer: &Peer) {
    peer.wait("a transaction", 0, SOON, |line| {
        (line["connected"] == true && !line["transaction"].is_null()).then_some(())
    });
}

#[test]
fn charge_points_come_over_tls_with_their_password_and_plain_ones_beside_them() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    for id in ["old", "new", "newer", "guess", "plain"] {
        controller.add_charger(id, &json!({}));
    }
    let plain = controller.ocpp_url();
    let secure = plain.replace("ws://", "wss://");
    let Some(old) = Peer::start(&plain, "old", &[]) else {
        return;
    };
    begins(&old);

    // The page's authority is that of both ports.
    let on = json!({"mode": "self_signed"});
    drop(controller.api.put("tls", &on).expect(200));
    let authority = controller.api.get("/ca.crt").expect(200).text;
    let file = dir.path().join("ca.pem");
    fs::write(&file, authority).unwrap();
    let ca = file.to_str().unwrap();

    let new = Peer::start(&secure, "new", &["--ca", ca]).unwrap();
    let newer = Peer::speaking_201(&secure, "newer", &["--ca", ca]).unwrap();
    let guess = Peer::with_password(&secure, "guess", "a wrong one", &["--ca", ca]).unwrap();
    let plain = Peer::start(&plain, "plain", &[]).unwrap();
    for peer in [&new, &newer, &plain] {
        begins(peer);
    }
    let refused = guess.wait("it is refused", 0, SOON, |line| {
        (line["event"] == "refused").then(|| line["status"].clone())
    });
    assert_eq!(refused, 401);
    assert_eq!(
        old.now().unwrap()["connected"],
        true,
        "nobody is thrown out"
    );
}
