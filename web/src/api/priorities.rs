//! `GET,PUT /priorities`: the first list is served first and shed last; it has the largest number.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use headroom_core::validate::FieldError;
use headroom_store::House;
use serde::{Deserialize, Serialize};

use crate::app::Shared;
use crate::body::{Sent, typed};
use crate::change::{Made, change};
use crate::identity::Who;
use crate::problem::Problem;

/// The order of all loads.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Priorities {
    pub(crate) order: Vec<Vec<String>>,
}

pub(crate) async fn get(State(shared): State<Shared>) -> Json<Priorities> {
    Json(order_of(&shared.app.state.house()))
}

pub(crate) async fn put(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<Json<Priorities>, Problem> {
    let wanted: Priorities = typed(value)?;
    let answer = change(&shared, &who, "priorities", move |house| {
        set_order(house, &wanted).map_err(Problem::invalid)?;
        Ok(Made {
            answer: wanted,
            path: String::new(),
        })
    })
    .await?;
    Ok(Json(answer))
}

fn order_of(house: &House) -> Priorities {
    let mut classes: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (id, priority) in loads(house) {
        classes.entry(priority).or_default().push(id.to_owned());
    }
    Priorities {
        order: classes.into_values().rev().collect(),
    }
}

fn loads(house: &House) -> impl Iterator<Item = (&str, u32)> {
    let chargers = house
        .config
        .chargers
        .iter()
        .map(|load| (load.id.as_str(), load.priority));
    let slow_loads = house
        .config
        .slow_loads
        .iter()
        .map(|load| (load.id.as_str(), load.priority));
    chargers.chain(slow_loads)
}

/// Sets the priorities of all loads, or tells what is wrong with their order.
pub(crate) fn set_order(house: &mut House, wanted: &Priorities) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut error = |field: String, code, message: &str| {
        errors.push(FieldError {
            field,
            code,
            message: message.to_owned(),
        });
    };
    let mut missing: BTreeSet<&str> = loads(house).map(|(id, _)| id).collect();
    let known = missing.clone();
    let mut priorities = BTreeMap::new();
    for ((n, class), priority) in wanted.order.iter().enumerate().zip((1_u32..=1000).rev()) {
        if class.is_empty() {
            error(format!("order[{n}]"), "required", "is empty");
        }
        for (m, id) in class.iter().enumerate() {
            let field = format!("order[{n}][{m}]");
            if !known.contains(id.as_str()) {
                error(field, "unknown", "is no load");
            } else if !missing.remove(id.as_str()) {
                error(field, "duplicate", "stands there twice");
            }
            priorities.insert(id.clone(), priority);
        }
    }
    for id in missing {
        error(
            "order".to_owned(),
            "required",
            &format!("lacks the load \"{id}\": each must stand there once"),
        );
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // The last list gets 1.
    let least = priorities.values().copied().min().unwrap_or(1);
    let chargers = house
        .config
        .chargers
        .iter_mut()
        .map(|load| (&load.id, &mut load.priority));
    let slow_loads = house
        .config
        .slow_loads
        .iter_mut()
        .map(|load| (&load.id, &mut load.priority));
    for (id, priority) in chargers.chain(slow_loads) {
        if let Some(wanted) = priorities.get(id) {
            *priority = wanted - least + 1;
        }
    }
    Ok(())
}
