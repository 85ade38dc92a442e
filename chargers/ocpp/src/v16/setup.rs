//! The set-up after a boot: what the charge point can do, and how often it reports.
//!
//! Runs after the base profile, one call at a time, each with its own time-out, and gives way to
//! every limit. No step is necessary: a charge point that refuses or hangs keeps its defaults.
//! Nothing that was written is read back in a loop, and no more than the five measurands that
//! control needs are asked for: there are charge points that take a longer list and then restart
//! for ever.

use std::collections::VecDeque;

use serde_json::Value;

use super::{
    ladder::Ladder,
    outgoing::{self, Call, ConfigurationKey, configuration_keys, is_accepted},
};

/// What control needs, the most important first.
const MEASURANDS: [&str; 5] = [
    "Current.Import",
    "Energy.Active.Import.Register",
    "Current.Offered",
    "Power.Active.Import",
    "Voltage",
];
/// Sampling intervals to try, in seconds, fastest first; some take no less than 30 or 60.
const SAMPLE_INTERVALS_S: [u32; 4] = [5, 10, 30, 60];
/// A silent connection shall be noticed before a lease runs out.
const PING_INTERVAL_S: u32 = 30;
/// Time-outs in a row after which the rest is left alone: some hang on every call.
const GIVE_UP_AFTER: u8 = 2;

const RATE_UNIT: &str = "ChargingScheduleAllowedChargingRateUnit";
const MAX_STACK: &str = "ChargeProfileMaxStackLevel";
const MAX_PERIODS: &str = "ChargingScheduleMaxPeriods";
const CONNECTORS: &str = "NumberOfConnectors";
const INTERVAL: &str = "MeterValueSampleInterval";
const SAMPLED_DATA: &str = "MeterValuesSampledData";
const PING: &str = "WebSocketPingInterval";
/// Asked one by one where the whole configuration is not given.
const KEYS: [&str; 7] = [
    RATE_UNIT,
    MAX_STACK,
    MAX_PERIODS,
    CONNECTORS,
    INTERVAL,
    SAMPLED_DATA,
    PING,
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Status,
    WholeConfiguration,
    Key(&'static str),
    Interval(usize),
    /// All measurands at once.
    Measurands,
    /// Those that were taken so far and one more.
    OneMeasurand(usize),
    Ping,
    MeterValues,
}

/// The set-up.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    steps: VecDeque<Step>,
    current: Option<Step>,
    keys: Vec<ConfigurationKey>,
    taken: Vec<&'static str>,
    timeouts: u8,
    connectors: Option<u32>,
}

/// What an answer has told beside the way on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Learned {
    /// The unit is another one than was used so far.
    pub(crate) unit_changed: bool,
    /// The rest of the set-up was given up.
    pub(crate) given_up: bool,
}

impl Setup {
    /// From the beginning, after a boot.
    pub(crate) fn restart(&mut self) {
        *self = Self {
            connectors: self.connectors,
            ..Self::default()
        };
        self.steps = [
            Step::Status,
            Step::WholeConfiguration,
            Step::Interval(0),
            Step::Measurands,
            Step::Ping,
            Step::MeterValues,
        ]
        .into();
    }

