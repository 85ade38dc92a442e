//! The change: fields over the recorded configuration.

use headroom_core::config::Site;
use headroom_core::validate::FieldError;
use headroom_core::{Config, Milliamps, PerPhase};
use serde_json::{Map, Value};

use super::recording::{Version, has};

fn wrong(
    field: impl Into<String>,
    code: &'static str,
    message: impl Into<String>,
) -> Vec<FieldError> {
    vec![FieldError {
        field: field.into(),
        code,
        message: message.into(),
    }]
}

/// The change made to each configuration that was in force, or why it cannot be made to that one. What it says of a load that came later,
/// or had gone, is of it as it was then; where its circuit was not there, it hangs on the main fuse.
pub(super) fn apply_to_each(
    versions: &[Version],
    highest_background: PerPhase<Milliamps>,
    change: &Value,
) -> Vec<Result<Config, Vec<FieldError>>> {
    let all: Vec<&Config> = versions.iter().map(|version| &version.config).collect();
    let errors = |config: &Config| {
        let valid = config.validate(highest_background);
        valid.err().unwrap_or_default()
    };
    let changed = all.iter().map(|before| {
        let after = apply(before, &all, change)?;
        let mut made = errors(&after);
        if !made.is_empty() {
            // What was wrong all by itself is none of the change's doing: the house ran with it.
            let own = errors(before);
            let is_own = |error: &FieldError| {
                own.iter()
                    .any(|it| it.field == error.field && it.code == error.code)
            };
            made.retain(|error| !is_own(error));
        }
        if made.is_empty() {
            Ok(after)
        } else {
            Err(made)
        }
    });
    changed.collect()
}

/// A recorded configuration with the change; `all` are those of the whole time.
fn apply(recorded: &Config, all: &[&Config], change: &Value) -> Result<Config, Vec<FieldError>> {
    let base =
        serde_json::to_value(recorded).map_err(|error| wrong("", "format", error.to_string()))?;
    let Value::Object(change) = change else {
        return Err(wrong("", "type", "must be an object"));
    };
    let Value::Object(mut whole) = base else {
        return Err(wrong("", "type", "must be an object"));
    };
    let own_circuits = change
        .get("site")
        .is_some_and(|site| site.get("circuits").is_some());
    let mut order = None;
    for (name, value) in change {
        match (name.as_str(), whole.get_mut(name)) {
            ("site", Some(site)) => merge(site, value),
            ("chargers" | "slow_loads", Some(loads)) => {
                let mut known = loads.as_array().cloned().unwrap_or_default();
                for other in all {
                    let other = serde_json::to_value(other).unwrap_or_default();
                    known.extend(
                        other
                            .get(name)
                            .and_then(Value::as_array)
                            .cloned()
                            .unwrap_or_default(),
                    );
                }
                *loads = list(&known, name, value)?;
            }
            ("priorities", _) => order = Some(value),
            // A whole file of `headroom export` may be the change; how the meter is read and whom alarms are sent to changes nothing here.
            ("meter" | "notifications", _) => {}
            _ => return Err(wrong(name, "unknown", "is not known here")),
        }
    }
    let mut config: Config =
        serde_path_to_error::deserialize(Value::Object(whole)).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "" } else { &path };
            wrong(field, super::UNREADABLE, error.inner().to_string())
        })?;
    if !own_circuits {
        hang_where_it_can(&mut config, all);
    }
    if let Some(order) = order {
        // One that was gone in the end keeps its priority while it is there: whoever orders does not see it any more.
        let newest = all
            .last()
            .filter(|newest| !std::ptr::eq(**newest, recorded));
        let gone = |id: &str| newest.is_some_and(|newest| !has(newest, id));
        set_order(&mut config, all, order, gone)?;
    }
    Ok(config)
}

