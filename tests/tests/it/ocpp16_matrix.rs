//! Charge points of every manner on the wire, made with a library that others wrote: each obedient one
//! follows, is understood, and falls to its safe current within the lease when the controller is killed.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::Controller, house::House, peer::Peer, program, pty::MeterPort, wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything here takes; many processes share a busy machine.
const SOON: Duration = Duration::from_secs(180);
/// Short, so that a test sees it run out; long enough for the one that answers after three seconds.
const LEASE_S: u64 = 20;
const SAFE_A: f64 = 6.0;
/// How each is called on the command line of `peers/charge_point.py`; one phase where it says so.
const OBEDIENT: [(&str, usize); 20] = [
    ("w-only", 3),
    ("a-only", 3),
    ("stack-0", 3),
    ("one-profile", 3),
    ("next-session", 3),
    ("slow", 3),
    ("late", 3),
    ("clock-fast", 3),
    ("clock-slow", 3),
    ("local-time", 3),
    ("no-subprotocol", 3),
    ("no-boot", 3),
    ("boot-storm", 3),
    ("early-call", 3),
    ("reconnect", 3),
    ("half-open", 3),
    ("transaction-1", 3),
    ("phase-n", 1),
    ("kilowatts", 3),
    ("strings", 3),
];
const TUNING: &str =
    r#"{"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12}"#;

struct Lab {
    controller: Controller,
    house: House,
    peers: Vec<(String, Peer)>,
    // Last, so that it outlives what uses it.
    _dir: TempDir,
}

impl Lab {
    fn new(rating_a: f64) -> Option<Self> {
        program::python()?;
        let dir = TempDir::new().unwrap();
        let port = MeterPort::new(&dir.path().join("meter"));
        let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
        controller.configure_site(rating_a, &serde_json::from_str(TUNING).unwrap());
        Some(Self {
            controller,
            house: House::new(port),
            peers: Vec::new(),
            _dir: dir,
        })
    }

    fn charger(&mut self, id: &str, phases: usize, more: &Value, options: &[&str]) {
        let lines: Vec<usize> = (0..phases).collect();
        let names = ["l1", "l2", "l3"];
        let mut charger =
            json!({"lease_s": LEASE_S, "safe_current_a": SAFE_A, "phases": names[..phases]});
        for (field, value) in more.as_object().unwrap() {
            charger[field] = value.clone();
        }
        self.controller.add_charger(id, &charger);
        let count = phases.to_string();
        let options = [&["--phases", &count], options].concat();
        let peer = Peer::start(&self.controller.ocpp_url(), id, &options).unwrap();
        self.house.add(peer.draw(), &lines);
        self.peers.push((id.to_owned(), peer));
    }

    fn draw(&self, id: &str) -> f64 {
        let (_, peer) = self.peers.iter().find(|(own, _)| own == id).unwrap();
        let state = peer.now().unwrap_or_default();
        state["current_a"][0].as_f64().unwrap_or(-1.0)
    }

    fn says_that_one_is_mute(&self) -> bool {
        let log = self.controller.process.stderr.all();
        log.iter()
            .any(|line| line.contains("answers pings, but no limit"))
    }

    /// Waits until every one draws a current within bounds; gives when each did, by its name.
    fn all_draw(
        &self,
        limit: Duration,
        bounds: std::ops::RangeInclusive<f64>,
    ) -> Vec<(String, Duration)> {
        let begun = Instant::now();
        let mut done: Vec<(String, Duration)> = Vec::new();
        let found = wait::at_most(limit, || {
            for (id, _) in &self.peers {
                let new = !done.iter().any(|(own, _)| own == id);
                if new && bounds.contains(&self.draw(id)) {
                    done.push((id.clone(), begun.elapsed()));
                }
            }
            (done.len() == self.peers.len()).then_some(())
        });
        if found.is_none() {
            let missing: Vec<_> = self
                .peers
                .iter()
                .filter(|(id, _)| !done.iter().any(|(own, _)| own == id))
                .map(|(id, peer)| format!("{id}: {:?}", peer.now()))
                .collect();
            panic!(
                "not at {bounds:?} A within {limit:?}: {missing:#?}\n{}",
                self.controller.process.stderr.all().join("\n")
            );
        }
        done
    }
}

#[test]
fn every_obedient_one_follows_and_is_safe_when_the_controller_is_killed() {
    let Some(mut lab) = Lab::new(400.0) else {
        return;
    };
    for (manner, phases) in OBEDIENT {
        lab.charger(manner, phases, &json!({}), &["--manner", manner]);
    }
    lab.charger("numbers", 3, &json!({}), &["--manner", "numbers"]);
    lab.charger(
        "two-connectors",
        3,
        &json!({}),
        &["--manner", "two-connectors"],
    );
    for (id, took) in lab.all_draw(SOON, 15.5..=16.0) {
        println!("{id:16} at 16 A after {took:>6.1?}");
    }

    let limit = json!({"for_s": 600, "limit_a": 8});
    for (id, _) in &lab.peers {
        drop(
            lab.controller
                .api
                .post(&format!("loads/{id}/limit"), &limit)
                .expect(201),
        );
    }
    let lowered = lab.all_draw(SOON, 7.9..=8.05);
    // Renewals come and go, and each goes on within its limit.
    let mut above = Vec::new();
    wait::always(
        "each is looked at",
        Duration::from_secs(LEASE_S + 5),
        || {
            let all = lab.peers.iter().map(|(id, _)| (id.clone(), lab.draw(id)));
            above.extend(all.filter(|(_, draw)| *draw > 8.05));
            true
        },
    );
    assert!(above.is_empty(), "above their limit: {above:?}");
    for (id, _) in &lab.peers {
        let seen = wait::at_most(SOON, || {
            let measured = lab.controller.load(id)["measured_a"][0].as_f64()?;
            (5.9..=8.1).contains(&measured).then_some(())
        });
        assert!(
            seen.is_some(),
            "{id} is not understood: {:#}",
            lab.controller.load(id)
        );
    }

    // Slow, late and odd ones are heard all the same.
    assert!(!lab.says_that_one_is_mute());
    lab.controller.process.kill();
    let lease = Duration::from_secs(LEASE_S);
    let safe = lab.all_draw(lease + wait::LATE, SAFE_A..=SAFE_A + 0.05);
    for (id, took) in &lowered {
        let fell = safe.iter().find(|(own, _)| own == id).unwrap().1;
        println!(
            "{id:16} at 8 A after {took:>6.1?}, at its safe current {fell:>6.1?} after kill -9"
        );
    }
    println!(
        "benchmark: {} charge points safe within a lease of {LEASE_S} s",
        safe.len()
    );
}

