//! A session and a scripted charge point, joined in virtual time.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    SETTINGS,
    point::{Boots, Manner, Point},
};
use crate::{
    types::{Capabilities, LimitOutcome, LimitRequest, Note, Now, Operation, Output, Report},
    v16::session::{Learnt, Session},
};

pub(crate) const STEP: Duration = Duration::from_millis(100);
pub(crate) const LEASE_S: u32 = 30;
/// A command that was not taken is given again after this, as the controller does.
const RETRY: Duration = Duration::from_secs(10);
const VALUES_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct World {
    pub(crate) point: Point,
    session: Option<Session>,
    learnt: Learnt,
    pub(crate) now: Duration,
    /// When the present connection was made or the last one broke.
    since: Duration,
    /// What the controller wants: milliamperes and phases.
    want: Option<(u32, u8)>,
    given_at: Option<Duration>,
    /// The controller has gone.
    killed: bool,
    command: u64,
    to_session: VecDeque<(Duration, String)>,
    next_call: u64,
    /// The actions of the point's own calls, by their id.
    pub(crate) asked: HashMap<String, String>,
    start_id: Option<String>,
    pub(crate) sent: Vec<Value>,
    pub(crate) notes: Vec<Note>,
    pub(crate) outcomes: Vec<LimitOutcome>,
    pub(crate) report: Report,
    pub(crate) capabilities: Capabilities,
    pub(crate) connections: u32,
    draws_next: Duration,
}

