//! Thinning and forgetting what is old, a piece at a time, so that the writer is never held up.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::{kinds, packing, sql, thinning};
use crate::error::StoreError;

/// Rows of the largest piece.
const MOST_ROWS: i64 = 500;
/// Rows of the smallest piece, and of the first: how fast the disk is shows then.
const LEAST_ROWS: i64 = 10;
/// A piece that took longer than this is halved the next time: a third of what the writer may be held up.
const SLOW: Duration = Duration::from_millis(16);
/// A piece that took less is doubled.
const FAST: Duration = Duration::from_millis(5);
const DAY_MS: i64 = 86_400_000;

/// How long rows are kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Full readings, the engine's other inputs, and its checkpoints, which are worth nothing without them.
    pub inputs_days: u32,
    /// Decisions that only renewed leases.
    pub renewals_days: u32,
    /// All other decisions and their commands.
    pub decisions_days: u32,
    /// Readings in steps of 10 s.
    pub ten_seconds_days: u32,
    /// Readings in steps of a minute.
    pub minutes_days: u32,
    /// Readings in steps of a quarter of an hour, and the energy of the loads.
    pub sums_days: u32,
}

impl Default for Retention {
    /// A month of full readings, a week of renewals, more than a year of decisions, ten years of sums.
    fn default() -> Self {
        Self {
            inputs_days: 30,
            renewals_days: 7,
            decisions_days: 400,
            ten_seconds_days: 90,
            minutes_days: 400,
            sums_days: 3660,
        }
    }
}

/// What there is to do.
#[derive(Clone, Copy, Debug)]
enum Task {
    /// Inputs of at least an age into blocks; those older than the days are thinned.
    Pack,
    Unpack,
    ThinReadings,
    /// From one step of [`thinning::STEPS_MS`] to another.
    ThinMeans(i64, i64),
    /// Decisions of earlier versions into the list by kind.
    List,
    Forget(&'static str),
    ForgetDecisions(&'static str),
}

/// Goes round what there is to do.
#[derive(Debug)]
pub(super) struct Tidying {
    retention: Retention,
    /// Each task, the days after which it is due, and the rows of its next piece.
    tasks: [(Task, u32, i64); 13],
    next: usize,
    /// The longest that a piece has taken.
    worst: Duration,
}

impl Tidying {
    pub(super) fn new(retention: Retention) -> Self {
        let [ten_seconds, minute, quarter] = thinning::STEPS_MS;
        let inputs = retention.inputs_days;
        let sums = retention.sums_days;
        let tasks = [
            (Task::Pack, inputs),
            (Task::Unpack, inputs),
            (Task::ThinReadings, inputs),
            (
                Task::ThinMeans(ten_seconds, minute),
                retention.ten_seconds_days,
            ),
            (Task::ThinMeans(minute, quarter), retention.minutes_days),
            (Task::Forget(sql::FORGET_EVENTS), inputs),
            (Task::Forget(sql::FORGET_CHECKPOINTS), inputs),
            (Task::Forget(sql::FORGET_MEANS), sums),
            (Task::Forget(sql::FORGET_ENERGY), sums),
            (Task::Forget(sql::FORGET_CURTAILED), sums),
            (
                Task::ForgetDecisions(sql::OLD_RENEWALS),
                retention.renewals_days,
            ),
            (
                Task::ForgetDecisions(sql::OLD_DECISIONS),
                retention.decisions_days,
            ),
            (Task::List, 0),
        ];
        Self {
            retention,
            tasks: tasks.map(|(task, days)| (task, days, LEAST_ROWS)),
            next: 0,
            worst: Duration::ZERO,
        }
    }

    /// The same, from the beginning.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.retention)
    }

    /// The longest that a piece has taken.
    pub(super) const fn worst(&self) -> Duration {
        self.worst
    }

    /// Does the next piece of what is to be done; answers whether there was one.
    pub(super) async fn piece(
        &mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for _ in 0..self.tasks.len() {
            let Some((task, days, rows)) = self.tasks.get_mut(self.next) else {
                self.next = 0;
                continue;
            };
            let before_ms = now
                .as_millisecond()
                .saturating_sub(i64::from(*days) * DAY_MS);
            let begun = Instant::now();
            let worked = task.piece(connection, now, before_ms, *rows).await;
            let took = begun.elapsed();
            self.worst = self.worst.max(took);
            // One that fails again and again does not hold up the others.
            let worked = worked.inspect_err(|_| self.next += 1)?;
            if worked {
                if took > SLOW {
                    *rows = (*rows / 2).max(LEAST_ROWS);
                } else if took < FAST {
                    *rows = (*rows * 2).min(MOST_ROWS);
                }
                // A year of decisions takes hours on a slow disk: what is due meanwhile comes first.
                if matches!(task, Task::List) {
                    self.next = 0;
                }
                return Ok(true);
            }
            self.next = (self.next + 1) % self.tasks.len();
        }
        Ok(false)
    }
}

impl Task {
    async fn piece(
        self,
        connection: &mut SqliteConnection,
        now: Timestamp,
        before_ms: i64,
        rows: i64,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Pack => {
                let young_ms = now.as_millisecond().saturating_sub(packing::AGE_MS);
                packing::pack(connection, before_ms, young_ms).await
            }
            Self::List => kinds::catch_up(connection, rows).await,
            Self::Unpack => packing::unpack(connection, before_ms).await,
            Self::ThinReadings => thinning::readings(connection, before_ms, rows).await,
            Self::ThinMeans(from, to) => {
                thinning::means(connection, (from, to), before_ms, rows).await
            }
            Self::Forget(statement) => {
                let done = sqlx::query(statement)
                    .bind(before_ms)
                    .bind(rows)
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected() > 0)
            }
            Self::ForgetDecisions(which) => {
                let ids: Vec<i64> = sqlx::query_scalar(which)
                    .bind(before_ms)
                    .bind(rows)
                    .fetch_all(&mut *connection)
                    .await?;
                if ids.is_empty() {
                    return Ok(false);
                }
                let ids = serde_json::to_string(&ids)?;
                let mut transaction = connection.begin().await?;
                kinds::unlist(&mut transaction, &ids).await?;
                for statement in [sql::FORGET_ACTIONS, sql::FORGET_DECISIONS] {
                    sqlx::query(statement)
                        .bind(ids.as_str())
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await?;
                Ok(true)
            }
        }
    }
}
