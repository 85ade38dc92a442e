//! Server-sent events.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::Method;
use futures_util::StreamExt;
use serde_json::json;

use super::reading::decide;
use super::*;

/// A listener that takes one event after the other.
struct Listener {
    stream: BodyDataStream,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Heard {
    name: String,
    id: Option<String>,
    data: Value,
}

impl Listener {
    async fn new(rig: &Rig, last_event_id: Option<&str>) -> Self {
        let call = rig.call(Method::GET, "events").token(&rig.viewer);
        let call = last_event_id
            .into_iter()
            .fold(call, |call, id| call.header("last-event-id", id));
        let response = call.respond().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            stream: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event; `None` when the connection has ended.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(&prefix))
                        .map(str::to_owned)
                };
                let Some(name) = field("event") else { continue };
                let data = serde_json::from_str(&field("data").unwrap()).unwrap();
                return Some(Heard {
                    name,
                    id: field("id"),
                    data,
                });
            }
            let bytes = self.stream.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    async fn decision(&mut self) -> i64 {
        loop {
            let heard = self.next().await.unwrap();
            if heard.name == "decision" {
                let id = heard.data["id"].as_i64().unwrap();
                assert_eq!(heard.id, Some(id.to_string()));
                return id;
            }
        }
    }
}

#[tokio::test]
async fn the_status_comes_first_and_then_what_happens() {
    let rig = Rig::new().await;
    let mut listener = Listener::new(&rig, None).await;
    let first = listener.next().await.unwrap();
    assert_eq!(
        (first.name.as_str(), &first.data["state"]),
        ("status", &json!("operating.normal"))
    );
    assert_eq!(first.data, rig.read("status").await);

    rig.app
        .events
        .send(ServerEvent::Decision(decide(&rig, 1, "ev1", false)))
        .unwrap();
    let heard = listener.next().await.unwrap();
    assert_eq!(
        (heard.name.as_str(), heard.id.as_deref()),
        ("decision", Some("1"))
    );
    assert_eq!(heard.data["actions"][0]["outcome"], "pending");
    rig.app
        .events
        .send(ServerEvent::Decision(decide(&rig, 2, "ev1", true)))
        .unwrap();
    let reading = crate::ReadingEvent {
        time: Timestamp::UNIX_EPOCH,
        reading: headroom_core::event::Reading::default(),
    };
    rig.app
        .events
        .send(ServerEvent::Reading(Arc::new(reading)))
        .unwrap();
    let heard = listener.next().await.unwrap();
    assert_eq!(heard.name, "reading", "a renewal tells nothing new");
    assert_eq!(heard.data["time"], "1970-01-01T00:00:00.000Z");
    assert_eq!(heard.data["phases"], json!([]));
    let alarm = headroom_store::Alarm {
        id: 1,
        code: "meter_lost".into(),
        load: None,
        since: Timestamp::UNIX_EPOCH,
        until: None,
        text: "x".into(),
    };
    rig.app
        .events
        .send(ServerEvent::Alarm(Arc::new(alarm)))
        .unwrap();
    assert_eq!(listener.next().await.unwrap().name, "alarm");
}

#[tokio::test(start_paused = true)]
async fn the_status_comes_at_most_once_a_second_and_is_the_newest() {
    // Databases work on threads of their own, which paused time would overtake.
    tokio::time::resume();
    let rig = Rig::new().await;
    let mut listener = Listener::new(&rig, None).await;
    listener.next().await.unwrap();
    tokio::time::pause();
    let begin = tokio::time::Instant::now();
    for t in 1..=50 {
        rig.status.send_replace(Arc::new(status_at(t)));
    }
    let heard = listener.next().await.unwrap();
    assert_eq!(heard.data["time"], "1970-01-01T00:00:00.050Z");
    assert!(
        begin.elapsed() >= Duration::from_millis(900),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn a_listener_that_comes_back_gets_what_it_missed() {
    let rig = Rig::new().await;
    for command in 1..=250 {
        decide(&rig, command, "ev1", command == 5);
    }
    let mut listener = Listener::new(&rig, Some("3")).await;
    let mut ids = Vec::new();
    while ids.last() != Some(&250) {
        ids.push(listener.decision().await);
        if ids.len() == 120 {
            // Told live and in the journal: it must come once.
            rig.app
                .events
                .send(ServerEvent::Decision(decide(&rig, 251, "ev1", false)))
                .unwrap();
        }
    }
    let expected: Vec<i64> = (4..=250).filter(|id| *id != 5).collect();
    assert_eq!(ids, expected);
    assert_eq!(listener.decision().await, 251);
    rig.app
        .events
        .send(ServerEvent::Decision(decide(&rig, 252, "ev1", false)))
        .unwrap();
    assert_eq!(listener.decision().await, 252);
}

#[tokio::test]
async fn a_listener_that_does_not_keep_up_is_dropped_and_nobody_waits() {
    let rig = Rig::new().await;
    let mut listener = Listener::new(&rig, None).await;
    assert!(listener.next().await.is_some());
    for command in 1..=100 {
        rig.app
            .events
            .send(ServerEvent::Decision(decide(&rig, command, "ev1", false)))
            .unwrap();
    }
    let mut heard = 0;
    while listener.next().await.is_some() {
        heard += 1;
    }
    assert!(heard < 100, "{heard}");
}

#[tokio::test]
async fn listeners_are_bounded() {
    let rig = Rig::new().await;
    let mut listeners = Vec::new();
    for _ in 0..256 {
        listeners.push(Listener::new(&rig, None).await);
    }
    let one_more = rig
        .call(Method::GET, "events")
        .token(&rig.viewer)
        .send()
        .await;
    assert_eq!(one_more.problem(), (429, "throttled"));
    listeners.pop();
    Listener::new(&rig, None).await;
}
