//! The API driven as a client drives it: requests in, answers out, and what the loop was told.

mod access;
mod charger_test;
#[expect(clippy::too_many_lines, reason = "tables of cases")]
mod config;
mod demo;
mod energy;
mod listening;
mod meter;
mod notifications;
mod openapi;
mod plausible;
#[expect(clippy::too_many_lines, reason = "one answer, field by field")]
mod reading;
mod secrets;
mod server;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use headroom_core::action::ReasonCode;
use headroom_core::config::{Config, Driver, Meter};
use headroom_core::snapshot::{MeterSnapshot, MeterState};
use headroom_core::units::PerPhase;
use headroom_core::validate::FieldError;
use headroom_core::{Instant, Reason, Snapshot};
use headroom_store::{Journal, Retention, Role, StateDb};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, watch};
use tower::ServiceExt;

use crate::{
    App, ControlRequest, Devices, Discovered, Health, MeterInfo, ServerEvent, Status, StatusInputs,
    Unmatched, router,
};

/// How a field may be wrong; `docs/errors` has a section for each.
pub(crate) const FIELD_CODES: [&str; 7] = [
    "format",
    "range",
    "required",
    "type",
    "unknown",
    "conflict",
    "duplicate",
];

#[derive(Debug)]
struct FakeDevices;

impl Devices for FakeDevices {
    fn check_profile(&self, driver: &Driver, charger: bool) -> Option<String> {
        let wrong =
            matches!(driver, Driver::Modbus { profile, .. } if profile == "nobody" || !charger);
        wrong.then(|| "is not known; there are somebody and others".to_owned())
    }

    fn unmatched(&self) -> Vec<Unmatched> {
        vec![Unmatched {
            charge_point_id: "CP9".into(),
            vendor: Some("Maker".into()),
            model: None,
            firmware: None,
            since: Timestamp::UNIX_EPOCH,
            remote: None,
            connected: true,
        }]
    }

    fn ocpp_listen(&self) -> Option<SocketAddr> {
        Some(SocketAddr::from(([0, 0, 0, 0], 8887)))
    }

    fn discovered(&self) -> (Vec<Discovered>, bool) {
        let found = |kind, host: &str, host_name: Option<&str>| Discovered {
            kind,
            name: format!("A {kind}"),
            host: host.to_owned(),
            host_name: host_name.map(str::to_owned),
            driver: (kind == "relay").then(|| Driver::ShellyGen2 {
                host: host.to_owned(),
                channel: 0,
                password: None,
                password_set: false,
            }),
            source: (kind == "meter").then(|| format!("homewizard://{host}")),
            already_configured: false,
        };
        let relay = found("relay", "192.0.2.7", None);
        let second = found("relay", "192.0.2.8:8080", Some("shelly-2.local"));
        let meter = found("meter", "192.0.2.9", Some("p1.local"));
        (vec![relay, second, meter], true)
    }

    fn meter_ports(&self) -> Vec<String> {
        vec!["/dev/serial/by-id/usb-cable-if00-port0".to_owned()]
    }

    fn check_meter(&self, meter: &Meter) -> Vec<FieldError> {
        let source = meter.source.as_deref().unwrap_or("tcp://");
        let wrong = !source.starts_with("tcp://") && !source.starts_with("mqtt://");
        let error = wrong.then(|| FieldError {
            field: "meter.source".to_owned(),
            code: "format",
            message: "must begin with tcp://".to_owned(),
        });
        error.into_iter().collect()
    }
}

/// Everything but mail arrives.
#[derive(Debug)]
struct FakeNotifier;

impl crate::notify::Notifier for FakeNotifier {
    fn test(&self, channel: crate::notify::Channel) -> crate::notify::Delivered<'_> {
        let mail = channel == crate::notify::Channel::Email;
        let answer = if mail {
            Err("nobody is at home".to_owned())
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(answer))
    }
}

