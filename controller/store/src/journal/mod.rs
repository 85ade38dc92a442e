//! `journal.db`: what happened, in order, and why.
//!
//! Inputs: what the loop tells ([`Journal::event`], [`Journal::decision`] and the fates of commands). Outputs:
//! pages for the API, rows for replay.
//!
//! Invariants
//! - Telling never blocks: a full queue drops the record and counts it ([`Journal::dropped`]).
//! - Every input has a number that grows by one within a run, whether or not its row was written: a gap can be
//!   seen. Decisions and alarms have their number before they are written, so that the page can show them at
//!   once.
//! - An input and what was decided on it are one record: both are written, or neither.
//! - No secret of the configuration reaches the journal.

mod alarms;
mod block;
mod decisions;
mod energy;
mod file;
mod inputs;
mod kinds;
mod pack;
mod packing;
mod record;
mod replay;
mod retention;
mod rows;
mod sql;
mod thinning;
mod timeline;
mod wal;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use headroom_core::event::Outcome;
use headroom_core::{Checkpoint, Event, Instant};
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::StoreError;
use crate::house::config_secrets;

pub use alarms::AlarmBook;
pub use decisions::DecisionFilter;
pub use energy::LoadEnergy;
pub use record::{
    Alarm, CheckpointMark, Decision, DecisionAction, JournalInput, Page, RecordedDecision, Step,
    WrittenReason,
};
pub use replay::{DecidedSpan, JournalReader, Run};
pub use retention::Retention;
pub use timeline::{TimelineLine, TimelinePoint};

use record::Record;
use writer::{Message, Writer};

const FILE: &str = "journal.db";
/// Records that wait for the writer: many minutes of an ordinary house, a few megabytes.
const QUEUE: usize = 4096;
/// How long somebody who reads waits for what was just told to be written.
const FLUSH: Duration = Duration::from_secs(2);
/// How long the end of the program waits for the last group.
const CLOSE: Duration = Duration::from_secs(5);

/// The journal; cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Message>,
}

#[derive(Debug)]
struct Shared {
    run: i64,
    started: Timestamp,
    version: String,
    run_noted: AtomicBool,
    last_seq: AtomicI64,
    last_decision: AtomicI64,
    last_alarm: AtomicI64,
    dropped: AtomicU64,
    /// How often a new file was begun in this run.
    begun: AtomicU64,
    /// Whether the first attempt to open the file is over, however it ended.
    opened: watch::Sender<bool>,
    readers: watch::Sender<Option<SqlitePool>>,
    problem: watch::Sender<Option<String>>,
    set_aside: watch::Sender<Option<PathBuf>>,
}

impl Journal {
    /// Begins a run with the journal in a data directory, and opens the file beside whoever calls: a schema that is brought up to date
    /// or a check takes seconds, and nobody who guards a fuse waits for it. What is told meanwhile waits in the queue.
    ///
    /// Never fails: a damaged file is set aside ([`Journal::set_aside`]); one that cannot be opened at all is tried again and again
    /// while records are dropped and counted ([`Journal::problem`]).
    pub async fn begin(
        directory: &Path,
        version: &str,
        started: Timestamp,
        retention: Retention,
    ) -> Self {
        let path = directory.join(FILE);
        let highest = file::highest(&path).await.unwrap_or_else(|| {
            // Numbers that no earlier run has, since what is in the file cannot be known.
            let unknown = started.as_millisecond();
            file::Highest {
                run: unknown,
                decision: unknown,
                alarm: unknown,
            }
        });
        let shared = Arc::new(Shared {
            run: highest.run + 1,
            started,
            version: version.to_owned(),
            run_noted: AtomicBool::new(false),
            last_seq: AtomicI64::new(0),
            last_decision: AtomicI64::new(highest.decision),
            last_alarm: AtomicI64::new(highest.alarm),
            dropped: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            opened: watch::Sender::new(false),
            readers: watch::Sender::new(None),
            problem: watch::Sender::new(None),
            set_aside: watch::Sender::new(None),
        });
        let (queue, receiver) = mpsc::channel(QUEUE);
        let writer = Writer::new(path, receiver, Arc::clone(&shared), retention);
        tokio::spawn(writer.run());
        Self { shared, queue }
    }

    /// The same, and waits until the first attempt to open the file is over.
    pub async fn open(
        directory: &Path,
        version: &str,
        started: Timestamp,
        retention: Retention,
    ) -> Self {
        let journal = Self::begin(directory, version, started, retention).await;
        journal.opened().await;
        journal
    }

