//! A device as its profile describes it.

use std::collections::BTreeMap;

use headroom_core::{
    event::ChargerStatus,
    units::{Milliamps, WattHours, Watts},
};
use minijinja::Value as TemplateValue;
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    PASSWORD,
    caller::{Answer, Call, Caller},
    jq::Jq,
    profile::{Profile, ProfileKind},
    request::{Request, limit_values, switch_values},
    template::Values,
};
use crate::polled::{CallError, Order, Pace, PolledDevice, Seen};

/// A current beyond that is a mistake of the device, in amperes.
const MAX_AMPERE: f64 = 1_000.0;
/// A charger has no more terminals.
const MAX_TERMINALS: usize = 3;
/// What is shown of a password.
const HIDDEN: &str = "***";
/// So much of an answer is told when it is not understood.
const TOLD: usize = 200;

/// A device that a profile describes, and the way to it.
#[derive(Debug)]
pub(crate) struct HttpDevice {
    profile: Profile,
    params: BTreeMap<String, String>,
    caller: Caller,
    /// It was not told to pause by its last order; unknown counts as paused.
    runs: bool,
    /// What was sent and what came back, if somebody wants to know.
    transcript: Option<Vec<Exchange>>,
    /// Which expressions failed on the last answers.
    complaints: Vec<String>,
}

/// One request and its answer, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Method, path and query, and the body.
    pub asked: String,
    /// Status and body, or what went wrong; shortened.
    pub answered: String,
}

impl HttpDevice {
    /// A device that was not spoken to. `params` are complete: see [`super::complete`].
    pub(crate) const fn new(
        profile: Profile,
        params: BTreeMap<String, String>,
        caller: Caller,
    ) -> Self {
        Self {
            profile,
            params,
            caller,
            runs: false,
            transcript: None,
            complaints: Vec::new(),
        }
    }

    /// From now on what is said is written down.
    pub(crate) fn write_down(&mut self) {
        self.transcript = Some(Vec::new());
    }

    /// What was said since the last time.
    pub(crate) fn take_transcript(&mut self) -> Vec<Exchange> {
        self.transcript
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Which expressions failed on the last answers, and so gave nothing.
    pub(crate) fn complaints(&self) -> &[String] {
        &self.complaints
    }

    pub(crate) const fn profile(&self) -> &Profile {
        &self.profile
    }

    fn values(&self, more: Vec<(String, TemplateValue)>) -> Values {
        let params = self.params.iter();
        params
            .map(|(name, value)| (name.clone(), TemplateValue::from(value.as_str())))
            .chain(more)
            .collect()
    }

    async fn ask(
        &mut self,
        names: &[String],
        values: &Values,
    ) -> Result<Map<String, Value>, CallError> {
        let mut answers = Map::new();
        for name in names {
            let answer = self.ask_one(name, values).await?;
            answers.insert(name.clone(), answer);
        }
        Ok(answers)
    }

    /// A request as it can be shown: with another password.
    fn in_words(&self, request: &Request, values: &Values, call: &Call) -> String {
        let mut shown = values.clone();
        if let Some(password) = shown.get_mut(PASSWORD) {
            *password = TemplateValue::from(HIDDEN);
        }
        let shown = request.build(&shown, self.profile.auth.as_ref());
        told(&shown.unwrap_or_else(|_| Call::get(&call.path, "")))
    }

    /// Makes one request. An answer from which nothing is read need not be JSON.
    async fn ask_one(&mut self, name: &str, values: &Values) -> Result<Value, CallError> {
        let Some(request) = self.profile.requests.get(name) else {
            return Err(CallError::Refused(format!(
                "the profile has no request \"{name}\""
            )));
        };
        let is_wanted =
            |when: &String| self.params.get(when).is_some_and(|value| !value.is_empty());
        if !request.when.as_ref().is_none_or(is_wanted) {
            return Ok(Value::Null);
        }
        let call = request
            .build(values, self.profile.auth.as_ref())
            .map_err(|error| CallError::Refused(error.to_string()))?;
        let asked = self
            .transcript
            .is_some()
            .then(|| self.in_words(request, values, &call));
        let result = self.caller.call(call).await;
        if let Some(transcript) = &mut self.transcript {
            let answered = match &result {
                Ok(answer) => format!("{} {}", answer.status.as_u16(), beginning(&answer.body)),
                Err(error) => error.in_words(),
            };
            transcript.push(Exchange {
                asked: asked.unwrap_or_default(),
                answered: without(self.params.get(PASSWORD), answered),
            });
        }
        let answer = result?;
        if request.optional && answer.status == StatusCode::NOT_FOUND {
            return Ok(Value::Null);
        }
        check_status(&answer)?;
        let value = serde_json::from_slice(&answer.body).ok();
        if let Some(ok) = &request.ok {
            let said = ok
                .first(value.as_ref().unwrap_or(&Value::Null))
                .map_err(|error| CallError::Refused(error.to_string()))?;
            if said != Some(Value::Bool(true)) {
                let text = format!("it answered {} to {name}", beginning(&answer.body));
                return Err(CallError::Refused(text));
            }
        }
        let is_read = self.profile.read.ask.iter().any(|asked| asked == name);
        if value.is_none() && is_read {
            let text = format!("it is no JSON, but {}", beginning(&answer.body));
            return Err(CallError::Strange(text));
        }
        Ok(value.unwrap_or_default())
    }

    async fn limit(
        &mut self,
        limit: Milliamps,
        phases: u8,
        lease_s: u32,
        safe: Milliamps,
    ) -> Result<(), CallError> {
        let Some(how) = self.profile.limit.clone() else {
            return Err(CallError::Refused(
                "it is a relay and takes no limit".to_owned(),
            ));
        };
        let fitted = how.fit(limit);
        let current = fitted.unwrap_or_default();
        let safe = how.fit(safe).unwrap_or_default();
        let values = self.values(limit_values(current.0, phases, lease_s, safe.0));
        if fitted.is_none() {
            self.runs = false;
            self.ask(&how.pause, &values).await?;
            return Ok(());
        }
        self.ask(&how.ask, &values).await?;
        if !self.runs {
            self.ask(&how.resume, &values).await?;
            self.runs = true;
        }
        Ok(())
    }

    async fn switch(&mut self, on: bool, lease_s: u32) -> Result<(), CallError> {
        let Some(how) = self.profile.switch.clone() else {
            return Err(CallError::Refused(
                "it is a charger, not a relay".to_owned(),
            ));
        };
        let values = self.values(switch_values(lease_s.max(1)));
        self.ask(if on { &how.on } else { &how.off }, &values)
            .await?;
        Ok(())
    }
}

impl PolledDevice for HttpDevice {
    async fn tell(&mut self, order: &Order) -> Result<(), CallError> {
        match *order {
            Order::Limit {
                limit,
                phases,
                lease_s,
                safe,
            } => self.limit(limit, phases, lease_s, safe).await,
            Order::Switch { on, lease_s } => self.switch(on, lease_s).await,
        }
    }

