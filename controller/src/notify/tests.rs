//! Against a receiver of HTTP on loopback. The mail server of others is in the end-to-end tests.

use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use headroom_core::config::Secret;
use headroom_store::{HttpChannel, Notifications};
use headroom_web::notify::Notifier as _;
use serde_json::Value;
use tokio::net::TcpListener;

use super::*;

type Got = (HeaderMap, String);

/// Keeps what it is sent, and answers as it is told.
#[derive(Clone)]
struct Receiver {
    got: mpsc::UnboundedSender<Got>,
    answer: Arc<Mutex<StatusCode>>,
}

impl Receiver {
    async fn start() -> (Self, String, mpsc::UnboundedReceiver<Got>) {
        let (got, heard) = mpsc::unbounded_channel();
        let receiver = Self {
            got,
            answer: Arc::new(Mutex::new(StatusCode::OK)),
        };
        let router = Router::new()
            .route("/house", post(take))
            .with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/house", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url, heard)
    }

    fn answers(&self, status: u16) {
        *self.answer.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    receiver.got.send((headers, body)).unwrap();
    let status = *receiver.answer.lock().unwrap();
    (status, [("location", "http://192.0.2.1/elsewhere")])
}

struct Rig {
    notifier: Notifier,
    state: StateDb,
    events: broadcast::Sender<ServerEvent>,
    _directory: tempfile::TempDir,
}

impl Rig {
    async fn new(notifications: Notifications) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let mut notifier = Notifier::new(&state);
        notifier.pauses = (Duration::from_millis(5), Duration::from_millis(20));
        let events = broadcast::Sender::new(16);
        let rig = Self {
            notifier,
            state,
            events,
            _directory: directory,
        };
        rig.configure(notifications).await;
        tokio::spawn(rig.notifier.clone().run(rig.events.subscribe()));
        rig
    }

    async fn configure(&self, notifications: Notifications) {
        let mut edit = self.state.edit().await;
        edit.house.notifications = notifications;
        edit.commit("test", "notifications").await.unwrap();
    }

    fn happens(&self, alarm: Alarm) {
        drop(self.events.send(ServerEvent::Alarm(Arc::new(alarm))));
    }

