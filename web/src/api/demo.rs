//! `GET,PATCH /demo`, `POST /demo/cars`: the switches of the simulated house. Without one all of them are 404.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use headroom_core::validate::FieldError;
use serde::Deserialize;

use crate::app::{Inner, Shared};
use crate::body::{MaybeSent, Sent, typed};
use crate::change::{Made, change};
use crate::demo::{Demo, DemoChange, DemoState, SPEEDS};
use crate::identity::Who;
use crate::problem::Problem;

/// A body without fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn demo(shared: &Inner) -> Result<Arc<dyn Demo>, Problem> {
    shared.app.demo.clone().ok_or_else(|| {
        Problem::not_found(
            "This is no demo: there is no simulated house, and nothing was changed. headroom demo starts one.",
        )
    })
}

pub(crate) async fn get(State(shared): State<Shared>) -> Result<Json<DemoState>, Problem> {
    Ok(Json(demo(&shared)?.state()))
}

pub(crate) async fn patch(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<Json<DemoState>, Problem> {
    let demo = demo(&shared)?;
    let wanted: DemoChange = typed(value)?;
    let errors = wrong(&wanted, &demo.state());
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    demo.turn(&wanted);
    tracing::info!(
        who = who.author(),
        ?wanted,
        "switches of the demo were turned"
    );
    Ok(Json(demo.state()))
}

/// What cannot be right.
fn wrong(wanted: &DemoChange, state: &DemoState) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if wanted.speed.is_some_and(|speed| !SPEEDS.contains(&speed)) {
        errors.push(FieldError {
            field: "speed".to_owned(),
            code: "range",
            message: format!(
                "must be a number from {} to {}",
                SPEEDS.start(),
                SPEEDS.end()
            ),
        });
    }
    for (index, wanted) in wanted.chargers.iter().enumerate() {
        if state.chargers.iter().all(|it| it.id != wanted.id) {
            errors.push(FieldError {
                field: format!("chargers[{index}].id"),
                code: "unknown",
                message: "is no charge point of the demo house".to_owned(),
            });
        }
    }
    errors
}

/// One more charge point with a car: it is in the configuration at once, connects, and is served.
pub(crate) async fn post_car(
    State(shared): State<Shared>,
    who: Who,
    MaybeSent(value): MaybeSent,
) -> Result<(StatusCode, Json<DemoState>), Problem> {
    let demo = demo(&shared)?;
    let Nothing {} = typed(value)?;
    let place = Arc::clone(&demo);
    let charger = change(&shared, &who, "another car in the demo", move |house| {
        let charger = place.another(&|id| house.has_load(id)).ok_or_else(|| {
            Problem::exists(
                "All charge points that the demo house has place for are there; nothing was changed. Plug a car in at \
                 one of them.",
            )
        })?;
        house.config.chargers.push(charger.clone());
        Ok(Made {
            answer: charger,
            path: String::new(),
        })
    })
    .await?;
    demo.arrive(&charger);
    Ok((StatusCode::CREATED, Json(demo.state())))
}
