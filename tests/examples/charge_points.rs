//! A site of 500 charge points, in the real service over real websockets: printed, never asserted.
//!
//! First all of them connect at once, with as many that nobody knows beside them; then they report every 10 s while
//! the house takes more and less, and what is measured is the time from a telegram's last byte to each reduction on a
//! socket, and the memory that a charge point costs. `HEADROOM_BIN` names the binary; give a release build.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement that fails may panic"
)]

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt as _, StreamExt as _};
use headroom_tests::{
    controller::{Controller, charge_point_id, password},
    pty::MeterPort,
    telegram::{Values, p1},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const CHARGERS: usize = 500;
/// The largest fuse that there is; a third of the chargers on each line, all at their least current, fill it.
const FUSE_A: u32 = 1000;
const REPORT_EVERY: Duration = Duration::from_secs(10);
const ROUNDS: u32 = 8;
/// What the house takes of each line when it takes more. Room is left for the largest step that was seen, so each is larger
/// than those before: reductions are forced.
const OVERLOAD_A: u32 = 200;
const MORE_EACH_ROUND_A: u32 = 100;
/// A charge point that nobody has answered by then was not served.
const SERVED_WITHIN: Duration = Duration::from_mins(1);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the charge points tell the bench.
enum News {
    /// The answer to the first call of one: known or not.
    Served(Instant),
    /// Nobody is there for it.
    TurnedAway,
    /// A limit, in milliamperes: when, and before.
    Limit { at: Instant, lowered: bool },
}

fn main() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let mut controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    let tuning = json!({"raise_after_s": 1, "restart_after_s": 1, "hold_s": 1});
    controller.configure_site(f64::from(FUSE_A), &tuning);
    for number in 0..CHARGERS {
        let line = ["l1", "l2", "l3"][number % 3];
        controller.add_charger(&id(number), &json!({"phases": [line]}));
    }
    // What adding them took is not what they take.
    controller.restart();
    let alone = memory(controller.process.id());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (news, heard) = channel();
    let drawn: Arc<[AtomicU32; 3]> = Arc::default();
    let started = Instant::now();
    for number in 0..CHARGERS {
        let point = charge_point(
            controller.ocpp_port,
            number,
            news.clone(),
            Arc::clone(&drawn),
        );
        runtime.spawn(point);
        runtime.spawn(stranger(controller.ocpp_port, number, news.clone()));
    }
    let mut bench = Bench {
        port,
        heard,
        drawn,
        second: 0,
    };
    let connected = bench.storm(&controller, started);
    let served = memory(controller.process.id());
    println!(
        "benchmark: {connected} charge points are connected, resident memory: {:.1} MB, before them {:.1} MB, {:.0} kB \
         each (aim: under 100 kB each)",
        served / 1e3,
        alone / 1e3,
        (served - alone) / connected as f64,
    );
    bench.overloads();
    runtime.shutdown_background();
}

fn id(number: usize) -> String {
    format!("ev{number}")
}

struct Bench {
    port: MeterPort,
    heard: Receiver<News>,
    drawn: Arc<[AtomicU32; 3]>,
    second: u32,
}

impl Bench {
    /// All connect at once; the meter goes on, and how old its newest reading gets tells how the loop does.
    fn storm(&mut self, controller: &Controller, started: Instant) -> usize {
        let (mut served, mut away, mut oldest) = (Vec::new(), 0, 0.0_f64);
        while served.len() + away < 2 * CHARGERS && started.elapsed() < SERVED_WITHIN {
            self.telegram(50);
            let next = Instant::now() + Duration::from_secs(1);
            while let Ok(news) = self
                .heard
                .recv_timeout(next.saturating_duration_since(Instant::now()))
            {
                match news {
                    News::Served(at) => served.push(at),
                    News::TurnedAway => away += 1,
                    News::Limit { .. } => {}
                }
            }
            let age = controller.status()["meter"]["age_s"].as_f64();
            oldest = oldest.max(age.unwrap_or_default());
        }
        let last = served
            .iter()
            .max()
            .map_or(0.0, |at| at.duration_since(started).as_secs_f64());
        println!(
            "benchmark: {} charge points connect at once, half of them unknown: {} served, the last after {last:.1} s, \
             {away} strangers turned away, the meter's reading never older than {oldest:.1} s (aim: all within 60 s)",
            2 * CHARGERS,
            served.len(),
        );
        served.len()
    }

    /// The house takes more, and less again.
    fn overloads(&mut self) {
        let mut delays = Vec::new();
        for round in 0..ROUNDS {
            for _ in 0..12 {
                self.second_of(50);
            }
            let overload_a = OVERLOAD_A + MORE_EACH_ROUND_A * round;
            let sent = self.telegram(overload_a);
            delays.extend(self.listen(sent + Duration::from_secs(1), sent));
            self.second_of(overload_a);
        }
        delays.sort_unstable();
        let at = |share: usize| {
            delays
                .get(delays.len() * share / 100)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "benchmark: last byte of a telegram to the reduction on the socket, {CHARGERS} charge points that report every \
             10 s, {} reductions: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms (aim: p99 under 100 ms)",
            delays.len(),
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3,
            delays.last().copied().unwrap_or_default().as_secs_f64() * 1e3,
        );
    }

    fn second_of(&mut self, background_a: u32) {
        let next = Instant::now() + Duration::from_secs(1);
        self.telegram(background_a);
        drop(self.listen(next, next));
    }

