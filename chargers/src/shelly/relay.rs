//! The task of one relay: takes commands, reads back what the relay does.
//!
//! On is a lease: the device is told to open again by itself after `lease_s`, so that it opens
//! when the renewals stop (a dead man's switch). Off is plain. An unanswered command is tried once
//! more, with the newest value. A device that is lost is reported after two failed polls.

use std::time::Duration;

use headroom_core::{
    event::{Outcome, SlowLoadReport},
    units::Watts,
};
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};
use tracing::{info, warn};

use super::client::{CallError, Client, SwitchStatus};
use crate::{message::DeviceEvent, wall::WallClock};

/// Polls that may fail before the link counts as lost.
const FAILURES_UNTIL_LOST: u32 = 2;
/// Before an unanswered command is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// A command for a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SwitchRequest {
    pub(crate) command: u64,
    pub(crate) on: bool,
    pub(crate) lease_s: u32,
}

/// A relay and its task's state.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) load: String,
    pub(crate) client: Client,
    pub(crate) requests: watch::Receiver<Option<SwitchRequest>>,
    pub(crate) events: mpsc::Sender<DeviceEvent>,
    pub(crate) wall: WallClock,
    pub(crate) poll_every: Duration,
}

impl Relay {
    /// Runs until the sender of requests is gone.
    pub(crate) async fn run(mut self) {
        let mut poll = tokio::time::interval(self.poll_every);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failures = 0;
        loop {
            tokio::select! {
                biased;
                changed = self.requests.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.obey().await;
                    self.read_back(&mut failures).await;
                    poll.reset();
                }
                _ = poll.tick() => self.read_back(&mut failures).await,
            }
        }
    }

    async fn obey(&mut self) {
        let Some(mut request) = *self.requests.borrow_and_update() else {
            return;
        };
        let sent_at = self.wall.now();
        let mut result = self.switch(request).await;
        if matches!(result, Err(CallError::NoAnswer(_))) {
            tokio::time::sleep(RETRY_AFTER).await;
            let newest = self.requests.borrow_and_update().unwrap_or(request);
            if newest.command != request.command {
                self.outcome(request.command, Outcome::Timeout, sent_at)
                    .await;
                request = newest;
            }
            result = self.switch(request).await;
        }
        let outcome = match &result {
            Ok(()) => Outcome::Accepted,
            Err(CallError::NoAnswer(_)) => Outcome::Timeout,
            Err(CallError::Password | CallError::Refused(_) | CallError::Strange) => {
                Outcome::Rejected
            }
        };
        if let Err(error) = &result {
            warn!(load = self.load, on = request.on, %error, "the relay did not take a command");
        }
        self.outcome(request.command, outcome, sent_at).await;
    }

    async fn switch(&mut self, request: SwitchRequest) -> Result<(), CallError> {
        let toggle_after = request.on.then_some(request.lease_s.max(1));
        self.client.set(request.on, toggle_after).await
    }

    async fn outcome(&self, command: u64, outcome: Outcome, sent_at: jiff::Timestamp) {
        let acknowledged_at = (outcome != Outcome::Timeout).then(|| self.wall.now());
        self.emit(DeviceEvent::Outcome {
            command,
            outcome,
            sent_at,
            acknowledged_at,
        })
        .await;
    }

    async fn read_back(&mut self, failures: &mut u32) {
        let report = match self.client.status().await {
            Ok(SwitchStatus { on, power_w }) => {
                if *failures >= FAILURES_UNTIL_LOST {
                    info!(load = self.load, "the relay is back");
                }
                *failures = 0;
                let power_w = power_w.and_then(Watts::from_f64);
                SlowLoadReport {
                    id: self.load.clone(),
                    connected: true,
                    on,
                    power_w,
                }
            }
            Err(error) => {
                *failures = failures.saturating_add(1);
                if *failures < FAILURES_UNTIL_LOST {
                    return;
                }
                if *failures == FAILURES_UNTIL_LOST {
                    warn!(
                        load = self.load, %error,
                        "the relay is lost; it opens by itself when its lease runs out. Check its \
                         power, its network and the address that is configured"
                    );
                }
                SlowLoadReport {
                    id: self.load.clone(),
                    connected: false,
                    on: None,
                    power_w: None,
                }
            }
        };
        self.emit(DeviceEvent::SlowLoad(report)).await;
    }

    async fn emit(&self, event: DeviceEvent) {
        // The receiver is gone only when the program ends.
        drop(self.events.send(event).await);
    }
}
