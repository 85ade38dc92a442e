//! A charger with a small HTTP interface of its own, for a profile of the house: each limit holds for a time, and then the
//! charger is at its safe current. One that keeps its limits says the same and does not fall.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    house::Car,
    http_server::{Answer, HttpServer},
};

/// The profile of it, as an owner would write it.
pub const PROFILE: &str = r#"
title = "Box in the garage"
kind = "charger"

[requests.state]
method = "GET"
path = "/state"

[requests.limit]
method = "GET"
path = "/limit"
query = { ma = "{{ ma }}", seconds = "{{ lease_s }}", safe_a = "{{ safe_a }}" }
ok = '.ok'

[read]
ask = ["state"]
status = '.state.status'
current_a = '[.state.ma / 1000, .state.ma / 1000, .state.ma / 1000]'

[limit]
ask = ["limit"]
pause = ["limit"]
min_a = 6
max_a = 32
step_a = 1

[pace]
poll_s = 1

[safety]
on_loss = "falls"
text = "Falls to its safe current when its time is over."
"#;

/// Most that the car draws, in milliamperes.
const CAR_MA: u32 = 16_000;

/// The device.
#[derive(Debug)]
pub struct TimedCharger {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
    _server: HttpServer,
}

#[derive(Debug, Default)]
struct State {
    keeps: bool,
    limit_ma: u32,
    safe_ma: u32,
    until: Option<Instant>,
    writes: usize,
}

impl TimedCharger {
    /// One with a car that wants all; `keeps`: its limits never end.
    pub fn start(keeps: bool) -> Self {
        let state = Arc::new(Mutex::new(State {
            keeps,
            ..State::default()
        }));
        let own = Arc::clone(&state);
        let server = HttpServer::start(move |request| {
            let (path, _) = request.parts();
            let answer = own.lock().unwrap().answer(path, &request.parameters());
            Some(Answer::found(answer.as_ref()))
        });
        Self {
            host: server.host.clone(),
            state,
            _server: server,
        }
    }

    /// For the meter of the house.
    pub fn draw(&self) -> impl Car + use<> {
        Arc::clone(&self.state)
    }

    /// How often it was written.
    pub fn writes(&self) -> usize {
        self.state.lock().unwrap().writes
    }
}

impl Car for Arc<Mutex<State>> {
    fn current_ma(&self) -> [u32; 3] {
        [self.lock().unwrap().draw_ma(); 3]
    }
}

impl State {
    fn draw_ma(&self) -> u32 {
        let runs = self.until.is_some_and(|until| Instant::now() < until);
        let limit = if runs || (self.keeps && self.until.is_some()) {
            self.limit_ma
        } else {
            self.safe_ma
        };
        if limit < 6_000 { 0 } else { limit.min(CAR_MA) }
    }

    fn answer(&mut self, path: &str, query: &BTreeMap<&str, &str>) -> Option<Value> {
        match path {
            "/state" => {
                let draw = self.draw_ma();
                let status = if draw > 0 {
                    "charging"
                } else {
                    "suspended_evse"
                };
                Some(json!({"status": status, "ma": draw}))
            }
            "/limit" => {
                let number = |name| query.get(name)?.parse::<u32>().ok();
                self.limit_ma = number("ma")?;
                self.safe_ma = number("safe_a")? * 1_000;
                let seconds = Duration::from_secs(number("seconds")?.into());
                self.until = Some(Instant::now() + seconds);
                self.writes += 1;
                Some(json!({"ok": true}))
            }
            _ => None,
        }
    }
}
