//! `GET /alarms`: what is wrong and what was wrong, newest first.

use axum::Json;
use axum::extract::State;
use headroom_store::{Alarm, Page};

use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn list(
    State(shared): State<Shared>,
    mut params: Params,
) -> Result<Json<Page<Alarm>>, Problem> {
    let (limit, cursor) = (params.limit(), params.cursor());
    params.finish()?;
    Ok(Json(shared.app.journal.alarms(cursor, limit).await?))
}
