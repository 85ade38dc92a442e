//! Reading the configuration's file.

use anyhow::bail;
use headroom_core::Config;
use headroom_core::config::{Charger, Driver, Meter, Site, SlowLoad};
use headroom_core::validate::FieldError;
use headroom_store::{House, Notifications};
use headroom_web::apply::Wanted;
use headroom_web::part;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Largest file that is read, in bytes; the largest configuration is far smaller.
pub(super) const FILE_MAX: u64 = 1024 * 1024;

/// A configuration as its file has it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    site: Site,
    meter: Meter,
    chargers: Vec<Charger>,
    slow_loads: Vec<SlowLoad>,
    notifications: Notifications,
    #[serde(skip_serializing_if = "Option::is_none")]
    priorities: Option<Priorities>,
}

/// As `PUT /priorities` has it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Priorities {
    order: Vec<Vec<String>>,
}

/// Reads a file's text.
///
/// # Errors
/// Where it is no TOML, with the line; else everything in it that cannot be read, each with its field.
pub(crate) fn read(text: &str) -> anyhow::Result<Wanted> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        anyhow::anyhow!(
            "nothing was changed: the file is no TOML: {}",
            super::lines::problem(text, &error)
        )
    })?;
    let sent = serde_json::to_value(&table)?;
    let mut errors = Vec::new();
    for (name, value) in &table {
        not_finite(name, value, &mut errors);
    }
    let mut document = Document {
        site: read_part(&sent, "site", &mut errors),
        meter: read_part(&sent, "meter", &mut errors),
        chargers: read_list(&sent, "chargers", &mut errors),
        slow_loads: read_list(&sent, "slow_loads", &mut errors),
        notifications: read_part(&sent, "notifications", &mut errors),
        priorities: None,
    };
    if sent.get("priorities").is_some() {
        document.priorities = Some(read_part(&sent, "priorities", &mut errors));
    }
    let known = serde_json::to_value(&document)?;
    for name in table.keys() {
        if known.get(name).is_none() {
            errors.push(FieldError {
                field: name.clone(),
                code: "unknown",
                message: "is not known here; there is: site, meter, chargers, slow_loads, notifications, priorities".to_owned(),
            });
        }
    }
    if !errors.is_empty() {
        super::lines::tell(text, &mut errors);
        return Err(super::wrong(&errors));
    }
    // An empty pipe must not empty the house.
    if sent.get("site").is_none() {
        bail!(
            "it has no [site], so it is no whole configuration, and everything that it leaves out would go. \
             Begin with what headroom export gives"
        );
    }
    // Read only: ignored, as the API ignores them.
    document.meter.key_set = false;
    let drivers = (document.chargers.iter_mut().map(|it| &mut it.driver))
        .chain(document.slow_loads.iter_mut().map(|it| &mut it.driver));
    for driver in drivers.flatten() {
        if let Driver::Ocpp { password_set, .. }
        | Driver::ShellyGen2 { password_set, .. }
        | Driver::Http { password_set, .. } = driver
        {
            *password_set = false;
        }
    }
    Ok(Wanted {
        house: House {
            config: Config {
                site: document.site,
                chargers: document.chargers,
                slow_loads: document.slow_loads,
            },
            meter: document.meter,
            notifications: document.notifications,
        },
        order: document.priorities.map(|priorities| priorities.order),
        says_mode: sent.pointer("/site/mode").is_some(),
    })
}

/// TOML has numbers that JSON has not.
fn not_finite(path: &str, value: &toml::Value, errors: &mut Vec<FieldError>) {
    match value {
        toml::Value::Float(number) if !number.is_finite() => errors.push(FieldError {
            field: path.to_owned(),
            code: "range",
            message: "must be a finite number".to_owned(),
        }),
        toml::Value::Table(table) => {
            for (name, value) in table {
                not_finite(&format!("{path}.{name}"), value, errors);
            }
        }
        toml::Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                not_finite(&format!("{path}[{index}]"), value, errors);
            }
        }
        _ => {}
    }
}

/// A table of the file; what it leaves out has its default.
fn read_part<T: DeserializeOwned + Serialize + Default>(
    sent: &serde_json::Value,
    name: &str,
    errors: &mut Vec<FieldError>,
) -> T {
    let Some(value) = sent.get(name) else {
        return T::default();
    };
    part(name, value).unwrap_or_else(|error| {
        errors.push(error);
        T::default()
    })
}

