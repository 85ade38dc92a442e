//! A charger that changes between three phases and one, from the decision to the current and back: the decision core in virtual
//! time, the central system on a real port, and a charge point with a car that is made with a library of others (`ocpp` of Python),
//! which refuses whatever breaks the official schemas.
//!
//! The core waits for ten minutes before it switches. While nothing is to happen its seconds pass faster than ours; from a new
//! command until it is followed they pass as ours do, and while an answer is due they do not pass at all.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use headroom_chargers::{DeviceCommand, DeviceEvent, Grade};
use headroom_core::{
    Engine,
    action::Command as Action,
    config::{Charger, Config, MainFuse, Mode, Rating, Site},
    event::{ChargerReport, CommandResult, Event, PhaseReading, Reading},
    units::{Instant, Milliamps, Millivolts},
};
use serde_json::{Value, json};

use crate::house::House;

/// Our time for a second of the core after a command, and while nothing is to happen.
const SECOND: Duration = Duration::from_secs(1);
const FAST: Duration = Duration::from_millis(5);
/// At most so many seconds of the core pass as ours do after a command.
const WATCHED_S: u64 = 10;
/// An answer that takes longer does not come.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// While nothing is to happen, the newest report comes again this often, in seconds of the core.
const REPORT_EVERY_S: u64 = 2;

/// A charge point in a process of its own.
struct Peer {
    child: Child,
    state: Arc<Mutex<Value>>,
}

