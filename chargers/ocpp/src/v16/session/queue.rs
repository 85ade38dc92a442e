//! What goes out next: by urgency, one call at a time.

use super::{Base, BootTrigger, Heard, Kind, Session, limits::Gate};
use crate::{types::Now, v16::outgoing};

impl Session {
    pub(super) fn send_next(&mut self, now: Now) {
        if self.ready_for_setup(now) && !self.setup_done_once {
            self.restart_setup();
        }
        self.revive(now);
        let _sent = self.send_profile(now)
            || self.send_operation(now)
            || self.send_boot_trigger(now)
            || self.send_clearing(now)
            || self.send_setup(now)
            || self.send_meter_trigger(now)
            || self.send_composite(now);
    }

    /// What was given up for a while is due again.
    fn revive(&mut self, now: Now) {
        if let Base::RetryAt(at) = self.base
            && at <= now.monotonic
        {
            self.learnt.ladder.base_again();
            self.learnt.uncontrollable_until = None;
            self.base = Base::Due;
        }
        if self.watch.endless_ended(now.monotonic) {
            // It does not fall by itself: the base is what ends it.
            self.base = Base::Due;
        }
        if self.watch.repeat_is_due(now.monotonic) {
            self.restore_lease(now);
            self.renew_gate(now);
        }
    }

    fn send_profile(&mut self, now: Now) -> bool {
        if !self.ready_for_limits(now) || self.learnt.is_uncontrollable(now.wall) {
            return false;
        }
        if self.base == Base::First && self.send_base(now) {
            return true;
        }
        let may_go = match self.gate {
            Gate::Open | Gate::Urgent => true,
            Gate::Until(at) => at <= now.monotonic,
        };
        if may_go && let Some(waiting) = self.waiting.take() {
            self.send_limit(waiting, now);
            return true;
        }
        self.base == Base::Due && self.send_base(now)
    }

    fn send_boot_trigger(&mut self, now: Now) -> bool {
        let due = self.boot_trigger_at() <= now.monotonic;
        if self.heard == Heard::Boot || self.boot_trigger != BootTrigger::NotSent || !due {
            return false;
        }
        self.boot_trigger = BootTrigger::Sent;
        let call = outgoing::trigger("BootNotification", None);
        self.send(Kind::BootTrigger, &call, now);
        true
    }

    fn send_clearing(&mut self, now: Now) -> bool {
        if !self.ready_for_setup(now) {
            return false;
        }
        self.clear_once();
        self.send_operation(now)
    }

    fn send_setup(&mut self, now: Now) -> bool {
        if !self.ready_for_setup(now) {
            return false;
        }
        let status_known = self.connector.status_known();
        let Some(call) = self.setup.next(self.settings.connector, status_known) else {
            return false;
        };
        self.send(Kind::Setup, &call, now);
        true
    }

    fn send_meter_trigger(&mut self, now: Now) -> bool {
        let due = self
            .meter_trigger_at()
            .is_some_and(|at| at <= now.monotonic);
        if !self.ready_for_setup(now) || !due {
            return false;
        }
        self.meter_asked_at = Some(now.monotonic);
        let call = outgoing::trigger("MeterValues", Some(self.settings.connector));
        self.send(Kind::MeterTrigger, &call, now);
        true
    }
}
