//! Scenarios of a session, in virtual time.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::session::{BOOT_TRIGGER_AFTER, Learnt, PROFILE_TIMEOUT, Session};
use crate::types::{LimitOutcome, LimitRequest, Note, Now, Output, Report, Settings, Status};

/// A session with the time and everything that came out of it.
struct Bench {
    session: Session,
    elapsed: Duration,
    calls: Vec<Value>,
    answers: Vec<Value>,
    reports: Vec<Report>,
    outcomes: Vec<(u64, LimitOutcome)>,
    notes: Vec<Note>,
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
            session: Session::new(settings, Learnt::default(), random, start),
            elapsed: Duration::ZERO,
            calls: Vec::new(),
            answers: Vec::new(),
            reports: Vec::new(),
            outcomes: Vec::new(),
            notes: Vec::new(),
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
                Output::Note(note) => self.notes.push(note),
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
        self.call(
            "BootNotification",
            &json!({"chargePointVendor": "V", "chargePointModel": "M"}),
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

#[test]
fn after_a_boot_the_base_comes_first_then_the_limit_then_the_set_up() {
    let mut bench = Bench::new(SETTINGS);
    assert!(bench.calls.is_empty(), "nothing before the boot");
    bench.limit(request(1, 16));
    assert!(bench.calls.is_empty(), "nothing before the boot");
    let answer = bench.boot();
    assert_eq!(
        answer,
        json!([3, "their-id", {"status": "Accepted", "currentTime": "2026-01-15T12:00:00Z",
            "interval": 60}])
    );
    let base = bench.answer("Accepted");
    assert_eq!(
        (profile(&base)["stackLevel"].as_u64(), limits(&base)),
        (Some(0), vec![(0, 6.0)])
    );
    let lease = bench.answer("Accepted");
    assert_eq!(limits(&lease), [(0, 16.0), (120, 6.0)]);
    assert_eq!(profile(&lease)["stackLevel"], 1);
    assert_eq!(
        profile(&lease)["chargingSchedule"]["startSchedule"],
        "2026-01-15T11:59:58Z"
    );
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
    let names = bench.settle();
    assert_eq!(names.first().map(String::as_str), Some("TriggerMessage"));
    assert_eq!(names.get(1).map(String::as_str), Some("GetConfiguration"));
    assert!(bench.notes.contains(&Note::BaseInPlace));
}

#[test]
fn without_a_boot_it_is_asked_for_and_then_waited_for() {
    let mut bench = Bench::new(SETTINGS);
    bench.pass(Duration::from_millis(4_999));
    assert!(bench.calls.is_empty());
    bench.pass(Duration::from_millis(1));
    let (name, call) = bench.take();
    assert_eq!(
        (name.as_str(), &call[3]["requestedMessage"]),
        ("TriggerMessage", &json!("BootNotification"))
    );
    bench.pass(Duration::from_millis(54_999));
    assert!(bench.calls.is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.take().0, "SetChargingProfile");
}

#[test]
fn one_that_refuses_to_boot_again_or_speaks_is_ready() {
    let mut refusing = Bench::new(SETTINGS);
    refusing.pass(BOOT_TRIGGER_AFTER);
    refusing.answer("NotImplemented");
    assert_eq!(refusing.take().0, "SetChargingProfile");

    let mut speaking = Bench::new(SETTINGS);
    speaking.call("Heartbeat", &json!({}));
    assert_eq!(limits(&speaking.answer("Accepted")), [(0, 6.0)]);
    assert!(
        speaking.calls.is_empty(),
        "the set-up still waits for the boot"
    );
    speaking.limit(request(1, 10));
    assert_eq!(
        limits(&speaking.answer("Accepted")),
        [(0, 10.0), (120, 6.0)]
    );
}

#[test]
fn observing_sends_answers_and_nothing_else() {
    let mut bench = Bench::new(Settings {
        control: false,
        ..SETTINGS
    });
    bench.boot();
    bench.limit(request(1, 16));
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
    assert_eq!(bench.reports.last().unwrap().status, Status::Charging);

    bench.session.configure(SETTINGS, bench.now());
    bench.collect();
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6.0)],
        "control begins with the base"
    );
    bench.session.configure(
        Settings {
            control: false,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.settle();
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
}

#[test]
fn one_that_nobody_knows_is_answered_pending_and_never_commanded() {
    let mut bench = Bench::new(Settings {
        adopted: false,
        control: false,
        ..SETTINGS
    });
    assert_eq!(bench.boot()[2]["status"], "Pending");
    let tag = bench.call("Authorize", &json!({"idTag": "A"}));
    assert_eq!(tag[2]["idTagInfo"]["status"], "Invalid");
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    bench.limit(request(1, 16));
    bench.pass(Duration::from_secs(1_000));
    assert!(bench.calls.is_empty());
}

#[test]
fn a_reduction_overtakes_the_set_up_and_is_not_held_up_by_a_hanging_call() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    bench.answer("Accepted");
    let (name, hanging) = bench.take();
    assert_eq!(name, "TriggerMessage");
    bench.limit(request(1, 16));
    bench.limit(request(2, 6));
    assert!(bench.calls.is_empty(), "one call at a time");
    bench.pass(Duration::from_secs(3));
    let lease = bench.answer("Accepted");
    assert_eq!(
        limits(&lease),
        [(0, 6.0), (120, 6.0)],
        "only the newest was sent"
    );
    assert_eq!(bench.outcomes, [(2, LimitOutcome::Accepted)]);
    bench.reply(&hanging, &json!({"status": "Accepted"}));
    assert_eq!(bench.session.counters().answers_dropped, 1);
    assert_eq!(bench.take().0, "GetConfiguration", "the set-up goes on");
}

