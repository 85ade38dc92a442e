//! The configuration keys of the demo's charge points (OCPP 1.6, section 9).

use std::time::Duration;

use headroom_sim::profile::{PERIODS_MAX, PROFILES_MAX, STACK_LEVEL_MAX};
use serde_json::{Value, json};

/// What a charge point can measure, in the words of OCPP.
pub(super) const MEASURANDS: [&str; 5] = [
    "Current.Import",
    "Current.Offered",
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Voltage",
];
/// Longest interval that can be set, in seconds: a day.
const INTERVAL_MAX_S: u64 = 86_400;

/// What can be changed.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Seconds between heartbeats; 0: none.
    pub(super) heartbeat_s: u64,
    /// Seconds between meter values; 0: only when something changes.
    pub(super) sample_s: u64,
    /// What meter values carry.
    pub(super) measurands: Vec<&'static str>,
    ping_s: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat_s: 300,
            sample_s: 3,
            measurands: MEASURANDS.to_vec(),
            ping_s: 0,
        }
    }
}

impl Settings {
    /// Time between meter values.
    pub(super) fn sample_interval(&self) -> Option<Duration> {
        (self.sample_s > 0).then(|| Duration::from_secs(self.sample_s))
    }

    /// Answers `ChangeConfiguration`.
    pub(super) fn change(&mut self, key: &str, value: &str) -> &'static str {
        let slot = match key.to_ascii_lowercase().as_str() {
            "heartbeatinterval" => &mut self.heartbeat_s,
            "metervaluesampleinterval" => &mut self.sample_s,
            "websocketpinginterval" => &mut self.ping_s,
            "metervaluessampleddata" => return self.measure(value),
            lower
                if fixed()
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case(lower)) =>
            {
                return "Rejected";
            }
            _ => return "NotSupported",
        };
        match value.trim().parse() {
            Ok(seconds) if seconds <= INTERVAL_MAX_S => {
                *slot = seconds;
                "Accepted"
            }
            _ => "Rejected",
        }
    }

    /// A list with one thing in it that cannot be measured is rejected as a whole, as most do.
    fn measure(&mut self, list: &str) -> &'static str {
        let wanted: Option<Vec<&'static str>> = list
            .split(',')
            .map(|name| MEASURANDS.into_iter().find(|known| *known == name.trim()))
            .collect();
        match wanted {
            Some(wanted) => {
                self.measurands = wanted;
                "Accepted"
            }
            None => "Rejected",
        }
    }

    /// Answers `GetConfiguration`; no names mean all keys.
    pub(super) fn get(&self, names: &[String]) -> Value {
        let changeable = [
            ("HeartbeatInterval", self.heartbeat_s.to_string()),
            ("MeterValueSampleInterval", self.sample_s.to_string()),
            ("WebSocketPingInterval", self.ping_s.to_string()),
            ("MeterValuesSampledData", self.measurands.join(",")),
        ];
        let keys: Vec<(&str, String, bool)> = changeable
            .into_iter()
            .map(|(name, value)| (name, value, false))
            .chain(fixed().into_iter().map(|(name, value)| (name, value, true)))
            .collect();
        let wanted =
            |key: &str| names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(key));
        let found: Vec<Value> = keys
            .iter()
            .filter(|(name, _, _)| wanted(name))
            .map(|(name, value, readonly)| json!({"key": name, "readonly": readonly, "value": value}))
            .collect();
        let unknown: Vec<&String> = names
            .iter()
            .filter(|name| {
                !keys
                    .iter()
                    .any(|(key, _, _)| key.eq_ignore_ascii_case(name))
            })
            .collect();
        json!({"configurationKey": found, "unknownKey": unknown})
    }
}

fn fixed() -> [(&'static str, String); 9] {
    [
        ("NumberOfConnectors", "1".to_owned()),
        (
            "SupportedFeatureProfiles",
            "Core,SmartCharging,RemoteTrigger".to_owned(),
        ),
        ("ChargeProfileMaxStackLevel", STACK_LEVEL_MAX.to_string()),
        (
            "ChargingScheduleAllowedChargingRateUnit",
            "Current,Power".to_owned(),
        ),
        ("ChargingScheduleMaxPeriods", PERIODS_MAX.to_string()),
        ("MaxChargingProfilesInstalled", PROFILES_MAX.to_string()),
        ("ConnectorSwitch3to1PhaseSupported", "false".to_owned()),
        ("AuthorizeRemoteTxRequests", "false".to_owned()),
        ("GetConfigurationMaxKeys", "50".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_changed_refused_and_unknown() {
        let mut settings = Settings::default();
        for (key, value, answer) in [
            ("MeterValueSampleInterval", "10", "Accepted"),
            ("metervaluesampleinterval", " 20 ", "Accepted"),
            ("MeterValueSampleInterval", "-1", "Rejected"),
            ("MeterValueSampleInterval", "100000", "Rejected"),
            ("NumberOfConnectors", "2", "Rejected"),
            (
                "MeterValuesSampledData",
                "Current.Import, Voltage",
                "Accepted",
            ),
            ("MeterValuesSampledData", "Current.Import,SoC", "Rejected"),
            ("FreeBeer", "true", "NotSupported"),
        ] {
            assert_eq!(settings.change(key, value), answer, "{key}={value}");
        }
        assert_eq!(settings.sample_interval(), Some(Duration::from_secs(20)));
        assert_eq!(settings.measurands, ["Current.Import", "Voltage"]);
        let answer = settings.get(&["MeterValuesSampledData".into(), "FreeBeer".into()]);
        assert_eq!(
            answer["configurationKey"][0]["value"],
            "Current.Import,Voltage"
        );
        assert_eq!(answer["unknownKey"], json!(["FreeBeer"]));
        assert_eq!(
            settings.get(&[])["configurationKey"]
                .as_array()
                .map(Vec::len),
            Some(13)
        );
    }
}