    /// How long after `sent` each reduction came.
    fn listen(&mut self, until: Instant, sent: Instant) -> Vec<Duration> {
        let mut all = Vec::new();
        while let Ok(news) = self
            .heard
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if let News::Limit { at, lowered: true } = news {
                all.push(at.saturating_duration_since(sent));
            }
        }
        all
    }

    fn telegram(&mut self, background_a: u32) -> Instant {
        self.second += 1;
        let second = self.second;
        let line = |line: usize| background_a * 1000 + self.drawn[line].load(Ordering::Relaxed);
        let current_ma = [line(0), line(1), line(2)];
        let volts = |line: u32| 230_000 + (second * 7 + line * 3) % 11 * 100;
        let power = current_ma.iter().sum::<u32>() / 1000 * 230;
        let values = Values::house(power, current_ma, [volts(0), volts(1), volts(2)]);
        self.port.send(&p1::telegram(&values, second));
        Instant::now()
    }
}

async fn connect(port: u16, identity: &str, password: Option<&str>) -> Option<Socket> {
    let mut request = format!("ws://127.0.0.1:{port}/{identity}")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
    if let Some(password) = password {
        let basic = STANDARD.encode(format!("{identity}:{password}"));
        headers.insert("Authorization", format!("Basic {basic}").parse().unwrap());
    }
    connect_async(request).await.ok().map(|(socket, _)| socket)
}

async fn send(socket: &mut Socket, message: Value) {
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
}

fn boot() -> Value {
    json!([2, "boot", "BootNotification", {"chargePointVendor": "Bench", "chargePointModel": "Many"}])
}

/// One that nobody has adopted.
async fn stranger(port: u16, number: usize, news: Sender<News>) {
    let Some(mut socket) = connect(port, &format!("STRANGER-{number}"), None).await else {
        drop(news.send(News::TurnedAway));
        return;
    };
    send(&mut socket, boot()).await;
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().is_ok_and(|text| text.starts_with("[3,")) {
            drop(news.send(News::Served(Instant::now())));
        }
    }
}

/// One that draws what it is told.
async fn charge_point(port: u16, number: usize, news: Sender<News>, drawn: Arc<[AtomicU32; 3]>) {
    let identity = charge_point_id(&id(number));
    let Some(mut socket) = connect(port, &identity, Some(&password(&id(number)))).await else {
        drop(news.send(News::TurnedAway));
        return;
    };
    send(&mut socket, boot()).await;
    let status = |status: &str| json!([2, status, "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status}]);
    let start = json!([2, "start", "StartTransaction",
        {"connectorId": 1, "idTag": "CAR", "meterStart": 0, "timestamp": "2026-01-15T11:00:00Z"}]);
    let mut opening = vec![status("Charging"), start, status("Preparing")];
    let mut told_ma = 0;
    let first = REPORT_EVERY * u32::try_from(number).unwrap() / u32::try_from(CHARGERS).unwrap();
    let mut report = tokio::time::interval_at(tokio::time::Instant::now() + first, REPORT_EVERY);
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(Message::Text(text))) = message else {
                    if matches!(message, None | Some(Err(_))) { return; }
                    continue;
                };
                let at = Instant::now();
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame[0] == 3 {
                    if frame[1] == "boot" {
                        drop(news.send(News::Served(at)));
                    }
                    if let Some(next) = opening.pop() {
                        send(&mut socket, next).await;
                    }
                } else if frame[0] == 2 {
                    send(&mut socket, answer(&frame)).await;
                    if let Some(limit_ma) = lease(&frame) {
                        let lowered = limit_ma < told_ma;
                        let line = &drawn[number % 3];
                        line.fetch_add(limit_ma, Ordering::Relaxed);
                        line.fetch_sub(told_ma, Ordering::Relaxed);
                        told_ma = limit_ma;
                        drop(news.send(News::Limit { at, lowered }));
                    }
                }
            }
            _ = report.tick(), if opening.is_empty() => send(&mut socket, meter_values(told_ma)).await,
        }
    }
}

fn answer(call: &Value) -> Value {
    let payload = match call[2].as_str().unwrap() {
        "GetConfiguration" => json!({"configurationKey": [], "unknownKey": []}),
        "GetCompositeSchedule" => json!({"status": "Rejected"}),
        _ => json!({"status": "Accepted"}),
    };
    json!([3, call[1], payload])
}

/// The current of a lease, in milliamperes; `None` for a base and for any other call.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some ten amperes"
)]
fn lease(call: &Value) -> Option<u32> {
    let profile = &call[3]["csChargingProfiles"];
    let periods = profile["chargingSchedule"]["chargingSchedulePeriod"].as_array()?;
    let leased = periods.len() > 1 || profile["stackLevel"].as_u64() > Some(0);
    let amperes = periods.first()?["limit"].as_f64().filter(|_| leased)?;
    Some((amperes * 1000.0).round() as u32)
}

fn meter_values(told_ma: u32) -> Value {
    let sampled = json!({"value": format!("{:.1}", f64::from(told_ma) / 1000.0), "measurand": "Current.Import",
                         "unit": "A", "phase": "L1"});
    json!([2, "values", "MeterValues", {"connectorId": 1, "transactionId": 1,
        "meterValue": [{"timestamp": "2026-01-15T12:00:00Z", "sampledValue": [sampled]}]}])
}

/// Resident memory of a process, in kB of 1000 bytes.
fn memory(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1.024
}
