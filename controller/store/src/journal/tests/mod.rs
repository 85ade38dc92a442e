use headroom_core::action::{Command, ReasonCode};
use headroom_core::event::{PhaseReading, Reading, Tick};
use headroom_core::snapshot::{MeterSnapshot, MeterState};
use headroom_core::units::{Milliamps, Millivolts, PerPhase, Watts};
use headroom_core::{Action, Config, Reason, Snapshot};
use sqlx::{Executor, SqlSafeStr};

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

/// The fixture's days are long past: nothing of it is too old.
const FOR_EVER: Retention = Retention {
    inputs_days: 100_000,
    renewals_days: 100_000,
    decisions_days: 100_000,
    ten_seconds_days: 100_000,
    minutes_days: 100_000,
    sums_days: 100_000,
};

async fn open(directory: &Path) -> Journal {
    Journal::open(directory, "0.1.0", at(0), FOR_EVER).await
}

fn reading(amps: [Option<i64>; 3]) -> Event {
    let line = |amps| PhaseReading {
        current_a: Some(Milliamps::from_amps(amps)),
        voltage_v: Some(Millivolts(230_100)),
        power_w: None,
    };
    Event::Reading(Reading {
        phases: amps.map(|amps| amps.map(line)).to_vec(),
        power_w: Some(Watts(-70)),
        reactive_var: None,
        circuit: None,
    })
}

fn snapshot(t: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        at: Instant(t),
        state: "operating.curtailing",
        reason: Reason::plain(ReasonCode::MainFuse, "L2 of the main fuse"),
        phases: Vec::new(),
        meter: MeterSnapshot {
            state: MeterState::Ok,
            last: None,
            period_ms: None,
        },
        loads: Vec::new(),
        alarms: Vec::new(),
        highest_background: PerPhase::default(),
    })
}

fn action(command: u64, load: &str, code: ReasonCode, renewal: bool) -> Action {
    Action {
        command,
        what: Command::SetLimit {
            load: load.into(),
            limit_a: Milliamps::from_amps(10),
            phases: 3,
            lease_s: 120,
        },
        renewal,
        reason: Reason::plain(code, "because"),
    }
}

fn step(journal: &Journal, ms: i64, actions: Vec<Action>, state_changed: bool) -> Arc<Decision> {
    let t = Instant(ms.unsigned_abs());
    let event = reading([Some(20), None, Some(3)]);
    let snapshot = snapshot(t.0);
    journal.decision(Step {
        event,
        time: at(ms),
        actions,
        snapshot,
        state_changed,
        would_be: Vec::new(),
    })
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    crate::migrations::journal().run(&pool).await.unwrap();
    for statement in sql::ALL {
        pool.prepare(statement.into_sql_str())
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

async fn ids(journal: &Journal, filter: &DecisionFilter) -> (Vec<i64>, Option<String>) {
    let page = journal.decisions(filter).await.unwrap();
    (page.items.iter().map(|item| item.id).collect(), page.next)
}

mod forgetting;
mod listing;
mod pages;
mod replayed;
mod starts;
mod sums;
