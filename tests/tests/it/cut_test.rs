//! The cut test of chargers that are asked and told: their driver falls silent, and what guards them does the rest or
//! does not.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::{Controller, free_port},
    events::Events,
    goe::Goe,
    house::House,
    peer::Peer,
    pty::MeterPort,
    timed_charger::{self, TimedCharger},
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);
/// A whole test takes one to two minutes.
const TEST: Duration = Duration::from_secs(240);
/// Short, so that a test sees it run out; the shortest fail-safe that a KEBA takes is as long.
const LEASE_S: u32 = 12;

struct Lab {
    controller: Controller,
    house: House,
    _dir: TempDir,
}

impl Lab {
    /// A house with a 25 A fuse, and the profile of a box of its own.
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let data = dir.path().join("data");
        std::fs::create_dir_all(data.join("profiles")).unwrap();
        std::fs::write(data.join("profiles/my-box.toml"), timed_charger::PROFILE).unwrap();
        let port = MeterPort::new(&dir.path().join("meter"));
        let controller = Controller::start(&data, Some(&port.source()));
        let tuning = json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 60});
        controller.configure_site(25.0, &tuning);
        let house = House::new(port);
        house.background([2, 1, 3]);
        Self {
            controller,
            house,
            _dir: dir,
        }
    }

    fn add(&self, driver: &Value, safe_a: u32) {
        let charger = json!({
            "id": "ev1", "driver": driver, "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"],
            "safe_current_a": safe_a, "lease_s": LEASE_S,
        });
        drop(self.controller.api.post("chargers", &charger).expect(201));
        self.controller
            .wait_status("the car charges", SOON, |status| {
                let load = &status["loads"][0];
                let draws_all = load["measured_a"][0].as_f64()? >= 15.5;
                (draws_all && load["acknowledged_a"] == 16.0).then_some(())
            });
    }

    /// Runs the test of the charger; gives its stored report, and when the silence began.
    fn run(&self) -> (Value, Instant) {
        let events = Events::open(&self.controller.api, None);
        let begun = self.controller.api.post("chargers/ev1/test", &json!({}));
        drop(begun.expect(201));
        let mut silence = None;
        let last = events.wait("test", TEST, |event| {
            if event.data["kind"] == "cut" {
                silence.get_or_insert_with(Instant::now);
            }
            (event.data["state"] != "running").then(|| event.data.clone())
        });
        let report = wait::until("the report is stored", SOON, || {
            let answer = self.controller.api.get("chargers/ev1/report");
            (answer.status == 200).then_some(answer.json)
        });
        let silence = silence.unwrap_or_else(|| panic!("it was not cut: {last:#}"));
        (report, silence)
    }

    fn wait_lease(&self, lease: &str) {
        wait::until("the lease of the charger", SOON, || {
            let charger = self.controller.api.get("chargers/ev1").expect(200).json;
            (charger["lease"] == lease).then_some(())
        });
    }

    /// What it can do, as `GET /diagnostics` tells it.
    fn can(&self, what: &str) -> Value {
        let all = self.controller.api.get("diagnostics").expect(200).json;
        let mut loads = all["chargers"].as_array().unwrap().iter();
        let load = loads.find(|load| load["id"] == "ev1").unwrap();
        load["capabilities"][what].clone()
    }

    fn expect_proven(&mut self, witness: &str) {
        let (report, _) = self.run();
        assert_eq!(report["result"], "passed", "{report:#}");
        let cut = &report["cut"];
        assert_eq!(
            (&cut["passed"], &cut["seen_by"]),
            (&json!(true), &json!(witness)),
            "{report:#}"
        );
        println!(
            "benchmark: cut test: {} ms from the silence to the fall, seen by {witness}: {}",
            cut["fell_after_ms"], cut["text"]
        );
        self.wait_lease("proven");
        wait::until("what it can do", SOON, || {
            (self.can("lease") == "proven" && self.can("limits") == "proven").then_some(())
        });
        // It is told again, and stays proven over a restart.
        self.controller
            .wait_status("the car charges again", SOON, |status| {
                (status["loads"][0]["measured_a"][0].as_f64()? >= 15.5).then_some(())
            });
        self.controller.restart();
        self.wait_lease("proven");
        assert_eq!(self.can("lease"), "proven");
    }

    fn expect_none(&self) {
        let (report, _) = self.run();
        assert_eq!(report["result"], "failed", "{report:#}");
        assert_eq!(report["follow"]["passed"], true, "{report:#}");
        assert_eq!(report["cut"]["passed"], false, "{report:#}");
        let text = report["text"].as_str().unwrap();
        assert!(text.contains("does not fall to its safe current"), "{text}");
        self.wait_lease("none");
        wait::until("what it can do", SOON, || {
            (self.can("lease") == "not_there").then_some(())
        });
        self.controller.wait_status("the alarm", SOON, |status| {
            let mut alarms = status["alarms"].as_array()?.iter();
            let failed =
                |alarm: &Value| alarm["code"] == "charger_test_failed" && alarm["load"] == "ev1";
            alarms.any(failed).then_some(())
        });
    }
}

fn modbus(profile: &str, port: u16) -> Value {
    json!({"kind": "modbus", "profile": profile, "address": format!("127.0.0.1:{port}"), "unit": 1})
}

