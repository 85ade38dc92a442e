//! A charging station that speaks OCPP 2.0.1, from the first handshake to the end of the controller: the library
//! on its side refuses whatever breaks the official schemas, and its current is in the meter's next telegram.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::Controller, house::House, peer::Peer, program, pty::MeterPort, wait,
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
    peer: Peer,
    // Last, so that it outlives what uses it.
    _dir: TempDir,
}

impl Lab {
    /// A house with a 25 A fuse, and one station with a car that wants all. `None` where no stations can be made.
    fn new(charger: &Value, peculiar: &[&str]) -> Option<Self> {
        program::python()?;
        let dir = TempDir::new().unwrap();
        let port = MeterPort::new(&dir.path().join("meter"));
        let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
        let tuning = json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12,
            "frozen_after_s": 20});
        controller.configure_site(25.0, &tuning);
        let house = House::new(port);
        let mut fields = json!({"lease_s": LEASE_S});
        for (field, value) in charger.as_object().unwrap() {
            fields[field] = value.clone();
        }
        controller.add_charger("ev1", &fields);
        let peer = Peer::speaking_201(&controller.ocpp_url(), "ev1", peculiar)?;
        house.add(peer.draw(), &[0, 1, 2]);
        Some(Self {
            controller,
            house,
            peer,
            _dir: dir,
        })
    }

    /// Waits until the car draws a current within bounds, from now on or already.
    fn draws(&self, limit: Duration, bounds: std::ops::RangeInclusive<f64>) {
        let mut last = Value::Null;
        let found = wait::at_most(limit, || {
            last = self.peer.now().unwrap_or_default();
            let current = last["current_a"][0].as_f64()?;
            bounds.contains(&current).then_some(())
        });
        if found.is_none() {
            let log = self.controller.process.stderr.all();
            let log = log[log.len().saturating_sub(20)..].join("\n");
            panic!("it does not draw {bounds:?} A within {limit:?}: {last}\n{log}");
        }
    }

    /// Waits for an event of the station that was told before or is told within the time.
    fn told(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.peer
            .wait(what, 0, SOON, |line| wanted(line).then(|| line.clone()))
    }
}

#[test]
fn a_station_of_2_0_1_is_set_up_throttled_raised_renewed_and_falls_by_itself() {
    let Some(mut lab) = Lab::new(&json!({"safe_current_a": 6}), &[]) else {
        return;
    };
    // The handshake, the set-up, and the first grant.
    let connected = lab.told("the connection", |line| line["event"] == "connected");
    assert_eq!(connected["subprotocol"], "ocpp2.0.1");
    for (name, value) in [
        ("SampledDataCtrlr.TxUpdatedInterval", "5"),
        (
            "SampledDataCtrlr.TxUpdatedMeasurands",
            "Current.Import,Energy.Active.Import.Register,Current.Offered,Power.Active.Import,Voltage",
        ),
    ] {
        let set = lab.told(name, |line| line["name"] == name);
        assert_eq!(
            (&set["value"], &set["status"]),
            (&json!(value), &json!("Accepted"))
        );
    }
    lab.draws(SOON, 15.5..=16.0);
    lab.controller
        .wait_status("the car's report at its full current", SOON, |status| {
            let measured = status["loads"][0]["measured_a"][1].as_f64()?;
            (measured >= 15.5).then_some(())
        });
    let load = lab.controller.load("ev1");
    assert_eq!(
        (&load["connected"], &load["status"]),
        (&json!(true), &json!("charging"))
    );

    // An overload of 5 A on L2 is relieved.
    let mark = lab.peer.mark();
    lab.house.background([1, 14, 1]);
    let begun = Instant::now();
    lab.peer
        .wait_current(mark, Duration::from_secs(10), 6.0..=11.0);
    println!(
        "benchmark: OCPP 2.0.1, overload of 5 A on L2 to the car at its new current: {:?}",
        begun.elapsed()
    );
    lab.house.wait_relieved(1, 25_300);

    // What is free again is given back, and the lease renewed: longer than one lease it is held.
    lab.house.background([1, 1, 1]);
    lab.draws(SOON, 15.5..=16.0);
    wait::always(
        "the lease is renewed",
        Duration::from_secs(u64::from(LEASE_S) + 3),
        || {
            lab.peer
                .now()
                .is_some_and(|state| state["limit_a"].as_f64() >= Some(15.0))
        },
    );

    // The library found nothing to complain about, in neither direction: a bad answer would have ended its link.
    let events = |name: &str| lab.peer.events(name);
    assert_eq!(events("error"), Vec::<Value>::new());
    assert_eq!(events("connected").len(), 1);

    // Nobody is there any more.
    let killed = Instant::now();
    lab.controller.process.kill();
    let lease = Duration::from_secs(u64::from(LEASE_S));
    lab.draws(lease + wait::LATE, 6.0..=6.0);
    println!(
        "benchmark: OCPP 2.0.1, kill -9 to the safe current by itself: {:?}, lease {lease:?}",
        killed.elapsed()
    );
    assert_eq!(lab.peer.now().unwrap()["connected"], false);

    // It comes back without a boot, in the middle of its transaction.
    lab.controller.restart();
    lab.draws(SOON, 15.5..=16.0);
}

