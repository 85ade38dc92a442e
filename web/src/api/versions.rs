//! `GET /config/versions`, `POST /config/versions/{n}/restore`: who changed what, and taking it back.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_core::login::HIDDEN;
use headroom_core::validate::FieldError;
use headroom_store::{ConfigVersion, House, Page, Role, StoreError};
use serde_json::{Value, json};

use crate::api::chargers::take_back_proofs;
use crate::api::driver::complete;
use crate::app::Shared;
use crate::body::MaybeSent;
use crate::change::{Made, What, change};
use crate::identity::Who;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn list(
    State(shared): State<Shared>,
    who: Who,
    mut params: Params,
) -> Result<Json<Page<ConfigVersion>>, Problem> {
    let (limit, cursor) = (params.limit(), params.cursor());
    params.finish()?;
    let mut versions = shared.app.state.versions(cursor, limit).await?;
    if who.role < Role::Installer {
        versions.items.iter_mut().for_each(hide_addresses);
    }
    Ok(Json(versions))
}

/// The address of a webhook is often a secret itself: only installers see what has changed there, others that it has.
fn hide_addresses(version: &mut ConfigVersion) {
    let changes = version.diff.iter_mut().flatten();
    for change in changes.filter(|change| change.field.starts_with("notifications.")) {
        for value in [&mut change.before, &mut change.after] {
            if !value.is_null() {
                *value = HIDDEN.into();
            }
        }
    }
}

/// Puts the configuration of a version in force again, as a new version. Secrets are those of now: a version holds none.
/// A charge point that has none any more gets a new password, which is told this once.
pub(crate) async fn restore(
    State(shared): State<Shared>,
    who: Who,
    Path(n): Path<String>,
    MaybeSent(body): MaybeSent,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if let Some(name) = body.as_object().and_then(|body| body.keys().next()) {
        return Err(Problem::field(name, "unknown", "is not known here"));
    }
    let unknown = || {
        Problem::not_found(format!(
            "There is no version {n} of the configuration: GET /config/versions lists those that are kept."
        ))
    };
    let number: i64 = n.parse().map_err(|_| unknown())?;
    let wanted = match shared.app.state.house_of_version(number).await {
        Ok(wanted) => wanted,
        Err(StoreError::NotFound) => return Err(unknown()),
        Err(StoreError::Content(error)) => {
            return Err(Problem::invalid(vec![FieldError {
                field: "n".to_owned(),
                code: "format",
                message: format!("is a version that this program cannot read any more ({error})"),
            }]));
        }
        Err(error) => return Err(error.into()),
    };
    let what = What::again(format!("version {number} restored"));
    let passwords = change(&shared, &who, what, move |house| {
        let passwords = replace(house, wanted);
        Ok(Made {
            answer: passwords,
            path: String::new(),
        })
    })
    .await?;
    let newest = shared.app.state.versions(None, 1).await?;
    let mut answer = json!(newest.items.first());
    if !passwords.is_empty()
        && let Some(answer) = answer.as_object_mut()
    {
        answer.insert("passwords".to_owned(), json!(passwords));
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Takes over everything but the secrets. Answers the passwords that had to be made.
fn replace(house: &mut House, wanted: House) -> BTreeMap<String, String> {
    let before = std::mem::replace(house, wanted);
    house.keep_secrets_in_place(before.clone());
    let mut made = BTreeMap::new();
    for charger in &mut house.config.chargers {
        let known = before.config.chargers.iter().find(|it| it.id == charger.id);
        if known.is_none_or(|known| known.driver != charger.driver)
            && let Some(password) = complete(&mut charger.driver)
        {
            made.insert(charger.id.clone(), password);
        }
    }
    take_back_proofs(house, &before);
    made
}