impl Peer {
    /// `None` where there is no Python with the library.
    fn start(script: &str, address: &str, more: &[&str]) -> Option<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let python = std::env::var_os("HEADROOM_PYTHON").map_or_else(
            || workspace.join("target/tools/venv/bin/python"),
            PathBuf::from,
        );
        let has = Command::new(&python)
            .args(["-c", "import ocpp, websockets"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !has {
            let required = std::env::var("HEADROOM_REQUIRE_PEERS").as_deref() == Ok("1");
            assert!(!required, "no Python with the package ocpp");
            println!("skipped: no Python with the package ocpp; ./check installs it");
            return None;
        }
        let mut child = Command::new(python)
            .arg(workspace.join("tests/peers").join(script))
            .args([
                "--url",
                &format!("ws://{address}"),
                "--id",
                "CP1",
                "--password",
                "secret",
            ])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let state = Arc::new(Mutex::new(Value::Null));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let newest = Arc::clone(&state);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap_or_default();
                assert_ne!(line["event"], "error", "{line}");
                if line["t"].is_number() {
                    *newest.lock().unwrap() = line;
                }
            }
        });
        Some(Self { child, state })
    }

    fn now(&self) -> Value {
        self.state.lock().unwrap().clone()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a charger's current: from 0 to some ten amperes"
    )]
    fn draws_ma(&self) -> [i64; 3] {
        let state = self.now();
        [0, 1, 2].map(|phase| {
            (state["current_a"][phase].as_f64().unwrap_or_default() * 1000.0).round() as i64
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// All of it, joined.
struct Loop {
    engine: Engine,
    house: House,
    peer: Peer,
    background_ma: [i64; 3],
    s: u64,
    /// Until when the core's seconds pass as ours.
    watched_until: u64,
    report: Option<ChargerReport>,
    /// The command whose answer is due.
    due: Option<u64>,
    highest_ma: i64,
    /// What it was told, each once: milliamperes and phases.
    told: Vec<(i64, u8)>,
}

impl Loop {
    async fn new(script: &str, more: &[&str]) -> Option<Self> {
        let charger: Charger = serde_json::from_value(json!({
            "id": "ev1", "phases": ["l1", "l2", "l3"], "phase_switching": true,
            "driver": {"kind": "ocpp", "charge_point_id": "CP1", "auth": "basic", "password": "secret"}}))
        .unwrap();
        let house = House::with_chargers(std::slice::from_ref(&charger)).await;
        let peer = Peer::start(script, &house.ocpp.to_string(), more)?;
        let config = Config {
            site: Site {
                mode: Mode::Control,
                main_fuse: MainFuse {
                    rating_a: Rating::All(Milliamps::from_amps(25)),
                    ..MainFuse::default()
                },
                ..Site::default()
            },
            chargers: vec![charger],
            slow_loads: Vec::new(),
        };
        Some(Self {
            engine: Engine::new(config, Instant(0)),
            house,
            peer,
            background_ma: [2_000; 3],
            s: 0,
            watched_until: 30,
            report: None,
            due: None,
            highest_ma: 0,
            told: Vec::new(),
        })
    }

    /// Lives on until it is so.
    async fn until(&mut self, what: &str, seconds: u64, done: impl Fn(&Self) -> bool) {
        let end = self.s + seconds;
        while !done(self) {
            assert!(
                self.s < end,
                "{what}: not within {seconds} s; told {:?}, {}",
                self.told,
                self.peer.now()
            );
            self.second().await;
        }
        println!("{what}: after {} s of the core", self.s);
    }

    async fn second(&mut self) {
        let watched = self.s < self.watched_until && !self.is_followed();
        tokio::time::sleep(if watched { SECOND } else { FAST }).await;
        let begun = std::time::Instant::now();
        self.take_news();
        while self.due.is_some() && begun.elapsed() < ANSWERED_WITHIN {
            tokio::time::sleep(FAST).await;
            self.take_news();
        }
        self.s += 1;
        if !watched
            && self.s.is_multiple_of(REPORT_EVERY_S)
            && let Some(report) = self.report.clone()
        {
            self.step(Event::Charger(report));
        }
        let wobble = i64::try_from(self.s % 7).unwrap() * 10;
        let draws = self.peer.draws_ma();
        let lines = [0, 1, 2].map(|line| self.background_ma[line] + draws[line]);
        self.highest_ma = self.highest_ma.max(lines.into_iter().max().unwrap());
        let phases = lines.map(|current| {
            Some(PhaseReading {
                current_a: Some(Milliamps(current + wobble)),
                voltage_v: Some(Millivolts(230_000 + 10 * wobble)),
                power_w: None,
            })
        });
        self.step(Event::Reading(Reading {
            phases: phases.to_vec(),
            ..Reading::default()
        }));
    }

    fn take_news(&mut self) {
        for event in self.house.so_far() {
            match event {
                DeviceEvent::Charger(report) => {
                    self.report = Some(report.clone());
                    self.step(Event::Charger(report));
                }
                DeviceEvent::Outcome {
                    command, outcome, ..
                } => {
                    self.due = self.due.filter(|due| *due != command);
                    self.step(Event::Result(CommandResult { command, outcome }));
                }
                DeviceEvent::SlowLoad(_) => {}
            }
        }
    }

    /// Whether its report shows what it was told.
    fn is_followed(&self) -> bool {
        let Some(((limit, phases), currents)) = self.told.last().zip(self.currents()) else {
            return false;
        };
        let wanted = |terminal| {
            if terminal < usize::from(*phases) {
                *limit
            } else {
                0
            }
        };
        let mut shown = currents.iter().enumerate();
        shown.all(|(terminal, current)| {
            current.is_some_and(|it| (it.0 - wanted(terminal)).abs() < 1_000)
        })
    }

    fn currents(&self) -> Option<&[Option<Milliamps>]> {
        self.report.as_ref()?.current_a.as_deref()
    }

    fn step(&mut self, event: Event) {
        let actions = self.engine.step(event, Instant(self.s * 1000)).actions;
        for action in actions {
            let Action::SetLimit {
                load,
                limit_a,
                phases,
                lease_s,
                ..
            } = action.what
            else {
                continue;
            };
            if self.told.last() != Some(&(limit_a.0, phases)) {
                self.told.push((limit_a.0, phases));
                self.watched_until = self.s + WATCHED_S;
            }
            self.due = Some(action.command);
            self.house.devices.send(DeviceCommand::SetLimit {
                command: action.command,
                load,
                limit: limit_a,
                phases,
                lease_s,
                safe: Milliamps::ZERO,
                renewal: false,
            });
        }
    }

    fn draws(&self, on: [bool; 3]) -> bool {
        self.peer
            .draws_ma()
            .iter()
            .zip(on)
            .all(|(draw, on)| (*draw >= 6_000) == on && (on || *draw == 0))
    }

    fn reports(&self, on: [bool; 3]) -> bool {
        let currents = self.currents();
        currents.is_some_and(|currents| {
            currents
                .iter()
                .zip(on)
                .all(|(current, on)| current.is_some_and(|it| (it >= Milliamps(6_000)) == on))
        })
    }
}

const ALL: [bool; 3] = [true; 3];
const ONE: [bool; 3] = [true, false, false];
const NONE: [bool; 3] = [false; 3];

async fn three_one_three(script: &str) {
    let more = ["--manner", "three-to-one"];
    let Some(mut it) = Loop::new(script, &more).await else {
        return;
    };
    it.until("on three phases", 120, |it| {
        it.draws(ALL) && it.reports(ALL)
    })
    .await;
    // Two lines have less than the least left; the first has room.
    it.background_ma = [2_000, 20_500, 20_500];
    it.until("paused at once", 15, |it| it.draws(NONE)).await;
    assert_eq!(it.told.last(), Some(&(0, 3)));
    it.highest_ma = 0;
    it.until("on one phase", 900, |it| it.draws(ONE) && it.reports(ONE))
        .await;
    assert_eq!(it.peer.now()["told_phases"], 1);
    assert!(
        it.told.contains(&(6_000, 1)),
        "the least first: {:?}",
        it.told
    );
    it.until("raised on one phase", 300, |it| {
        it.peer.draws_ma()[0] >= 12_000 && it.draws(ONE)
    })
    .await;
    assert_eq!(
        it.house
            .devices
            .capabilities("ev1")
            .unwrap()
            .phase_switching,
        Grade::Claimed,
        "it was paused between"
    );
    assert!(it.highest_ma <= 25_300, "{}", it.highest_ma);

    // There is room again.
    it.background_ma = [2_000; 3];
    it.until("on three phases again", 1_500, |it| {
        it.draws(ALL) && it.reports(ALL)
    })
    .await;
    println!("told {:?}", it.told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_point_of_1_6_goes_to_one_phase_and_back() {
    three_one_three("charge_point.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_station_of_2_0_1_goes_to_one_phase_and_back() {
    three_one_three("charge_point_201.py").await;
}

/// It says that it cannot change, whatever the configuration says: no number of phases is written, and it is not given on three
/// what was meant for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_switch_is_told_no_number_and_gets_nothing_for_one_phase() {
    for script in ["charge_point.py", "charge_point_201.py"] {
        let Some(mut it) = Loop::new(script, &[]).await else {
            return;
        };
        it.until("on three phases", 120, |it| it.draws(ALL)).await;
        it.until("it has said that it cannot", 60, |it| {
            let can = it.house.devices.capabilities("ev1").unwrap();
            can.phase_switching == Grade::NotThere
        })
        .await;
        it.background_ma = [2_000, 20_500, 20_500];
        it.until("paused at once", 15, |it| it.draws(NONE)).await;
        assert_eq!(it.peer.now()["told_phases"], Value::Null, "{script}");
        it.highest_ma = 0;
        it.until("one phase is wanted", 900, |it| {
            it.told.contains(&(6_000, 1))
        })
        .await;
        it.until("it stays paused", 5, |it| it.told.last() == Some(&(0, 3)))
            .await;
        for _ in 0..20 {
            it.second().await;
            assert!(it.draws(NONE), "{script}: {}", it.peer.now());
        }
        assert_eq!(it.peer.now()["told_phases"], Value::Null, "{script}");
        assert!(it.highest_ma <= 20_500, "{script}: {}", it.highest_ma);
        it.background_ma = [2_000; 3];
        it.until("on three phases again", 900, |it| it.draws(ALL))
            .await;
    }
}
