//! What the tests of the chargers have found.

use jiff::Timestamp;

use super::{StateDb, sql};
use crate::error::StoreError;

/// Reports that are kept of each charger: how it did over the years, and not without end.
const REPORTS_KEPT: i64 = 20;

impl StateDb {
    /// Keeps a report of a charger. `result` is one word: how it ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_report(
        &self,
        charger: &str,
        ended: Timestamp,
        result: &str,
        body: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(sql::INSERT_REPORT)
            .bind(charger)
            .bind(ended.as_millisecond())
            .bind(result)
            .bind(body)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sql::FORGET_OLD_REPORTS)
            .bind(charger)
            .bind(REPORTS_KEPT)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The last report of a charger.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_report(&self, charger: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(sql::LAST_REPORT)
            .bind(charger)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// The last report of each charger that did not end with this word.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_reports_but(&self, result: &str) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(sql::LAST_REPORTS_BUT)
            .bind(result)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Forgets the reports of a charger that is not there any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_reports(&self, charger: &str) -> Result<(), StoreError> {
        sqlx::query(sql::FORGET_REPORTS)
            .bind(charger)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_report_is_there_after_a_restart_and_old_ones_go() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        assert_eq!(state.last_report("ev1").await.unwrap(), None);
        for n in 0..=REPORTS_KEPT {
            let ended = Timestamp::from_second(n).unwrap();
            let result = if n == REPORTS_KEPT {
                "aborted"
            } else {
                "failed"
            };
            let body = n.to_string();
            state
                .keep_report("ev1", ended, result, &body)
                .await
                .unwrap();
        }
        let ended = Timestamp::UNIX_EPOCH;
        state
            .keep_report("ev2", ended, "passed", "x")
            .await
            .unwrap();
        state.close().await;

        let state = StateDb::open(directory.path()).await.unwrap();
        let last = state.last_report("ev1").await.unwrap();
        assert_eq!(last, Some(REPORTS_KEPT.to_string()));
        let judged = state.last_reports_but("aborted").await.unwrap();
        assert_eq!(judged, [(REPORTS_KEPT - 1).to_string(), "x".to_owned()]);
        let kept: i64 =
            sqlx::query_scalar("SELECT count(*) FROM charger_report WHERE charger = 'ev1'")
                .fetch_one(&state.pool)
                .await
                .unwrap();
        assert_eq!(kept, REPORTS_KEPT);
        state.forget_reports("ev1").await.unwrap();
        assert_eq!(state.last_report("ev1").await.unwrap(), None);
        assert_eq!(
            state.last_report("ev2").await.unwrap().as_deref(),
            Some("x")
        );
    }
}
