//! When time alone changes something.

use std::time::Duration;

use super::{
    BOOT_PATIENCE, BOOT_TRIGGER_AFTER, Base, BootTrigger, Heard, LIMIT_PATIENCE, METER_SILENCE,
    MeterTrigger, REDUCTION_PATIENCE, Session, Urgency,
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
        consider(self.evse.values().expiry());
        if !self.line.is_free() {
            consider(self.line.deadline());
            consider(self.break_off_at());
        } else if self.may_send() {
            if self.heard < Heard::Boot && self.boot_trigger == BootTrigger::NotSent {
                consider(Some(self.connected_at + BOOT_TRIGGER_AFTER));
            }
            if !self.setup_done_once {
                consider(Some(self.connected_at + BOOT_PATIENCE));
            }
            if let Base::RetryAt(at) = self.base {
                consider(Some(at));
            }
            consider(self.watch.next(self.may_ask()));
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

    /// When a call that is no profile has to give way; `None`: nothing waits for it.
    pub(super) fn break_off_at(&self) -> Option<Duration> {
        if self.line.kind()?.is_profile() {
            return None;
        }
        let patience = [self.patience(), self.part.pressed];
        let patience = patience.into_iter().flatten().min()?;
        Some(self.line_since + patience)
    }

    /// How long what waits can wait for a call that is no profile; `None`: nothing waits for it.
    pub(super) fn patience(&self) -> Option<Duration> {
        match (self.waiting, self.base) {
            (Some(waiting), _) if waiting.urgency == Urgency::Reduction => Some(REDUCTION_PATIENCE),
            (Some(_), _) => Some(LIMIT_PATIENCE),
            // After a boot there may be nothing at all that limits it.
            (None, Base::First) if self.may_send() => Some(LIMIT_PATIENCE),
            (None, _) => None,
        }
    }

    /// When a charging EVSE is to be asked for its values.
    pub(super) fn meter_trigger_at(&self) -> Option<Duration> {
        let values = self.evse.values();
        if !values.is_charging()
            || self.meter_trigger == MeterTrigger::Refused
            || !self.setup.is_done()
            || !self.setup_done_once
        {
            return None;
        }
        let heard = values
            .measured_at()
            .max(self.meter_asked_at)
            .unwrap_or(self.connected_at);
        Some(heard + METER_SILENCE)
    }
}