#[test]
fn calls_are_answered_while_ours_is_pending() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, pending) = bench.take();
    assert!(bench.call("Heartbeat", &json!({}))[2]["currentTime"].is_string());
    bench.reply(&pending, &json!({"status": "Accepted"}));
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
}

#[test]
fn an_unanswered_limit_is_tried_once_more_with_the_newest_value() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, first) = bench.take();
    bench.pass(PROFILE_TIMEOUT);
    let (_, second) = bench.take();
    assert_eq!(limits(&second), limits(&first));
    bench.pass(PROFILE_TIMEOUT);
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Timeout)]);
    assert!(bench.calls.is_empty());

    bench.limit(request(2, 10));
    bench.take();
    bench.limit(request(3, 8));
    bench.pass(PROFILE_TIMEOUT);
    let (_, newest) = bench.take();
    assert_eq!(limits(&newest), [(0, 8.0), (120, 6.0)]);
    bench.reply(&first, &json!({"status": "Accepted"}));
    bench.reply(&newest, &json!({"status": "Accepted"}));
    let last = &bench.outcomes[1..];
    assert_eq!(
        last,
        [(2, LimitOutcome::Timeout), (3, LimitOutcome::Accepted)]
    );
}

#[test]
fn a_refusal_climbs_the_ladder_and_a_call_error_is_a_refusal() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    assert_eq!(profile(&bench.answer("Rejected"))["stackLevel"], 1);
    let (_, call) = bench.take();
    assert_eq!(profile(&call)["stackLevel"], 0);
    let error = json!([4, call[1], "PropertyConstraintViolation", "no", {}]).to_string();
    bench.session.receive(&error, bench.now());
    bench.collect();
    let whole = bench.answer("NotSupported");
    assert_eq!(
        (whole[3]["connectorId"].as_u64(), bench.outcomes.len()),
        (Some(0), 0)
    );
    let maximum = bench.answer("Accepted");
    assert_eq!(
        profile(&maximum)["chargingProfilePurpose"],
        "ChargePointMaxProfile"
    );
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
    bench.limit(request(2, 10));
    let next = bench.answer("Accepted");
    assert_eq!(
        profile(&next)["chargingProfilePurpose"],
        "ChargePointMaxProfile",
        "it is kept"
    );
}

