//! The file of the journal: opening it, and setting it aside when it is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};

use super::{sql, wal};
use crate::error::StoreError;
use crate::{database, migrations};

/// Up to this size the whole file is checked at the start; the check of a larger one would hold the start up
/// on a slow card, and damage in it is found when it is met.
const CHECKED_BYTES: u64 = 32 * 1024 * 1024;
/// Files set aside that are kept for whoever wants to rescue rows.
const ASIDE_KEPT: usize = 2;
/// How long the page waits for one of the two readers.
const READER_TURN: Duration = Duration::from_secs(5);
const READERS: u32 = 2;
/// How long a start waits for the highest numbers of a journal: a disk that is slower gets numbers made from the time of day.
const NUMBERS: Duration = Duration::from_secs(1);
/// Numbers beyond this are nonsense of a damaged file: there is none so high, and none above fits into JSON.
const MOST_NUMBER: i64 = 1 << 53;
const QUICK_CHECK: &str = "PRAGMA quick_check(1)";

/// The highest numbers in a journal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Highest {
    pub(super) run: i64,
    pub(super) decision: i64,
    pub(super) alarm: i64,
}

/// The highest numbers of a journal as it lies there, whatever its schema; `None` if they cannot be known.
pub(super) async fn highest(path: &Path) -> Option<Highest> {
    if path.metadata().map_or(0, |metadata| metadata.len()) == 0 {
        return (!path.is_dir()).then(Highest::default);
    }
    let readers = readers(path);
    let ask = async {
        let (run, decision, alarm) = match sqlx::query_as(sql::HIGHEST).fetch_one(&readers).await {
            Ok(found) => found,
            Err(error) => {
                // A file that was begun and has no table yet.
                let tables: i64 = sqlx::query_scalar(database::SCHEMA_SIZE)
                    .fetch_one(&readers)
                    .await?;
                if tables > 0 {
                    return Err(error);
                }
                (0, 0, 0)
            }
        };
        Ok(Highest {
            run,
            decision,
            alarm,
        })
    };
    let asked = async {
        let found = ask.await;
        // The last connection that ends removes the files beside the database: whoever opens it at that moment is told
        // that it is not there.
        readers.close().await;
        found
    };
    let found = tokio::time::timeout(NUMBERS, asked).await.ok()?;
    found.ok().filter(|highest| {
        [highest.run, highest.decision, highest.alarm]
            .iter()
            .all(|number| (0..MOST_NUMBER).contains(number))
    })
}

/// Opens the journal, brings its schema up to date and looks whether it is whole.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, StoreError> {
    database::prepare_file(path)?;
    let mut connection = database::open(wal::options(path), migrations::journal())
        .await
        .map_err(|error| database::migrate_error(path, error))?;
    if let Err(error) = check(&mut connection, path).await {
        // It may be set aside: nothing must hold it then.
        discard(connection).await;
        return Err(error);
    }
    Ok(connection)
}

async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    if path.metadata().map_or(0, |metadata| metadata.len()) > CHECKED_BYTES {
        return Ok(());
    }
    let verdict: String = sqlx::query_scalar(QUICK_CHECK)
        .fetch_one(connection)
        .await
        .map_err(|source| database::open_error(path, source))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            path: path.to_owned(),
        })
    }
}

/// Opens the journal; one that cannot be used is set aside and a new one begun.
pub(super) async fn open_or_begin(
    path: &Path,
    now: Timestamp,
) -> Result<(SqliteConnection, Option<PathBuf>), StoreError> {
    match open(path).await {
        Ok(connection) => Ok((connection, None)),
        Err(error @ (StoreError::File { .. } | StoreError::Open { .. })) => Err(error),
        Err(error) => {
            let aside = set_aside(path, now)?;
            // Not the words of the error: they say that the file is where it was.
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let why = match &error {
                StoreError::Newer { .. } => "it was written by a newer Headroom".to_owned(),
                _ => cause.unwrap_or_else(|| "it is damaged".to_owned()),
            };
            tracing::error!(
                "the journal cannot be used ({why}): it was set aside as {}, and a new one is begun",
                aside.display()
            );
            Ok((open(path).await?, Some(aside)))
        }
    }
}

/// Read-only connections for the page and the API.
pub(super) fn readers(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READER_TURN)
        .connect_lazy_with(options)
}

/// Ends a connection that may be broken.
pub(super) async fn discard(connection: SqliteConnection) {
    if let Err(error) = connection.close().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the journal did not close"
        );
    }
}

/// Renames the file and what belongs to it, and removes the oldest that were set aside before.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let failed = |source| StoreError::File {
        path: path.to_owned(),
        source,
    };
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let prefix = format!("{name}.damaged-");
    let aside = path.with_file_name(format!("{prefix}{:015}", now.as_millisecond()));
    std::fs::rename(path, &aside).map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        let from = PathBuf::from(format!("{}{suffix}", path.display()));
        if from.exists() {
            std::fs::rename(&from, format!("{}{suffix}", aside.display())).map_err(failed)?;
        }
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut all: Vec<PathBuf> = std::fs::read_dir(directory)
        .map_err(failed)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect();
    all.sort_unstable();
    for old in all.iter().rev().skip(ASIDE_KEPT) {
        for suffix in ["", "-wal", "-shm"] {
            let old = PathBuf::from(format!("{}{suffix}", old.display()));
            if old.exists() {
                std::fs::remove_file(&old).map_err(failed)?;
            }
        }
    }
    Ok(aside)
}
