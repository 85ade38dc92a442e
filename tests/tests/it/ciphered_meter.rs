//! A meter that ciphers, at the running service: telegrams that somebody sends again are refused, before and after a
//! restart.

use std::time::{Duration, Instant};

use headroom_encode::{AUTH_KEY, KEY, TITLE, Values, cipher, p1};
use headroom_tests::{controller::Controller, pty::MeterPort, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);

/// A telegram with this frame counter.
fn telegram(counter: u32) -> Vec<u8> {
    let plain = p1::telegram(&Values::default(), counter % 3600);
    cipher(&plain, 0x30, TITLE, counter)
}

/// Sends telegrams, five in a second, until the status is as wanted; gives how many there were.
fn send_until(
    port: &MeterPort,
    controller: &Controller,
    counter: impl Fn(u32) -> u32,
    wanted: impl Fn(&Value) -> bool,
) -> u32 {
    let mut sent = 0;
    let mut next = Instant::now();
    let mut last = Value::Null;
    let reached = wait::at_most(SOON, || {
        if Instant::now() >= next {
            next += Duration::from_millis(200);
            port.send(&telegram(counter(sent)));
            sent += 1;
        }
        last = controller.status();
        wanted(&last).then_some(())
    });
    assert!(reached.is_some(), "{:#}", last["meter"]);
    sent
}

fn heard(status: &Value) -> bool {
    status["meter"]["meter_id"].is_string()
        && status["phases"][0]["measured_a"].is_number()
        && status["meter"]["state"] == "ok"
}

fn replayed(status: &Value) -> u64 {
    status["meter"]["rejected"]["replayed"]
        .as_u64()
        .unwrap_or_default()
}

#[test]
fn a_telegram_from_before_a_restart_is_refused() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let mut controller = Controller::start(&dir.path().join("data"), None);
    let meter = json!({"source": port.source(), "key": KEY, "auth_key": AUTH_KEY});
    drop(controller.api.put("meter", &meter).expect(200));
    let sent = send_until(&port, &controller, |sent| 1000 + sent, heard);
    assert_eq!(replayed(&controller.status()), 0);

    controller.process.terminate();
    wait::until("its end", SOON, || controller.process.ended());
    controller.restart();
    let last = 1000 + sent - 1;
    send_until(&port, &controller, |_| last, |status| replayed(status) >= 3);
    let status = controller.status();
    assert!(!heard(&status), "{:#}", status["meter"]);
    assert_eq!(status["meter"]["meter_id"], Value::Null);
    send_until(&port, &controller, |sent| last + 1 + sent, heard);

    // A power cut loses what was sent since the last writing, and no more: what was kept before still counts.
    controller.restart();
    send_until(&port, &controller, |_| last, |status| replayed(status) >= 3);
    assert!(!heard(&controller.status()));

    // The meter counts anew with a new key; its old telegrams cannot be opened any more.
    let same = json!({"source": port.source(), "key": null, "auth_key": null});
    drop(controller.api.put("meter", &same).expect(200));
    drop(controller.api.put("meter", &meter).expect(200));
    send_until(&port, &controller, |sent| 1 + sent, heard);
}
