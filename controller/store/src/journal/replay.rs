//! What was recorded, as it was, for replay: inputs, decisions and checkpoints. Reads only, beside the running service too.

use std::collections::HashMap;
use std::path::Path;

use headroom_core::{Event, Instant};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::record::{CheckpointMark, JournalInput, RecordedDecision, from_ms};
use super::{FILE, Journal, file, rows, sql};
use crate::error::StoreError;
use crate::{database, migrations};

/// The schema's version, as the migrator notes it.
const SCHEMA: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";

/// One start of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started: Timestamp,
    /// The version that ran.
    pub version: String,
}

/// A journal that is only read.
#[derive(Clone, Debug)]
pub struct JournalReader {
    readers: SqlitePool,
}

impl Journal {
    /// This journal, to be read as a whole, after what was told has been written.
    ///
    /// # Errors
    /// When there is no journal.
    pub async fn reader(&self) -> Result<JournalReader, StoreError> {
        self.flush().await;
        Ok(JournalReader {
            readers: self.readers()?,
        })
    }
}

impl JournalReader {
    /// Opens the journal in a data directory, whether or not the service runs there.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or its schema is not the one that this program knows.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        if let Err(source) = path.metadata() {
            return Err(StoreError::File { path, source });
        }
        let readers = file::readers(&path);
        let known = migrations::journal()
            .iter()
            .map(|migration| migration.version)
            .max();
        let schema: i64 = sqlx::query_scalar(SCHEMA)
            .fetch_one(&readers)
            .await
            .map_err(|error| database::open_error(&path, error))?;
        match Some(schema).cmp(&known) {
            std::cmp::Ordering::Less => Err(StoreError::Older { path }),
            std::cmp::Ordering::Equal => Ok(Self { readers }),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { path }),
        }
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let rows: Vec<(i64, i64, String)> =
            sqlx::query_as(sql::RUNS).fetch_all(&self.readers).await?;
        Ok(rows
            .into_iter()
            .map(|(id, started, version)| Run {
                id,
                started: from_ms(started),
                version,
            })
            .collect())
    }

    /// The number of the newest input of a run; 0 if there is none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn last_input(&self, run: i64) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(sql::LAST_INPUT)
            .bind(run)
            .fetch_one(&self.readers)
            .await?)
    }

    /// Inputs of a run after a number, in the engine's order, at most `limit`. Fewer than `limit` means that
    /// there are no more.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn inputs(
        &self,
        run: i64,
        after: i64,
        limit: u16,
    ) -> Result<Vec<JournalInput>, StoreError> {
        let mut inputs = Vec::new();
        for (statement, is_reading) in [(sql::READINGS_OF_RUN, true), (sql::EVENTS_OF_RUN, false)] {
            let rows = self.rows(statement, run, after, limit).await?;
            for row in &rows {
                let t: i64 = row.try_get("t_ms")?;
                let event = if is_reading {
                    Ok(Event::Reading(rows::reading(row)?))
                } else {
                    serde_json::from_str(row.try_get("body")?)
                };
                inputs.push(JournalInput {
                    seq: row.try_get("seq")?,
                    t: Instant(t.unsigned_abs()),
                    time: from_ms(row.try_get("time_ms")?),
                    event: event.map_err(|error| error.to_string()),
                });
            }
        }
        inputs.sort_by_key(|input| input.seq);
        inputs.truncate(usize::from(limit));
        Ok(inputs)
    }

    /// Decisions of a run after a number, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn decided(
        &self,
        run: i64,
        after: i64,
        limit: u16,
    ) -> Result<Vec<RecordedDecision>, StoreError> {
        let rows = self.rows(sql::DECISIONS_OF_RUN, run, after, limit).await?;
        let mut decisions = Vec::new();
        for row in &rows {
            let t: i64 = row.try_get("t_ms")?;
            decisions.push(RecordedDecision {
                id: row.try_get("id")?,
                seq: row.try_get("seq")?,
                t: Instant(t.unsigned_abs()),
                time: from_ms(row.try_get("time_ms")?),
                state: row.try_get("state")?,
                reason: row.try_get("reason")?,
                actions: Vec::new(),
            });
        }
        let ids: Vec<i64> = decisions.iter().map(|decision| decision.id).collect();
        let bodies: Vec<(i64, String)> = sqlx::query_as(sql::ACTION_BODIES)
            .bind(serde_json::to_string(&ids)?)
            .fetch_all(&self.readers)
            .await?;
        let mut actions: HashMap<i64, Vec<String>> = HashMap::new();
        for (decision, body) in bodies {
            actions.entry(decision).or_default().push(body);
        }
        for decision in &mut decisions {
            decision.actions = actions.remove(&decision.id).unwrap_or_default();
        }
        Ok(decisions)
    }

    /// The checkpoints of a run, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn checkpoints(&self, run: i64) -> Result<Vec<CheckpointMark>, StoreError> {
        let rows: Vec<(i64, i64, i64, i64, String)> = sqlx::query_as(sql::CHECKPOINTS_OF_RUN)
            .bind(run)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(seq, t, time, decision, version)| CheckpointMark {
                seq,
                t: Instant(t.unsigned_abs()),
                time: from_ms(time),
                decision,
                version,
            })
            .collect())
    }

    /// The engine of a checkpoint as JSON, as it was written.
    ///
    /// # Errors
    /// When there is none at this input, or the journal cannot be read.
    pub async fn checkpoint(&self, run: i64, seq: i64) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar(sql::CHECKPOINT)
            .bind(run)
            .bind(seq)
            .fetch_one(&self.readers)
            .await?)
    }

    async fn rows(
        &self,
        statement: &'static str,
        run: i64,
        after: i64,
        limit: u16,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        Ok(sqlx::query(statement)
            .bind(run)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?)
    }
}
