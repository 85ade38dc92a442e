//! A go-e charger as its local HTTP API v2 answers, with a car that draws what it is told.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

/// A car takes so long to follow a new limit.
const CAR_FOLLOWS_AFTER: Duration = Duration::from_millis(700);
/// Most that the car draws, in amperes.
const CAR_MOST_A: u32 = 16;
/// How often the car looks.
const CAR_LOOKS_EVERY: Duration = Duration::from_millis(50);

/// The device.
#[derive(Debug)]
pub struct Goe {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
    current_ma: Arc<Mutex<[u32; 3]>>,
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
    end: bool,
}

impl Goe {
    /// One with a car that wants all, at its stored 16 A and off by force: nothing flows before it is told.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = State {
            amp: 16,
            frc: 1,
            has_car: true,
            silent: false,
            drawn_a: 0,
            next: None,
            sets: Vec::new(),
            end: false,
        };
        let state = Arc::new(Mutex::new(state));
        let current_ma = Arc::<Mutex<[u32; 3]>>::default();
        {
            let (state, current_ma) = (Arc::clone(&state), Arc::clone(&current_ma));
            thread::spawn(move || {
                while !state.lock().unwrap().end {
                    *current_ma.lock().unwrap() = [state.lock().unwrap().draw() * 1_000; 3];
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
            current_ma,
        }
    }

    /// What its car draws per phase in milliamperes, for the meter of the house.
    pub fn current(&self) -> Arc<Mutex<[u32; 3]>> {
        Arc::clone(&self.current_ma)
    }

    /// What its car draws now, in amperes.
    pub fn drawn_a(&self) -> u32 {
        self.current_ma.lock().unwrap()[0] / 1_000
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
        self.state.lock().unwrap().amp = amp;
    }

    /// The car drives away.
    pub fn unplug_car(&self) {
        self.state.lock().unwrap().has_car = false;
    }
}

impl Drop for Goe {
    fn drop(&mut self) {
        self.state.lock().unwrap().end = true;
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(&self.host));
    }
}

impl State {
    fn draw(&mut self) -> u32 {
        let wanted = if self.frc == 1 || !self.has_car {
            0
        } else {
            self.amp.min(CAR_MOST_A)
        };
        match self.next {
            Some((at, amperes)) if at <= Instant::now() => {
                self.drawn_a = amperes;
                self.next = None;
            }
            Some((_, amperes)) if amperes == wanted => {}
            _ if wanted == self.drawn_a => self.next = None,
            _ => self.next = Some((Instant::now() + CAR_FOLLOWS_AFTER, wanted)),
        }
        self.drawn_a
    }

    fn status(&self, filter: &str) -> Value {
        let car = match (self.has_car, self.drawn_a) {
            (false, _) => 1,
            (true, 0) => 3,
            (true, _) => 2,
        };
        let (amperes, watts) = (self.drawn_a, self.drawn_a * 230);
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
    fn set(&mut self, query: &str, parameters: &BTreeMap<String, String>) -> Value {
        self.sets.push((Instant::now(), query.to_owned()));
        let mut answers = Map::new();
        for (key, value) in parameters {
            let number = value.parse::<u32>();
            let answer = match (key.as_str(), number) {
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
            answers.insert(key.clone(), answer);
        }
        Value::Object(answers)
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
        let parameters: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let answer = {
            let mut state = state.lock().unwrap();
            if state.silent {
                continue;
            }
            let filter = parameters.get("filter").cloned().unwrap_or_default();
            match path {
                "/api/status" => Some(state.status(&filter)),
                "/api/set" => Some(state.set(query, &parameters)),
                _ => None,
            }
        };
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
