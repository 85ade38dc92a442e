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

/// The states of the house. A test compares them with those of the core.
pub(crate) const STATES: [&str; 11] = [
    "failsafe.meter_lost",
    "degraded.meter_stale",
    "degraded.meter_partial",
    "degraded.charger_lost",
    "degraded.map_unknown",
    "starting",
    "manual",
    "observe",
    "operating.curtailing",
    "operating.recovering",
    "operating.normal",
];

/// Whether a state is the named one, or stands within it.
fn within(state: &str, name: &str) -> bool {
    state
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

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
        state: params.text("state"),
        renewals: params.flag("renewals"),
        before: params.cursor(),
        limit: params.limit(),
    };
    params.finish()?;
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && from >= to
    {
        return Err(Problem::parameter("from", "range", "must be before to"));
    }
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
    if let Some(name) = &filter.state
        && !STATES.iter().any(|state| within(state, name))
    {
        return Err(Problem::parameter(
            "state",
            "unknown",
            format!(
                "must be a state or what its name begins with, such as degraded or operating.curtailing, not \"{name}\"; there \
                 is: {}",
                STATES.join(", ")
            ),
        ));
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_are_those_of_the_core() {
        let source = include_str!("../../../controller/core/src/supervisor.rs");
        let (paths, _) = source.split_once("#[cfg(test)]").unwrap();
        let told: std::collections::BTreeSet<&str> = paths
            .split("{} => \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(told, STATES.into_iter().collect());
    }
}
