//! What chargers and slow loads have in common: merging a PATCH, and drivers whose passwords go in and never
//! come out.

use headroom_core::config::{Driver, OcppAuth, Secret};
use headroom_core::login::HIDDEN;
use headroom_store::{hide_password_of, keep_password_of, new_charger_password};
use serde_json::{Map, Value};

use crate::problem::Problem;

/// A load as a PATCH changes it: `***` stands for its password, so that it is kept by [`keep_password`] or not at all.
pub(crate) fn hidden<T: Clone + serde::Serialize>(
    load: &T,
    driver: fn(&mut T) -> &mut Option<Driver>,
) -> Result<Value, Problem> {
    let mut load = load.clone();
    if let Some(driver) = driver(&mut load) {
        hide_password_of(driver);
    }
    serde_json::to_value(&load).map_err(|_| Problem::internal())
}

/// Puts the stored password where `***` stands, if it was written for the same device, host and user.
pub(crate) fn keep_password(
    driver: &mut Option<Driver>,
    stored: Option<&Driver>,
) -> Result<(), Problem> {
    let Some(driver) = driver else {
        return Ok(());
    };
    keep_password_of(driver, stored).map_err(|error| Problem::invalid(vec![error]))
}

/// Puts the fields that a PATCH names into the object as it is. A driver is merged field by field as long as
/// its kind stays.
pub(crate) fn merge(current: &mut Value, patch: Value) -> Result<(), Problem> {
    let Value::Object(patch) = patch else {
        return Err(Problem::field("", "type", "must be an object"));
    };
    let Some(object) = current.as_object_mut() else {
        return Err(Problem::internal());
    };
    if let Some(id) = patch.get("id")
        && Some(id) != object.get("id")
    {
        return Err(Problem::field(
            "id",
            "conflict",
            "cannot be changed: make a new one and delete this one",
        ));
    }
    for (name, value) in patch {
        if name == "driver"
            && let (Some(Value::Object(driver)), Value::Object(change)) =
                (object.get_mut("driver"), &value)
            && change
                .get("kind")
                .is_none_or(|kind| driver.get("kind") == Some(kind))
        {
            merge_driver(driver, change);
        } else {
            object.insert(name, value);
        }
    }
    Ok(())
}

fn merge_driver(driver: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (name, value) in change {
        driver.insert(name.clone(), value.clone());
    }
    // Who turns authentication off has no password any more.
    if change.get("auth").is_some_and(|auth| auth == "none") && !change.contains_key("password") {
        driver.remove("password");
    }
}

/// Shortest password of a charge point that is taken. OCPP's security white paper asks for 16 characters; there
/// are chargers that take no more than a few, so that this is what keeps a guesser out for the time that he has.
pub(crate) const OCPP_PASSWORD_MIN: usize = 8;

/// Checks the password that a request brings along for a charge point. What is stored already stays.
pub(crate) fn check_password(sent: &Value, driver: Option<&Driver>) -> Result<(), Problem> {
    let password = sent.pointer("/driver/password").and_then(Value::as_str);
    let is_short =
        password.is_some_and(|text| text != HIDDEN && text.chars().count() < OCPP_PASSWORD_MIN);
    if is_short && matches!(driver, Some(Driver::Ocpp { .. })) {
        return Err(Problem::field(
            "driver.password",
            "range",
            "must have 8 characters or more, better 16; leave it out and one is made",
        ));
    }
    Ok(())
}

/// Makes the password of a charge point that needs one and has none. Answers it, to be told once.
pub(crate) fn complete(driver: &mut Option<Driver>) -> Option<String> {
    match driver {
        Some(Driver::Ocpp {
            auth,
            password,
            password_set,
            ..
        }) => {
            *password_set = false;
            if *auth == OcppAuth::None || password.is_some() {
                return None;
            }
            let made = new_charger_password();
            *password = Some(Secret::new(made.clone()));
            Some(made)
        }
        Some(Driver::ShellyGen2 { password_set, .. } | Driver::Http { password_set, .. }) => {
            *password_set = false;
            None
        }
        _ => None,
    }
}

/// A load as it is answered: no password, but whether there is one; the one that was just made, once.
pub(crate) fn view(load: &impl serde::Serialize, made_password: Option<String>) -> Value {
    let mut value = serde_json::to_value(load).unwrap_or_default();
    if let Some(driver) = value.get_mut("driver").and_then(Value::as_object_mut) {
        let has_password = driver.remove("password").is_some();
        let kind = driver.get("kind").and_then(Value::as_str);
        if matches!(kind, Some("ocpp" | "shelly_gen2" | "http")) {
            driver.insert("password_set".to_owned(), has_password.into());
        }
        if let Some(password) = made_password {
            driver.insert("password".to_owned(), password.into());
        }
    }
    value
}
