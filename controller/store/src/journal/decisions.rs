//! Decisions, newest first, and by their number.

use std::collections::HashMap;

use headroom_core::{Instant, Reason};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::kinds::{self, Bounds};
use super::record::{Decision, DecisionAction, Page, from_ms};
use super::{Journal, pack, rows, sql};
use crate::error::StoreError;

/// The sentence of a reason that cannot be read.
const UNREADABLE: &str = "This reason cannot be read: its row in the journal is damaged.";

/// Which decisions are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Only those about this load.
    pub load: Option<String>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Only those with this reason code, of the step or of one of its commands.
    pub code: Option<String>,
    /// Only those behind which the house was in this state, or in one within it: `degraded`, `operating.curtailing`.
    pub state: Option<String>,
    /// Also those that did nothing but renew leases.
    pub renewals: bool,
    /// Only those with a smaller number: where the page before ended.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u16,
}

impl Default for DecisionFilter {
    fn default() -> Self {
        Self {
            load: None,
            from: None,
            to: None,
            code: None,
            state: None,
            renewals: false,
            before: None,
            limit: 50,
        }
    }
}

impl Journal {
    /// A page of decisions, newest first, without their inputs.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn decisions(&self, filter: &DecisionFilter) -> Result<Page<Decision>, StoreError> {
        self.flush().await;
        let readers = self.readers()?;
        // All of it as it stands at one moment: old ones are listed, and forgotten, meanwhile.
        let mut moment = readers.begin().await?;
        let mut bounds = Bounds {
            first: i64::MIN,
            before: filter.before.unwrap_or(i64::MAX),
            from_ms: filter.from.map(Timestamp::as_millisecond),
            to_ms: filter.to.map(Timestamp::as_millisecond),
        };
        if bounds.from_ms.is_some() || bounds.to_ms.is_some() {
            // Numbers grow with the time, but for clocks that jump: between these all of it is.
            let (lowest, highest): (Option<i64>, Option<i64>) =
                sqlx::query_as(sql::DECISIONS_OF_TIME)
                    .bind(bounds.from_ms)
                    .bind(bounds.to_ms)
                    .fetch_one(&mut *moment)
                    .await?;
            bounds.first = lowest.unwrap_or(i64::MAX);
            bounds.before = bounds
                .before
                .min(highest.map_or(i64::MIN, |id| id.saturating_add(1)));
        }
        let most = usize::from(filter.limit);
        let mut ids = kinds::newest(&mut moment, filter, bounds, most + 1).await?;
        let more = ids.len() > most;
        ids.truncate(most);
        let rows = sqlx::query(sql::DECISIONS)
            .bind(serde_json::to_string(&ids)?)
            .fetch_all(&mut *moment)
            .await?;
        let mut items = decisions(&rows)?;
        add_actions(&mut moment, &mut items).await?;
        let next = ids.last().filter(|_| more).map(ToString::to_string);
        Ok(Page { items, next })
    }

    /// Decisions after a number, oldest first: what a listener has missed.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn decisions_after(
        &self,
        id: i64,
        renewals: bool,
        limit: u16,
    ) -> Result<Vec<Decision>, StoreError> {
        self.flush().await;
        let readers = self.readers()?;
        let rows = sqlx::query(sql::DECISIONS_AFTER)
            .bind(id)
            .bind(renewals)
            .bind(i64::from(limit))
            .fetch_all(&readers)
            .await?;
        let mut items = decisions(&rows)?;
        add_actions(&mut *readers.acquire().await?, &mut items).await?;
        Ok(items)
    }

    /// One decision with its inputs; `None` if there is none with this number.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn decision_by_id(&self, id: i64) -> Result<Option<Decision>, StoreError> {
        self.flush().await;
        let readers = self.readers()?;
        let row = sqlx::query(sql::DECISION)
            .bind(id)
            .fetch_optional(&readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(mut item) = decision(&row)? else {
            return Ok(None);
        };
        item.inputs = Some(inputs(&row)?);
        add_actions(
            &mut *readers.acquire().await?,
            std::slice::from_mut(&mut item),
        )
        .await?;
        Ok(Some(item))
    }
}

/// As they were written: packed, or as text by earlier versions.
fn inputs(row: &SqliteRow) -> Result<Value, StoreError> {
    let packed: Option<&[u8]> = row.try_get("packed")?;
    let Some(packed) = packed else {
        return Ok(serde_json::from_str(row.try_get("inputs")?)?);
    };
    // What is damaged reads as nothing, which is no JSON.
    let text = pack::unpack(packed).unwrap_or_default();
    Ok(serde_json::from_slice(&text)?)
}

fn decisions(rows: &[SqliteRow]) -> Result<Vec<Decision>, StoreError> {
    rows.iter()
        .filter_map(|row| decision(row).transpose())
        .collect()
}

/// `None`: not even the code of its reason can be read. One damaged row does not close the whole list.
fn decision(row: &SqliteRow) -> Result<Option<Decision>, StoreError> {
    let t_ms: i64 = row.try_get("t_ms")?;
    let id = row.try_get("id")?;
    let text = row.try_get("reason").unwrap_or_default();
    let Some(reason) = serde_json::from_str(text).ok().or_else(|| unreadable(row)) else {
        tracing::warn!(id, "a decision cannot be read and is left out");
        return Ok(None);
    };
    Ok(Some(Decision {
        id,
        time: from_ms(row.try_get("time_ms")?),
        t_ms: Instant(t_ms.unsigned_abs()),
        state: row.try_get("state")?,
        reason,
        actions: Vec::new(),
        inputs: None,
        renewal_only: row.try_get("renewal_only")?,
        would_be: Vec::new(),
    }))
}

/// What stands for a reason that cannot be read, if its code can.
fn unreadable(row: &SqliteRow) -> Option<Reason> {
    let code = row.try_get::<&str, _>("reason_code").ok()?;
    let code = serde_json::from_value(code.into()).ok()?;
    Some(Reason::plain(code, UNREADABLE))
}

async fn add_actions(
    connection: &mut SqliteConnection,
    decisions: &mut [Decision],
) -> Result<(), StoreError> {
    let ids: Vec<i64> = decisions.iter().map(|decision| decision.id).collect();
    let rows = sqlx::query(sql::ACTIONS)
        .bind(serde_json::to_string(&ids)?)
        .fetch_all(connection)
        .await?;
    let mut actions: HashMap<i64, Vec<DecisionAction>> = HashMap::new();
    for row in &rows {
        let at = |column| {
            let ms: Option<i64> = row.try_get(column)?;
            Ok::<_, sqlx::Error>(ms.map(from_ms))
        };
        let id = row.try_get("decision")?;
        let body = row.try_get("body").unwrap_or_default();
        let Ok(action) = serde_json::from_str(body) else {
            tracing::warn!(
                id,
                "a command of this decision cannot be read and is left out"
            );
            continue;
        };
        let action = DecisionAction {
            action,
            outcome: rows::outcome(row.try_get("outcome")?),
            sent_at: at("sent_ms")?,
            acknowledged_at: at("acknowledged_ms")?,
            seen_at: at("seen_ms")?,
        };
        actions.entry(id).or_default().push(action);
    }
    for decision in decisions {
        decision.actions = actions.remove(&decision.id).unwrap_or_default();
    }
    Ok(())
}
