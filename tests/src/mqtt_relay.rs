//! A relay as Tasmota's firmware behaves behind a broker, with Debian's own clients as its ear and its mouth.

use std::{
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::json;

use crate::{
    broker::Broker,
    process::{Lines, Process},
    tools,
};

/// How long it listens before it looks whether it shall end.
const TURN: Duration = Duration::from_millis(200);

/// The device.
#[derive(Debug)]
pub struct MqttRelay {
    state: Arc<Mutex<State>>,
    end: Arc<AtomicBool>,
    ear: Process,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    on: bool,
    mute: bool,
    commands: Vec<(String, String)>,
}

impl MqttRelay {
    /// A closed relay with a load of `rated_w` behind it; `None` without Debian's clients.
    pub fn start(broker: &Arc<Broker>, topic: &str, rated_w: u32) -> Option<Self> {
        let mut command = Command::new(tools::tool("mosquitto_sub")?);
        let port = broker.port.to_string();
        let listen = format!("cmnd/{topic}/#");
        command.args(["-h", "127.0.0.1", "-p", &port, "-t", &listen, "-v"]);
        let mark = broker.mark();
        let ear = Process::start(&mut command);
        broker.wait_subscribed(mark);
        let state = Arc::new(Mutex::new(State {
            on: true,
            ..State::default()
        }));
        let end = Arc::new(AtomicBool::new(false));
        let device = Device {
            state: Arc::clone(&state),
            end: Arc::clone(&end),
            broker: Arc::clone(broker),
            topic: topic.to_owned(),
            rated_w,
        };
        let lines = ear.stdout.clone();
        let thread = Some(thread::spawn(move || device.live(&lines)));
        Some(Self {
            state,
            end,
            ear,
            thread,
        })
    }

    /// Whether it is closed.
    pub fn on(&self) -> bool {
        self.state.lock().unwrap().on
    }

    /// Whether it answers nothing from now on.
    pub fn mute(&self, mute: bool) {
        self.state.lock().unwrap().mute = mute;
    }

    /// Each command that switches, so far.
    pub fn commands(&self) -> Vec<(String, String)> {
        self.state.lock().unwrap().commands.clone()
    }
}

impl Drop for MqttRelay {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        self.ear.kill();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Device {
    state: Arc<Mutex<State>>,
    end: Arc<AtomicBool>,
    broker: Arc<Broker>,
    topic: String,
    rated_w: u32,
}

impl Device {
    fn live(&self, lines: &Lines) {
        let mut mark = 0;
        while !self.end.load(Ordering::Relaxed) {
            if let Some(line) = lines.find(mark, TURN, |line| Some(line.to_owned())) {
                mark += 1;
                self.hear(&line);
            }
        }
    }

    fn hear(&self, line: &str) {
        let (topic, payload) = line.split_once(' ').unwrap_or((line, ""));
        // So the client writes a message without content.
        let payload = payload.replace("(null)", "");
        let (payload, command) = (payload.trim(), topic.rsplit('/').next().unwrap_or_default());
        let on = {
            let mut state = self.state.lock().unwrap();
            if state.mute {
                return;
            }
            if command == "POWER" && !payload.is_empty() {
                state.on = payload == "ON";
                state
                    .commands
                    .push((command.to_owned(), payload.to_owned()));
            } else if command != "POWER" && command != "STATUS" {
                state
                    .commands
                    .push((command.to_owned(), payload.to_owned()));
            }
            state.on
        };
        match (command, payload) {
            ("POWER", _) => {
                let word = if on { "ON" } else { "OFF" };
                let result = json!({"POWER": word}).to_string();
                self.say("RESULT", &result);
                self.say("POWER", word);
            }
            ("STATUS", "8") => {
                let power = if on { self.rated_w } else { 0 };
                let status = json!({"StatusSNS": {"Time": "2026-01-15T12:00:00",
                    "ENERGY": {"Power": power, "Voltage": 230, "Current": 8.7}}});
                self.say("STATUS8", &status.to_string());
            }
            _ => {}
        }
    }

    fn say(&self, what: &str, payload: &str) {
        let topic = format!("stat/{}/{what}", self.topic);
        self.broker.publish(&topic, payload.as_bytes(), false);
    }
}
