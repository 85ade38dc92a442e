//! Alarms: numbered when they begin, closed when they end.

use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::record::{Alarm, Page, Record, from_ms, milliseconds};
use super::{Journal, sql};
use crate::error::StoreError;

/// The alarms of now. Told the whole list again and again, it notes what began and what ended.
#[derive(Debug)]
pub struct AlarmBook {
    journal: Journal,
    open: Vec<Alarm>,
}

impl AlarmBook {
    /// An empty book that writes to this journal.
    pub const fn new(journal: Journal) -> Self {
        Self {
            journal,
            open: Vec::new(),
        }
    }

    /// Takes the alarms of now, which the code and the load tell apart, with the time of day at which each
    /// began. Answers those that began or ended. Never blocks.
    pub fn update<'a>(
        &mut self,
        alarms: impl IntoIterator<Item = (&'a headroom_core::snapshot::Alarm, Timestamp)>,
        now: Timestamp,
    ) -> Vec<Alarm> {
        let mut changed = Vec::new();
        let mut still_open = Vec::new();
        for (alarm, since) in alarms {
            let known = self
                .open
                .iter()
                .position(|open| open.code == alarm.code && open.load == alarm.load)
                .map(|index| self.open.swap_remove(index));
            if let Some(mut known) = known {
                known.text.clone_from(&alarm.text);
                still_open.push(known);
                continue;
            }
            let begun = Alarm {
                id: self
                    .journal
                    .shared
                    .last_alarm
                    .fetch_add(1, Ordering::Relaxed)
                    + 1,
                code: alarm.code.clone(),
                load: alarm.load.clone(),
                since: milliseconds(since),
                until: None,
                text: alarm.text.clone(),
            };
            changed.push(begun.clone());
            still_open.push(begun);
        }
        still_open.sort_unstable_by_key(|alarm| alarm.id);
        let ended = std::mem::replace(&mut self.open, still_open);
        changed.extend(ended.into_iter().map(|alarm| Alarm {
            until: Some(milliseconds(now)),
            ..alarm
        }));
        for alarm in &changed {
            self.journal.record(Record::Alarm(alarm.clone()));
        }
        changed
    }

    /// The alarms of now, oldest first.
    pub fn open(&self) -> &[Alarm] {
        &self.open
    }
}

impl Journal {
    /// A page of alarms, newest first, those that are over too.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn alarms(&self, before: Option<i64>, limit: u16) -> Result<Page<Alarm>, StoreError> {
        type Row = (i64, String, Option<String>, i64, Option<i64>, String);
        self.flush().await;
        let rows: Vec<Row> = sqlx::query_as(sql::ALARMS)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.readers()?)
            .await?;
        let more = rows.len() > usize::from(limit);
        let items: Vec<_> = rows
            .into_iter()
            .take(usize::from(limit))
            .map(|(id, code, load, since, until, text)| Alarm {
                id,
                code,
                load,
                since: from_ms(since),
                until: until.map(from_ms),
                text,
            })
            .collect();
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| last.id.to_string());
        Ok(Page { items, next })
    }
}