/// Its lease is written in its own clock, which is five minutes slow.
#[test]
fn a_station_with_a_wrong_clock_falls_in_time() {
    let charger = json!({"safe_current_a": 6});
    let Some(mut lab) = Lab::new(&charger, &["--manner", "clock-slow"]) else {
        return;
    };
    lab.draws(SOON, 15.5..=16.0);
    wait::always(
        "the lease is renewed",
        Duration::from_secs(u64::from(LEASE_S)),
        || {
            lab.peer
                .now()
                .is_some_and(|state| state["limit_a"].as_f64() >= Some(15.0))
        },
    );
    let killed = Instant::now();
    lab.controller.process.kill();
    let lease = Duration::from_secs(u64::from(LEASE_S));
    lab.draws(lease + wait::LATE, 6.0..=6.0);
    println!(
        "OCPP 2.0.1, a clock five minutes slow: kill -9 to the safe current: {:?}, lease {lease:?}",
        killed.elapsed()
    );
}

#[test]
fn what_another_system_left_in_the_station_is_cleared() {
    let Some(lab) = Lab::new(&json!({}), &["--foreign"]) else {
        return;
    };
    let cleared = lab.told("the foreign profile is cleared", |line| {
        line["event"] == "cleared"
    });
    assert_eq!(
        (&cleared["id"], &cleared["found"]),
        (&json!(900), &json!(true))
    );
    // Its 6 A lay above all that is ours.
    lab.draws(SOON, 15.5..=16.0);
}

#[test]
fn a_station_that_knows_no_profiles_is_told_and_counts_in_full() {
    let Some(lab) = Lab::new(&json!({}), &["--no-profiles"]) else {
        return;
    };
    lab.draws(SOON, 16.0..=16.0);
    let error = lab.told("the error", |line| line["event"] == "error");
    assert!(
        error["frame"].as_str().unwrap().contains("NotImplemented"),
        "{error}"
    );
    let alarm = lab.controller.wait_status("the alarm", SOON, |status| {
        let alarms = status["alarms"].as_array()?;
        alarms
            .iter()
            .find(|alarm| alarm["code"] == "not_obeying")
            .cloned()
    });
    assert_eq!(alarm["load"], "ev1", "{alarm}");
    // It draws what it likes, and the house is told so: L1 has no more room than that leaves.
    let headroom = lab
        .controller
        .wait_status("its current counts", SOON, |status| {
            let headroom = status["phases"][0]["headroom_a"].as_f64()?;
            (headroom <= 8.5).then_some(headroom)
        });
    println!(
        "not controllable: {:?}, headroom of L1 {headroom} A",
        alarm["text"]
    );
    let unknown = wait::at_most(SOON, || {
        let log = lab.controller.process.stderr.all().join("\n");
        log.contains("cannot be controlled").then_some(())
    });
    assert!(unknown.is_some(), "the log says so");
}

#[test]
fn a_station_of_2_1_takes_a_limit_that_also_ends_offline() {
    let Some(lab) = Lab::new(&json!({"safe_current_a": 6}), &["--ocpp21"]) else {
        return;
    };
    let connected = lab.told("the connection", |line| line["event"] == "connected");
    assert_eq!(connected["subprotocol"], "ocpp2.1");
    lab.draws(SOON, 15.5..=16.0);
    lab.house.background([1, 14, 1]);
    lab.draws(SOON, 6.0..=11.0);
}