impl World {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            point: Point::new(manner),
            session: None,
            learnt: Learnt::default(),
            now: Duration::ZERO,
            since: Duration::ZERO,
            want: None,
            given_at: None,
            killed: false,
            command: 0,
            to_session: VecDeque::new(),
            next_call: 0,
            asked: HashMap::new(),
            start_id: None,
            sent: Vec::new(),
            notes: Vec::new(),
            outcomes: Vec::new(),
            report: Report::default(),
            capabilities: Capabilities::default(),
            connections: 0,
            draws_next: VALUES_EVERY,
        }
    }

    pub(crate) fn wall(&self) -> Timestamp {
        "2026-01-15T12:00:00Z".parse::<Timestamp>().unwrap() + self.now
    }

    fn at(&self) -> Now {
        Now {
            monotonic: self.now,
            wall: self.wall(),
        }
    }

    pub(crate) fn want(&mut self, ampere: u32, phases: u8) {
        self.want = Some((ampere * 1000, phases));
        self.given_at = None;
    }

    pub(crate) fn operate(&mut self, operation: &Operation) {
        let at = self.at();
        if let Some(session) = &mut self.session {
            session.operate(1, operation, at);
        }
        self.drain();
    }

    pub(crate) fn kill_the_controller(&mut self) {
        self.killed = true;
        self.session = None;
    }

    /// Lives on until `done`, and gives how long that took; `None` after `limit`.
    pub(crate) fn until(
        &mut self,
        limit: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Option<Duration> {
        let begun = self.now;
        while self.now <= begun + limit {
            if done(self) {
                return Some(self.now.saturating_sub(begun));
            }
            self.step();
        }
        None
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.until(time, |_| false);
    }

    fn step(&mut self) {
        self.now += STEP;
        let wall = self.wall();
        self.link();
        while self
            .to_session
            .front()
            .is_some_and(|(at, _)| *at <= self.now)
        {
            let (_, text) = self.to_session.pop_front().unwrap();
            let at = self.at();
            if let Some(session) = &mut self.session {
                session.receive(&text, at);
            }
            self.drain();
        }
        self.command();
        let at = self.at();
        if let Some(session) = &mut self.session {
            session.tick(at);
        }
        self.drain();
        self.point.live(self.now, wall);
        self.talk();
    }

    /// Connects, and breaks the connection where that is its manner.
    fn link(&mut self) {
        let age = self.now.saturating_sub(self.since);
        if self.session.is_some() {
            if self
                .point
                .manner
                .reconnects_every
                .is_some_and(|every| age >= every)
            {
                self.break_link();
            }
        } else if !self.killed && (age >= Duration::from_millis(500) || self.connections == 0) {
            let mut seed = self.connections * 1_000;
            let random = Box::new(move || {
                seed += 1;
                seed
            });
            let start = self.at();
            self.session = Some(Session::new(SETTINGS, self.learnt.clone(), random, start));
            self.connections += 1;
            self.since = self.now;
            self.given_at = None;
            self.on_connected();
        }
    }

    fn break_link(&mut self) {
        let at = self.at();
        if let Some(mut session) = self.session.take() {
            session.closed(at);
            self.learnt = session.learnt();
            self.session = Some(session);
            self.drain();
            self.session = None;
        }
        self.to_session.clear();
        self.since = self.now;
        if matches!(self.point.manner.boots, Boots::After(_)) {
            self.point.booted = false;
        }
    }

    fn on_connected(&mut self) {
        if self.point.manner.boots == Boots::AtOnce && !self.point.booted {
            self.boot();
        }
        let wall = self.wall();
        let mut statuses = vec![(1, "Preparing")];
        if self.point.transaction.is_some() {
            statuses = vec![(1, "Charging")];
        }
        if self.point.manner.second_connector {
            statuses.push((2, "Charging"));
        }
        for (connector, status) in statuses {
            let payload = self.point.status(connector, status, wall);
            self.call("StatusNotification", &payload);
        }
    }

    fn boot(&mut self) {
        self.point.booted = true;
        self.call(
            "BootNotification",
            &json!({"chargePointVendor": "Tests", "chargePointModel": "Scripted"}),
        );
    }

    pub(crate) fn call(&mut self, action: &str, payload: &Value) -> String {
        self.next_call += 1;
        let id = format!("p{}", self.next_call);
        let text = json!([2, id, action, payload]).to_string();
        self.asked.insert(id.clone(), action.to_owned());
        self.to_session.push_back((self.now, text));
        id
    }

    /// What the charge point says by itself.
    fn talk(&mut self) {
        if self.session.is_none() {
            return;
        }
        let age = self.now.saturating_sub(self.since);
        match self.point.manner.boots {
            Boots::After(after) if !self.point.booted && age >= after => self.boot(),
            Boots::Storm(lasts) if self.now <= lasts && self.now.subsec_millis() == 0 => {
                self.boot();
            }
            _ => {}
        }
        let wall = self.wall();
        if self.point.transaction.is_none()
            && self.start_id.is_none()
            && age >= Duration::from_secs(2)
        {
            let id = self.call(
                "StartTransaction",
                &json!({"connectorId": 1, "idTag": "CAR", "meterStart": 0,
                    "timestamp": crate::time::write(wall)}),
            );
            self.start_id = Some(id);
        }
        if self.draws_next <= self.now && self.point.transaction.is_some() {
            self.draws_next = self.now + VALUES_EVERY;
            let values = self.point.meter_values(self.now, wall);
            self.call("MeterValues", &values);
            if self.point.manner.second_connector {
                let other = json!({"connectorId": 2, "transactionId": 4711, "meterValue": [
                    {"timestamp": crate::time::write(wall), "sampledValue": [
                        {"measurand": "Current.Import", "value": "31.0"}]}]});
                self.call("MeterValues", &other);
            }
        }
    }

    /// What the controller does: a changed limit at once, renewal at half-life, a retry.
    fn command(&mut self) {
        let (Some((limit_ma, phases)), Some(_)) = (self.want, &self.session) else {
            return;
        };
        let every = if self.outcomes.last() == Some(&LimitOutcome::Accepted) {
            Duration::from_secs(u64::from(LEASE_S) / 2)
        } else {
            RETRY
        };
        if self.given_at.is_some_and(|at| self.now < at + every) {
            return;
        }
        self.given_at = Some(self.now);
        self.command += 1;
        let request = LimitRequest {
            command: self.command,
            limit_ma,
            phases,
            lease_s: LEASE_S,
            safe_ma: 6_000,
        };
        let at = self.at();
        if let Some(session) = &mut self.session {
            session.set_limit(request, at);
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.as_mut().and_then(Session::poll) {
            match output {
                Output::Send(text) => self.reach_point(&serde_json::from_str(&text).unwrap()),
                Output::Report(report) => self.report = report,
                Output::Outcome { outcome, .. } => self.outcomes.push(outcome),
                Output::Note(note) => self.notes.push(note),
                Output::Capabilities(what) => self.capabilities = what,
                Output::Operated { .. } | Output::Identified(_) => {}
            }
        }
    }

    fn reach_point(&mut self, frame: &Value) {
        self.sent.push(frame.clone());
        let wall = self.wall();
        if frame[0] != 2 {
            if self.start_id.as_deref() == frame[1].as_str() && frame[0] == 3 {
                self.start_id = None;
                self.point
                    .begin_transaction(frame[2]["transactionId"].as_i64().unwrap());
                let payload = self.point.status(1, "Charging", wall);
                self.call("StatusNotification", &payload);
            }
            return;
        }
        if self.point.manner.breaks_on_early_call && !self.point.booted {
            self.break_link();
            return;
        }
        let action = frame[2].as_str().unwrap();
        let Some((kind, answer)) = self.point.answer(action, &frame[3], wall) else {
            return;
        };
        let text = if kind == 4 {
            json!([4, frame[1], answer, "", {}])
        } else {
            json!([3, frame[1], answer])
        };
        let at = self.now + self.point.manner.answers_after;
        self.to_session.push_back((at, text.to_string()));
    }

    /// Calls of ours by their name.
    pub(crate) fn calls(&self, action: &str) -> Vec<&Value> {
        self.sent
            .iter()
            .filter(|frame| frame[0] == 2 && frame[2] == action)
            .collect()
    }
}
