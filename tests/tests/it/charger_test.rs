//! The follow test and the cut test of the whole product, with charge points that others wrote.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::Controller, events::Events, house::House, peer::Peer, program, pty::MeterPort, wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);
/// Short, so that a test sees it run out.
const LEASE_S: u32 = 10;
/// A whole test with that lease takes about a minute.
const TEST: Duration = Duration::from_secs(240);

struct Lab {
    controller: Controller,
    _house: House,
    peer: Peer,
    _dir: TempDir,
}

impl Lab {
    /// A house with a 25 A fuse and a charge point whose car charges. `None` where no charge points can be made.
    fn new(peculiar: &[&str]) -> Option<Self> {
        program::python()?;
        let dir = TempDir::new().unwrap();
        let port = MeterPort::new(&dir.path().join("meter"));
        let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
        let tuning = json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 60});
        controller.configure_site(25.0, &tuning);
        let house = House::new(port);
        house.background([2, 1, 3]);
        controller.add_charger("ev1", &json!({"lease_s": LEASE_S}));
        let peer = Peer::start(&controller.ocpp_url(), "ev1", peculiar).unwrap();
        house.add(peer.draw(), &[0, 1, 2]);
        controller.wait_status("the car charges", SOON, |status| {
            let measured = status["loads"][0]["measured_a"][0].as_f64()?;
            (measured >= 15.5).then_some(())
        });
        Some(Self {
            controller,
            _house: house,
            peer,
            _dir: dir,
        })
    }

    /// The last event of a test, when it has ended; how many told of it.
    fn ends(events: &Events) -> (Value, usize) {
        let mut told = 0;
        let last = events.wait("test", TEST, |event| {
            told += 1;
            (event.data["state"] != "running").then(|| event.data.clone())
        });
        (last, told)
    }

    fn charger(&self) -> Value {
        self.controller.api.get("chargers/ev1").expect(200).json
    }

    /// The stored report, which comes a moment after the end.
    fn report(&self) -> Value {
        wait::until("the report is stored", SOON, || {
            let answer = self.controller.api.get("chargers/ev1/report");
            (answer.status == 200).then_some(answer.json)
        })
    }

    fn wait_lease(&self, lease: &str) {
        wait::until("the lease of the charger", SOON, || {
            (self.charger()["lease"] == lease).then_some(())
        });
    }
}

#[test]
fn a_charge_point_that_follows_is_proven_and_stays_so_over_a_restart() {
    let Some(mut lab) = Lab::new(&[]) else { return };
    let api = &lab.controller.api;
    assert_eq!(lab.charger()["lease"], "claimed");
    assert_eq!(api.get("chargers/ev1/report").status, 404);
    assert_eq!(api.delete("chargers/ev1/test").status, 404);

    let events = Events::open(api, None);
    let begun = Instant::now();
    let test = api.post("chargers/ev1/test", &json!({})).expect(201).json;
    assert_eq!(
        (&test["charger"], &test["state"]),
        (&json!("ev1"), &json!("running"))
    );
    let again = api.post("chargers/ev1/test", &json!({}));
    assert_eq!((again.status, again.code()), (409, "exists"));
    let (last, told) = Lab::ends(&events);
    let took = begun.elapsed();
    assert_eq!(last["state"], "passed", "{last:#}");
    assert!(told > 10, "progress is told: {told} events");

    let report = lab.report();
    assert_eq!(report["result"], "passed", "{report:#}");
    let follow = &report["follow"];
    let reaction = follow["reaction_ms"].as_u64().unwrap();
    assert!(reaction < 10_000, "{report:#}");
    assert_eq!(follow["lowest_a"], 6.0);
    assert_eq!(
        follow["phases_found"],
        json!(["l1", "l2", "l3"]),
        "{report:#}"
    );
    assert_eq!(follow["phases_agree"], true);
    let told: Vec<f64> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["told_a"].as_f64().unwrap())
        .collect();
    assert_eq!(told, [10.0, 6.0, 13.0, 0.0, 10.0]);
    let cut = &report["cut"];
    assert_eq!(
        (&cut["passed"], &cut["seen_by"]),
        (&json!(true), &json!("report"))
    );
    println!(
        "benchmark: follow test and cut test: {took:?}; reaction {reaction} ms, error {} A, fell {} ms after the silence began",
        follow["error_a"], cut["fell_after_ms"]
    );

    lab.wait_lease("proven");
    lab.controller.restart();
    assert_eq!(lab.charger()["lease"], "proven");
    assert_eq!(lab.report(), report);
    // Another safe current is another promise.
    let patch = json!({"safe_current_a": 6});
    let patched = lab.controller.api.patch("chargers/ev1", &patch).expect(200);
    assert_eq!(patched.json["lease"], "claimed");
}

#[test]
fn a_charge_point_that_keeps_its_limit_without_us_fails_and_is_counted_in_full() {
    let Some(lab) = Lab::new(&["--manner", "keeps-limit"]) else {
        return;
    };
    let api = &lab.controller.api;
    let events = Events::open(api, None);
    drop(api.post("chargers/ev1/test", &json!({})).expect(201));
    let (last, _) = Lab::ends(&events);
    assert_eq!(last["state"], "failed", "{last:#}");
    let report = lab.report();
    assert_eq!(report["follow"]["passed"], true, "{report:#}");
    assert_eq!(report["cut"]["passed"], false, "{report:#}");
    let text = report["text"].as_str().unwrap();
    assert!(
        text.contains("does not fall to its safe current of 0 A by itself"),
        "{text}"
    );
    assert!(text.contains("still draws 10 A"), "{text}");
    lab.wait_lease("none");
    lab.controller.wait_status("the alarm", SOON, |status| {
        let mut alarms = status["alarms"].as_array()?.iter();
        alarms
            .any(|alarm| alarm["code"] == "charger_test_failed" && alarm["load"] == "ev1")
            .then_some(())
    });
    assert!(lab.peer.now().is_some());
}

#[test]
fn a_test_is_refused_where_nothing_is_commanded_and_can_be_ended() {
    let Some(lab) = Lab::new(&[]) else { return };
    let api = &lab.controller.api;
    let follow = json!({"cut": false});
    let events = Events::open(api, None);
    drop(api.post("chargers/ev1/test", &follow).expect(201));
    assert_eq!(api.delete("chargers/ev1/test").status, 204);
    let (last, _) = Lab::ends(&events);
    assert_eq!(
        (&last["state"], &last["text"]),
        (&json!("aborted"), &json!("It was ended by hand."))
    );
    assert_eq!(lab.report()["result"], "aborted");
    assert_eq!(lab.charger()["lease"], "claimed");

    // Nobody ended this one: the charger became another one.
    drop(api.post("chargers/ev1/test", &follow).expect(201));
    let other = json!({"driver": {"charge_point_id": "CP-other"}});
    drop(api.patch("chargers/ev1", &other).expect(200));
    let (last, _) = Lab::ends(&events);
    assert_eq!(last["state"], "aborted");
    let text = last["text"].as_str().unwrap();
    assert!(
        text.contains("configuration was changed") && !text.contains("by hand"),
        "{text}"
    );

    let mut site = api.get("site").expect(200).json;
    site["mode"] = json!("observe");
    drop(api.put("site", &site).expect(200));
    let refused = api.post("chargers/ev1/test", &follow);
    assert_eq!(
        (refused.status, refused.code()),
        (422, "invalid"),
        "{:#}",
        refused.json
    );
    assert!(
        refused.json["detail"]
            .as_str()
            .unwrap()
            .contains("observe mode")
    );
}