#[test]
fn when_every_form_is_refused_the_command_is_rejected() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let mut forms = 0;
    while !bench.calls.is_empty() {
        bench.answer("Rejected");
        forms += 1;
    }
    assert_eq!(
        (forms, bench.outcomes.as_slice()),
        (4, [(1, LimitOutcome::Rejected)].as_slice())
    );
}

#[test]
fn a_power_only_charge_point_gets_watts() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    assert_eq!(
        profile(&bench.answer("Rejected"))["chargingSchedule"]["chargingRateUnit"],
        "A"
    );
    let base = bench.answer("Accepted");
    assert_eq!(profile(&base)["chargingSchedule"]["chargingRateUnit"], "W");
    assert_eq!(
        limits(&base),
        [(0, 1_380.0)],
        "one phase, because none is known"
    );
    bench.settle();
    bench.limit(request(1, 10));
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6_900.0), (120, 4_140.0)]
    );
    // A car that uses one of the three phases would draw all of it there.
    let stamp = bench.stamp(0);
    bench.call(
        "MeterValues",
        &json!({"connectorId": 1, "meterValue": [{"timestamp": stamp, "sampledValue": [
            {"value": "9.9", "measurand": "Current.Import", "phase": "L1"},
            {"value": "0.0", "measurand": "Current.Import", "phase": "L2"},
            {"value": "0.0", "measurand": "Current.Import", "phase": "L3"}]}]}),
    );
    bench.limit(request(2, 10));
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 2_300.0), (120, 1_380.0)]
    );
}

#[test]
fn the_unit_is_learnt_from_the_configuration_and_the_base_follows() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    bench.answer("Accepted");
    bench.answer("Accepted");
    let (name, call) = bench.take();
    assert_eq!(name, "GetConfiguration");
    let keys = json!({"configurationKey": [
        {"key": "chargingScheduleAllowedChargingRateUnit", "value": "Power", "readonly": true},
        {"key": "ChargingScheduleMaxPeriods", "value": "1", "readonly": "true"}]});
    bench.reply(&call, &keys);
    let base = bench.answer("Accepted");
    assert_eq!(profile(&base)["chargingSchedule"]["chargingRateUnit"], "W");
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    assert_eq!(
        profile(&lease)["chargingSchedule"]["duration"],
        120,
        "one period only"
    );
    assert_eq!(limits(&lease), [(0, 6_900.0)]);
}

#[test]
fn a_lease_starts_in_the_charge_points_own_clock() {
    for offset_s in [-300, 300, -1_788_000_000] {
        let mut bench = Bench::settled();
        for _ in 0..2 {
            let stamp = bench.stamp(offset_s);
            bench.call(
                "StatusNotification",
                &json!({"connectorId": 1, "status": "Charging", "timestamp": stamp}),
            );
            bench.pass(Duration::from_secs(5));
        }
        bench.limit(request(1, 10));
        let lease = bench.answer("Accepted");
        let start = &profile(&lease)["chargingSchedule"]["startSchedule"];
        assert_eq!(
            start.as_str().unwrap(),
            bench.stamp(offset_s - 2),
            "{offset_s}"
        );
    }
}

#[test]
fn the_boot_answer_sets_the_clock_right() {
    let mut bench = Bench::settled();
    for _ in 0..2 {
        let stamp = bench.stamp(-300);
        bench.call(
            "StatusNotification",
            &json!({"connectorId": 1, "status": "Charging", "timestamp": stamp}),
        );
        bench.pass(Duration::from_secs(5));
    }
    bench.boot();
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    let start = &profile(&lease)["chargingSchedule"]["startSchedule"];
    assert_eq!(start.as_str().unwrap(), bench.stamp(-2));
}