    /// Waits until there is an outage, or none.
    async fn outage(&self, is: bool) -> Option<String> {
        let seen = async {
            loop {
                let problem = self.notifier.outages.problem();
                if problem.is_some() == is {
                    return problem.map(|it| it.1);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen)
            .await
            .unwrap()
    }
}

fn channel(url: &str) -> HttpChannel {
    HttpChannel {
        url: url.to_owned(),
        token: Some(Secret::new("canary-token".to_owned())),
    }
}

fn webhook(url: &str) -> Notifications {
    Notifications {
        webhook: Some(channel(url)),
        ..Notifications::default()
    }
}

fn alarm(id: i64, code: &str, ended: bool) -> Alarm {
    Alarm {
        id,
        code: code.to_owned(),
        load: None,
        since: Timestamp::UNIX_EPOCH,
        until: ended.then_some(Timestamp::UNIX_EPOCH),
        text: "The meter is silent. Check its cable.".to_owned(),
    }
}

async fn next(heard: &mut mpsc::UnboundedReceiver<Got>) -> Got {
    let next = tokio::time::timeout(Duration::from_secs(10), heard.recv());
    next.await.unwrap().unwrap()
}

#[tokio::test]
async fn each_change_is_told_once_and_the_alarm_about_the_channel_never() {
    let (_receiver, url, mut heard) = Receiver::start().await;
    let rig = Rig::new(webhook(&url)).await;
    rig.happens(alarm(1, "meter_lost", false));
    rig.happens(alarm(2, FAILING, false));
    rig.happens(alarm(1, "meter_lost", true));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (headers, body) = next(&mut heard).await;
        assert_eq!(headers["authorization"], "Bearer canary-token");
        assert_eq!(headers["content-type"], "application/json");
        let body: Value = serde_json::from_str(&body).unwrap();
        seen.push(format!("{} {} {}", body["event"], body["id"], body["site"]));
    }
    assert_eq!(
        seen,
        [r#""alarm.raised" 1 "Home""#, r#""alarm.ended" 1 "Home""#]
    );
    // Delivered in order: had there been more, the test would come behind it.
    rig.notifier.test(Channel::Webhook).await.unwrap();
    assert!(next(&mut heard).await.1.contains(r#""event":"test""#));
}

#[tokio::test]
async fn ntfy_gets_a_text_with_headers() {
    let (_receiver, url, mut heard) = Receiver::start().await;
    let rig = Rig::new(Notifications {
        language: "fi".to_owned(),
        ntfy: Some(channel(&url)),
        ..Notifications::default()
    })
    .await;
    rig.happens(alarm(1, "meter_lost", false));
    let (headers, body) = next(&mut heard).await;
    assert_eq!(body, "The meter is silent. Check its cable.");
    assert_eq!(headers["title"].as_bytes(), "Home: hälytys".as_bytes());
    assert_eq!(
        (&headers["priority"], &headers["tags"]),
        (&"high".parse().unwrap(), &"warning".parse().unwrap())
    );
}

#[tokio::test]
async fn a_failure_is_tried_again_shown_and_forgotten_when_it_is_over() {
    let (receiver, url, mut heard) = Receiver::start().await;
    receiver.answers(503);
    let rig = Rig::new(webhook(&url)).await;
    rig.happens(alarm(1, "meter_lost", false));
    let text = rig.outage(true).await.unwrap();
    assert!(
        text.contains("webhook: ") && text.contains("503") && !text.contains("canary"),
        "{text}"
    );
    receiver.answers(204);
    rig.outage(false).await;
    let mut tries = 0;
    while heard.try_recv().is_ok() {
        tries += 1;
    }
    assert!(tries >= 3, "{tries}");
}

#[tokio::test]
async fn another_address_is_tried_at_once() {
    let (receiver, url, mut heard) = Receiver::start().await;
    let (dead, dead_url, _nobody) = Receiver::start().await;
    dead.answers(500);
    let mut rig = Rig::new(webhook(&dead_url)).await;
    rig.notifier.pauses = (Duration::from_mins(5), Duration::from_mins(5));
    rig.events = broadcast::Sender::new(16);
    tokio::spawn(rig.notifier.clone().run(rig.events.subscribe()));
    rig.happens(alarm(1, "meter_lost", false));
    drop(receiver);
    rig.configure(webhook(&url)).await;
    assert!(next(&mut heard).await.1.contains("meter_lost"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (receiver, url, _heard) = Receiver::start().await;
    receiver.answers(307);
    let rig = Rig::new(webhook(&url)).await;
    let why = rig.notifier.test(Channel::Webhook).await.unwrap_err();
    assert!(why.contains("307") && why.contains("not followed"), "{why}");
}

/// What hangs holds nobody up, and its queue is bounded.
#[tokio::test]
async fn a_channel_that_hangs_harms_itself_only() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hang = format!("http://{}/house", hanging.local_addr().unwrap());
    let (_receiver, url, mut heard) = Receiver::start().await;
    let rig = Rig::new(Notifications {
        webhook: Some(channel(&hang)),
        ntfy: Some(channel(&url)),
        ..Notifications::default()
    })
    .await;
    let many = i64::try_from(QUEUE).unwrap() + 20;
    for id in 0..many {
        rig.happens(alarm(id, "meter_lost", false));
        next(&mut heard).await;
    }
    let text = rig.outage(true).await.unwrap();
    assert!(text.contains("messages were given up"), "{text}");
    let sending = rig
        .events
        .send(ServerEvent::Alarm(Arc::new(alarm(1, "x", true))));
    assert!(sending.is_ok(), "who publishes does not wait");
}
