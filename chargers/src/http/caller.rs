//! Calls of one HTTP device, guarded by tower's layers.
//!
//! No redirects, no proxies, answers of 64 KiB at most, one call at a time, a time limit on everything, and never
//! another host than the one that is configured.

use std::time::Duration;

use reqwest::{
    Method, Request, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, HeaderMap, HeaderValue},
};
use tower::{
    BoxError, Service as _, ServiceBuilder, ServiceExt as _, limit::ConcurrencyLimit,
    limit::RateLimit, timeout::Timeout,
};

use crate::polled::CallError;

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
    host: String,
}

/// A request without its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Begins with a slash, percent-encoded.
    pub(crate) path: String,
    /// Percent-encoded.
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
}

impl Call {
    /// A plain request for a path.
    pub(crate) fn get(path: &str, query: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            query: Some(query.to_owned()),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Path and query, as they stand in the first line of the request.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The way to one device.
#[derive(Debug)]
pub(crate) struct Caller {
    stack: Stack,
    base: Url,
}

impl Caller {
    /// A way to `host`, which may carry a port.
    ///
    /// # Errors
    /// If the host is something else than a host.
    pub(crate) fn new(
        client: reqwest::Client,
        host: &str,
        answer_within: Duration,
    ) -> Result<Self, HostError> {
        let base = base_url(host).ok_or_else(|| HostError {
            host: host.to_owned(),
        })?;
        let stack = ServiceBuilder::new()
            .timeout(answer_within)
            .concurrency_limit(1)
            .rate_limit(RATE, RATE_PER)
            .service(client);
        Ok(Self { stack, base })
    }

    /// Makes a call and takes the answer, whatever its status.
    pub(crate) async fn call(&mut self, call: Call) -> Result<Answer, CallError> {
        let mut url = self.base.clone();
        url.set_path(&call.path);
        url.set_query(call.query.as_deref());
        let mut request = Request::new(call.method, url);
        *request.headers_mut() = call.headers;
        if let Some(body) = call.body {
            if body.is_empty() {
                // Some devices wait for a body until they are told that there is none.
                let nothing = HeaderValue::from_static("0");
                request.headers_mut().insert(CONTENT_LENGTH, nothing);
            }
            *request.body_mut() = Some(body.into());
        }
        let service = self.stack.ready().await.map_err(no_answer)?;
        let response = service.call(request).await.map_err(no_answer)?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = tokio::time::timeout(BODY_TIMEOUT, body(response))
            .await
            .map_err(|elapsed| CallError::NoAnswer(elapsed.into()))??;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// Without the address: some devices want their password in it.
fn no_answer(error: BoxError) -> CallError {
    CallError::NoAnswer(match error.downcast::<reqwest::Error>() {
        Ok(error) => error.without_url().into(),
        Err(other) => other,
    })
}

async fn body(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| no_answer(error.into()))? else {
            return Ok(body);
        };
        if body.len() + chunk.len() > MAX_BODY {
            return Err(CallError::Strange(format!(
                "it is longer than {MAX_BODY} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
}

/// A client for one device.
///
/// # Errors
/// If the system gives no sockets or no random numbers.
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
