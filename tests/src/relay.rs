//! A relay as Shelly's second generation answers: `Switch.Set` and `Switch.GetStatus` as HTTP GET, with
//! `toggle_after` in the device itself.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The device.
#[derive(Debug)]
pub struct Relay {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    on: bool,
    toggle_at: Option<Instant>,
    rated_w: u32,
    sets: Vec<Set>,
    end: bool,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = State {
            on: true,
            toggle_at: None,
            rated_w,
            sets: Vec::new(),
            end: false,
        };
        let state = Arc::new(Mutex::new(state));
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
        Self { host, state }
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

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.lock().unwrap().end = true;
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(&self.host));
    }
}

impl State {
    fn tick(&mut self) {
        if self.toggle_at.is_some_and(|at| at <= Instant::now()) {
            self.toggle_at = None;
            self.on = !self.on;
        }
    }

    fn answer(&mut self, method: &str, parameters: &BTreeMap<String, String>) -> Option<Value> {
        self.tick();
        match method {
            "/rpc/Switch.Set" => {
                let was_on = self.on;
                self.on = parameters.get("on")? == "true";
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
        let parameters = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let answer = state.lock().unwrap().answer(path, &parameters);
        let (status, body) = match answer {
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
