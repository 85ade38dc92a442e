//! Two connectors on one connection, in virtual time.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::types::{LimitOutcome, Report, Status};

struct Bench {
    sessions: Sessions,
    elapsed: Duration,
    calls: Vec<Value>,
    answers: Vec<Value>,
    reports: Vec<(usize, Report)>,
    outcomes: Vec<(u64, LimitOutcome)>,
    boots: usize,
}

fn settings(connector: u32) -> Settings {
    Settings {
        adopted: true,
        control: true,
        connector,
        terminals: 3,
        safe_ma: 6_000,
        nominal_voltage_v: 230,
    }
}

fn request(command: u64, ampere: u32) -> LimitRequest {
    LimitRequest {
        command,
        limit_ma: ampere * 1000,
        phases: 3,
        lease_s: 120,
        safe_ma: 6_000,
    }
}

fn random() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(41);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Bench {
    fn new(version: Version) -> Self {
        let seats = vec![
            (settings(1), Learnt::default()),
            (settings(2), Learnt::default()),
        ];
        let mut bench = Self {
            sessions: Sessions::new(version, seats, random, now_at(Duration::ZERO)),
            elapsed: Duration::ZERO,
            calls: Vec::new(),
            answers: Vec::new(),
            reports: Vec::new(),
            outcomes: Vec::new(),
            boots: 0,
        };
        bench.pass(Duration::ZERO);
        bench
    }

    /// Booted and set up.
    fn settled(version: Version) -> Self {
        let mut bench = Self::new(version);
        let boot = if version == Version::V16 {
            json!({"chargePointVendor": "V", "chargePointModel": "M"})
        } else {
            json!({"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}})
        };
        bench.call("BootNotification", &boot);
        bench.settle();
        bench
    }

    fn now(&self) -> Now {
        now_at(self.elapsed)
    }

    fn collect(&mut self) {
        while let Some((seat, output)) = self.sessions.poll() {
            match output {
                Output::Send(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame[0] == 2 {
                        self.calls.push(frame);
                    } else {
                        self.answers.push(frame);
                    }
                }
                Output::Report(report) => self.reports.push((seat, report)),
                Output::Outcome {
                    command, outcome, ..
                } => self.outcomes.push((command, outcome)),
                Output::Identified(_) => self.boots += 1,
                Output::Note(_) | Output::Operated { .. } | Output::Capabilities(_) => {}
            }
        }
        assert!(self.calls.len() <= 1, "one at a time: {:?}", self.calls);
        let deadline = self.sessions.next_deadline();
        assert!(deadline.is_none_or(|at| at > self.elapsed), "it would spin");
    }

    fn pass(&mut self, time: Duration) {
        let end = self.elapsed + time;
        while let Some(deadline) = self.sessions.next_deadline().filter(|at| *at <= end) {
            self.elapsed = deadline;
            self.sessions.tick(self.now());
            self.collect();
        }
        self.elapsed = end;
        self.sessions.tick(self.now());
        self.collect();
    }

    fn call(&mut self, action: &str, payload: &Value) -> Value {
        let text = json!([2, "theirs", action, payload]).to_string();
        self.sessions.receive(&text, self.now());
        self.collect();
        assert_eq!(self.answers.len(), 1, "answered once");
        self.answers.pop().unwrap()
    }

    /// Says yes to all calls until none is left; gives them.
    fn settle(&mut self) -> Vec<Value> {
        let mut done = Vec::new();
        while let Some(call) = self.calls.pop() {
            let answer = if call[2] == "GetCompositeSchedule" {
                json!([4, call[1], "NotSupported", "", {}])
            } else {
                json!([3, call[1], {"status": "Accepted", "configurationKey": [{"key": "x"}]}])
            };
            self.sessions.receive(&answer.to_string(), self.now());
            self.collect();
            done.push(call);
        }
        done
    }

    fn limit(&mut self, seat: usize, request: LimitRequest) {
        self.sessions.set_limit(seat, request, self.now());
        self.collect();
    }
}

fn now_at(monotonic: Duration) -> Now {
    Now {
        monotonic,
        wall: "2026-01-15T12:00:00Z".parse::<Timestamp>().unwrap() + monotonic,
    }
}

/// Connector, id and first limit of each profile among the calls.
fn profiles(calls: &[Value]) -> Vec<(u64, u64, f64)> {
    let of = |call: &Value| {
        let body = &call[3];
        let (connector, profile) = if body["evseId"].is_null() {
            (&body["connectorId"], &body["csChargingProfiles"])
        } else {
            (&body["evseId"], &body["chargingProfile"])
        };
        let schedule = &profile["chargingSchedule"];
        let schedule = schedule.get(0).unwrap_or(schedule);
        let id = profile.get("chargingProfileId").unwrap_or(&profile["id"]);
        let limit = &schedule["chargingSchedulePeriod"][0]["limit"];
        (
            connector.as_u64().unwrap(),
            id.as_u64().unwrap(),
            limit.as_f64().unwrap(),
        )
    };
    let calls = calls.iter().filter(|call| call[2] == "SetChargingProfile");
    calls.map(of).collect()
}

const BOTH: [Version; 2] = [Version::V16, Version::V201];

#[test]
fn one_boot_is_answered_once_and_gives_each_connector_a_base_of_its_own() {
    for version in BOTH {
        let mut bench = Bench::new(version);
        let boot = json!({"chargePointVendor": "V", "chargePointModel": "M", "reason": "PowerUp",
            "chargingStation": {"vendorName": "V", "model": "M"}});
        let boot = if version == Version::V16 {
            boot
        } else {
            json!({"reason": "PowerUp", "chargingStation": boot["chargingStation"]})
        };
        let answer = bench.call("BootNotification", &boot);
        assert_eq!(answer[2]["status"], "Accepted");
        assert_eq!(bench.boots, 1);
        let mut bases = profiles(&bench.settle());
        bases[..2].sort_by_key(|(connector, ..)| *connector);
        assert_eq!(bases[..2], [(1, 1, 6.0), (2, 5, 6.0)], "{version:?}");
        // Later ones repeat these: clearing what others left may have taken them along.
        assert!(
            bases.iter().all(|base| bases[..2].contains(base)),
            "{bases:?}"
        );
    }
}

#[test]
fn each_connector_has_its_own_limit_state_and_transaction() {
    let mut bench = Bench::settled(Version::V16);
    bench.limit(0, request(1, 16));
    bench.limit(1, request(2, 10));
    let sent = profiles(&bench.settle());
    assert_eq!(sent, [(1, 2, 16.0), (2, 6, 10.0)]);
    let accepted = LimitOutcome::Accepted;
    assert_eq!(bench.outcomes, [(1, accepted), (2, accepted)]);

    bench.reports.clear();
    for (connector, ampere) in [(1, "15.0"), (2, "9.5")] {
        let status =
            json!({"connectorId": connector, "status": "Charging", "errorCode": "NoError"});
        bench.call("StatusNotification", &status);
        let values = json!({"connectorId": connector, "meterValue": [{"sampledValue": [
            {"measurand": "Current.Import", "value": ampere}]}]});
        bench.call("MeterValues", &values);
    }
    let last = |seat| {
        let reports = bench.reports.iter().rev();
        reports
            .filter(|(own, _)| *own == seat)
            .map(|(_, report)| (report.status, report.current_ma.clone()))
            .next()
    };
    assert_eq!(
        last(0),
        Some((Status::Charging, vec![Some(15_000); 3])),
        "of the first"
    );
    assert_eq!(last(1), Some((Status::Charging, vec![Some(9_500); 3])));

    let start = |connector: u32| {
        json!({"connectorId": connector, "idTag": "CAR", "meterStart": 0,
            "timestamp": "2026-01-15T12:00:00Z"})
    };
    let of = |answer: Value| answer[2]["transactionId"].as_i64().unwrap();
    let first = of(bench.call("StartTransaction", &start(1)));
    let second = of(bench.call("StartTransaction", &start(2)));
    assert_ne!(first, second);
    assert_eq!(
        of(bench.call("StartTransaction", &start(1))),
        first,
        "its answer was lost"
    );
}

#[test]
fn a_reduction_goes_before_a_raise_of_the_other_connector() {
    for version in BOTH {
        let mut bench = Bench::settled(version);
        bench.limit(0, request(1, 10));
        bench.settle();
        // A call is under way; then come a raise and a reduction.
        bench.limit(1, request(2, 8));
        bench.limit(1, request(3, 16));
        bench.limit(0, request(4, 7));
        let sent = profiles(&bench.settle());
        let limits: Vec<f64> = sent.iter().map(|(.., limit)| *limit).collect();
        assert_eq!(limits, [8.0, 7.0, 16.0], "{version:?}");
    }
}

#[test]
fn a_reduction_does_not_wait_for_the_set_up_of_the_other_connector() {
    for version in BOTH {
        let mut bench = Bench::new(version);
        let boot =
            json!({"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}});
        bench.call("BootNotification", &boot);
        // Both bases, then a call of the set-up that is never answered.
        while profiles(&bench.calls).len() == 1 {
            let call = bench.calls.pop().unwrap();
            let answer = json!([3, call[1], {"status": "Accepted"}]).to_string();
            bench.sessions.receive(&answer, bench.now());
            bench.collect();
        }
        assert_eq!(bench.calls.len(), 1, "{version:?}");
        bench.calls.clear();
        let turn = bench.sessions.calling().unwrap();
        let other = 1 - turn;
        bench.pass(Duration::from_millis(500));
        bench.limit(other, request(1, 0));
        bench.pass(Duration::from_secs(1));
        let sent = profiles(&bench.calls);
        assert_eq!(sent.len(), 1, "{version:?}: {:?}", bench.calls);
        assert!(sent.iter().all(|(.., limit)| *limit == 0.0));
        // Also when the call is old already: at once.
        bench.settle();
    }
}

#[test]
fn nothing_is_set_for_the_whole_charge_point() {
    let mut bench = Bench::new(Version::V16);
    let boot = json!({"chargePointVendor": "V", "chargePointModel": "M"});
    bench.call("BootNotification", &boot);
    bench.limit(0, request(1, 16));
    bench.limit(1, request(2, 16));
    let mut refused = 0;
    for _ in 0..200 {
        let Some(call) = bench.calls.pop() else { break };
        let is_profile = call[2] == "SetChargingProfile";
        if is_profile {
            assert_ne!(call[3]["connectorId"], 0, "{call}");
            refused += 1;
        }
        let status = if is_profile { "Rejected" } else { "Accepted" };
        let answer = json!([3, call[1], {"status": status, "configurationKey": [{"key": "x"}]}]);
        bench.sessions.receive(&answer.to_string(), bench.now());
        bench.collect();
    }
    assert!(refused >= 6, "every form was tried: {refused}");
    let rejected = LimitOutcome::Rejected;
    bench.outcomes.sort_by_key(|(command, _)| *command);
    assert_eq!(bench.outcomes, [(1, rejected), (2, rejected)]);
}

#[test]
fn after_the_last_clearing_each_connector_has_its_base_again() {
    let mut bench = Bench::new(Version::V16);
    let boot = json!({"chargePointVendor": "V", "chargePointModel": "M"});
    bench.call("BootNotification", &boot);
    let calls = bench.settle();
    let last = calls
        .iter()
        .rposition(|call| call[2] == "ClearChargingProfile");
    let after = profiles(&calls[last.unwrap()..]);
    for base in [(1, 1, 6.0), (2, 5, 6.0)] {
        assert!(after.contains(&base), "{after:?}");
    }
}

#[test]
fn a_boot_is_asked_for_once() {
    let mut bench = Bench::new(Version::V16);
    bench.pass(Duration::from_secs(6));
    assert_eq!(bench.calls.len(), 1);
    bench.settle();
    bench.pass(Duration::from_secs(6));
    assert_eq!(bench.calls.len(), 0, "{:?}", bench.calls);
}

/// Boots one connector of a charge point that refuses every stack level but 0, gives it a limit and says which stack
/// levels were tried for it, and what was learnt.
fn tried_levels(learnt: Learnt) -> (Vec<u64>, Learnt) {
    let mut sessions = Sessions::new(
        Version::V16,
        vec![(settings(1), learnt)],
        random,
        now_at(Duration::ZERO),
    );
    let boot =
        json!([2, "b", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]);
    sessions.receive(&boot.to_string(), now_at(Duration::ZERO));
    let mut levels = Vec::new();
    for step in 0..50 {
        let now = now_at(Duration::from_secs(step));
        if step == 20 {
            sessions.set_limit(0, request(1, 16), now);
        }
        while let Some((_, output)) = sessions.poll() {
            let Output::Send(text) = output else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame[0] != 2 {
                continue;
            }
            let profile = &frame[3]["csChargingProfiles"];
            let level = profile["stackLevel"].as_u64();
            let periods = profile["chargingSchedule"]["chargingSchedulePeriod"].as_array();
            if periods.is_some_and(|periods| periods.len() == 2) {
                levels.extend(level);
            }
            let refused = level.is_some_and(|level| level > 0);
            let status = if refused { "Rejected" } else { "Accepted" };
            let answer = if frame[2] == "SetChargingProfile" {
                json!([3, frame[1], {"status": status}])
            } else {
                json!([4, frame[1], "NotSupported", "", {}])
            };
            sessions.receive(&answer.to_string(), now);
        }
        sessions.tick(now);
    }
    (levels, sessions.learnt(0))
}

#[test]
fn what_was_found_out_outlives_a_restart_of_the_program() {
    let (levels, learnt) = tried_levels(Learnt::default());
    assert_eq!(
        levels.first(),
        Some(&1),
        "the first rung is tried: {levels:?}"
    );
    assert!(levels.contains(&0), "{levels:?}");
    let text = learnt.text();
    let kept = Learnt::of_text(&text);
    assert_eq!(kept.text(), text);
    assert_ne!(kept.capabilities(), crate::types::Capabilities::default());
    assert_eq!(kept.capabilities(), learnt.capabilities());
    let (levels, _) = tried_levels(kept);
    assert!(
        !levels.is_empty() && levels.iter().all(|level| *level == 0),
        "{levels:?}"
    );
    for garbage in [
        "",
        "{not json",
        "[]",
        r#"{"v16": {"ladder": {"rung": 99999}}}"#,
    ] {
        let (levels, _) = tried_levels(Learnt::of_text(garbage));
        assert!(!garbage.is_empty() || levels.first() == Some(&1));
    }
}
