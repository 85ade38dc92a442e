//! A relay or a charger behind a broker.

use std::time::Duration;

use headroom_core::units::Milliamps;
use tokio::{time::Instant, time::timeout};
use tracing::info;

use super::{
    client::Client,
    profile::{OnLoss, Profile, Tell},
};
use crate::polled::{CallError, Order, Pace, PolledDevice, Repeat, Seen};

/// Time for a device to tell its state after it was asked: radios and gateways take some hundred ms.
const TELLS_WITHIN: Duration = Duration::from_millis(1500);
/// Time for the broker, which is known to be gone or was not there yet.
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);
/// Least current at which a car charges (IEC 61851-1).
const LEAST: Milliamps = Milliamps(6000);

/// A device and its client.
#[derive(Debug)]
pub(crate) struct MqttDevice {
    profile: Profile,
    pub(super) client: Client,
    /// Terminals of a charger; `None` is a relay.
    terminals: Option<usize>,
    /// It was read before, so that it is known whether it is there.
    was_read: bool,
}

impl MqttDevice {
    /// Begins to connect. `terminals`: how many of a charger are connected; `None` for a relay. Must be
    /// called within a tokio runtime.
    pub(crate) fn new(
        load: &str,
        profile: Profile,
        broker: &str,
        topic: &str,
        terminals: Option<usize>,
    ) -> Self {
        if profile.topics.on_loss == OnLoss::HoldsLast {
            info!(
                load,
                profile = profile.topics.name,
                "the device keeps what it was told last when Headroom is gone"
            );
        }
        Self {
            client: Client::start(&profile, broker, topic),
            profile,
            terminals,
            was_read: false,
        }
    }

    /// What it has told, if that was not too long ago.
    fn seen(&self) -> Option<Seen> {
        let quiet = self.profile.topics.quiet;
        let heard = self.client.heard();
        let heard = heard.borrow();
        heard.book.seen(self.terminals, quiet, Instant::now())
    }

    fn is_not_there(&self) -> CallError {
        let text = format!(
            "the device has not told its state for {} s; check its topic",
            self.profile.topics.quiet.as_secs()
        );
        CallError::NoAnswer(text.into())
    }

    /// Waits for the broker, for a moment.
    async fn connected(&self) {
        let mut heard = self.client.heard();
        let connected = heard.wait_for(|heard| heard.broken.is_none());
        // Whether it came is asked by whoever needs it.
        drop(timeout(CONNECTS_WITHIN, connected).await);
    }

    /// Asks, if the device can be asked, and waits until it has told its state since then.
    async fn ask(&mut self) -> Result<(), CallError> {
        let ask = self.profile.topics.ask;
        if ask.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        self.client.publish(ask, str::to_owned).await?;
        let mut heard = self.client.heard();
        let told = heard.wait_for(|heard| heard.book.told().is_some_and(|at| at >= asked));
        // Whoever does not answer may have told its state a moment ago.
        drop(timeout(TELLS_WITHIN, told).await);
        Ok(())
    }
}

impl PolledDevice for MqttDevice {
    async fn tell(&mut self, order: &Order) -> Result<(), CallError> {
        let (messages, lease_s, amperes) = match (&self.profile.topics.tell, *order) {
            (
                Tell::Relay { on, off },
                Order::Switch {
                    on: closed,
                    lease_s,
                },
            ) => (if closed { *on } else { *off }, lease_s, 0),
            (
                Tell::Charger { limit, pause },
                Order::Limit {
                    limit: new,
                    lease_s,
                    ..
                },
            ) => {
                let amperes = new.floor_to_amps().0 / 1000;
                (if new < LEAST { *pause } else { *limit }, lease_s, amperes)
            }
            _ => {
                let text = "its profile is for another kind of device";
                return Err(CallError::Refused(text.to_owned()));
            }
        };
        let lease = lease_s.max(1).to_string();
        let amperes = amperes.to_string();
        let fill = |payload: &str| payload.replace("{s}", &lease).replace("{a}", &amperes);
        self.connected().await;
        self.client.publish(messages, fill).await?;
        // The broker says yes for a device that is gone, too.
        if self.was_read && self.seen().is_none() {
            return Err(self.is_not_there());
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Seen, CallError> {
        self.connected().await;
        self.ask().await?;
        let broken = self.client.heard().borrow().broken.clone();
        if let Some(why) = broken {
            let text = format!("no connection to the broker: {why}");
            return Err(CallError::NoAnswer(text.into()));
        }
        self.was_read = true;
        self.seen().ok_or_else(|| self.is_not_there())
    }

    fn pace(&self) -> Pace {
        let repeat = match self.profile.topics.on_loss {
            OnLoss::Opens => Repeat::Always,
            OnLoss::HoldsLast => Repeat::Needless,
        };
        Pace {
            repeat,
            ..Pace::default()
        }
    }
}
