//! The set-up after a boot: what the station can do, how often it reports, and what others have
//! left in it.
//!
//! Runs after the base profile, one call at a time, each with its own time-out, and gives way to
//! every limit. No step is necessary: a station that refuses or hangs keeps its defaults. The
//! variables are those of part 2, appendix 3.

use std::collections::VecDeque;

use serde_json::Value;

use super::outgoing::{self, Call, Variable, has_variables, is_set, variables};
use crate::v16::ladder::Ladder;

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
/// Clock-aligned values where sampled ones cannot be had, in seconds.
const ALIGNED_INTERVAL_S: u32 = 30;
/// A silent connection shall be noticed before a lease runs out.
const PING_INTERVAL_S: u32 = 30;
/// Time-outs in a row after which the rest is left alone: some hang on every call.
const GIVE_UP_AFTER: u8 = 2;

const RATE_UNIT: Variable = Variable::new("SmartChargingCtrlr", "RateUnit");
const MAX_STACK: Variable = Variable::new("SmartChargingCtrlr", "ProfileStackLevel");
const MAX_PERIODS: Variable = Variable::new("SmartChargingCtrlr", "PeriodsPerSchedule");
const ENABLED: Variable = Variable::new("SmartChargingCtrlr", "Enabled");
const INTERVAL: Variable = Variable::new("SampledDataCtrlr", "TxUpdatedInterval");
const SAMPLED_DATA: Variable = Variable::new("SampledDataCtrlr", "TxUpdatedMeasurands");
const ALIGNED_INTERVAL: Variable = Variable::new("AlignedDataCtrlr", "Interval");
const ALIGNED_DATA: Variable = Variable::new("AlignedDataCtrlr", "Measurands");
const PHASES: Variable = Variable::new("SmartChargingCtrlr", "Phases3to1");
const PING: Variable = Variable::new("OCPPCommCtrlr", "WebSocketPingInterval");
/// What is asked for, the most important first; one by one where a list is refused.
const ASKED: [Variable; 8] = [
    RATE_UNIT,
    MAX_STACK,
    MAX_PERIODS,
    ENABLED,
    INTERVAL,
    SAMPLED_DATA,
    PING,
    PHASES,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Status,
    /// A transaction that runs already, and its state.
    Transaction,
    /// All variables in one call.
    Variables,
    Variable(Variable),
    Enable,
    Interval(usize),
    /// All measurands at once.
    Measurands,
    /// Those that were taken so far and one more.
    OneMeasurand(usize),
    AlignedMeasurands,
    AlignedInterval,
    Ping,
    Profiles,
}

/// The set-up.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    steps: VecDeque<Step>,
    current: Option<Step>,
    known: Vec<(Variable, String)>,
    taken: Vec<&'static str>,
    timeouts: u8,
    request: i32,
}

impl Setup {
    /// From the beginning, after a boot. `request` marks the report of profiles as asked for.
    pub(crate) fn restart(&mut self, request: i32) {
        *self = Self {
            request,
            steps: [
                Step::Status,
                Step::Transaction,
                Step::Variables,
                Step::Enable,
                Step::Interval(0),
                Step::Measurands,
                Step::Ping,
                Step::Profiles,
            ]
            .into(),
            ..Self::default()
        };
    }

