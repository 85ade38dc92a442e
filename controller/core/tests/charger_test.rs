//! The follow test and the cut test in a closed loop with virtual cars: what each of them is found to be, and that a
//! test never gives a car what the engine without it would not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::struct_excessive_bools,
    reason = "a test fails by panicking"
)]

use std::collections::VecDeque;

use headroom_core::action::Command;
use headroom_core::config::{Config, LeaseProof, Rating};
use headroom_core::engine::TestRefusal;
use headroom_core::event::Event;
use headroom_core::snapshot::LoadDetail;
use headroom_core::trial::{Report, Test, Verdict};
use headroom_core::units::{Instant, Milliamps, Phase};
use headroom_core::{Engine, PerPhase};
use proptest::prelude::*;
use serde_json::{Value, json};

const LEASE_S: u64 = 20;

/// What a car and its charger do.
#[derive(Clone, Debug)]
struct Manner {
    /// From the command until it is in force, in seconds.
    slow_s: u64,
    /// It never goes below this, unless it pauses.
    least: i64,
    /// It says yes and does nothing.
    deaf: bool,
    /// Its limits do not run out.
    forever: bool,
    /// The lines of its terminals.
    lines: Vec<Phase>,
    /// What it draws at most on each terminal.
    car: Vec<i64>,
    /// It says what it draws.
    says: bool,
    /// How often, in seconds.
    every_s: u64,
    /// The house meter sees nothing of it.
    unseen: bool,
    /// A time of its own in seconds, shorter than the lease, after which it falls when it is left alone.
    own_s: Option<u64>,
    /// The time of its own that its driver knows, in seconds.
    guard_s: Option<u64>,
    /// It tells its limit.
    tells: bool,
    /// It is asked nothing while it is left alone, and counts its time from then.
    unasked: bool,
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

struct House {
    engine: Engine,
    manner: Manner,
    s: u64,
    background: [i64; 3],
    plugged: bool,
    connected: bool,
    limit: i64,
    lease_until: u64,
    /// Since when it is left alone.
    alone_since: Option<u64>,
    way: VecDeque<(u64, i64)>,
    draw: [i64; 3],
    /// What it said last of its state.
    status: &'static str,
    results: Vec<u64>,
    renewals: usize,
    told: Vec<i64>,
    /// Whether each raise is made without the test too.
    compare: bool,
}

fn config(charger: &Value) -> Config {
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
    fn new(manner: Manner) -> Self {
        Self::with(manner, &json!({}))
    }

    fn with(manner: Manner, charger: &Value) -> Self {
        Self::behind(25, manner, charger)
    }

    fn behind(rating: i64, manner: Manner, charger: &Value) -> Self {
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
        while self.way.front().is_some_and(|(at, _)| *at <= self.s) {
            let (_, limit) = self.way.pop_front().unwrap();
            self.limit = limit;
            self.lease_until = self.s + LEASE_S;
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

    fn take(&mut self, event: Value) {
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
            twin.step(event, now);
            let without = setpoint(&twin);
            assert!(
                given <= without,
                "{given:?} A were given, {without:?} A without the test, {before:?} A before: {}",
                twin.snapshot().loads[0].reason.text
            );
        }
        for action in actions.actions {
            if let Command::SetLimit { limit_a, .. } = action.what {
                self.way.push_back((self.s + self.manner.slow_s, limit_a.0));
                self.results.push(action.command);
                self.renewals += usize::from(action.renewal);
                self.told.push(limit_a.0);
            }
        }
    }

    fn second(&mut self) {
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

    fn seconds(&mut self, s: u64) {
        for _ in 0..s {
            self.second();
        }
    }

    fn begin(&mut self, cut: bool) {
        self.seconds(30 + 2 * (self.manner.every_s - 1));
        self.take(
            json!({"type": "command", "command": {"kind": "test", "load": "ev1", "cut": cut,
                "guard": {"unasked": self.manner.unasked, "own_s": self.manner.guard_s}}}),
        );
        assert!(self.engine.test().unwrap().is_running());
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
    fn end(&mut self) -> Report {
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

    fn run(mut self, cut: bool) -> Report {
        self.begin(cut);
        self.end()
    }
}

#[test]
fn one_that_follows_passes_and_its_lease_is_proven() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    let begun = house.s;
    let report = house.end();
    println!("{report:#?}");
    assert_eq!(report.result, Verdict::Passed, "{}", report.text);
    let follow = report.follow.unwrap();
    assert_eq!(follow.lowest_a, Some(Milliamps(6_000)));
    assert!(follow.pauses && follow.resumes);
    assert_eq!(follow.phases_agree, Some(true), "{follow:?}");
    let told: Vec<i64> = report.steps.iter().map(|step| step.told_a.0).collect();
    assert_eq!(told, [10_000, 6_000, 13_000, 0, 10_000]);
    let cut = report.cut.unwrap();
    assert!(cut.passed, "{cut:?}");
    assert_eq!(report.limits.lease, Some(LeaseProof::Proven));
    assert_eq!(report.limits.min_current_a, None);
    println!(
        "benchmark: the follow test and the cut test of {LEASE_S} s: {} s",
        house.s - begun
    );
    // It goes on as before.
    house.seconds(90);
    assert_eq!(house.draw[0], 16_000);
}

#[test]
fn nothing_is_renewed_during_the_cut_and_its_room_stays_reserved() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.wait_silence();
    let (renewals, commands) = (house.renewals, house.told.len());
    while house.engine.test().unwrap().is_silent() {
        let setpoint = serde_json::to_value(house.engine.checkpoint()).unwrap();
        let setpoint = setpoint["engine"]["loads"][0]["setpoint"].clone();
        assert_eq!(setpoint, json!(10.0), "what it was told last counts on");
        assert_eq!((house.renewals, house.told.len()), (renewals, commands));
        house.second();
    }
    assert_eq!(
        house.engine.test().unwrap().report().unwrap().result,
        Verdict::Passed
    );
}

#[test]
fn one_whose_limit_does_not_run_out_has_no_lease() {
    let report = House::new(Manner {
        forever: true,
        ..Manner::default()
    })
    .run(true);
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    assert!(report.follow.unwrap().passed);
    let cut = report.cut.unwrap();
    assert!(
        !cut.passed && cut.text.contains("still draws 10 A"),
        "{}",
        cut.text
    );
    assert_eq!(report.limits.lease, Some(LeaseProof::None));
}

#[test]
fn one_that_ignores_6_a_is_given_no_less_than_it_keeps_to() {
    let report = House::new(Manner {
        least: 9_000,
        ..Manner::default()
    })
    .run(true);
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    let follow = report.follow.unwrap();
    assert!(follow.pauses && !follow.passed);
    assert_eq!(follow.lowest_a, Some(Milliamps(9_000)));
    assert_eq!(report.limits.min_current_a, Some(Milliamps(9_000)));
    assert_eq!(report.limits.lease, None, "its lease was not tested");
    assert!(
        report.text.contains("draws 9 A instead of 6 A"),
        "{}",
        report.text
    );
    assert!(
        report.steps[2].skipped,
        "13 A is not given to one that does not come down"
    );
}

#[test]
fn a_deaf_one_fails_with_its_reason() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.manner.deaf = true;
    let report = house.end();
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    let expected = "said yes and draws 16 A instead of 10 A";
    assert!(report.text.contains(expected), "{}", report.text);
    assert!(!report.follow.unwrap().pauses);
    assert_eq!(report.limits.min_current_a, Some(Milliamps(16_000)));

    // One that is known for it already.
    let report = House::new(Manner {
        deaf: true,
        ..Manner::default()
    })
    .run(true);
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    assert!(
        report.text.contains("draws 16 A although it was told"),
        "{}",
        report.text
    );
}

#[test]
fn a_slow_one_passes_and_its_time_is_told() {
    let slow = |slow_s| {
        let report = House::new(Manner {
            slow_s,
            ..Manner::default()
        })
        .run(false);
        assert_eq!(report.result, Verdict::Passed, "{}", report.text);
        report.follow.unwrap().reaction_ms.unwrap()
    };
    let (prompt, late) = (slow(0), slow(3));
    assert!(
        (prompt + 2_000..=prompt + 3_000).contains(&late),
        "{prompt} ms and {late} ms"
    );
}

#[test]
fn phases_that_are_not_as_configured_are_found() {
    // Its terminals 1 and 2 are configured on L1 and L2, and hang on L1 and L3.
    let manner = Manner {
        lines: vec![Phase::L1, Phase::L3],
        car: vec![32_000; 2],
        ..Manner::default()
    };
    let report = House::with(manner, &json!({"phases": ["l1", "l2"]})).run(true);
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    let follow = report.follow.unwrap();
    assert_eq!(follow.phases_found, Some(vec![Phase::L1, Phase::L3]));
    assert!(report.limits.phases_unknown);
    assert!(
        report
            .text
            .contains("It draws from L1, L3 and is configured on L1, L2"),
        "{}",
        report.text
    );

    // A car of one phase on three terminals, of which two are swapped.
    let manner = Manner {
        lines: vec![Phase::L2, Phase::L1, Phase::L3],
        car: vec![32_000, 0, 0],
        ..Manner::default()
    };
    // What it draws from the other line counts as the house's: there must be room for it twice.
    let report = House::behind(40, manner, &json!({})).run(false);
    let follow = report.follow.unwrap();
    assert_eq!(follow.phases_expected, Some(vec![Phase::L1]));
    assert_eq!(follow.phases_found, Some(vec![Phase::L2]));
    assert_eq!(follow.phases_agree, Some(false));
}

#[test]
fn one_that_says_nothing_of_its_draw_is_judged_by_the_meter() {
    let report = House::new(Manner {
        says: false,
        ..Manner::default()
    })
    .run(true);
    assert_eq!(report.result, Verdict::Passed, "{}", report.text);
    assert_eq!(report.cut.unwrap().seen_by.as_deref(), Some("meter"));
}

#[test]
fn one_that_says_what_it_does_not_do_is_not_believed() {
    // It says that it follows, and hangs on nothing that the meter sees.
    let manner = Manner {
        unseen: true,
        ..Manner::default()
    };
    let report = House::new(manner.clone()).run(true);
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    assert!(
        report.text.contains("The house meter shows nothing of it"),
        "{}",
        report.text
    );
    assert_eq!((report.cut, report.limits.lease), (None, None));
    let report = House::with(manner, &json!({"phases": null})).run(true);
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
}

#[test]
fn one_that_reports_once_a_minute_is_waited_for() {
    let manner = Manner {
        every_s: 50,
        ..Manner::default()
    };
    let report = House::with(manner, &json!({"lease_s": 20})).run(true);
    assert_eq!(report.result, Verdict::Passed, "{}", report.text);
    assert!(report.cut.unwrap().passed);
}

#[test]
fn a_car_that_stops_by_itself_proves_no_lease() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.wait_silence();
    house.manner.car = vec![0; 3];
    let report = house.end();
    assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
    assert!(
        report.text.contains("may have stopped by itself"),
        "{}",
        report.text
    );
    assert_eq!(report.limits.lease, None);
}

#[test]
fn a_safe_current_that_is_too_high_is_told_before() {
    let mut house = House::with(Manner::default(), &json!({"safe_current_a": 15}));
    house.seconds(30);
    assert_eq!(
        house.engine.may_test("ev1", true),
        Err(TestRefusal::SafeTooHigh)
    );
    assert_eq!(house.engine.may_test("ev1", false), Ok(()));
    assert_eq!(
        house.engine.may_test("ev9", false),
        Err(TestRefusal::Unknown)
    );
}

#[test]
fn without_a_car_it_does_not_begin_and_when_it_leaves_it_ends() {
    let mut house = House::new(Manner::default());
    house.plugged = false;
    house.seconds(10);
    let refusal = house.engine.may_test("ev1", true).unwrap_err().to_string();
    assert!(refusal.contains("no car"), "{refusal}");

    let mut house = House::new(Manner::default());
    house.begin(true);
    house.seconds(3);
    house.plugged = false;
    let report = house.end();
    assert_eq!(report.result, Verdict::Aborted);
    assert!(report.text.contains("no car"), "{}", report.text);
    assert_eq!(report.limits, headroom_core::trial::Limits::default());

    // A car that is full is there and draws nothing.
    let mut house = House::new(Manner {
        car: vec![0; 3],
        ..Manner::default()
    });
    house.begin(true);
    let report = house.end();
    assert_eq!(report.result, Verdict::Aborted);
    assert!(report.text.contains("draws nothing"), "{}", report.text);
}

#[test]
fn it_ends_for_whatever_goes_before_it() {
    let ends = |what: &str, change: &dyn Fn(&mut House)| {
        let mut house = House::new(Manner::default());
        house.begin(true);
        house.seconds(8);
        change(&mut house);
        let report = house.end();
        assert_eq!(report.result, Verdict::Aborted, "{what}: {}", report.text);
        report.text
    };
    let text = ends("an overload", &|house| house.background[1] = 20_000);
    assert!(
        text.contains("L2 of main carries too much") || text.contains("needed for something else"),
        "{text}"
    );
    ends("a lost link", &|house| house.connected = false);
    ends("a pause", &|house| {
        house.take(
            json!({"type": "command", "command": {"kind": "pause", "load": "ev1", "for_s": 60}}),
        );
    });
    let text = ends("by hand", &|house| {
        house.take(json!({"type": "command", "command": {"kind": "end_test", "load": "ev1"}}));
    });
    assert_eq!(text, "It was ended by hand.");
    ends("a stale meter", &|house| {
        house.s += 20;
        house.take(json!({"type": "tick"}));
    });
    let text = ends("another configuration", &|house| {
        let mut config = serde_json::to_value(config(&json!({"safe_current_a": 6}))).unwrap();
        config["type"] = json!("configure");
        house.take(config);
    });
    assert_eq!(text, "Its configuration was changed.");
}

#[test]
fn a_step_without_room_waits_and_then_ends_with_the_reason() {
    let mut house = House::new(Manner::default());
    house.background = [1_000, 17_500, 1_000];
    house.begin(true);
    let report = house.end();
    assert_eq!(report.result, Verdict::Aborted);
    assert!(
        report.text.contains("There was no room for 10 A"),
        "{}",
        report.text
    );
    assert!(report.text.contains("L2"), "{}", report.text);
    assert!(
        house.told.iter().all(|told| *told <= 7_000),
        "{:?}",
        house.told
    );
}

#[test]
fn an_overload_during_the_cut_is_answered_at_once() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.wait_silence();
    house.background[0] = 17_000;
    house.second();
    assert!(!house.engine.test().unwrap().is_running());
    assert!(
        house.told.last().is_some_and(|told| *told <= 8_000),
        "{:?}",
        house.told
    );
}

