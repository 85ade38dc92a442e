//! The other calls of a central system: configuration and triggers (OCPP 1.6 sections 5.3, 5.8,
//! 5.17), and what comes back.

use serde_json::{Value, json};

use crate::value::{member, text_member};

/// Name and payload of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) action: &'static str,
    pub(crate) payload: Value,
}

/// Most keys of a configuration that are looked at; the longest seen has about 200.
const MAX_KEYS: usize = 1_000;

pub(crate) fn get_configuration(key: Option<&str>) -> Call {
    let payload = key.map_or_else(|| json!({}), |key| json!({"key": [key]}));
    Call {
        action: "GetConfiguration",
        payload,
    }
}

pub(crate) fn change_configuration(key: &str, value: &str) -> Call {
    Call {
        action: "ChangeConfiguration",
        payload: json!({"key": key, "value": value}),
    }
}

pub(crate) fn trigger(message: &str, connector: Option<u32>) -> Call {
    let mut payload = json!({"requestedMessage": message});
    if let (Some(connector), Some(object)) = (connector, payload.as_object_mut()) {
        object.insert("connectorId".into(), connector.into());
    }
    Call {
        action: "TriggerMessage",
        payload,
    }
}

/// Whether an answer's `status` says yes. `RebootRequired` is a yes that takes effect later.
pub(crate) fn is_accepted(payload: &Value) -> bool {
    let status = text_member(payload, "status").unwrap_or_default();
    status.eq_ignore_ascii_case("Accepted") || status.eq_ignore_ascii_case("RebootRequired")
}

/// One key of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigurationKey {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    pub(crate) read_only: bool,
}

/// The keys of a `GetConfiguration` answer.
pub(crate) fn configuration_keys(payload: &Value) -> Vec<ConfigurationKey> {
    let Some(Value::Array(list)) = member(payload, "configurationKey") else {
        return Vec::new();
    };
    list.iter()
        .take(MAX_KEYS)
        .filter_map(|entry| {
            let read_only = text_member(entry, "readonly");
            Some(ConfigurationKey {
                name: text_member(entry, "key")?,
                value: text_member(entry, "value"),
                read_only: read_only.is_some_and(|word| word.eq_ignore_ascii_case("true")),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_keys_in_every_dress() {
        let keys = configuration_keys(&json!({"configurationKey": [
            {"key": "A", "readonly": "true", "value": 5},
            {"key": "B", "readonly": false},
            {"Key": "C", "value": true, "readonly": true},
            {"value": "nameless"}, 7]}));
        let plain: Vec<_> = keys
            .iter()
            .map(|key| (&*key.name, key.value.as_deref(), key.read_only))
            .collect();
        assert_eq!(
            plain,
            [
                ("A", Some("5"), true),
                ("B", None, false),
                ("C", Some("true"), true)
            ]
        );
        assert!(configuration_keys(&json!({"configurationKey": "none"})).is_empty());
    }

    #[test]
    fn statuses() {
        for (payload, want) in [
            (json!({"status": "Accepted"}), true),
            (json!({"status": " accepted "}), true),
            (json!({"status": "RebootRequired"}), true),
            (json!({"status": "Rejected"}), false),
            (json!({"status": "Whatever"}), false),
            (json!({}), false),
            (json!([]), false),
        ] {
            assert_eq!(is_accepted(&payload), want, "{payload}");
        }
    }
}
