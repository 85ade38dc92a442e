//! The demo's charge points: OCPP 1.6J over a real websocket, in front of the plant's.
//!
//! One task per charge point connects to `ws://…/ID` with the subprotocol `ocpp1.6` and Basic
//! authentication (OCPP-J 1.6, sections 3 and 6), says what [`reports`] finds worth saying, one call at a
//! time, and gives every call of the central system to [`answers`] at once. It comes back after
//! every loss with a growing pause. What the charge point is told reaches the plant, and the car follows
//! its physics; what it reports is what the plant measures.

mod answers;
mod reports;
mod settings;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use headroom_sim::ChargePoint;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use self::answers::{CallError, Then};
use self::reports::{Call, Reporter};
use self::settings::Settings;
use super::plant::Plant;

/// Simulated time between two looks at what there is to say.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks closer than this in real time are left out.
const LOOK_LEAST: Duration = Duration::from_millis(10);
/// First and longest simulated pause before it connects again.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Least real pause before it connects again.
const BACK_OFF_LEAST: Duration = Duration::from_millis(100);
/// Real time for a connection, and for a message to be taken.
const NETWORK_LIMIT: Duration = Duration::from_secs(10);
/// Real time for the central system to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Largest message that is taken. Set-up calls have some kilobytes.
const MESSAGE_MAX: usize = 256 * 1024;

type Socket = WebSocketStream<TcpStream>;

