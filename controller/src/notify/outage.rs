//! What is wrong with the channels, for the alarm on the page.

use std::sync::{Mutex, PoisonError};

use headroom_store::{House, Notifications};
use headroom_web::notify::Channel;
use tokio::time::Instant;

/// The code of the alarm. It is sent by no channel.
pub(crate) const FAILING: &str = "notification_failing";

/// Channels that do not take messages.
#[derive(Debug, Default)]
pub(crate) struct Outages(Mutex<Vec<Outage>>);

#[derive(Debug)]
struct Outage {
    channel: Channel,
    since: Instant,
    why: String,
    /// Messages that nobody got.
    lost: u64,
    /// As it was configured when it failed.
    configured: Option<Notifications>,
}

impl Outages {
    fn with<T>(&self, look: impl FnOnce(&mut Vec<Outage>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A channel does not take messages.
    pub(super) fn begin(&self, channel: Channel, why: &str, house: &House) {
        self.with(|outages| {
            let outage = of(outages, channel);
            why.clone_into(&mut outage.why);
            outage.configured = Some(house.notifications.clone());
        });
    }

    /// A message was given up.
    pub(super) fn lose(&self, channel: Channel) {
        self.with(|outages| {
            let outage = of(outages, channel);
            outage.lost = outage.lost.saturating_add(1);
        });
    }

    /// A channel takes messages, or is gone.
    pub(super) fn end(&self, channel: Channel) {
        self.with(|outages| outages.retain(|outage| outage.channel != channel));
    }

    /// A channel that failed is another one now: nothing is known of that.
    pub(super) fn end_if_changed(&self, channel: Channel, house: &House) {
        self.with(|outages| {
            outages.retain(|outage| {
                let same = outage.configured.as_ref() == Some(&house.notifications);
                outage.channel != channel || same
            });
        });
    }

    /// Since when, and what is wrong, in words; `None`: nothing.
    pub(crate) fn problem(&self) -> Option<(Instant, String)> {
        self.with(|outages| {
            let since = outages.iter().map(|outage| outage.since).min()?;
            let each: Vec<String> = outages.iter().map(words).collect();
            let text = format!(
                "Alarms do not leave the house: {}. They stand on this page all the same, and control goes on. Mend the \
                 channel under notifications, and send a test message.",
                each.join("; ")
            );
            Some((since, text))
        })
    }
}

fn of(outages: &mut Vec<Outage>, channel: Channel) -> &mut Outage {
    let known = outages.iter().position(|outage| outage.channel == channel);
    let index = known.unwrap_or(outages.len());
    if known.is_none() {
        outages.push(Outage {
            channel,
            since: Instant::now(),
            why: "too many messages at a time".to_owned(),
            lost: 0,
            configured: None,
        });
    }
    #[expect(
        clippy::indexing_slicing,
        reason = "it was found there, or put there above"
    )]
    &mut outages[index]
}

fn words(outage: &Outage) -> String {
    let name = outage.channel.as_str();
    match outage.lost {
        0 => format!("{name}: {}", outage.why),
        lost => format!("{name}: {} ({lost} messages were given up)", outage.why),
    }
}