/// A whole web side with a house of its own.
struct Rig {
    app: App,
    router: Router,
    status: watch::Sender<Arc<Status>>,
    told: mpsc::Receiver<ControlRequest>,
    viewer: String,
    user: String,
    installer: String,
    _directory: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut App)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let now = Timestamp::now();
        let journal = Journal::open(directory.path(), "0.1.0", now, Retention::default()).await;
        let (status, shown) = watch::channel(Arc::new(status_at(0)));
        let (control, told) = mpsc::channel(100);
        let mut secrets = Vec::new();
        for role in [Role::Viewer, Role::User, Role::Installer] {
            secrets.push(state.create_token(role.as_str(), role).await.unwrap().1);
        }
        let mut app = App {
            state,
            journal,
            status: shown,
            events: broadcast::Sender::new(16),
            control,
            devices: Arc::new(FakeDevices),
            health: Arc::new(Health::default()),
            open_demo: false,
            demo: None,
            tls: crate::tls::Tls::open(directory.path(), &["pi".to_owned()]),
            notifier: Arc::new(FakeNotifier),
            host_names: Vec::new(),
            pinned_meter: None,
            pinned_password: None,
            version: "0.1.0",
            upkeep: crate::Upkeep::new(directory.path().to_owned(), None),
        };
        change(&mut app);
        let [viewer, user, installer] = secrets.try_into().unwrap();
        let router = router(app.clone());
        Self {
            app,
            router,
            status,
            told,
            viewer,
            user,
            installer,
            _directory: directory,
        }
    }

    fn call(&self, method: Method, path: &str) -> Call {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/api/v1/{path}")
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:8080");
        Call {
            router: self.router.clone(),
            request,
            body: Body::empty(),
        }
    }

    /// As installer, with a token.
    fn installer(&self, method: Method, path: &str) -> Call {
        self.call(method, path).token(&self.installer)
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.installer(Method::GET, path).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:?}", answer.body);
        answer.body
    }

    async fn do_it(&self, method: Method, path: &str, body: Value) -> Answer {
        self.installer(method, path).json(&body).send().await
    }

    /// Everything that is configured, secrets and all.
    fn everything(&self) -> Value {
        serde_json::to_value(&*self.app.state.house()).unwrap()
    }

    /// The house lives now, not in 1970.
    fn live_now(&self) {
        let now = Timestamp::now();
        self.status
            .send_modify(|status| Arc::make_mut(status).time = now);
    }

    fn loop_was_told(&mut self) -> Option<ControlRequest> {
        self.told.try_recv().ok()
    }
}

struct Call {
    router: Router,
    request: axum::http::request::Builder,
    body: Body,
}

impl Call {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    fn token(self, secret: &str) -> Self {
        self.header("authorization", &format!("Bearer {secret}"))
    }

    fn host(mut self, host: &str) -> Self {
        let headers = self.request.headers_mut().unwrap();
        headers.insert(header::HOST, host.parse().unwrap());
        self
    }

    fn json(self, body: &Value) -> Self {
        let body = body.to_string();
        self.text(body)
    }

    fn text(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    async fn respond(self) -> axum::response::Response {
        self.router
            .oneshot(self.request.body(self.body).unwrap())
            .await
            .unwrap()
    }

    async fn send(self) -> Answer {
        let response = self.respond().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        // A backup is no text.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
            text,
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
    text: String,
}

impl Answer {
    /// Status and code of a problem, which must be one.
    #[track_caller]
    fn problem(&self) -> (u16, &str) {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.body["status"], self.status.as_u16());
        assert!(
            self.body["detail"]
                .as_str()
                .is_some_and(|detail| detail.len() > 10),
            "{self:?}"
        );
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }

    /// Field and code of the first field error.
    #[track_caller]
    fn field(&self) -> (&str, &str) {
        assert_eq!(self.problem(), (422, "invalid"), "{}", self.text);
        let error = &self.body["errors"][0];
        assert!(error["message"].is_string());
        let code = error["code"].as_str().unwrap_or_default();
        assert!(
            FIELD_CODES.contains(&code),
            "docs/errors tells nothing of {code}"
        );
        (
            error["field"].as_str().unwrap(),
            error["code"].as_str().unwrap(),
        )
    }
}

fn snapshot(t: u64) -> Snapshot {
    Snapshot {
        at: Instant(t),
        state: "operating.normal",
        reason: Reason::plain(ReasonCode::Normal, "Every load has what it can use."),
        phases: Vec::new(),
        meter: MeterSnapshot {
            state: MeterState::Ok,
            last: Some(Instant(0)),
            period_ms: Some(1000),
        },
        loads: Vec::new(),
        alarms: Vec::new(),
        highest_background: PerPhase::default(),
    }
}

fn status_at(t: u64) -> Status {
    Status::new(&StatusInputs {
        snapshot: &snapshot(t),
        config: &Config::default(),
        mode: headroom_core::config::Mode::Control,
        meter: &MeterInfo::default(),
        alarms: &[],
        now: Instant(t),
        time_of: &|at| Timestamp::from_millisecond(at.0.cast_signed()).unwrap(),
        version: "0.1.0",
        demo: false,
    })
}