    async fn read(&mut self) -> Result<Seen, CallError> {
        let ask = self.profile.read.ask.clone();
        let values = self.values(Vec::new());
        let mut answers = self.ask(&ask, &values).await?;
        let open = self.params.iter().filter(|(name, _)| *name != PASSWORD);
        answers.insert("params".to_owned(), json!(open.collect::<BTreeMap<_, _>>()));
        self.complaints.clear();
        understand(&self.profile, &Value::Object(answers), &mut self.complaints)
    }

    fn switches_phases(&self) -> bool {
        let asked = self.profile.limit.iter().flat_map(|limit| &limit.ask);
        let mut requests = asked.filter_map(|name| self.profile.requests.get(name));
        requests.any(|request| request.names("phases"))
    }

    fn pace(&self) -> Pace {
        self.profile.pace()
    }
}

fn check_status(answer: &Answer) -> Result<(), CallError> {
    match answer.status {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(CallError::Password),
        status if status.is_redirection() => Err(CallError::Refused(format!(
            "status {status}, to another address, which is not followed: configure the address itself"
        ))),
        status => Err(CallError::Refused(format!(
            "status {status}, {}",
            beginning(&answer.body)
        ))),
    }
}

/// What the answers say, by the expressions of the profile. One that fails leaves its value unknown, and
/// is told in `complaints`; only if nothing is left the answer was not understood.
fn understand(
    profile: &Profile,
    answers: &Value,
    complaints: &mut Vec<String>,
) -> Result<Seen, CallError> {
    let read = &profile.read;
    let mut get = |jq: &Option<Jq>| {
        let result = jq.as_ref()?.first(answers);
        result
            .map_err(|error| complaints.push(error.to_string()))
            .ok()?
    };
    match profile.kind {
        ProfileKind::Charger => {
            let status = get(&read.status)
                .and_then(|word| serde_json::from_value(word).ok())
                .unwrap_or(ChargerStatus::Unknown);
            let current_a = get(&read.current_a).and_then(|value| currents(&value));
            let limit = get(&read.limit_a).as_ref().and_then(ampere);
            let energy = get(&read.energy_kwh);
            if status == ChargerStatus::Unknown && current_a.is_none() && limit.is_none() {
                return Err(nothing(complaints));
            }
            Ok(Seen::Charger {
                status,
                current_a,
                limit,
                energy: energy
                    .and_then(|energy| energy.as_f64())
                    .filter(|energy| *energy >= 0.0)
                    .and_then(WattHours::from_f64),
            })
        }
        ProfileKind::Relay => {
            let on = get(&read.on).and_then(|on| on.as_bool());
            let power = get(&read.power_w).and_then(|power| power.as_f64());
            if on.is_none() && power.is_none() {
                return Err(nothing(complaints));
            }
            Ok(Seen::SlowLoad {
                on,
                power_w: power.and_then(Watts::from_f64),
            })
        }
    }
}

fn nothing(complaints: &[String]) -> CallError {
    let first = complaints.first().map(|complaint| format!(": {complaint}"));
    CallError::Strange(format!(
        "nothing that is looked for is in it{}",
        first.unwrap_or_default()
    ))
}

/// One current, or one for each terminal.
fn currents(value: &Value) -> Option<Vec<Option<Milliamps>>> {
    match value {
        Value::Array(values) => Some(values.iter().take(MAX_TERMINALS).map(ampere).collect()),
        number => Some(vec![Some(ampere(number)?)]),
    }
}

/// A current that can be; anything else is not known.
fn ampere(value: &Value) -> Option<Milliamps> {
    let ampere = value.as_f64()?;
    (0.0..=MAX_AMPERE)
        .contains(&ampere)
        .then(|| Milliamps::from_f64(ampere))?
}

/// A text of the device without the password, where it says it back.
fn without(password: Option<&String>, text: String) -> String {
    match password {
        Some(password) if !password.is_empty() => text.replace(password, HIDDEN),
        _ => text,
    }
}

fn told(call: &Call) -> String {
    let body = call.body.as_ref().filter(|body| !body.is_empty());
    let body = body.map(|body| format!(" {body}"));
    format!(
        "{} {}{}",
        call.method,
        call.target(),
        body.unwrap_or_default()
    )
}

/// The beginning of an answer, on one line.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