/// The tables of a list, each named by its id where it has one. Those that can be read.
fn read_list<T: DeserializeOwned + Serialize>(
    sent: &serde_json::Value,
    name: &str,
    errors: &mut Vec<FieldError>,
) -> Vec<T> {
    let items = match sent.get(name) {
        None => return Vec::new(),
        Some(serde_json::Value::Array(items)) => items,
        Some(_) => {
            errors.push(FieldError {
                field: name.to_owned(),
                code: "type",
                message: format!("must be a list of tables: [[{name}]]"),
            });
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let id = item.get("id").and_then(serde_json::Value::as_str);
        let path = id.map_or_else(|| format!("{name}[{index}]"), |id| format!("{name}.{id}"));
        match part(&path, item) {
            Ok(item) => read.push(item),
            Err(error) => errors.push(error),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::text::write;
    use super::*;

    /// With everything that can be set.
    fn everything() -> House {
        serde_json::from_value(json!({
            "config": {
                "site": {"name": "Grün \"7\" \\ \u{7f}\n\t#", "time_zone": "Europe/Oslo", "mode": "control", "grid": "tn_3ph",
                    "main_fuse": {"rating_a": [25, 25, 20.5], "characteristic": "c", "curve": "band"},
                    "margin_a": 0.25, "nominal_voltage_v": 231.5, "largest_step_a": 12, "max_power_w": 11000,
                    "circuits": [
                        {"id": "garage", "rating_a": 20, "meter": "tcp://192.0.2.9:2001"},
                        {"id": "yard", "parent": "garage", "rating_a": [16, 10], "characteristic": "b", "curve": "standard"}],
                    "public_view": true, "tuning": {"stale_after_s": 9, "hold_s": 61}},
                "chargers": [
                    {"id": "ev1", "name": "Garage", "circuit": "garage", "phases": ["l2", "l3", "l1"], "phase_switching": true,
                        "min_current_a": 6.5, "safe_current_a": 6, "lease": "proven", "priority": 4_000_000, "accept_risk": true,
                        "driver": {"kind": "ocpp", "charge_point_id": "CP 1", "connector": 2, "password": "canary-ocpp"}},
                    {"id": "ev2", "driver": {"kind": "ocpp", "charge_point_id": "CP2", "auth": "none"}},
                    {"id": "ev3", "driver": {"kind": "http", "profile": "p", "host": "192.0.2.8",
                        "params": {"": "empty", "a b": "x", "plain": "=\u{1}"}}},
                    {"id": "ev4", "driver": {"kind": "modbus", "profile": "p", "address": "192.0.2.8:502", "unit": 7}},
                    {"id": "ev5"}],
                "slow_loads": [
                    {"id": "heater", "rated_w": 2000, "phases": ["l1"], "circuit": "yard", "driver":
                        {"kind": "shelly_gen2", "host": "192.0.2.7", "channel": 1, "password": "canary-relay"}},
                    {"id": "pump", "rated_w": 1500, "driver":
                        {"kind": "mqtt", "profile": "p", "broker": "192.0.2.6", "topic": "a/b"}}],
            },
            "meter": {"source": "mqtt://jo:***@192.0.2.6/ams", "source_password": "canary-source", "key": "canary-key",
                "auth_key": "canary-auth", "ct_ratio": 40.5},
            "notifications": {"language": "et", "webhook": {"url": "https://example.org/a?b=c", "token": "canary-hook"},
                "ntfy": {"url": "http://192.0.2.6/house", "token": "canary-ntfy"},
                "email": {"host": "mail.example.org", "port": 465, "tls": "tls", "user": "jo", "password": "canary-mail",
                    "from": "house@example.org", "to": ["jo@example.org", "kari@example.org"]}},
        }))
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for house in [House::default(), everything()] {
            let text = write(&house).unwrap();
            let read = read(&text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
            assert_eq!(read.house, house, "{text}");
            assert_eq!(read.order, None);
            assert_eq!(write(&read.house).unwrap(), text);
        }
    }

    #[test]
    fn each_field_has_its_comment() {
        let text = write(&everything()).unwrap();
        let mut before = "";
        let (mut fields, mut bare) = (0, Vec::new());
        for line in text.lines().skip_while(|line| !line.starts_with('[')) {
            if !line.starts_with(['#', '[']) && !line.is_empty() {
                fields += 1;
                if !before.starts_with("# ") {
                    bare.push(line);
                }
            }
            before = line;
        }
        assert!(fields > 60, "{fields}");
        // What only some devices have.
        for line in bare {
            let known = ["broker", "topic", "address", "unit", "\"", "plain"];
            assert!(known.iter().any(|name| line.starts_with(name)), "{line}");
        }
        assert!(
            text.contains("# phases is not set # The line at each"),
            "{text}"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, word) in [
            ("[site]\nnmae = \"x\"", "line 2"),
            ("[site]\nmode = \"off\"", "control"),
            ("[site", "line 1"),
            ("[[chargers]]\nmax_current_a = \"16\"", "line 2"),
            ("site = [\"Home\"]", "site must be a table"),
            ("", "no whole configuration"),
            ("[[slow_loads]]\nid = \"heater\"", "rated_w"),
            (
                "[site]\nmargin_a = 1\n\n[site.main_fuse]\nrating_a = nan",
                "line 5",
            ),
            (
                "[[chargers]]\nid = \"a\"\n[[chargers]]\nid = \"b\"\n[chargers.driver]\nkind = 7",
                "line 6",
            ),
            ("[site]\n[[site.circuits]]\nid = \"x\"\nnew = 1", "line 4"),
            ("[site]\n[unknown]\nx = 1", "line 2"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_order_may_be_given_apart() {
        let wanted = read("[site]\n[priorities]\norder = [[\"a\"], [\"b\", \"c\"]]").unwrap();
        assert_eq!(wanted.order.unwrap()[1], ["b", "c"]);
        let example: Value = toml::from_str("[site.main_fuse]\nrating_a = 25").unwrap();
        assert_eq!(example["site"]["main_fuse"]["rating_a"], 25);
    }
}
