//! A charge point in a process of its own, made with a library that others wrote (`peers/charge_point.py`).

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    controller::{charge_point_id, password},
    house::Car,
    process::{Lines, Process},
    program, tools,
};

/// Python starts in a second; on a busy machine in some.
const START: Duration = Duration::from_secs(30);
/// Home Assistant starts in ten seconds, and in some minutes on a busy machine.
const HOME_ASSISTANT_START: Duration = Duration::from_secs(200);

/// One charge point with a car.
#[derive(Debug)]
pub struct Peer {
    process: Process,
}

/// What it draws, for the meter of the house.
#[derive(Clone, Debug)]
pub struct Draw {
    lines: Lines,
    connector: Option<u64>,
}

impl Peer {
    /// The charge point of the charger `id` with its right password; `None` without a Python for it.
    pub fn start(url: &str, id: &str, more: &[&str]) -> Option<Self> {
        Self::with_password(url, id, &password(id), more)
    }

    /// One that speaks OCPP 2.0.1, or 2.1 with `--ocpp21` (`peers/charge_point_201.py`).
    pub fn speaking_201(url: &str, id: &str, more: &[&str]) -> Option<Self> {
        Self::run("charge_point_201.py", url, id, &password(id), more)
    }

    /// One that judges every message by the official schemas (`peers/node/charge_point.mjs`); `None` without Node.
    pub fn strict(url: &str, id: &str) -> Option<Self> {
        let mut command = tools::node_script("charge_point.mjs")?;
        command
            .args(["--url", url, "--id", &charge_point_id(id)])
            .args(["--password", &password(id)]);
        Some(Self {
            process: Process::start(&mut command),
        })
    }

    /// One made with the crate `ocpp-client` (`peers/rust`); `None` where it is not built.
    pub fn in_rust(url: &str, id: &str) -> Option<Self> {
        let mut command = tools::rust_peer()?;
        command.args([url, &charge_point_id(id), &password(id)]);
        Some(Self {
            process: Process::start(&mut command),
        })
    }

    /// One with two connectors and two cars (`peers/two_connectors.py`).
    pub fn with_two_connectors(url: &str, id: &str, more: &[&str]) -> Option<Self> {
        Self::run("two_connectors.py", url, id, &password(id), more)
    }

    /// The same with any password.
    pub fn with_password(url: &str, id: &str, password: &str, more: &[&str]) -> Option<Self> {
        Self::run("charge_point.py", url, id, password, more)
    }

    /// A charger with the registers of an Alfen, at a port as unit 1 (`peers/modbus_charger.py`); `None` without
    /// pymodbus.
    pub fn modbus(port: u16, more: &[&str]) -> Option<Self> {
        let mut command = tools::script("modbus_charger.py", "pymodbus")?;
        command.args(["--port", &port.to_string()]).args(more);
        let process = Process::start(&mut command);
        let ready = |line: &str| (line == "ready").then_some(());
        let started = process.stdout.find(0, START, ready);
        started.unwrap_or_else(|| {
            let errors = process.stderr.all().join("\n");
            panic!("the charger never said that it is ready: {errors}")
        });
        Some(Self { process })
    }

