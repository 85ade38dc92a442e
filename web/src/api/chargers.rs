//! `GET,POST /chargers`, `GET,PATCH,DELETE /chargers/{id}`, `GET /chargers/unmatched`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_core::config::{Charger, LeaseProof};
use headroom_store::{House, Page};
use serde_json::Value;

use super::driver::{check_password, complete, hidden, keep_password, merge, view};
use super::ids::id_for;
use crate::app::{Shared, Unmatched};
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
    let Page { items, next } = page(params, house.config.chargers.iter().collect(), |it| &it.id)?;
    Ok(Json(Page {
        items: items.into_iter().map(|it| view(it, None)).collect(),
        next,
    }))
}

pub(crate) async fn unmatched(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<Unmatched>>, Problem> {
    page(params, shared.app.devices.unmatched(), |it| {
        &it.charge_point_id
    })
    .map(Json)
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let house = shared.app.state.house();
    let charger = house
        .config
        .chargers
        .iter()
        .find(|charger| charger.id == id);
    charger
        .map(|charger| Json(view(charger, None)))
        .ok_or_else(|| missing(&id))
}

pub(crate) async fn post(
    State(shared): State<Shared>,
    who: Who,
    Sent(mut value): Sent,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let answer = change(&shared, &who, "new charger", move |house| {
        let id = id_for(&value, house, "charger")?;
        if let Some(object) = value.as_object_mut() {
            object.insert("id".to_owned(), id.clone().into());
        }
        let mut charger: Charger = configured(&value)?;
        if charger.driver.is_none() {
            return Err(Problem::field(
                "driver",
                "required",
                "is missing: it tells how the charger is reached",
            ));
        }
        check_proof(&charger, None)?;
        check_password(&value, charger.driver.as_ref())?;
        keep_password(&mut charger.driver, None)?;
        if charger.name.is_empty() {
            charger.name.clone_from(&id);
        }
        let password = complete(&mut charger.driver);
        let answer = view(&charger, password);
        house.config.chargers.push(charger);
        Ok(Made {
            answer,
            path: format!("chargers.{id}."),
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
    let what = format!("charger {id}");
    let answer = change(&shared, &who, what, move |house| {
        let current = find(house, &id)?;
        let before = current.clone();
        let mut merged = hidden(&before, |it| &mut it.driver)?;
        let names_lease = value.get("lease").is_some();
        merge(&mut merged, value.clone())?;
        let mut charger: Charger = configured(&merged)?;
        check_password(&value, charger.driver.as_ref())?;
        keep_password(&mut charger.driver, before.driver.as_ref())?;
        if charger.driver.is_none() {
            return Err(Problem::field(
                "driver",
                "required",
                "cannot be removed: delete the charger instead",
            ));
        }
        let same = makes_the_same_promise(&charger, &before);
        if names_lease {
            check_proof(&charger, Some(before.lease).filter(|_| same))?;
        } else if !same && before.lease == LeaseProof::Proven {
            // What was proven was another device, another way to reach it, or another fall.
            charger.lease = LeaseProof::Claimed;
        }
        let password = complete(&mut charger.driver);
        let answer = view(&charger, password);
        *current = charger;
        Ok(Made {
            answer,
            path: format!("chargers.{id}."),
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
    let what = format!("charger {id} deleted");
    let gone = id.clone();
    change(&shared, &who, what, move |house| {
        find(house, &id)?;
        house.config.chargers.retain(|charger| charger.id != id);
        Ok(Made {
            answer: (),
            path: String::new(),
        })
    })
    .await?;
    // Another charger may have its id one day.
    shared.app.state.forget_reports(&gone).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn find<'a>(house: &'a mut House, id: &str) -> Result<&'a mut Charger, Problem> {
    let mut chargers = house.config.chargers.iter_mut();
    chargers
        .find(|charger| charger.id == id)
        .ok_or_else(|| missing(id))
}

pub(super) fn missing(id: &str) -> Problem {
    Problem::not_found(format!(
        "There is no charger with the id \"{id}\": GET /chargers lists those that are there."
    ))
}

/// Whether what was proven of a charger holds for another one: the same device, reached in the same way, with the same
/// fall.
fn makes_the_same_promise(one: &Charger, other: &Charger) -> bool {
    one.driver == other.driver
        && one.safe_current_a == other.safe_current_a
        && one.lease_s == other.lease_s
}

/// In a configuration that somebody wrote no lease is proven but those that were, and promise the same.
pub(crate) fn take_back_proofs(wanted: &mut House, before: &House) {
    for charger in &mut wanted.config.chargers {
        let known = before.config.chargers.iter().find(|it| it.id == charger.id);
        let proven = known.is_some_and(|known| {
            known.lease == LeaseProof::Proven && makes_the_same_promise(known, charger)
        });
        if charger.lease == LeaseProof::Proven && !proven {
            charger.lease = LeaseProof::Claimed;
        }
    }
}

/// That a charger falls back by itself is proven by a cut test, not by a request.
fn check_proof(charger: &Charger, before: Option<LeaseProof>) -> Result<(), Problem> {
    if charger.lease == LeaseProof::Proven && before != Some(LeaseProof::Proven) {
        return Err(Problem::field(
            "lease",
            "conflict",
            "is proven by a passed cut test only",
        ));
    }
    Ok(())
}
