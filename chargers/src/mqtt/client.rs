//! The task that keeps one device's connection to its broker, and the service that publishes through it.

use std::{
    collections::hash_map::RandomState,
    convert::Infallible,
    hash::{BuildHasher, Hasher},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rumqttc::mqttbytes::v4::Packet;
use serde_json::Value;
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt as _, limit::ConcurrencyLimit, limit::RateLimit,
    timeout::Timeout,
};
use tracing::debug;

use super::{
    book::Book,
    connection::Connection,
    profile::{Message, Profile, Rule},
};
use crate::{modbus::with_port, polled::CallError};

/// The port of MQTT without TLS (IANA).
const PORT: u16 = 1883;
/// How often the broker is asked whether it is there; it has as long for its answer.
const PING: Duration = Duration::from_secs(10);
/// Before the broker is tried again.
const AGAIN_FIRST: Duration = Duration::from_millis(500);
const AGAIN_MOST: Duration = Duration::from_secs(10);
/// Messages on their way to the task; a call has at most two and waits for them.
const OUTGOING: usize = 8;
/// Time for the broker to take a message.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);
/// Messages that a small device can take, in [`RATE_PER`].
const RATE: u64 = 20;
const RATE_PER: Duration = Duration::from_secs(1);

type Stack = Timeout<ConcurrencyLimit<RateLimit<Publisher>>>;

/// What the placeholders of a profile stand for.
#[derive(Debug, Clone)]
pub(super) struct Names {
    topic: String,
    channel: String,
    me: String,
}

impl Names {
    fn new(profile: &Profile, topic: &str) -> Self {
        // Two clients of one name throw each other out. The keys of hash tables are random.
        let random = RandomState::new().build_hasher().finish() >> 16;
        Self {
            topic: topic.trim_matches('/').to_owned(),
            channel: profile.channel_text(),
            me: format!("headroom{random:012x}"),
        }
    }

    /// Fills in what does not depend on the order.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{n}", &self.channel)
            .replace("{me}", &self.me)
            .replace("{t}", &self.topic)
    }
}

/// The state of the connection and what the device has said.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) book: Book,
    /// Why there is no connection to the broker.
    pub(super) broken: Option<Arc<str>>,
}

/// One device's client at its broker.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) names: Names,
    stack: Stack,
    heard: watch::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Begins to connect. Must be called within a tokio runtime.
    pub(super) fn start(profile: &Profile, broker: &str, topic: &str) -> Self {
        let names = Names::new(profile, topic);
        let (outgoing, sent) = mpsc::channel(OUTGOING);
        let (tell, heard) = watch::channel(Heard {
            book: Book::default(),
            broken: Some("not connected yet".into()),
        });
        let rules = profile.topics.rules.iter();
        let line = Line {
            address: with_port(broker, PORT),
            listen: profile
                .topics
                .listen
                .iter()
                .map(|it| names.fill(it))
                .collect(),
            rules: rules.map(|rule| Filled::new(rule, &names)).collect(),
            name: names.me.clone(),
            outgoing: sent,
            heard: tell,
        };
        let stack = ServiceBuilder::new()
            .timeout(TAKEN_WITHIN)
            .concurrency_limit(1)
            .rate_limit(RATE, RATE_PER)
            .service(Publisher {
                outgoing,
                heard: heard.clone(),
            });
        Self {
            names,
            stack,
            heard,
            task: tokio::spawn(line.run()),
        }
    }

    /// What is heard, as it changes.
    pub(super) fn heard(&self) -> watch::Receiver<Heard> {
        self.heard.clone()
    }

    /// Publishes messages in turn; each is acknowledged by the broker. `fill` fills in the order.
    pub(super) async fn publish(
        &mut self,
        messages: &[Message],
        fill: impl Fn(&str) -> String,
    ) -> Result<(), CallError> {
        for message in messages {
            let ready = Outgoing {
                topic: self.names.fill(message.topic),
                payload: fill(&self.names.fill(message.payload)),
                done: None,
            };
            let service = self.stack.ready().await.map_err(CallError::NoAnswer)?;
            service.call(ready).await.map_err(CallError::NoAnswer)?;
        }
        Ok(())
    }
}

/// A message for the broker.
#[derive(Debug)]
struct Outgoing {
    topic: String,
    payload: String,
    done: Option<oneshot::Sender<()>>,
}

/// Hands messages to the task and waits until the broker has them.
#[derive(Debug, Clone)]
struct Publisher {
    outgoing: mpsc::Sender<Outgoing>,
    heard: watch::Receiver<Heard>,
}

