//! A go-e charger as its local HTTP API v2 answers, with a car that draws what it is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use crate::{
    house::Car,
    http_server::{Answer, HttpServer, Request},
};

/// A car takes so long to follow a new limit.
const CAR_FOLLOWS_AFTER: Duration = Duration::from_millis(700);
/// Most that the car draws, in amperes.
const CAR_MOST_A: u32 = 16;

/// The device.
#[derive(Debug)]
pub struct Goe {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
    _server: HttpServer,
}

#[derive(Debug)]
struct State {
    amp: u32,
    frc: u32,
    has_car: bool,
    silent: bool,
    drawn_a: u32,
    /// What the car will draw, and when.
    next: Option<(Instant, u32)>,
    sets: Vec<(Instant, String)>,
}

impl Goe {
    /// One with a car that wants all, at its stored 16 A and off by force: nothing flows before it is told.
    pub fn start() -> Self {
        let state = State {
            amp: 16,
            frc: 1,
            has_car: true,
            silent: false,
            drawn_a: 0,
            next: None,
            sets: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let own = Arc::clone(&state);
        let server = HttpServer::start(move |request| own.lock().unwrap().answer(&request));
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

    /// What its car draws now, in amperes.
    pub fn drawn_a(&self) -> u32 {
        self.state.lock().unwrap().look()
    }

    /// The queries of all `/api/set` so far, and when they came.
    pub fn sets(&self) -> Vec<(Instant, String)> {
        self.state.lock().unwrap().sets.clone()
    }

    /// From now on it takes connections and answers nothing; or it answers again.
    pub fn silent(&self, silent: bool) {
        self.state.lock().unwrap().silent = silent;
    }

    /// Somebody sets it by hand, at the device.
    pub fn by_hand(&self, amp: u32) {
        let mut state = self.state.lock().unwrap();
        state.amp = amp;
        state.look();
    }

    /// The car drives away.
    pub fn unplug_car(&self) {
        let mut state = self.state.lock().unwrap();
        state.has_car = false;
        state.look();
    }
}

impl Car for Arc<Mutex<State>> {
    fn current_ma(&self) -> [u32; 3] {
        [self.lock().unwrap().look() * 1_000; 3]
    }
}

impl State {
    /// Lets the car follow what has changed; what it draws now, in amperes.
    fn look(&mut self) -> u32 {
        if let Some((_, amperes)) = self.next.take_if(|(at, _)| *at <= Instant::now()) {
            self.drawn_a = amperes;
        }
        let wanted = if self.frc == 1 || !self.has_car {
            0
        } else {
            self.amp.min(CAR_MOST_A)
        };
        if wanted != self.next.map_or(self.drawn_a, |(_, amperes)| amperes) {
            let at = Instant::now() + CAR_FOLLOWS_AFTER;
            self.next = (wanted != self.drawn_a).then_some((at, wanted));
        }
        self.drawn_a
    }

    fn answer(&mut self, request: &Request) -> Option<Answer> {
        if self.silent {
            return None;
        }
        let ((path, query), parameters) = (request.parts(), request.parameters());
        let answer = match path {
            "/api/status" => Some(self.status(parameters.get("filter").unwrap_or(&""))),
            "/api/set" => Some(self.set(query, &parameters)),
            _ => None,
        };
        Some(Answer::found(answer.as_ref()))
    }

    fn status(&mut self, filter: &str) -> Value {
        let amperes = self.look();
        let car = match (self.has_car, amperes) {
            (false, _) => 1,
            (true, 0) => 3,
            (true, _) => 2,
        };
        let watts = amperes * 230;
        let all = json!({
            "amp": self.amp, "ama": 32, "frc": self.frc, "psm": 2, "alw": self.frc != 1, "car": car, "err": 0,
            "nrg": [230, 231, 229, 0, amperes, amperes, amperes, watts, watts, watts, 0, 3 * watts, 99, 99, 99, 0],
            "wh": 1234.5, "fwv": "060.4", "sse": "000000",
        });
        let wanted = |key: &&String| filter.split(',').any(|name| name == *key);
        let all = all.as_object().unwrap();
        let named = all.iter().filter(|(key, _)| wanted(key));
        Value::Object(
            named
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    /// Each key is answered with true or with words, and the status is 200 all the same.
    fn set(&mut self, query: &str, parameters: &BTreeMap<&str, &str>) -> Value {
        self.sets.push((Instant::now(), query.to_owned()));
        let mut answers = Map::new();
        for (key, value) in parameters {
            let number = value.parse::<u32>();
            let answer = match (*key, number) {
                ("amp", Ok(amp)) if (6..=32).contains(&amp) => {
                    self.amp = amp;
                    json!(true)
                }
                ("frc", Ok(frc)) if frc <= 2 => {
                    self.frc = frc;
                    json!(true)
                }
                _ => json!(format!("{value} is not a value of {key}")),
            };
            answers.insert((*key).to_owned(), answer);
        }
        self.look();
        Value::Object(answers)
    }
}
