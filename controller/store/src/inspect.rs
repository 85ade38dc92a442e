//! Looking at a database without changing it: is it whole, and of which schema.

use std::path::Path;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::database::{is_damage, open_error};
use crate::error::StoreError;
use crate::house::House;
use crate::migrations;
use crate::state::StateDb;

/// Checks every page and index; the first thing that is wrong.
const INTEGRITY: &str = "PRAGMA integrity_check(1)";
const SCHEMA: &str = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// `state.db`.
    State,
    /// `journal.db`.
    Journal,
}

impl Database {
    /// Both.
    pub const ALL: [Self; 2] = [Self::State, Self::Journal];

    /// The name of its file in the data directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::State => "state.db",
            Self::Journal => "journal.db",
        }
    }

    /// The newest schema that this program knows.
    pub fn known_schema(self) -> i64 {
        self.migrator()
            .iter()
            .map(|it| it.version)
            .max()
            .unwrap_or(0)
    }

    pub(crate) fn migrator(self) -> sqlx::migrate::Migrator {
        match self {
            Self::State => migrations::state(),
            Self::Journal => migrations::journal(),
        }
    }
}

/// Reads the whole file; answers the number of its schema. The service may run meanwhile.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not whole or none of ours, [`StoreError::Newer`] when a newer program wrote it,
/// [`StoreError::Open`] when it cannot be opened.
pub async fn inspect(path: &Path, database: Database) -> Result<i64, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| open_error(path, error))?;
    let schema = look(&mut connection, path).await;
    // Nothing was written.
    drop(connection.close().await);
    let schema = schema?;
    if schema > database.known_schema() {
        return Err(StoreError::Newer {
            path: path.to_owned(),
        });
    }
    Ok(schema)
}

impl StateDb {
    /// The configuration in a `state.db`, which is not changed, not even its schema.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn look(directory: &Path) -> Result<House, StoreError> {
        let path = directory.join(Database::State.file());
        let options = SqliteConnectOptions::new().filename(&path).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| open_error(&path, error))?;
        let house = crate::state::load(&mut connection).await;
        drop(connection.close().await);
        house
    }
}

async fn look(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    let damaged = || StoreError::Damaged {
        path: path.to_owned(),
    };
    let verdict: String = sqlx::query_scalar(INTEGRITY)
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| open_error(path, error))?;
    if verdict != "ok" {
        return Err(damaged());
    }
    let schema = sqlx::query_scalar(SCHEMA).fetch_one(&mut *connection).await;
    schema.map_err(|error| match error {
        // Without the table it is somebody else's database.
        sqlx::Error::Database(inner) if inner.message().contains("no such table") => damaged(),
        error if is_damage(&error) => damaged(),
        error => open_error(path, error),
    })
}
