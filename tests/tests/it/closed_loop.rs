//! The whole product in a house: a meter on a pseudo-terminal, charge points that others wrote, and the
//! current that they draw in the meter's next telegram.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use headroom_tests::{
    charge_point::ChargePoint,
    controller::{self, Controller, charge_point_id, password},
    events::{Event, Events},
    house::House,
    peer::Peer,
    process, program,
    pty::MeterPort,
    relay::Relay,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);
/// Short, so that a test sees it run out.
const LEASE_S: u32 = 10;

struct Lab {
    controller: Controller,
    house: House,
    peers: Vec<(String, Peer)>,
    // Last, so that it outlives what uses it.
    dir: TempDir,
}

impl Lab {
    /// A house with a 25 A fuse in control and a running meter. `None` where no charge points can be made.
    fn new() -> Option<Self> {
        program::python()?;
        let dir = TempDir::new().unwrap();
        let port = MeterPort::new(&dir.path().join("meter"));
        let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
        controller.configure_site(25.0, &tuning());
        let house = House::new(port);
        Some(Self {
            controller,
            house,
            peers: Vec::new(),
            dir,
        })
    }

    /// A charger with its charge point and a car that wants all.
    fn car(&mut self, id: &str, more: &Value, lines: &[usize]) {
        self.car_that(id, more, lines, &[]);
    }

    /// The same with a peculiarity of its charge point.
    fn car_that(&mut self, id: &str, more: &Value, lines: &[usize], peculiar: &[&str]) {
        let mut charger = json!({"lease_s": LEASE_S});
        for (field, value) in more.as_object().unwrap() {
            charger[field] = value.clone();
        }
        self.controller.add_charger(id, &charger);
        let phases = lines.len().to_string();
        let options = [&["--phases", &phases], peculiar].concat();
        let peer = Peer::start(&self.controller.ocpp_url(), id, &options).unwrap();
        self.house.add(peer.draw(), lines);
        self.peers.push((id.to_owned(), peer));
    }

    fn peer(&self, id: &str) -> &Peer {
        &self.peers.iter().find(|(own, _)| own == id).unwrap().1
    }

    /// Waits until a car draws a current within bounds, from now on or already.
    fn draws(&self, id: &str, limit: Duration, bounds: std::ops::RangeInclusive<f64>) {
        let peer = self.peer(id);
        let mut last = Value::Null;
        let found = wait::at_most(limit, || {
            last = peer.now().unwrap_or_default();
            let current = last["current_a"][0].as_f64()?;
            bounds.contains(&current).then_some(())
        });
        if found.is_none() {
            panic!(
                "{id} does not draw {bounds:?} A within {limit:?}: {last}\n{:#}",
                self.controller.status()
            );
        }
    }
}

fn tuning() -> Value {
    json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 20})
}

const THREE: [usize; 3] = [0, 1, 2];

/// Decisions with an action for this load.
fn about<'a>(decisions: &'a [Value], load: &str) -> Vec<(&'a Value, &'a Value)> {
    decisions
        .iter()
        .flat_map(|decision| {
            decision["actions"]
                .as_array()
                .unwrap()
                .iter()
                .map(move |action| (decision, action))
        })
        .filter(|(_, action)| action["load"] == load && action["renewal"] == false)
        .collect()
}

