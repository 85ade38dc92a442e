//! Scenarios of a session, in virtual time.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::session::{Learnt, Session};
use crate::types::{Capabilities, LimitOutcome, LimitRequest, Note, Now, Output, Report, Settings};

mod any_sequence;
mod clock;
mod forms;
mod incoming;
mod matrix;
mod models;
mod operations;
mod payloads;
mod point;
mod queue;
mod schemas;
mod start;
mod wear;
mod world;

/// A session with the time and everything that came out of it.
struct Bench {
    session: Session,
    elapsed: Duration,
    calls: Vec<Value>,
    answers: Vec<Value>,
    reports: Vec<Report>,
    outcomes: Vec<(u64, LimitOutcome)>,
    notes: Vec<Note>,
    /// Questions for the schedule in force are left to the test.
    tells_schedules: bool,
    operated: Vec<(u64, LimitOutcome)>,
    capabilities: Vec<Capabilities>,
}

const SETTINGS: Settings = Settings {
    adopted: true,
    control: true,
    connector: 1,
    terminals: 3,
    safe_ma: 6_000,
    nominal_voltage_v: 230,
};

fn request(command: u64, ampere: u32) -> LimitRequest {
    LimitRequest {
        command,
        limit_ma: ampere * 1000,
        phases: 3,
        lease_s: 120,
        safe_ma: 6_000,
    }
}

impl Bench {
    fn new(settings: Settings) -> Self {
        Self::again(settings, Learnt::default())
    }

    /// A connection of a charge point that was connected before.
    fn again(settings: Settings, learnt: Learnt) -> Self {
        let mut seed = 41;
        let random = Box::new(move || {
            seed += 1;
            seed
        });
        let start = Now {
            monotonic: Duration::ZERO,
            wall: Self::wall_at(Duration::ZERO),
        };
        let mut bench = Self {
            session: Session::new(settings, learnt, random, start),
            elapsed: Duration::ZERO,
            calls: Vec::new(),
            answers: Vec::new(),
            reports: Vec::new(),
            outcomes: Vec::new(),
            notes: Vec::new(),
            tells_schedules: false,
            operated: Vec::new(),
            capabilities: Vec::new(),
        };
        bench.pass(Duration::ZERO);
        bench
    }

    fn wall_at(elapsed: Duration) -> Timestamp {
        "2026-01-15T12:00:00Z".parse::<Timestamp>().unwrap() + elapsed
    }

    fn now(&self) -> Now {
        Now {
            monotonic: self.elapsed,
            wall: Self::wall_at(self.elapsed),
        }
    }

    /// The time stamp of a charge point whose clock is off by `offset_s`.
    fn stamp(&self, offset_s: i64) -> String {
        crate::time::write(self.now().wall + jiff::SignedDuration::from_secs(offset_s))
    }

    fn collect(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame[2] == "GetCompositeSchedule" && !self.tells_schedules {
                        let error = json!([4, frame[1], "NotSupported", "", {}]).to_string();
                        self.session.receive(&error, self.now());
                    } else if frame[0] == 2 {
                        self.calls.push(frame);
                    } else {
                        self.answers.push(frame);
                    }
                }
                Output::Report(report) => self.reports.push(report),
                Output::Outcome {
                    command, outcome, ..
                } => self.outcomes.push((command, outcome)),
                Output::Note(note) => self.notes.push(note),
                Output::Operated { number, outcome } => self.operated.push((number, outcome)),
                Output::Capabilities(what) => self.capabilities.push(what),
                Output::Identified(_) => {}
            }
        }
        if let Some(deadline) = self.session.next_deadline() {
            assert!(
                deadline > self.elapsed,
                "a deadline that has passed would spin"
            );
        }
    }

    /// Lets time pass, from deadline to deadline.
    fn pass(&mut self, time: Duration) {
        let end = self.elapsed + time;
        while let Some(deadline) = self.session.next_deadline().filter(|at| *at <= end) {
            self.elapsed = deadline;
            self.session.tick(self.now());
            self.collect();
        }
        self.elapsed = end;
        self.session.tick(self.now());
        self.collect();
    }

    /// The charge point calls; gives the answer.
    fn call(&mut self, action: &str, payload: &Value) -> Value {
        let text = json!([2, "their-id", action, payload]).to_string();
        self.session.receive(&text, self.now());
        self.collect();
        self.answers.pop().expect("every call is answered")
    }

    fn boot(&mut self) -> Value {
        self.boot_as("V", "M", "")
    }

    fn boot_as(&mut self, vendor: &str, model: &str, firmware: &str) -> Value {
        self.call(
            "BootNotification",
            &json!({"chargePointVendor": vendor, "chargePointModel": model,
                "firmwareVersion": firmware}),
        )
    }

    fn limit(&mut self, request: LimitRequest) {
        self.session.set_limit(request, self.now());
        self.collect();
    }

    /// Takes the one call that is waiting for its answer.
    fn take(&mut self) -> (String, Value) {
        assert_eq!(self.calls.len(), 1, "one call at a time: {:?}", self.calls);
        let call = self.calls.pop().unwrap();
        (call[2].as_str().unwrap().to_owned(), call)
    }

    fn reply(&mut self, call: &Value, payload: &Value) {
        self.session
            .receive(&json!([3, call[1], payload]).to_string(), self.now());
        self.collect();
    }

    /// Answers the call that is waiting, and gives it.
    fn answer(&mut self, status: &str) -> Value {
        let (_, call) = self.take();
        self.reply(&call, &json!({"status": status}));
        call
    }

    /// Answers everything with yes until nothing more is asked; gives the names of the calls.
    fn settle(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while !self.calls.is_empty() {
            let (name, call) = self.take();
            let status = json!({"status": "Accepted", "configurationKey": [{"key": "x"}]});
            self.reply(&call, &status);
            names.push(name);
        }
        names
    }

    /// A bench with a charge point that has booted and is set up.
    fn settled() -> Self {
        let mut bench = Self::new(SETTINGS);
        bench.boot();
        bench.settle();
        bench
    }
}

fn profile(call: &Value) -> &Value {
    &call[3]["csChargingProfiles"]
}

fn limits(call: &Value) -> Vec<(u64, f64)> {
    let periods = profile(call)["chargingSchedule"]["chargingSchedulePeriod"]
        .as_array()
        .unwrap();
    periods
        .iter()
        .map(|p| {
            (
                p["startPeriod"].as_u64().unwrap(),
                p["limit"].as_f64().unwrap(),
            )
        })
        .collect()
}