    /// Home Assistant itself with a charger made of its helpers (`peers/home_assistant.py`), and a token of it; `None` where it is
    /// not installed, which takes a while: `HEADROOM_HOME_ASSISTANT=1 ./check` does it.
    pub fn home_assistant(port: u16, config: &Path, more: &[&str]) -> Option<(Self, String)> {
        let mut command = tools::home_assistant("home_assistant.py")?;
        command
            .args(["--port", &port.to_string(), "--config"])
            .arg(config)
            .args(more);
        let process = Process::start(&mut command);
        let ready = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            Some(line["token"].as_str()?.to_owned())
        };
        let token = process.stdout.find(0, HOME_ASSISTANT_START, ready);
        let token = token.unwrap_or_else(|| {
            let errors = process.stderr.all().join("\n");
            panic!("Home Assistant never said that it is ready: {errors}")
        });
        Some((Self { process }, token))
    }

    /// Announces devices by mDNS, for as long as it lives (`peers/announce.py`).
    pub fn announcer(devices: &Value) -> Option<Self> {
        let mut command = tools::home_assistant("announce.py")?;
        command.arg(devices.to_string());
        let peer = Self {
            process: Process::start(&mut command),
        };
        peer.wait("announced", 0, START, |line| {
            (line["event"] == "announced").then_some(())
        });
        Some(peer)
    }

    fn run(script: &str, url: &str, id: &str, password: &str, more: &[&str]) -> Option<Self> {
        let script = program::workspace().join("tests/peers").join(script);
        let mut command = Command::new(program::python()?);
        command
            .arg(script)
            .args([
                "--url",
                url,
                "--id",
                &charge_point_id(id),
                "--password",
                password,
            ])
            .args(more);
        Some(Self {
            process: Process::start(&mut command),
        })
    }

    /// `plug`, `unplug` or `full`.
    pub fn tell(&mut self, what: &str) {
        self.process.write_line(what);
    }

    /// Where its lines are now, to wait from.
    pub fn mark(&self) -> usize {
        self.process.stdout.mark()
    }

    /// Its newest state.
    pub fn now(&self) -> Option<Value> {
        last_state(&self.process.stdout, None)
    }

    /// The newest state of one of its connectors.
    pub fn now_at(&self, connector: u64) -> Option<Value> {
        last_state(&self.process.stdout, Some(connector))
    }

    /// Waits for a state from `mark` on, and gives what `wanted` gives.
    ///
    /// # Panics
    /// After `limit` without one.
    pub fn wait<T>(
        &self,
        what: &str,
        mark: usize,
        limit: Duration,
        mut wanted: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        let begun = Instant::now();
        let found = self.process.stdout.find(mark, limit, |line| {
            wanted(&serde_json::from_str(line).unwrap_or_default())
        });
        found.unwrap_or_else(|| {
            let errors = self.process.stderr.all();
            let errors = errors[errors.len().saturating_sub(20)..].join("\n");
            panic!(
                "{what}: not after {:?}; it said {:?}\n{errors}",
                begun.elapsed(),
                self.process.stdout.last()
            )
        })
    }

    /// Waits until it draws a current on its first phase within bounds; gives the moment.
    pub fn wait_current(
        &self,
        mark: usize,
        limit: Duration,
        bounds: std::ops::RangeInclusive<f64>,
    ) -> f64 {
        let what = format!("drawing {bounds:?} A");
        self.wait(&what, mark, limit, |line| {
            let current = line["current_a"][0].as_f64()?;
            bounds.contains(&current).then(|| line["t"].as_f64())?
        })
    }

    /// All its states so far.
    pub fn states(&self) -> Vec<Value> {
        self.process
            .stdout
            .all()
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| line["t"].is_number())
            .collect()
    }

    /// All its events of that name so far.
    pub fn events(&self, name: &str) -> Vec<Value> {
        self.process
            .stdout
            .all()
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| line["event"] == name)
            .collect()
    }

    /// For the meter of the house.
    pub fn draw(&self) -> Draw {
        Draw {
            lines: self.process.stdout.clone(),
            connector: None,
        }
    }

    /// One of its connectors, for the meter of the house.
    pub fn draw_at(&self, connector: u64) -> Draw {
        Draw {
            connector: Some(connector),
            ..self.draw()
        }
    }
}

impl Car for Draw {
    fn current_ma(&self) -> [u32; 3] {
        let state = last_state(&self.lines, self.connector).unwrap_or_default();
        [0, 1, 2].map(|phase| milli(state["current_a"][phase].as_f64().unwrap_or_default()))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a charger's current: from 0 to some ten amperes"
)]
fn milli(amperes: f64) -> u32 {
    (amperes * 1000.0).round() as u32
}

fn last_state(lines: &Lines, connector: Option<u64>) -> Option<Value> {
    let all = lines.all();
    all.iter().rev().find_map(|line| {
        let state: Value = serde_json::from_str(line).ok()?;
        let own = connector.is_none_or(|connector| state["connector"] == connector);
        (own && state["t"].is_number()).then_some(state)
    })
}
