//! What one link has heard.

use crate::{feed::Given, period::Period};
use std::time::Duration;
use tokio::time::Instant;

/// What one link has heard.
#[derive(Debug, Clone)]
pub(crate) struct Hearing {
    pub(crate) opened: Instant,
    pub(crate) last_byte: Option<Instant>,
    /// Since when bytes are heard with the present line parameters, how many, and how many of them have their highest
    /// bit set.
    pub(crate) trial: Option<Instant>,
    pub(crate) trial_bytes: u64,
    pub(crate) trial_high: u64,
    /// The first and the last frame that is right.
    pub(crate) first_good: Option<Instant>,
    pub(crate) last_good: Option<Instant>,
    /// How often such frames come.
    pub(crate) frames: Period,
    /// Bytes since the last of them.
    pub(crate) unread: u64,
}

impl Hearing {
    pub(crate) fn new() -> Self {
        Self {
            opened: Instant::now(),
            last_byte: None,
            trial: None,
            trial_bytes: 0,
            trial_high: 0,
            first_good: None,
            last_good: None,
            frames: Period::default(),
            unread: 0,
        }
    }

    pub(crate) fn bytes(&mut self, given: &Given) {
        self.last_byte = Some(given.received);
        self.trial.get_or_insert(given.received);
        self.trial_bytes += given.bytes as u64;
        self.unread += given.bytes as u64;
        self.trial_high += given.high as u64;
    }

    pub(crate) fn good(&mut self, at: Instant) {
        self.first_good.get_or_insert(at);
        self.last_good = Some(at);
        self.frames.heard(at);
        self.unread = 0;
    }

    /// How long to wait for bytes: until they have been away for `pause`, and then for `tick`s.
    pub(crate) fn until(&self, pause: Duration, tick: Duration) -> Duration {
        let silent = self.last_byte.map(|last| last.elapsed());
        let left = silent.and_then(|silent| pause.checked_sub(silent));
        left.filter(|left| !left.is_zero()).unwrap_or(tick)
    }

    /// Other line parameters: nothing was heard with them yet.
    pub(crate) fn new_line(&mut self) {
        self.trial = None;
        self.trial_bytes = 0;
        self.trial_high = 0;
    }
}
