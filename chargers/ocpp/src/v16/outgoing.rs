//! The other calls of a central system (OCPP 1.6 chapter 5): configuration, triggers, operations,
//! clearing and asking for schedules; and what comes back.

use serde_json::{Value, json};

use crate::{
    types::{Operation, Trigger},
    value::{member, text_member},
};

/// Name and payload of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) action: &'static str,
    pub(crate) payload: Value,
}

/// Longest texts of the schemas, in characters.
const ID_TAG: usize = 20;
const VENDOR_ID: usize = 255;
const MESSAGE_ID: usize = 50;

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

/// `ClearChargingProfile` of one purpose, for the connector or the whole charge point.
pub(crate) fn clear(purpose: &str, connector: u32) -> Call {
    Call {
        action: "ClearChargingProfile",
        payload: json!({"connectorId": connector, "chargingProfilePurpose": purpose}),
    }
}

/// `GetCompositeSchedule` of the connector for the next `duration_s` seconds.
pub(crate) fn get_composite_schedule(connector: u32, duration_s: u32, unit: &str) -> Call {
    Call {
        action: "GetCompositeSchedule",
        payload: json!({"connectorId": connector, "duration": duration_s, "chargingRateUnit": unit}),
    }
}

/// The call of an operation; `None` where there is nothing to call, because no transaction is
/// known that could be stopped, or because it has calls of its own.
pub(crate) fn operation(
    operation: &Operation,
    connector: u32,
    transaction: Option<i32>,
) -> Option<Call> {
    let cut = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    let (action, payload) = match operation {
        Operation::SetAvailability { operative } => {
            let kind = if *operative {
                "Operative"
            } else {
                "Inoperative"
            };
            (
                "ChangeAvailability",
                json!({"connectorId": connector, "type": kind}),
            )
        }
        Operation::Reset { hard } => {
            let kind = if *hard { "Hard" } else { "Soft" };
            ("Reset", json!({"type": kind}))
        }
        Operation::RemoteStart { id_tag } => (
            "RemoteStartTransaction",
            json!({"connectorId": connector, "idTag": cut(id_tag, ID_TAG)}),
        ),
        Operation::RemoteStop => (
            "RemoteStopTransaction",
            json!({"transactionId": transaction?}),
        ),
        Operation::Trigger(what) => {
            return Some(match what {
                Trigger::BootNotification => trigger("BootNotification", None),
                Trigger::Heartbeat => trigger("Heartbeat", None),
                Trigger::StatusNotification => trigger("StatusNotification", Some(connector)),
                Trigger::MeterValues => trigger("MeterValues", Some(connector)),
            });
        }
        Operation::DataTransfer {
            vendor_id,
            message_id,
            data,
        } => {
            let mut payload = json!({"vendorId": cut(vendor_id, VENDOR_ID)});
            if let Some(object) = payload.as_object_mut() {
                let message = message_id.as_ref().map(|id| cut(id, MESSAGE_ID));
                object.extend(message.map(|id| ("messageId".to_owned(), id.into())));
                object.extend(data.clone().map(|data| ("data".to_owned(), data.into())));
            }
            ("DataTransfer", payload)
        }
        Operation::ClearForeignProfiles => return None,
    };
    Some(Call { action, payload })
}

/// Whether an answer's `status` says yes. `RebootRequired` and `Scheduled` are a yes that takes
/// effect later.
pub(crate) fn is_accepted(payload: &Value) -> bool {
    let status = text_member(payload, "status").unwrap_or_default();
    ["Accepted", "RebootRequired", "Scheduled"]
        .iter()
        .any(|yes| status.eq_ignore_ascii_case(yes))
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