#[test]
fn what_the_plan_needs_of_it_is_done_in_the_same_step() {
    // It takes 8 A of the 10 A that are reserved for it: the house may need the rest without any overload.
    let mut house = House::new(Manner {
        car: vec![8_000; 3],
        ..Manner::default()
    });
    house.begin(true);
    house.wait_silence();
    house.background[0] = 16_000;
    let commands = house.told.len();
    while house.told.len() == commands {
        assert!(house.engine.test().unwrap().is_running());
        house.second();
    }
    let report = house.engine.test().unwrap().report().unwrap();
    assert_eq!(report.result, Verdict::Aborted);
    let expected = "needed for something else";
    assert!(report.text.contains(expected), "{}", report.text);
}

#[test]
fn a_car_that_takes_little_is_no_fault_of_its_charger() {
    for most in [6_400, 8_000, 11_000] {
        let report = House::new(Manner {
            car: vec![most; 3],
            ..Manner::default()
        })
        .run(true);
        assert_eq!(report.result, Verdict::Passed, "{}", report.text);
        assert_eq!(report.limits.min_current_a, None);
        assert_eq!(report.follow.unwrap().lowest_a, Some(Milliamps(6_000)));
    }
}

#[test]
fn one_that_does_not_go_up_again_does_not_follow() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.manner.car = vec![6_000; 3];
    let report = house.end();
    assert_eq!(report.result, Verdict::Failed, "{}", report.text);
    assert!(
        report.text.contains("did not go up from 6 A to 13 A"),
        "{}",
        report.text
    );
}

