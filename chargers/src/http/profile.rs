//! What a profile is: a TOML file that says how a device is asked and told. No code.

use std::{collections::BTreeMap, time::Duration};

use headroom_core::units::Milliamps;
use serde::Deserialize;

use super::{
    jq::{Jq, JqError},
    request::{RawRequest, Request},
    template::TemplateError,
};
use crate::polled::{Pace, Repeat};

/// Largest profile, in bytes.
const MAX_PROFILE: usize = 32 * 1024;
/// Most requests, and most parameters, of a profile.
const MAX_ENTRIES: usize = 32;
/// Most current of a charger; what a house has is far below.
const MAX_AMPERE: f64 = 500.0;
/// Least current that a charger can be told; below 6 A no car charges.
const LEAST_AMPERE: f64 = 1.0;
/// Least step of a limit: the smallest that any charger tells.
const MIN_STEP: f64 = 0.001;
/// Longest time that a profile may name, in seconds.
const MAX_SECONDS: f64 = 3600.0;

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileKind {
    /// It takes limits.
    Charger,
    /// It is on or off.
    Relay,
}

/// What a device does when nobody tells it anything any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// It keeps what it was told last.
    Keeps,
    /// It falls to less by itself: a relay opens, a charger goes to its safe current.
    Falls,
    /// It goes back to a limit of its own, which may be more.
    Reverts,
}

/// What a profile says about safety.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// What the device does without Headroom.
    pub on_loss: OnLoss,
    /// The last order is written again this often, in seconds, for a watchdog in the device.
    #[serde(default)]
    pub keep_alive_s: Option<f64>,
    /// The same for people: what it does, and what to set in it.
    pub text: String,
}

/// A value that the configuration gives to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// What it is taken for if it is not given; without one it must be given.
    #[serde(default)]
    pub default: Option<String>,
    /// What it is.
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: String,
    kind: ProfileKind,
    #[serde(default)]
    params: BTreeMap<String, Param>,
    #[serde(default)]
    auth: Option<Auth>,
    requests: BTreeMap<String, RawRequest>,
    read: RawRead,
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    switch: Option<Switch>,
    #[serde(default)]
    pace: RawPace,
    safety: Safety,
}

/// Who asks, where a device wants to know; both are templates, and an empty user is nobody.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub(super) user: String,
    pub(super) password: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRead {
    ask: Vec<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    current_a: Option<String>,
    #[serde(default)]
    limit_a: Option<String>,
    #[serde(default)]
    energy_kwh: Option<String>,
    #[serde(default)]
    on: Option<String>,
    #[serde(default)]
    power_w: Option<String>,
}

/// How a charger is told a limit. Each list names requests, which are made in this order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) ask: Vec<String>,
    /// Besides, if it was paused before or that is not known.
    #[serde(default)]
    pub(super) resume: Vec<String>,
    pub(super) pause: Vec<String>,
    min_a: f64,
    max_a: f64,
    step_a: f64,
}

/// How a relay is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    pub(super) on: Vec<String>,
    pub(super) off: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawPace {
    gap_s: Option<f64>,
    poll_s: Option<f64>,
    writes_per_day: Option<u32>,
}

/// What is read from the answers, by jq.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) ask: Vec<String>,
    pub(super) status: Option<Jq>,
    pub(super) current_a: Option<Jq>,
    pub(super) limit_a: Option<Jq>,
    pub(super) energy_kwh: Option<Jq>,
    pub(super) on: Option<Jq>,
    pub(super) power_w: Option<Jq>,
}

/// TOML has numbers that JSON has not (`inf`, `nan`), and no `null`: that is what they have become.
fn finite(field: &str, value: &serde_json::Value) -> Result<(), ProfileError> {
    match value {
        serde_json::Value::Null => Err(ProfileError::value(field, "must be a finite number")),
        serde_json::Value::Object(entries) => entries.iter().try_for_each(|(name, value)| {
            let dot = if field.is_empty() { "" } else { "." };
            finite(&format!("{field}{dot}{name}"), value)
        }),
        serde_json::Value::Array(items) => items.iter().try_for_each(|item| finite(field, item)),
        _ => Ok(()),
    }
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It is too long.
    #[error("the profile is longer than {MAX_PROFILE} bytes")]
    TooLong,
    /// It is no TOML, or has fields that profiles do not have.
    #[error("the profile cannot be read: {0}")]
    Toml(String),
    /// An expression is wrong.
    #[error("{field}: {error}")]
    Jq {
        /// Where it stands.
        field: String,
        /// What is wrong.
        error: String,
    },
    /// A template is wrong.
    #[error("{field}: {error}")]
    Template {
        /// Where it stands.
        field: String,
        /// What is wrong.
        error: String,
    },
    /// A value cannot be right.
    #[error("{field}: {what}")]
    Value {
        /// Where it stands.
        field: String,
        /// What is wrong.
        what: String,
    },
}

