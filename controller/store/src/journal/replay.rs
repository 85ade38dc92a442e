//! The engine's inputs as they were, for replay.

use headroom_core::{Event, Instant};
use jiff::Timestamp;
use sqlx::Row;

use super::record::{JournalInput, from_ms};
use super::{Journal, rows, sql};
use crate::error::StoreError;

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

impl Journal {
    /// All runs, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.flush().await;
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(sql::RUNS)
            .fetch_all(&self.readers()?)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, started, version)| Run {
                id,
                started: from_ms(started),
                version,
            })
            .collect())
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
        self.flush().await;
        let readers = self.readers()?;
        let mut inputs = Vec::new();
        for (statement, is_reading) in [(sql::READINGS_OF_RUN, true), (sql::EVENTS_OF_RUN, false)] {
            let rows = sqlx::query(statement)
                .bind(run)
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&readers)
                .await?;
            for row in &rows {
                let t: i64 = row.try_get("t_ms")?;
                let event = if is_reading {
                    Event::Reading(rows::reading(row)?)
                } else {
                    serde_json::from_str(row.try_get("body")?)?
                };
                inputs.push(JournalInput {
                    seq: row.try_get("seq")?,
                    t: Instant(t.unsigned_abs()),
                    time: from_ms(row.try_get("time_ms")?),
                    event,
                });
            }
        }
        inputs.sort_by_key(|input| input.seq);
        inputs.truncate(usize::from(limit));
        Ok(inputs)
    }
}
