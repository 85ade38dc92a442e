//! The HTTP API as a program uses it.

use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, http};

/// Longest answer that is read, in bytes.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;
/// An answer of a service on the same machine that takes longer is no answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one service.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    /// For example `http://127.0.0.1:8080`.
    pub base: String,
    /// Sent as a bearer token, if there is one.
    pub token: Option<String>,
    /// Sent with each request.
    pub headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its content type.
    pub content_type: String,
    /// The cookie that it sets, name and value alone.
    pub cookie: Option<String>,
    /// Its body as text.
    pub text: String,
    /// Its body as JSON; null if it is none.
    pub json: Value,
}

impl Answer {
    /// The answer itself, if it has the status; for chaining.
    ///
    /// # Panics
    /// If it has another.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

impl Api {
    /// A client without a token.
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build();
        Self {
            agent: config.into(),
            base: base.to_owned(),
            token: None,
            headers: Vec::new(),
        }
    }

    /// The same with a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same with a session's cookie and the proof that its page makes the changes.
    #[must_use]
    pub fn with_session(&self, cookie: &str, csrf: Option<&str>) -> Self {
        let mut headers = vec![("cookie".to_owned(), cookie.to_owned())];
        headers.extend(csrf.map(|csrf| ("x-csrf-token".to_owned(), csrf.to_owned())));
        Self {
            token: None,
            headers,
            ..self.clone()
        }
    }

    /// The same without one.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// `GET`. Paths that do not begin at the root lie below `/api/v1/`.
    pub fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(()).unwrap())
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path).body(()).unwrap())
    }

    /// `PUT` with a JSON body.
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.text("PUT", path, &body.to_string())
    }

    /// `POST` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.text("POST", path, &body.to_string())
    }

    /// `PATCH` with a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.text("PATCH", path, &body.to_string())
    }

    /// Any method with any text that claims to be JSON.
    pub fn text(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = self
            .request(method, path)
            .header("content-type", "application/json");
        self.send(request.body(body.to_owned()).unwrap())
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let mut request = http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// The whole address of a path.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/v1/{path}", self.base)
        }
    }

    fn send(&self, request: http::Request<impl ureq::AsSendBody>) -> Answer {
        let what = format!("{} {}", request.method(), request.uri());
        let mut answer = self
            .agent
            .run(request)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let content_type = header("content-type");
        let cookie = header("set-cookie");
        let cookie = cookie.and_then(|cookie| cookie.split(';').next().map(str::to_owned));
        let text = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_MAX)
            .read_to_vec();
        // A file may be no text at all.
        let text = text.unwrap_or_else(|error| panic!("{what}: {error}"));
        let text = String::from_utf8_lossy(&text).into_owned();
        Answer {
            status: answer.status().as_u16(),
            content_type: content_type.unwrap_or_default(),
            cookie,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }
}