#[test]
fn a_limit_from_before_observing_is_not_sent_after_it() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, first) = bench.take();
    bench.limit(request(2, 14));
    bench.session.configure(
        Settings {
            control: false,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.reply(&first, &json!({"status": "Accepted"}));
    bench.session.configure(SETTINGS, bench.now());
    bench.collect();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)], "the base");
    assert!(!bench.settle().contains(&"SetChargingProfile".to_owned()));
}

#[test]
fn a_limit_that_observing_drops_has_its_outcome() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let (_, first) = bench.take();
    bench.limit(request(2, 14));
    let observe = Settings {
        control: false,
        ..SETTINGS
    };
    bench.session.configure(observe, bench.now());
    bench.collect();
    assert_eq!(bench.outcomes, [(2, LimitOutcome::Timeout)]);
    bench.limit(request(3, 13));
    bench.reply(&first, &json!({"status": "Accepted"}));
    assert_eq!(
        bench.outcomes,
        [
            (2, LimitOutcome::Timeout),
            (3, LimitOutcome::Timeout),
            (1, LimitOutcome::Accepted)
        ]
    );
}

#[test]
fn an_unknowable_clock_gets_a_duration() {
    let mut bench = Bench::settled();
    for second in 0..2 {
        bench.pass(Duration::from_secs(5));
        let local = format!("2026-01-15T14:00:{:02}", 5 * (second + 1));
        bench.call(
            "StatusNotification",
            &json!({"connectorId": 1, "status": "Charging", "timestamp": local}),
        );
    }
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    let schedule = &profile(&lease)["chargingSchedule"];
    assert_eq!(
        (&schedule["duration"], &schedule["startSchedule"]),
        (&json!(120), &Value::Null)
    );
}

#[test]
fn after_a_reboot_the_base_and_what_is_left_of_the_lease_go_in_again() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    bench.answer("Accepted");
    bench.pass(Duration::from_secs(50));
    bench.boot();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 16.0), (70, 6.0)]);
    assert_eq!(bench.outcomes.len(), 1, "nobody asked, nobody is told");
    bench.settle();
    bench.pass(Duration::from_secs(100));
    bench.boot();
    bench.answer("Accepted");
    assert_ne!(
        bench.take().0,
        "SetChargingProfile",
        "the lease has run out"
    );
}

#[test]
fn a_boot_loop_is_answered_pending_and_costs_no_writes() {
    let mut bench = Bench::new(SETTINGS);
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(bench.boot()[2]["status"].as_str().unwrap().to_owned());
        bench.settle();
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(
        statuses
            .iter()
            .filter(|status| *status == "Accepted")
            .count(),
        5
    );
    assert_eq!(bench.session.counters().profiles_sent, 5);
    bench.pass(Duration::from_mins(1));
    assert_eq!(bench.boot()[2]["status"], "Accepted");
}

#[test]
fn a_missing_base_is_told_and_tried_again() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    for _ in 0..2 {
        bench.take();
        bench.pass(PROFILE_TIMEOUT);
    }
    assert!(bench.notes.contains(&Note::BaseMissing));
    assert_ne!(
        bench.settle().first().map(String::as_str),
        Some("SetChargingProfile")
    );
    bench.pass(Duration::from_mins(5));
    assert_eq!(bench.settle(), ["SetChargingProfile"]);
    assert!(bench.notes.contains(&Note::BaseInPlace));
}

#[test]
fn a_changed_safe_current_renews_the_base() {
    let mut bench = Bench::settled();
    bench.session.configure(
        Settings {
            safe_ma: 8_000,
            ..SETTINGS
        },
        bench.now(),
    );
    bench.collect();
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 8.0)]);
    bench.limit(LimitRequest {
        safe_ma: 7_000,
        ..request(1, 16)
    });
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 16.0), (120, 7.0)]);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 7.0)]);
}