/// What takes no limit counts with all that it may draw, before its car has come, and is named.
#[test]
fn those_that_take_no_limits_are_named_and_the_others_make_room() {
    let Some(mut lab) = Lab::new(40.0) else {
        return;
    };
    let waiting = |manner| ["--manner", manner, "--unplugged"];
    lab.charger("unknown", 3, &json!({}), &waiting("unknown"));
    lab.charger(
        "rejects",
        3,
        &json!({"max_current_a": 10}),
        &[&waiting("rejects")[..], &["--max", "10"]].concat(),
    );
    lab.house.background([1, 1, 1]);
    lab.charger("good", 3, &json!({}), &[]);
    // 40 A less 16 A, 10 A and the house: 13 A at most, and a little less for what may come.
    let begun = Instant::now();
    let good = wait::at_most(SOON, || {
        let now = lab.draw("good");
        (begun.elapsed() > Duration::from_secs(15) && now >= 6.0).then_some(now)
    });
    println!("beside two that take no limits: {good:?} A of 16 A");
    assert!(
        good.is_some_and(|ampere| ampere <= 13.0),
        "{good:?}: {:#}",
        lab.controller.status()
    );

    for id in ["unknown", "rejects"] {
        let (_, peer) = lab.peers.iter_mut().find(|(own, _)| own == id).unwrap();
        peer.tell("plug");
    }
    wait::until("the meter sees both draw what they want", SOON, || {
        let (_, current_ma) = lab.house.last()?;
        let both = lab.draw("unknown") > 15.9 && lab.draw("rejects") > 9.9;
        (both && current_ma[0] > 26_000).then_some(())
    });
    for id in ["unknown", "rejects"] {
        let alarm = lab.controller.wait_status("the alarm", SOON, |status| {
            let alarms = status["alarms"].as_array()?;
            alarms
                .iter()
                .find(|alarm| alarm["load"] == id && alarm["code"] == "not_obeying")
                .cloned()
        });
        println!("{id}: {}", alarm["text"]);
    }
    let highest = f64::from(lab.house.highest_ma()) / 1000.0;
    println!("highest current of a line: {highest} A of 40 A");
    assert!(highest <= 40.5, "{highest}");
}

/// It accepts its limit, and then it says and answers nothing, on a connection that stays: it falls by itself, counts with
/// what it may draw, and is told as lost.
#[test]
fn one_that_accepts_and_then_says_nothing_falls_by_itself() {
    let Some(mut lab) = Lab::new(25.0) else {
        return;
    };
    lab.charger("mute", 3, &json!({}), &[]);
    lab.charger("good", 3, &json!({}), &[]);
    lab.house.background([1, 1, 1]);
    lab.all_draw(SOON, 10.0..=12.5);
    let (_, mute) = lab.peers.iter_mut().find(|(id, _)| id == "mute").unwrap();
    mute.tell("mute");
    let silent = Instant::now();
    let lease = Duration::from_secs(LEASE_S);
    let mut had = 0.0_f64;
    let fell = wait::at_most(lease + Duration::from_secs(4), || {
        had = had.max(lab.draw("mute"));
        (lab.draw("mute") <= SAFE_A + 0.05).then(|| silent.elapsed())
    });
    println!("at its safe current {fell:?} after its last word, lease {lease:?}");
    assert!(fell.is_some(), "{}", lab.draw("mute"));
    // Nobody has seen it fall by itself: what it may draw is not given to the other one, which has what was left of
    // 25 A beside it and 1 A of the house.
    wait::always("the other one is not raised", lease, || {
        lab.draw("good") <= 24.5 - had
    });
    // It answers pings all the time: that nothing else comes of it is told all the same.
    let lost = |status: &Value| {
        let mut alarms = status["alarms"].as_array()?.iter();
        let lost = |alarm: &&Value| alarm["load"] == "mute" && alarm["code"] == "charger_lost";
        alarms.find(lost).map(|alarm| alarm["text"].clone())
    };
    let text = lab.controller.wait_status("the alarm", SOON, lost);
    println!("told {:?} after its last word: {text}", silent.elapsed());
    wait::always("the alarm", lease, || {
        lost(&lab.controller.status()).is_some()
    });
    assert!(lab.says_that_one_is_mute());
    assert!(
        lab.house.highest_ma() <= 25_500,
        "{}",
        lab.house.highest_ma()
    );
    let (_, mute) = lab.peers.iter_mut().find(|(id, _)| id == "mute").unwrap();
    mute.tell("speak");
    let over = |status: &Value| lost(status).is_none().then_some(());
    lab.controller
        .wait_status("the end of the alarm", SOON, over);
}