    pub(crate) fn stop(&mut self) {
        self.steps.clear();
        self.current = None;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// `NumberOfConnectors`, if told.
    pub(crate) fn connectors(&self) -> Option<u32> {
        self.connectors
    }

    fn key(&self, name: &str) -> Option<&ConfigurationKey> {
        self.keys
            .iter()
            .find(|key| key.name.eq_ignore_ascii_case(name))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.key(name)?.value.as_deref()
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.value(name)?.parse().ok()
    }

    /// The next call; steps that are not needed are left out.
    pub(crate) fn next(&mut self, connector: u32, status_known: bool) -> Option<Call> {
        while let Some(step) = self.steps.pop_front() {
            if let Some(call) = self.call(&step, connector, status_known) {
                self.current = Some(step);
                return Some(call);
            }
        }
        None
    }

    fn call(&self, step: &Step, connector: u32, status_known: bool) -> Option<Call> {
        let fixed = |name| self.key(name).is_some_and(|key| key.read_only);
        match step {
            Step::Status => {
                (!status_known).then(|| outgoing::trigger("StatusNotification", Some(connector)))
            }
            Step::WholeConfiguration => Some(outgoing::get_configuration(None)),
            Step::Key(name) => Some(outgoing::get_configuration(Some(name))),
            Step::Interval(index) => {
                let wanted = SAMPLE_INTERVALS_S.get(*index)?;
                let present = self.number(INTERVAL).filter(|seconds| *seconds > 0);
                if fixed(INTERVAL) || present.is_some_and(|seconds| seconds <= *wanted) {
                    return None;
                }
                Some(outgoing::change_configuration(
                    INTERVAL,
                    &wanted.to_string(),
                ))
            }
            Step::Measurands => {
                if fixed(SAMPLED_DATA) || self.samples_everything() {
                    return None;
                }
                Some(outgoing::change_configuration(
                    SAMPLED_DATA,
                    &MEASURANDS.join(","),
                ))
            }
            Step::OneMeasurand(index) => {
                let mut list = self.taken.clone();
                list.push(MEASURANDS.get(*index)?);
                Some(outgoing::change_configuration(
                    SAMPLED_DATA,
                    &list.join(","),
                ))
            }
            Step::Ping => {
                let present = self.number(PING);
                let good = present.is_some_and(|s| (1..=PING_INTERVAL_S).contains(&s));
                (!fixed(PING) && !good)
                    .then(|| outgoing::change_configuration(PING, &PING_INTERVAL_S.to_string()))
            }
            Step::MeterValues => Some(outgoing::trigger("MeterValues", Some(connector))),
        }
    }

    fn samples_everything(&self) -> bool {
        let Some(list) = self.value(SAMPLED_DATA) else {
            return false;
        };
        let has = |name: &&str| {
            list.split(',')
                .any(|word| word.trim().eq_ignore_ascii_case(name))
        };
        MEASURANDS.iter().all(has)
    }

    /// The call under way was answered.
    pub(crate) fn answered(&mut self, payload: &Value, ladder: &mut Ladder) -> Learned {
        self.timeouts = 0;
        let mut learned = Learned::default();
        match self.current.take() {
            Some(Step::WholeConfiguration) => {
                let keys = configuration_keys(payload);
                if keys.is_empty() {
                    self.ask_one_by_one();
                } else {
                    self.keys = keys;
                    learned.unit_changed = self.learn(ladder);
                }
            }
            Some(Step::Key(_)) => {
                self.keys
                    .extend(configuration_keys(payload).into_iter().take(1));
                learned.unit_changed = self.learn(ladder);
            }
            Some(step) if !is_accepted(payload) => self.refused_step(&step),
            Some(Step::OneMeasurand(index)) => self.taken.extend(MEASURANDS.get(index)),
            Some(_) | None => {}
        }
        learned
    }

    /// The call under way was answered with an error.
    pub(crate) fn refused(&mut self) {
        self.timeouts = 0;
        match self.current.take() {
            Some(Step::WholeConfiguration) => self.ask_one_by_one(),
            Some(step) => self.refused_step(&step),
            None => {}
        }
    }

    /// The call under way was not answered. True if the rest is given up.
    pub(crate) fn timed_out(&mut self) -> bool {
        self.timeouts += 1;
        let step = self.current.take();
        if self.timeouts >= GIVE_UP_AFTER {
            self.steps.clear();
            return true;
        }
        if step == Some(Step::WholeConfiguration) {
            self.ask_one_by_one();
        }
        false
    }

    /// The call under way was broken off for a limit: it is not known what became of it, and the
    /// charge point is not to blame.
    pub(crate) fn broken_off(&mut self) {
        self.current = None;
    }

    fn ask_one_by_one(&mut self) {
        for name in KEYS.iter().rev() {
            self.steps.push_front(Step::Key(name));
        }
    }

    fn refused_step(&mut self, step: &Step) {
        match step {
            Step::Interval(index) => self.steps.push_front(Step::Interval(index + 1)),
            Step::Measurands => {
                for index in (0..MEASURANDS.len()).rev() {
                    self.steps.push_front(Step::OneMeasurand(index));
                }
            }
            _ => {}
        }
    }

    fn learn(&mut self, ladder: &mut Ladder) -> bool {
        if let Some(level) = self.number(MAX_STACK) {
            ladder.learn_max_stack(level);
        }
        if let Some(periods) = self.number(MAX_PERIODS).filter(|periods| *periods > 0) {
            ladder.learn_max_periods(periods);
        }
        self.connectors = self.number(CONNECTORS).or(self.connectors);
        self.value(RATE_UNIT)
            .is_some_and(|units| ladder.learn_units(units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Plays a set-up against `answer`, which gives `None` for no answer; returns the calls.
    fn play(answer: impl Fn(&Call) -> Option<Value>) -> Vec<String> {
        let mut setup = Setup::default();
        let mut ladder = Ladder::default();
        setup.restart();
        let mut calls = Vec::new();
        while let Some(call) = setup.next(1, true) {
            let (key, value) = (&call.payload["key"], &call.payload["value"]);
            calls.push(match call.action {
                "ChangeConfiguration" => {
                    format!("{}={}", key.as_str().unwrap(), value.as_str().unwrap())
                }
                "GetConfiguration" => format!("get {}", key[0].as_str().unwrap_or("all")),
                other => other.to_owned(),
            });
            assert!(calls.len() < 40, "the set-up ends: {calls:?}");
            match answer(&call) {
                Some(payload) => drop(setup.answered(&payload, &mut ladder)),
                None => drop(setup.timed_out()),
            }
        }
        assert!(setup.is_done());
        calls
    }

    #[test]
    fn a_willing_charge_point() {
        let calls = play(|call| {
            Some(match call.action {
                "GetConfiguration" => {
                    json!({"configurationKey": [{"key": "x", "readonly": false}]})
                }
                _ => json!({"status": "Accepted"}),
            })
        });
        let all = "MeterValuesSampledData=Current.Import,Energy.Active.Import.Register,\
                   Current.Offered,Power.Active.Import,Voltage";
        assert_eq!(
            calls,
            [
                "get all",
                "MeterValueSampleInterval=5",
                all,
                "WebSocketPingInterval=30",
                "TriggerMessage"
            ]
        );
    }

    #[test]
    fn what_is_right_or_fixed_is_left_alone() {
        let calls = play(|call| {
            Some(match call.action {
                "GetConfiguration" => json!({"configurationKey": [
                    {"key": "meterValueSampleInterval", "value": 5, "readonly": "false"},
                    {"key": "MeterValuesSampledData", "value": "Voltage", "readonly": "true"},
                    {"key": "WebSocketPingInterval", "value": "20"}]}),
                _ => json!({"status": "Accepted"}),
            })
        });
        assert_eq!(calls, ["get all", "TriggerMessage"]);
    }

    #[test]
    fn one_unknown_measurand_does_not_cost_the_others() {
        let calls = play(|call| {
            let refused = call.payload["value"]
                .as_str()
                .is_some_and(|v| v.contains("Offered"))
                || call.payload["value"] == "5";
            Some(match call.action {
                "GetConfiguration" => json!({"configurationKey": [{"key": "x"}]}),
                _ if refused => json!({"status": "NotSupported"}),
                _ => json!({"status": "Accepted"}),
            })
        });
        assert!(calls.contains(&"MeterValueSampleInterval=10".to_owned()));
        let last = calls
            .iter()
            .rfind(|call| call.starts_with("MeterValuesSampledData"))
            .unwrap();
        assert_eq!(
            last,
            "MeterValuesSampledData=Current.Import,Energy.Active.Import.Register,\
             Power.Active.Import,Voltage"
        );
    }

    #[test]
    fn one_that_hangs_on_every_call_is_left_alone() {
        assert_eq!(
            play(|_| None),
            ["get all", "get ChargingScheduleAllowedChargingRateUnit"]
        );
    }

    #[test]
    fn one_that_gives_single_keys_only() {
        let calls = play(
            |call| match (call.action, call.payload["key"][0].as_str()) {
                ("GetConfiguration", None) => Some(json!({"unknownKey": []})),
                ("GetConfiguration", Some(key)) => Some(
                    json!({"configurationKey": [{"key": key, "value": "1", "readonly": true}]}),
                ),
                _ => Some(json!({"status": "Accepted"})),
            },
        );
        assert_eq!(calls.len(), 1 + KEYS.len() + 1, "{calls:?}");
    }
}
