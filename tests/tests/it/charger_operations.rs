//! What people ask of a charge point besides limits: from the API over the wire to a client of others, and its answer back.

use std::time::Duration;

use headroom_tests::{controller::Controller, house::House, peer::Peer, pty::MeterPort};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn people_take_a_charger_out_of_use_restart_it_and_begin_and_end_a_session() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    controller.configure_site(25.0, &json!({"hold_s": 3}));
    let _house = House::new(port);
    for id in ["old", "new"] {
        controller.add_charger(id, &json!({}));
    }
    let Some(old) = Peer::start(&controller.ocpp_url(), "old", &[]) else {
        return;
    };
    let new = Peer::speaking_201(&controller.ocpp_url(), "new", &[]).unwrap();
    for (id, peer) in [("old", &old), ("new", &new)] {
        let transaction = peer.wait("a transaction", 0, SOON, |line| {
            let transaction = &line["transaction"];
            (!transaction.is_null()).then(|| transaction.clone())
        });
        // Its limit has come: what is asked before that waits for it.
        controller.wait_status("a limit", SOON, |status| {
            let loads = status["loads"].as_array()?;
            let load = loads.iter().find(|load| load["id"] == id)?;
            (load["status"] == "charging").then_some(())
        });
        let cases: [(&str, Value, &str, Value, &str); 5] = [
            (
                "availability",
                json!({"operative": false}),
                "availability",
                json!("Inoperative"),
                "accepted",
            ),
            (
                "availability",
                json!({"operative": true}),
                "availability",
                json!("Operative"),
                "accepted",
            ),
            (
                "start",
                json!({"id_tag": "CARD-7"}),
                "start",
                json!("CARD-7"),
                "rejected",
            ),
            ("stop", json!({}), "stop", transaction, "accepted"),
            (
                "reset",
                json!({"hard": true}),
                "reset",
                Value::Null,
                "accepted",
            ),
        ];
        for (call, body, what, value, outcome) in cases {
            let mark = peer.mark();
            let answer = controller
                .api
                .post(&format!("chargers/{id}/{call}"), &body)
                .expect(201);
            assert_eq!(
                answer.json["outcome"], outcome,
                "{id} {call}: {}",
                answer.text
            );
            let asked = peer.wait(call, mark, SOON, |line| {
                (line["event"] == "asked" && line["what"] == what).then(|| line["value"].clone())
            });
            // A hard reset has another name in each version.
            let expected = if value.is_null() {
                json!(if id == "old" { "Hard" } else { "Immediate" })
            } else {
                value
            };
            assert_eq!(asked, expected, "{id} {call}");
        }
        let bad = controller
            .api
            .post(&format!("chargers/{id}/start"), &json!({"id_tag": "a b"}));
        assert_eq!(bad.status, 422, "{}", bad.text);
    }
    assert_eq!(new.events("error"), Vec::<Value>::new());
}
