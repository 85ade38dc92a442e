//! A frame without what is secret or tells whose it is.
//!
//! A frame is read as JSON and written again; what is not JSON is not shown, since nobody can say what is in it. Values are masked by
//! the names of their fields, settings by the names of the settings: those that the OCPP specifications name and that hold no secret are
//! shown, of others only what is true, false or a short number. Addresses are masked wherever they stand.

use serde_json::Value;

/// What stands for a masked value.
const MASK: &str = "***";
/// Fields whose values are masked whole, without case: tokens of people, numbers of devices and SIM cards, certificates, addresses, and
/// what vendors send in words of their own. `idTag` is of OCPP 1.6, `idToken` of 2.0.1.
const SECRET_FIELDS: [&str; 21] = [
    "idtag",
    "parentidtag",
    "idtoken",
    "groupidtoken",
    "additionalinfo",
    "chargepointserialnumber",
    "chargeboxserialnumber",
    "meterserialnumber",
    "serialnumber",
    "iccid",
    "imsi",
    "data",
    "customdata",
    "location",
    "remotelocation",
    "certificate",
    "certificatechain",
    "csr",
    "signedmeterdata",
    "publickey",
    "signingcertificate",
];
/// Parts of the names of settings that hold secrets, or addresses of people's networks.
const SECRET_SETTINGS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "key",
    "pin",
    "psk",
    "ssid",
    "apn",
    "user",
    "identity",
    "url",
    "serial",
];
/// Beginnings of the names of settings of OCPP 1.6 (section 9) and of variables of OCPP 2.0.1 (appendix) that hold no secret.
const KNOWN_SETTINGS: [&str; 37] = [
    "allowofflinetx",
    "authorizationcacheenabled",
    "authorizeremotetx",
    "blinkrepeat",
    "chargeprofile",
    "chargingprofile",
    "chargingschedule",
    "clockaligned",
    "connectiontimeout",
    "connectorphaserotation",
    "connectorswitch",
    "enabled",
    "available",
    "getconfigurationmaxkeys",
    "heartbeatinterval",
    "itemspermessage",
    "lightintensity",
    "localauthlist",
    "localauthorizeoffline",
    "localpreauthorize",
    "maxchargingprofiles",
    "maxenergyoninvalidid",
    "metervalue",
    "minimumstatusduration",
    "numberofconnectors",
    "periodsperschedule",
    "rateunit",
    "reserveconnectorzerosupported",
    "resetretries",
    "sampleddata",
    "sendlocallistmaxlength",
    "stoptransaction",
    "stoptxn",
    "supportedfeatureprofiles",
    "transactionmessage",
    "unlockconnector",
    "websocketpinginterval",
];
/// Digits of a number that may be shown of a setting that nobody knows: a time or a current, not a telephone or a card.
const SHORT_NUMBER: usize = 5;

/// The frame without what is secret; in parentheses why it is not shown.
pub(super) fn masked(text: &str) -> String {
    let Ok(mut frame) = serde_json::from_str::<Value>(text) else {
        return format!("({} bytes that are not JSON)", text.len());
    };
    mask(&mut frame, None);
    frame.to_string()
}

/// `around` is the setting that an object around it is about: a report of OCPP 2.0.1 has the values one level below the variable. Its depth
/// is bounded by the parser that read it.
fn mask(value: &mut Value, around: Option<&str>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, around)),
        Value::Object(fields) => {
            let own = setting_of(fields);
            let setting = own.as_deref().or(around);
            for (name, value) in fields.iter_mut() {
                let lower = name.to_ascii_lowercase();
                let of_setting = matches!(
                    lower.as_str(),
                    "value" | "attributevalue" | "actualvalue" | "eventdata"
                );
                if SECRET_FIELDS.contains(&lower.as_str()) {
                    hide(value);
                } else if let (true, Some(setting)) = (of_setting, setting) {
                    if !may_be_shown(setting, value) {
                        hide(value);
                    }
                } else {
                    mask(value, setting);
                }
            }
        }
        Value::String(text) if text.contains("://") => hide(value),
        _ => {}
    }
}

/// What is null stays so: that there is nothing is no secret.
fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = MASK.into();
    }
}

/// The name of the setting that an object is about, without case: `key` of OCPP 1.6, `variable` of 2.0.1.
fn setting_of(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let field = |wanted: &str| {
        let mut fields = fields.iter();
        let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value)
    };
    let name = match field("key") {
        Some(key) => key.as_str(),
        None => field("variable").and_then(|it| it.get("name")?.as_str()),
    };
    name.map(str::to_ascii_lowercase)
}

