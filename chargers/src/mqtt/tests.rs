//! Devices behind a broker of the tests: what is published, and what is believed.

use std::time::Duration;

use bytes::BytesMut;
use headroom_core::{
    event::ChargerStatus,
    units::{Milliamps, WattHours, Watts},
};
use rumqttc::mqttbytes::{
    Error, QoS,
    v4::{ConnAck, ConnectReturnCode, Packet, PubAck, Publish, SubAck, SubscribeReasonCode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use super::{MqttDevice, profile};
use crate::polled::{CallError, Order, PolledDevice, Seen};

const SOON: Duration = Duration::from_secs(10);
const PACKET_MAX: usize = 64 * 1024;

/// A broker with one client.
struct Broker {
    address: String,
    /// What the client published.
    published: mpsc::UnboundedReceiver<(String, String)>,
    /// What the client is sent.
    send: mpsc::UnboundedSender<Publish>,
    /// What it subscribed to.
    topics: mpsc::UnboundedReceiver<Vec<String>>,
}

impl Broker {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (told, published) = mpsc::unbounded_channel();
        let (send, mut ready) = mpsc::unbounded_channel::<Publish>();
        let (subscribed, topics) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = BytesMut::new();
            loop {
                let packet = tokio::select! {
                    packet = next(&mut stream, &mut received) => packet,
                    Some(publish) = ready.recv() => {
                        write(&mut stream, &Packet::Publish(publish)).await;
                        continue;
                    }
                };
                let answer = match packet {
                    None => return,
                    Some(Packet::Connect(_)) => {
                        Packet::ConnAck(ConnAck::new(ConnectReturnCode::Success, false))
                    }
                    Some(Packet::Subscribe(subscribe)) => {
                        let filters = subscribe.filters.into_iter().map(|it| it.path);
                        let filters: Vec<_> = filters.collect();
                        let codes =
                            vec![SubscribeReasonCode::Success(QoS::AtMostOnce); filters.len()];
                        subscribed.send(filters).unwrap();
                        Packet::SubAck(SubAck::new(subscribe.pkid, codes))
                    }
                    Some(Packet::Publish(publish)) => {
                        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                        drop(told.send((text(&publish.topic), text(&publish.payload))));
                        Packet::PubAck(PubAck::new(publish.pkid))
                    }
                    Some(_) => Packet::PingResp,
                };
                write(&mut stream, &answer).await;
            }
        });
        Self {
            address,
            published,
            send,
            topics,
        }
    }

    fn say(&self, topic: &str, payload: &str) {
        drop(
            self.send
                .send(Publish::new(topic, QoS::AtMostOnce, payload)),
        );
    }

    fn keeps(&self, topic: &str, payload: &str) {
        let mut publish = Publish::new(topic, QoS::AtMostOnce, payload);
        publish.retain = true;
        drop(self.send.send(publish));
    }

    async fn hears(&mut self) -> (String, String) {
        let heard = timeout(SOON, self.published.recv()).await;
        heard.expect("in time").expect("a client")
    }

    async fn hears_that(&mut self, topic: &str, payload: &str) {
        assert_eq!(self.hears().await, (topic.to_owned(), payload.to_owned()));
    }
}

async fn write(stream: &mut TcpStream, packet: &Packet) {
    let mut bytes = BytesMut::new();
    packet.write(&mut bytes, PACKET_MAX).unwrap();
    // The client may be gone.
    drop(stream.write_all(&bytes).await);
}