impl Publisher {
    async fn publish(self, mut message: Outgoing) -> Result<(), BoxError> {
        let broken = self.heard.borrow().broken.clone();
        if let Some(why) = broken {
            return Err(format!("no connection to the broker: {why}").into());
        }
        let (done, taken) = oneshot::channel();
        message.done = Some(done);
        self.outgoing.send(message).await?;
        taken
            .await
            .map_err(|_| "the connection to the broker is lost".into())
    }
}

impl Service<Outgoing> for Publisher {
    type Response = ();
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, message: Outgoing) -> Self::Future {
        Box::pin(self.clone().publish(message))
    }
}

/// A rule with its topic and pointer as they are.
#[derive(Debug)]
struct Filled {
    topic: String,
    pointer: String,
    rule: &'static Rule,
}

impl Filled {
    fn new(rule: &'static Rule, names: &Names) -> Self {
        Self {
            topic: names.fill(rule.topic),
            pointer: names.fill(rule.pointer),
            rule,
        }
    }
}

/// How long it waits before the broker is tried again.
#[derive(Debug)]
struct Patience(Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(AGAIN_FIRST)
    }
}

impl Patience {
    /// After a connection that lived so long. One that ended at once is no better than none.
    fn after(&mut self, lived: Option<Duration>) -> Duration {
        if lived.is_some_and(|lived| lived >= AGAIN_MOST) {
            self.0 = AGAIN_FIRST;
        }
        let wait = self.0;
        self.0 = (wait * 2).min(AGAIN_MOST);
        wait
    }
}

/// The task.
#[derive(Debug)]
struct Line {
    address: String,
    listen: Vec<String>,
    rules: Vec<Filled>,
    name: String,
    outgoing: mpsc::Receiver<Outgoing>,
    heard: watch::Sender<Heard>,
}

impl Line {
    /// Connects again and again until it is aborted.
    async fn run(mut self) {
        let mut patience = Patience::default();
        loop {
            let mut begun = None;
            let error = match Connection::open(&self.address, &self.name, &self.listen).await {
                Ok(connection) => {
                    begun = Some(Instant::now());
                    self.heard.send_replace(Heard {
                        book: Book::default(),
                        broken: None,
                    });
                    match self.keep(connection).await {
                        Ok(never) => match never {},
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            debug!(%error, broker = self.address, "no connection to the broker");
            // What the device said is no longer known to be so.
            self.heard.send_replace(Heard {
                book: Book::default(),
                broken: Some(error.to_string().into()),
            });
            // What was to be sent was not: who waits for it hears that.
            while self.outgoing.try_recv().is_ok() {}
            sleep(patience.after(begun.map(|begun| begun.elapsed()))).await;
        }
    }

    async fn keep(&mut self, mut connection: Connection) -> io::Result<Infallible> {
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answered = true;
        loop {
            select! {
                packet = connection.next() => {
                    // Whatever comes, the broker is there.
                    answered = true;
                    if let Packet::Publish(message) = packet? {
                        let topic = String::from_utf8_lossy(&message.topic);
                        if message.retain {
                            // The broker kept it: it may be a second old, or a year.
                            debug!(?topic, "a retained message is no news");
                        } else {
                            self.hear(&topic, &message.payload);
                        }
                    }
                }
                Some(message) = self.outgoing.recv() => {
                    let Outgoing { topic, payload, done } = message;
                    // What nobody waits for any more was overtaken by something newer.
                    if let Some(done) = done.filter(|done| !done.is_closed()) {
                        connection.publish(&topic, &payload, done).await?;
                    }
                }
                _ = pings.tick() => {
                    if !answered {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "the broker no longer answers"));
                    }
                    answered = false;
                    connection.ping().await?;
                }
            }
        }
    }

    fn hear(&self, topic: &str, payload: &[u8]) {
        let mut rules = self.rules.iter().filter(|it| it.topic == topic).peekable();
        if rules.peek().is_none() {
            return;
        }
        let text = String::from_utf8_lossy(payload);
        // A word is no JSON, and is taken as it is.
        let value =
            serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.trim().to_owned()));
        let now = Instant::now();
        self.heard.send_modify(|heard| {
            for filled in rules {
                if let Some(value) = value.pointer(&filled.pointer) {
                    heard.book.take(value, filled.rule.gives, now);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_throws_it_out_at_once_is_tried_less_and_less_often() {
        let mut patience = Patience::default();
        let waits = |patience: &mut Patience, lived: Option<u64>| {
            let lived = lived.map(Duration::from_secs);
            patience.after(lived).as_millis()
        };
        let short: Vec<_> = (0..7).map(|_| waits(&mut patience, Some(0))).collect();
        assert_eq!(short, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(waits(&mut patience, None), 10_000);
        assert_eq!(waits(&mut patience, Some(60)), 500);
    }
}
