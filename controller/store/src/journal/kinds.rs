//! The list of decisions by kind: by what [`super::DecisionFilter`] asks for.
//!
//! A kind is a load or all of them, a code or all of them, a state, and whether it is a mere renewal. A decision stands under each
//! kind that it is of (`migrations/journal/0005_decision_kinds.sql`), so a question is a few kinds, one for each state, and its page is the newest of each:
//! what is seldom, or never was, takes no longer than what is in every decision.

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::{DecisionFilter, sql};
use crate::error::StoreError;

/// Of numbers, newest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Not below this number.
    pub(super) first: i64,
    /// Below this number.
    pub(super) before: i64,
    /// Not before this time of day, in milliseconds.
    pub(super) from_ms: Option<i64>,
    /// Before this time of day.
    pub(super) to_ms: Option<i64>,
}

/// Puts decisions that were just written into the list, within the writer's transaction.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    decisions: &[i64],
) -> Result<(), StoreError> {
    if decisions.is_empty() {
        return Ok(());
    }
    let decisions = serde_json::to_string(decisions)?;
    for statement in [sql::INSERT_KINDS, sql::LIST] {
        run(connection, statement, &decisions).await?;
    }
    Ok(())
}

/// Takes decisions out of the list; to be called while their rows are still there.
pub(super) async fn unlist(
    connection: &mut SqliteConnection,
    decisions: &str,
) -> Result<(), StoreError> {
    for statement in [sql::UNLIST, sql::UNLIST_DAMAGED] {
        run(connection, statement, decisions).await?;
    }
    Ok(())
}

async fn run(
    connection: &mut SqliteConnection,
    statement: &'static str,
    decisions: &str,
) -> Result<(), StoreError> {
    sqlx::query(statement)
        .bind(decisions)
        .execute(connection)
        .await?;
    Ok(())
}

/// Lists the newest decisions that an earlier version left, so many at most. Answers whether there were any left.
pub(super) async fn catch_up(
    connection: &mut SqliteConnection,
    most: i64,
) -> Result<bool, StoreError> {
    let Some(before) = unlisted(connection).await? else {
        return Ok(false);
    };
    let decisions: Vec<i64> = sqlx::query_scalar(sql::UNLISTED)
        .bind(before)
        .bind(most)
        .fetch_all(&mut *connection)
        .await?;
    let mut transaction = connection.begin().await?;
    list(&mut transaction, &decisions).await?;
    let done = match decisions.last() {
        Some(last) => sqlx::query(sql::SET_UNLISTED).bind(*last),
        None => sqlx::query(sql::ALL_LISTED),
    };
    done.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Below which number decisions are not listed yet; `None`: all are.
async fn unlisted(connection: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(sql::UNLISTED_BEFORE)
        .fetch_optional(connection)
        .await?)
}

/// The numbers of the newest decisions that a filter asks for, so many at most, newest first.
pub(super) async fn newest(
    connection: &mut SqliteConnection,
    filter: &DecisionFilter,
    bounds: Bounds,
    most: usize,
) -> Result<Vec<i64>, StoreError> {
    // Nothing has no name: that stands for all here.
    let named = [&filter.load, &filter.code].into_iter().flatten();
    if named.into_iter().any(String::is_empty) {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let kinds: Vec<i64> = sqlx::query_scalar(sql::KINDS)
        .bind(filter.load.as_deref().unwrap_or_default())
        .bind(filter.code.as_deref().unwrap_or_default())
        .bind(filter.renewals)
        .bind(filter.state.as_deref())
        .fetch_all(&mut *connection)
        .await?;
    let mut found: Vec<i64> = Vec::new();
    let mut first = bounds.first;
    for kind in kinds {
        let more: Vec<i64> = sqlx::query_scalar(sql::NEWEST_OF_KIND)
            .bind(kind)
            .bind(first)
            .bind(bounds.before)
            .bind(bounds.from_ms)
            .bind(bounds.to_ms)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await?;
        found.extend(more);
        found.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        found.truncate(most);
        // What is older than a full page is not asked for any more.
        if found.len() == most {
            first = found.last().map_or(first, |last| first.max(*last));
        }
    }
    let Some(unlisted) = unlisted(connection).await?.filter(|_| found.len() < most) else {
        return Ok(found);
    };
    let rest: Vec<i64> = sqlx::query_scalar(sql::NEWEST_UNLISTED)
        .bind(bounds.first)
        .bind(bounds.before.min(unlisted))
        .bind(bounds.from_ms)
        .bind(bounds.to_ms)
        .bind(filter.renewals)
        .bind(filter.load.as_deref())
        .bind(filter.code.as_deref())
        .bind(filter.state.as_deref())
        .bind(i64::try_from(most - found.len()).unwrap_or(0))
        .fetch_all(connection)
        .await?;
    found.extend(rest);
    Ok(found)
}
