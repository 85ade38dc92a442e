//! What the program found out by itself, such as the parameters of the meter's line.

use super::{StateDb, sql};
use crate::error::StoreError;

impl StateDb {
    /// What was kept under a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn learnt(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(sql::LEARNT)
            .bind(name)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Keeps a value under a name, in place of the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn learn(&self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(sql::LEARN)
            .bind(name)
            .bind(value)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_value_is_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        assert_eq!(state.learnt("line").await.unwrap(), None);
        state.learn("line", "2400 8E1").await.unwrap();
        state.learn("line", "115200 8N1").await.unwrap();
        state.close().await;
        let state = StateDb::open(directory.path()).await.unwrap();
        let line = state.learnt("line").await.unwrap();
        assert_eq!(line.as_deref(), Some("115200 8N1"));
    }
}