#[test]
fn one_that_falls_silent_is_judged_by_the_meter() {
    let mut house = House::new(Manner::default());
    house.begin(false);
    house.manner.every_s = 10_000;
    let report = house.end();
    assert_eq!(report.result, Verdict::Passed, "{}", report.text);
    assert!(report.steps[0].metered_after_ms.is_some(), "{report:#?}");
}

#[test]
fn a_test_goes_on_from_a_checkpoint_as_it_would_have() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.seconds(20);
    let text = serde_json::to_string(&house.engine.checkpoint()).unwrap();
    house.engine = Engine::from_checkpoint(serde_json::from_str(&text).unwrap());
    assert_eq!(house.end().result, Verdict::Passed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a test gives a car at any moment, the same engine without the test would have given it at that moment too.
    #[test]
    fn a_test_gives_no_more_than_the_engine_without_it(
        steps in proptest::collection::vec((0_u64..25, 0_usize..3, 500_i64..20_000), 1..12),
        slow_s in 0_u64..4,
        forever in any::<bool>(),
    ) {
        let mut house = House::new(Manner { slow_s, forever, ..Manner::default() });
        // Without waiting times, which keep a house calm and no fuse safe: a start in a test has none after its pause.
        let mut calm = config(&json!({}));
        calm.site.tuning.raise_after_s = 1;
        calm.site.tuning.restart_after_s = 1;
        house.engine = Engine::new(calm, Instant(0));
        house.begin(true);
        house.compare = true;
        for (wait, line, level) in steps {
            house.seconds(wait);
            house.background[line] = level;
            house.second();
        }
    }
}