#[test]
fn transactions() {
    let mut bench = Bench::settled();
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 1000,
        "timestamp": "2026-01-15T12:00:00Z"});
    let first = bench.call("StartTransaction", &start)[2].clone();
    assert_eq!(first["idTagInfo"]["status"], "Accepted");
    let id = first["transactionId"].as_i64().unwrap();
    assert!((1..=i64::from(i32::MAX)).contains(&id));
    assert_eq!(
        bench.call("StartTransaction", &start)[2],
        first,
        "a repeated call, the same id"
    );
    assert_eq!(bench.reports.last().unwrap().energy_wh, Some(1_000));
    let other = json!({"connectorId": 1, "meterStart": 2000, "timestamp": "2026-01-15T13:00:00Z"});
    assert_ne!(
        bench.call("StartTransaction", &other)[2]["transactionId"],
        first["transactionId"]
    );
    let stop = json!({"transactionId": id, "meterStop": 3000, "reason": "Whatever"});
    assert_eq!(
        bench.call("StopTransaction", &stop)[2]["idTagInfo"]["status"],
        "Accepted"
    );
}

#[test]
fn meter_values_become_reports_each_time() {
    let mut bench = Bench::settled();
    let before = bench.reports.len();
    for _ in 0..2 {
        let stamp = bench.stamp(0);
        let values = json!({"connectorId": 1, "transactionId": 7, "meterValue": [
            {"timestamp": stamp, "sampledValue": [
                {"value": "9.8", "measurand": "Current.Import", "phase": "L1"},
                {"value": "9.7", "measurand": "Current.Import", "phase": "L2"},
                {"value": "0", "measurand": "Current.Import", "phase": "L3"},
                {"value": "10", "measurand": "Current.Offered"},
                {"value": "3200", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]}]});
        assert_eq!(bench.call("MeterValues", &values)[2], json!({}));
    }
    assert_eq!(
        bench.reports.len(),
        before + 2,
        "with every message, changed or not"
    );
    let report = bench.reports.last().unwrap();
    assert_eq!(report.current_ma, [Some(9_800), Some(9_700), Some(0)]);
    assert_eq!(
        (report.limit_ma, report.energy_wh),
        (Some(10_000), Some(3_200))
    );
    // It was running before we were: its id is good for the ladder's transaction rung.
    bench.limit(request(1, 10));
    let forms: Vec<_> = std::iter::from_fn(|| {
        (!bench.calls.is_empty())
            .then(|| profile(&bench.answer("Rejected"))["transactionId"].clone())
    })
    .collect();
    assert!(forms.contains(&json!(7)), "{forms:?}");
}

#[test]
fn a_silent_charging_connector_is_asked() {
    let mut bench = Bench::settled();
    bench.call(
        "StatusNotification",
        &json!({"connectorId": 1, "status": "Charging"}),
    );
    bench.pass(Duration::from_secs(30));
    let (name, call) = bench.take();
    assert_eq!(
        (name.as_str(), &call[3]["requestedMessage"]),
        ("TriggerMessage", &json!("MeterValues"))
    );
    bench.reply(&call, &json!({"status": "NotImplemented"}));
    bench.pass(Duration::from_mins(10));
    assert!(bench.calls.is_empty(), "it has said that it cannot");
}

#[test]
fn every_tolerated_payload_is_answered() {
    // Payloads that typed libraries refuse, and that charge points in the field send.
    let sample = |sample: Value| {
        json!({"connectorId": 1, "meterValue": [
        {"timestamp": "2026-01-15T12:00:00Z", "sampledValue": [sample]}]})
    };
    let stamped = |stamp: &str| {
        json!({"connectorId": 1, "status": "Charging", "errorCode": "NoError",
        "timestamp": stamp})
    };
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 1.5,
        "timestamp": "2026-01-15T12:00:00Z"});
    let cases = [
        ("MeterValues", sample(json!({"value": 7.5}))),
        (
            "MeterValues",
            sample(json!({"value": "50", "measurand": "Frequency", "unit": "Hz"})),
        ),
        ("MeterValues", sample(json!({"value": "5", "unit": ""}))),
        (
            "MeterValues",
            sample(json!({"value": "5", "measurand": "Vendor.Special"})),
        ),
        (
            "MeterValues",
            sample(json!({"value": "5", "context": "Vendor.Special"})),
        ),
        ("MeterValues", sample(json!({"value": "5", "location": ""}))),
        ("MeterValues", json!({"connectorId": 1, "meterValue": null})),
        ("MeterValues", json!({})),
        ("StatusNotification", stamped("2026-01-15T12:00:00")),
        ("StatusNotification", stamped("2026-01-15T12:00:00+02")),
        ("StatusNotification", stamped("2026-01-15T12:00:00+0200")),
        ("StatusNotification", stamped("")),
        (
            "StatusNotification",
            json!({"connectorId": 1, "status": "Charging", "errorCode": "Vendor42"}),
        ),
        (
            "StatusNotification",
            json!({"connectorId": "1", "status": "Occupied"}),
        ),
        ("BootNotification", json!({"chargePointModel": "M"})),
        (
            "BootNotification",
            json!({"chargePointVendor": "V", "chargePointModel": "M", "extra": {}}),
        ),
        ("BootNotification", json!([])),
        ("StartTransaction", start),
        ("StartTransaction", json!({})),
        (
            "StopTransaction",
            json!({"transactionId": 5, "reason": "BecauseICan"}),
        ),
        ("StopTransaction", json!({"transactionId": 5, "reason": ""})),
        ("StopTransaction", json!({"transactionId": null})),
        (
            "DataTransfer",
            json!({"vendorId": "gatewayInfo", "data": {"not": "text"}}),
        ),
        ("FirmwareStatusNotification", json!({"status": "Odd"})),
        ("SecurityEventNotification", json!({})),
        ("Authorize", json!({"idTag": "\u{0}\u{1}"})),
        ("Heartbeat", json!({"surplus": true})),
    ];
    for (action, payload) in cases {
        let mut bench = Bench::settled();
        let answer = bench.call(action, &payload);
        assert_eq!(
            (&answer[0], &answer[1]),
            (&json!(3), &json!("their-id")),
            "{action} {payload}"
        );
    }
}

