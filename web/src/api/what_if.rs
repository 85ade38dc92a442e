//! `POST /what-if`: what would have been with another configuration.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use headroom_core::validate::FieldError;
use headroom_replay::{Asked, Range, UNREADABLE, WhatIf, WhatIfError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::app::Shared;
use crate::body::MaybeSent;
use crate::identity::Who;
use crate::problem::Problem;
use crate::words::field_error_in;

/// Readings that are held in memory at most: two days of one each second, some 40 MB.
const READINGS: usize = 200_000;
/// Where nobody says from when, in hours.
const HOURS: i64 = 24;
/// Longest time that can be asked about.
const LONGEST: SignedDuration = SignedDuration::from_hours(48);
/// One answer at a time: it keeps a processor busy for seconds.
static TURN: Semaphore = Semaphore::const_new(1);

pub(crate) async fn post(
    State(shared): State<Shared>,
    _who: Who,
    MaybeSent(mut change): MaybeSent,
) -> Result<(StatusCode, Json<WhatIf>), Problem> {
    let range = range(&mut change, shared.app.status.borrow().time)?;
    let Ok(turn) = TURN.try_acquire() else {
        return Err(Problem::throttled(
            5,
            "Another question of this kind is being answered. Ask again in a moment.",
        ));
    };
    let journal = shared.app.journal.reader().await?;
    let asked = Asked::of(&journal, range, READINGS, &change)
        .await
        .map_err(|error| problem(error, &change))?;
    let answer = tokio::task::spawn_blocking(move || asked.answer()).await;
    drop(turn);
    let answer = answer.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a what-if failed");
        Problem::internal()
    })?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Takes `from` and `to` out of the body. `now` is the time of the house, which may run faster in the demo.
fn range(change: &mut Value, now: Timestamp) -> Result<Range, Problem> {
    let Some(change) = change.as_object_mut() else {
        return Err(Problem::field("", "type", "must be an object"));
    };
    let mut time = |name: &str| match change.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .map(Some)
            .ok_or_else(|| {
                Problem::field(
                    name,
                    "format",
                    "must be a time such as 2026-01-15T11:00:00Z",
                )
            }),
    };
    let (from, to) = (time("from")?, time("to")?);
    let end = to.unwrap_or_else(|| now + SignedDuration::from_secs(1));
    let from = from.or_else(|| end.checked_sub(SignedDuration::from_hours(HOURS)).ok());
    if from.is_some_and(|from| from >= end) {
        return Err(Problem::field("from", "range", "must be before to"));
    }
    if from.is_some_and(|from| end.duration_since(from) > LONGEST) {
        return Err(Problem::field(
            "from",
            "range",
            "must be at most two days before to",
        ));
    }
    Ok(Range { from, to })
}

/// The configuration is read as a whole, which tells in words of Rust what is wrong with a field.
fn by_name(error: FieldError, change: &Value) -> FieldError {
    if error.code == UNREADABLE {
        return field_error_in(change, error.field, &error.message);
    }
    error
}

fn problem(error: WhatIfError, change: &Value) -> Problem {
    let (field, code) = match error {
        WhatIfError::Invalid(errors) => {
            let errors = errors.into_iter().map(|error| by_name(error, change));
            return Problem::invalid(errors.collect());
        }
        WhatIfError::Store(error) => return error.into(),
        WhatIfError::Delta => ("site.grid", "conflict"),
        WhatIfError::Nothing => ("from", "unknown"),
        WhatIfError::TooLong => ("from", "range"),
    };
    let message = match error {
        WhatIfError::Delta => {
            "has lines without neutral: between them currents do not add up as numbers, and what would have been cannot be told"
        }
        WhatIfError::Nothing => "is a time of which nothing was recorded",
        _ => "is too long ago: two days can be asked about at a time",
    };
    Problem::invalid(vec![FieldError {
        field: field.to_owned(),
        code,
        message: message.to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn without_a_time_it_is_the_last_day_of_the_house() {
        let now: Timestamp = "2031-05-04T12:00:00Z".parse().unwrap();
        let asked = |mut change| range(&mut change, now).ok();
        let day = asked(json!({"site": {}})).unwrap();
        assert_eq!(day.from.unwrap().to_string(), "2031-05-03T12:00:01Z");
        assert!(day.to.is_none());
        // It is over when the house says so.
        let last_hour = asked(json!({"from": "2031-05-04T11:00:00Z"}));
        assert!(last_hour.is_some());
        assert!(asked(json!({"from": "2031-05-04T13:00:00Z"})).is_none());
        assert!(asked(json!({"from": "2031-05-01T13:00:00Z"})).is_none());
    }
}
