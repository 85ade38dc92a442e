//! `GET /decisions`, `GET /decisions/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use headroom_core::ReasonCode;
use headroom_store::{Decision, DecisionFilter, Page};
use serde::Deserialize;
use serde::de::IntoDeserializer;

use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn list(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<Decision>>, Problem> {
    let filter = filter(params)?;
    Ok(Json(shared.app.journal.decisions(&filter).await?))
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Decision>, Problem> {
    let missing = || Problem::not_found(format!("There is no decision with the number {id}."));
    let number = id.parse().map_err(|_| missing())?;
    let decision = shared.app.journal.decision_by_id(number).await?;
    decision.map(Json).ok_or_else(missing)
}

/// Which decisions are asked for.
pub(crate) fn filter(mut params: Params) -> Result<DecisionFilter, Problem> {
    let filter = DecisionFilter {
        load: params.text("load"),
        from: params.time("from"),
        to: params.time("to"),
        code: params.text("code"),
        renewals: params.flag("renewals"),
        before: params.cursor(),
        limit: params.limit(),
    };
    params.finish()?;
    if let Some(name) = &filter.code {
        let code: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            name.as_str().into_deserializer();
        if ReasonCode::deserialize(code).is_err() {
            return Err(Problem::parameter(
                "code",
                "unknown",
                format!(
                    "must be the code of a reason, such as main_fuse, not \"{name}\"; docs/reasons.md lists them"
                ),
            ));
        }
    }
    Ok(filter)
}