/// A load whose circuit is there at another time hangs on the main fuse. A circuit that there never was stays, and is told.
fn hang_where_it_can(config: &mut Config, all: &[&Config]) {
    let Config {
        site,
        chargers,
        slow_loads,
    } = config;
    let has = |site: &Site, circuit: &str| site.circuits.iter().any(|it| it.id == circuit);
    let chargers = chargers.iter_mut().map(|it| &mut it.circuit);
    let slow_loads = slow_loads.iter_mut().map(|it| &mut it.circuit);
    for place in chargers.chain(slow_loads) {
        let elsewhere = |circuit: &mut String| {
            !has(site, circuit) && all.iter().any(|other| has(&other.site, circuit))
        };
        place.take_if(elsewhere);
    }
}

/// Fields over fields; what is no object replaces.
fn merge(base: &mut Value, change: &Value) {
    match (base, change) {
        (Value::Object(base), Value::Object(change)) => {
            for (name, value) in change {
                merge(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, change) => *base = change.clone(),
    }
}

/// All loads of a kind, each over the recorded one of its id.
fn list(known: &[Value], name: &str, change: &Value) -> Result<Value, Vec<FieldError>> {
    let Value::Array(change) = change else {
        return Err(wrong(name, "type", "must be a list"));
    };
    let loads = change.iter().enumerate().map(|(index, load)| {
        let mut load = load.clone();
        if let Some(load) = load.as_object_mut() {
            // How it is reached changes nothing here.
            load.remove("driver");
        }
        let id = load
            .get("id")
            .and_then(Value::as_str)
            .ok_or_else(|| wrong(format!("{name}[{index}].id"), "required", "is missing"))?;
        let known = known
            .iter()
            .find(|it| it.get("id").is_some_and(|own| own == id));
        let mut whole = known.cloned().unwrap_or_else(|| Value::Object(Map::new()));
        merge(&mut whole, &load);
        Ok::<_, Vec<FieldError>>(whole)
    });
    Ok(Value::Array(loads.collect::<Result<_, _>>()?))
}

/// As `PUT /priorities`: the last list 1, counting up.
fn set_order(
    config: &mut Config,
    all: &[&Config],
    order: &Value,
    gone: impl Fn(&str) -> bool,
) -> Result<(), Vec<FieldError>> {
    let shape = || {
        wrong(
            "priorities.order",
            "type",
            "must be lists of the loads' ids",
        )
    };
    let order: Vec<Vec<String>> = order
        .get("order")
        .cloned()
        .and_then(|order| serde_json::from_value(order).ok())
        .ok_or_else(shape)?;
    let class = |id: &str| {
        let mut found = (1_u32..)
            .zip(order.iter().rev())
            .filter(|(_, class)| class.iter().any(|it| it == id));
        found.next().map(|(priority, _)| priority)
    };
    let loads = (config
        .chargers
        .iter_mut()
        .map(|it| (&it.id, &mut it.priority)))
    .chain(
        config
            .slow_loads
            .iter_mut()
            .map(|it| (&it.id, &mut it.priority)),
    );
    let mut count = 0;
    for (id, priority) in loads {
        match class(id) {
            Some(class) => {
                *priority = class;
                count += 1;
            }
            None if gone(id) => {}
            None => {
                let message = format!("lacks the load \"{id}\": each must stand there once");
                return Err(wrong("priorities.order", "required", message));
            }
        }
    }
    // A load that is there at another time may stand there too.
    let elsewhere = |id: &&String| !has(config, id) && all.iter().any(|other| has(other, id));
    let named = order.iter().flatten();
    if named.clone().count() - named.filter(elsewhere).count() != count {
        return Err(wrong(
            "priorities.order",
            "unknown",
            "names a load that is none, or one twice",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded() -> Config {
        serde_json::from_value(
            json!({"site": {"main_fuse": {"rating_a": 25, "characteristic": "b"}},
            "chargers": [{"id": "ev1", "max_current_a": 10}, {"id": "ev2"}],
            "slow_loads": [{"id": "heater", "rated_w": 2000}]}),
        )
        .unwrap()
    }

    #[test]
    fn what_is_named_is_changed_and_nothing_else() {
        let before = recorded();
        assert_eq!(apply(&before, &[], &json!({})).unwrap(), before);
        let change = json!({"site": {"main_fuse": {"rating_a": 20}}, "slow_loads": [],
            "chargers": [{"id": "ev1", "min_current_a": 8}, {"id": "ev3", "max_current_a": 32}]});
        let after = apply(&before, &[], &change).unwrap();
        assert_eq!(
            after.site.main_fuse.characteristic,
            before.site.main_fuse.characteristic
        );
        assert_ne!(
            after.site.main_fuse.rating_a,
            before.site.main_fuse.rating_a
        );
        assert!(after.slow_loads.is_empty());
        let ids: Vec<_> = after.chargers.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["ev1", "ev3"]);
        assert_eq!(
            after.chargers[0].max_current_a,
            before.chargers[0].max_current_a
        );
        let order = json!({"priorities": {"order": [["heater", "ev2"], ["ev1"]]}});
        let after = apply(&before, &[], &order).unwrap();
        let priorities: Vec<_> = after.chargers.iter().map(|it| it.priority).collect();
        assert_eq!((priorities, after.slow_loads[0].priority), (vec![1, 2], 2));
    }

    /// Two versions: one without the circuit and its charger, and the one that has both.
    fn with_and_without() -> [Config; 2] {
        let later = json!({"site": {"circuits": [{"id": "garage", "rating_a": 16}]},
            "chargers": [{"id": "ev1"}, {"id": "ev2", "circuit": "garage"}]});
        [
            json!({"chargers": [{"id": "ev1"}, {"id": "ev9", "priority": 7}]}),
            later,
        ]
        .map(|config| serde_json::from_value(config).unwrap())
    }

    #[test]
    fn a_load_hangs_on_the_main_fuse_before_there_was_its_circuit() {
        let [before, after] = &with_and_without();
        let circuits = |change: Value| {
            [before, after].map(|it| {
                let config = apply(it, &[before, after], &change).unwrap();
                let charger = config.chargers.iter().find(|it| it.id == "ev2");
                charger.unwrap().circuit.clone()
            })
        };
        let garage = Some("garage".to_owned());
        let known = json!({"chargers": [{"id": "ev1"}, {"id": "ev2"}]});
        assert_eq!(circuits(known), [None, garage.clone()]);
        let named = json!({"chargers": [{"id": "ev2", "circuit": "garage"}]});
        assert_eq!(circuits(named), [None, garage]);
        // One that there never was, and one that the change takes away, are for the validation.
        let nowhere = Some("nowhere".to_owned());
        let wrong = json!({"chargers": [{"id": "ev2", "circuit": "nowhere"}]});
        assert_eq!(circuits(wrong), [nowhere.clone(), nowhere]);
        let removed = json!({"site": {"circuits": []}, "chargers": [{"id": "ev2"}]});
        assert!(circuits(removed).iter().all(Option::is_some));
    }

    #[test]
    fn an_order_need_not_name_what_was_gone_in_the_end() {
        let [before, after] = &with_and_without();
        let all = [before, after];
        let order = json!({"priorities": {"order": [["ev1"], ["ev2"]]}});
        let ordered = apply(before, &all, &order).unwrap();
        let priorities: Vec<_> = ordered.chargers.iter().map(|it| it.priority).collect();
        assert_eq!(priorities, [2, 7]);
        let lacking = json!({"priorities": {"order": [["ev1"], ["ev9"]]}});
        assert!(apply(after, &all, &lacking).is_err());
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (change, word) in [
            (json!([]), "must be an object"),
            (json!({"fuse": 1}), "fuse"),
            (json!({"site": {"nmae": "x"}}), "nmae"),
            (
                json!({"site": {"main_fuse": {"rating_a": "x"}}}),
                "site.main_fuse.rating_a must be a number, or a list of numbers",
            ),
            (
                json!({"chargers": [{"max_current_a": 10}]}),
                "chargers[0].id",
            ),
            (json!({"chargers": {}}), "must be a list"),
            (json!({"priorities": {"order": [["ev1"]]}}), "ev2"),
            (
                json!({"priorities": {"order": [["ev1", "ev2", "heater", "x"]]}}),
                "is none",
            ),
        ] {
            let error = apply(&recorded(), &[], &change).unwrap_err();
            let error = super::super::WhatIfError::Invalid(error).to_string();
            assert!(error.contains(word), "{change}: {error}");
        }
    }
}