/// Why a connection did not come about or has ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the central system cannot be reached")]
    Tcp(#[source] std::io::Error),
    #[error("the websocket failed")]
    WebSocket(#[source] Box<WebSocketError>),
    #[error("the name or password cannot be sent in a header")]
    Header,
    #[error("the central system did not choose the subprotocol ocpp1.6")]
    Subprotocol,
    #[error("the central system closed the connection")]
    Closed,
    #[error("the central system did not answer in time")]
    Silence,
    #[error("the network is cut")]
    Cut,
}

impl From<WebSocketError> for Lost {
    fn from(error: WebSocketError) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

/// A charge point of the plant on the network.
#[derive(Debug)]
pub(crate) struct Station {
    plant: Plant,
    id: String,
    password: String,
    central: SocketAddr,
    settings: Settings,
    reporter: Reporter,
    calls: u64,
}

impl Station {
    pub(crate) fn new(plant: Plant, id: &str, password: &str, central: SocketAddr) -> Self {
        Self {
            plant,
            id: id.to_owned(),
            password: password.to_owned(),
            central,
            settings: Settings::default(),
            reporter: Reporter::default(),
            calls: 0,
        }
    }

    /// Connects and comes back for ever.
    pub(crate) async fn run(mut self) {
        let (first, longest) = BACK_OFF;
        let mut pause = first;
        loop {
            if self.with(|charge_point| charge_point.network()) == Some(true) {
                let lost = match self.connect().await {
                    Ok(socket) => self.talk(socket).await,
                    Err(lost) => lost,
                };
                tracing::debug!(charge_point = %self.id, error = %lost, "a charge point of the demo is off line");
                if self.reporter.accepted() {
                    pause = first;
                }
            }
            tokio::time::sleep(self.plant.real(pause).max(BACK_OFF_LEAST)).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn connect(&mut self) -> Result<Socket, Lost> {
        self.reporter.reconnected();
        let request = self.request()?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let connecting = async {
            let stream = TcpStream::connect(self.central).await.map_err(Lost::Tcp)?;
            stream.set_nodelay(true).map_err(Lost::Tcp)?;
            let (socket, response) =
                tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await?;
            let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
            if chosen.is_none_or(|chosen| chosen != SUBPROTOCOL) {
                return Err(Lost::Subprotocol);
            }
            Ok(socket)
        };
        tokio::time::timeout(NETWORK_LIMIT, connecting)
            .await
            .map_err(|_| Lost::Silence)?
    }

    fn request(&self) -> Result<Request<()>, Lost> {
        let mut request = format!("ws://{}/{}", self.central, self.id).into_client_request()?;
        let basic = STANDARD.encode(format!("{}:{}", self.id, self.password));
        let basic = HeaderValue::try_from(format!("Basic {basic}")).map_err(|_| Lost::Header)?;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, basic);
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        Ok(request)
    }

    /// Talks until the connection is lost. Dropping the socket without a close frame is on purpose: so do
    /// real ones when their network goes.
    async fn talk(&mut self, mut socket: Socket) -> Lost {
        let mut look = Instant::now();
        let mut waiting: Option<Waiting> = None;
        loop {
            tokio::select! {
                message = socket.next() => {
                    let reply = match message {
                        Some(Ok(Message::Text(text))) => self.take(&text, &mut waiting),
                        Some(Ok(Message::Close(_))) | None => return Lost::Closed,
                        Some(Ok(_)) => None,
                        Some(Err(error)) => return error.into(),
                    };
                    if let Some(reply) = reply
                        && let Err(lost) = send(&mut socket, &reply).await
                    {
                        return lost;
                    }
                }
                () = tokio::time::sleep_until(look) => {
                    look = Instant::now() + self.plant.real(LOOK_EVERY).max(LOOK_LEAST);
                    if self.with(|charge_point| charge_point.network()) != Some(true) {
                        return Lost::Cut;
                    }
                    if waiting.as_ref().is_some_and(|call| call.since.elapsed() > ANSWER_LIMIT) {
                        return Lost::Silence;
                    }
                    if waiting.is_none()
                        && let Some(Call { action, payload }) = self.next()
                    {
                        self.calls += 1;
                        let id = self.calls.to_string();
                        if let Err(lost) = send(&mut socket, &json!([2, id, action, payload])).await {
                            return lost;
                        }
                        waiting = Some(Waiting { id, action, since: Instant::now() });
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Option<Call> {
        let Self {
            plant,
            id,
            reporter,
            settings,
            ..
        } = self;
        plant.with(|house| {
            let now_ms = house.now_ms();
            let charge_point = house.charge_point(id).ok()?;
            reporter.next(now_ms, charge_point, settings)
        })
    }

    /// Takes a frame (OCPP-J 1.6, section 4); gives the reply, if it wants one.
    fn take(&mut self, text: &str, waiting: &mut Option<Waiting>) -> Option<Value> {
        let frame: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        match frame.as_slice() {
            [kind, Value::String(id), Value::String(action), payload] if kind == 2 => {
                Some(self.reply(id, action, payload))
            }
            [kind, Value::String(id), payload] if kind == 3 => {
                let call = waiting.take_if(|call| call.id == *id)?;
                let Self {
                    plant,
                    id,
                    reporter,
                    settings,
                    ..
                } = self;
                plant.with(|house| {
                    let now_ms = house.now_ms();
                    let charge_point = house.charge_point(id).ok()?;
                    reporter.answered(call.action, payload, now_ms, charge_point, settings);
                    None
                })
            }
            [kind, Value::String(id), rest @ ..] if kind == 4 => {
                let call = waiting.take_if(|call| call.id == *id)?;
                tracing::debug!(
                    action = call.action,
                    ?rest,
                    "the central system answers with an error"
                );
                None
            }
            _ => {
                tracing::debug!(
                    text,
                    "a charge point of the demo does not understand a frame"
                );
                None
            }
        }
    }

    fn reply(&mut self, call: &str, action: &str, payload: &Value) -> Value {
        let Self {
            plant,
            id,
            reporter,
            settings,
            ..
        } = self;
        let answer = plant.with(|house| {
            let charge_point = house.charge_point(id).map_err(|error| CallError {
                code: "InternalError",
                description: error.to_string(),
            })?;
            let answer = answers::answer(action, payload, charge_point, settings)?;
            match answer.then {
                Some(Then::Say(trigger)) => reporter.trigger(trigger),
                Some(Then::Reboot) => charge_point.reboot(),
                None => {}
            }
            Ok(answer.payload)
        });
        match answer {
            Ok(payload) => json!([3, call, payload]),
            Err(CallError { code, description }) => json!([4, call, code, description, {}]),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut ChargePoint) -> T) -> Option<T> {
        self.plant
            .with(|house| house.charge_point(&self.id).ok().map(look))
    }
}

const SUBPROTOCOL: &str = "ocpp1.6";

/// The call that is not answered yet: there is never more than one.
#[derive(Debug)]
struct Waiting {
    id: String,
    action: &'static str,
    since: Instant,
}

async fn send(socket: &mut Socket, frame: &Value) -> Result<(), Lost> {
    let sending = socket.send(Message::text(frame.to_string()));
    tokio::time::timeout(NETWORK_LIMIT, sending)
        .await
        .map_err(|_| Lost::Silence)??;
    Ok(())
}

#[cfg(test)]
mod tests;
