//! What was recorded, as it was, for replay: inputs, decisions and checkpoints. Reads only, beside the running service too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use headroom_core::{Event, Instant};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::record::{CheckpointMark, JournalInput, RecordedDecision, from_ms};
use super::{FILE, Journal, file, packing, rows, sql};
use crate::error::StoreError;
use crate::{DataDirectory, database, migrations};

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

/// Decisions whose inputs may be thinned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecidedSpan {
    /// How many.
    pub decisions: u64,
    /// The highest number of an input that led to one.
    pub last_input: i64,
    /// The first one.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
}

/// A journal that is only read.
#[derive(Clone, Debug)]
pub struct JournalReader {
    readers: SqlitePool,
    /// Files beside the journal that were not there before it was opened.
    beside: Vec<PathBuf>,
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
            beside: Vec::new(),
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
        let beside =
            ["-wal", "-shm"].map(|suffix| PathBuf::from(format!("{}{suffix}", path.display())));
        let beside = beside.into_iter().filter(|path| !path.exists()).collect();
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
            std::cmp::Ordering::Equal => Ok(Self { readers, beside }),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { path }),
        }
    }

    /// Closes it, and removes what SQLite left beside a journal that nobody uses. For one from [`JournalReader::open`].
    pub async fn close(self) {
        self.readers.close().await;
        let Some(directory) = self.beside.first().and_then(|path| path.parent()) else {
            return;
        };
        DataDirectory::while_unused(directory, || {
            for path in &self.beside {
                // A log with something in it is not ours to remove.
                let empty = path.extension().is_some_and(|it| it == "db-shm")
                    || path.metadata().is_ok_and(|it| it.len() == 0);
                if empty && let Err(error) = std::fs::remove_file(path) {
                    tracing::debug!(%error, path = %path.display(), "it was not removed");
                }
            }
        });
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
        // All of it as it stands at one moment: inputs move from rows to blocks.
        let mut moment = self.readers.begin().await?;
        let mut inputs = packed(&mut moment, run, after, limit).await?;
        for (statement, is_reading) in [(sql::READINGS_OF_RUN, true), (sql::EVENTS_OF_RUN, false)] {
            let rows = sqlx::query(statement)
                .bind(run)
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *moment)
                .await?;
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
        inputs.sort_unstable_by_key(|input| input.seq);
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
        let rows = sqlx::query(sql::DECISIONS_OF_RUN)
            .bind(run)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
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

    /// What is left of what a run decided in a time, where its inputs may be thinned out; `None` if there is nothing.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn decided_span(
        &self,
        run: i64,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Option<DecidedSpan>, StoreError> {
        let (count, last_seq, first, last): (i64, i64, i64, i64) =
            sqlx::query_as(sql::DECIDED_SPAN)
                .bind(run)
                .bind(from.map(Timestamp::as_millisecond))
                .bind(to.map(Timestamp::as_millisecond))
                .fetch_one(&self.readers)
                .await?;
        Ok((count > 0).then(|| DecidedSpan {
            decisions: count.unsigned_abs(),
            last_input: last_seq,
            from: from_ms(first),
            to: from_ms(last),
        }))
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
}

/// Inputs that stand in blocks: all of the first blocks that are enough for `limit`.
async fn packed(
    connection: &mut SqliteConnection,
    run: i64,
    mut after: i64,
    limit: u16,
) -> Result<Vec<JournalInput>, StoreError> {
    let mut inputs = Vec::new();
    while inputs.len() < usize::from(limit) {
        let block: Option<(i64, i64, i64, Vec<u8>)> = sqlx::query_as(sql::BLOCKS_OF_RUN)
            .bind(run)
            .bind(after)
            .fetch_optional(&mut *connection)
            .await?;
        let Some((first, last, time_ms, body)) = block else {
            break;
        };
        let block = packing::inputs(first, (time_ms, &body));
        inputs.extend(block.into_iter().filter(|input| input.seq > after));
        after = last;
    }
    Ok(inputs)
}
