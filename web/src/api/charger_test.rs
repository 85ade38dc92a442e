//! `POST,DELETE /chargers/{id}/test`, `GET /chargers/{id}/report`, `GET /reports`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_core::config::Charger;
use headroom_store::{House, Page};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::chargers::missing;
use crate::app::{ChargerTest, ControlRequest, Shared, TestRefused};
use crate::body::{MaybeSent, typed};
use crate::change::tell;
use crate::identity::Who;
use crate::problem::Problem;
use crate::query::{Params, page};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Whether the cut test follows.
    #[serde(default = "yes")]
    cut: bool,
}

const fn yes() -> bool {
    true
}

pub(crate) async fn post(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
    MaybeSent(value): MaybeSent,
) -> Result<(StatusCode, Json<ChargerTest>), Problem> {
    let house = shared.app.state.house();
    find(&house, &id)?;
    let Wanted { cut } = typed(value)?;
    tracing::info!(who = who.author(), charger = id, cut, "a test of a charger");
    let (answer, answered) = oneshot::channel();
    let request = ControlRequest::Test {
        charger: id,
        cut,
        answer,
    };
    tell(&shared, request).await?;
    match heard(answered).await? {
        Ok(test) => Ok((StatusCode::CREATED, Json(test))),
        Err(TestRefused::Running(why)) => Err(Problem::exists(sentence(&why))),
        Err(TestRefused::Impossible { field, why }) => Err(Problem::field(field, "conflict", why)),
    }
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    find(&shared.app.state.house(), &id)?;
    tracing::info!(who = who.author(), charger = id, "the end of a test");
    let (answer, answered) = oneshot::channel();
    let request = ControlRequest::EndTest {
        charger: id,
        answer,
    };
    tell(&shared, request).await?;
    if heard(answered).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(
            "No test of this charger runs, so there is none to end.",
        ))
    }
}

pub(crate) async fn report(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    find(&shared.app.state.house(), &id)?;
    let body = shared.app.state.last_report(&id).await?;
    let report = body.and_then(|body| serde_json::from_str(&body).ok());
    report.map(Json).ok_or_else(|| {
        Problem::not_found(format!(
            "The charger \"{id}\" has not been tested yet: POST /chargers/{id}/test begins a test."
        ))
    })
}

/// The last report of each charger; those that were never tested are not among them.
pub(crate) async fn reports(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<Value>>, Problem> {
    // However it ended: there is no such word.
    let bodies = shared.app.state.last_reports_but("").await?;
    let house = shared.app.state.house();
    let reports: Vec<Value> = bodies
        .iter()
        .filter_map(|body| serde_json::from_str(body).ok())
        .filter(|report| find(&house, charger_of(report)).is_ok())
        .collect();
    page(params, reports, charger_of).map(Json)
}

fn charger_of(report: &Value) -> &str {
    let id = report.get("charger").and_then(Value::as_str);
    id.unwrap_or_default()
}

fn find<'a>(house: &'a House, id: &str) -> Result<&'a Charger, Problem> {
    let mut chargers = house.config.chargers.iter();
    chargers
        .find(|charger| charger.id == id)
        .ok_or_else(|| missing(id))
}

/// The loop's answer. It answers at once, or is gone.
async fn heard<T>(answer: oneshot::Receiver<T>) -> Result<T, Problem> {
    /// Longer than the loop takes for everything that waits before.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
    tokio::time::timeout(PATIENCE, answer)
        .await
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| Problem::unavailable("The controlling loop does not answer now. Try again."))
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
