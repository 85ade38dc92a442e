//! Alarms by webhook, ntfy and e-mail: each once when it begins and once when it ends.
//!
//! Inputs: the events that listeners of the page get too, and the configuration. Outputs: messages, and what is wrong with a
//! channel, which the loop shows as the alarm [`FAILING`].
//!
//! Invariants
//! - The loop waits for nothing here: it publishes an event and reads a list.
//! - Each channel has a queue of its own, bounded in length and age: one that hangs harms itself only.
//! - The alarm about a channel is shown on the page and sent by none, so that no message makes another.

mod email;
mod http;
mod message;
mod outage;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use headroom_store::{Alarm, House, StateDb};
use headroom_web::ServerEvent;
use headroom_web::notify::{Channel, Delivered};
use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::message::{Event, Message};
pub(crate) use self::outage::{FAILING, Outages};

/// Messages that may wait for one channel. A house has some alarms at a time.
const QUEUE: usize = 64;
/// A message that could not be sent for so long is news to nobody.
const STALE: Duration = Duration::from_hours(1);
/// First and longest pause before a message is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(10));
/// Each pause is so many times the one before.
const GROWTH: u32 = 4;
/// Failures one after the other from which on it is an outage: a single one is a hiccup of the network.
const OUTAGE_FROM: u32 = 2;

/// Sends messages by the channels that are configured now.
#[derive(Clone, Debug)]
pub(crate) struct Notifier {
    state: StateDb,
    outages: Arc<Outages>,
    /// First and longest pause.
    pauses: (Duration, Duration),
}

/// A message in a queue.
#[derive(Clone, Debug)]
struct Waiting {
    since: Instant,
    alarm: Arc<Alarm>,
}

impl Notifier {
    pub(crate) fn new(state: &StateDb) -> Self {
        Self {
            state: state.clone(),
            outages: Arc::default(),
            pauses: PAUSES,
        }
    }

    /// What is wrong with the channels, for the loop.
    pub(crate) fn outages(&self) -> Arc<Outages> {
        Arc::clone(&self.outages)
    }

    /// Sends every alarm that begins or ends, until nobody publishes any more.
    pub(crate) async fn run(self, mut events: broadcast::Receiver<ServerEvent>) {
        let mut workers = JoinSet::new();
        let queues = Channel::ALL.map(|channel| {
            let (queue, waiting) = mpsc::channel(QUEUE);
            workers.spawn(self.clone().work(channel, waiting));
            (channel, queue)
        });
        loop {
            let alarm = match events.recv().await {
                Ok(ServerEvent::Alarm(alarm)) if alarm.code != FAILING => alarm,
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Lagged(events)) => {
                    tracing::warn!(
                        events,
                        "so many events were not looked at for notifications"
                    );
                    continue;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            };
            let house = self.state.house();
            for (channel, queue) in &queues {
                let waiting = Waiting {
                    since: Instant::now(),
                    alarm: Arc::clone(&alarm),
                };
                if is_configured(&house, *channel) && queue.try_send(waiting).is_err() {
                    self.outages.lose(*channel);
                }
            }
        }
    }

    /// Sends the messages of one channel in their order.
    async fn work(self, channel: Channel, mut queue: mpsc::Receiver<Waiting>) {
        let mut house = self.state.watch_house();
        loop {
            let waiting = tokio::select! {
                waiting = queue.recv() => waiting,
                // A channel that was mended or taken away is not wrong any more.
                changed = house.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.outages.end_if_changed(channel, &house.borrow_and_update());
                    continue;
                }
            };
            let Some(waiting) = waiting else { return };
            self.deliver(channel, &waiting, &mut house).await;
        }
    }

    /// Tries until it is taken, too old, or the channel is gone.
    async fn deliver(
        &self,
        channel: Channel,
        waiting: &Waiting,
        changed: &mut watch::Receiver<Arc<House>>,
    ) {
        let (mut pause, longest) = self.pauses;
        let mut failures = 0;
        loop {
            let house = Arc::clone(&changed.borrow_and_update());
            if !is_configured(&house, channel) {
                self.outages.end(channel);
                return;
            }
            let message = Message {
                site: house.config.site.name.clone(),
                event: Event::of(&waiting.alarm),
            };
            let Err(why) = send(&house, channel, &message).await else {
                self.outages.end(channel);
                return;
            };
            tracing::warn!(channel = channel.as_str(), why, "an alarm was not sent");
            failures += 1;
            if failures >= OUTAGE_FROM {
                self.outages.begin(channel, &why, &house);
            }
            if waiting.since.elapsed() + pause > STALE {
                self.outages.lose(channel);
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * GROWTH).min(longest),
                // Another address may be the right one.
                changed = changed.changed() => if changed.is_err() { return },
            }
        }
    }
}

impl headroom_web::notify::Notifier for Notifier {
    fn test(&self, channel: Channel) -> Delivered<'_> {
        Box::pin(async move {
            let house = self.state.house();
            let message = Message {
                site: house.config.site.name.clone(),
                event: Event::Test(Timestamp::now()),
            };
            let sent = send(&house, channel, &message).await;
            if sent.is_ok() {
                self.outages.end(channel);
            }
            sent
        })
    }
}

fn is_configured(house: &House, channel: Channel) -> bool {
    let it = &house.notifications;
    match channel {
        Channel::Webhook => it.webhook.is_some(),
        Channel::Ntfy => it.ntfy.is_some(),
        Channel::Email => it.email.is_some(),
    }
}

/// Sends a message once.
async fn send(house: &House, channel: Channel, message: &Message) -> Result<(), String> {
    let it = &house.notifications;
    let language = &it.language;
    let missing = || Err("it is not configured".to_owned());
    match channel {
        Channel::Webhook => match &it.webhook {
            Some(webhook) => http::webhook(webhook, message, language).await,
            None => missing(),
        },
        Channel::Ntfy => match &it.ntfy {
            Some(ntfy) => http::ntfy(ntfy, message, language).await,
            None => missing(),
        },
        Channel::Email => match &it.email {
            Some(email) => email::send(email, message, language).await,
            None => missing(),
        },
    }
}
