//! `GET /readings`: the main meter over time.

use axum::Json;
use axum::extract::State;
use headroom_store::{Page, TimelinePoint};
use jiff::{SignedDuration, Timestamp};

use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

/// The span when nobody says from when.
const SPAN: SignedDuration = SignedDuration::from_hours(1);
/// Longest span: as long as readings are kept, and what can be read in a moment.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);
/// Longest step, a day.
const STEPS: std::ops::RangeInclusive<i64> = 1..=86_400;
/// Points of a page when nobody says how many.
const POINTS: u16 = 500;

/// Points from `from` (an hour ago) to `to` (now), oldest first. Without `step_s` the step is such that the
/// whole span fits into one page.
pub(crate) async fn list(
    State(shared): State<Shared>,
    mut params: Params,
) -> Result<Json<Page<TimelinePoint>>, Problem> {
    let (from, to) = (params.time("from"), params.time("to"));
    let asked = params.number("step_s", &STEPS);
    let limit = params.number("limit", &(1..=POINTS)).unwrap_or(POINTS);
    let cursor = params.cursor();
    params.finish()?;
    // What has just come is shown too: the end itself is left out, and times are told in milliseconds.
    let to = to.unwrap_or_else(|| shared.app.status.borrow().time + SignedDuration::from_secs(1));
    let from = from.or_else(|| to.checked_sub(SPAN).ok()).unwrap_or(to);
    let span = to.duration_since(from);
    if !span.is_positive() {
        return Err(Problem::parameter("from", "range", "must be before to"));
    }
    if span > LONGEST {
        return Err(Problem::parameter(
            "from",
            "range",
            "must be at most 31 days before to",
        ));
    }
    let fitting = || {
        (span.as_secs() + 1)
            .unsigned_abs()
            .div_ceil(u64::from(limit))
            .max(1)
    };
    let seconds = asked.map_or_else(fitting, i64::unsigned_abs);
    let step_ms = i64::try_from(seconds * 1000).unwrap_or(i64::MAX);
    let begin = match cursor {
        Some(cursor) => Timestamp::from_millisecond(cursor)
            .map_err(|_| Problem::parameter("cursor", "range", "is not one of this list"))?
            .max(from),
        None => from,
    };
    // A step is whole only if it begins within the span.
    let mut items = shared
        .app
        .journal
        .timeline(begin, to, step_ms, limit.saturating_add(1))
        .await?;
    let more = items.len() > usize::from(limit);
    let next = more
        .then(|| items.pop())
        .flatten()
        .map(|next| next.time.as_millisecond().to_string());
    Ok(Json(Page { items, next }))
}
