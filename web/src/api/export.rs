//! Decisions as a file, whatever its format: read a page at a time, and sent as it is read.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use headroom_store::{Decision, DecisionFilter, StoreError};

use super::decisions::filter;
use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

/// Decisions that are read at a time.
const AT_A_TIME: u16 = 500;
/// Decisions of one file where nobody wants less: a spreadsheet holds about a million rows.
const MOST: usize = 100_000;

/// What a file of decisions is made of.
pub(super) trait Format: Send {
    /// Before the first decision.
    fn head(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Some decisions.
    fn rows(&mut self, decisions: &[Decision]) -> Vec<u8>;

    /// Behind the last one.
    fn end(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

/// Decisions as a file; `kind` is its type and its name.
pub(super) async fn export(
    shared: Shared,
    mut params: Params,
    (kind, name): (&'static str, &'static str),
    mut format: Box<dyn Format>,
) -> Result<Response, Problem> {
    let most = params.number("limit", &(1..=MOST)).unwrap_or(MOST);
    let mut filter = filter(params)?;
    filter.limit = at_a_time(most);
    let first = shared.app.journal.decisions(&filter).await?;
    let mut head = format.head();
    head.extend(format.rows(&first.items));
    let begun = Progress {
        shared,
        filter,
        left: most.saturating_sub(first.items.len()),
        ready: Some(head),
        next: first.next,
        ended: false,
        format,
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let body = Body::from_stream(stream::try_unfold(begun, more));
    Ok((headers, body).into_response())
}

struct Progress {
    shared: Shared,
    filter: DecisionFilter,
    /// How many may still come.
    left: usize,
    /// What is sent first.
    ready: Option<Vec<u8>>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
    ended: bool,
    format: Box<dyn Format>,
}

async fn more(mut progress: Progress) -> Result<Option<(Bytes, Progress)>, StoreError> {
    if let Some(ready) = progress.ready.take() {
        return Ok(Some((ready.into(), progress)));
    }
    if progress.ended {
        return Ok(None);
    }
    let next = progress.next.take().filter(|_| progress.left > 0);
    let Some(next) = next else {
        progress.ended = true;
        return Ok(Some((progress.format.end().into(), progress)));
    };
    progress.filter.before = next.parse().ok();
    progress.filter.limit = at_a_time(progress.left);
    let journal = &progress.shared.app.journal;
    let page = journal.decisions(&progress.filter).await?;
    progress.next = page.next;
    progress.left = progress.left.saturating_sub(page.items.len());
    let rows = progress.format.rows(&page.items);
    Ok(Some((rows.into(), progress)))
}

/// Never more at a time than may still come.
fn at_a_time(left: usize) -> u16 {
    u16::try_from(left).map_or(AT_A_TIME, |left| left.min(AT_A_TIME))
}
