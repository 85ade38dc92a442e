//! `GET,PUT /site`, `GET,PUT /meter`, `GET /meter/candidates`, `GET /status`.

use axum::Json;
use axum::extract::State;
use headroom_core::config::{Meter, Secret, Site};
use headroom_core::login::{HIDDEN, hide_password, show_password, whom};
use headroom_store::Page;
use serde_json::{Value, json};

use crate::app::{MeterCandidate, Shared};
use crate::body::{Sent, configured};
use crate::change::{Made, change};
use crate::identity::Who;
use crate::problem::Problem;
use crate::query::{Params, page};
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
    Json(view(
        &shared.app.state.house().meter,
        shared.app.pinned_meter.as_deref(),
    ))
}

/// Ports of this machine at which a meter may be, and the source that is read.
pub(crate) async fn meter_candidates(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<MeterCandidate>>, Problem> {
    let devices = std::sync::Arc::clone(&shared.app.devices);
    let ports = tokio::task::spawn_blocking(move || devices.meter_ports()).await;
    let meter = shared.app.status.borrow().meter.clone();
    let in_use = |source: &str| meter.source.as_deref() == Some(source);
    let text = meter.text.clone();
    let mut sources: Vec<String> = ports
        .unwrap_or_default()
        .into_iter()
        .map(|port| format!("serial:{port}"))
        .collect();
    if let Some(source) = meter.source.as_ref()
        && !sources.contains(source)
    {
        sources.insert(0, source.clone());
    }
    let found: Vec<MeterCandidate> = sources
        .into_iter()
        .map(|source| MeterCandidate {
            in_use: in_use(&source),
            text: text.clone().filter(|_| in_use(&source)),
            source,
        })
        .collect();
    page(params, found, |it| &it.source).map(Json)
}

/// Replaces the meter. A key that is left out stays with the source that it was stored for, and `null` removes it: another
/// meter has another key. While the command line pins the source, what is stored is in force after a start without it; who sends the
/// pinned source has it stored, who sends back what was read does not.
pub(crate) async fn put_meter(
    State(shared): State<Shared>,
    who: Who,
    Sent(mut value): Sent,
) -> Result<Json<Value>, Problem> {
    let pinned = shared.app.pinned_meter.clone();
    let pinned_password = shared.app.pinned_password.clone();
    // Read only; ignored when written, as `key_set` is. What was read is sent back with it.
    let sent_back = value.as_object_mut().is_some_and(|object| {
        let pinned = object.remove("pinned").is_some();
        object.remove("stored_source").is_some() || pinned
    });
    let keeps = |field: &str| {
        value
            .as_object()
            .is_some_and(|object| !object.contains_key(field))
    };
    let (keeps_key, keeps_auth_key) = (keeps("key"), keeps("auth_key"));
    let mut meter: Meter = configured(&value)?;
    let answer = change(&shared, &who, "meter", move |house| {
        meter.key_set = false;
        if pinned.is_some() && meter.source == pinned {
            if sent_back {
                meter.source.clone_from(&house.meter.source);
            } else if let (Some(source), Some(password)) = (&pinned, &pinned_password) {
                // Whoever takes the pinned source over takes it with its password, which nobody is shown.
                meter.source = Some(show_password(source, password.expose()));
            }
        }
        store_password(&mut meter, &house.meter)?;
        let same = meter.source == house.meter.source || house.meter.source.is_none();
        if keeps_key && same {
            meter.key.clone_from(&house.meter.key);
        }
        if keeps_auth_key && same {
            meter.auth_key.clone_from(&house.meter.auth_key);
        }
        let answer = view(&meter, pinned.as_deref());
        house.meter = meter;
        Ok(Made {
            answer,
            path: "meter.".to_owned(),
        })
    })
    .await?;
    Ok(Json(answer))
}

/// Takes the password out of the source. `***` stands for the stored one, which goes to nobody but whom it was written for.
fn store_password(meter: &mut Meter, before: &Meter) -> Result<(), Problem> {
    let Some((source, password)) = meter.source.as_deref().map(hide_password) else {
        return Ok(());
    };
    meter.source_password = match password {
        Some(password) if password == HIDDEN => {
            let stored = before.source_password.clone();
            let known = before.source.as_deref().and_then(whom);
            if stored.is_none() || known != whom(&source) {
                return Err(Problem::field(
                    "source",
                    "required",
                    "has *** in the place of a password that is stored for another host or user, or not at all: write the \
                     password itself",
                ));
            }
            stored
        }
        password => password.map(Secret::new),
    };
    meter.source = Some(source);
    Ok(())
}

/// Without its keys. `pinned` is what is read instead of the stored source.
fn view(meter: &Meter, pinned: Option<&str>) -> Value {
    let mut value = json!({
        "source": pinned.or(meter.source.as_deref()),
        "key_set": meter.key.is_some(),
        "ct_ratio": meter.ct_ratio,
    });
    if let (Some(_), Some(object)) = (pinned, value.as_object_mut()) {
        object.insert("pinned".to_owned(), true.into());
        object.insert("stored_source".to_owned(), json!(meter.source));
    }
    value
}
