//! A small house that records what it does, as the service's loop does.

use std::path::Path;
use std::sync::Arc;

use headroom_core::action::Command;
use headroom_core::{Config, Engine, Event, Instant};
use headroom_store::{Journal, JournalReader, Retention, Step};
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePool;
use tempfile::TempDir;

/// Nothing is too old, unless a test says that it is late enough.
pub(crate) const KEPT_DAYS: u32 = 100_000;

/// When it all begins. In the future: what is an hour old is packed, and some of these tests change single rows.
pub(crate) const START_MS: i64 = 4_070_908_800_000;

pub(crate) fn at(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(START_MS + i64::try_from(ms).unwrap()).unwrap()
}

/// A house with two cars and a water heater.
pub(crate) fn config() -> Value {
    json!({
        "site": {"mode": "control", "main_fuse": {"rating_a": 25}},
        "chargers": [
            {"id": "ev1", "phases": ["l1", "l2", "l3"], "priority": 2, "accept_risk": true,
                "driver": {"kind": "ocpp", "charge_point_id": "CP1", "password": "canary-password"}},
            {"id": "ev2", "phases": ["l1"], "priority": 1, "accept_risk": true}],
        "slow_loads": [{"id": "heater", "rated_w": 2000, "phases": ["l2"], "priority": 3}]
    })
}

/// The loop without the world around it.
pub(crate) struct House {
    pub(crate) dir: TempDir,
    pub(crate) journal: Journal,
    engine: Engine,
    ms: u64,
    state: &'static str,
    limits: [i64; 2],
    heater: bool,
    /// What the house draws besides, in amperes on each line.
    pub(crate) background: [i64; 3],
    pub(crate) wants_a: [i64; 2],
    /// The only charger that is there; else both are.
    pub(crate) only: Option<usize>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::on(TempDir::new().unwrap(), "0.1.0", 0).await
    }

    /// A start of the program, which may be another version.
    pub(crate) async fn on(dir: TempDir, version: &str, ms: u64) -> Self {
        let days = KEPT_DAYS;
        let keep = Retention {
            inputs_days: days,
            renewals_days: days,
            decisions_days: days,
            ..Retention::default()
        };
        let journal = Journal::open(dir.path(), version, at(ms), keep).await;
        let mut house = Self {
            dir,
            journal,
            engine: Engine::new(Config::default(), Instant(ms)),
            ms,
            state: "",
            limits: [0; 2],
            heater: false,
            background: [2, 3, 4],
            wants_a: [16, 16],
            only: None,
        };
        let mut event = config();
        event["type"] = json!("configure");
        house.keep();
        house.tell(event);
        let mut learnt = house.engine.learnt();
        if let Some(main) = learnt.circuits.get_mut("main") {
            main.largest_step_a = [headroom_core::Milliamps::from_amps(12); 3];
        }
        house.engine.restore(&learnt);
        house.keep();
        house
    }

    pub(crate) fn now(&self) -> Timestamp {
        at(self.ms)
    }

    pub(crate) fn keep(&self) {
        let checkpoint = self.engine.checkpoint();
        self.journal
            .checkpoint(at(self.ms), Instant(self.ms), checkpoint);
    }

    pub(crate) fn tell(&mut self, event: Value) -> usize {
        let event: Event = serde_json::from_value(event).unwrap();
        let now = Instant(self.ms);
        self.engine.check(&event, now).unwrap();
        let actions = self.engine.step(event.clone(), now);
        for action in &actions.actions {
            match &action.what {
                Command::SetLimit { load, limit_a, .. } => {
                    self.limits[usize::from(load == "ev2")] = limit_a.0;
                }
                Command::Switch { on, .. } => self.heater = *on,
            }
        }
        let state_changed = actions.state != self.state;
        self.state = actions.state;
        let count = actions.actions.len();
        if count > 0 || state_changed || !actions.would_be.is_empty() {
            self.journal.decision(Step {
                event,
                time: at(self.ms),
                actions: actions.actions,
                snapshot: Arc::new(self.engine.snapshot()),
                state_changed,
                would_be: actions.would_be,
            });
        } else {
            self.journal.event(at(self.ms), now, event);
        }
        count
    }

    /// One second: a reading, and each few seconds the cars' word.
    pub(crate) fn second(&mut self) {
        self.ms += 1000;
        let draws: Vec<i64> = (0..2)
            .map(|index| {
                let there = self.only.is_none_or(|only| only == index);
                i64::from(there) * self.limits[index].min(self.wants_a[index] * 1000)
            })
            .collect();
        let line = |index: usize, milliamps: i64| {
            let noise = i64::try_from(self.ms / 1000 * 7 % 5).unwrap() * 100;
            let all = self.background[index] * 1000 + milliamps + noise;
            json!({"current_a": f64::from(i32::try_from(all).unwrap()) / 1000.0, "voltage_v": 230.4})
        };
        let phases = [
            line(0, draws[0] + draws[1]),
            line(1, draws[0] + if self.heater { 8_700 } else { 0 }),
            line(2, draws[0]),
        ];
        self.tell(json!({"type": "reading", "phases": phases}));
        if self.ms.is_multiple_of(3000) {
            for (index, terminals) in [(0, 3), (1, 1)] {
                if self.only.is_some_and(|only| only != index) {
                    continue;
                }
                let amps = f64::from(i32::try_from(draws[index]).unwrap()) / 1000.0;
                let id = ["ev1", "ev2"][index];
                let wants = self.wants_a[index] > 0;
                self.tell(json!({"type": "charger", "id": id, "connected": true,
                    "status": if wants { "charging" } else { "available" },
                    "current_a": vec![amps; terminals]}));
            }
            self.tell(
                json!({"type": "slow_load", "id": "heater", "connected": true, "on": self.heater,
                    "power_w": if self.heater { 2_000 } else { 0 }}),
            );
        }
    }

    pub(crate) async fn seconds(&mut self, count: u64) {
        for second in 0..count {
            self.second();
            if second % 100 == 0 {
                // The writer has its turn, so that nothing is dropped.
                self.journal.flush().await;
            }
        }
    }

    /// Some minutes in which something happens, with three checkpoints: at the start, at 200 s and at 400 s.
    pub(crate) async fn lively(&mut self) {
        self.seconds(100).await;
        self.background = [14, 3, 4];
        self.seconds(60).await;
        self.tell(json!({"type": "command", "command": {"kind": "limit", "load": "ev1", "limit_a": 8, "for_s": 60}}));
        self.seconds(40).await;
        self.keep();
        self.background = [2, 3, 4];
        self.seconds(200).await;
        self.keep();
        self.background = [2, 18, 4];
        self.seconds(100).await;
        self.background = [2, 3, 4];
        self.seconds(100).await;
        self.journal.flush().await;
    }

    pub(crate) async fn reader(&self) -> JournalReader {
        self.journal.flush().await;
        JournalReader::open(self.dir.path()).await.unwrap()
    }
}

/// Does something to the file.
pub(crate) async fn tamper(directory: &Path, statement: &'static str) {
    let path = directory.join("journal.db");
    let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let done = sqlx::query(statement).execute(&pool).await.unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
    pool.close().await;
}
