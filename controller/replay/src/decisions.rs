//! The recorded decisions of a run, one after the other, and which of them are missing.

use std::collections::VecDeque;

use headroom_store::{JournalReader, RecordedDecision, StoreError};

/// Rows that are read at a time.
const CHUNK: u16 = 500;

pub(crate) struct Decisions<'j> {
    journal: &'j JournalReader,
    run: i64,
    ahead: VecDeque<RecordedDecision>,
    read: i64,
    ended: bool,
    /// The number of the newest decision, recorded or missing.
    last: i64,
}

/// What the journal has for an input.
pub(crate) enum Recorded {
    /// This.
    Decision(RecordedDecision),
    /// Nothing, and no number of a decision is left out here.
    Nothing,
    /// Nothing, but a number is left out: its row is missing.
    Missing,
}

impl<'j> Decisions<'j> {
    /// Those after a number.
    pub(crate) const fn after(journal: &'j JournalReader, run: i64, last: i64) -> Self {
        Self {
            journal,
            run,
            ahead: VecDeque::new(),
            read: last,
            ended: false,
            last,
        }
    }

    /// What was recorded for an input. `upto` is the highest number that is known to have been given later.
    pub(crate) async fn of(&mut self, seq: i64, upto: Option<i64>) -> Result<Recorded, StoreError> {
        loop {
            if self.ahead.is_empty() && !self.ended {
                self.fill().await?;
            }
            match self.ahead.front() {
                // Of an input that is missing itself.
                Some(next) if next.seq < seq => {
                    self.last = next.id;
                    self.ahead.pop_front();
                }
                Some(next) if next.seq == seq => {
                    self.last = next.id;
                    break;
                }
                next => {
                    let expected = self.last + 1;
                    let left_out = match next {
                        Some(next) => next.id > expected,
                        None => upto.is_some_and(|upto| upto >= expected),
                    };
                    return Ok(if left_out {
                        Recorded::Missing
                    } else {
                        Recorded::Nothing
                    });
                }
            }
        }
        Ok(self
            .ahead
            .pop_front()
            .map_or(Recorded::Nothing, Recorded::Decision))
    }

    /// The next one, whatever it is of.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordedDecision>, StoreError> {
        if self.ahead.is_empty() && !self.ended {
            self.fill().await?;
        }
        Ok(self.ahead.pop_front())
    }

    /// A row that is missing has been met.
    pub(crate) const fn skip(&mut self) {
        self.last += 1;
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        let rows = self.journal.decided(self.run, self.read, CHUNK).await?;
        self.ended = rows.len() < usize::from(CHUNK);
        if let Some(last) = rows.last() {
            self.read = last.id;
        }
        self.ahead.extend(rows);
        Ok(())
    }
}