impl ProfileError {
    fn value(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Value {
            field: field.into(),
            what: what.into(),
        }
    }

    pub(super) fn jq(field: impl Into<String>, error: &JqError) -> Self {
        Self::Jq {
            field: field.into(),
            error: error.to_string(),
        }
    }

    pub(super) fn template(field: impl Into<String>, error: &TemplateError) -> Self {
        Self::Template {
            field: field.into(),
            error: error.to_string(),
        }
    }
}

/// A profile that was read and checked.
#[derive(Debug)]
pub struct Profile {
    /// What it is for.
    pub title: String,
    /// What the device is.
    pub kind: ProfileKind,
    /// What the configuration gives it.
    pub params: BTreeMap<String, Param>,
    /// What the device does without Headroom.
    pub safety: Safety,
    pub(super) auth: Option<Auth>,
    pub(super) requests: BTreeMap<String, Request>,
    pub(super) read: Read,
    pub(super) limit: Option<Limit>,
    pub(super) switch: Option<Switch>,
    pace: RawPace,
}

impl Profile {
    /// Reads a profile and checks all of it.
    ///
    /// # Errors
    /// The first thing that cannot be right, with the place where it stands.
    pub fn new(text: &str) -> Result<Self, ProfileError> {
        if text.len() > MAX_PROFILE {
            return Err(ProfileError::TooLong);
        }
        // By way of a plain value: a second reader of every shape would be a tenth of a megabyte.
        let value: serde_json::Value =
            toml::from_str(text).map_err(|error| ProfileError::Toml(error.to_string()))?;
        finite("", &value)?;
        let raw: Raw = serde_path_to_error::deserialize(value)
            .map_err(|error| ProfileError::Toml(error.to_string()))?;
        if raw.requests.len() > MAX_ENTRIES || raw.params.len() > MAX_ENTRIES {
            let what = format!("a profile has at most {MAX_ENTRIES} requests and parameters");
            return Err(ProfileError::value("requests", what));
        }
        let read = RawRead::compile(raw.read)?;
        let requests = raw.requests.into_iter().map(|(name, request)| {
            let request = Request::new(&name, request)?;
            Ok((name, request))
        });
        let requests = requests.collect::<Result<_, ProfileError>>()?;
        let profile = Self {
            title: raw.title,
            kind: raw.kind,
            params: raw.params,
            safety: raw.safety,
            auth: raw.auth,
            requests,
            read,
            limit: raw.limit,
            switch: raw.switch,
            pace: raw.pace,
        };
        profile.check()?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), ProfileError> {
        match (self.kind, &self.limit, &self.switch) {
            (ProfileKind::Charger, Some(limit), None) => limit.check()?,
            (ProfileKind::Relay, None, Some(_)) => {}
            (ProfileKind::Charger, ..) => {
                return Err(ProfileError::value(
                    "limit",
                    "a charger has [limit] and no [switch]",
                ));
            }
            (ProfileKind::Relay, ..) => {
                return Err(ProfileError::value(
                    "switch",
                    "a relay has [switch] and no [limit]",
                ));
            }
        }
        self.check_reads()?;
        for (field, names) in self.asked() {
            if let Some(name) = names.iter().find(|name| !self.requests.contains_key(*name)) {
                return Err(ProfileError::value(
                    field,
                    format!("there is no request \"{name}\""),
                ));
            }
        }
        for (field, names) in self.asked() {
            if names.is_empty() && field != "limit.resume" {
                return Err(ProfileError::value(field, "names no request"));
            }
        }
        let times = [
            ("pace.gap_s", self.pace.gap_s),
            ("pace.poll_s", self.pace.poll_s),
            ("safety.keep_alive_s", self.safety.keep_alive_s),
        ];
        for (field, seconds) in times {
            if seconds.is_some_and(|seconds| !(0.5..=MAX_SECONDS).contains(&seconds)) {
                return Err(ProfileError::value(field, "must be from 0.5 to 3600"));
            }
        }
        for (name, request) in &self.requests {
            request.check(name, self.kind, &self.params, self.auth.as_ref())?;
        }
        Ok(())
    }

