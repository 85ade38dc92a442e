//! What differs between two configurations, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that is another one now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where it stands, with the id of the load or circuit, for example `chargers.ev1.max_current_a`.
    pub field: String,
    /// What it was; `null`: it was not there.
    pub before: Value,
    /// What it is; `null`: it is not there any more.
    pub after: Value,
}

/// What differs, in the order of the fields' names.
fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

/// What differs between two houses as JSON. What the file and the API call `site.…` and `chargers.…` stands a level deeper
/// in them.
pub(crate) fn house_changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = changes(before, after);
    for change in &mut found {
        if let Some(field) = change.field.strip_prefix("config.") {
            change.field = field.to_owned();
        }
    }
    found
}

fn compare(field: String, before: &Value, after: &Value, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let (Some(one), Some(other)) = (parts(before), parts(after)) else {
        found.push(Change {
            field,
            before: before.clone(),
            after: after.clone(),
        });
        return;
    };
    let names: BTreeSet<&str> = one.keys().chain(other.keys()).copied().collect();
    for name in names {
        let within = if field.is_empty() {
            name.to_owned()
        } else {
            format!("{field}.{name}")
        };
        let part = |parts: &BTreeMap<&str, &Value>| {
            parts.get(name).map_or(Value::Null, |it| (*it).clone())
        };
        compare(within, &part(&one), &part(&other), found);
    }
}

/// The parts of an object by their names, and those of a list by their ids.
fn parts(value: &Value) -> Option<BTreeMap<&str, &Value>> {
    match value {
        Value::Object(object) => Some(
            object
                .iter()
                .map(|(name, it)| (name.as_str(), it))
                .collect(),
        ),
        Value::Array(list) => {
            let by_id: Option<BTreeMap<_, _>> = list
                .iter()
                .map(|it| Some((it.get("id")?.as_str()?, it)))
                .collect();
            by_id.filter(|parts| parts.len() == list.len())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_and_loads_that_differ_are_named() {
        let before = json!({"site": {"margin_a": 0.0, "tuning": {"hold_s": 60}}, "chargers": [
            {"id": "ev1", "max_current_a": 16.0, "phases": ["l1"]}, {"id": "ev2", "priority": 1}]});
        let after = json!({"site": {"margin_a": 2.0, "tuning": {"hold_s": 60}}, "chargers": [
            {"id": "ev3", "priority": 1}, {"id": "ev1", "max_current_a": 10.0, "phases": ["l1", "l2"]}]});
        let found: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.field, change.before, change.after))
            .collect();
        let expected = [
            ("chargers.ev1.max_current_a", json!(16.0), json!(10.0)),
            ("chargers.ev1.phases", json!(["l1"]), json!(["l1", "l2"])),
            (
                "chargers.ev2",
                json!({"id": "ev2", "priority": 1}),
                Value::Null,
            ),
            (
                "chargers.ev3",
                Value::Null,
                json!({"id": "ev3", "priority": 1}),
            ),
            ("site.margin_a", json!(0.0), json!(2.0)),
        ];
        assert_eq!(
            found,
            expected.map(|(field, before, after)| (field.to_owned(), before, after))
        );
        assert!(changes(&after, &after).is_empty());
    }
}
