//! Users, their sessions, and the first set-up.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;

use super::{StateDb, sql};
use crate::credential::{self, same_secret, token_hash};
use crate::error::StoreError;

/// How long a session lasts. A house's page is opened rarely, from few devices.
const SESSION_LASTS: Duration = Duration::from_hours(30 * 24);
/// Sessions of one user; the oldest goes first.
const SESSIONS_MAX: i64 = 20;
/// Users of one house.
const USERS_MAX: i64 = 100;

/// What somebody may do; each may also do what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read.
    Viewer,
    /// Priorities and commands to loads.
    User,
    /// Everything.
    Installer,
}

impl Role {
    /// As it is written in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::User => "user",
            Self::Installer => "installer",
        }
    }

    /// From its name; what is not known may least.
    pub(super) fn from_column(text: &str) -> Self {
        match text {
            "installer" => Self::Installer,
            "user" => Self::User,
            _ => Self::Viewer,
        }
    }
}

/// A user, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Unique, capital and small letters alike.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Since when.
    #[serde(serialize_with = "crate::times::one")]
    pub created: Timestamp,
}

/// A session that has just begun.
#[derive(Clone)]
pub struct Session {
    /// The secret for the cookie. It is not stored.
    pub token: String,
    /// How long it lasts.
    pub lasts: Duration,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("lasts", &self.lasts)
            .finish_non_exhaustive()
    }
}

/// Whose session it is, as of now: a change of role counts at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionUser {
    /// The user's name.
    pub name: String,
    /// The user's role.
    pub role: Role,
}

