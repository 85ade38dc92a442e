//! The file of the journal: opening it, and setting it aside when it is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::sql;
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
const QUICK_CHECK: &str = "PRAGMA quick_check(1)";

/// The highest numbers in a journal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Highest {
    pub(super) run: i64,
    pub(super) decision: i64,
    pub(super) alarm: i64,
}

/// Opens the journal, brings its schema up to date and looks whether it is whole.
pub(super) async fn open(path: &Path) -> Result<(SqliteConnection, Highest), StoreError> {
    database::prepare_file(path)?;
    let failed = |source| database::open_error(path, source);
    let options = database::options(path, SqliteSynchronous::Normal);
    let mut connection = database::open(options, migrations::journal())
        .await
        .map_err(|error| database::migrate_error(path, error))?;
    let size = path.metadata().map_or(0, |metadata| metadata.len());
    if size <= CHECKED_BYTES {
        let verdict: String = sqlx::query_scalar(QUICK_CHECK)
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        if verdict != "ok" {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
            });
        }
    }
    let (run, decision, alarm) = sqlx::query_as(sql::HIGHEST)
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    Ok((
        connection,
        Highest {
            run,
            decision,
            alarm,
        },
    ))
}

/// Opens the journal; one that cannot be used is set aside and a new one begun.
pub(super) async fn open_or_begin(
    path: &Path,
    now: Timestamp,
) -> Result<(SqliteConnection, Highest, Option<PathBuf>), StoreError> {
    match open(path).await {
        Ok((connection, highest)) => Ok((connection, highest, None)),
        Err(error @ (StoreError::File { .. } | StoreError::Open { .. })) => Err(error),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the journal is set aside"
            );
            let aside = set_aside(path, now)?;
            let (connection, highest) = open(path).await?;
            Ok((connection, highest, Some(aside)))
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
    all.sort();
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
