//! A house with one car and its charger, second by second, and what a test of it must end with.

use std::collections::VecDeque;

use headroom_core::action::Command;
use headroom_core::config::{Config, Rating};
use headroom_core::event::{Event, Tick};
use headroom_core::snapshot::LoadDetail;
use headroom_core::trial::{Report, Test, Verdict};
use headroom_core::units::{Instant, Milliamps, Phase};
use headroom_core::{Engine, PerPhase};
use serde_json::{Value, json};

/// How long a limit of the charger holds, in seconds.
pub(crate) const LEASE_S: u64 = 20;

/// What a car and its charger do.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// From the command until it is in force, in seconds.
    pub(crate) slow_s: u64,
    /// It never goes below this, unless it pauses.
    pub(crate) least: i64,
    /// It says yes and does nothing.
    pub(crate) deaf: bool,
    /// Its limits do not run out.
    pub(crate) forever: bool,
    /// The lines of its terminals.
    pub(crate) lines: Vec<Phase>,
    /// What it draws at most on each terminal.
    pub(crate) car: Vec<i64>,
    /// It says what it draws.
    pub(crate) says: bool,
    /// How often, in seconds.
    pub(crate) every_s: u64,
    /// The house meter sees nothing of it.
    pub(crate) unseen: bool,
    /// A time of its own in seconds, shorter than the lease, after which it falls when it is left alone.
    pub(crate) own_s: Option<u64>,
    /// The time of its own that its driver knows, in seconds.
    pub(crate) guard_s: Option<u64>,
    /// It tells its limit.
    pub(crate) tells: bool,
    /// It is asked nothing while it is left alone, and counts its time from then.
    pub(crate) unasked: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            slow_s: 0,
            least: 6_000,
            deaf: false,
            forever: false,
            lines: Phase::ALL.to_vec(),
            car: vec![32_000; 3],
            says: true,
            every_s: 1,
            unseen: false,
            own_s: None,
            guard_s: None,
            tells: false,
            unasked: false,
        }
    }
}

/// The house.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) manner: Manner,
    pub(crate) s: u64,
    pub(crate) background: [i64; 3],
    pub(crate) plugged: bool,
    pub(crate) connected: bool,
    pub(crate) limit: i64,
    lease_until: u64,
    /// Since when it is left alone.
    alone_since: Option<u64>,
    way: VecDeque<(u64, i64, u32)>,
    pub(crate) draw: [i64; 3],
    /// What it said last of its state.
    status: &'static str,
    results: Vec<u64>,
    pub(crate) renewals: usize,
    pub(crate) told: Vec<i64>,
    /// Whether each raise is made without the test too.
    pub(crate) compare: bool,
}

pub(crate) fn config(charger: &Value) -> Config {
    let mut own =
        json!({"id": "ev1", "name": "Garage", "phases": ["l1", "l2", "l3"], "lease_s": LEASE_S});
    for (field, value) in charger.as_object().unwrap() {
        own[field] = value.clone();
    }
    let config = json!({
        "site": {"mode": "control", "main_fuse": {"rating_a": 25},
                 "tuning": {"raise_after_s": 5, "restart_after_s": 60, "hold_s": 5}},
        "chargers": [own],
    });
    serde_json::from_value(config).unwrap()
}

/// What the car was told last, in amperes.
fn setpoint(engine: &Engine) -> Option<Milliamps> {
    match &engine.snapshot().loads[0].detail {
        LoadDetail::Charger { setpoint, .. } => *setpoint,
        LoadDetail::SlowLoad { .. } => None,
    }
}

impl House {
    pub(crate) fn new(manner: Manner) -> Self {
        Self::with(manner, &json!({}))
    }

    pub(crate) fn with(manner: Manner, charger: &Value) -> Self {
        Self::behind(25, manner, charger)
    }

