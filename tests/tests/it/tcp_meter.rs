//! Meters' ports on the network, by Debian's ser2net and socat, read by the real binary.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use headroom_tests::{
    controller::free_port,
    listener::{Listener, currents},
    network_serial::{ser2net, socat},
    process::Process,
    pty::MeterPort,
    telegram::{Values, kamstrup, p1},
    wait,
};
use serde_json::Value;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

/// Sends telegrams, five in a second, until a new line of their family comes: what was sent to nobody may come first.
fn heard(
    listener: &Listener,
    port: &MeterPort,
    protocol: &str,
    telegram: impl Fn(u32) -> Vec<u8>,
) -> Value {
    let mark = listener.mark();
    let mut second = 0;
    let mut next = Instant::now();
    wait::until("a telegram", SOON, || {
        if Instant::now() >= next {
            next += Duration::from_millis(200);
            port.send(&telegram(second));
            second += 1;
        }
        listener.find(mark, |line| line["protocol"] == protocol)
    })
}

type Start = fn(&Path, &Path, u16) -> Option<Process>;

fn check(name: &str, start: Start) {
    let dir = TempDir::new().unwrap();
    let meter = MeterPort::new(&dir.path().join("meter"));
    let port = free_port();
    let Some(mut bridge) = start(dir.path(), &dir.path().join("meter"), port) else {
        return;
    };
    let listener = Listener::start(&format!("tcp://127.0.0.1:{port}"));
    let values = Values::default();
    let line = heard(&listener, &meter, "p1", |second| {
        p1::telegram(&values, second % 60)
    });
    assert_eq!(currents(&line), [Some(4.3), Some(5.1), Some(3.9)], "{name}");
    // The bridge is restarted.
    let said = listener.said();
    bridge.kill();
    listener.says(said, "Trying again");
    let bridge = start(dir.path(), &dir.path().join("meter"), port).unwrap();
    let line = heard(&listener, &meter, "hdlc", |_| kamstrup::list_a(&values));
    assert_eq!(currents(&line), [Some(4.3), Some(5.1), Some(3.9)], "{name}");
    drop(bridge);
}

#[test]
fn a_port_behind_ser2net() {
    check("ser2net", ser2net);
}

#[test]
fn a_port_behind_socat() {
    check("socat", |_, serial, port| socat(serial, port));
}
