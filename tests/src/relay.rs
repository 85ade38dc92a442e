//! A relay as Shelly's second generation answers: `Switch.Set` and `Switch.GetStatus` as HTTP GET, with
//! `toggle_after` in the device itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::http_server::{Answer, HttpServer};

/// The device.
#[derive(Debug)]
pub struct Relay {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
    _server: HttpServer,
}

#[derive(Debug)]
struct State {
    on: bool,
    toggle_at: Option<Instant>,
    rated_w: u32,
    sets: Vec<Set>,
}

/// One `Switch.Set`.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// When it came.
    pub at: Instant,
    /// What was asked.
    pub on: bool,
    /// Seconds after which the device goes back by itself.
    pub toggle_after_s: Option<f64>,
}

impl Relay {
    /// A closed relay with a load behind it.
    pub fn start(rated_w: u32) -> Self {
        let state = State {
            on: true,
            toggle_at: None,
            rated_w,
            sets: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let own = Arc::clone(&state);
        let server = HttpServer::start(move |request| {
            let (method, _) = request.parts();
            let answer = own.lock().unwrap().answer(method, &request.parameters());
            Some(Answer::found(answer.as_ref()))
        });
        Self {
            host: server.host.clone(),
            state,
            _server: server,
        }
    }

    /// Whether it is closed.
    pub fn on(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.tick();
        state.on
    }

    /// Every `Switch.Set` so far.
    pub fn sets(&self) -> Vec<Set> {
        self.state.lock().unwrap().sets.clone()
    }
}

impl State {
    fn tick(&mut self) {
        if self.toggle_at.is_some_and(|at| at <= Instant::now()) {
            self.toggle_at = None;
            self.on = !self.on;
        }
    }

    fn answer(&mut self, method: &str, parameters: &BTreeMap<&str, &str>) -> Option<Value> {
        self.tick();
        match method {
            "/rpc/Switch.Set" => {
                let was_on = self.on;
                self.on = *parameters.get("on")? == "true";
                let toggle_after_s = parameters
                    .get("toggle_after")
                    .and_then(|text| text.parse().ok());
                self.toggle_at =
                    toggle_after_s.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
                self.sets.push(Set {
                    at: Instant::now(),
                    on: self.on,
                    toggle_after_s,
                });
                Some(json!({"was_on": was_on}))
            }
            "/rpc/Switch.GetStatus" => {
                let apower = if self.on {
                    f64::from(self.rated_w)
                } else {
                    0.0
                };
                Some(
                    json!({"id": 0, "source": "http", "output": self.on, "apower": apower, "voltage": 230.4}),
                )
            }
            _ => None,
        }
    }
}
