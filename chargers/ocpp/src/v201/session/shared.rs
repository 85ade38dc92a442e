//! One session among several on one connection: whose turn it is to call, and who answers.

use std::time::Duration;

use super::{BootTrigger, Session};
use crate::types::Now;

impl Session {
    /// Whether others share the connection. The first of them asks for a boot that does not come.
    pub(crate) fn share(&mut self, shared: bool, first: bool) {
        self.part.held = shared;
        self.learnt.ladder.share(shared);
        if !first {
            self.boot_trigger = BootTrigger::Sent;
        }
    }

    /// Whether it has to leave the line to others.
    pub(crate) const fn hold(&mut self, held: bool) {
        self.part.held = held;
    }

    /// So long may a call of ours that is no profile take, for the sake of others.
    pub(crate) const fn press(&mut self, patience: Option<Duration>) {
        self.part.pressed = patience;
    }

    /// Whether a call of ours is under way.
    pub(crate) fn is_calling(&self) -> bool {
        !self.line.is_free()
    }

    /// How long what waits to be sent can wait.
    pub(crate) fn can_wait(&self) -> Option<Duration> {
        self.patience()
    }

    /// A call has come that another session answers.
    pub(crate) fn overhear(&mut self, text: &str, now: Now) {
        self.part.overhears = true;
        self.receive(text, now);
        self.part.overhears = false;
    }

    /// The EVSE that it controls.
    pub(crate) const fn connector(&self) -> u32 {
        self.settings.connector
    }
}
