//! The HTTP side of a Shelly relay: two calls, guarded by tower's layers.
//!
//! No redirects, no proxies, answers of 64 KiB at most, a time limit on everything. A device that
//! asks for a password gets a Digest answer; the challenge is kept for the next calls.

use std::time::Duration;

use reqwest::{StatusCode, header};
use serde_json::Value;

use super::digest::Challenge;
use crate::{
    http::{Answer, Call, Caller, HostError},
    polled::CallError,
};

/// What the relay says about itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SwitchStatus {
    pub(crate) on: Option<bool>,
    pub(crate) power_w: Option<f64>,
}

/// A client for one relay.
#[derive(Debug)]
pub(crate) struct Client {
    caller: Caller,
    channel: u32,
    password: Option<String>,
    challenge: Option<Challenge>,
}

impl Client {
    pub(crate) fn new(
        http: reqwest::Client,
        host: &str,
        channel: u32,
        password: Option<String>,
        answer_within: Duration,
    ) -> Result<Self, HostError> {
        Ok(Self {
            caller: Caller::new(http, host, answer_within)?,
            channel,
            password,
            challenge: None,
        })
    }

    /// Closes or opens the relay. `toggle_after_s`: the device goes back by itself after that.
    pub(crate) async fn set(
        &mut self,
        on: bool,
        toggle_after_s: Option<u32>,
    ) -> Result<(), CallError> {
        let toggle = toggle_after_s.map(|seconds| format!("&toggle_after={seconds}"));
        let query = format!("id={}&on={on}{}", self.channel, toggle.unwrap_or_default());
        let answer = self.call("/rpc/Switch.Set", &query).await?;
        answer
            .get("was_on")
            .and_then(Value::as_bool)
            .map(|_| ())
            .ok_or_else(strange)
    }

    /// Asks for state and power.
    pub(crate) async fn status(&mut self) -> Result<SwitchStatus, CallError> {
        let query = format!("id={}", self.channel);
        let answer = self.call("/rpc/Switch.GetStatus", &query).await?;
        let on = answer.get("output").and_then(Value::as_bool);
        let power_w = answer.get("apower").and_then(Value::as_f64);
        if on.is_none() && power_w.is_none() {
            return Err(strange());
        }
        Ok(SwitchStatus { on, power_w })
    }

    async fn call(&mut self, path: &str, query: &str) -> Result<Value, CallError> {
        let call = Call::get(path, query);
        let answer = self.send(call.clone()).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return read(&answer);
        }
        // A new challenge, or the first; one more try with it.
        self.challenge = answer
            .headers
            .get(header::WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok())
            .and_then(Challenge::read);
        if self.challenge.is_none() || self.password.is_none() {
            return Err(CallError::Password);
        }
        let answer = self.send(call).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(CallError::Password);
        }
        read(&answer)
    }

    async fn send(&mut self, mut call: Call) -> Result<Answer, CallError> {
        if let (Some(challenge), Some(password)) = (&mut self.challenge, &self.password) {
            let cnonce = format!("{:016x}", getrandom::u64().unwrap_or(1));
            let answer = challenge.answer("GET", &call.target(), password, &cnonce);
            let value = answer.parse().map_err(|_| CallError::Password)?;
            call.headers.insert(header::AUTHORIZATION, value);
        }
        self.caller.call(call).await
    }
}

fn read(answer: &Answer) -> Result<Value, CallError> {
    if !answer.status.is_success() {
        return Err(CallError::Refused(format!("status {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| strange())
}

fn strange() -> CallError {
    CallError::Strange("it is not what a Shelly relay answers".to_owned())
}
