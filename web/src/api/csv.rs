//! `GET /decisions.csv`: the same decisions for a spreadsheet, one row for each command.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use headroom_core::Command;
use headroom_store::{Decision, DecisionFilter, StoreError};

use super::decisions::filter;
use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

/// Decisions that are read at a time.
const AT_A_TIME: u16 = 500;
/// Decisions of one file: a spreadsheet holds about a million rows.
const MOST: usize = 100_000;
const HEAD: &str = "id,time,state,reason_code,reason,command,load,limit_a,on,phases,renewal,action_code,action_reason,\
                    outcome,sent_at,acknowledged_at,seen_at\r\n";

pub(crate) async fn get(State(shared): State<Shared>, params: Params) -> Result<Response, Problem> {
    let kind = ("text/csv; charset=utf-8", "decisions.csv");
    export(shared, params, kind, HEAD, rows).await
}

/// Decisions as a file: `head`, and of each decision what `rows` makes of it. `kind` is its type and its name.
pub(super) async fn export(
    shared: Shared,
    params: Params,
    (kind, name): (&'static str, &'static str),
    head: &'static str,
    rows: fn(&Decision) -> String,
) -> Result<Response, Problem> {
    let mut filter = filter(params)?;
    filter.limit = AT_A_TIME;
    let first = shared.app.journal.decisions(&filter).await?;
    let begun = Progress {
        shared,
        filter,
        count: 0,
        page: Some(first.items),
        next: first.next,
        rows,
    };
    let body = stream::once(async { Ok(Bytes::from_static(head.as_bytes())) });
    let body = futures_util::StreamExt::chain(body, stream::try_unfold(begun, more));
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

struct Progress {
    shared: Shared,
    filter: DecisionFilter,
    count: usize,
    page: Option<Vec<Decision>>,
    next: Option<String>,
    rows: fn(&Decision) -> String,
}

async fn more(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    let items = if let Some(items) = progress.page.take() {
        items
    } else {
        let next = progress.next.take().filter(|_| progress.count < MOST);
        let Some(next) = next else { return Ok(None) };
        progress.filter.before = next.parse().ok();
        let page = progress
            .shared
            .app
            .journal
            .decisions(&progress.filter)
            .await?;
        progress.next = page.next;
        page.items
    };
    progress.count += items.len();
    let text: String = items.iter().map(progress.rows).collect();
    Ok(Some((text.into(), progress)))
}

fn rows(decision: &Decision) -> String {
    let mut text = String::new();
    let head = [
        decision.id.to_string(),
        decision.time.to_string(),
        decision.state.clone(),
        word(&decision.reason.code),
        decision.reason.text.clone(),
    ];
    if decision.actions.is_empty() {
        row(&mut text, head.into_iter().chain(vec![String::new(); 12]));
        return text;
    }
    let time =
        |time: Option<jiff::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    for sent in &decision.actions {
        let action = &sent.action;
        let (limit, on, phases) = match &action.what {
            Command::SetLimit {
                limit_a, phases, ..
            } => (
                limit_a.to_f64().to_string(),
                String::new(),
                phases.to_string(),
            ),
            Command::Switch { on, .. } => (String::new(), on.to_string(), String::new()),
        };
        let tail = [
            action.command.to_string(),
            action.what.load().to_owned(),
            limit,
            on,
            phases,
            action.renewal.to_string(),
            word(&action.reason.code),
            action.reason.text.clone(),
            sent.outcome
                .as_ref()
                .map_or_else(|| "pending".to_owned(), word),
            time(sent.sent_at),
            time(sent.acknowledged_at),
            time(sent.seen_at),
        ];
        row(&mut text, head.iter().cloned().chain(tail));
    }
    text
}

pub(super) fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    for (n, cell) in cells.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(&quoted(&cell));
    }
    text.push_str("\r\n");
}

/// RFC 4180; and what a spreadsheet would run as a formula gets an apostrophe before it.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\n', '\r', '\'']) {
        let mut quoted = String::with_capacity(cell.len() + 2);
        let written = write!(quoted, "\"{}\"", cell.replace('"', "\"\""));
        debug_assert!(written.is_ok(), "a String takes everything");
        quoted
    } else {
        cell
    }
}

/// The name of a plain enum variant, as the API writes it.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text_and_never_formulas() {
        for (cell, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