/// The charger of a profile; `None` without pymodbus.
fn station(lab: &Lab, profile: &str, more: &[&str]) -> Option<Peer> {
    let port = free_port();
    let peer = Peer::modbus(port, &[&["--model", profile], more].concat())?;
    lab.house.add(peer.draw(), &[0, 1, 2]);
    lab.add(&modbus(profile, port), 6);
    Some(peer)
}

#[test]
fn an_alfen_whose_validity_is_shorter_than_its_lease_is_proven() {
    let mut lab = Lab::new();
    let Some(peer) = station(&lab, "alfen", &["--validity", "6", "--safe", "6"]) else {
        return;
    };
    lab.expect_proven("report");
    assert!(peer.now().is_some());
}

#[test]
fn an_alfen_that_keeps_its_limit_is_found_out() {
    let lab = Lab::new();
    let Some(peer) = station(&lab, "alfen", &["--validity", "6", "--keeps"]) else {
        return;
    };
    lab.expect_none();
    assert!(peer.now().is_some());
}

#[test]
fn a_keba_that_any_question_keeps_awake_is_not_asked_and_proven_by_the_meter() {
    let mut lab = Lab::new();
    let Some(peer) = station(&lab, "keba", &[]) else {
        return;
    };
    assert_eq!(lab.can("lease"), "claimed");
    lab.expect_proven("meter");
    assert!(peer.now().is_some());
}

#[test]
fn a_keba_whose_fail_safe_does_nothing_is_found_out() {
    let lab = Lab::new();
    let Some(peer) = station(&lab, "keba", &["--keeps"]) else {
        return;
    };
    lab.expect_none();
    assert!(peer.now().is_some());
}

#[test]
fn a_keba_that_refuses_a_fail_safe_loses_its_lease_as_soon_as_that_is_known() {
    let lab = Lab::new();
    let Some(peer) = station(&lab, "keba", &["--no-failsafe"]) else {
        return;
    };
    wait::until("what it can do", SOON, || {
        (lab.can("lease") == "not_there").then_some(())
    });
    let told = lab.controller.process.stderr.find(0, SOON, |line| {
        line.contains("the most that it can draw is reserved from now on")
            .then_some(())
    });
    assert!(told.is_some(), "the loop did not take its lease back");
    assert!(peer.now().is_some());
}

#[test]
fn a_box_with_a_profile_of_the_house_is_proven() {
    let mut lab = Lab::new();
    let charger = TimedCharger::start(false);
    lab.house.add(charger.draw(), &[0, 1, 2]);
    lab.add(
        &json!({"kind": "http", "profile": "my-box", "host": charger.host}),
        0,
    );
    lab.expect_proven("report");
}

#[test]
fn a_box_that_only_says_that_it_falls_is_found_out_and_was_not_written_in_the_silence() {
    let lab = Lab::new();
    let charger = TimedCharger::start(true);
    lab.house.add(charger.draw(), &[0, 1, 2]);
    lab.add(
        &json!({"kind": "http", "profile": "my-box", "host": charger.host}),
        0,
    );
    let events = Events::open(&lab.controller.api, None);
    let test = lab.controller.api.post("chargers/ev1/test", &json!({}));
    drop(test.expect(201));
    events.wait("test", TEST, |event| {
        (event.data["kind"] == "cut").then_some(())
    });
    let before = charger.writes();
    // Longer than its lease, shorter than the test waits.
    wait::always(
        "it is left alone",
        Duration::from_secs(u64::from(LEASE_S) + 5),
        || charger.writes() == before,
    );
    // A hand on the button ends the silence at once: it is told again.
    assert_eq!(lab.controller.api.delete("chargers/ev1/test").status, 204);
    wait::until("it is told again", SOON, || {
        (charger.writes() > before).then_some(())
    });
    lab.expect_none();
}

#[test]
fn one_that_keeps_what_it_was_told_by_its_profile_is_not_cut_and_told_why() {
    let lab = Lab::new();
    let goe = Goe::start();
    lab.house.add(goe.draw(), &[0, 1, 2]);
    lab.add(
        &json!({"kind": "http", "profile": "go-e-v2", "host": goe.host}),
        0,
    );
    assert_eq!(lab.can("lease"), "not_there");
    let refused = lab.controller.api.post("chargers/ev1/test", &json!({}));
    assert_eq!(
        (refused.status, refused.code()),
        (422, "invalid"),
        "{:#}",
        refused.json
    );
    let error = &refused.json["errors"][0];
    assert_eq!(error["field"], "cut", "{:#}", refused.json);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("keeps what it was told"), "{message}");
    // The follow test is for all.
    let events = Events::open(&lab.controller.api, None);
    let follow = json!({"cut": false});
    drop(
        lab.controller
            .api
            .post("chargers/ev1/test", &follow)
            .expect(201),
    );
    let last = events.wait("test", TEST, |event| {
        (event.data["state"] != "running").then(|| event.data.clone())
    });
    assert_eq!(last["state"], "passed", "{last:#}");
    wait::until("what it can do", SOON, || {
        (lab.can("limits") == "proven").then_some(())
    });
}
