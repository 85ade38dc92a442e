//! The other calls of a central system (OCPP 2.0.1 part 2): variables, triggers, profiles, operations.

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

/// A variable of the device model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) component: &'static str,
    pub(crate) name: &'static str,
}

impl Variable {
    pub(crate) const fn new(component: &'static str, name: &'static str) -> Self {
        Self { component, name }
    }

    fn fields(self) -> Value {
        json!({"component": {"name": self.component}, "variable": {"name": self.name}})
    }

    /// Whether an entry of an answer is about this variable.
    fn is_in(self, entry: &Value) -> bool {
        let named = |part: &str, name: &str| {
            member(entry, part)
                .and_then(|part| text_member(part, "name"))
                .is_some_and(|told| told.eq_ignore_ascii_case(name))
        };
        named("component", self.component) && named("variable", self.name)
    }
}

/// Most entries of an answer that are looked at.
const MAX_ENTRIES: usize = 200;

pub(crate) fn get_variables(variables: &[Variable]) -> Call {
    let data: Vec<Value> = variables.iter().map(|variable| variable.fields()).collect();
    Call {
        action: "GetVariables",
        payload: json!({"getVariableData": data}),
    }
}

pub(crate) fn set_variable(variable: Variable, value: &str) -> Call {
    let mut data = variable.fields();
    if let Some(object) = data.as_object_mut() {
        object.insert("attributeValue".into(), value.into());
    }
    Call {
        action: "SetVariables",
        payload: json!({"setVariableData": [data]}),
    }
}

/// The variables of a `GetVariables` answer that have a value, of those that were asked for.
pub(crate) fn variables(payload: &Value, asked: &[Variable]) -> Vec<(Variable, String)> {
    entries(payload, "getVariableResult")
        .filter(|entry| is_yes(entry, "attributeStatus"))
        .filter_map(|entry| {
            let variable = asked.iter().find(|variable| variable.is_in(entry))?;
            Some((*variable, text_member(entry, "attributeValue")?))
        })
        .collect()
}

/// Whether a `GetVariables` answer says anything on any variable.
pub(crate) fn has_variables(payload: &Value) -> bool {
    entries(payload, "getVariableResult").next().is_some()
}

/// Whether a `SetVariables` answer says yes to all. `RebootRequired` is a yes that takes effect
/// later.
pub(crate) fn is_set(payload: &Value) -> bool {
    let mut any = false;
    let all = entries(payload, "setVariableResult").all(|entry| {
        any = true;
        is_yes(entry, "attributeStatus")
    });
    any && all
}

fn entries<'a>(payload: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    let entries = match member(payload, list) {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(single @ Value::Object(_)) => std::slice::from_ref(single),
        _ => &[],
    };
    entries.iter().take(MAX_ENTRIES)
}

fn is_yes(payload: &Value, field: &str) -> bool {
    let status = text_member(payload, field).unwrap_or_default();
    ["Accepted", "RebootRequired", "Scheduled"]
        .iter()
        .any(|yes| status.eq_ignore_ascii_case(yes))
}

/// Whether an answer's `status` says yes. `RebootRequired` and `Scheduled` are a yes that takes
/// effect later.
pub(crate) fn is_accepted(payload: &Value) -> bool {
    is_yes(payload, "status")
}

/// Why an answer says no: its status, and the reason where one is given.
pub(crate) fn reason(payload: &Value) -> String {
    let info = member(payload, "statusInfo");
    let part = |name| info.and_then(|info| text_member(info, name));
    let parts = [
        text_member(payload, "status"),
        part("reasonCode"),
        part("additionalInfo"),
    ];
    let words: Vec<String> = parts.into_iter().flatten().collect();
    words.join(" ")
}

/// `TriggerMessage`; with a connector where the message is about one (F06.FR.12).
pub(crate) fn trigger(message: &str, evse: Option<u32>, connector: Option<u32>) -> Call {
    let mut payload = json!({"requestedMessage": message});
    if let (Some(evse), Some(object)) = (evse, payload.as_object_mut()) {
        let place = connector.map_or_else(
            || json!({"id": evse}),
            |connector| json!({"id": evse, "connectorId": connector}),
        );
        object.insert("evse".into(), place);
    }
    Call {
        action: "TriggerMessage",
        payload,
    }
}

/// Asks for all profiles that are installed; they come in `ReportChargingProfiles`.
pub(crate) fn get_profiles(request: i32) -> Call {
    // An empty criterion is everything that is valid for it; the source leaves the others out.
    Call {
        action: "GetChargingProfiles",
        payload: json!({"requestId": request, "chargingProfile": {"chargingLimitSource": ["CSO"]}}),
    }
}

