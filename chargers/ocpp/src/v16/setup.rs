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
    quirks::Quirks,
};
use crate::types::{Capabilities, Grade};

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
const HEARTBEAT: &str = "HeartbeatInterval";
const FEATURES: &str = "SupportedFeatureProfiles";
const PHASE_SWITCH: &str = "ConnectorSwitch3to1PhaseSupported";
/// Asked one by one where the whole configuration is not given.
const KEYS: [&str; 10] = [
    RATE_UNIT,
    MAX_STACK,
    MAX_PERIODS,
    CONNECTORS,
    INTERVAL,
    SAMPLED_DATA,
    PING,
    HEARTBEAT,
    FEATURES,
    PHASE_SWITCH,
];
/// A heartbeat that comes less often than this says too little of whether anybody lives, in
/// seconds; there are charge points with one a day.
const HEARTBEAT_MAX_S: u32 = 300;
/// What it is set to then, in seconds.
const HEARTBEAT_S: u32 = 60;

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
    Heartbeat,
    /// A key that the model wants set.
    Set(&'static str, &'static str),
    MeterValues,
}

/// What the model wants otherwise.
#[derive(Debug)]
struct Plan {
    measurands: &'static [&'static str],
    intervals_s: &'static [u32],
    never_read: Option<&'static str>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            measurands: &MEASURANDS,
            intervals_s: &SAMPLE_INTERVALS_S,
            never_read: None,
        }
    }
}

/// The set-up.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    plan: Plan,
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
    pub(crate) fn restart(&mut self, quirks: &Quirks) {
        let plan = Plan {
            measurands: quirks.measurands().unwrap_or(&MEASURANDS),
            intervals_s: quirks.sample_every().unwrap_or(&SAMPLE_INTERVALS_S),
            never_read: quirks.never_read(),
        };
        let by_key = plan.never_read.is_some();
        *self = Self {
            plan,
            connectors: self.connectors,
            ..Self::default()
        };
        self.steps = [
            Step::Interval(0),
            Step::Measurands,
            Step::Ping,
            Step::Heartbeat,
        ]
        .into();
        let more = quirks.keys_to_set();
        self.steps
            .extend(more.map(|(key, value)| Step::Set(key, value)));
        self.steps.push_back(Step::MeterValues);
        if by_key {
            self.ask_one_by_one();
        } else {
            self.steps.push_front(Step::WholeConfiguration);
        }
        self.steps.push_front(Step::Status);
    }

    pub(crate) fn stop(&mut self) {
        self.steps.clear();
        self.current = None;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether all that is left to do is to ask for values.
    pub(crate) fn is_nearly_done(&self, connector: u32, status_known: bool) -> bool {
        self.steps.iter().all(|step| {
            *step == Step::MeterValues || self.call(step, connector, status_known).is_none()
        })
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
                let wanted = self.plan.intervals_s.get(*index)?;
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
                    &self.plan.measurands.join(","),
                ))
            }
            Step::OneMeasurand(index) => {
                let mut list = self.taken.clone();
                list.push(self.plan.measurands.get(*index)?);
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
            Step::Heartbeat => {
                let present = self.number(HEARTBEAT);
                (!fixed(HEARTBEAT) && present.is_some_and(|s| s == 0 || s > HEARTBEAT_MAX_S))
                    .then(|| outgoing::change_configuration(HEARTBEAT, &HEARTBEAT_S.to_string()))
            }
            Step::Set(key, value) => (!fixed(key) && self.value(key) != Some(*value))
                .then(|| outgoing::change_configuration(key, value)),
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
        self.plan.measurands.iter().all(has)
    }

    /// The call under way was answered.
    pub(crate) fn answered(
        &mut self,
        payload: &Value,
        ladder: &mut Ladder,
        capabilities: &mut Capabilities,
    ) -> Learned {
        self.timeouts = 0;
        let mut learned = Learned::default();
        match self.current.take() {
            Some(Step::WholeConfiguration) => {
                let keys = configuration_keys(payload);
                if keys.is_empty() {
                    self.ask_one_by_one();
                } else {
                    self.keys = keys;
                    learned.unit_changed = self.learn(ladder, capabilities);
                }
            }
            Some(Step::Key(_)) => {
                self.keys
                    .extend(configuration_keys(payload).into_iter().take(1));
                learned.unit_changed = self.learn(ladder, capabilities);
            }
            Some(step) if !is_accepted(payload) => self.refused_step(&step),
            Some(Step::OneMeasurand(index)) => self.taken.extend(self.plan.measurands.get(index)),
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
        let never = self.plan.never_read;
        for name in KEYS.iter().rev().filter(|name| never != Some(**name)) {
            self.steps.push_front(Step::Key(name));
        }
    }

    fn refused_step(&mut self, step: &Step) {
        match step {
            Step::Interval(index) => self.steps.push_front(Step::Interval(index + 1)),
            Step::Measurands => {
                for index in (0..self.plan.measurands.len()).rev() {
                    self.steps.push_front(Step::OneMeasurand(index));
                }
            }
            _ => {}
        }
    }

    fn learn(&mut self, ladder: &mut Ladder, capabilities: &mut Capabilities) -> bool {
        let claim = |grade: &mut Grade, yes: bool| {
            let said = if yes { Grade::Claimed } else { Grade::NotThere };
            // What was seen counts more than what is said.
            if *grade != Grade::Proven {
                *grade = said;
            }
        };
        if let Some(word) = self.value(PHASE_SWITCH) {
            claim(
                &mut capabilities.phase_switching,
                word.eq_ignore_ascii_case("true"),
            );
        }
        let has = |name: &str| self.value(FEATURES).is_some_and(|list| list.contains(name));
        if has("SmartCharging") && capabilities.limits == Grade::Unknown {
            capabilities.limits = Grade::Claimed;
        }
        if has("RemoteTrigger") && capabilities.triggers == Grade::Unknown {
            capabilities.triggers = Grade::Claimed;
        }
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
mod tests;
