//! A meter that answers over HTTP: a table of pages, which a test changes, and what was asked.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// The device.
#[derive(Debug)]
pub struct HttpMeter {
    /// `address:port`.
    pub host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    pages: BTreeMap<String, Page>,
    /// What the header `Authorization` must be; without one anybody may ask.
    authorization: Option<String>,
    requests: Vec<Request>,
    end: bool,
}

#[derive(Clone, Debug)]
struct Page {
    status: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Path and query.
    pub target: String,
    /// Headers, their names in small letters.
    pub headers: BTreeMap<String, String>,
}

impl HttpMeter {
    /// One without pages.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::<Mutex<State>>::default();
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if own.lock().unwrap().end {
                    return;
                }
                let state = Arc::clone(&own);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { host, state }
    }

    fn page(&self, target: &str, status: &'static str, content_type: &'static str, body: &[u8]) {
        let page = Page {
            status,
            content_type,
            body: body.to_vec(),
        };
        let mut state = self.state.lock().unwrap();
        state.pages.insert(target.to_owned(), page);
    }

    /// From now on it answers this JSON.
    pub fn json(&self, target: &str, body: &Value) {
        let body = body.to_string();
        self.page(target, "200 OK", "application/json", body.as_bytes());
    }

    /// From now on it answers these bytes as text.
    pub fn text(&self, target: &str, body: &[u8]) {
        self.page(target, "200 OK", "text/plain", body);
    }

    /// From now on it refuses with this status.
    pub fn refuse(&self, target: &str, status: &'static str) {
        self.page(target, status, "application/json", b"{}");
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

impl Drop for HttpMeter {
    fn drop(&mut self) {
        self.state.lock().unwrap().end = true;
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(&self.host));
    }
}

impl State {
    fn answer(&mut self, request: Request) -> Page {
        let refused = |status| Page {
            status,
            content_type: "application/json",
            body: b"{}".to_vec(),
        };
        let allowed = self.authorization.is_none()
            || request.headers.get("authorization") == self.authorization.as_ref();
        let page = self.pages.get(&request.target).cloned();
        self.requests.push(request);
        if !allowed {
            return refused("401 Unauthorized");
        }
        page.unwrap_or_else(|| refused("404 Not Found"))
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return;
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            if !matches!(reader.read_line(&mut header), Ok(1..)) {
                return;
            }
            let Some((name, value)) = header.trim().split_once(": ") else {
                break;
            };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let page = state.lock().unwrap().answer(Request { target, headers });
        let mut answer = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            page.status,
            page.content_type,
            page.body.len()
        )
        .into_bytes();
        answer.extend_from_slice(&page.body);
        if writer.write_all(&answer).is_err() {
            return;
        }
    }
}
