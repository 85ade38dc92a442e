//! What the core leaves to the outside and so does not check: drivers, the meter, the time zone.
//!
//! [`House::validate`] is the core's validation and these checks together, for the API and `apply`.

use std::collections::BTreeSet;

use headroom_core::config::{Charger, Config, Driver, Meter, OcppAuth, Secret};
use headroom_core::identity::{IDENTITY_RULE, is_identity};
use headroom_core::units::{Milliamps, PerPhase, Phase};
use headroom_core::validate::FieldError;

use crate::house::House;

/// Most connectors that a charge point is believed to have.
const CONNECTOR_MAX: u32 = 100;
/// Longest password of a device.
const PASSWORD_MAX: usize = 64;
/// Longest host name (RFC 1035) with a port.
const HOST_MAX: usize = 253 + 6;
/// Most relays of one device.
const CHANNEL_MAX: u32 = 31;
/// Longest source of a meter, profile name, topic or parameter.
const TEXT_MAX: usize = 512;
/// Most parameters of a declarative driver.
const PARAMS_MAX: usize = 64;
/// Hexadecimal digits of an AES-128 key, as meters use it.
const KEY_DIGITS: usize = 32;
/// Ratios of current transformers that are made.
const CT_RATIO: std::ops::RangeInclusive<f64> = 0.001..=10_000.0;

/// What the safe currents of all chargers leave of each fuse, less than nothing where they fit.
fn above_fuse(config: &Config) -> PerPhase<Milliamps> {
    let rating = config.site.main_fuse.rating_a.per_phase();
    PerPhase(Phase::ALL.map(|phase| {
        let on_line = |charger: &&Charger| {
            let phases = charger.phases.as_ref();
            phases.is_none_or(|phases| phases.contains(&phase))
        };
        let safe: Milliamps = config
            .chargers
            .iter()
            .filter(on_line)
            .map(|charger| charger.safe_current_a)
            .sum();
        safe - rating.get(phase)
    }))
}

impl House {
    /// What is accepted stays accepted: marks the safe currents of all chargers as confirmed
    /// (`accept_risk`) where this request confirms them, or leaves no line more above its fuse than before. Call it before [`House::validate`].
    pub fn keep_confirmed(&mut self, before: &Self) {
        let known = &before.config.chargers;
        let confirms = self.config.chargers.iter().any(|charger| {
            let before = known.iter().find(|it| it.id == charger.id);
            charger.accept_risk && before.is_none_or(|before| !before.accept_risk)
        });
        let (old, new) = (above_fuse(&before.config), above_fuse(&self.config));
        let worse = Phase::ALL
            .iter()
            .any(|phase| new.get(*phase) > old.get(*phase));
        let was_confirmed = known.iter().any(|charger| charger.accept_risk);
        if confirms || (was_confirmed && !worse) {
            for charger in &mut self.config.chargers {
                charger.accept_risk |= charger.safe_current_a > Milliamps::ZERO;
            }
        }
    }

    /// Relays that this change makes chargers. A house of an earlier version may have one, which holds up nothing else: so this is
    /// no part of [`House::validate`].
    pub fn new_relay_chargers(&self, before: &Self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for charger in &self.config.chargers {
            let mut known = before.config.chargers.iter();
            let is_new = !known.any(|it| it.id == charger.id && it.driver == charger.driver);
            if is_new && matches!(charger.driver, Some(Driver::ShellyGen2 { .. })) {
                push(
                    &mut errors,
                    &format!("chargers.{}.driver.kind", charger.id),
                    "conflict",
                    "cannot be that: a relay knows on and off alone; make it a slow load",
                );
            }
        }
        errors
    }