#[test]
fn one_with_a_shorter_time_of_its_own_is_proven_by_its_own_word_and_the_meter() {
    let manner = Manner {
        own_s: Some(4),
        guard_s: Some(4),
        tells: true,
        ..Manner::default()
    };
    let report = House::new(manner.clone()).run(true);
    let cut = report.cut.expect(&report.text);
    assert!(cut.passed, "{cut:?}");
    assert!(
        cut.text.contains("after it heard the last of us"),
        "{cut:?}"
    );
    assert_eq!(report.limits.lease, Some(LeaseProof::Proven));

    // Without its word it may be the car that stopped.
    let manner = Manner {
        tells: false,
        ..manner
    };
    let report = House::new(manner).run(true);
    assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
    assert!(
        report.text.contains("may have stopped by itself"),
        "{}",
        report.text
    );
    assert_eq!(report.limits.lease, None);
}

#[test]
fn one_that_is_not_asked_in_the_silence_is_judged_by_the_meter() {
    let manner = Manner {
        unasked: true,
        ..Manner::default()
    };
    let report = House::new(manner.clone()).run(true);
    let cut = report.cut.expect(&report.text);
    assert!(cut.passed, "{cut:?}");
    assert_eq!(cut.seen_by.as_deref(), Some("meter"));

    let manner = Manner {
        forever: true,
        ..manner
    };
    let report = House::new(manner).run(true);
    let cut = report.cut.expect(&report.text);
    assert!(!cut.passed, "{cut:?}");
    assert_eq!(report.limits.lease, Some(LeaseProof::None));
}

