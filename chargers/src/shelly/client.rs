//! The HTTP side of a Shelly relay: two calls, guarded by tower's layers.
//!
//! No redirects, no proxies, answers of 64 KiB at most, a time limit on everything. A device that
//! asks for a password gets a Digest answer; the challenge is kept for the next calls.

use std::time::Duration;

use reqwest::{Method, Request, Response, StatusCode, Url, header};
use serde_json::Value;
use tower::{
    BoxError, Service as _, ServiceBuilder, ServiceExt as _, limit::ConcurrencyLimit,
    limit::RateLimit, timeout::Timeout,
};

use super::digest::Challenge;

/// Time for a connection; a device on the same network takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for the body of an answer.
const BODY_TIMEOUT: Duration = Duration::from_secs(3);
/// Requests that a small device can take, in [`RATE_PER`].
const RATE: u64 = 20;
const RATE_PER: Duration = Duration::from_secs(1);
/// Largest body of an answer.
const MAX_BODY: usize = 64 * 1024;

type Stack = Timeout<ConcurrencyLimit<RateLimit<reqwest::Client>>>;

/// A host name that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("\"{host}\" is no host name or address, with or without a port")]
pub(crate) struct HostError {
    pub(crate) host: String,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer in time, or no connection: the device may have done it or not.
    #[error("no answer")]
    NoAnswer(#[source] BoxError),
    /// It wants a password that it was not given.
    #[error("the device refuses the password; enter the one that is set in the device")]
    Password,
    /// It said no.
    #[error("the device answered with status {0}")]
    Refused(StatusCode),
    /// It said something else.
    #[error("the answer is not what a Shelly relay answers")]
    Strange,
}

/// What the relay says about itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SwitchStatus {
    pub(crate) on: Option<bool>,
    pub(crate) power_w: Option<f64>,
}

/// A client for one relay.
#[derive(Debug)]
pub(crate) struct Client {
    stack: Stack,
    base: Url,
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
        let base = base_url(host).ok_or_else(|| HostError {
            host: host.to_owned(),
        })?;
        let stack = ServiceBuilder::new()
            .timeout(answer_within)
            .concurrency_limit(1)
            .rate_limit(RATE, RATE_PER)
            .service(http);
        Ok(Self {
            stack,
            base,
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
            .ok_or(CallError::Strange)
    }

    /// Asks for state and power.
    pub(crate) async fn status(&mut self) -> Result<SwitchStatus, CallError> {
        let query = format!("id={}", self.channel);
        let answer = self.call("/rpc/Switch.GetStatus", &query).await?;
        let on = answer.get("output").and_then(Value::as_bool);
        let power_w = answer.get("apower").and_then(Value::as_f64);
        if on.is_none() && power_w.is_none() {
            return Err(CallError::Strange);
        }
        Ok(SwitchStatus { on, power_w })
    }

    async fn call(&mut self, path: &str, query: &str) -> Result<Value, CallError> {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(Some(query));
        let response = self.send(url.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return read(response).await;
        }
        // A new challenge, or the first; one more try with it.
        self.challenge = response
            .headers()
            .get(header::WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok())
            .and_then(Challenge::read);
        drop(response);
        if self.challenge.is_none() || self.password.is_none() {
            return Err(CallError::Password);
        }
        let response = self.send(url).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(CallError::Password);
        }
        read(response).await
    }

    async fn send(&mut self, url: Url) -> Result<Response, CallError> {
        let mut request = Request::new(Method::GET, url);
        if let (Some(challenge), Some(password)) = (&mut self.challenge, &self.password) {
            let url = request.url();
            let uri = url
                .query()
                .map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
            let cnonce = format!("{:016x}", getrandom::u64().unwrap_or(1));
            let answer = challenge.answer("GET", &uri, password, &cnonce);
            let value = answer.parse().map_err(|_| CallError::Password)?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let service = self.stack.ready().await.map_err(CallError::NoAnswer)?;
        service.call(request).await.map_err(CallError::NoAnswer)
    }
}

/// The client that all relays share.
pub(crate) fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(1)
        .build()
}

/// `http://HOST/` if the host is nothing but a host.
fn base_url(host: &str) -> Option<Url> {
    if host.is_empty()
        || host
            .chars()
            .any(|c| c.is_whitespace() || "/\\@?#%".contains(c))
    {
        return None;
    }
    let url = Url::parse(&format!("http://{host}/")).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    (plain && url.host_str().is_some()).then_some(url)
}

async fn read(mut response: Response) -> Result<Value, CallError> {
    let status = response.status();
    if !status.is_success() {
        return Err(CallError::Refused(status));
    }
    let body = async {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| CallError::NoAnswer(error.into()))?
        {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(CallError::Strange);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, body)
        .await
        .map_err(|elapsed| CallError::NoAnswer(elapsed.into()))??;
    serde_json::from_slice(&body).map_err(|_| CallError::Strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_host_and_nothing_else() {
        for good in [
            "192.0.2.7",
            "192.0.2.7:8080",
            "relay.local",
            "[2001:db8::1]:80",
        ] {
            assert!(base_url(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "host/path",
            "user@host",
            "host?x",
            "host#x",
            "ho%73t",
            ":80",
            "host:99999",
        ] {
            assert!(base_url(bad).is_none(), "{bad}");
        }
    }
}