    /// Checks everything: what the engine decides with (by the core), and what it does not look at.
    ///
    /// `highest_background` is the highest background learnt so far (`Snapshot::highest_background`).
    ///
    /// # Errors
    /// Every field that cannot be right; paths begin with `site.`, `meter.`, `chargers.ID.` or
    /// `slow_loads.ID.`.
    pub fn validate(&self, highest_background: PerPhase<Milliamps>) -> Result<(), Vec<FieldError>> {
        let mut errors = self
            .config
            .validate(highest_background)
            .err()
            .unwrap_or_default();
        let zone = &self.config.site.time_zone;
        if !zone.is_empty() && jiff::tz::TimeZone::get(zone).is_err() {
            let message = format!("must be a time zone such as Europe/Oslo, not \"{zone}\"");
            push(&mut errors, "site.time_zone", "unknown", message);
        }
        meter(&self.meter, &mut errors);
        self.notifications.check(&mut errors);
        let mut connectors = BTreeSet::new();
        for charger in &self.config.chargers {
            let prefix = format!("chargers.{}.driver", charger.id);
            if let Some(driver) = &charger.driver {
                check_driver(driver, &prefix, &mut errors);
                if let Driver::Ocpp {
                    charge_point_id,
                    connector,
                    ..
                } = driver
                    && !connectors.insert((charge_point_id, connector))
                {
                    let message =
                        "is taken: another charger has this connector of this charge point";
                    push(
                        &mut errors,
                        &format!("{prefix}.charge_point_id"),
                        "duplicate",
                        message,
                    );
                }
            }
        }
        for slow_load in &self.config.slow_loads {
            let prefix = format!("slow_loads.{}.driver", slow_load.id);
            match &slow_load.driver {
                Some(Driver::Ocpp { .. }) => push(
                    &mut errors,
                    &format!("{prefix}.kind"),
                    "conflict",
                    "cannot be that: a charge point is a charger, not a slow load",
                ),
                Some(driver) => check_driver(driver, &prefix, &mut errors),
                None => {}
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

fn push(errors: &mut Vec<FieldError>, field: &str, code: &'static str, message: impl Into<String>) {
    errors.push(FieldError {
        field: field.to_owned(),
        code,
        message: message.into(),
    });
}

fn meter(meter: &Meter, errors: &mut Vec<FieldError>) {
    if let Some(source) = &meter.source {
        text("meter.source", source, errors);
    }
    for (field, key) in [
        ("meter.key", &meter.key),
        ("meter.auth_key", &meter.auth_key),
    ] {
        let fits = |key: &Secret| {
            let key = key.expose();
            key.len() == KEY_DIGITS && key.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if key.as_ref().is_some_and(|key| !fits(key)) {
            push(
                errors,
                field,
                "format",
                "must be 32 hexadecimal digits, as the grid company gives it",
            );
        }
    }
    if meter
        .ct_ratio
        .is_some_and(|ratio| !CT_RATIO.contains(&ratio))
    {
        push(
            errors,
            "meter.ct_ratio",
            "range",
            "must be from 0.001 to 10000, or null",
        );
    }
}

fn check_driver(driver: &Driver, prefix: &str, errors: &mut Vec<FieldError>) {
    let field = |name: &str| format!("{prefix}.{name}");
    match driver {
        Driver::Ocpp {
            charge_point_id,
            connector,
            auth,
            password,
            ..
        } => {
            if !is_identity(charge_point_id) {
                push(errors, &field("charge_point_id"), "format", IDENTITY_RULE);
            }
            if !(1..=CONNECTOR_MAX).contains(connector) {
                push(errors, &field("connector"), "range", "must be 1 to 100");
            }
            if *auth == OcppAuth::None && password.is_some() {
                let message =
                    "has no use without authentication: leave it out, or set auth to \"basic\"";
                push(errors, &field("password"), "conflict", message);
            }
            device_password(&field("password"), password.as_ref(), errors);
        }
        Driver::ShellyGen2 {
            host,
            channel,
            password,
            ..
        } => {
            check_host(&field("host"), host, errors);
            if *channel > CHANNEL_MAX {
                push(errors, &field("channel"), "range", "must be 0 to 31");
            }
            device_password(&field("password"), password.as_ref(), errors);
        }
        Driver::Http {
            profile,
            host,
            params,
            password,
            ..
        } => {
            if let Some(password) = password {
                text(&field("password"), password.expose(), errors);
            }
            text(&field("profile"), profile, errors);
            check_host(&field("host"), host, errors);
            if params.len() > PARAMS_MAX {
                push(
                    errors,
                    &field("params"),
                    "range",
                    "has more than 64 entries",
                );
            }
            for (name, value) in params {
                text(&field("params"), name, errors);
                if value.len() > TEXT_MAX || value.chars().any(char::is_control) {
                    push(
                        errors,
                        &field(&format!("params.{name}")),
                        "format",
                        "must be at most 512 characters",
                    );
                }
            }
        }
        Driver::Modbus {
            profile, address, ..
        } => {
            text(&field("profile"), profile, errors);
            check_host(&field("address"), address, errors);
        }
        Driver::Mqtt {
            profile,
            broker,
            topic,
        } => {
            text(&field("profile"), profile, errors);
            check_host(&field("broker"), broker, errors);
            text(&field("topic"), topic, errors);
            if topic.contains(['+', '#']) {
                let message = "must be the topic of one device, without + and #";
                push(errors, &field("topic"), "format", message);
            }
        }
    }
}

fn device_password(field: &str, password: Option<&Secret>, errors: &mut Vec<FieldError>) {
    let fits = |password: &Secret| {
        let password = password.expose();
        (1..=PASSWORD_MAX).contains(&password.len())
            && password
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    };
    if password.is_some_and(|password| !fits(password)) {
        push(
            errors,
            field,
            "format",
            "must be 1 to 64 printable ASCII characters",
        );
    }
}

fn text(field: &str, value: &str, errors: &mut Vec<FieldError>) {
    if value.is_empty() || value.len() > TEXT_MAX || value.chars().any(char::is_control) {
        push(
            errors,
            field,
            "format",
            "must be 1 to 512 characters without control characters",
        );
    }
}

/// A host name or address, maybe with a port: no user, path or query.
fn check_host(field: &str, host: &str, errors: &mut Vec<FieldError>) {
    let name_and_port = match host.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .map(|(name, port)| (name, port.strip_prefix(':'), true)),
        None if host.matches(':').count() > 1 => Some((host, None, true)),
        None => Some(match host.split_once(':') {
            Some((name, port)) => (name, Some(port), false),
            None => (host, None, false),
        }),
    };
    let fits = host.len() <= HOST_MAX
        && name_and_port.is_some_and(|(name, port, is_v6)| {
            let name_fits = if is_v6 {
                name.parse::<std::net::Ipv6Addr>().is_ok()
            } else {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            };
            name_fits && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        });
    if !fits {
        push(
            errors,
            field,
            "format",
            "must be a host name or an address, maybe with :port",
        );
    }
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "cases are written in place")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn errors(chargers: Value, slow_loads: Value, meter: Value) -> Vec<(String, &'static str)> {
        let house: House = serde_json::from_value(json!({
            "config": {"chargers": chargers, "slow_loads": slow_loads}, "meter": meter,
        }))
        .unwrap();
        let errors = house
            .validate(PerPhase::default())
            .err()
            .unwrap_or_default();
        errors
            .into_iter()
            .map(|error| (error.field, error.code))
            .collect()
    }

    fn driver_errors(driver: Value) -> Vec<(String, &'static str)> {
        errors(
            json!([]),
            json!([{"id": "h", "rated_w": 1000, "driver": driver}]),
            json!({}),
        )
    }

    #[test]
    fn hosts_are_names_or_addresses_with_or_without_a_port() {
        for host in [
            "192.0.2.7",
            "192.0.2.7:8080",
            "relay.local",
            "relay",
            "[2001:db8::1]:80",
            "2001:db8::1",
        ] {
            let found = driver_errors(json!({"kind": "shelly_gen2", "host": host}));
            assert_eq!(found, [], "{host}");
        }
        for host in [
            "",
            "http://192.0.2.7",
            "a/b",
            "user@host",
            "host:0",
            "host:99999",
            "host:",
            "[::1",
            "a b",
            "é",
        ] {
            let found = driver_errors(json!({"kind": "shelly_gen2", "host": host}));
            assert_eq!(
                found,
                [("slow_loads.h.driver.host".to_owned(), "format")],
                "{host}"
            );
        }
    }

    #[test]
    fn charge_points_are_told_apart_and_can_be_addressed() {
        let charger = |id: &str, identity: &str, connector: u32| json!({"id": id, "driver": {"kind": "ocpp", "charge_point_id": identity, "connector": connector}});
        let one_each = json!([charger("a", "CP1", 1), charger("b", "CP1", 2)]);
        assert_eq!(errors(one_each, json!([]), json!({})), []);
        let twice = json!([charger("a", "CP1", 1), charger("b", "CP1", 1)]);
        let expected = [("chargers.b.driver.charge_point_id".to_owned(), "duplicate")];
        assert_eq!(errors(twice, json!([]), json!({})), expected);
        for identity in ["", "a/b", "---", "a b ", "é"] {
            let found = errors(json!([charger("a", identity, 1)]), json!([]), json!({}));
            let expected = [("chargers.a.driver.charge_point_id".to_owned(), "format")];
            assert_eq!(found, expected, "{identity}");
        }
        assert_eq!(
            errors(json!([charger("a", "CP", 0)]), json!([]), json!({})).len(),
            1
        );
    }

    #[test]
    fn a_charge_point_is_no_slow_load() {
        let found = driver_errors(json!({"kind": "ocpp", "charge_point_id": "CP1"}));
        assert_eq!(found, [("slow_loads.h.driver.kind".to_owned(), "conflict")]);
    }

    #[test]
    fn a_topic_is_of_one_device() {
        let driver = |topic: &str| json!({"kind": "mqtt", "profile": "tasmota", "broker": "192.0.2.5", "topic": topic});
        assert_eq!(driver_errors(driver("house/heater")), []);
        for topic in ["", "#", "house/+/heater"] {
            let found = driver_errors(driver(topic));
            let expected = [("slow_loads.h.driver.topic".to_owned(), "format")];
            assert_eq!(found, expected, "{topic}");
        }
    }

    #[test]
    fn keys_and_ratios_of_meters() {
        let key = "00112233445566778899aabbccddeeff";
        let good = json!({"source": "serial:/dev/ttyUSB0", "key": key, "ct_ratio": 40});
        assert_eq!(errors(json!([]), json!([]), good), []);
        for (bad, field) in [
            (json!({"key": "0011"}), "meter.key"),
            (json!({"auth_key": format!("{key}0")}), "meter.auth_key"),
            (json!({"ct_ratio": 0}), "meter.ct_ratio"),
            (json!({"ct_ratio": -1}), "meter.ct_ratio"),
            (json!({"source": ""}), "meter.source"),
        ] {
            let found = errors(json!([]), json!([]), bad);
            assert_eq!(found.first().map(|(field, _)| field.as_str()), Some(field));
        }
    }

    #[test]
    fn the_time_zone_is_one_that_exists() {
        let mut house = House::default();
        house.config.site.time_zone = "Europe/Oslo".into();
        assert_eq!(house.validate(PerPhase::default()), Ok(()));
        house.config.site.time_zone = "Europe/Atlantis".into();
        assert_eq!(
            house.validate(PerPhase::default()).unwrap_err()[0].field,
            "site.time_zone"
        );
    }
}