#[test]
fn answers_in_every_dress() {
    let cases = [
        (json!({"status": "Accepted"}), LimitOutcome::Accepted),
        (
            json!({"status": "accepted", "more": 1}),
            LimitOutcome::Accepted,
        ),
        (json!({"status": "Perhaps"}), LimitOutcome::Rejected),
        (json!({}), LimitOutcome::Rejected),
        (json!([]), LimitOutcome::Rejected),
        (Value::Null, LimitOutcome::Rejected),
    ];
    for (payload, want) in cases {
        let mut bench = Bench::settled();
        bench.limit(request(1, 10));
        while !bench.calls.is_empty() {
            let (_, call) = bench.take();
            bench.reply(&call, &payload);
        }
        assert_eq!(bench.outcomes, [(1, want)], "{payload}");
    }
}

#[test]
fn an_unknown_action_is_not_implemented_and_the_session_goes_on() {
    let mut bench = Bench::settled();
    let answer = bench.call("Teleport", &json!({}));
    assert_eq!(
        (&answer[0], &answer[2]),
        (&json!(4), &json!("NotImplemented"))
    );
    assert_eq!(
        bench.call("DataTransfer", &json!({}))[2]["status"],
        "UnknownVendorId"
    );
    for garbage in [
        "",
        "nonsense",
        "{}",
        "[5]",
        "[6,\"a\"]",
        "[3,\"unknown\",{}]",
        "[4,\"unknown\"]",
    ] {
        bench.session.receive(garbage, bench.now());
        bench.collect();
    }
    let counters = bench.session.counters();
    assert_eq!((counters.frames_ignored, counters.answers_dropped), (5, 2));
    bench.limit(request(1, 10));
    bench.answer("Accepted");
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
}

