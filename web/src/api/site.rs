//! `GET,PUT /site`, `GET,PUT /meter`, `GET /status`.

use axum::Json;
use axum::extract::State;
use headroom_core::config::{Meter, Secret, Site};
use headroom_core::login::{HIDDEN, hide_password};
use serde_json::{Value, json};

use crate::app::Shared;
use crate::body::{Sent, configured};
use crate::change::{Made, change};
use crate::identity::Who;
use crate::problem::Problem;
use crate::status::Status;

pub(crate) async fn status(State(shared): State<Shared>) -> Json<Status> {
    let status = std::sync::Arc::clone(&shared.app.status.borrow());
    Json((*status).clone())
}

pub(crate) async fn get_site(State(shared): State<Shared>) -> Json<Site> {
    Json(shared.app.state.house().config.site.clone())
}

pub(crate) async fn put_site(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<Json<Site>, Problem> {
    let site: Site = configured(&value)?;
    let site = change(&shared, &who, "site", move |house| {
        house.config.site = site.clone();
        Ok(Made {
            answer: site,
            path: "site.".to_owned(),
        })
    })
    .await?;
    Ok(Json(site))
}

pub(crate) async fn get_meter(State(shared): State<Shared>) -> Json<Value> {
    Json(view(&shared.app.state.house().meter))
}

/// Replaces the meter. A key that is left out stays as it is stored; `null` removes it.
pub(crate) async fn put_meter(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<Json<Value>, Problem> {
    let keeps = |field: &str| {
        value
            .as_object()
            .is_some_and(|object| !object.contains_key(field))
    };
    let (keeps_key, keeps_auth_key) = (keeps("key"), keeps("auth_key"));
    let mut meter: Meter = configured(&value)?;
    let answer = change(&shared, &who, "meter", move |house| {
        if keeps_key {
            meter.key.clone_from(&house.meter.key);
        }
        if keeps_auth_key {
            meter.auth_key.clone_from(&house.meter.auth_key);
        }
        meter.key_set = false;
        store_password(&mut meter, &house.meter);
        let answer = view(&meter);
        house.meter = meter;
        Ok(Made {
            answer,
            path: "meter.".to_owned(),
        })
    })
    .await?;
    Ok(Json(answer))
}

/// Takes the password out of the source. `***` stands for the stored one.
fn store_password(meter: &mut Meter, before: &Meter) {
    let Some((source, password)) = meter.source.as_deref().map(hide_password) else {
        return;
    };
    meter.source_password = match password {
        Some(password) if password == HIDDEN => before.source_password.clone(),
        password => password.map(Secret::new),
    };
    meter.source = Some(source);
}

/// Without its keys.
fn view(meter: &Meter) -> Value {
    json!({
        "source": meter.source,
        "key_set": meter.key.is_some(),
        "ct_ratio": meter.ct_ratio,
    })
}