/// By its id and nothing else, so that the base is never touched.
pub(crate) fn clear_profile(id: i64) -> Call {
    Call {
        action: "ClearChargingProfile",
        payload: json!({"chargingProfileId": id}),
    }
}

/// In the station's own unit: it knows best which.
pub(crate) fn composite_schedule(evse: u32, duration_s: u32) -> Call {
    Call {
        action: "GetCompositeSchedule",
        payload: json!({"evseId": evse, "duration": duration_s}),
    }
}

/// Longest token (`IdTokenType`).
const MAX_TOKEN: usize = 36;
/// Longest vendor and message id of a `DataTransfer`.
const MAX_VENDOR: usize = 255;
const MAX_MESSAGE: usize = 50;

/// The call of an operation; `None` if there is nothing that it could be about. `number` marks what
/// the station sends because of it.
pub(crate) fn operation(
    operation: &Operation,
    evse: u32,
    transaction: Option<&str>,
    number: i32,
) -> Option<Call> {
    let cut = |text: &str, most: usize| -> String { text.chars().take(most).collect() };
    let (action, payload) = match operation {
        Operation::SetAvailability { operative } => {
            let status = if *operative {
                "Operative"
            } else {
                "Inoperative"
            };
            (
                "ChangeAvailability",
                json!({"operationalStatus": status, "evse": {"id": evse}}),
            )
        }
        Operation::Reset { hard } => {
            let kind = if *hard { "Immediate" } else { "OnIdle" };
            ("Reset", json!({"type": kind}))
        }
        Operation::RemoteStart { id_tag } => (
            "RequestStartTransaction",
            json!({"evseId": evse, "remoteStartId": number,
                "idToken": {"idToken": cut(id_tag, MAX_TOKEN), "type": "Central"}}),
        ),
        Operation::RemoteStop => (
            "RequestStopTransaction",
            json!({"transactionId": transaction?}),
        ),
        Operation::Trigger(asked) => {
            return Some(match asked {
                Trigger::BootNotification => trigger("BootNotification", None, None),
                Trigger::StatusNotification => trigger("StatusNotification", Some(evse), Some(1)),
                Trigger::MeterValues => trigger("MeterValues", Some(evse), None),
                Trigger::Heartbeat => trigger("Heartbeat", None, None),
            });
        }
        Operation::DataTransfer {
            vendor_id,
            message_id,
            data,
        } => {
            let mut payload = json!({"vendorId": cut(vendor_id, MAX_VENDOR)});
            if let Some(object) = payload.as_object_mut() {
                if let Some(message) = message_id {
                    object.insert("messageId".into(), cut(message, MAX_MESSAGE).into());
                }
                if let Some(data) = data {
                    object.insert("data".into(), data.as_str().into());
                }
            }
            ("DataTransfer", payload)
        }
        Operation::ClearForeignProfiles => return Some(get_profiles(number)),
    };
    Some(Call { action, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Variable = Variable::new("SampledDataCtrlr", "TxUpdatedInterval");
    const UNIT: Variable = Variable::new("SmartChargingCtrlr", "RateUnit");

    #[test]
    fn variables_in_every_dress() {
        let entry = |component: &str, name: &str, value: Value, status: &str| {
            json!({"attributeStatus": status, "attributeValue": value,
                "component": {"name": component}, "variable": {"name": name}})
        };
        let payload = json!({"getVariableResult": [
            entry("sampleddatactrlr", "TxUpdatedInterval", json!(30), "Accepted"),
            entry("SmartChargingCtrlr", "RateUnit", json!("A,W"), "Rejected"),
            entry("SmartChargingCtrlr", "Surprise", json!("1"), "Accepted"), 7]});
        assert_eq!(
            variables(&payload, &[INTERVAL, UNIT]),
            [(INTERVAL, "30".to_owned())]
        );
        assert!(variables(&json!({"getVariableResult": 7}), &[UNIT]).is_empty());
    }

    #[test]
    fn statuses_and_reasons() {
        for (result, want) in [
            (json!([{"attributeStatus": "Accepted"}]), true),
            (json!([{"attributeStatus": "RebootRequired"}]), true),
            (json!([{"attributeStatus": "Rejected"}]), false),
            (json!([]), false),
        ] {
            assert_eq!(is_set(&json!({"setVariableResult": result})), want);
        }
        let no = json!({"status": "Rejected", "statusInfo": {"reasonCode": "InvalidSchedule",
            "additionalInfo": "ChargingProfileMissingRequiredStartSchedule"}});
        assert!(!is_accepted(&no));
        assert_eq!(
            reason(&no),
            "Rejected InvalidSchedule ChargingProfileMissingRequiredStartSchedule"
        );
        assert_eq!(reason(&json!([])), "");
    }
}
