//! Opening a SQLite file: its mode, its settings, its migrations, and whether it is damaged.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use crate::directory::private_file;
use crate::error::StoreError;

/// How long a statement waits for another process (a command beside the service) to finish its own.
const BUSY: Duration = Duration::from_secs(5);
/// `SQLITE_CORRUPT` and `SQLITE_NOTADB`, the primary codes of a damaged file.
const DAMAGE: [i32; 2] = [11, 26];

/// How safe a commit is against a power cut.
pub(crate) fn options(path: &Path, synchronous: SqliteSynchronous) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .busy_timeout(BUSY)
}

/// Makes the file for its owner alone before SQLite makes it for everybody.
pub(crate) fn prepare_file(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let file = private_file(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(crate::directory::FILE_MODE))
        .map_err(|source| StoreError::File {
            path: path.to_owned(),
            source,
        })
}

/// Looks whether the file is a database, connects, and brings its schema up to date.
///
/// By way of a pool of one: the migrator's future is `Send` with a pool, and not with a connection.
pub(crate) async fn open(
    options: SqliteConnectOptions,
    migrator: Migrator,
) -> Result<SqliteConnection, MigrateError> {
    look(options.get_filename()).await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    let opened = bring_up_to_date(&pool, migrator).await;
    // Whoever is told of a failure may move the file: nothing must hold it then.
    pool.close().await;
    opened
}

/// Reads the first page, so that damage is known before anything is written.
///
/// By a connection without settings: one whose settings fail is left behind by sqlx, and when it ends at last it removes the log
/// that lies beside the name of the file, be it that of a file which was begun anew there.
async fn look(path: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY);
    let mut connection = options.connect().await?;
    let looked = sqlx::query(SCHEMA_SIZE).execute(&mut connection).await;
    connection.close().await?;
    looked.map(drop)
}

async fn bring_up_to_date(
    pool: &SqlitePool,
    migrator: Migrator,
) -> Result<SqliteConnection, MigrateError> {
    migrator.run(pool).await?;
    Ok(pool.acquire().await?.detach())
}

/// How many tables and indexes there are.
pub(crate) const SCHEMA_SIZE: &str = "SELECT count(*) FROM sqlite_schema";

/// Turns an error of [`open`] into words that name the file.
pub(crate) fn migrate_error(path: &Path, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(_) => StoreError::Newer {
            path: path.to_owned(),
        },
        MigrateError::Execute(error) => open_error(path, error),
        MigrateError::ExecuteMigration(error, _) if is_damage(&error) => StoreError::Damaged {
            path: path.to_owned(),
        },
        source => StoreError::Migrate {
            path: path.to_owned(),
            source,
        },
    }
}

/// Turns an error of opening into words.
pub(crate) fn open_error(path: &Path, source: sqlx::Error) -> StoreError {
    if is_damage(&source) {
        StoreError::Damaged {
            path: path.to_owned(),
        }
    } else {
        StoreError::Open {
            path: path.to_owned(),
            source,
        }
    }
}

/// Whether the file itself is broken, rather than the disk full or the statement wrong.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    // An extended code has its primary code in the lowest byte.
    code.is_some_and(|code| DAMAGE.contains(&(code & 0xff)))
}