    pub(crate) fn behind(rating: i64, manner: Manner, charger: &Value) -> Self {
        let mut config = config(charger);
        config.site.main_fuse.rating_a = Rating::All(Milliamps::from_amps(rating));
        config.validate(PerPhase::default()).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            manner,
            s: 0,
            background: [1_000, 2_000, 1_500],
            plugged: true,
            connected: true,
            limit: 0,
            lease_until: 0,
            alone_since: None,
            way: VecDeque::new(),
            draw: [0; 3],
            status: "charging",
            results: Vec::new(),
            renewals: 0,
            told: Vec::new(),
            compare: false,
        }
    }

    /// Whether it may be asked now.
    fn is_asked(&self) -> bool {
        !self.manner.unasked || !self.engine.test().is_some_and(Test::is_unasked)
    }

    fn car(&mut self) {
        while self.way.front().is_some_and(|(at, _, _)| *at <= self.s) {
            let (_, limit, lease_s) = self.way.pop_front().unwrap();
            self.limit = limit;
            self.lease_until = self.s + u64::from(lease_s);
        }
        let silent = self.engine.test().is_some_and(Test::is_silent);
        self.alone_since = silent.then(|| self.alone_since.unwrap_or(self.s));
        let own = self.manner.own_s.filter(|_| silent);
        let until = match (self.alone_since, own) {
            (Some(since), Some(own)) => since + own,
            (Some(since), None) if self.manner.unasked => since + LEASE_S,
            _ => self.lease_until,
        };
        if self.s >= until && !self.manner.forever {
            self.limit = 0;
        }
        let offered = match self.limit {
            _ if self.manner.deaf => 16_000,
            0 => 0,
            limit => limit.max(self.manner.least),
        };
        for (terminal, most) in self.manner.car.clone().into_iter().enumerate() {
            let goal = if self.plugged { offered.min(most) } else { 0 };
            let draw = &mut self.draw[terminal];
            *draw = goal.min(*draw + 2_000);
        }
    }

    fn lines(&self) -> [i64; 3] {
        let mut lines = self.background;
        for (terminal, line) in self.manner.lines.iter().enumerate() {
            lines[line.index()] += if self.manner.unseen {
                0
            } else {
                self.draw[terminal]
            };
        }
        // The noise of a house.
        lines.map(|line| line + i64::try_from(self.s * 37 % 150).unwrap())
    }

    pub(crate) fn take(&mut self, event: Value) {
        let event: Event = serde_json::from_value(event).unwrap();
        let now = Instant(self.s * 1000);
        self.engine.check(&event, now).unwrap();
        let before = setpoint(&self.engine);
        let runs = self.engine.test().is_some_and(Test::is_running);
        let twin = (self.compare && runs).then(|| self.engine.clone());
        let actions = self.engine.step(event.clone(), now);
        let given = setpoint(&self.engine);
        let runs = self.engine.test().is_some_and(Test::is_running);
        if let Some(mut twin) = twin.filter(|_| given > before && runs) {
            // No test, but a person who wants no more than that.
            let most = given.unwrap().to_f64();
            for command in [
                json!({"kind": "end_test", "load": "ev1"}),
                json!({"kind": "limit", "load": "ev1", "limit_a": most, "for_s": 600}),
            ] {
                let command = json!({"type": "command", "command": command});
                twin.step(serde_json::from_value(command).unwrap(), now);
            }
            // A report that says nothing new makes no plan without a test.
            for event in [event, Event::Tick(Tick {})] {
                twin.step(event, now);
            }
            let without = setpoint(&twin);
            assert!(
                given <= without,
                "{given:?} A were given, {without:?} A without the test, {before:?} A before: {}",
                twin.snapshot().loads[0].reason.text
            );
        }
        for action in actions.actions {
            if let Command::SetLimit {
                limit_a, lease_s, ..
            } = action.what
            {
                self.way
                    .push_back((self.s + self.manner.slow_s, limit_a.0, lease_s));
                self.results.push(action.command);
                self.renewals += usize::from(action.renewal);
                self.told.push(limit_a.0);
            }
        }
    }

    pub(crate) fn second(&mut self) {
        self.s += 1;
        self.car();
        for command in std::mem::take(&mut self.results) {
            self.take(json!({"type": "result", "command": command, "outcome": "accepted"}));
        }
        let amps = |milliamps: i64| Milliamps(milliamps).to_f64();
        let entries: Vec<Value> = self
            .manner
            .lines
            .iter()
            .enumerate()
            .map(|(terminal, _)| json!(amps(self.draw[terminal])))
            .collect();
        let asked = self.is_asked();
        if asked {
            let full = self.manner.car.iter().all(|most| *most == 0);
            self.status = match (self.plugged, full) {
                (false, _) => "available",
                (true, true) => "suspended_ev",
                (true, false) => "charging",
            };
        }
        let status = self.status;
        let said = (self.manner.says && asked).then_some(entries);
        let limit = (self.manner.tells && asked).then(|| amps(self.limit));
        if self.s.is_multiple_of(self.manner.every_s) {
            self.take(json!({"type": "charger", "id": "ev1", "connected": self.connected, "status": status,
                "current_a": said, "limit_a": limit}));
        }
        let phases: Vec<Value> = self
            .lines()
            .iter()
            .map(|line| json!({"current_a": amps(*line), "voltage_v": 230.1}))
            .collect();
        self.take(json!({"type": "reading", "phases": phases}));
    }

    pub(crate) fn seconds(&mut self, s: u64) {
        for _ in 0..s {
            self.second();
        }
    }

    pub(crate) fn begin(&mut self, cut: bool) {
        self.seconds(30 + 2 * (self.manner.every_s - 1));
        self.take(
            json!({"type": "command", "command": {"kind": "test", "load": "ev1", "cut": cut,
                "guard": {"unasked": self.manner.unasked, "own_s": self.manner.guard_s}}}),
        );
        assert!(self.engine.test().unwrap().is_running());
    }

    /// It, when its test has come as far as the silence of the cut.
    pub(crate) fn in_silence(mut self) -> Self {
        self.begin(true);
        self.wait_silence();
        self
    }

    /// Until nothing is said to the charger any more.
    fn wait_silence(&mut self) {
        while !self.engine.test().unwrap().is_silent() {
            let report = self.engine.test().unwrap().report();
            assert_eq!(report.map(|report| &report.text), None);
            self.second();
        }
    }

    /// Until it has ended.
    pub(crate) fn end(&mut self) -> Report {
        for _ in 0..900 {
            self.second();
            if let Some(report) = self.engine.test().unwrap().report() {
                return report.clone();
            }
        }
        panic!(
            "it does not end: {:?}",
            self.engine.test().unwrap().progress()
        );
    }

    pub(crate) fn run(mut self, cut: bool) -> Report {
        self.begin(cut);
        self.end()
    }
}

/// The report, which must have this result and say these words.
#[track_caller]
pub(crate) fn expect(report: Report, result: Verdict, words: &str) -> Report {
    assert_eq!(report.result, result, "{}", report.text);
    assert!(report.text.contains(words), "{}", report.text);
    report
}

/// A test that is ended with these words, and proves nothing of the lease.
#[track_caller]
pub(crate) fn expect_no_proof(report: Report, words: &str) {
    let report = expect(report, Verdict::Aborted, words);
    assert_eq!((report.cut, report.limits.lease), (None, None));
}
