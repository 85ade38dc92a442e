//! The devices of the house, as far as their profiles tell whether the service can speak to them.

use std::path::Path;

use headroom_core::config::Driver;
use headroom_store::StateDb;

use super::Finding;

const CHECK: &str = "device";

/// Every load whose profile the service cannot use.
pub(super) async fn profiles(directory: &Path) -> Vec<Finding> {
    if !directory.join("state.db").exists() {
        return Vec::new();
    }
    // What is wrong with the database is told where that is looked at.
    let Ok(house) = StateDb::look(directory).await else {
        return Vec::new();
    };
    headroom_chargers::use_http_profiles(&directory.join("profiles"));
    let chargers = house.config.chargers.iter();
    let slow_loads = house.config.slow_loads.iter();
    let chargers = chargers.map(|it| (it.id.as_str(), it.driver.as_ref(), true));
    let all = chargers.chain(slow_loads.map(|it| (it.id.as_str(), it.driver.as_ref(), false)));
    all.filter_map(|(id, driver, charger)| unusable(id, driver?, charger))
        .collect()
}

fn unusable(id: &str, driver: &Driver, charger: bool) -> Option<Finding> {
    let problem = headroom_chargers::profile_problem(driver, charger)?;
    Some(Finding::problem(
        CHECK,
        format!(
            "{id} is not spoken to, and what it may draw stays reserved: its profile {problem}"
        ),
        "mend the profile (headroom profile test tries it) and start the service again, or give the load another one",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_load_whose_profile_cannot_be_used_is_a_problem() {
        let driver = |profile| {
            let driver =
                serde_json::json!({"kind": "modbus", "profile": profile, "address": "192.0.2.9"});
            serde_json::from_value(driver).unwrap()
        };
        assert!(unusable("ev1", &driver("alfen"), true).is_none());
        let found = unusable("ev1", &driver("mine"), true).unwrap();
        assert_eq!(found.state, State::Problem);
        assert!(
            found.text.starts_with("ev1 is not spoken to"),
            "{}",
            found.text
        );
    }
}
