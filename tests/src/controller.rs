//! The service: `headroom run` on loopback with a data directory of its own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    api::Api,
    process::{self, Outcome, Process},
    program, wait,
};

/// A service that takes longer to say its address has failed.
const START: Duration = Duration::from_secs(30);
/// A change is in force at once.
const KNOWN: Duration = Duration::from_secs(10);
/// Lines of its log that are shown when a test fails.
const LOG_TAIL: usize = 60;

/// `headroom` with arguments, without what the environment may say to it.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program::headroom());
    command.args(arguments);
    for twin in [
        "DATA",
        "LISTEN",
        "OCPP_LISTEN",
        "HOST_NAMES",
        "METER",
        "OBSERVE",
        "LOG_FORMAT",
    ] {
        command.env_remove(format!("HEADROOM_{twin}"));
    }
    command
        .env_remove("STATE_DIRECTORY")
        .env_remove("NOTIFY_SOCKET");
    command
}

/// Runs `headroom` to its end.
pub fn run(arguments: &[&str], input: &[u8]) -> Outcome {
    process::run(&mut command(arguments), input, Duration::from_secs(60))
}

/// A free port on loopback, as far as anybody can know.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A running service.
#[derive(Debug)]
pub struct Controller {
    /// Its process.
    pub process: Process,
    /// Its data directory.
    pub data: PathBuf,
    /// The API with an installer's token.
    pub api: Api,
    /// The port for charge points.
    pub ocpp_port: u16,
    meter: Option<String>,
    web_port: u16,
}

impl Controller {
    /// Makes an installer's token in a new data directory and starts the service.
    pub fn start(data: &Path, meter: Option<&str>) -> Self {
        let token = create_token(data, "test", "installer");
        let ocpp_port = free_port();
        let (process, base) = launch(data, 0, ocpp_port, meter);
        let web_port = base.rsplit_once(':').unwrap().1.parse().unwrap();
        Self {
            process,
            data: data.to_owned(),
            api: Api::new(&base).with_token(&token),
            ocpp_port,
            meter: meter.map(str::to_owned),
            web_port,
        }
    }

    /// Starts it again after its end, on the same ports and data.
    pub fn restart(&mut self) {
        self.process.kill();
        let (process, base) = launch(
            &self.data,
            self.web_port,
            self.ocpp_port,
            self.meter.as_deref(),
        );
        assert_eq!(base, self.api.base);
        self.process = process;
    }

    /// Where charge points connect, without the identity.
    pub fn ocpp_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.ocpp_port)
    }

    /// `GET /status`.
    pub fn status(&self) -> Value {
        self.api.get("status").expect(200).json
    }

    /// One load of the status.
    pub fn load(&self, id: &str) -> Value {
        let status = self.status();
        let loads = status["loads"].as_array().unwrap();
        loads.iter().find(|load| load["id"] == id).unwrap().clone()
    }

    /// Waits until `wanted` gives something of the status.
    pub fn wait_status<T>(
        &self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        let mut last = Value::Null;
        let found = wait::at_most(limit, || {
            last = self.status();
            wanted(&last)
        });
        found.unwrap_or_else(|| panic!("{what}: not within {limit:?}; the last status is {last:#}"))
    }

    /// Sets the house in control of a fuse, with times that suit a test.
    pub fn configure_site(&self, rating_a: f64, tuning: &Value) {
        let site = json!({
            "name": "Test house", "time_zone": "Europe/Oslo", "mode": "control", "grid": "tn_3ph",
            "main_fuse": {"rating_a": rating_a, "characteristic": "gg"}, "tuning": tuning,
        });
        drop(self.api.put("site", &site).expect(200));
    }

    /// Adds a charger on an OCPP charge point with the password `secret-ID`.
    pub fn add_charger(&self, id: &str, more: &Value) {
        let mut charger = json!({
            "id": id, "name": id,
            "driver": {"kind": "ocpp", "charge_point_id": charge_point_id(id), "connector": 1,
                       "auth": "basic", "password": password(id)},
            "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"],
            "safe_current_a": 0, "lease_s": 120,
        });
        for (field, value) in more.as_object().unwrap() {
            charger[field] = value.clone();
        }
        drop(self.api.post("chargers", &charger).expect(201));
        // A charge point that connects before it is known is told to connect again; those of the tests do not.
        self.wait_status("the charger is known", KNOWN, |status| {
            let mut loads = status["loads"].as_array()?.iter();
            loads.any(|load| load["id"] == id).then_some(())
        });
    }

    /// All decisions, oldest first.
    pub fn decisions(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .api
                .get(&format!("decisions?limit=500{cursor}"))
                .expect(200)
                .json;
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match &page["next"] {
                Value::Null => break,
                next => {
                    let next = next
                        .as_str()
                        .map_or_else(|| next.to_string(), str::to_owned);
                    cursor = format!("&cursor={next}");
                }
            }
        }
        all.reverse();
        all
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.process.stderr.all();
            let tail = &log[log.len().saturating_sub(LOG_TAIL)..];
            println!("the last lines of the service's log:\n{}", tail.join("\n"));
        }
    }
}

/// The identity of a charger's charge point.
pub fn charge_point_id(id: &str) -> String {
    format!("CP-{id}")
}

/// Its password.
pub fn password(id: &str) -> String {
    format!("secret-of-{id}")
}

/// `headroom token create`.
pub fn create_token(data: &Path, name: &str, role: &str) -> String {
    let data = data.to_str().unwrap();
    let made = run(
        &[
            "token", "create", "--name", name, "--role", role, "--data", data,
        ],
        b"",
    );
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(
        made.stdout.lines().count(),
        1,
        "the secret alone: {:?}",
        made.stdout
    );
    made.stdout.trim().to_owned()
}

fn launch(data: &Path, port: u16, ocpp_port: u16, meter: Option<&str>) -> (Process, String) {
    let listen = format!("127.0.0.1:{port}");
    let ocpp_listen = format!("127.0.0.1:{ocpp_port}");
    let data = data.to_str().unwrap();
    let mut arguments = vec![
        "run",
        "--data",
        data,
        "--listen",
        &listen,
        "--ocpp-listen",
        &ocpp_listen,
    ];
    if let Some(meter) = meter {
        arguments.extend(["--meter", meter]);
    }
    let process = Process::start(&mut command(&arguments));
    let base = address(&process);
    (process, base)
}

/// The address that a service says on its standard output.
pub fn address(process: &Process) -> String {
    let said = process.stdout.find(0, START, |line| {
        let rest = line.strip_prefix("Headroom ")?;
        Some(
            rest.split([' ', ','])
                .next()
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned(),
        )
    });
    said.unwrap_or_else(|| {
        panic!(
            "the service gave no address; its log:\n{}",
            process.stderr.all().join("\n")
        )
    })
}
