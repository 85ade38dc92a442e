//! A Shelly relay, as its RPC over HTTP looks (Switch.Set, Switch.GetStatus).

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// How the relay behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Good,
    Refusing,
    Redirecting,
    Huge,
    Silent,
}

#[derive(Default)]
struct Inner {
    on: bool,
    mood: Mood,
    password: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Relay {
    inner: Arc<Mutex<Inner>>,
    calls: mpsc::UnboundedSender<String>,
}

/// A relay that runs, and the `Switch.Set` calls that it took.
pub(crate) struct RunningRelay {
    pub(crate) relay: Relay,
    pub(crate) host: String,
    pub(crate) calls: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl RunningRelay {
    pub(crate) async fn start(password: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (sender, calls) = mpsc::unbounded_channel();
        let inner = Inner {
            password: password.map(str::to_owned),
            ..Inner::default()
        };
        let relay = Relay {
            inner: Arc::new(Mutex::new(inner)),
            calls: sender,
        };
        let router = Router::new()
            .route("/rpc/Switch.Set", get(set))
            .route("/rpc/Switch.GetStatus", get(status))
            .with_state(relay.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            relay,
            host: address.to_string(),
            calls,
            task,
        }
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.relay.inner.lock().unwrap().mood = mood;
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

async fn set(
    State(relay): State<Relay>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = relay.hurdle(&uri.to_string(), &headers).await {
        return response;
    }
    relay
        .calls
        .send(uri.query().unwrap_or_default().to_owned())
        .ok();
    let mut inner = relay.inner.lock().unwrap();
    let was_on = std::mem::replace(
        &mut inner.on,
        query.get("on").is_some_and(|on| on == "true"),
    );
    Json(json!({"was_on": was_on})).into_response()
}

async fn status(State(relay): State<Relay>, uri: Uri, headers: HeaderMap) -> Response {
    if let Some(response) = relay.hurdle(&uri.to_string(), &headers).await {
        return response;
    }
    let on = relay.inner.lock().unwrap().on;
    let power = if on { 1950.4 } else { 0.0 };
    Json(json!({"id": 0, "source": "HTTP", "output": on, "apower": power, "voltage": 230.1}))
        .into_response()
}

impl Relay {
    /// What stands between a request and its answer.
    async fn hurdle(&self, uri: &str, headers: &HeaderMap) -> Option<Response> {
        let (mood, password) = {
            let inner = self.inner.lock().unwrap();
            (inner.mood, inner.password.clone())
        };
        match mood {
            Mood::Good => {}
            Mood::Refusing => {
                let body = json!({"code": -105, "message": "no such switch"});
                return Some((StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response());
            }
            Mood::Redirecting => {
                let headers = [(header::LOCATION, "http://192.0.2.1/")];
                return Some((StatusCode::FOUND, headers).into_response());
            }
            Mood::Huge => {
                return Some(
                    format!("{}{{\"was_on\":false}}", " ".repeat(1024 * 1024)).into_response(),
                );
            }
            Mood::Silent => std::future::pending().await,
        }
        let password = password?;
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if given.is_some_and(|given| proves(given, uri, &password)) {
            return None;
        }
        let challenge = "Digest qop=\"auth\", realm=\"shellyplus1-test\", nonce=\"60dc2c69\", \
                         algorithm=SHA-256";
        let headers = [(header::WWW_AUTHENTICATE, challenge)];
        Some((StatusCode::UNAUTHORIZED, headers).into_response())
    }
}

/// RFC 7616, section 3.4.1, from the server's side.
fn proves(header: &str, uri: &str, password: &str) -> bool {
    let fields: HashMap<&str, &str> = header
        .trim_start_matches("Digest ")
        .split(", ")
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let secret = hash(&format!(
        "{}:{}:{password}",
        field("username"),
        field("realm")
    ));
    let request = hash(&format!("GET:{uri}"));
    let (nonce, count, own) = (field("nonce"), field("nc"), field("cnonce"));
    let want = hash(&format!("{secret}:{nonce}:{count}:{own}:auth:{request}"));
    field("username") == "admin" && field("uri") == uri && field("response") == want
}

fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}
