//! What the devices with HTTP share: a port on loopback, and one thread for each connection. A device says what it answers.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::Value;

/// A server that lives as long as its device.
#[derive(Debug)]
pub struct HttpServer {
    /// `address:port`.
    pub host: String,
    end: Arc<AtomicBool>,
}

/// What was asked. Bodies are not read: these devices are asked with GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Path and query.
    pub target: String,
    /// Headers, their names in small letters.
    pub headers: BTreeMap<String, String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Code and words.
    pub status: &'static str,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpServer {
    /// Serves on loopback until it is dropped. A request that `answer` gives nothing for stays without an answer, and its
    /// connection open.
    pub fn start(answer: impl Fn(Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer)
    }

    /// The same at an address of this machine.
    pub fn start_at(
        address: &str,
        answer: impl Fn(Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let end = Arc::new(AtomicBool::new(false));
        let (ended, answer) = (Arc::clone(&end), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream, &*answer));
            }
        });
        Self { host, end }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees the end.
        drop(TcpStream::connect(&self.host));
    }
}

impl Request {
    /// The path, and the query behind it.
    pub fn parts(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    /// The parameters of the query, as they were sent.
    pub fn parameters(&self) -> BTreeMap<&str, &str> {
        let (_, query) = self.parts();
        let pairs = query.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).collect()
    }
}

impl Answer {
    /// This JSON.
    pub fn json(body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self {
            body,
            ..Self::refusal("200 OK")
        }
    }

    /// A status with an empty object.
    pub fn refusal(status: &'static str) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: b"{}".to_vec(),
        }
    }

    /// This JSON, or that there is no such thing.
    pub fn found(body: Option<&Value>) -> Self {
        body.map_or_else(|| Self::refusal("404 Not Found"), Self::json)
    }
}

fn serve(stream: TcpStream, answer: &impl Fn(Request) -> Option<Answer>) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let Some(answer) = answer(request) else {
            continue;
        };
        let (status, content_type, length) =
            (answer.status, answer.content_type, answer.body.len());
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
        );
        let whole = [head.into_bytes(), answer.body].concat();
        if writer.write_all(&whole).is_err() {
            return;
        }
    }
}

/// The next request; `None` at the end.
fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = || {
        let mut line = String::new();
        matches!(reader.read_line(&mut line), Ok(1..)).then_some(line)
    };
    let target = line()?.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.trim().split_once(": ") else {
            return Some(Request { target, headers });
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
}