#[test]
fn an_overload_is_relieved_and_given_back_and_the_journal_tells_it() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("ev1", &json!({}), &THREE);
    lab.draws("ev1", SOON, 15.5..=16.0);
    // The controller has heard so too: how far a car that is still on its way up has come is a guess.
    lab.controller
        .wait_status("the car's report at its full current", SOON, |status| {
            let measured = status["loads"][0]["measured_a"][1].as_f64()?;
            (measured >= 15.5).then_some(())
        });

    // A cooker on L2: 14 A and 16 A are more than 25 A.
    let events = Events::open(&lab.controller.api, None);
    let mark = lab.peer("ev1").mark();
    lab.house.background([1, 14, 1]);
    let begun = Instant::now();
    lab.peer("ev1")
        .wait_current(mark, Duration::from_secs(10), 0.0..=11.0);
    println!(
        "benchmark: overload of 5 A on L2 to the car at its new current: {:?}",
        begun.elapsed()
    );
    lab.house.wait_relieved(1, 25_300);
    let status = lab.controller.status();
    let load = lab.controller.load("ev1");
    assert_eq!(load["connected"], true);
    assert!(
        load["setpoint_a"]
            .as_f64()
            .is_some_and(|a| (6.0..=11.0).contains(&a)),
        "{status:#}"
    );
    lab.controller
        .wait_status("the reason of the car", SOON, |status| {
            let reason = &status["loads"][0]["reason"];
            (reason["code"] == "main_fuse" && reason["phase"] == "l2" && reason["text"].is_string())
                .then_some(())
        });

    // Whoever watches is told; whoever was away is told what was missed.
    let cut = |event: &Event| {
        let action = &event.data["actions"][0];
        (action["load"] == "ev1" && action["reason"]["code"] == "main_fuse")
            .then(|| event.id.clone())?
    };
    let number: u64 = events.wait("decision", SOON, cut).parse().unwrap();
    let back = Events::open(&lab.controller.api, Some(&(number - 1).to_string()));
    let again = back.wait("decision", SOON, |event| event.id.clone());
    assert_eq!(again, number.to_string());

    // The cooker goes off: it is given back.
    lab.house.background([1, 1, 1]);
    lab.draws("ev1", SOON, 15.5..=16.0);

    // The journal tells it all.
    let told = wait::at_most(SOON, || {
        let decisions = lab.controller.decisions();
        let about_car = about(&decisions, "ev1");
        let cut = about_car.iter().position(|(_, action)| {
            action["reason"]["code"] == "main_fuse" && action["reason"]["phase"] == "l2"
        })?;
        let (decision, action) = about_car[cut];
        let raised = about_car[cut + 1..]
            .iter()
            .find(|(_, action)| action["limit_a"] == 16.0 && action["outcome"] == "accepted")?;
        (action["outcome"] == "accepted")
            .then(|| (decision.clone(), action.clone(), raised.1.clone()))
    });
    let (decision, action, raised) =
        told.unwrap_or_else(|| panic!("{:#?}", lab.controller.decisions()));
    assert!(action["limit_a"].as_f64().unwrap() <= 11.0, "{action}");
    assert_eq!(action["lease_s"], LEASE_S);
    for moment in ["sent_at", "acknowledged_at"] {
        assert!(
            action[moment]
                .as_str()
                .is_some_and(|time| time.ends_with('Z')),
            "{moment}: {action}"
        );
    }
    assert!(raised["reason"]["text"].is_string(), "{raised}");
    let id = decision["id"].as_u64().unwrap();
    let whole = lab
        .controller
        .api
        .get(&format!("decisions/{id}"))
        .expect(200)
        .json;
    assert_eq!(
        whole["actions"][0]["reason"],
        decision["actions"][0]["reason"]
    );
    assert!(
        whole["inputs"].is_object() || whole["inputs"].is_array(),
        "with its inputs: {whole:#}"
    );
    assert!(
        whole["inputs"].to_string().contains("14"),
        "the reading is among them: {whole:#}"
    );
    assert_eq!(lab.controller.api.get("decisions/99999999").status, 404);
}

