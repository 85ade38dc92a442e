//! Whether the profile that a configuration names is one, for such a device.

use headroom_core::config::{Driver, Secret};

use crate::{http, modbus, mqtt};

/// What is wrong with the profile of a driver, in words that name the right ones; `None` if nothing is.
/// `charger`: the device is a charger; else a relay.
pub fn profile_problem(driver: &Driver, charger: bool) -> Option<String> {
    let (found, known) = match driver {
        Driver::Ocpp { .. } | Driver::ShellyGen2 { .. } => return None,
        Driver::Http {
            profile,
            params,
            password,
            ..
        } => {
            let password = password.as_ref().map(Secret::expose);
            return http::problem(profile, params, password, charger);
        }
        Driver::Modbus { profile, .. } => {
            let found = modbus::profile(profile).map(|profile| profile.is_charger());
            (found, modbus::names(charger).to_owned())
        }
        Driver::Mqtt { profile, .. } => {
            let found = mqtt::profile(profile).map(|profile| profile.is_charger());
            (found, mqtt::names(charger))
        }
    };
    let kind = if charger { "a charger" } else { "a relay" };
    match found {
        Some(found) if found == charger => None,
        Some(_) => Some(format!("is not for {kind}; for {kind} there are {known}")),
        None => Some(format!("is not known; for {kind} there are {known}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem(driver: serde_json::Value, charger: bool) -> Option<String> {
        profile_problem(&serde_json::from_value(driver).unwrap(), charger)
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_known_ones() {
        let modbus = |profile| json!({"kind": "modbus", "profile": profile, "address": "x"});
        let mqtt =
            |profile| json!({"kind": "mqtt", "profile": profile, "broker": "x", "topic": "t"});
        for (driver, charger) in [
            (modbus("alfen"), true),
            (modbus("relay_coil_3"), false),
            (mqtt("go_e"), true),
            (mqtt("tasmota_2"), false),
        ] {
            assert_eq!(problem(driver.clone(), charger), None);
            let other = problem(driver, !charger).unwrap();
            assert!(other.contains("is not for a"), "{other}");
        }
        let unknown = problem(modbus("alfa"), true).unwrap();
        assert_eq!(
            unknown,
            "is not known; for a charger there are alfen, keba, phoenix_charx_N (N from 1 to 48)"
        );
        let unknown = problem(mqtt("sonoff"), false).unwrap();
        assert!(unknown.contains("tasmota, tasmota_N"), "{unknown}");
        assert!(!unknown.contains("go_e"), "{unknown}");
    }
}
