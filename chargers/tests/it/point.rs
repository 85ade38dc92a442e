//! A charge point on a real websocket.

use std::net::SocketAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use crate::house::PATIENCE;

pub(crate) struct Point {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
    next_id: u32,
}

/// How to knock.
#[derive(Clone, Default)]
pub(crate) struct Knock<'a> {
    pub(crate) path: &'a str,
    pub(crate) protocols: Option<&'a str>,
    pub(crate) basic: Option<&'a str>,
}

impl Point {
    /// Connects; an HTTP refusal is its status.
    pub(crate) async fn knock(server: SocketAddr, knock: Knock<'_>) -> Result<Self, u16> {
        let url = format!("ws://{server}{}", knock.path);
        let mut request = url.into_client_request().unwrap();
        if let Some(protocols) = knock.protocols {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        if let Some(basic) = knock.basic {
            let value = format!("Basic {}", STANDARD.encode(basic));
            request
                .headers_mut()
                .insert("authorization", value.parse().unwrap());
        }
        let config = WebSocketConfig::default().max_write_buffer_size(64 << 20);
        match connect_async_with_config(request, Some(config), true).await {
            Ok((socket, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
                Ok(Self {
                    socket,
                    protocol,
                    next_id: 0,
                })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no answer to the handshake: {error}"),
        }
    }

    /// Connects with the password `secret`.
    pub(crate) async fn connect(server: SocketAddr, identity: &str) -> Self {
        let (path, basic) = (format!("/ocpp/{identity}"), format!("{identity}:secret"));
        let knock = Knock {
            path: &path,
            protocols: Some("ocpp1.6"),
            basic: Some(&basic),
        };
        Self::knock(server, knock).await.expect("let in")
    }

    pub(crate) async fn send_text(&mut self, text: String) -> Result<(), Error> {
        self.socket.send(Message::text(text)).await
    }

    /// The next frame, or how the connection ended.
    pub(crate) async fn frame(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await
                .expect("a frame or an end in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Calls, and gives the answer; calls of the central system meanwhile are an error.
    pub(crate) async fn call(&mut self, action: &str, payload: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id.to_string();
        self.send_text(json!([2, id, action, payload]).to_string())
            .await
            .unwrap();
        let answer = self.frame().await.expect("an answer");
        assert_eq!(answer[1], json!(id), "{answer}");
        answer[2].clone()
    }

    pub(crate) async fn boot(&mut self) -> Value {
        let boot = json!({"chargePointVendor": "Maker", "chargePointModel": "Box",
            "firmwareVersion": "1.2"});
        self.call("BootNotification", boot).await
    }

    /// The next call of the central system; answered by `answer`.
    pub(crate) async fn serve(&mut self, answer: Value) -> (String, Value) {
        let call = self.frame().await.expect("a call");
        assert_eq!(call[0], 2, "{call}");
        self.send_text(json!([3, call[1], answer]).to_string())
            .await
            .unwrap();
        (call[2].as_str().unwrap().to_owned(), call[3].clone())
    }

    /// Answers calls with yes until one with this name; gives its payload.
    pub(crate) async fn serve_until(&mut self, action: &str) -> Value {
        loop {
            let (name, payload) = self.serve(json!({"status": "Accepted"})).await;
            if name == action {
                return payload;
            }
        }
    }

    /// Boots and answers the whole set-up.
    pub(crate) async fn settle(&mut self) {
        assert_eq!(self.boot().await["status"], "Accepted");
        loop {
            let (name, payload) = self
                .serve(json!({"status": "Accepted", "configurationKey": [{"key": "x"}]}))
                .await;
            if name == "TriggerMessage" && payload["requestedMessage"] == "MeterValues" {
                return;
            }
        }
    }

    /// Waits for the end of the connection; gives the close code if there was one.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            if let Err(frame) = self.frame().await {
                return frame.map(|frame| frame.code.into());
            }
        }
    }
}

/// The limits of a profile's periods.
pub(crate) fn limits(profile: &Value) -> Vec<(u64, f64)> {
    let periods = &profile["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"];
    let periods = periods.as_array().unwrap().iter();
    periods
        .map(|p| {
            (
                p["startPeriod"].as_u64().unwrap(),
                p["limit"].as_f64().unwrap(),
            )
        })
        .collect()
}
