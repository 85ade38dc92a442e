//! What is committed stands in the log (`journal.db-wal`) first; this moves it into the file, beside the writer.
//!
//! SQLite would let the commit that makes the log too long do so, and whoever writes would wait for the disk: a hundred milliseconds
//! and more. Here a connection of its own does it, while the writer goes on: a passive checkpoint waits for nobody and holds up nobody.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{mpsc, watch};

use crate::database;
use crate::error::StoreError;

/// A log of this length is moved. Some minutes of an ordinary house, and little to read at a start after a death.
const LONG_BYTES: u64 = 2 * 1024 * 1024;
/// After this time whoever waits for the log goes on all the same: a disk that is slow beyond measure.
const PATIENCE: Duration = Duration::from_secs(30);
/// The writer moves the log itself where this does not get to it, so that it cannot fill the disk: pages, 64 MB.
const LAST_RESORT_PAGES: &str = "16384";
const MOVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// How the writer opens the journal.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    database::options(path, SqliteSynchronous::Normal)
        .pragma("wal_autocheckpoint", LAST_RESORT_PAGES)
        // What was moved goes when the log is begun anew, so that its length tells how much is in it.
        .pragma("journal_size_limit", "0")
}

/// Asks for the log to be moved, and knows whether it is being moved.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    ask: mpsc::Sender<()>,
    moving: watch::Sender<bool>,
}

impl Log {
    /// Starts the task beside the writer of the journal in this file. It ends with the value.
    pub(super) fn new(path: &Path) -> Self {
        let (ask, mut asked) = mpsc::channel(1);
        let moving = watch::Sender::new(false);
        let log = Self {
            path: PathBuf::from(format!("{}-wal", path.display())),
            ask,
            moving: moving.clone(),
        };
        let path = path.to_owned();
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                if let Err(error) = move_log(&path).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::debug!(
                        error,
                        "the journal's log was not moved; it will be asked again"
                    );
                }
                moving.send_replace(false);
            }
        });
        log
    }

    /// To be called after a commit: has the log moved if it is long.
    pub(super) fn committed(&self) {
        let length = self.path.metadata().map_or(0, |it| it.len());
        if length >= LONG_BYTES && !*self.moving.borrow() {
            self.moving.send_replace(true);
            if self.ask.try_send(()).is_err() {
                self.moving.send_replace(false);
            }
        }
    }

    /// Waits until the log is not being moved.
    pub(super) async fn rests(&self) {
        let mut moving = self.moving.subscribe();
        let rests = moving.wait_for(|moving| !moving);
        if tokio::time::timeout(PATIENCE, rests).await.is_err() {
            tracing::debug!("the disk takes long to take the journal's log");
        }
    }

    /// Whether it is being moved.
    pub(super) fn is_moving(&self) -> bool {
        *self.moving.borrow()
    }
}

async fn move_log(path: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection: SqliteConnection = options.connect().await?;
    sqlx::query(MOVE).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{FILE, file};

    #[tokio::test]
    async fn a_long_log_is_moved_beside_the_writer_and_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        let mut writer = file::open(&path).await.unwrap();
        let log = Log::new(&path);
        let length = || log.path.metadata().unwrap().len();
        let row = "INSERT INTO event (run, seq, t_ms, time_ms, body) VALUES (1, ?1, 0, 0, hex(zeroblob(5000)))";
        let mut seq = 0;
        let mut fill = async |rows| {
            for _ in 0..rows {
                seq += 1;
                sqlx::query(row)
                    .bind(seq)
                    .execute(&mut writer)
                    .await
                    .unwrap();
            }
        };
        // No commit does it by the way, as SQLite would after 4 MB.
        fill(600).await;
        assert!(length() > 2 * LONG_BYTES, "{}", length());
        log.committed();
        assert!(log.is_moving());
        // The writer goes on meanwhile.
        fill(1).await;
        log.rests().await;
        assert!(!log.is_moving());
        log.committed();
        log.rests().await;
        fill(1).await;
        assert!(length() < LONG_BYTES / 2, "{}", length());
        log.committed();
        assert!(!log.is_moving(), "there is little in it");
    }
}
