//! `POST /chargers/{id}/availability`, `/reset`, `/start`, `/stop`: what OCPP can do besides limits.
//!
//! The answer is the charge point's own. None of it touches the limits: those go on as decided.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_core::config::Driver;
use serde::Deserialize;
use serde_json::{Value, json};

use super::chargers::missing;
use crate::app::{Operation, Shared};
use crate::body::{MaybeSent, typed};
use crate::identity::Who;
use crate::problem::Problem;

/// A charge point answers within 30 s or not at all; others of its calls may come before.
const PATIENCE: Duration = Duration::from_mins(1);
/// Longest tag that OCPP 1.6 takes (`CiString20Type`).
const TAG_MAX: usize = 20;

type Answer = Result<(StatusCode, Json<Value>), Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Availability {
    operative: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    #[serde(default)]
    hard: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    #[serde(default = "tag")]
    id_tag: String,
}

fn tag() -> String {
    "headroom".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Takes the charger into use or out of it.
pub(crate) async fn availability(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
    MaybeSent(value): MaybeSent,
) -> Answer {
    let Availability { operative } = typed(value)?;
    operate(&shared, &who, &id, Operation::SetAvailability { operative }).await
}

/// Restarts it.
pub(crate) async fn reset(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
    MaybeSent(value): MaybeSent,
) -> Answer {
    let Reset { hard } = typed(value)?;
    operate(&shared, &who, &id, Operation::Reset { hard }).await
}

/// Begins a session, for a charger that waits for somebody to be let in.
pub(crate) async fn start(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
    MaybeSent(value): MaybeSent,
) -> Answer {
    let Start { id_tag } = typed(value)?;
    let length = id_tag.chars().count();
    if length == 0 || length > TAG_MAX || !id_tag.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Problem::field(
            "id_tag",
            "format",
            format!("must have 1 to {TAG_MAX} letters, digits and signs, without spaces"),
        ));
    }
    operate(&shared, &who, &id, Operation::Start { id_tag }).await
}

/// Ends the session.
pub(crate) async fn stop(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
    MaybeSent(value): MaybeSent,
) -> Answer {
    let Nothing {} = typed(value)?;
    operate(&shared, &who, &id, Operation::Stop).await
}

async fn operate(shared: &Shared, who: &Who, id: &str, operation: Operation) -> Answer {
    let house = shared.app.state.house();
    let mut chargers = house.config.chargers.iter();
    let charger = chargers.find(|charger| charger.id == id);
    let driver = &charger.ok_or_else(|| missing(id))?.driver;
    if !matches!(driver, Some(Driver::Ocpp { .. })) {
        return Err(Problem::field(
            "driver",
            "conflict",
            "must be ocpp: no other one can be asked for this",
        ));
    }
    tracing::info!(
        who = who.author(),
        charger = id,
        operation = operation.name(),
        "an operation of a charger"
    );
    let Some(answered) = shared.app.devices.operate(id, operation) else {
        return Err(Problem::field(
            "id",
            "conflict",
            "is not connected now, or is asked for too much already: try again when it is back",
        ));
    };
    let outcome = tokio::time::timeout(PATIENCE, answered).await;
    let outcome = outcome.ok().and_then(Result::ok).unwrap_or("timeout");
    let answer = json!({"charger": id, "outcome": outcome});
    Ok((StatusCode::CREATED, Json(answer)))
}