#[test]
fn a_load_of_the_house_that_is_off_for_a_moment_proves_no_lease() {
    let manner = Manner {
        unasked: true,
        forever: true,
        ..Manner::default()
    };
    // 3 A on one line for one reading, then the whole fall on all lines for two.
    for (drops, readings) in [([3_000, 0, 0], 1), ([4_500; 3], 2)] {
        let mut house = House::with(manner.clone(), &json!({"safe_current_a": 6}));
        house.background = [6_000; 3];
        house.begin(true);
        house.wait_silence();
        house.seconds(LEASE_S + 5);
        assert!(house.engine.test().unwrap().is_running());
        house.background = drops.map(|drop| 6_000 - drop);
        house.seconds(readings);
        house.background = [6_000; 3];
        let report = house.end();
        assert_eq!(report.result, Verdict::Failed, "{}", report.text);
        assert_eq!(report.limits.lease, Some(LeaseProof::None));
    }
}

#[test]
fn a_load_of_the_house_that_goes_off_for_good_proves_no_lease() {
    let manner = Manner {
        unasked: true,
        forever: true,
        ..Manner::default()
    };
    // On one line the meter shows it; on all lines the charger says that it goes on.
    for drops in [[4_500, 0, 0], [4_500; 3]] {
        let mut house = House::with(manner.clone(), &json!({"safe_current_a": 6}));
        house.background = [6_000; 3];
        house.begin(true);
        house.wait_silence();
        house.seconds(LEASE_S);
        house.background = drops.map(|drop| 6_000 - drop);
        let report = house.end();
        assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
        assert_eq!((report.cut, report.limits.lease), (None, None));
    }
}

