//! Records as rows.

use headroom_core::event::{Outcome, PhaseReading, Reading};
use headroom_core::units::{Milliamps, Millivolts, Vars, Watts};
use headroom_core::{Event, Instant};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::energy;
use super::inputs::inputs;
use super::pack;
use super::record::{Alarm, Decision, Record, WrittenReason};
use super::sql;
use crate::error::StoreError;

/// Lines that a row of `reading` has room for. A reading with more is kept as JSON with the other events.
const LINES: usize = super::block::LINES;

/// Writes one record within the writer's transaction.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    (run, version): (i64, &str),
    record: &Record,
) -> Result<(), StoreError> {
    match record {
        Record::Event {
            seq,
            time,
            t,
            event,
        } => insert_input(connection, (run, *seq), (*time, *t), event).await,
        Record::Decision {
            seq,
            decision,
            event,
            snapshot,
        } => {
            let when = (decision.time, decision.t_ms);
            insert_input(connection, (run, *seq), when, event).await?;
            let inputs = inputs(*seq, event, snapshot).to_string();
            insert_decision(connection, run, *seq, decision, &inputs).await
        }
        Record::Sent { command, at } => {
            sqlx::query(sql::SET_SENT)
                .bind(run)
                .bind(number(*command))
                .bind(at.as_millisecond())
                .execute(connection)
                .await?;
            Ok(())
        }
        Record::Answered {
            command,
            outcome,
            at,
        } => {
            let silent = *outcome == Outcome::Timeout;
            sqlx::query(sql::SET_OUTCOME)
                .bind(run)
                .bind(number(*command))
                .bind(code(outcome)?)
                .bind((!silent).then(|| at.as_millisecond()))
                .execute(connection)
                .await?;
            Ok(())
        }
        Record::Seen { command, at } => {
            sqlx::query(sql::SET_SEEN)
                .bind(run)
                .bind(number(*command))
                .bind(at.as_millisecond())
                .execute(connection)
                .await?;
            Ok(())
        }
        Record::Energy(rows) => energy::insert(connection, run, rows).await,
        Record::Alarm(alarm) => insert_alarm(connection, run, alarm).await,
        Record::Checkpoint {
            seq,
            decision,
            time,
            t,
            checkpoint,
        } => {
            sqlx::query(sql::INSERT_CHECKPOINT)
                .bind(run)
                .bind(seq)
                .bind(number(t.0))
                .bind(time.as_millisecond())
                .bind(decision)
                .bind(version)
                .bind(serde_json::to_string(checkpoint)?)
                .execute(connection)
                .await?;
            Ok(())
        }
    }
}

async fn insert_input(
    connection: &mut SqliteConnection,
    (run, seq): (i64, i64),
    (time, t): (Timestamp, Instant),
    event: &Event,
) -> Result<(), StoreError> {
    let (time_ms, t_ms) = (time.as_millisecond(), number(t.0));
    let query = match event {
        Event::Reading(reading) if reading.phases.len() <= LINES => {
            let row = columns(run, seq, t_ms, time_ms, reading);
            sqlx::query(sql::INSERT_READINGS).bind(serde_json::to_string(&[row])?)
        }
        event => sqlx::query(sql::INSERT_EVENT)
            .bind(run)
            .bind(seq)
            .bind(t_ms)
            .bind(time_ms)
            .bind(serde_json::to_string(event)?),
    };
    query.execute(connection).await?;
    Ok(())
}

/// A reading as the columns of its row, in the order of [`sql::INSERT_READINGS`].
pub(super) fn columns(
    run: i64,
    seq: i64,
    t_ms: i64,
    time_ms: i64,
    reading: &Reading,
) -> Vec<Value> {
    let line = |index: usize| reading.phases.get(index).copied().flatten();
    let present: i64 = (0..LINES)
        .map(|index| if line(index).is_some() { 1 << index } else { 0 })
        .sum();
    let lines = i64::try_from(reading.phases.len()).unwrap_or(i64::MAX);
    let mut columns: Vec<Value> = [run, seq, t_ms, time_ms].map(Value::from).to_vec();
    columns.push(reading.circuit.clone().into());
    columns.extend([lines.into(), present.into()]);
    for index in 0..LINES {
        let line = line(index).unwrap_or_default();
        columns.extend([
            line.current_a.map(|current| current.0).into(),
            line.voltage_v.map(|voltage| voltage.0).into(),
            line.power_w.map(|power| power.0).into(),
        ]);
    }
    columns.extend([
        reading.power_w.map(|power| power.0).into(),
        reading.reactive_var.map(|power| power.0).into(),
    ]);
    columns
}

