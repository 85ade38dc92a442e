//! The one task that writes the journal.
//!
//! Input: the bounded queue. Output: rows, in groups of at most a second. A disk that is full or gone holds up
//! this task alone: it keeps its group and tries again, the queue fills, and [`super::Journal`] counts what it
//! drops. A damaged file is set aside.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, sleep, timeout_at};

use super::record::Record;
use super::retention::{Retention, Tidying};
use super::wal::Log;
use super::{Shared, file, kinds, rows, sql};
use crate::database::is_damage;
use crate::error::StoreError;

/// What a power cut may cost.
const GROUP_TIME: Duration = Duration::from_secs(1);
/// Records of one transaction.
const GROUP_RECORDS: usize = 512;
/// Between attempts on a disk that does not work.
const RETRY: Duration = Duration::from_secs(5);
/// Between two looks whether there is something to thin or to forget.
const FORGET: Duration = Duration::from_mins(1);
/// Looks, one a second, for which the log may be on the move: on a slow disk it never rests.
const MOST_PUT_OFF: u32 = 30;
/// Primary codes of SQLite for what may pass: busy, locked, read-only, input or output, full, cannot open.
const PASSING: [i32; 6] = [5, 6, 8, 10, 13, 14];

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    Record(Record),
    /// Commit what came before, then answer.
    Flush(oneshot::Sender<()>),
    /// The same, and end.
    Close(oneshot::Sender<()>),
    /// Do what there is to thin and to forget at this time, all of it; answer with the longest piece.
    Tidy(Timestamp, oneshot::Sender<Duration>),
}