#[test]
fn a_button_at_the_charger_proves_no_lease() {
    // With a time of its own that its driver knows, it is believed at that time and at no other one.
    for guard_s in [None, Some(12)] {
        let manner = Manner {
            tells: true,
            forever: true,
            guard_s,
            ..Manner::default()
        };
        let mut house = House::new(manner);
        house.begin(true);
        house.wait_silence();
        house.seconds(2);
        house.limit = 0;
        let report = house.end();
        assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
        let expected = "may have stopped by itself";
        assert!(report.text.contains(expected), "{}", report.text);
        assert_eq!((report.cut, report.limits.lease), (None, None));
    }
}

#[test]
fn a_limit_that_was_never_told_before_proves_no_lease() {
    let mut house = House::new(Manner {
        forever: true,
        guard_s: Some(4),
        ..Manner::default()
    });
    house.begin(true);
    house.wait_silence();
    house.manner.tells = true;
    house.seconds(2);
    house.limit = 0;
    let report = house.end();
    assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
    assert_eq!(report.limits.lease, None);
}

#[test]
fn a_car_that_is_full_or_leaves_while_nobody_asks_proves_no_lease() {
    for (safe, full) in [(0, true), (6, true), (0, false), (6, false)] {
        let manner = Manner {
            unasked: true,
            forever: true,
            ..Manner::default()
        };
        let mut house = House::with(manner, &json!({"safe_current_a": safe}));
        house.begin(true);
        house.wait_silence();
        house.seconds(LEASE_S - 5);
        if full {
            house.manner.car = vec![0; 3];
        } else {
            house.plugged = false;
        }
        let report = house.end();
        assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
        assert_eq!((report.cut, report.limits.lease), (None, None));
    }
}

#[test]
fn one_that_loses_its_meter_values_in_the_silence_is_not_judged_by_the_meter() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.wait_silence();
    house.seconds(2);
    house.manner.says = false;
    let report = house.end();
    assert_eq!(report.result, Verdict::Aborted, "{}", report.text);
    assert!(report.text.contains("does not say"), "{}", report.text);
    assert_eq!((report.cut, report.limits.lease), (None, None));
}