async fn next(stream: &mut TcpStream, received: &mut BytesMut) -> Option<Packet> {
    loop {
        match Packet::read(received, PACKET_MAX) {
            Ok(packet) => return Some(packet),
            Err(Error::InsufficientBytes(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        if stream.read_buf(received).await.unwrap_or_default() == 0 {
            return None;
        }
    }
}

fn device(name: &str, broker: &Broker, topic: &str, terminals: Option<usize>) -> MqttDevice {
    let profile = profile(name).unwrap();
    MqttDevice::new("load", profile, &broker.address, topic, terminals)
}

fn switch(on: bool) -> Order {
    Order::Switch { on, lease_s: 120 }
}

fn relay(seen: &Seen) -> (Option<bool>, Option<Watts>) {
    match *seen {
        Seen::SlowLoad { on, power_w } => (on, power_w),
        Seen::Charger { .. } => panic!("a relay"),
    }
}

/// Reads while the broker's side answers the questions.
async fn read_with(
    device: &mut MqttDevice,
    broker: &mut Broker,
    answer: impl Fn(&Broker, &str, &str),
) -> Result<Seen, CallError> {
    let answering = async {
        loop {
            let (topic, payload) = broker.hears().await;
            answer(broker, &topic, &payload);
        }
    };
    tokio::select! {
        seen = device.read() => seen,
        () = answering => unreachable!(),
    }
}

#[tokio::test]
async fn a_tasmota_is_switched_and_tells_its_state() {
    let mut broker = Broker::start().await;
    let mut device = device("tasmota", &broker, "heater", None);
    device.tell(&switch(true)).await.unwrap();
    broker.hears_that("cmnd/heater/POWER", "ON").await;
    let seen = read_with(&mut device, &mut broker, |broker, topic, payload| match topic {
        "cmnd/heater/STATUS" => {
            assert_eq!(payload, "8");
            broker.say(
                "stat/heater/STATUS8",
                r#"{"StatusSNS":{"Time":"2026-01-15T12:00:00","ENERGY":{"Power":1987,"Voltage":230}}}"#,
            );
        }
        "cmnd/heater/POWER" => broker.say("stat/heater/POWER", "ON"),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(relay(&seen.unwrap()), (Some(true), Some(Watts(1987))));
    device.tell(&switch(false)).await.unwrap();
    broker.hears_that("cmnd/heater/POWER", "OFF").await;
    // It tells by itself, too.
    broker.say("tele/heater/STATE", r#"{"Uptime":"0T01","POWER":"OFF"}"#);
    let seen = read_with(&mut device, &mut broker, |_, _, _| {}).await;
    assert_eq!(relay(&seen.unwrap()), (Some(false), Some(Watts(1987))));
    // Its will.
    broker.say("tele/heater/LWT", "Offline");
    let error = read_with(&mut device, &mut broker, |_, _, _| {})
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
}

#[tokio::test]
async fn what_the_broker_kept_is_no_news() {
    let mut broker = Broker::start().await;
    let mut device = device("zigbee2mqtt", &broker, "zigbee2mqtt/heater", None);
    broker.topics.recv().await.unwrap();
    broker.keeps("zigbee2mqtt/heater", r#"{"state":"ON","power":2000}"#);
    let error = read_with(&mut device, &mut broker, |_, _, _| {})
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
    let seen = read_with(&mut device, &mut broker, |broker, topic, payload| {
        assert_eq!(
            (topic, payload),
            ("zigbee2mqtt/heater/get", r#"{"state":""}"#)
        );
        broker.say("zigbee2mqtt/heater", r#"{"state":"OFF","power":0}"#);
    })
    .await;
    assert_eq!(relay(&seen.unwrap()), (Some(false), Some(Watts(0))));
}

#[tokio::test]
async fn devices_that_open_by_themselves_are_told_when() {
    for (name, topic, expected) in [
        (
            "zigbee2mqtt_timed",
            "z/plug",
            vec![("z/plug/set", r#"{"state":"ON","on_time":120}"#)],
        ),
        (
            "tasmota_timer",
            "plug",
            vec![("cmnd/plug/RuleTimer1", "120"), ("cmnd/plug/POWER", "ON")],
        ),
        (
            "shelly_gen1_1",
            "shellies/x",
            vec![("shellies/x/relay/1/command", "on")],
        ),
    ] {
        let mut broker = Broker::start().await;
        device(name, &broker, topic, None)
            .tell(&switch(true))
            .await
            .unwrap();
        for (topic, payload) in expected {
            broker.hears_that(topic, payload).await;
        }
    }
}

#[tokio::test]
async fn a_shelly_of_the_second_generation_answers_where_it_is_asked_to() {
    let mut broker = Broker::start().await;
    let mut device = device("shelly_gen2_1", &broker, "plus2pm", None);
    device.tell(&switch(true)).await.unwrap();
    let (topic, payload) = broker.hears().await;
    assert_eq!(topic, "plus2pm/rpc");
    let call: serde_json::Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(call["method"], "Switch.Set");
    let expected = serde_json::json!({"id": 1, "on": true, "toggle_after": 120});
    assert_eq!(call["params"], expected);
    let back = format!("{}/rpc", call["src"].as_str().unwrap());
    let topics = broker.topics.recv().await.unwrap();
    assert!(topics.contains(&back), "{topics:?}");
    let seen = read_with(&mut device, &mut broker, |broker, _, payload| {
        assert!(payload.contains("Switch.GetStatus"), "{payload}");
        broker.say(
            &back,
            r#"{"id":1,"src":"plus2pm","result":{"id":1,"output":true,"apower":1500.2}}"#,
        );
    })
    .await;
    assert_eq!(relay(&seen.unwrap()), (Some(true), Some(Watts(1500))));
}

#[tokio::test]
async fn a_go_e_is_limited_in_whole_amperes_and_paused() {
    let mut broker = Broker::start().await;
    let topic = "go-eCharger/012345";
    let mut device = device("go_e", &broker, "/go-eCharger/012345/", Some(3));
    let limit = |ma| Order::Limit {
        limit: Milliamps(ma),
        phases: 3,
        lease_s: 60,
        safe: Milliamps(0),
    };
    device.tell(&limit(10_900)).await.unwrap();
    broker.hears_that(&format!("{topic}/amp/set"), "10").await;
    broker.hears_that(&format!("{topic}/frc/set"), "0").await;
    for (key, value) in [
        (
            "nrg",
            "[230,231,230,0,9.9,9.8,0,2277,2263,0,0,4540,99,99,0,0]",
        ),
        ("amp", "10"),
        ("car", "2"),
        ("frc", "0"),
        ("eto", "1234500"),
    ] {
        broker.say(&format!("{topic}/{key}"), value);
    }
    // The last one has come when the energy has.
    let mut heard = device.client.heard();
    let whole = |seen: Option<Seen>| {
        matches!(
            seen,
            Some(Seen::Charger {
                energy: Some(_),
                ..
            })
        )
    };
    let now = tokio::time::Instant::now();
    let all = heard.wait_for(|heard| whole(heard.book.seen(Some(3), SOON, now)));
    drop(timeout(SOON, all).await.unwrap());
    let seen = device.read().await.unwrap();
    let current_a = [9_900, 9_800, 0].map(|ma| Some(Milliamps(ma))).to_vec();
    let expected = Seen::Charger {
        status: ChargerStatus::Charging,
        current_a: Some(current_a),
        limit: Some(Milliamps(10_000)),
        energy: Some(WattHours(1_234_500)),
    };
    assert_eq!(seen, expected);
    device.tell(&limit(5_999)).await.unwrap();
    broker.hears_that(&format!("{topic}/frc/set"), "1").await;
    let error = device.tell(&switch(true)).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error}");
}

#[tokio::test]
async fn without_a_broker_it_says_so() {
    let profile = profile("tasmota").unwrap();
    let mut device = MqttDevice::new("load", profile, "127.0.0.1:1", "heater", None);
    let error = device.tell(&switch(false)).await.unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("no connection to the broker"), "{why}");
}

#[tokio::test]
async fn an_order_for_a_device_that_is_gone_is_not_taken_though_the_broker_takes_it() {
    let mut broker = Broker::start().await;
    let mut device = device("zigbee2mqtt", &broker, "z/heater", None);
    let seen = read_with(&mut device, &mut broker, |broker, _, _| {
        broker.say("z/heater", r#"{"state":"ON"}"#);
    })
    .await;
    assert_eq!(relay(&seen.unwrap()), (Some(true), None));
    broker.say("z/heater/availability", r#"{"state":"offline"}"#);
    let mut heard = device.client.heard();
    let gone = heard.wait_for(|heard| heard.book.told().is_none());
    drop(timeout(SOON, gone).await.unwrap());
    let error = device.tell(&switch(false)).await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
    broker
        .hears_that("z/heater/set", r#"{"state":"OFF"}"#)
        .await;
}

#[tokio::test]
async fn an_order_that_was_overtaken_is_not_published_behind_its_back() {
    let mut broker = Broker::start().await;
    let mut device = device("tasmota", &broker, "heater", None);
    device.tell(&switch(false)).await.unwrap();
    broker.hears_that("cmnd/heater/POWER", "OFF").await;
    let raise = switch(true);
    tokio::select! {
        biased;
        _ = device.tell(&raise) => panic!("the broker cannot have it yet"),
        () = std::future::ready(()) => {}
    }
    device.tell(&switch(false)).await.unwrap();
    broker.hears_that("cmnd/heater/POWER", "OFF").await;
}

#[tokio::test]
async fn an_openevse_is_paused_in_both_of_its_states() {
    for state in ["254", "255"] {
        let broker = Broker::start().await;
        let mut device = device("openevse", &broker, "openevse", Some(3));
        let mut heard = device.client.heard();
        drop(
            heard
                .wait_for(|heard| heard.broken.is_none())
                .await
                .unwrap(),
        );
        broker.say("openevse/pilot", "16");
        broker.say("openevse/state", state);
        let now = tokio::time::Instant::now();
        let paused = |seen: Option<Seen>| {
            matches!(
                seen,
                Some(Seen::Charger {
                    status: ChargerStatus::SuspendedEvse,
                    ..
                })
            )
        };
        let told = heard.wait_for(|heard| paused(heard.book.seen(Some(3), SOON, now)));
        drop(timeout(SOON, told).await.unwrap());
        let Seen::Charger { limit, .. } = device.read().await.unwrap() else {
            panic!("a charger");
        };
        assert_eq!(limit, Some(Milliamps(0)), "{state}");
    }
}
