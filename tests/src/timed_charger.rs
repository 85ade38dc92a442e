//! A charger with a small HTTP interface of its own, for a profile of the house: each limit holds for a time, and then the
//! charger is at its safe current. One that keeps its limits says the same and does not fall.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::house::Current;

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
/// How often the car looks.
const CAR_LOOKS_EVERY: Duration = Duration::from_millis(50);

/// The device.
#[derive(Debug)]
pub struct TimedCharger {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
    current: Current,
}

#[derive(Debug, Default)]
struct State {
    keeps: bool,
    limit_ma: u32,
    safe_ma: u32,
    until: Option<Instant>,
    writes: usize,
    end: bool,
}

impl TimedCharger {
    /// One with a car that wants all; `keeps`: its limits never end.
    pub fn start(keeps: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State {
            keeps,
            ..State::default()
        }));
        let current = Current::default();
        {
            let (state, current) = (Arc::clone(&state), Arc::clone(&current));
            thread::spawn(move || {
                while !state.lock().unwrap().end {
                    *current.lock().unwrap() = [state.lock().unwrap().draw_ma(); 3];
                    thread::sleep(CAR_LOOKS_EVERY);
                }
            });
        }
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if own.lock().unwrap().end {
                    return;
                }
                let state = Arc::clone(&own);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self {
            host,
            state,
            current,
        }
    }

    /// What its car draws per phase in milliamperes, for the meter of the house.
    pub fn current(&self) -> Current {
        Arc::clone(&self.current)
    }

    /// How often it was written.
    pub fn writes(&self) -> usize {
        self.state.lock().unwrap().writes
    }
}

impl Drop for TimedCharger {
    fn drop(&mut self) {
        self.state.lock().unwrap().end = true;
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(&self.host));
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

    fn answer(&mut self, path: &str, query: &BTreeMap<String, u32>) -> Option<Value> {
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
                self.limit_ma = *query.get("ma")?;
                self.safe_ma = *query.get("safe_a")? * 1_000;
                let seconds = Duration::from_secs((*query.get("seconds")?).into());
                self.until = Some(Instant::now() + seconds);
                self.writes += 1;
                Some(json!({"ok": true}))
            }
            _ => None,
        }
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if !matches!(reader.read_line(&mut request), Ok(1..)) {
            return;
        }
        loop {
            let mut header = String::new();
            if !matches!(reader.read_line(&mut header), Ok(1..)) {
                return;
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect();
        let (status, body) = match state.lock().unwrap().answer(path, &query) {
            Some(body) => ("200 OK", body.to_string()),
            None => ("404 Not Found", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if writer
            .write_all(format!("{head}{body}").as_bytes())
            .is_err()
        {
            return;
        }
    }
}
