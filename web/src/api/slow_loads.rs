//! `GET,POST /slow-loads`, `GET,PATCH,DELETE /slow-loads/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_core::config::SlowLoad;
use headroom_store::{House, Page};
use serde_json::Value;

use super::driver::{complete, hidden, keep_password, merge, view};
use super::ids::id_for;
use crate::app::Shared;
use crate::body::{Sent, configured};
use crate::change::{Made, change};
use crate::identity::Who;
use crate::problem::Problem;
use crate::query::{Params, page};

pub(crate) async fn list(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<Value>>, Problem> {
    let house = shared.app.state.house();
    let Page { items, next } = page(params, house.config.slow_loads.iter().collect(), |it| {
        &it.id
    })?;
    Ok(Json(Page {
        items: items.into_iter().map(|it| view(it, None)).collect(),
        next,
    }))
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let house = shared.app.state.house();
    let slow_load = house
        .config
        .slow_loads
        .iter()
        .find(|slow_load| slow_load.id == id);
    slow_load
        .map(|slow_load| Json(view(slow_load, None)))
        .ok_or_else(|| missing(&id))
}

pub(crate) async fn post(
    State(shared): State<Shared>,
    who: Who,
    Sent(mut value): Sent,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let answer = change(&shared, &who, "new slow load", move |house| {
        let id = id_for(&value, house, "load")?;
        if let Some(object) = value.as_object_mut() {
            object.insert("id".to_owned(), id.clone().into());
        }
        let mut slow_load: SlowLoad = configured(&value)?;
        if slow_load.driver.is_none() {
            return Err(Problem::field(
                "driver",
                "required",
                "is missing: it tells how the relay is reached",
            ));
        }
        keep_password(&mut slow_load.driver, None)?;
        if slow_load.name.is_empty() {
            slow_load.name.clone_from(&id);
        }
        complete(&mut slow_load.driver);
        let answer = view(&slow_load, None);
        house.config.slow_loads.push(slow_load);
        Ok(Made {
            answer,
            path: format!("slow_loads.{id}."),
        })
    })
    .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(crate) async fn patch(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
    Sent(value): Sent,
) -> Result<Json<Value>, Problem> {
    let what = format!("slow load {id}");
    let answer = change(&shared, &who, what, move |house| {
        let current = find(house, &id)?;
        let mut merged = hidden(current, |it| &mut it.driver)?;
        merge(&mut merged, value)?;
        let mut slow_load: SlowLoad = configured(&merged)?;
        if slow_load.driver.is_none() {
            return Err(Problem::field(
                "driver",
                "required",
                "cannot be removed: delete the slow load instead",
            ));
        }
        keep_password(&mut slow_load.driver, current.driver.as_ref())?;
        complete(&mut slow_load.driver);
        let answer = view(&slow_load, None);
        *current = slow_load;
        Ok(Made {
            answer,
            path: format!("slow_loads.{id}."),
        })
    })
    .await?;
    Ok(Json(answer))
}

pub(crate) async fn delete(
    State(shared): State<Shared>,
    who: Who,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let what = format!("slow load {id} deleted");
    change(&shared, &who, what, move |house| {
        find(house, &id)?;
        house
            .config
            .slow_loads
            .retain(|slow_load| slow_load.id != id);
        Ok(Made {
            answer: (),
            path: String::new(),
        })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn find<'a>(house: &'a mut House, id: &str) -> Result<&'a mut SlowLoad, Problem> {
    let mut slow_loads = house.config.slow_loads.iter_mut();
    slow_loads
        .find(|slow_load| slow_load.id == id)
        .ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!(
        "There is no slow load with the id \"{id}\": GET /slow-loads lists those that are there."
    ))
}
