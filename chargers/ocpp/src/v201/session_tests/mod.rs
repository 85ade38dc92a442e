//! Scenarios of a session, in virtual time.

mod evidence;
mod incoming;
mod limits;
mod start;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::session::{
    BASE_RETRY_AFTER, BOOT_TRIGGER_AFTER, LIMIT_PATIENCE, Learnt, METER_SILENCE, PROFILE_TIMEOUT,
    REDUCTION_PATIENCE, Session,
};
use crate::types::{
    Grade, LimitOutcome, LimitRequest, Note, Now, Operation, Output, Report, Settings, Status,
};

/// A session with the time and everything that came out of it.
struct Bench {
    session: Session,
    elapsed: Duration,
    calls: Vec<Value>,
    answers: Vec<Value>,
    reports: Vec<Report>,
    outcomes: Vec<(u64, LimitOutcome)>,
    operated: Vec<(u64, LimitOutcome)>,
    notes: Vec<Note>,
    /// What the station says to each call in [`Bench::settle`]; `None` is yes to everything.
    variables: Vec<(&'static str, &'static str)>,
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
        Self::with(settings, false, Learnt::default())
    }

    fn with(settings: Settings, is_21: bool, learnt: Learnt) -> Self {
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
            session: Session::new(settings, is_21, learnt, random, start),
            elapsed: Duration::ZERO,
            calls: Vec::new(),
            answers: Vec::new(),
            reports: Vec::new(),
            outcomes: Vec::new(),
            operated: Vec::new(),
            notes: Vec::new(),
            variables: Vec::new(),
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

    /// The time stamp of a station whose clock is off by `offset_s`.
    fn stamp(&self, offset_s: i64) -> String {
        crate::time::write(self.now().wall + SignedDuration::from_secs(offset_s))
    }

    fn collect(&mut self) {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame[0] == 2 {
                        self.calls.push(frame);
                    } else {
                        self.answers.push(frame);
                    }
                }
                Output::Report(report) => self.reports.push(report),
                Output::Outcome {
                    command, outcome, ..
                } => self.outcomes.push((command, outcome)),
                Output::Operated { number, outcome } => self.operated.push((number, outcome)),
                Output::Note(note) => self.notes.push(note),
                Output::Identified(_) | Output::Capabilities(_) => {}
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

    /// The station calls; gives the answer.
    fn call(&mut self, action: &str, payload: &Value) -> Value {
        let text = json!([2, "their-id", action, payload]).to_string();
        self.session.receive(&text, self.now());
        self.collect();
        self.answers.pop().expect("every call is answered")
    }

    fn boot(&mut self) -> Value {
        let station = json!({"vendorName": "V", "model": "M"});
        self.call(
            "BootNotification",
            &json!({"reason": "PowerUp", "chargingStation": station}),
        )
    }

    fn plug(&mut self, status: &str) {
        let stamp = self.stamp(0);
        self.call(
            "StatusNotification",
            &json!({"timestamp": stamp, "connectorStatus": status, "evseId": 1, "connectorId": 1}),
        );
    }

    /// A `TransactionEvent` of EVSE 1 with a current.
    fn event(&mut self, kind: &str, state: &str, ampere: f64, offset_s: i64) -> Value {
        let stamp = self.stamp(offset_s);
        let sample = json!({"value": ampere, "measurand": "Current.Import",
            "unitOfMeasure": {"unit": "A"}});
        self.call(
            "TransactionEvent",
            &json!({"eventType": kind, "timestamp": stamp, "triggerReason": "MeterValuePeriodic",
                "seqNo": 1, "transactionInfo": {"transactionId": "tx-1", "chargingState": state},
                "evse": {"id": 1, "connectorId": 1},
                "meterValue": [{"timestamp": stamp, "sampledValue": [sample]}]}),
        )
    }

    fn limit(&mut self, request: LimitRequest) {
        self.session.set_limit(request, self.now());
        self.collect();
    }

    fn operate(&mut self, number: u64, operation: &Operation) {
        self.session.operate(number, operation, self.now());
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

    /// Refuses the call that is waiting with an error.
    fn error(&mut self, code: &str) -> Value {
        let (_, call) = self.take();
        let text = json!([4, call[1], code, "", {}]).to_string();
        self.session.receive(&text, self.now());
        self.collect();
        call
    }

    /// Answers everything until nothing more is asked; gives the names of the calls.
    fn settle(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while !self.calls.is_empty() {
            let (name, call) = self.take();
            let answer = match name.as_str() {
                "GetVariables" => self.told(&call),
                "SetVariables" => json!({"setVariableResult": [{"attributeStatus": "Accepted"}]}),
                "GetChargingProfiles" => json!({"status": "NoProfiles"}),
                "GetCompositeSchedule" => json!({"status": "Rejected"}),
                _ => json!({"status": "Accepted"}),
            };
            self.reply(&call, &answer);
            names.push(name);
            assert!(names.len() < 60, "it ends: {names:?}");
        }
        names
    }

    fn told(&self, call: &Value) -> Value {
        let asked = call[3]["getVariableData"].as_array().unwrap();
        let results: Vec<Value> = asked
            .iter()
            .map(|data| {
                let name = data["variable"]["name"].as_str().unwrap();
                let told = self.variables.iter().find(|(own, _)| *own == name);
                let status = told.map_or("UnknownVariable", |_| "Accepted");
                json!({"attributeStatus": status, "attributeValue": told.map(|(_, value)| value),
                    "component": data["component"], "variable": data["variable"]})
            })
            .collect();
        json!({"getVariableResult": results})
    }

    /// A bench with a station that has booted and is set up.
    fn settled() -> Self {
        let mut bench = Self::new(SETTINGS);
        bench.boot();
        bench.settle();
        bench
    }
}

fn profile(call: &Value) -> &Value {
    &call[3]["chargingProfile"]
}

fn schedule(call: &Value) -> &Value {
    &profile(call)["chargingSchedule"][0]
}

fn limits(call: &Value) -> Vec<(u64, f64)> {
    let periods = schedule(call)["chargingSchedulePeriod"].as_array();
    let periods = periods.unwrap_or_else(|| panic!("a profile: {call}"));
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
