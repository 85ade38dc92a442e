//! Everything that is configured: the core's configuration and the meter, with and without secrets.

use std::collections::BTreeMap;

use headroom_core::Config;
use headroom_core::config::{Driver, Meter, Secret};
use headroom_core::login::HIDDEN;
use serde::{Deserialize, Serialize};

use crate::diff::{Change, house_changes};
use crate::error::StoreError;
use crate::notifications::Notifications;

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct House {
    /// Site, chargers and slow loads, as the engine gets them.
    pub config: Config,
    /// The meter, which the engine does not see.
    #[serde(default)]
    pub meter: Meter,
    /// Where alarms are sent besides the page.
    #[serde(default)]
    pub notifications: Notifications,
}

impl House {
    /// Whether a charger or slow load has this id.
    pub fn has_load(&self, id: &str) -> bool {
        self.config.chargers.iter().any(|charger| charger.id == id)
            || self
                .config
                .slow_loads
                .iter()
                .any(|slow_load| slow_load.id == id)
    }

    /// Each secret field, by its path, whether it is set or not.
    fn secret_fields(&mut self) -> Vec<(String, &mut Option<Secret>)> {
        let Self {
            config,
            meter,
            notifications,
        } = self;
        let mut fields = vec![
            (
                "meter.source_password".to_owned(),
                &mut meter.source_password,
            ),
            ("meter.key".to_owned(), &mut meter.key),
            ("meter.auth_key".to_owned(), &mut meter.auth_key),
        ];
        fields.extend(config_secrets(config));
        fields.extend(notifications.secret_fields());
        fields
    }

    /// Takes the secrets out, by the path of their field.
    pub fn take_secrets(&mut self) -> BTreeMap<String, Secret> {
        self.secret_fields()
            .into_iter()
            .filter_map(|(path, field)| field.take().map(|secret| (path, secret)))
            .collect()
    }

    /// Puts [`HIDDEN`] in the place of each secret.
    pub fn hide_secrets(&mut self) {
        for (_, field) in self.secret_fields() {
            if field.is_some() {
                *field = Some(Secret::new(HIDDEN.to_owned()));
            }
        }
    }

    /// Puts the stored secret where [`HIDDEN`] stands. Answers the fields for which none is stored.
    pub fn keep_secrets(&mut self, mut stored: Self) -> Vec<String> {
        let mut stored = stored.take_secrets();
        let mut lacking = Vec::new();
        for (path, field) in self.secret_fields() {
            if field.as_ref().is_some_and(|it| it.expose() == HIDDEN) {
                *field = stored.remove(&path);
                if field.is_none() {
                    lacking.push(path);
                }
            }
        }
        lacking
    }

    /// What differs from another configuration, without the secrets.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn changes_from(&self, before: &Self) -> Result<Vec<Change>, StoreError> {
        let bare = |house: &Self| {
            let mut bare = house.clone();
            bare.take_secrets();
            serde_json::to_value(bare)
        };
        Ok(house_changes(&bare(before)?, &bare(self)?))
    }

    /// Puts secrets back where they belong; those whose field is gone are dropped.
    pub fn put_secrets(&mut self, mut secrets: BTreeMap<String, Secret>) {
        for (path, field) in self.secret_fields() {
            if let Some(secret) = secrets.remove(&path) {
                *field = Some(secret);
            }
        }
    }
}

/// Each secret field of a configuration, by its path, whether it is set or not.
pub(crate) fn config_secrets(config: &mut Config) -> Vec<(String, &mut Option<Secret>)> {
    let mut fields = Vec::new();
    for charger in &mut config.chargers {
        if let Some(password) = charger.driver.as_mut().and_then(password_of) {
            fields.push((format!("chargers.{}.driver.password", charger.id), password));
        }
    }
    for slow_load in &mut config.slow_loads {
        if let Some(password) = slow_load.driver.as_mut().and_then(password_of) {
            fields.push((
                format!("slow_loads.{}.driver.password", slow_load.id),
                password,
            ));
        }
    }
    fields
}

/// The password of a driver that can have one.
fn password_of(driver: &mut Driver) -> Option<&mut Option<Secret>> {
    match driver {
        Driver::Ocpp { password, .. }
        | Driver::ShellyGen2 { password, .. }
        | Driver::Http { password, .. } => Some(password),
        Driver::Modbus { .. } | Driver::Mqtt { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> House {
        serde_json::from_value(serde_json::json!({
            "config": {
                "chargers": [{"id": "ev1", "driver":
                    {"kind": "ocpp", "charge_point_id": "CP1", "password": "canary-ocpp"}}],
                "slow_loads": [{"id": "heater", "rated_w": 2000, "driver":
                    {"kind": "shelly_gen2", "host": "192.0.2.7", "password": "canary-relay"}}],
            },
            "meter": {"source": "tcp://192.0.2.9:2001", "key": "canary-key", "auth_key": "canary-auth"},
        }))
        .unwrap()
    }

    #[test]
    fn secrets_come_out_and_go_back_in() {
        let whole = house();
        let mut bare = whole.clone();
        let secrets = bare.take_secrets();
        assert_eq!(secrets.len(), 4);
        assert!(!serde_json::to_string(&bare).unwrap().contains("canary"));
        bare.put_secrets(secrets);
        assert_eq!(bare, whole);
    }

    #[test]
    fn a_secret_whose_field_is_gone_is_dropped() {
        let mut bare = house();
        let secrets = bare.take_secrets();
        bare.config.chargers.clear();
        bare.put_secrets(secrets);
        assert!(
            !serde_json::to_string(&bare)
                .unwrap()
                .contains("canary-ocpp")
        );
    }

    #[test]
    fn stars_stand_for_the_stored_secret() {
        let whole = house();
        let mut hidden = whole.clone();
        hidden.hide_secrets();
        let text = serde_json::to_string(&hidden).unwrap();
        assert!(!text.contains("canary") && text.matches("\"***\"").count() == 4);
        let mut again = hidden.clone();
        assert!(again.keep_secrets(whole.clone()).is_empty());
        assert_eq!(again, whole);
        let mut other = whole.clone();
        other.config.chargers.clear();
        other.meter.key = None;
        let lacking = hidden.keep_secrets(other);
        assert_eq!(lacking, ["meter.key", "chargers.ev1.driver.password"]);
    }

    #[test]
    fn debugging_output_has_no_secret() {
        assert!(!format!("{:?}", house()).contains("canary"));
    }
}
