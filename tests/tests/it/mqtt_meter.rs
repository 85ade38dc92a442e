//! Messages of meters' readers, through Debian's mosquitto, read by the real binary.

use std::fmt::Write;

use headroom_tests::{
    broker::{Broker, PASSWORD, USER},
    controller::free_port,
    listener::{Listener, currents},
    telegram::{Values, aidon, kamstrup, p1},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A list 2 of amsreader, with a current of the first phase.
fn list_2(current_a: f64) -> Vec<u8> {
    let message = json!({
        "id": "02:00:00:00:00:01", "name": "ams", "up": 4711, "t": 1_700_000_000, "vcc": 3.3, "rssi": -61, "temp": 21.5,
        "data": {
            "lv": "AIDON_V0001", "meterId": "7300000000000001", "type": "6525",
            "P": 2345, "Q": 0, "PO": 0, "QO": 310,
            "I1": current_a, "I2": 5.1, "I3": 3.9, "U1": 230.1, "U2": 231.0, "U3": 229.8,
        },
        "realtime": {"h": 1.25, "d": 10.5, "t": 0, "x": 4.5, "he": 0.0, "de": 0.0},
    });
    message.to_string().into_bytes()
}

fn source(broker: &Broker, more: &str) -> String {
    format!("mqtt://127.0.0.1:{}/{more}", broker.port)
}

/// A listener that has subscribed.
fn subscribed(broker: &Broker, source: &str) -> Listener {
    let mark = broker.mark();
    let listener = Listener::start(source);
    broker.wait_subscribed(mark);
    listener
}

fn first_current(amperes: f64) -> impl Fn(&Value) -> bool {
    move |line| currents(line).first() == Some(&Some(amperes))
}

#[test]
fn lists_of_an_amsreader_as_whole_messages_and_below_the_topic() {
    let dir = TempDir::new().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let listener = subscribed(&broker, &source(&broker, "home/ams"));
    broker.publish("home/ams", &list_2(4.3), false);
    let line = listener.next(0);
    assert_eq!(line["protocol"], "amsreader");
    assert_eq!(line["meter_id"], "7300000000000001");
    assert_eq!(currents(&line), [Some(4.3), Some(5.1), Some(3.9)]);
    assert_eq!(
        (&line["import_w"], &line["export_var"]),
        (&json!(2345.0), &json!(310.0))
    );
    // Prices and the state of the device hold nothing; other topics are not heard.
    broker.publish("home/ams", br#"{"id":"02:00","prices":{"0":0.52}}"#, false);
    broker.publish("home/ams/status", b"online", false);
    broker.publish("home/amsterdam", &list_2(9.9), false);
    broker.publish("home/ams/list1", br#"{"data":{"P":1234}}"#, false);
    let line = listener.next(1);
    assert_eq!(
        (&line["import_w"], &line["phases"]),
        (&json!(1234.0), &json!([]))
    );
    broker.publish("home/ams/list2", &list_2(6.5), false);
    assert_eq!(currents(&listener.next(2))[0], Some(6.5));
    assert!(
        !listener
            .all_said(0)
            .iter()
            .any(|line| line.contains("rejected"))
    );
}

#[test]
fn telegrams_as_bytes_as_hexadecimal_text_and_as_text() {
    let dir = TempDir::new().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let listener = subscribed(&broker, &source(&broker, "meter/raw"));
    let values = Values::default();
    let hex = |bytes: &[u8]| {
        let mut text = String::new();
        for byte in bytes {
            write!(text, "{byte:02X}").unwrap();
        }
        text.into_bytes()
    };
    let aidon = aidon::list_2(&values);
    for (count, (payload, protocol)) in [
        (aidon.clone(), "hdlc"),
        (hex(&aidon), "hdlc"),
        (p1::telegram(&values, 10), "p1"),
        (hex(&kamstrup::list_a(&values)), "hdlc"),
    ]
    .into_iter()
    .enumerate()
    {
        broker.publish("meter/raw", &payload, false);
        let line = listener.next(count);
        assert_eq!(line["protocol"], protocol, "{count}");
        assert_eq!(
            currents(&line),
            [Some(4.3), Some(5.1), Some(3.9)],
            "{count}"
        );
    }
    // Half a telegram is told, and does not spoil the next.
    broker.publish("meter/raw", &aidon[..aidon.len() / 2], false);
    listener.says(0, "rejected: hdlc");
    broker.publish("meter/raw", &aidon, false);
    assert_eq!(listener.next(4)["protocol"], "hdlc");
}

#[test]
fn what_the_broker_kept_is_no_news() {
    let dir = TempDir::new().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    broker.publish("ams/list2", &list_2(9.75), true);
    let listener = subscribed(&broker, &source(&broker, "ams"));
    broker.publish("ams/list2", &list_2(1.5), true);
    assert_eq!(
        currents(&listener.next(0))[0],
        Some(1.5),
        "the live one, and not the one before"
    );
    assert_eq!(listener.telegrams(), 1);
}

#[test]
fn a_broker_that_goes_and_comes_again_is_found_again() {
    let dir = TempDir::new().unwrap();
    let Some(mut broker) = Broker::start(dir.path()) else {
        return;
    };
    let listener = subscribed(&broker, &source(&broker, "ams"));
    broker.publish("ams", &list_2(4.3), false);
    listener.next(0);
    broker.kill();
    listener.says(0, "Trying again");
    listener.says(0, "Nothing listens on that port");
    broker.restart();
    broker.wait_subscribed(0);
    broker.publish("ams", &list_2(7.0), false);
    assert_eq!(
        listener.next_where(1, first_current(7.0))["protocol"],
        "amsreader"
    );
}

#[test]
fn a_login_is_used_and_never_shown() {
    let dir = TempDir::new().unwrap();
    let Some(broker) = Broker::with_login(dir.path()) else {
        return;
    };
    let port = broker.port;
    let escaped = PASSWORD
        .replace('/', "%2F")
        .replace('@', "%40")
        .replace(' ', "%20");
    let listener = subscribed(
        &broker,
        &format!("mqtt://{USER}:{escaped}@127.0.0.1:{port}/ams"),
    );
    broker.publish("ams", &list_2(4.3), false);
    assert_eq!(listener.next(0)["protocol"], "amsreader");
    let said = listener.all_said(0).join("\n");
    assert!(said.contains(":***@"), "{said}");
    assert!(!said.contains("same"), "{said}");
    for wrong in [format!("{USER}:sesame@"), format!("{USER}@"), String::new()] {
        let listener = Listener::start(&format!("mqtt://{wrong}127.0.0.1:{port}/ams"));
        let said = listener.says(0, "refused the login: check the user and the password");
        assert!(!said.contains("sesame"), "{said}");
    }
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let dead = free_port();
    let listener = Listener::start(&format!("mqtt://127.0.0.1:{dead}/ams"));
    listener.says(0, "Nothing listens on that port of that host");
    let dir = TempDir::new().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let listener = subscribed(&broker, &source(&broker, "ams"));
    // A camera's topic.
    let mark = broker.mark();
    broker.publish("ams", &vec![b'x'; 100_000], false);
    listener.says(0, "longer than 64 KiB");
    broker.wait_subscribed(mark);
    broker.publish("ams", b"{\"data\":{\"P\":", false);
    listener.says(0, "rejected: amsreader");
}