#[test]
fn priorities_decide_who_waits() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("ev1", &json!({"priority": 2}), &THREE);
    lab.car("ev2", &json!({"priority": 1}), &THREE);
    lab.house.background([2, 2, 2]);
    lab.draws("ev1", SOON, 15.5..=16.0);
    lab.draws("ev2", SOON, 6.0..=8.0);

    let order = lab.controller.api.get("priorities").expect(200).json;
    assert_eq!(order["order"], json!([["ev1"], ["ev2"]]));
    let turned = json!({"order": [["ev2"], ["ev1"]]});
    drop(lab.controller.api.put("priorities", &turned).expect(200));
    lab.draws("ev2", SOON, 15.5..=16.0);
    lab.draws("ev1", SOON, 0.0..=8.0);

    // Less room: the one that waits now gives way first, and altogether.
    lab.house.background([9, 9, 9]);
    lab.draws("ev1", SOON, 0.0..=0.0);
    lab.draws("ev2", SOON, 15.0..=16.0);
    assert!(
        lab.controller.load("ev1")["reason"]["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

#[test]
fn rotation_is_the_installers_word() {
    let Some(mut lab) = Lab::new() else { return };
    // Terminal 1 of the one hangs on L2, of the other on L3.
    lab.car("ev1", &json!({"phases": ["l2"]}), &[1]);
    lab.car("ev2", &json!({"phases": ["l3"]}), &[2]);
    lab.draws("ev1", SOON, 15.5..=16.0);
    lab.draws("ev2", SOON, 15.5..=16.0);
    lab.house.background([1, 1, 15]);
    lab.draws("ev2", SOON, 6.0..=10.0);
    lab.draws("ev1", SOON, 15.5..=16.0);
    let decisions = lab.controller.decisions();
    let bound_by_l3 = about(&decisions, "ev1")
        .into_iter()
        .any(|(_, action)| action["reason"]["phase"] == "l3");
    assert!(!bound_by_l3, "L3 is no matter of a car on L2");
    let bound_by_l3 = about(&decisions, "ev2").into_iter().any(|(_, action)| {
        action["reason"]["code"] == "main_fuse" && action["reason"]["phase"] == "l3"
    });
    assert!(bound_by_l3, "{decisions:#?}");
}

#[test]
fn every_limit_expires_onto_the_safe_current() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("ev1", &json!({"safe_current_a": 6}), &THREE);
    lab.car("ev2", &json!({}), &THREE);
    lab.draws("ev1", SOON, 9.0..=16.0);
    lab.draws("ev2", SOON, 9.0..=16.0);
    // Longer than a lease: it is renewed.
    wait::always(
        "the leases are renewed",
        Duration::from_secs(u64::from(LEASE_S) + 3),
        || {
            ["ev1", "ev2"].iter().all(|id| {
                lab.peer(id)
                    .now()
                    .is_some_and(|state| state["limit_a"].as_f64() >= Some(9.0))
            })
        },
    );

    let before = lab.controller.decisions().len();
    let killed = Instant::now();
    lab.controller.process.kill();
    let lease = Duration::from_secs(u64::from(LEASE_S));
    lab.draws("ev2", lease + wait::LATE, 0.0..=0.0);
    let left = (lease + wait::LATE).saturating_sub(killed.elapsed());
    lab.draws("ev1", left, 6.0..=6.0);
    println!(
        "benchmark: kill -9 to safe currents by themselves: {:?}, lease {lease:?}",
        killed.elapsed()
    );

    lab.controller.restart();
    lab.draws("ev1", SOON, 9.0..=16.0);
    lab.draws("ev2", SOON, 9.0..=16.0);
    let decisions = lab.controller.decisions();
    assert!(decisions.len() > before, "the journal goes on");
    let ids: Vec<u64> = decisions
        .iter()
        .map(|decision| decision["id"].as_u64().unwrap())
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[test]
fn a_meter_that_is_lost_sends_every_load_to_its_safe_current_and_back() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("ev1", &json!({"safe_current_a": 6}), &THREE);
    lab.draws("ev1", SOON, 15.5..=16.0);
    let unplugged = Instant::now();
    lab.house.unplug();
    lab.controller
        .wait_status("the meter is lost", SOON, |status| {
            (status["state"] == "failsafe.meter_lost" && status["meter"]["state"] == "lost")
                .then_some(())
        });
    assert!(
        unplugged.elapsed() < Duration::from_secs(12) + wait::LATE,
        "lost_after_s is 12: {:?}",
        unplugged.elapsed()
    );
    // It is told, and does not only fall by itself when its lease ends.
    lab.controller
        .wait_status("the car is told its safe current", SOON, |status| {
            let car = &status["loads"][0];
            (car["setpoint_a"] == 6.0 && car["acknowledged_a"] == 6.0).then_some(())
        });
    lab.draws("ev1", SOON, 6.0..=6.0);
    let alarms = lab.controller.status()["alarms"].clone();
    let named = alarms.as_array().unwrap().iter().any(|alarm| {
        alarm["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("meter_"))
    });
    assert!(named, "{alarms:#}");
    // The page and the API go on meanwhile.
    assert_eq!(lab.controller.api.get("/healthz").status, 200);

    // The same name, another terminal: it is opened again without anybody's help.
    lab.house.plug_in();
    lab.controller
        .wait_status("the meter is back", Duration::from_secs(60), |status| {
            (status["meter"]["state"] == "ok").then_some(())
        });
    lab.draws("ev1", SOON, 15.5..=16.0);
}

#[test]
fn a_slow_load_is_switched_with_a_way_back() {
    let Some(lab) = Lab::new() else { return };
    let relay = Relay::start(2_000);
    let heater = json!({
        "id": "heater", "name": "Water heater", "driver": {"kind": "shelly_gen2", "host": relay.host, "channel": 0},
        "rated_w": 2000, "phases": ["l1"], "min_on_s": 1, "min_off_s": 2, "max_off_s": 600, "priority": 1,
    });
    drop(lab.controller.api.post("slow-loads", &heater).expect(201));
    lab.house.background([10, 2, 2]);
    lab.controller
        .wait_status("the heater is seen on", SOON, |status| {
            let load = &status["loads"][0];
            (load["connected"] == true && load["on"] == true).then_some(())
        });
    lab.house.background([30, 2, 2]);
    let begun = Instant::now();
    wait::until("the heater is off", SOON, || (!relay.on()).then_some(()));
    println!(
        "benchmark: overload to the relay open: {:?}",
        begun.elapsed()
    );
    lab.house.background([2, 2, 2]);
    wait::until("the heater is on again", SOON, || relay.on().then_some(()));
    // Without Headroom it would go off by itself: not known counts as its worst case.
    let on = *relay.sets().iter().rfind(|set| set.on).unwrap();
    assert!(
        on.toggle_after_s.is_some_and(|seconds| seconds > 0.0),
        "{on:?}"
    );
    let decisions = lab.controller.decisions();
    let switched: Vec<_> = about(&decisions, "heater");
    assert!(
        switched
            .iter()
            .any(|(_, action)| action["on"] == false && action["reason"]["code"] == "main_fuse")
    );
    assert!(
        lab.dir.path().join("data/journal.db").is_file()
            && lab.dir.path().join("data/state.db").is_file()
    );
}

#[test]
fn observe_commands_nothing() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("ev1", &json!({}), &THREE);
    lab.draws("ev1", SOON, 15.5..=16.0);
    let mut site = lab.controller.api.get("site").expect(200).json;
    site["mode"] = json!("observe");
    drop(lab.controller.api.put("site", &site).expect(200));
    lab.house.background([2, 18, 2]);
    lab.controller
        .wait_status("the overload is seen", SOON, |status| {
            let l2 = &status["phases"][1];
            (status["mode"] == "observe" && l2["headroom_a"].as_f64() < Some(0.0)).then_some(())
        });
    let sent = |lab: &Lab| {
        let decisions = lab.controller.decisions();
        let times: Vec<_> = decisions
            .iter()
            .flat_map(|decision| decision["actions"].as_array().unwrap())
            .filter_map(|action| action["sent_at"].as_str().map(str::to_owned))
            .collect();
        times.len()
    };
    let before = sent(&lab);
    // Nobody renews: the lease runs out, and the charger is at its safe current.
    lab.draws("ev1", SOON, 0.0..=0.0);
    assert_eq!(sent(&lab), before);
}

/// Going live in the middle of an overload: the cut is in the same step as the mode, and reaches the charger.
#[test]
fn the_first_command_after_observing_is_sent_at_once() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    let house = House::new(port);
    let mut site = json!({"mode": "observe", "main_fuse": {"rating_a": 25}});
    drop(controller.api.put("site", &site).expect(200));
    controller.add_charger("ev1", &json!({}));
    let identity = charge_point_id("ev1");
    let mut point =
        ChargePoint::connect(controller.ocpp_port, &identity, Some(&password("ev1"))).unwrap();
    point.begin();
    // 14 A on L2 beside the car's 16 A.
    house.background([18, 30, 18]);
    point.meter_values(16.0);
    controller.wait_status("the overload is seen", SOON, |status| {
        let seen = status["phases"][1]["headroom_a"].as_f64() < Some(-4.0);
        (seen && status["meter"]["period_s"].is_number()).then_some(())
    });
    point.meter_values(16.0);
    site["mode"] = json!("control");
    drop(controller.api.put("site", &site).expect(200));
    let begun = Instant::now();
    let lease = loop {
        let left = Duration::from_secs(10).saturating_sub(begun.elapsed());
        let call = point
            .next_call("SetChargingProfile", left)
            .unwrap_or_else(|| panic!("no lease within 10 s: {:#?}", controller.decisions()));
        let schedule = &call.payload["csChargingProfiles"]["chargingSchedule"];
        let periods = schedule["chargingSchedulePeriod"].as_array().unwrap();
        if periods.len() > 1 {
            break periods[0]["limit"].as_f64().unwrap();
        }
    };
    println!(
        "going live to the first lease: {:?}, {lease} A",
        begun.elapsed()
    );
    assert!(lease <= 11.0, "{lease} A beside 14 A");
    controller.wait_status("its outcome is known", SOON, |_| {
        let decisions = controller.decisions();
        let (_, action) = *about(&decisions, "ev1").first()?;
        (action["outcome"] == "accepted" && action["sent_at"].is_string()).then_some(())
    });
}

