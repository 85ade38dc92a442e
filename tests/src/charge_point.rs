//! A charge point on a bare websocket, for what a well-behaved library does not do: measuring to the
//! millisecond, and sending what nobody should send.

use std::{
    collections::VecDeque,
    net::TcpStream,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tungstenite::{
    Error, HandshakeError, Message, WebSocket, client::IntoClientRequest, error::ProtocolError,
    handshake::client::Request, http,
};

/// For a handshake, and for what is sent: on the same machine both take no time, unless it is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// The socket.
#[derive(Debug)]
pub struct ChargePoint {
    socket: WebSocket<TcpStream>,
    calls: u64,
    heard: VecDeque<Call>,
}

/// A handshake that was refused, by its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub u16);

/// One call of the central system.
#[derive(Clone, Debug)]
pub struct Call {
    /// When its last byte was read.
    pub at: Instant,
    /// Its id.
    pub id: String,
    /// Its action.
    pub action: String,
    /// Its payload.
    pub payload: Value,
}

impl ChargePoint {
    /// Connects to `ws://127.0.0.1:port/identity`.
    ///
    /// # Errors
    /// The status of the refusal.
    pub fn connect(port: u16, identity: &str, password: Option<&str>) -> Result<Self, Refused> {
        let address = format!("127.0.0.1:{port}");
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let request = request(&address, identity, password);
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self {
                socket,
                calls: 0,
                heard: VecDeque::new(),
            }),
            Err(HandshakeError::Failure(Error::Http(answer))) => {
                Err(Refused(answer.status().as_u16()))
            }
            Err(error) => panic!("{address}/{identity}: {error}"),
        }
    }

    /// Boots, says that a car is there and starts a transaction. Answers what is asked meanwhile.
    pub fn begin(&mut self) {
        self.call(
            "BootNotification",
            &json!({"chargePointVendor": "Tests", "chargePointModel": "Bare"}),
        );
        self.status("Preparing");
        let start = json!({"connectorId": 1, "idTag": "CAR", "meterStart": 0, "timestamp": "2026-01-15T11:00:00Z"});
        self.call("StartTransaction", &start);
        self.status("Charging");
    }

    /// `StatusNotification` of connector 1.
    pub fn status(&mut self, status: &str) {
        self.call(
            "StatusNotification",
            &json!({"connectorId": 1, "errorCode": "NoError", "status": status}),
        );
    }

    /// `MeterValues` with the same current on three phases.
    pub fn meter_values(&mut self, current_a: f64) {
        let sampled: Vec<Value> = ["L1", "L2", "L3"]
            .iter()
            .map(|phase| {
                json!({"measurand": "Current.Import", "phase": phase, "unit": "A", "value": format!("{current_a:.1}")})
            })
            .collect();
        let values = json!([{"timestamp": "2026-01-15T11:00:00Z", "sampledValue": sampled}]);
        self.call(
            "MeterValues",
            &json!({"connectorId": 1, "meterValue": values}),
        );
    }

    /// Makes a call and waits for its answer; answers what is asked meanwhile.
    ///
    /// # Panics
    /// Without an answer within ten seconds.
    pub fn call(&mut self, action: &str, payload: &Value) -> Value {
        self.calls += 1;
        let id = format!("t{}", self.calls);
        self.send(&json!([2, id, action, payload]).to_string());
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            let Some(frame) = self.frame(end) else {
                continue;
            };
            if frame[0] == 2 {
                let call = as_call(&frame);
                self.accept(&call);
                self.heard.push_back(call);
            } else if frame[1] == id.as_str() {
                return frame[2].clone();
            }
        }
        panic!("{action}: no answer");
    }

    /// The next call of that action, heard before or now; every call is accepted. `None` after `limit` or when the link has gone.
    pub fn next_call(&mut self, action: &str, limit: Duration) -> Option<Call> {
        while let Some(call) = self.heard.pop_front() {
            if call.action == action {
                return Some(call);
            }
        }
        let end = Instant::now() + limit;
        while Instant::now() < end {
            let frame = self.frame(end)?;
            if frame[0] == 2 {
                let call = as_call(&frame);
                self.accept(&call);
                if call.action == action {
                    return Some(call);
                }
            }
        }
        None
    }

    /// Sends a text frame.
    ///
    /// # Panics
    /// If the link has gone.
    pub fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Sends a text frame to a server that may close meanwhile. True if all was taken.
    pub fn try_send(&mut self, text: String) -> bool {
        self.socket.send(Message::text(text)).is_ok()
    }

    /// Sends a binary frame to a server that may close meanwhile. True if all was taken.
    pub fn try_send_binary(&mut self, bytes: Vec<u8>) -> bool {
        self.socket.send(Message::binary(bytes)).is_ok()
    }

    /// Whether the other end closes the link within the time.
    pub fn closed_within(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            self.patience(end);
            match self.socket.read() {
                Ok(Message::Close(_))
                | Err(
                    Error::ConnectionClosed
                    | Error::AlreadyClosed
                    | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                ) => return true,
                Err(Error::Io(error)) if !waits(&error) => return true,
                _ => {}
            }
        }
        false
    }

    fn accept(&mut self, call: &Call) {
        let answer = match call.action.as_str() {
            "GetConfiguration" => json!({"configurationKey": [], "unknownKey": []}),
            _ => json!({"status": "Accepted"}),
        };
        // The link may be gone already; the next read tells.
        drop(
            self.socket
                .send(Message::text(json!([3, call.id, answer]).to_string())),
        );
    }

    fn frame(&mut self, end: Instant) -> Option<Value> {
        loop {
            self.patience(end);
            match self.socket.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(Message::Close(_)) => return None,
                Ok(_) => {}
                Err(Error::Io(error)) if waits(&error) && Instant::now() < end => {}
                Err(_) => return None,
            }
        }
    }

    fn patience(&self, end: Instant) {
        let left = end
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1));
        self.socket.get_ref().set_read_timeout(Some(left)).unwrap();
    }
}

fn waits(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}

fn as_call(frame: &Value) -> Call {
    let text = |index: usize| frame[index].as_str().unwrap_or_default().to_owned();
    Call {
        at: Instant::now(),
        id: text(1),
        action: text(2),
        payload: frame[3].clone(),
    }
}

fn request(address: &str, identity: &str, password: Option<&str>) -> Request {
    let mut request = format!("ws://{address}/{identity}")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert(
        "sec-websocket-protocol",
        http::HeaderValue::from_static("ocpp1.6"),
    );
    if let Some(password) = password {
        let secret = STANDARD.encode(format!("{identity}:{password}"));
        headers.insert("authorization", format!("Basic {secret}").parse().unwrap());
    }
    request
}
