//! A meter that answers over HTTP: a table of pages, which a test changes, and what was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::http_server::{Answer, HttpServer, Request};

/// The device.
#[derive(Debug)]
pub struct HttpMeter {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
    _server: HttpServer,
}

#[derive(Debug, Default)]
struct State {
    pages: BTreeMap<String, Answer>,
    /// What the header `Authorization` must be; without one anybody may ask.
    authorization: Option<String>,
    requests: Vec<Request>,
}

impl HttpMeter {
    /// One without pages.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// The same at an address of this machine.
    pub fn start_at(address: &str) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let own = Arc::clone(&state);
        let server = HttpServer::start_at(address, move |request| {
            Some(own.lock().unwrap().answer(request))
        });
        Self {
            host: server.host.clone(),
            state,
            _server: server,
        }
    }

    fn page(&self, target: &str, page: Answer) {
        let mut state = self.state.lock().unwrap();
        state.pages.insert(target.to_owned(), page);
    }

    /// From now on it answers this JSON.
    pub fn json(&self, target: &str, body: &Value) {
        self.page(target, Answer::json(body));
    }

    /// From now on it answers these bytes as text.
    pub fn text(&self, target: &str, body: &[u8]) {
        let page = Answer {
            status: "200 OK",
            content_type: "text/plain",
            body: body.to_vec(),
        };
        self.page(target, page);
    }

    /// From now on it refuses with this status.
    pub fn refuse(&self, target: &str, status: &'static str) {
        self.page(target, Answer::refusal(status));
    }

    /// From now on it answers 401 to all without this header.
    pub fn lock(&self, authorization: &str) {
        self.state.lock().unwrap().authorization = Some(authorization.to_owned());
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How often this was asked.
    pub fn asked(&self, target: &str) -> usize {
        let state = self.state.lock().unwrap();
        let requests = state.requests.iter();
        requests.filter(|request| request.target == target).count()
    }
}

impl State {
    fn answer(&mut self, request: Request) -> Answer {
        let allowed = self.authorization.is_none()
            || request.headers.get("authorization") == self.authorization.as_ref();
        let page = self.pages.get(&request.target).cloned();
        self.requests.push(request);
        if !allowed {
            return Answer::refusal("401 Unauthorized");
        }
        page.unwrap_or_else(|| Answer::refusal("404 Not Found"))
    }
}
