//! `state.db`: what must never be lost.
//!
//! One connection does everything, so there is nobody to be locked out by. The configuration in force is
//! also in memory ([`StateDb::house`]) and changes there only after its commit.

mod edit;
mod learnt;
mod people;
mod reports;
mod sql;
mod tokens;
mod versions;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::{Mutex, watch};

use crate::error::StoreError;
use crate::house::House;
use crate::{database, migrations};

pub use edit::Edit;
pub(crate) use edit::load;
pub use people::{Role, Session, SessionUser, User};
pub use tokens::Token;
pub use versions::ConfigVersion;

const FILE: &str = "state.db";
/// How long a statement waits for its turn: longer than SQLite waits for another process.
const TURN: Duration = Duration::from_secs(10);

/// `state.db`; cheap to clone.
#[derive(Clone, Debug)]
pub struct StateDb {
    pool: SqlitePool,
    house: watch::Sender<Arc<House>>,
    /// Held from reading the configuration until the change is in force, so that none is lost.
    editing: Arc<Mutex<()>>,
}

impl StateDb {
    /// Opens `state.db` in a data directory, which should be locked; makes it if it is not there.
    ///
    /// # Errors
    /// In words what is wrong with the file. The file is not changed then.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        refuse_if_gone(directory, &path)?;
        database::prepare_file(&path)?;
        let options = database::options(&path, SqliteSynchronous::Full);
        let mut connection = database::open(options.clone(), migrations::state())
            .await
            .map_err(|error| database::migrate_error(&path, error))?;
        let house = load(&mut connection).await;
        // A connection that is dropped closes on a thread of its own, later.
        let closed = connection.close().await;
        let house = house?;
        closed.map_err(|error| database::open_error(&path, error))?;
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(TURN)
            // A full disk ends a transaction without a word to its connection, which would begin no other.
            .before_acquire(|connection, _| {
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            house: watch::Sender::new(Arc::new(house)),
            editing: Arc::default(),
        })
    }

    /// The configuration in force.
    pub fn house(&self) -> Arc<House> {
        Arc::clone(&self.house.borrow())
    }

    /// The configuration in force, now and after each change.
    pub fn watch_house(&self) -> watch::Receiver<Arc<House>> {
        self.house.subscribe()
    }

    /// Writes everything into the one file and lets go of it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A house that was configured does not begin anew in silence: it would not be guarded, and anybody could claim it.
fn refuse_if_gone(directory: &Path, path: &Path) -> Result<(), StoreError> {
    let is_empty = |path: &Path| std::fs::metadata(path).map_or(true, |file| file.len() == 0);
    if is_empty(path) && !is_empty(&directory.join("journal.db")) {
        return Err(StoreError::Gone {
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor, SqlSafeStr};

    use super::*;

    #[tokio::test]
    async fn every_statement_can_be_prepared() {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        migrations::state().run(&pool).await.unwrap();
        for statement in sql::ALL {
            pool.prepare(statement.into_sql_str())
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    #[tokio::test]
    async fn the_file_belongs_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let _state = StateDb::open(directory.path()).await.unwrap();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
    }

    /// One that still closed behind our back could be copied half written.
    #[tokio::test]
    async fn once_closed_everything_stands_in_the_one_file() {
        for _ in 0..50 {
            let directory = tempfile::tempdir().unwrap();
            let state = StateDb::open(directory.path()).await.unwrap();
            state.close().await;
            let names: Vec<_> = std::fs::read_dir(directory.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(names, [FILE]);
        }
    }

    #[tokio::test]
    async fn a_damaged_file_is_told_in_words_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        let rubbish = vec![b'x'; 8192];
        std::fs::write(&path, &rubbish).unwrap();
        let error = StateDb::open(directory.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("restore a backup"));
        assert_eq!(std::fs::read(&path).unwrap(), rubbish);
    }

    #[tokio::test]
    async fn a_database_of_a_newer_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', 1, x'00', 0)",
        )
        .execute(&state.pool)
        .await
        .unwrap();
        state.close().await;
        let error = StateDb::open(directory.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_house_whose_configuration_is_gone_does_not_begin_anew() {
        for empty in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("journal.db"), b"some history").unwrap();
            if empty {
                std::fs::write(directory.path().join(FILE), b"").unwrap();
            }
            let error = StateDb::open(directory.path()).await.unwrap_err();
            assert!(error.to_string().contains("restore a backup"), "{error}");
        }
    }
}
