//! Reading and changing the configuration.
//!
//! A change is read, made, checked by the caller, committed and published under one lock. The versions of
//! the past hold no secrets; those stand in a table of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_core::config::Secret;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::OwnedMutexGuard;

use super::{StateDb, sql};
use crate::error::StoreError;
use crate::house::House;

/// Versions of the configuration that are kept.
const VERSIONS_KEPT: i64 = 200;

/// A change in the making: nobody else changes the configuration until it is dropped.
#[derive(Debug)]
pub struct Edit {
    state: StateDb,
    /// The configuration as it shall be; change it at will.
    pub house: House,
    _turn: OwnedMutexGuard<()>,
}

impl StateDb {
    /// Begins a change of the configuration.
    pub async fn edit(&self) -> Edit {
        let turn = Arc::clone(&self.editing).lock_owned().await;
        Edit {
            state: self.clone(),
            house: (*self.house()).clone(),
            _turn: turn,
        }
    }
}

impl Edit {
    /// The configuration in force, before the change.
    pub fn before(&self) -> Arc<House> {
        self.state.house()
    }

    /// Stores the configuration and puts it in force; answers its version. The turn is held until the
    /// value is dropped, so that what must follow (telling the loop) follows in order.
    ///
    /// # Errors
    /// When the disk fails; then nothing has changed.
    pub async fn commit(&mut self, author: &str, change: &str) -> Result<i64, StoreError> {
        let mut bare = self.house.clone();
        let secrets = bare.take_secrets();
        let body = serde_json::to_string(&bare)?;
        let mut transaction = self.state.pool.begin_with("BEGIN IMMEDIATE").await?;
        let version: i64 = sqlx::query_scalar(sql::INSERT_VERSION)
            .bind(Timestamp::now().as_millisecond())
            .bind(author)
            .bind(change)
            .bind(body)
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(sql::FORGET_VERSIONS)
            .bind(version - VERSIONS_KEPT)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sql::CLEAR_SECRETS)
            .execute(&mut *transaction)
            .await?;
        for (field, secret) in &secrets {
            sqlx::query(sql::INSERT_SECRET)
                .bind(field)
                .bind(secret.expose())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.state.house.send_replace(Arc::new(self.house.clone()));
        Ok(version)
    }
}

/// The newest configuration with its secrets; the default one if there is none.
pub(crate) async fn load(connection: &mut SqliteConnection) -> Result<House, StoreError> {
    let newest: Option<(i64, String)> = sqlx::query_as(sql::NEWEST_VERSION)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((_, body)) = newest else {
        return Ok(House::default());
    };
    let mut house: House = serde_json::from_str(&body)?;
    let secrets: Vec<(String, String)> = sqlx::query_as(sql::SECRETS)
        .fetch_all(&mut *connection)
        .await?;
    let secrets: BTreeMap<_, _> = secrets
        .into_iter()
        .map(|(field, value)| (field, Secret::new(value)))
        .collect();
    house.put_secrets(secrets);
    Ok(house)
}

#[cfg(test)]
mod tests {
    use headroom_core::config::Mode;

    use super::*;

    #[tokio::test]
    async fn a_change_survives_a_death_without_closing() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        assert_eq!(*state.house(), House::default());
        let mut edit = state.edit().await;
        edit.house.config.site.mode = Mode::Control;
        edit.house.meter.key = Some(Secret::new("00112233445566778899aabbccddeeff".into()));
        assert_eq!(edit.commit("ada", "site").await.unwrap(), 1);
        let wanted = edit.house.clone();
        drop(edit);
        // A copy of the files as they lie on the disk is what a killed process leaves behind.
        let left = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
        }
        let again = StateDb::open(left.path()).await.unwrap();
        assert_eq!(*again.house(), wanted);
    }

    #[tokio::test]
    async fn an_edit_that_is_dropped_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let mut edit = state.edit().await;
        edit.house.config.site.name = "Nowhere".into();
        drop(edit);
        assert_eq!(state.house().config.site.name, "Home");
    }

    #[tokio::test]
    async fn changes_at_the_same_time_do_not_lose_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let tasks: Vec<_> = (0..10)
            .map(|n| {
                let state = state.clone();
                tokio::spawn(async move {
                    let mut edit = state.edit().await;
                    edit.house.config.site.name.push_str(&n.to_string());
                    edit.commit("x", "site").await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(state.house().config.site.name.len(), "Home".len() + 10);
    }

    #[tokio::test]
    async fn a_change_that_the_disk_had_no_room_for_is_not_the_last_one() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        // As SQLite does it when the disk is full: the whole transaction is over at once. For this connection only.
        sqlx::query(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON main.config_version
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END",
        )
        .execute(&state.pool)
        .await
        .unwrap();
        let mut edit = state.edit().await;
        edit.house.config.site.name = "No room".into();
        let error = edit.commit("ada", "site").await.unwrap_err();
        assert!(format!("{error:?}").contains("no room"), "{error:?}");
        drop(edit);
        assert_eq!(state.house().config.site.name, "Home");
        let mut edit = state.edit().await;
        edit.house.config.site.name = "Room again".into();
        edit.commit("ada", "site").await.unwrap();
        assert_eq!(state.house().config.site.name, "Room again");
    }

    #[tokio::test]
    async fn versions_of_the_past_hold_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let mut edit = state.edit().await;
        edit.house.meter.key = Some(Secret::new("canary".into()));
        edit.commit("ada", "meter").await.unwrap();
        let (_, body): (i64, String) = sqlx::query_as(sql::NEWEST_VERSION)
            .fetch_one(&state.pool)
            .await
            .unwrap();
        assert!(!body.contains("canary"));
    }
}
