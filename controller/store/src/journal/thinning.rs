//! Readings that grow old become sums over 10 s, then over a minute, then over a quarter of an hour.
//!
//! A piece at a time, each a transaction of its own: steps that are whole, from the oldest on. Sums and numbers of samples
//! are integers, so that no thinning changes what they add up to.

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::sql;
use crate::error::StoreError;

/// The steps of thinned readings, in milliseconds, the finest first.
pub(super) const STEPS_MS: [i64; 3] = [10_000, 60_000, 900_000];

/// Thins readings before `before_ms` into steps of 10 s, some `rows` of them. Answers whether there may be more.
pub(super) async fn readings(
    connection: &mut SqliteConnection,
    before_ms: i64,
    rows: i64,
) -> Result<bool, StoreError> {
    let [step_ms, ..] = STEPS_MS;
    let end_ms = before_ms.div_euclid(step_ms) * step_ms;
    let last: Option<i64> = sqlx::query_scalar(sql::LAST_OF_OLD_READINGS)
        .bind(end_ms)
        .bind(rows)
        .fetch_one(&mut *connection)
        .await?;
    let Some(last) = last else { return Ok(false) };
    // The step of the last one is done whole.
    let upto_ms = (last.div_euclid(step_ms) + 1) * step_ms;
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::THIN_READINGS)
        .bind(upto_ms)
        .bind(step_ms)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(sql::DELETE_READINGS)
        .bind(upto_ms)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Thins sums of one step before `before_ms` into those of a coarser one, some `rows` of them. Answers whether there may
/// be more.
pub(super) async fn means(
    connection: &mut SqliteConnection,
    (from_step_ms, step_ms): (i64, i64),
    before_ms: i64,
    rows: i64,
) -> Result<bool, StoreError> {
    let end_ms = before_ms.div_euclid(step_ms) * step_ms;
    let last: Option<i64> = sqlx::query_scalar(sql::LAST_OF_OLD_MEANS)
        .bind(from_step_ms)
        .bind(end_ms)
        .bind(rows)
        .fetch_one(&mut *connection)
        .await?;
    let Some(last) = last else { return Ok(false) };
    let upto_ms = (last.div_euclid(step_ms) + 1) * step_ms;
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::THIN_MEANS)
        .bind(upto_ms)
        .bind(step_ms)
        .bind(from_step_ms)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(sql::DELETE_MEANS)
        .bind(from_step_ms)
        .bind(upto_ms)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
