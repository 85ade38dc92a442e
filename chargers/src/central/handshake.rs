//! The way in: identity, password, subprotocol, upgrade.
//!
//! The identity is the last segment of the path, the password HTTP Basic. Of the subprotocols
//! `ocpp2.1`, `ocpp2.0.1` and `ocpp1.6` are spoken, and the charge point's own order decides; one
//! that offers none is taken to speak 1.6, one that offers only others is refused. Each refusal says
//! in plain text what to change.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{
        ConnectInfo, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use headroom_ocpp::Version;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{
    connection::{self, Limits},
    identity,
    roster::{Refusal, Role, Roster},
};
use crate::{message::DeviceEvent, once::OnceAMinute, wall::WallClock};

/// Most subprotocols of an offer that are looked at.
const MAX_OFFERED: usize = 16;
/// Characters of a wrong path that are logged.
const SHOWN: usize = 80;
/// What each connection holds for reading: most messages are shorter, and there may be a thousand connections.
const READ_BUFFER: usize = 4 * 1024;

/// A charge point that connected and is not adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// The identity in the path it connected to.
    pub charge_point_id: String,
    /// As its boot notification says.
    pub vendor: Option<String>,
    /// As its boot notification says.
    pub model: Option<String>,
    /// As its boot notification says.
    pub firmware: Option<String>,
    /// When it first connected.
    pub since: Timestamp,
    /// The address it connected from.
    pub remote: Option<String>,
    /// Whether it is connected now.
    pub connected: bool,
}

#[derive(Clone, Debug)]
struct Context {
    roster: Roster,
    wall: WallClock,
    events: mpsc::Sender<DeviceEvent>,
    limits: Limits,
    said: Arc<Said>,
}

/// What is wrong with a handshake, each kind logged once a minute.
#[derive(Debug, Default)]
struct Said {
    identity: Mutex<OnceAMinute>,
    version: Mutex<OnceAMinute>,
    upgrade: Mutex<OnceAMinute>,
    turned_away: Mutex<OnceAMinute>,
}

fn may_be_said(kind: &Mutex<OnceAMinute>) -> bool {
    kind.lock().unwrap_or_else(PoisonError::into_inner).now()
}

/// Every path leads to a charge point's connection.
pub(crate) fn router(
    roster: Roster,
    wall: WallClock,
    events: mpsc::Sender<DeviceEvent>,
    limits: Limits,
) -> Router {
    Router::new().fallback(connect).with_state(Context {
        roster,
        wall,
        events,
        limits,
        said: Arc::default(),
    })
}

async fn connect(
    State(context): State<Context>,
    uri: Uri,
    headers: HeaderMap,
    remote: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let remote = remote.map(|axum::Extension(ConnectInfo(address))| address);
    let Some(identity) = identity::from_path(uri.path()) else {
        if may_be_said(&context.said.identity) {
            let path: String = uri.path().chars().take(SHOWN).collect();
            warn!(
                path,
                ?remote,
                "refused a connection whose address does not end in the identity of a charge point"
            );
        }
        let message = "connect to ws://this-host:port/IDENTITY, with the charge point's identity \
                       of up to 48 letters, digits and _ . : * | = @ + - as the last part";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    let address = remote.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let role = match context
        .roster
        .admit(&identity, &headers, address, context.wall.now())
    {
        Ok(role) => role,
        Err(refusal) => {
            // A wrong password is told by itself.
            if refusal.status != StatusCode::UNAUTHORIZED && may_be_said(&context.said.turned_away)
            {
                warn!(
                    charge_point = identity,
                    ?remote,
                    "turned a connection away: {}",
                    refusal.message
                );
            }
            return refuse(&refusal);
        }
    };
    let offered = offered(&headers);
    // Its list is in its order of preference (RFC 6455 section 4.1).
    let agreed = offered
        .iter()
        .find_map(|name| Version::of_subprotocol(name));
    if agreed.is_none() && !offered.is_empty() {
        if may_be_said(&context.said.version) {
            warn!(
                charge_point = identity,
                ?offered,
                "refused a charge point that offers no OCPP version spoken here; set it to OCPP 1.6 \
                 (JSON) or OCPP 2.0.1"
            );
        }
        let message = "only the subprotocols ocpp2.1, ocpp2.0.1 and ocpp1.6 are spoken here";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            if may_be_said(&context.said.upgrade) {
                warn!(charge_point = identity, ?remote, %rejection, "refused a request that is no websocket");
            }
            return rejection.into_response();
        }
    };
    let size = match role {
        Role::Known(_) => context.limits.message_bytes,
        Role::Unmatched => context.limits.unmatched_message_bytes,
    };
    let upgrade = match agreed {
        Some(version) => upgrade.protocols([version.subprotocol()]),
        None => upgrade,
    };
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(size)
        .max_frame_size(size)
        .on_upgrade(async move |socket| {
            let since = context.wall.now();
            let Some(mut joined) = context.roster.join(&role, &identity, remote, since) else {
                info!(
                    charge_point = identity,
                    "the configuration changed while it connected"
                );
                return;
            };
            joined.version = agreed.unwrap_or(Version::V16);
            let Context {
                roster,
                wall,
                events,
                limits,
                ..
            } = context;
            connection::run(socket, joined, identity, roster, wall, events, limits).await;
        })
}

fn refuse(refusal: &Refusal) -> Response {
    let mut response = (refusal.status, refusal.message).into_response();
    let (name, value) = match refusal.status {
        StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Basic realm=\"headroom\""),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            (header::RETRY_AFTER, "10")
        }
        _ => return response,
    };
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

/// The subprotocols of the offer, in any number of headers.
fn offered(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .take(MAX_OFFERED)
        .collect()
}