pub(super) struct Writer {
    path: PathBuf,
    connection: Option<SqliteConnection>,
    queue: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    tidying: Tidying,
    log: Log,
    /// How often a piece was put off since the log was being moved.
    put_off: u32,
    /// Somebody wants all of it tidied, as of a time.
    asked: Option<(Timestamp, oneshot::Sender<Duration>)>,
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        queue: mpsc::Receiver<Message>,
        shared: Arc<Shared>,
        retention: Retention,
    ) -> Self {
        Self {
            log: Log::new(&path),
            path,
            connection: None,
            queue,
            shared,
            tidying: Tidying::new(retention),
            put_off: 0,
            asked: None,
        }
    }

    pub(super) async fn run(mut self) {
        self.open().await;
        let mut forgetting = tokio::time::interval(FORGET);
        forgetting.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // A piece of what is old has its turn when it is due: where the queue is never empty it would have none.
            let message = tokio::select! {
                biased;
                _ = forgetting.tick() => {
                    let more = self.tidy_when_due().await;
                    // From here on, however long it took: a group comes first.
                    forgetting.reset_after(if more { GROUP_TIME } else { FORGET });
                    continue;
                }
                message = self.queue.recv() => message,
                () = self.log.rests(), if self.asked.is_some() => {
                    self.tidy_as_asked().await;
                    continue;
                }
            };
            let Some(message) = message else { break };
            let (group, asked) = self.gather(message).await;
            self.write(&group).await;
            match asked {
                Some(Message::Flush(done)) => answer(done),
                Some(Message::Close(done)) => {
                    if let Some(connection) = self.connection.take() {
                        file::discard(connection).await;
                    }
                    answer(done);
                    break;
                }
                Some(Message::Tidy(now, done)) => {
                    self.tidying = self.tidying.anew();
                    self.asked = Some((now, done));
                }
                _ => {}
            }
        }
    }

    /// Opens the file for the first time.
    async fn open(&mut self) {
        match file::open_or_begin(&self.path, self.shared.started).await {
            Ok((connection, aside)) => {
                self.connection = Some(connection);
                self.shared.set_aside.send_replace(aside);
                let readers = file::readers(&self.path);
                self.shared.readers.send_replace(Some(readers));
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "there is no journal"
                );
                self.shared.problem.send_replace(Some(error.to_string()));
            }
        }
        self.shared.opened.send_replace(true);
    }

    /// A piece of what is old, but not while the log is being moved, as long as that ends some time. Whether there may be more.
    async fn tidy_when_due(&mut self) -> bool {
        if self.log.is_moving() && self.put_off < MOST_PUT_OFF {
            self.put_off += 1;
            return true;
        }
        self.put_off = 0;
        self.tidy(Timestamp::now()).await
    }

    /// The next piece of what somebody wants tidied; answers behind the last.
    async fn tidy_as_asked(&mut self) {
        let Some((now, done)) = self.asked.take() else {
            return;
        };
        if self.tidy(now).await {
            self.asked = Some((now, done));
        } else {
            answer_with(done, self.tidying.worst());
        }
    }

    /// Collects a group: until the time is up, it is large, or somebody asks.
    async fn gather(&mut self, first: Message) -> (Vec<Record>, Option<Message>) {
        let until = Instant::now() + GROUP_TIME;
        let mut group = Vec::new();
        let mut next = Some(first);
        loop {
            match next {
                Some(Message::Record(record)) => group.push(record),
                Some(asked) => return (group, Some(asked)),
                None => return (group, None),
            }
            if group.len() >= GROUP_RECORDS {
                return (group, None);
            }
            next = timeout_at(until, self.queue.recv()).await.unwrap_or(None);
        }
    }

    /// Writes a group, however often it takes; gives up when nobody sends any more.
    async fn write(&mut self, group: &[Record]) {
        loop {
            let Err(error) = self.try_write(group).await else {
                self.shared
                    .problem
                    .send_if_modified(|problem| problem.take().is_some());
                return;
            };
            let verdict = Verdict::of(&error);
            tracing::error!(
                error = &error as &dyn std::error::Error,
                records = group.len(),
                "the journal could not be written"
            );
            if let Verdict::Lost = verdict {
                self.shared
                    .dropped
                    .fetch_add(group.len() as u64, Ordering::Relaxed);
                return;
            }
            self.shared.problem.send_replace(Some(error.to_string()));
            if let Some(connection) = self.connection.take() {
                file::discard(connection).await;
            }
            if let Verdict::Damaged = verdict {
                match file::set_aside(&self.path, Timestamp::now()) {
                    Ok(aside) => {
                        self.shared.set_aside.send_replace(Some(aside));
                        self.shared.begun.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the journal could not be set aside"
                    ),
                }
            }
            sleep(RETRY).await;
            if self.queue.is_closed() {
                self.shared
                    .dropped
                    .fetch_add(group.len() as u64, Ordering::Relaxed);
                return;
            }
        }
    }

    async fn try_write(&mut self, group: &[Record]) -> Result<(), StoreError> {
        if self.connection.is_none() {
            self.connection = Some(file::open(&self.path).await?);
            self.shared
                .readers
                .send_replace(Some(file::readers(&self.path)));
        }
        let Some(connection) = &mut self.connection else {
            return Err(StoreError::NoJournal);
        };
        let mut transaction = connection.begin().await?;
        if !self.shared.run_noted.load(Ordering::Relaxed)
            || self.shared.set_aside.borrow().is_some()
        {
            note_run(&mut transaction, &self.shared).await?;
        }
        for record in group {
            rows::insert(
                &mut transaction,
                (self.shared.run, &self.shared.version),
                record,
            )
            .await?;
        }
        let decisions: Vec<i64> = group.iter().filter_map(Record::decision).collect();
        kinds::list(&mut transaction, &decisions).await?;
        transaction.commit().await?;
        self.log.committed();
        self.shared.run_noted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Does a piece of what is to be thinned or forgotten. Whether there may be more.
    async fn tidy(&mut self, now: Timestamp) -> bool {
        let Some(connection) = &mut self.connection else {
            return false;
        };
        let more = self.tidying.piece(connection, now).await;
        self.log.committed();
        match more {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "old rows were not thinned or removed"
                );
                // Its transaction may be half over: what is written next would never be committed.
                if let Some(connection) = self.connection.take() {
                    file::discard(connection).await;
                }
                false
            }
        }
    }
}

/// The row of this process; it is written again when a new file is begun.
async fn note_run(connection: &mut SqliteConnection, shared: &Shared) -> Result<(), StoreError> {
    sqlx::query(sql::INSERT_RUN)
        .bind(shared.run)
        .bind(shared.started.as_millisecond())
        .bind(shared.version.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query(sql::CLOSE_ALARMS)
        .bind(shared.run)
        .bind(shared.started.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

/// What to do after an error.
enum Verdict {
    /// Try again later.
    Passing,
    /// The file is broken.
    Damaged,
    /// These records will never be written: go on with the next.
    Lost,
}

impl Verdict {
    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Damaged { .. } => Self::Damaged,
            StoreError::Database(error) if is_damage(error) => Self::Damaged,
            StoreError::Database(sqlx::Error::Database(error)) => {
                let code = error.code().and_then(|code| code.parse::<i32>().ok());
                if code.is_some_and(|code| PASSING.contains(&(code & 0xff))) {
                    Self::Passing
                } else {
                    Self::Lost
                }
            }
            StoreError::Content(_) => Self::Lost,
            _ => Self::Passing,
        }
    }
}

fn answer(done: oneshot::Sender<()>) {
    answer_with(done, ());
}

fn answer_with<T>(done: oneshot::Sender<T>, answer: T) {
    if done.send(answer).is_err() {
        tracing::trace!("nobody waits for the journal any more");
    }
}