impl StateDb {
    /// Whether there is a user, that is, whether the first set-up is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_set_up(&self) -> Result<bool, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(count_users(&mut connection).await? > 0)
    }

    /// The code of the first set-up, the same at every start until it is used; `None` afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_code(&self) -> Result<Option<String>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if count_users(&mut transaction).await? > 0 {
            return Ok(None);
        }
        let stored: Option<String> = sqlx::query_scalar(sql::SETUP_CODE)
            .fetch_optional(&mut *transaction)
            .await?;
        if stored.is_some() {
            return Ok(stored);
        }
        let code = credential::new_setup_code();
        sqlx::query(sql::INSERT_SETUP_CODE)
            .bind(&code)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(code))
    }

    /// The first set-up: makes the first installer and uses the code up. Of several at the same time one
    /// succeeds.
    ///
    /// # Errors
    /// [`StoreError::AlreadySetUp`], [`StoreError::WrongCode`], or when the database fails.
    pub async fn set_up(&self, code: &str, name: &str, hash: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if count_users(&mut transaction).await? > 0 {
            return Err(StoreError::AlreadySetUp);
        }
        let stored: Option<String> = sqlx::query_scalar(sql::SETUP_CODE)
            .fetch_optional(&mut *transaction)
            .await?;
        let [given, stored] = [Some(code), stored.as_deref()]
            .map(|code| credential::plain_code(code.unwrap_or_default()));
        if stored.is_empty() || !same_secret(given.as_bytes(), stored.as_bytes()) {
            return Err(StoreError::WrongCode);
        }
        insert_user(&mut transaction, name, Role::Installer, hash).await?;
        sqlx::query(sql::DELETE_SETUP_CODE)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether this is the code of a set-up that is still to come; cheap, to be asked before a password is
    /// hashed.
    ///
    /// # Errors
    /// As [`StateDb::set_up`].
    pub async fn check_setup_code(&self, code: &str) -> Result<(), StoreError> {
        let Some(stored) = self.setup_code().await? else {
            return Err(StoreError::AlreadySetUp);
        };
        let [given, stored] = [code, stored.as_str()].map(credential::plain_code);
        if same_secret(given.as_bytes(), stored.as_bytes()) {
            Ok(())
        } else {
            Err(StoreError::WrongCode)
        }
    }

    /// Makes a user. `hash` comes from [`crate::hash_password`].
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::TooMany`], or when the database fails.
    pub async fn create_user(
        &self,
        name: &str,
        role: Role,
        hash: &str,
    ) -> Result<User, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if count_users(&mut transaction).await? >= USERS_MAX {
            return Err(StoreError::TooMany);
        }
        let created = insert_user(&mut transaction, name, role, hash).await?;
        transaction.commit().await?;
        Ok(User {
            name: name.to_owned(),
            role,
            created,
        })
    }

    /// All users, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as(sql::USERS).fetch_all(&self.pool).await?;
        Ok(rows
            .into_iter()
            .map(|(name, role, created)| User {
                name,
                role: Role::from_column(&role),
                created: timestamp(created),
            })
            .collect())
    }

    /// The hash of a user's password; `None` if there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(sql::PASSWORD_OF)
            .bind(name)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Gives a user another password and ends all sessions of that user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or when the database fails.
    pub async fn set_password(&self, name: &str, hash: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query(sql::SET_PASSWORD)
            .bind(name)
            .bind(hash)
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        sqlx::query(sql::DELETE_SESSIONS_OF)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes a user and all sessions of that user.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::LastInstaller`], or when the database fails.
    pub async fn delete_user(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let removed: Option<String> = sqlx::query_scalar(sql::DELETE_USER)
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await?;
        let role = removed.ok_or(StoreError::NotFound)?;
        let installers: i64 = sqlx::query_scalar(sql::COUNT_INSTALLERS)
            .fetch_one(&mut *transaction)
            .await?;
        // A house that never had one, such as the demo's, lets go of everybody else.
        if role == Role::Installer.as_str() && installers == 0 {
            return Err(StoreError::LastInstaller);
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Begins a session.
    ///
    /// # Errors
    /// When there is no such user (any more), or the database fails.
    pub async fn begin_session(&self, name: &str, now: Timestamp) -> Result<Session, StoreError> {
        let token = credential::new_token();
        let lasts_ms = i64::try_from(SESSION_LASTS.as_millis()).unwrap_or(i64::MAX);
        let expires = now.as_millisecond().saturating_add(lasts_ms);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(sql::INSERT_SESSION)
            .bind(token_hash(&token).as_slice())
            .bind(name)
            .bind(expires)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sql::FORGET_SESSIONS)
            .bind(now.as_millisecond())
            .bind(name)
            .bind(SESSIONS_MAX)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Session {
            token,
            lasts: SESSION_LASTS,
        })
    }

    /// Whose session a cookie's secret belongs to; `None` if to nobody's, or it ran out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<SessionUser>, StoreError> {
        let hash = token_hash(token);
        let row: Option<(Vec<u8>, String, String)> = sqlx::query_as(sql::SESSION)
            .bind(hash.as_slice())
            .bind(now.as_millisecond())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row
            .filter(|(stored, ..)| same_secret(stored, &hash))
            .map(|(_, name, role)| SessionUser {
                name,
                role: Role::from_column(&role),
            }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, token: &str) -> Result<(), StoreError> {
        sqlx::query(sql::DELETE_SESSION)
            .bind(token_hash(token).as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

async fn count_users(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(sql::COUNT_USERS)
        .fetch_one(connection)
        .await?)
}

async fn insert_user(
    connection: &mut SqliteConnection,
    name: &str,
    role: Role,
    hash: &str,
) -> Result<Timestamp, StoreError> {
    let created = Timestamp::now();
    sqlx::query(sql::INSERT_USER)
        .bind(name)
        .bind(role.as_str())
        .bind(hash)
        .bind(created.as_millisecond())
        .execute(connection)
        .await?;
    Ok(timestamp(created.as_millisecond()))
}

pub(super) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open() -> (tempfile::TempDir, StateDb) {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        (directory, state)
    }

    #[tokio::test]
    async fn the_setup_code_stays_until_it_is_used() {
        let (directory, state) = open().await;
        let code = state.setup_code().await.unwrap().unwrap();
        state.close().await;
        let state = StateDb::open(directory.path()).await.unwrap();
        assert_eq!(
            state.setup_code().await.unwrap().as_deref(),
            Some(code.as_str())
        );
        let wrong = state.set_up("AAAA-AAAA", "ada", "hash").await;
        assert!(matches!(wrong, Err(StoreError::WrongCode)));
        assert!(matches!(
            state.set_up("", "ada", "hash").await,
            Err(StoreError::WrongCode)
        ));
        assert!(!state.is_set_up().await.unwrap());
        state
            .set_up(&code.to_lowercase(), "ada", "hash")
            .await
            .unwrap();
        assert!(state.is_set_up().await.unwrap());
        assert_eq!(state.setup_code().await.unwrap(), None);
        assert_eq!(state.users().await.unwrap()[0].role, Role::Installer);
    }

    #[tokio::test]
    async fn of_many_set_ups_at_the_same_time_one_succeeds() {
        let (_directory, state) = open().await;
        let code = state.setup_code().await.unwrap().unwrap();
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let (state, code) = (state.clone(), code.clone());
                tokio::spawn(async move { state.set_up(&code, &format!("u{n}"), "hash").await })
            })
            .collect();
        let mut winners = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => winners += 1,
                Err(error) => assert!(matches!(error, StoreError::AlreadySetUp), "{error:?}"),
            }
        }
        assert_eq!(winners, 1);
        assert_eq!(state.users().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_session_ends_by_time_by_logout_and_with_its_user() {
        let (_directory, state) = open().await;
        state
            .create_user("ada", Role::Installer, "hash")
            .await
            .unwrap();
        state.create_user("bob", Role::User, "hash").await.unwrap();
        let now = Timestamp::now();
        let later = now.checked_add(SESSION_LASTS).unwrap();
        let session = state.begin_session("bob", now).await.unwrap();
        let user = state.session(&session.token, now).await.unwrap().unwrap();
        assert_eq!(
            user,
            SessionUser {
                name: "bob".into(),
                role: Role::User
            }
        );
        assert_eq!(state.session(&session.token, later).await.unwrap(), None);
        assert_eq!(state.session("hr_other", now).await.unwrap(), None);
        state.end_session(&session.token).await.unwrap();
        assert_eq!(state.session(&session.token, now).await.unwrap(), None);

        let session = state.begin_session("bob", now).await.unwrap();
        state.set_password("bob", "other").await.unwrap();
        assert_eq!(state.session(&session.token, now).await.unwrap(), None);

        let session = state.begin_session("bob", now).await.unwrap();
        state.delete_user("BOB").await.unwrap();
        assert_eq!(state.session(&session.token, now).await.unwrap(), None);
    }

    #[tokio::test]
    async fn sessions_of_a_user_are_few() {
        let (_directory, state) = open().await;
        state
            .create_user("ada", Role::Installer, "hash")
            .await
            .unwrap();
        let now = Timestamp::now();
        let mut sessions = Vec::new();
        for n in 0..=SESSIONS_MAX {
            let begun = now
                .checked_add(Duration::from_secs(n.unsigned_abs()))
                .unwrap();
            sessions.push(state.begin_session("ada", begun).await.unwrap());
        }
        assert_eq!(state.session(&sessions[0].token, now).await.unwrap(), None);
        assert!(
            state
                .session(&sessions[1].token, now)
                .await
                .unwrap()
                .is_some()
        );
    }

    #[tokio::test]
    async fn who_is_no_installer_is_never_the_last_one() {
        let (_directory, state) = open().await;
        for role in [Role::Viewer, Role::User] {
            state.create_user("bob", role, "hash").await.unwrap();
            state.delete_user("bob").await.unwrap();
        }
        assert_eq!(state.users().await.unwrap(), []);
    }

    #[tokio::test]
    async fn there_is_always_an_installer() {
        let (_directory, state) = open().await;
        state
            .create_user("ada", Role::Installer, "hash")
            .await
            .unwrap();
        let again = state.create_user("ADA", Role::Viewer, "hash").await;
        assert!(matches!(again, Err(StoreError::Exists)), "{again:?}");
        let last = state.delete_user("ada").await;
        assert!(matches!(last, Err(StoreError::LastInstaller)), "{last:?}");
        assert_eq!(state.users().await.unwrap().len(), 1);
        assert!(matches!(
            state.delete_user("eve").await,
            Err(StoreError::NotFound)
        ));
    }
}
