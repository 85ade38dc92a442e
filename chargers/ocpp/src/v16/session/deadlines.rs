//! When time alone changes something.

use std::time::Duration;

use super::{
    BOOT_FIRST_PATIENCE, BOOT_PATIENCE, BOOT_TRIGGER_AFTER, Base, BootTrigger, Heard,
    METER_SILENCE, Session, limits::Gate,
};
use crate::types::Now;

impl Session {
    /// When [`Session::tick`] must be called at the latest.
    pub fn next_deadline(&self) -> Option<Duration> {
        let mut earliest = None;
        // What is due and still there waits for something else, not for time.
        let mut consider = |deadline: Option<Duration>| {
            let deadline = deadline.filter(|at| *at > self.seen);
            earliest = [earliest, deadline].into_iter().flatten().min();
        };
        consider(self.connector.expiry());
        consider(self.delayed.front().map(|(at, _)| *at));
        if !self.line.is_free() {
            consider(self.line.deadline());
            consider(self.break_off_at());
        } else if self.may_send() {
            if self.heard < Heard::Boot && self.boot_trigger == BootTrigger::NotSent {
                consider(Some(self.boot_trigger_at()));
            }
            if self.heard == Heard::Call {
                consider(Some(self.connected_at + BOOT_FIRST_PATIENCE));
            }
            if !self.setup_done_once {
                consider(Some(self.connected_at + BOOT_PATIENCE));
            }
            if let Base::RetryAt(at) = self.base {
                consider(Some(at));
            }
            if let (Some(_), Gate::Until(at)) = (self.waiting, self.gate) {
                consider(Some(at));
            }
            consider(self.watch.next(self.can_ask_composite()));
            consider(self.meter_trigger_at());
        }
        earliest
    }

    pub(super) const fn may_send(&self) -> bool {
        self.settings.adopted && self.settings.control
    }

    pub(super) fn ready_for_setup(&self, now: Now) -> bool {
        self.heard == Heard::Boot
            || self.boot_trigger == BootTrigger::Refused
            || self.connected_at + BOOT_PATIENCE <= now.monotonic
    }

    /// Whether profiles may be sent.
    pub(super) fn ready_for_limits(&self, now: Now) -> bool {
        self.ready_for_setup(now) || self.is_ready_by(now.monotonic)
    }

    /// Whether what it said is enough without a boot.
    fn is_ready_by(&self, monotonic: Duration) -> bool {
        let waits = self.quirks.waits_for_boot() || self.learnt.breaks_on_early_call();
        self.heard >= Heard::Call
            && (!waits || self.connected_at + BOOT_FIRST_PATIENCE <= monotonic)
    }

    /// When the boot is asked for. The question is an early call itself.
    pub(super) fn boot_trigger_at(&self) -> Duration {
        let patience = if self.learnt.breaks_on_early_call() {
            BOOT_FIRST_PATIENCE
        } else {
            BOOT_TRIGGER_AFTER
        };
        self.connected_at + patience
    }

    /// When a charging connector is to be asked for its meter values.
    pub(super) fn meter_trigger_at(&self) -> Option<Duration> {
        if !self.connector.is_charging()
            || self.meter_trigger_refused
            || !self.setup.is_done()
            || !self.setup_done_once
        {
            return None;
        }
        let heard = self
            .connector
            .measured_at()
            .max(self.meter_asked_at)
            .unwrap_or(self.connected_at);
        Some(heard + METER_SILENCE)
    }
}
