//! Everything that is configured: the core's configuration and the meter, with and without secrets.

use std::collections::BTreeMap;

use headroom_core::Config;
use headroom_core::config::{Driver, Meter, Secret};
use headroom_core::login::{HIDDEN, whom};
use headroom_core::validate::FieldError;
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

/// What a refused `***` is told.
const WRITE_AGAIN: &str = "is stored for another device, host or user, or not at all: write it again; null, or nothing in a file, if there is none";

/// A secret of the configuration, set or not.
pub(crate) struct SecretField<'a> {
    /// Where it stands, for example `meter.key`.
    pub(crate) path: String,
    /// Whom it is sent to, and as whose: where that is another, it is another secret. Empty: it is sent to nobody.
    pub(crate) place: String,
    /// It itself.
    pub(crate) secret: &'a mut Option<Secret>,
}

fn is_hidden(secret: Option<&Secret>) -> bool {
    secret.is_some_and(|it| it.expose() == HIDDEN)
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

    /// Each secret field, whether it is set or not.
    fn secret_fields(&mut self) -> Vec<SecretField<'_>> {
        let Self {
            config,
            meter,
            notifications,
        } = self;
        let place = meter.source.as_deref().and_then(whom).unwrap_or_default();
        let mut fields = vec![SecretField {
            path: "meter.source_password".to_owned(),
            place: place.to_owned(),
            secret: &mut meter.source_password,
        }];
        // They open what the meter sends.
        for (name, secret) in [("key", &mut meter.key), ("auth_key", &mut meter.auth_key)] {
            fields.push(SecretField {
                path: format!("meter.{name}"),
                place: String::new(),
                secret,
            });
        }
        fields.extend(config_secrets(config));
        fields.extend(notifications.secret_fields());
        fields
    }

    /// Takes the secrets out, by the path of their field.
    pub fn take_secrets(&mut self) -> BTreeMap<String, Secret> {
        self.secret_fields()
            .into_iter()
            .filter_map(|it| it.secret.take().map(|secret| (it.path, secret)))
            .collect()
    }

    /// Puts [`HIDDEN`] in the place of each secret.
    pub fn hide_secrets(&mut self) {
        for field in self.secret_fields() {
            hide(field.secret);
        }
    }

    /// Puts the stored secret where [`HIDDEN`] stands. Answers the fields for which none is stored, or one that was
    /// written for another place: a secret goes to nobody but whom it was written for.
    pub fn keep_secrets(&mut self, stored: Self) -> Vec<FieldError> {
        self.take_over(stored, is_hidden)
    }

    /// Puts the stored secrets where there is none, but for those that were written for another place.
    pub fn keep_secrets_in_place(&mut self, stored: Self) {
        self.take_over(stored, |it| it.is_none());
    }

    /// Puts stored secrets into the fields that are to have them. Answers those that get none.
    fn take_over(
        &mut self,
        mut stored: Self,
        wants: fn(Option<&Secret>) -> bool,
    ) -> Vec<FieldError> {
        let mut stored: BTreeMap<_, _> = (stored.secret_fields().into_iter())
            .map(|it| ((it.path, it.place), it.secret.take()))
            .collect();
        let mut lacking = Vec::new();
        for field in self.secret_fields() {
            if !wants(field.secret.as_ref()) {
                continue;
            }
            let SecretField {
                path,
                place,
                secret,
            } = field;
            let key = (path, place);
            *secret = stored.remove(&key).flatten();
            if secret.is_none() {
                lacking.push(again(key.0));
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
        for field in self.secret_fields() {
            if let Some(secret) = secrets.remove(&field.path) {
                *field.secret = Some(secret);
            }
        }
    }
}

/// Each secret field of a configuration, whether it is set or not.
pub(crate) fn config_secrets(config: &mut Config) -> Vec<SecretField<'_>> {
    let mut fields = Vec::new();
    let chargers = config.chargers.iter_mut();
    let slow_loads = config.slow_loads.iter_mut();
    let loads = chargers
        .map(|it| ("chargers", &it.id, &mut it.driver))
        .chain(slow_loads.map(|it| ("slow_loads", &it.id, &mut it.driver)));
    for (list, id, driver) in loads {
        if let Some((place, secret)) = driver.as_mut().and_then(password_of) {
            fields.push(SecretField {
                path: format!("{list}.{id}.driver.password"),
                place,
                secret,
            });
        }
    }
    fields
}

/// The password of a driver that can have one, and whom it is sent to.
fn password_of(driver: &mut Driver) -> Option<(String, &mut Option<Secret>)> {
    match driver {
        // The charge point says it, and is sent none.
        Driver::Ocpp { password, .. } => Some(("ocpp".to_owned(), password)),
        Driver::ShellyGen2 { host, password, .. } => {
            Some((format!("shelly_gen2 {host}"), password))
        }
        Driver::Http {
            profile,
            host,
            params,
            password,
            ..
        } => Some((
            format!("http {:?}", (profile, host, params.get("user"))),
            password,
        )),
        Driver::Modbus { .. } | Driver::Mqtt { .. } => None,
    }
}

fn hide(secret: &mut Option<Secret>) {
    if secret.is_some() {
        *secret = Some(Secret::new(HIDDEN.to_owned()));
    }
}

fn again(field: String) -> FieldError {
    FieldError {
        field,
        code: "required",
        message: WRITE_AGAIN.to_owned(),
    }
}

/// Puts [`HIDDEN`] in the place of a driver's password.
pub fn hide_password_of(driver: &mut Driver) {
    if let Some((_, password)) = password_of(driver) {
        hide(password);
    }
}

/// Puts the stored password where [`HIDDEN`] stands in a driver.
///
/// # Errors
/// When none is stored, or one that was written for another device, host or user.
pub fn keep_password_of(driver: &mut Driver, stored: Option<&Driver>) -> Result<(), FieldError> {
    let Some((place, password)) = password_of(driver).filter(|it| is_hidden(it.1.as_ref())) else {
        return Ok(());
    };
    let mut stored = stored.cloned();
    let known = stored.as_mut().and_then(password_of);
    *password = known
        .filter(|known| known.0 == place)
        .and_then(|known| known.1.take());
    if password.is_none() {
        return Err(again("driver.password".to_owned()));
    }
    Ok(())
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
        let lacking: Vec<_> = lacking.into_iter().map(|it| it.field).collect();
        assert_eq!(lacking, ["meter.key", "chargers.ev1.driver.password"]);
    }

    #[test]
    fn debugging_output_has_no_secret() {
        assert!(!format!("{:?}", house()).contains("canary"));
    }
}