#[test]
fn a_charger_that_does_not_obey_is_named_and_the_others_make_room() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("good", &json!({"priority": 2}), &THREE);
    lab.draws("good", SOON, 15.5..=16.0);
    // It says yes to every limit and draws 16 A all the same.
    lab.car_that("deaf", &json!({"priority": 1}), &THREE, &["--deaf"]);
    lab.draws("deaf", SOON, 16.0..=16.0);
    lab.draws("good", SOON, 6.0..=9.0);
    let alarm = lab.controller.wait_status("the alarm", SOON, |status| {
        let alarms = status["alarms"].as_array()?;
        alarms
            .iter()
            .find(|alarm| alarm["code"] == "not_obeying")
            .cloned()
    });
    assert_eq!(alarm["load"], "deaf", "{alarm}");
    assert!(
        alarm["text"].as_str().is_some_and(|text| text.len() > 20),
        "{alarm}"
    );
    assert!(
        alarm["since"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z')),
        "{alarm}"
    );
    assert_eq!(lab.controller.load("deaf")["following"], false);
}

#[test]
fn replaying_the_journal_gives_the_same_actions() {
    let Some(mut lab) = Lab::new() else { return };
    lab.car("ev1", &json!({"priority": 2}), &THREE);
    lab.car("ev2", &json!({"priority": 1}), &[0]);
    lab.draws("ev1", SOON, 15.5..=16.0);
    lab.house.background([2, 14, 2]);
    lab.draws("ev1", SOON, 6.0..=11.0);
    drop(
        lab.controller
            .api
            .post("loads/ev1/limit", &json!({"for_s": 600, "limit_a": 7}))
            .expect(201),
    );
    lab.draws("ev1", SOON, 6.0..=7.0);
    lab.house.silent(true);
    lab.controller
        .wait_status("the meter is lost", SOON, |status| {
            (status["state"] == "failsafe.meter_lost").then_some(())
        });
    lab.house.silent(false);
    lab.house.background([2, 2, 2]);
    drop(
        lab.controller
            .api
            .post("loads/ev1/resume", &json!({}))
            .expect(201),
    );
    lab.draws("ev1", SOON, 15.5..=16.0);
    lab.controller.process.terminate();
    wait::until("it ends", SOON, || lab.controller.process.ended());

    let journal = lab.dir.path().join("data/journal.db");
    let script = program::workspace().join("tests/peers/journal.py");
    let mut command = Command::new(program::python().unwrap());
    let read = process::run(command.arg(script).arg(&journal), b"", SOON);
    assert_eq!(read.code, Some(0), "{}", read.stderr);
    for id in ["ev1", "ev2"] {
        let secret = password(id);
        assert!(
            !read.stdout.contains(&secret),
            "the journal knows a password"
        );
    }
    let recorded = read.json_lines();
    let decided = recorded
        .iter()
        .filter(|line| !line["state"].is_null())
        .count();
    let data = lab.dir.path().join("data");
    let replay = controller::run(&["replay", "--json", "--data", data.to_str().unwrap()], b"");
    assert_eq!(replay.code, Some(0), "{}{}", replay.stdout, replay.stderr);
    let report: Value = serde_json::from_str(&replay.stdout).unwrap();
    assert_eq!(report["decisions"], decided, "{report:#}");
    assert_eq!(report["inputs"], recorded.len());
    assert_eq!(report["gaps"], json!([]));
    println!(
        "{} inputs, {decided} decisions, all the same again",
        recorded.len()
    );
    assert!(decided > 10, "{decided}");
}