    pub(crate) fn stop(&mut self) {
        self.steps.clear();
        self.current = None;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether a report of profiles is the one that was asked for.
    pub(crate) fn asked_for(&self, request: Option<i32>) -> bool {
        request == Some(self.request)
    }

    /// A report of profiles is asked for under this number.
    pub(crate) fn expect_profiles(&mut self, request: i32) {
        self.request = request;
    }

    /// Whether it can change between three phases and one; `None` where it has not said.
    pub(crate) fn phase_switching(&self) -> Option<bool> {
        self.value(PHASES)
            .map(|value| value.eq_ignore_ascii_case("true"))
    }

    fn value(&self, variable: Variable) -> Option<&str> {
        let mut known = self.known.iter();
        known
            .find(|(own, _)| *own == variable)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, variable: Variable) -> Option<u32> {
        self.value(variable)?.parse().ok()
    }

    /// The next call; steps that are not needed are left out.
    pub(crate) fn next(&mut self, evse: u32) -> Option<Call> {
        while let Some(step) = self.steps.pop_front() {
            if let Some(call) = self.call(step, evse) {
                self.current = Some(step);
                return Some(call);
            }
        }
        None
    }

    fn call(&self, step: Step, evse: u32) -> Option<Call> {
        let set = |variable, value: &str| Some(outgoing::set_variable(variable, value));
        match step {
            Step::Status => Some(outgoing::trigger("StatusNotification", Some(evse), Some(1))),
            Step::Transaction => Some(outgoing::trigger("TransactionEvent", Some(evse), None)),
            Step::Variables => Some(outgoing::get_variables(&ASKED)),
            Step::Variable(variable) => Some(outgoing::get_variables(&[variable])),
            Step::Enable => {
                let off = self.value(ENABLED)?.eq_ignore_ascii_case("false");
                off.then(|| outgoing::set_variable(ENABLED, "true"))
            }
            Step::Interval(index) => {
                let wanted = SAMPLE_INTERVALS_S.get(index)?;
                let present = self.number(INTERVAL).filter(|seconds| *seconds > 0);
                if present.is_some_and(|seconds| seconds <= *wanted) {
                    return None;
                }
                set(INTERVAL, &wanted.to_string())
            }
            Step::Measurands => {
                if self.samples_everything() {
                    return None;
                }
                set(SAMPLED_DATA, &MEASURANDS.join(","))
            }
            Step::OneMeasurand(index) => {
                let mut list = self.taken.clone();
                list.push(MEASURANDS.get(index)?);
                set(SAMPLED_DATA, &list.join(","))
            }
            Step::AlignedMeasurands => set(ALIGNED_DATA, &MEASURANDS.join(",")),
            Step::AlignedInterval => set(ALIGNED_INTERVAL, &ALIGNED_INTERVAL_S.to_string()),
            Step::Ping => {
                let present = self.number(PING);
                let good = present.is_some_and(|s| (1..=PING_INTERVAL_S).contains(&s));
                (!good).then(|| outgoing::set_variable(PING, &PING_INTERVAL_S.to_string()))
            }
            Step::Profiles => Some(outgoing::get_profiles(self.request)),
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

    /// The call under way was answered. True if the unit is another one than was used so far.
    pub(crate) fn answered(&mut self, payload: &Value, ladder: &mut Ladder) -> bool {
        self.timeouts = 0;
        let Some(step) = self.current.take() else {
            return false;
        };
        match step {
            Step::Variables => {
                self.known = variables(payload, &ASKED);
                if !has_variables(payload) {
                    self.ask_one_by_one();
                }
                self.learn(ladder)
            }
            Step::Variable(variable) => {
                self.known.extend(variables(payload, &[variable]));
                self.learn(ladder)
            }
            // A no is an answer: there is none.
            Step::Status | Step::Transaction | Step::Profiles => false,
            step => {
                if !is_set(payload) {
                    self.refused_step(step);
                } else if let Step::OneMeasurand(index) = step {
                    self.taken.extend(MEASURANDS.get(index));
                }
                false
            }
        }
    }

    /// The call under way was answered with an error.
    pub(crate) fn refused(&mut self) {
        self.timeouts = 0;
        if let Some(step) = self.current.take() {
            self.refused_step(step);
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
        if step == Some(Step::Variables) {
            self.ask_one_by_one();
        }
        false
    }

    /// The call under way was broken off for a limit: it is not known what became of it, and the
    /// station is not to blame.
    pub(crate) fn broken_off(&mut self) {
        self.current = None;
    }

    fn ask_one_by_one(&mut self) {
        for variable in ASKED.into_iter().rev() {
            self.steps.push_front(Step::Variable(variable));
        }
    }

    fn refused_step(&mut self, step: Step) {
        match step {
            Step::Variables => self.ask_one_by_one(),
            Step::Interval(index) if index + 1 < SAMPLE_INTERVALS_S.len() => {
                self.steps.push_front(Step::Interval(index + 1));
            }
            Step::Interval(_) if self.number(INTERVAL).is_none_or(|seconds| seconds == 0) => {
                // No samples during a transaction: those of the clock are better than none.
                self.steps.push_front(Step::AlignedInterval);
                self.steps.push_front(Step::AlignedMeasurands);
            }
            Step::Measurands => {
                for index in (0..MEASURANDS.len()).rev() {
                    self.steps.push_front(Step::OneMeasurand(index));
                }
            }
            _ => {}
        }
    }

    fn learn(&self, ladder: &mut Ladder) -> bool {
        if let Some(level) = self.number(MAX_STACK) {
            ladder.learn_max_stack(level);
        }
        if let Some(periods) = self.number(MAX_PERIODS).filter(|periods| *periods > 0) {
            ladder.learn_max_periods(periods);
        }
        self.value(RATE_UNIT)
            .is_some_and(|units| ladder.learn_units(units))
    }
}

#[cfg(test)]
mod tests;
