//! `POST /loads/{id}/pause`, `/resume`, `/boost`, `/limit`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_core::event::{USER_COMMAND_S, UserCommand};
use headroom_core::units::Milliamps;
use serde::Deserialize;

use crate::app::{ControlRequest, Shared};
use crate::body::{MaybeSent, typed};
use crate::change::tell;
use crate::identity::Who;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    for_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitFor {
    for_s: u32,
    limit_a: Milliamps,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaybeFor {
    #[serde(default)]
    for_s: Option<u32>,
}

/// Tells the loop a wish; answers the wish.
pub(crate) async fn post(
    State(shared): State<Shared>,
    who: Who,
    Path((load, verb)): Path<(String, String)>,
    MaybeSent(value): MaybeSent,
) -> Result<(StatusCode, Json<UserCommand>), Problem> {
    let house = shared.app.state.house();
    if !house.has_load(&load) {
        return Err(Problem::not_found(format!(
            "There is no load with the id \"{load}\": GET /chargers and GET /slow-loads list those that are there."
        )));
    }
    let charger = house
        .config
        .chargers
        .iter()
        .find(|charger| charger.id == load);
    let command = match verb.as_str() {
        "pause" => UserCommand::Pause {
            load,
            for_s: checked(typed::<For>(value)?.for_s)?,
        },
        "boost" => UserCommand::Boost {
            load,
            for_s: checked(typed::<For>(value)?.for_s)?,
        },
        "limit" => {
            let LimitFor { for_s, limit_a } = typed(value)?;
            let Some(charger) = charger else {
                return Err(Problem::field(
                    "limit_a",
                    "conflict",
                    "is for chargers: a slow load is on or off, pause it",
                ));
            };
            if !(Milliamps::ZERO..=charger.max_current_a).contains(&limit_a) {
                let message = format!(
                    "must be from 0 to the charger's maximum, {}",
                    charger.max_current_a
                );
                return Err(Problem::field("limit_a", "range", message));
            }
            if limit_a > Milliamps::ZERO && limit_a < charger.min_current_a {
                let message = format!(
                    "must be 0, which pauses, or from the charger's least, {}: below that no car charges",
                    charger.min_current_a
                );
                return Err(Problem::field("limit_a", "range", message));
            }
            UserCommand::Limit {
                load,
                limit_a,
                for_s: checked(for_s)?,
            }
        }
        "resume" => {
            let for_s = typed::<MaybeFor>(value)?.for_s.map(checked).transpose()?;
            UserCommand::Resume { load, for_s }
        }
        _ => {
            return Err(Problem::not_found(
                "A load can be told: pause, resume, boost, limit.",
            ));
        }
    };
    tracing::info!(who = who.author(), ?command, "a wish for a load");
    tell(&shared, ControlRequest::User(command.clone())).await?;
    Ok((StatusCode::CREATED, Json(command)))
}

fn checked(for_s: u32) -> Result<u32, Problem> {
    if USER_COMMAND_S.contains(&for_s) {
        Ok(for_s)
    } else {
        Err(Problem::field(
            "for_s",
            "range",
            "must be from 1 to 86400 seconds",
        ))
    }
}