fn may_be_shown(setting: &str, value: &Value) -> bool {
    let known = KNOWN_SETTINGS
        .iter()
        .any(|known| setting.starts_with(known));
    if !known && SECRET_SETTINGS.iter().any(|part| setting.contains(part)) {
        return false;
    }
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Array(_) | Value::Object(_) => return false,
        _ => return true,
    };
    let plain = ["true", "false", ""]
        .iter()
        .any(|it| text.eq_ignore_ascii_case(it))
        || (text.len() <= SHORT_NUMBER && text.parse::<f64>().is_ok());
    plain || (known && !text.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_or_personal_is_masked_and_the_rest_stays() {
        for (frame, want) in [
            (
                r#"[2,"1","BootNotification",{"chargePointVendor":"Maker","chargePointSerialNumber":"SN-1","meterSerialNumber":"99","iccid":"8947","imsi":null}]"#,
                r#"[2,"1","BootNotification",{"chargePointSerialNumber":"***","chargePointVendor":"Maker","iccid":"***","imsi":null,"meterSerialNumber":"***"}]"#,
            ),
            (
                r#"[2,"2","Authorize",{"idTag":"04A1B2"}]"#,
                r#"[2,"2","Authorize",{"idTag":"***"}]"#,
            ),
            (
                r#"[2,"3","ChangeConfiguration",{"key":"AuthorizationKey","value":"secret"}]"#,
                r#"[2,"3","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]"#,
            ),
            (
                r#"[3,"4",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"60"},{"key":"WifiPassword","value":"12"},{"key":"Vendor.Name","value":"Elm Street 7"},{"key":"Vendor.Limit","value":"16"},{"key":"MeterValuesSampledData","value":"Current.Import"}]}]"#,
                r#"[3,"4",{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"60"},{"key":"WifiPassword","value":"***"},{"key":"Vendor.Name","value":"***"},{"key":"Vendor.Limit","value":"16"},{"key":"MeterValuesSampledData","value":"Current.Import"}]}]"#,
            ),
            (
                r#"[2,"5","SetVariables",{"setVariableData":[{"attributeValue":"hidden","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]"#,
                r#"[2,"5","SetVariables",{"setVariableData":[{"attributeValue":"***","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]"#,
            ),
            (
                r#"[2,"6","TransactionEvent",{"idToken":{"idToken":"04A1B2","type":"ISO14443"},"seqNo":3}]"#,
                r#"[2,"6","TransactionEvent",{"idToken":"***","seqNo":3}]"#,
            ),
            (
                r#"[2,"7","DataTransfer",{"data":"{'pin':1}","messageId":"hello","vendorId":"x"}]"#,
                r#"[2,"7","DataTransfer",{"data":"***","messageId":"hello","vendorId":"x"}]"#,
            ),
            (
                r#"[2,"8","StatusNotification",{"info":"see http://user:pw@192.0.2.1/","status":"Charging"}]"#,
                r#"[2,"8","StatusNotification",{"info":"***","status":"Charging"}]"#,
            ),
            (
                r#"[2,"9","MeterValues",{"meterValue":[{"sampledValue":[{"measurand":"Current.Import","value":"12.8"}]}]}]"#,
                r#"[2,"9","MeterValues",{"meterValue":[{"sampledValue":[{"measurand":"Current.Import","value":"12.8"}]}]}]"#,
            ),
            (
                r#"[2,"a","NotifyReport",{"reportData":[{"variable":{"name":"Password"},"variableAttribute":[{"type":"Actual","value":"hidden"}]},{"variable":{"name":"HeartbeatInterval"},"variableAttribute":[{"value":"60"}]}]}]"#,
                r#"[2,"a","NotifyReport",{"reportData":[{"variable":{"name":"Password"},"variableAttribute":[{"type":"Actual","value":"***"}]},{"variable":{"name":"HeartbeatInterval"},"variableAttribute":[{"value":"60"}]}]}]"#,
            ),
            (
                r#"[3,"b",{"configurationKey":[{"Key":"AuthorizationKey","Value":"hidden"}]}]"#,
                r#"[3,"b",{"configurationKey":[{"Key":"AuthorizationKey","Value":"***"}]}]"#,
            ),
            ("secret{", "(7 bytes that are not JSON)"),
        ] {
            assert_eq!(masked(frame), want);
        }
        let deep = "[".repeat(10_000);
        assert_eq!(masked(&deep), "(10000 bytes that are not JSON)");
    }
}
