//! Forgetting what is old, a little at a time, so that the writer is never held up.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::sql;
use crate::error::StoreError;

/// Rows that go at a time: a few milliseconds of work.
pub(super) const CHUNK: i64 = 1000;
const DAY_MS: i64 = 86_400_000;

/// How long rows are kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Readings, the engine's other inputs, and its checkpoints, which are worth nothing without them.
    pub inputs_days: u32,
    /// Decisions that only renewed leases.
    pub renewals_days: u32,
    /// All other decisions and their commands.
    pub decisions_days: u32,
}

impl Default for Retention {
    /// A month of readings (at one each second about 250 MB), a week of renewals, more than a year of decisions.
    fn default() -> Self {
        Self {
            inputs_days: 30,
            renewals_days: 7,
            decisions_days: 400,
        }
    }
}

/// Deletes at most [`CHUNK`] rows of each kind; answers whether there may be more.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    retention: Retention,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let before = |days: u32| {
        now.as_millisecond()
            .saturating_sub(i64::from(days) * DAY_MS)
    };
    let mut most = 0;
    for statement in [
        sql::FORGET_READINGS,
        sql::FORGET_EVENTS,
        sql::FORGET_CHECKPOINTS,
    ] {
        let done = sqlx::query(statement)
            .bind(before(retention.inputs_days))
            .bind(CHUNK)
            .execute(&mut *connection)
            .await?;
        most = most.max(done.rows_affected());
    }
    for (statement, days) in [
        (sql::OLD_RENEWALS, retention.renewals_days),
        (sql::OLD_DECISIONS, retention.decisions_days),
    ] {
        let ids: Vec<i64> = sqlx::query_scalar(statement)
            .bind(before(days))
            .bind(CHUNK)
            .fetch_all(&mut *connection)
            .await?;
        if ids.is_empty() {
            continue;
        }
        most = most.max(u64::try_from(ids.len()).unwrap_or(u64::MAX));
        let ids = serde_json::to_string(&ids)?;
        for statement in [sql::FORGET_ACTIONS, sql::FORGET_DECISIONS] {
            sqlx::query(statement)
                .bind(ids.as_str())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(most >= CHUNK.unsigned_abs())
}