/// The reading in a row of [`sql::READINGS_OF_RUN`], exactly as it was.
pub(super) fn reading(row: &SqliteRow) -> Result<Reading, sqlx::Error> {
    let present: i64 = row.try_get("present")?;
    let count: i64 = row.try_get("phases")?;
    let mut phases = Vec::new();
    for (index, [current, voltage, power]) in [
        ["l1_ma", "l1_mv", "l1_w"],
        ["l2_ma", "l2_mv", "l2_w"],
        ["l3_ma", "l3_mv", "l3_w"],
    ]
    .into_iter()
    .take(usize::try_from(count).unwrap_or(LINES))
    .enumerate()
    {
        let line = PhaseReading {
            current_a: row.try_get::<Option<i64>, _>(current)?.map(Milliamps),
            voltage_v: row.try_get::<Option<i64>, _>(voltage)?.map(Millivolts),
            power_w: row.try_get::<Option<i64>, _>(power)?.map(Watts),
        };
        phases.push((present & (1 << index) != 0).then_some(line));
    }
    Ok(Reading {
        phases,
        power_w: row.try_get::<Option<i64>, _>("power_w")?.map(Watts),
        reactive_var: row.try_get::<Option<i64>, _>("reactive_var")?.map(Vars),
        circuit: row.try_get("circuit")?,
    })
}

async fn insert_decision(
    connection: &mut SqliteConnection,
    run: i64,
    seq: i64,
    decision: &Decision,
    inputs: &str,
) -> Result<(), StoreError> {
    sqlx::query(sql::INSERT_DECISION)
        .bind(decision.id)
        .bind(run)
        .bind(seq)
        .bind(decision.time.as_millisecond())
        .bind(number(decision.t_ms.0))
        .bind(decision.state.as_str())
        .bind(code(&decision.reason.code)?)
        .bind(serde_json::to_string(&WrittenReason {
            reason: &decision.reason,
            would_be: &decision.would_be,
        })?)
        .bind(decision.renewal_only)
        .bind(pack::pack(inputs.as_bytes()))
        .execute(&mut *connection)
        .await?;
    for action in &decision.actions {
        let action = &action.action;
        sqlx::query(sql::INSERT_ACTION)
            .bind(run)
            .bind(number(action.command))
            .bind(decision.id)
            .bind(action.what.load())
            .bind(code(&action.reason.code)?)
            .bind(action.renewal)
            .bind(serde_json::to_string(action)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn insert_alarm(
    connection: &mut SqliteConnection,
    run: i64,
    alarm: &Alarm,
) -> Result<(), StoreError> {
    sqlx::query(sql::INSERT_ALARM)
        .bind(alarm.id)
        .bind(run)
        .bind(alarm.code.as_str())
        .bind(alarm.load.as_deref())
        .bind(alarm.since.as_millisecond())
        .bind(alarm.until.map(Timestamp::as_millisecond))
        .bind(alarm.text.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// SQLite's integers are signed; numbers of the engine stay far below.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The name of a plain enum variant, as serde writes it.
pub(super) fn code<T: Serialize>(value: &T) -> Result<String, StoreError> {
    let value = serde_json::to_value(value)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// What became of a command, from its column; `None`: nothing yet.
pub(super) fn outcome(column: &str) -> Option<Outcome> {
    match column {
        "accepted" => Some(Outcome::Accepted),
        "rejected" => Some(Outcome::Rejected),
        "timeout" => Some(Outcome::Timeout),
        _ => None,
    }
}