    /// Waits until the first attempt to open the file is over, however it ended.
    pub async fn opened(&self) {
        let mut opened = self.shared.opened.subscribe();
        // Its sender lives as long as this value.
        drop(opened.wait_for(|opened| *opened).await);
    }

    /// Notes an input of the engine on which nothing was decided; answers its number. Call this or
    /// [`Journal::decision`] for every event, in the engine's order, readings and ticks too. Never blocks.
    pub fn event(&self, time: Timestamp, t: Instant, event: Event) -> i64 {
        let seq = self.next_seq();
        let event = without_secrets(event);
        self.record(Record::Event {
            seq,
            time,
            t,
            event,
        });
        seq
    }

    fn next_seq(&self) -> i64 {
        self.shared.last_seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes an input with the step that acted or changed state on it; answers the decision with its number, as the
    /// page and the API show it. Never blocks.
    pub fn decision(&self, step: Step) -> Arc<Decision> {
        let id = self.shared.last_decision.fetch_add(1, Ordering::Relaxed) + 1;
        let decision = Arc::new(Decision::new(id, &step));
        self.record(Record::Decision {
            seq: self.next_seq(),
            decision: Arc::clone(&decision),
            event: without_secrets(step.event),
            snapshot: step.snapshot,
        });
        decision
    }

    /// Notes that a command was given to its device.
    pub fn sent(&self, command: u64, at: Timestamp) {
        self.record(Record::Sent { command, at });
    }

    /// Notes what a device answered, or that it did not.
    pub fn answered(&self, command: u64, outcome: Outcome, at: Timestamp) {
        self.record(Record::Answered {
            command,
            outcome,
            at,
        });
    }

    /// Notes that the measured current was seen to follow a command.
    pub fn seen(&self, command: u64, at: Timestamp) {
        self.record(Record::Seen { command, at });
    }

    /// Keeps the engine as it stands after the newest input. Never blocks: turning it into text is for the writer.
    pub fn checkpoint(&self, time: Timestamp, t: Instant, checkpoint: Checkpoint) {
        self.record(Record::Checkpoint {
            seq: self.shared.last_seq.load(Ordering::Relaxed),
            decision: self.shared.last_decision.load(Ordering::Relaxed),
            time,
            t,
            checkpoint: Box::new(checkpoint),
        });
    }

    /// A number that grows whenever rows are missing: records that were dropped, a file that was begun anew.
    pub fn gaps(&self) -> u64 {
        self.dropped() + self.shared.begun.load(Ordering::Relaxed)
    }

    /// Whether the queue takes another record now.
    pub fn has_room(&self) -> bool {
        self.queue.capacity() > 0
    }

    fn record(&self, record: Record) {
        if self.queue.try_send(Message::Record(record)).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of this run of the program.
    pub fn run(&self) -> i64 {
        self.shared.run
    }

    /// How many records were dropped because the disk did not keep up.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Why nothing is written at present, in words; `None` while all is well.
    pub fn problem(&self) -> watch::Receiver<Option<String>> {
        self.shared.problem.subscribe()
    }

    /// Where a damaged journal was put in this run; `None` if it was whole.
    pub fn set_aside(&self) -> Option<PathBuf> {
        self.shared.set_aside.borrow().clone()
    }

    /// Waits until what was told before is written, but not long: whoever reads sees what was told.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.try_send(Message::Flush(done)).is_ok()
            && tokio::time::timeout(FLUSH, written).await.is_err()
        {
            tracing::debug!("the journal is behind");
        }
    }

    /// Thins and forgets now what is old at a time, instead of a piece now and then; answers the longest time that one piece
    /// held up the writer. `None`: there is no journal any more.
    pub async fn tidy(&self, now: Timestamp) -> Option<Duration> {
        let (done, worst) = oneshot::channel();
        self.queue.send(Message::Tidy(now, done)).await.ok()?;
        worst.await.ok()
    }

    /// Writes what was told and closes the file.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let close = async {
            if self.queue.send(Message::Close(done)).await.is_ok() {
                drop(closed.await);
            }
        };
        if tokio::time::timeout(CLOSE, close).await.is_err() {
            tracing::warn!("the journal did not close in time; its last second may be lost");
        }
        let readers = self.shared.readers.send_replace(None);
        if let Some(readers) = readers {
            readers.close().await;
        }
    }

    fn readers(&self) -> Result<SqlitePool, StoreError> {
        self.shared
            .readers
            .borrow()
            .clone()
            .ok_or(StoreError::NoJournal)
    }
}

fn without_secrets(mut event: Event) -> Event {
    if let Event::Configure(config) = &mut event {
        for field in config_secrets(config) {
            *field.secret = None;
        }
    }
    event
}

#[cfg(test)]
mod tests;
