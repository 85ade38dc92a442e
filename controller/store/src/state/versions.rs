//! The configurations of the past: who changed what, when.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::people::timestamp;
use super::{StateDb, sql};
use crate::diff::{Change, house_changes};
use crate::error::StoreError;
use crate::house::House;
use crate::journal::Page;

/// A configuration that was in force, as `GET /config/versions` has it. It holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigVersion {
    /// Its number; grows by one.
    pub n: i64,
    /// Since when.
    #[serde(serialize_with = "crate::times::one")]
    pub at: Timestamp,
    /// Who made it.
    pub author: String,
    /// What was changed, in a word.
    pub change: String,
    /// What differs from the version before; `null` if that is not kept any more. A secret that changed is not seen.
    pub diff: Option<Vec<Change>>,
}

type Row = (i64, i64, String, String, String);

impl StateDb {
    /// A page of versions, newest first, from before a number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(
        &self,
        before: Option<i64>,
        limit: u16,
    ) -> Result<Page<ConfigVersion>, StoreError> {
        let limit = usize::from(limit);
        // One more tells what the last one differs from, and whether there are more.
        let rows: Vec<Row> = sqlx::query_as(sql::VERSIONS)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
            .fetch_all(&self.pool)
            .await?;
        let mut items = Vec::new();
        for (index, row) in rows.iter().take(limit).enumerate() {
            items.push(version(row, rows.get(index + 1))?);
        }
        let next = items
            .last()
            .filter(|_| rows.len() > limit)
            .map(|last| last.n.to_string());
        Ok(Page { items, next })
    }

    /// The configuration of a version, without its secrets.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Content`] if this program cannot read it any more, or when the database
    /// fails.
    pub async fn house_of_version(&self, n: i64) -> Result<House, StoreError> {
        let body: String = sqlx::query_scalar(sql::VERSION)
            .bind(n)
            .fetch_one(&self.pool)
            .await?;
        Ok(serde_json::from_str(&body)?)
    }
}

fn version(row: &Row, before: Option<&Row>) -> Result<ConfigVersion, StoreError> {
    let (n, at_ms, author, change, body) = row;
    let before = match before {
        Some((.., body)) => Some(serde_json::from_str::<Value>(body)?),
        // The first one is what it is.
        None if *n == 1 => Some(serde_json::to_value(House::default())?),
        None => None,
    };
    let now: Value = serde_json::from_str(body)?;
    let diff = before.map(|before| house_changes(&before, &now));
    Ok(ConfigVersion {
        n: *n,
        at: timestamp(*at_ms),
        author: author.clone(),
        change: change.clone(),
        diff,
    })
}

#[cfg(test)]
mod tests {
    use headroom_core::config::Secret;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn versions_tell_who_changed_what_and_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        for (name, author) in [("One", "ada"), ("Two", "bert"), ("Three", "ada")] {
            let mut edit = state.edit().await;
            edit.house.config.site.name = name.to_owned();
            edit.house.meter.key = Some(Secret::new(format!("canary-{name}")));
            edit.commit(author, "site").await.unwrap();
        }
        let first = state.versions(None, 2).await.unwrap();
        assert_eq!(first.next.as_deref(), Some("2"));
        let told: Vec<_> = first.items.iter().map(|it| (it.n, &*it.author)).collect();
        assert_eq!(told, [(3, "ada"), (2, "bert")]);
        let change = Change {
            field: "site.name".into(),
            before: json!("Two"),
            after: json!("Three"),
        };
        assert_eq!(first.items[0].diff, Some(vec![change]));
        let second = state.versions(Some(2), 2).await.unwrap();
        assert_eq!((second.items.len(), second.next), (1, None));
        let whole = serde_json::to_string(&first).unwrap();
        assert!(!whole.contains("canary"));

        let before = state.house_of_version(1).await.unwrap();
        assert_eq!(before.config.site.name, "One");
        let none = state.house_of_version(4).await;
        assert!(matches!(none, Err(StoreError::NotFound)));
    }
}