#[test]
fn the_end_of_the_connection_is_a_time_out_for_what_was_under_way() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 10));
    bench.take();
    bench.limit(request(2, 8));
    bench.session.closed(bench.now());
    bench.collect();
    assert_eq!(
        bench.outcomes,
        [(1, LimitOutcome::Timeout), (2, LimitOutcome::Timeout)]
    );
}

/// Something that a charge point or the controller may do.
#[derive(Debug, Clone)]
enum Step {
    Text(String),
    Call(&'static str, bool),
    Answer(&'static str),
    Limit(u32),
    Wait(u16),
    Control(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop::sample::select(vec![
        "BootNotification",
        "StatusNotification",
        "MeterValues",
        "StartTransaction",
        "StopTransaction",
        "Heartbeat",
        "Nonsense",
    ]);
    let status = prop::sample::select(vec!["Accepted", "Rejected", "NotSupported", ""]);
    prop_oneof![
        ".{0,40}".prop_map(Step::Text),
        (action, any::<bool>()).prop_map(|(action, good)| Step::Call(action, good)),
        status.prop_map(Step::Answer),
        (0_u32..40).prop_map(Step::Limit),
        any::<u16>().prop_map(Step::Wait),
        any::<bool>().prop_map(Step::Control),
    ]
}

proptest! {
    /// Whatever happens: no panic, one call at a time, no deadline that has passed, every limit a
    /// lease, and each command one outcome at most.
    #[test]
    fn invariant_8_any_sequence_of_events(steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new(SETTINGS);
        let mut command = 0;
        let mut control = true;
        for step in steps {
            match step {
                Step::Text(text) => bench.session.receive(&text, bench.now()),
                Step::Call(action, good) => {
                    let payload = if good {
                        json!({"connectorId": 1, "status": "Charging", "meterStart": 5,
                            "transactionId": 3, "meterValue": [{"timestamp": bench.stamp(0),
                                "sampledValue": [{"value": "7", "measurand": "Current.Import"}]}]})
                    } else {
                        json!({"connectorId": [], "status": 7, "meterValue": {"sampledValue": 1}})
                    };
                    let text = json!([2, "x", action, payload]).to_string();
                    bench.session.receive(&text, bench.now());
                }
                Step::Answer(status) => {
                    if let Some(call) = bench.calls.pop() {
                        let text = json!([3, call[1], {"status": status}]).to_string();
                        bench.session.receive(&text, bench.now());
                    }
                }
                Step::Limit(ampere) => {
                    command += 1;
                    bench.session.set_limit(request(command, ampere), bench.now());
                }
                Step::Wait(milliseconds) => {
                    bench.calls.clear();
                    bench.pass(Duration::from_millis(u64::from(milliseconds)));
                }
                Step::Control(on) => {
                    control = on;
                    bench.session.configure(Settings { control, ..SETTINGS }, bench.now());
                }
            }
            let before = bench.calls.len();
            bench.collect();
            let new = &bench.calls[before..];
            prop_assert!(new.len() <= 1, "one call at a time: {:?}", new);
            prop_assert!(control || new.is_empty(), "observing: {:?}", new);
            for call in new.iter().filter(|call| call[2] == "SetChargingProfile") {
                let schedule = &profile(call)["chargingSchedule"];
                let lease = limits(call).len() == 2 || schedule["duration"].is_u64();
                let base = limits(call) == [(0, 6.0)] || limits(call) == [(0, 1_380.0)];
                prop_assert!(lease || base, "{}", call);
            }
        }
        let mut seen: Vec<_> = bench.outcomes.iter().map(|(command, _)| *command).collect();
        seen.sort_unstable();
        let all = seen.len();
        seen.dedup();
        prop_assert_eq!(all, seen.len(), "one outcome each");
    }
}