    fn check_reads(&self) -> Result<(), ProfileError> {
        let read = &self.read;
        let (wanted, foreign) = match self.kind {
            ProfileKind::Charger => (
                // Without these nobody sees what the device made of its orders.
                read.limit_a.is_some() || read.current_a.is_some(),
                read.on.is_some() || read.power_w.is_some(),
            ),
            ProfileKind::Relay => (
                read.on.is_some(),
                read.status.is_some()
                    || read.current_a.is_some()
                    || read.limit_a.is_some()
                    || read.energy_kwh.is_some(),
            ),
        };
        if !wanted {
            let what = "what was written must be read back: a charger's limit_a or current_a, a relay's on";
            return Err(ProfileError::value("read", what));
        }
        if foreign {
            let what = "a charger has status, current_a, limit_a and energy_kwh; a relay has on and power_w";
            return Err(ProfileError::value("read", what));
        }
        Ok(())
    }

    fn asked(&self) -> Vec<(&'static str, &[String])> {
        let mut asked = vec![("read.ask", self.read.ask.as_slice())];
        if let Some(limit) = &self.limit {
            asked.push(("limit.ask", &limit.ask));
            asked.push(("limit.resume", &limit.resume));
            asked.push(("limit.pause", &limit.pause));
        }
        if let Some(switch) = &self.switch {
            asked.push(("switch.on", &switch.on));
            asked.push(("switch.off", &switch.off));
        }
        asked
    }

    /// How the device wants to be written.
    pub(super) fn pace(&self) -> Pace {
        let seconds = |seconds: Option<f64>| seconds.map(Duration::from_secs_f64);
        let repeat = match (seconds(self.safety.keep_alive_s), self.safety.on_loss) {
            (Some(every), _) => Repeat::Every(every),
            (None, OnLoss::Falls) => Repeat::Always,
            (None, OnLoss::Keeps | OnLoss::Reverts) => Repeat::Needless,
        };
        Pace {
            gap: seconds(self.pace.gap_s).unwrap_or_default(),
            writes_per_day: self.pace.writes_per_day,
            repeat,
            poll_every: seconds(self.pace.poll_s),
        }
    }
}

impl RawRead {
    fn compile(self) -> Result<Read, ProfileError> {
        let one = |field: &str, program: Option<String>| {
            program
                .map(|program| Jq::new(&program))
                .transpose()
                .map_err(|error| ProfileError::jq(format!("read.{field}"), &error))
        };
        Ok(Read {
            ask: self.ask,
            status: one("status", self.status)?,
            current_a: one("current_a", self.current_a)?,
            limit_a: one("limit_a", self.limit_a)?,
            energy_kwh: one("energy_kwh", self.energy_kwh)?,
            on: one("on", self.on)?,
            power_w: one("power_w", self.power_w)?,
        })
    }
}

impl Limit {
    fn check(&self) -> Result<(), ProfileError> {
        let sane = (LEAST_AMPERE..=MAX_AMPERE).contains(&self.min_a)
            && (self.min_a..=MAX_AMPERE).contains(&self.max_a)
            && (MIN_STEP..=self.max_a).contains(&self.step_a);
        if sane {
            return Ok(());
        }
        let what = "min_a and max_a are from 1 to 500, the least not above the most; step_a is from 0.001 to max_a";
        Err(ProfileError::value("limit", what))
    }

    /// What the device is told of a limit: rounded down to its step, at most its most; `None` is a pause.
    pub(super) fn fit(&self, limit: Milliamps) -> Option<Milliamps> {
        let [least, most, step] = [self.min_a, self.max_a, self.step_a]
            .map(|ampere| Milliamps::from_f64(ampere).map_or(1, |current| current.0.max(1)));
        let limit = limit.0.min(most);
        let rounded = limit - limit.rem_euclid(step);
        (rounded >= least).then_some(Milliamps(rounded))
    }
}

#[cfg(test)]
mod tests;
