//! API tokens. Only a hash of the secret is stored.

use jiff::Timestamp;
use serde::Serialize;

use super::people::timestamp;
use super::{Role, StateDb, sql};
use crate::credential::{new_token, same_secret, token_hash};
use crate::error::StoreError;

/// Tokens of one house.
const TOKENS_MAX: i64 = 100;

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// What it is called; unique.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// Since when.
    #[serde(serialize_with = "crate::times::one")]
    pub created: Timestamp,
}

impl StateDb {
    /// Makes a token; answers it and its secret, which is told this once.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::TooMany`], or when the database fails.
    pub async fn create_token(
        &self,
        name: &str,
        role: Role,
    ) -> Result<(Token, String), StoreError> {
        let secret = new_token();
        let created_ms = Timestamp::now().as_millisecond();
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let count: i64 = sqlx::query_scalar(sql::COUNT_TOKENS)
            .fetch_one(&mut *transaction)
            .await?;
        if count >= TOKENS_MAX {
            return Err(StoreError::TooMany);
        }
        let id = sqlx::query_scalar(sql::INSERT_TOKEN)
            .bind(name)
            .bind(role.as_str())
            .bind(token_hash(&secret).as_slice())
            .bind(created_ms)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((
            Token {
                id,
                name: name.to_owned(),
                role,
                created: timestamp(created_ms),
            },
            secret,
        ))
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<(i64, String, String, i64)> =
            sqlx::query_as(sql::TOKENS).fetch_all(&self.pool).await?;
        Ok(rows
            .into_iter()
            .map(|(id, name, role, created)| token(id, name, &role, created))
            .collect())
    }

    /// The token with this secret; `None` if there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token(&self, secret: &str) -> Result<Option<Token>, StoreError> {
        let hash = token_hash(secret);
        let row: Option<(Vec<u8>, i64, String, String, i64)> = sqlx::query_as(sql::TOKEN_BY_HASH)
            .bind(hash.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row
            .filter(|(stored, ..)| same_secret(stored, &hash))
            .map(|(_, id, name, role, created)| token(id, name, &role, created)))
    }

    /// Removes a token.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or when the database fails.
    pub async fn delete_token(&self, name: &str) -> Result<(), StoreError> {
        let done = sqlx::query(sql::DELETE_TOKEN)
            .bind(name)
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 0 {
            Err(StoreError::NotFound)
        } else {
            Ok(())
        }
    }
}

fn token(id: i64, name: String, role: &str, created_ms: i64) -> Token {
    Token {
        id,
        name,
        role: Role::from_column(role),
        created: timestamp(created_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_works_until_it_is_removed_and_its_secret_is_not_stored() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let (made, secret) = state.create_token("script", Role::User).await.unwrap();
        assert_eq!(state.token(&secret).await.unwrap(), Some(made.clone()));
        assert_eq!(state.token("hr_other").await.unwrap(), None);
        assert_eq!(state.tokens().await.unwrap(), [made]);
        let twice = state.create_token("script", Role::Viewer).await;
        assert!(matches!(twice, Err(StoreError::Exists)), "{twice:?}");
        state.close().await;
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes())
            );
        }
        let state = StateDb::open(directory.path()).await.unwrap();
        state.delete_token("script").await.unwrap();
        assert_eq!(state.token(&secret).await.unwrap(), None);
        assert!(matches!(
            state.delete_token("script").await,
            Err(StoreError::NotFound)
        ));
    }
}
