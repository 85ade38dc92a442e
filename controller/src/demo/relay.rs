//! The demo's relay: a small HTTP server that answers as a Shelly relay of the second generation does,
//! in front of the plant's water heater.
//!
//! `GET` and `POST /rpc/METHOD`, and JSON-RPC frames to `POST /rpc`; methods `Switch.Set` (with
//! `toggle_after`), `Switch.GetStatus` and `Shelly.GetDeviceInfo`. Errors are Shelly's: status 500 with
//! code −103 (invalid argument) or −105 (not found), 404 for no such method.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use headroom_sim::heater::Source;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::plant::Plant;

/// Longest time after which the relay may flip back, in seconds: a day.
const TOGGLE_AFTER_MAX_S: f64 = 86_400.0;
/// How often a relay that is cut off looks whether it is back.
const CUT_OFF_PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
struct Relay {
    plant: Plant,
    heater: String,
}

/// Why a call failed, in Shelly's numbers.
#[derive(Debug)]
struct RpcError {
    code: i64,
    message: String,
}

impl RpcError {
    fn argument(name: &str) -> Self {
        Self {
            code: -103,
            message: format!("Invalid argument '{name}'!"),
        }
    }
}

impl IntoResponse for RpcError {
    fn into_response(self) -> Response {
        let status = match self.code {
            404 => StatusCode::NOT_FOUND,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (
            status,
            Json(json!({"code": self.code, "message": self.message})),
        )
            .into_response()
    }
}

/// Serves until the task is dropped.
pub(crate) async fn run(listener: TcpListener, plant: Plant, heater: String) {
    let router = Router::new()
        .route("/rpc", post(frame))
        .route("/rpc/{method}", get(by_query).post(by_body))
        .with_state(Relay { plant, heater });
    if let Err(error) = axum::serve(listener, router).await {
        tracing::warn!(%error, "the demo's relay has stopped");
    }
}

async fn by_query(
    State(relay): State<Relay>,
    Path(method): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, RpcError> {
    let params = query
        .into_iter()
        .map(|(name, text)| {
            (
                name,
                serde_json::from_str(&text).unwrap_or(Value::String(text)),
            )
        })
        .collect();
    relay.call(&method, &params).await.map(Json)
}

async fn by_body(
    State(relay): State<Relay>,
    Path(method): Path<String>,
    Json(params): Json<Map<String, Value>>,
) -> Result<Json<Value>, RpcError> {
    relay.call(&method, &params).await.map(Json)
}

async fn frame(State(relay): State<Relay>, Json(frame): Json<Value>) -> Json<Value> {
    let none = Map::new();
    let method = frame
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let params = frame
        .get("params")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let id = frame.get("id").cloned().unwrap_or_default();
    Json(match relay.call(method, params).await {
        Ok(result) => json!({"id": id, "src": DEVICE_ID, "result": result}),
        Err(RpcError { code, message }) => {
            json!({"id": id, "src": DEVICE_ID, "error": {"code": code, "message": message}})
        }
    })
}

/// A made-up device; its address is one of those for local use.
const DEVICE_ID: &str = "shellyplus1pm-02de30000001";

impl Relay {
    async fn call(&self, method: &str, params: &Map<String, Value>) -> Result<Value, RpcError> {
        // Cut off the network, it says nothing at all.
        while !self
            .plant
            .with(|house| house.heater(&self.heater).is_ok_and(|one| one.network()))
        {
            tokio::time::sleep(CUT_OFF_PAUSE).await;
        }
        match method {
            "Switch.Set" => self.set(params),
            "Switch.GetStatus" => self.status(params),
            "Shelly.GetDeviceInfo" => Ok(json!({
                "name": "Water heater", "id": DEVICE_ID, "mac": "02DE30000001", "slot": 0,
                "model": "SNSW-001P16EU", "gen": 2, "fw_id": "demo", "ver": "1.4.4",
                "app": "Plus1PM", "auth_en": false, "auth_domain": null,
            })),
            _ => Err(RpcError {
                code: 404,
                message: format!("No handler for {method}"),
            }),
        }
    }

    fn set(&self, params: &Map<String, Value>) -> Result<Value, RpcError> {
        channel(params)?;
        let on = params
            .get("on")
            .and_then(Value::as_bool)
            .ok_or_else(|| RpcError::argument("on"))?;
        let flip_after = match params.get("toggle_after") {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_f64()
                    .filter(|s| (0.0..=TOGGLE_AFTER_MAX_S).contains(s) && *s > 0.0)
                    .map(Duration::from_secs_f64)
                    .ok_or_else(|| RpcError::argument("toggle_after"))?,
            ),
        };
        let flip_after_ms = flip_after.and_then(|time| u64::try_from(time.as_millis()).ok());
        let was_on = self.plant.with(|house| {
            let now_ms = house.now_ms();
            house
                .heater(&self.heater)
                .map(|one| one.switch(now_ms, on, flip_after_ms))
        });
        was_on
            .map(|was_on| json!({"was_on": was_on}))
            .map_err(|_| not_found())
    }

    fn status(&self, params: &Map<String, Value>) -> Result<Value, RpcError> {
        channel(params)?;
        self.plant.with(|house| {
            let volts = house.voltages().get(headroom_core::Phase::L1);
            let heater = house.heater(&self.heater).map_err(|_| not_found())?;
            let source = match heater.source() {
                Source::Init => "init",
                Source::Http => "HTTP_in",
                Source::Timer => "timer",
            };
            let mut status = json!({
                "id": 0, "source": source, "output": heater.is_on(),
                "apower": tenths(heater.power_w()), "voltage": tenths(volts), "freq": 50.0,
                "current": tenths(heater.power_w() / volts), "pf": 1.0,
                "aenergy": {"total": tenths(heater.energy_wh())},
                "temperature": {"tC": 38.4, "tF": 101.1},
            });
            if let (Some(timer), Some(fields)) = (heater.timer(), status.as_object_mut()) {
                let started = self.plant.wall_at(timer.started_at_ms).as_millisecond();
                let duration = Duration::from_millis(timer.duration_ms).as_secs_f64();
                fields.insert("timer_started_at".into(), json!(started / 1000));
                fields.insert("timer_duration".into(), json!(duration));
            }
            Ok(status)
        })
    }
}

/// It has one relay, number 0.
fn channel(params: &Map<String, Value>) -> Result<(), RpcError> {
    match params.get("id").and_then(Value::as_u64) {
        Some(0) => Ok(()),
        Some(_) => Err(not_found()),
        None => Err(RpcError::argument("id")),
    }
}

fn not_found() -> RpcError {
    RpcError {
        code: -105,
        message: "Argument 'id', value not found!".to_owned(),
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use headroom_sim::House;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::clock::Clock;

    /// One request over a real socket; the status and the JSON of the answer.
    async fn ask(address: SocketAddr, method: &str, target: &str, body: &str) -> (u16, Value) {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    #[tokio::test]
    async fn it_answers_as_a_relay_does_and_flips_back() {
        let plant = Plant::new(
            House::new(headroom_sim::demo::house(), 1),
            Clock::new(1.0, 0),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(run(listener, plant.clone(), "heater".into()));
        let status = "/rpc/Switch.GetStatus?id=0";

        let (code, body) = ask(address, "GET", status, "").await;
        assert_eq!((code, &body["output"]), (200, &json!(false)));
        let set = "/rpc/Switch.Set?id=0&on=true&toggle_after=60";
        assert_eq!(
            ask(address, "GET", set, "").await,
            (200, json!({"was_on": false}))
        );
        plant.with(|house| house.step(10_000));
        let (_, body) = ask(address, "GET", status, "").await;
        assert_eq!(
            (&body["output"], &body["apower"]),
            (&json!(true), &json!(2000.0))
        );
        assert_eq!(body["timer_duration"], json!(60.0));
        plant.with(|house| house.step(61_000));
        let (_, body) = ask(address, "GET", status, "").await;
        assert_eq!(
            (&body["output"], &body["source"]),
            (&json!(false), &json!("timer"))
        );

        let frame = r#"{"id":7,"method":"Switch.Set","params":{"id":0,"on":true}}"#;
        let (_, body) = ask(address, "POST", "/rpc", frame).await;
        assert_eq!(
            (&body["id"], &body["result"]),
            (&json!(7), &json!({"was_on": false}))
        );
        for (target, code) in [
            ("/rpc/Switch.Set?id=0", -103),
            ("/rpc/Switch.Set?id=0&on=maybe", -103),
            ("/rpc/Switch.Set?id=0&on=true&toggle_after=-1", -103),
            ("/rpc/Switch.GetStatus?id=4", -105),
            ("/rpc/Cover.Open?id=0", 404),
        ] {
            let (status, body) = ask(address, "GET", target, "").await;
            assert!(status >= 400);
            assert_eq!(body["code"], json!(code), "{target}");
        }
        server.abort();
    }
}
