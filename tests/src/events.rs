//! Server-sent events as a page receives them.

use std::{
    io::{BufRead, BufReader},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use ureq::Agent;

use crate::api::Api;

/// One event.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its number, if it has one.
    pub id: Option<String>,
    /// Its content.
    pub data: Value,
}

/// An open stream.
#[derive(Debug)]
pub struct Events {
    receiver: Receiver<Event>,
}

impl Events {
    /// Opens `GET /events`; with `last` as a page does that was there before.
    ///
    /// # Panics
    /// If the service does not open it.
    pub fn open(api: &Api, last: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(30)))
            .build();
        let mut request = Agent::from(config).get(api.url("events"));
        if let Some(token) = &api.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.call().unwrap();
        assert_eq!(answer.status().as_u16(), 200, "GET /events");
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut event = Event::default();
            for line in BufReader::new(answer.into_body().into_reader()).lines() {
                let Ok(line) = line else { return };
                if line.is_empty() {
                    let whole = std::mem::take(&mut event);
                    if !whole.name.is_empty() && sender.send(whole).is_err() {
                        return;
                    }
                }
                let Some((field, value)) = line.split_once(':') else {
                    continue;
                };
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "event" => value.clone_into(&mut event.name),
                    "id" => event.id = Some(value.to_owned()),
                    "data" => event.data = serde_json::from_str(value).unwrap_or_default(),
                    _ => {}
                }
            }
        });
        Self { receiver }
    }

    /// The next event of that name for which `wanted` gives something.
    ///
    /// # Panics
    /// After `limit` without one.
    pub fn wait<T>(
        &self,
        name: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.receiver.recv_timeout(left).unwrap_or_else(|error| {
                panic!("no such event {name:?} within {limit:?}: {error}");
            });
            if event.name == name
                && let Some(found) = wanted(&event)
            {
                return found;
            }
        }
    }
}
