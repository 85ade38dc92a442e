//! Inputs that are an hour old go into blocks, and those that grow too old come out of them to be thinned.
//!
//! A piece at a time, each a transaction of its own. What cannot be packed stays as it is: nothing but room is lost.

use headroom_core::{Event, Instant};
use sqlx::Connection;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::block::{self, Input, What};
use super::record::{JournalInput, from_ms};
use super::{rows, sql};
use crate::error::StoreError;

/// Inputs younger than this stay as rows: what is looked at most, and what the writer may still be asked for.
pub(super) const AGE_MS: i64 = 3_600_000;
/// How long old inputs wait until there are enough of them for a block.
const PATIENCE_MS: i64 = 600_000;
/// Inputs of a block. Each piece reads and removes as many rows, well within what the writer may be held up.
const INPUTS: usize = 240;

/// Packs the oldest inputs of at least `from_ms` and before `before_ms` that are rows. Answers whether there may be more.
pub(super) async fn pack(
    connection: &mut SqliteConnection,
    from_ms: i64,
    before_ms: i64,
) -> Result<bool, StoreError> {
    let oldest: Option<(i64, i64)> = sqlx::query_as(sql::OLDEST_INPUT)
        .bind(from_ms)
        .bind(before_ms)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((run, oldest)) = oldest else {
        return Ok(false);
    };
    // In the order of the engine, where the clock went its way: a step back of it leaves no short blocks.
    let first: Option<(i64, i64)> = sqlx::query_as(sql::FIRST_INPUT)
        .bind(run)
        .fetch_optional(&mut *connection)
        .await?;
    let first = first
        .filter(|(_, time_ms)| (from_ms..before_ms).contains(time_ms))
        .map_or(oldest, |(first, _)| first);
    let mut found = Vec::new();
    for (statement, is_reading) in [(sql::READINGS_OF_RUN, true), (sql::EVENTS_OF_RUN, false)] {
        let rows = sqlx::query(statement)
            .bind(run)
            .bind(first - 1)
            .bind(i64::try_from(INPUTS).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let input = Input {
                seq: row.try_get("seq")?,
                t_ms: row.try_get("t_ms")?,
                time_ms: row.try_get("time_ms")?,
                what: if is_reading {
                    What::Reading(rows::reading(row)?)
                } else {
                    What::Event(row.try_get("body")?)
                },
            };
            let id: Option<i64> = is_reading.then(|| row.try_get("id")).transpose()?;
            found.push((input, id));
        }
    }
    found.sort_unstable_by_key(|(input, _)| input.seq);
    found.truncate(INPUTS);
    // Blocks of a run follow each other: what was packed before what stands in front of it, as where a clock was ahead, ends this one.
    let next: Option<i64> = sqlx::query_scalar(sql::NEXT_BLOCK)
        .bind(run)
        .bind(first)
        .fetch_optional(&mut *connection)
        .await?;
    found.retain(|(input, _)| next.is_none_or(|next| input.seq < next));
    let all = found.len();
    // In the order of the engine: what comes behind an input that is too young or too old waits for its own block.
    let old = found
        .iter()
        .take_while(|(input, _)| (from_ms..before_ms).contains(&input.time_ms));
    found.truncate(old.count());
    let (inputs, readings): (Vec<Input>, Vec<Option<i64>>) = found.into_iter().unzip();
    let readings: Vec<i64> = readings.into_iter().flatten().collect();
    let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else {
        return Ok(false);
    };
    // More will be old soon, and a short block is not worth it. What stands before an input of another time, or at the end of a run,
    // waits for nothing.
    let waits = first.time_ms >= before_ms.saturating_sub(PATIENCE_MS);
    if inputs.len() < INPUTS.min(all) && waits {
        return Ok(false);
    }
    let times = inputs.iter().map(|input| input.time_ms);
    let (Some(earliest), Some(latest)) = (times.clone().min(), times.max()) else {
        return Ok(false);
    };
    let (first, last) = (first.seq, last.seq);
    let body = block::write(&inputs, earliest);
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::INSERT_BLOCK)
        .bind(run)
        .bind(first)
        .bind(last)
        .bind(earliest)
        .bind(latest)
        .bind(body)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(sql::DELETE_PACKED_READINGS)
        .bind(serde_json::to_string(&readings)?)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(sql::DELETE_PACKED_EVENTS)
        .bind(run)
        .bind(first)
        .bind(last)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Makes the readings of the oldest block before `before_ms` rows again, for [`super::thinning`]; its other inputs are forgotten.
/// Answers whether there was one.
pub(super) async fn unpack(
    connection: &mut SqliteConnection,
    before_ms: i64,
) -> Result<bool, StoreError> {
    let oldest: Option<(i64, i64, i64, Vec<u8>)> = sqlx::query_as(sql::OLDEST_BLOCK)
        .bind(before_ms)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((id, run, first_ms, body)) = oldest else {
        return Ok(false);
    };
    let inputs = block::read(&body, first_ms).unwrap_or_else(|| {
        tracing::warn!(run, "a block of old readings is damaged and is removed");
        Vec::new()
    });
    let rows = inputs.iter().filter_map(|input| match &input.what {
        What::Reading(reading) => Some(rows::columns(
            run,
            input.seq,
            input.t_ms,
            input.time_ms,
            reading,
        )),
        What::Event(_) => None,
    });
    // All of them in one statement: the writer's thread is not asked for each.
    let rows = serde_json::to_string(&rows.collect::<Vec<_>>())?;
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::INSERT_READINGS)
        .bind(rows)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(sql::DELETE_BLOCK)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// The inputs of a block, as a replay takes them. One that cannot be read stands as its first input.
pub(super) fn inputs(first: i64, (time_ms, body): (i64, &[u8])) -> Vec<JournalInput> {
    let Some(inputs) = block::read(body, time_ms) else {
        return vec![JournalInput {
            seq: first,
            t: Instant(0),
            time: from_ms(time_ms),
            event: Err("the block that it stands in is damaged".to_owned()),
        }];
    };
    let inputs = inputs.into_iter();
    inputs
        .map(|input| JournalInput {
            seq: input.seq,
            t: Instant(input.t_ms.unsigned_abs()),
            time: from_ms(input.time_ms),
            event: match input.what {
                What::Reading(reading) => Ok(Event::Reading(reading)),
                What::Event(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests;
