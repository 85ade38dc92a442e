//! What the passing of time does to a load: its lease runs out, its link breaks and comes back, its changes
//! settle.

use super::draw::CHANGE_MAX_MS;
use super::link::LinkEvent;
use super::{Kind, LEASE_SLACK_MS, Load, REACTION_MS, REPORT_MAX_AGE_MS};
use crate::config::LeaseProof;
use crate::event::Outcome;
use crate::units::{Instant, Milliamps};

impl Load {
    /// Takes a link that is there.
    pub(super) fn hear(&mut self, now: Instant) {
        if !self.link.is_connected() {
            let possible = self.worst(now);
            self.lapse(now);
            // It counts as before until it has taken its limit anew.
            if self.setpoint.is_some_and(|told| told < possible) {
                self.unsettled = Some(possible);
            }
            self.outcome = None;
            // What it did in between is not known: tell it again, and let it show anew whether it answers.
            self.resend = self.setpoint.is_some();
            self.failures = 0;
            self.retry_at = None;
            self.followed = None;
            // What it drew then says nothing of where its draw goes now.
            self.measured = None;
            self.forget_span();
        }
        self.link.handle(LinkEvent::Heard);
    }

    /// Takes a link that broke.
    pub(super) fn lose(&mut self, now: Instant) {
        if self.link.lost_since().is_none() {
            self.link.handle(LinkEvent::Gone(now));
            self.followed = None;
        }
    }

    /// When its lease has run out it is at its safe current by itself: more is a new grant. One that cannot
    /// fall back is still at what it was told.
    pub(super) fn lapse(&mut self, now: Instant) {
        if self.spec.proof == LeaseProof::None || self.wishes.silent {
            return;
        }
        let over = self.lease_until.is_some_and(|until| until <= now);
        if over
            && self
                .setpoint
                .is_some_and(|setpoint| setpoint != self.spec.safe)
        {
            self.forget_setpoint(now);
        }
    }

    pub(super) fn forget_setpoint(&mut self, now: Instant) {
        let was_on = self.setpoint.take().is_some_and(|on| on > Milliamps::ZERO);
        if self.spec.kind == Kind::SlowLoad && was_on {
            // It opened by itself, as far as anybody knows: to close it again is a change, and in its time.
            self.off_since = Some(now);
            self.last_told = None;
        }
        // It gets another chance, and one only.
        self.failures = self.failures.min(1);
        self.unsettled = None;
        self.forget_span();
        self.reported_limit = None;
        self.started_at = None;
        self.fresh_session = self.stopped_at.is_none();
    }

    /// Lets time pass: leases run out, energy adds up, and a change is settled where the load says nothing
    /// of its draw.
    pub fn settle(&mut self, now: Instant) {
        if self.link.is_connected() {
            self.lapse(now);
        }
        self.settle_phases(now);
        self.account(now);
        let silent = !self.has_recent_report(now);
        let accepted = self.outcome == Some(Outcome::Accepted)
            && self
                .accepted_at
                .is_some_and(|at| now.since_ms(at) >= REACTION_MS);
        if silent && accepted && self.link.is_connected() {
            self.unsettled = None;
        }
    }

    /// When the passing of time alone changes what is known of it.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        if self.link.lost_since().is_some() {
            return self.lease_until.map(|until| until.after_ms(LEASE_SLACK_MS));
        }
        let lapse = self.lease_until.filter(|until| *until > now);
        let times = lapse.into_iter().chain(self.next_draw_change(now));
        times.min()
    }

    /// When the passing of time alone changes what counts for its draw.
    fn next_draw_change(&self, now: Instant) -> Option<Instant> {
        let after_change = [REACTION_MS, self.slow_ms(), CHANGE_MAX_MS];
        let change = self.changed_at.into_iter();
        let settles = change.flat_map(|at| after_change.map(|ms| at.after_ms(ms)));
        let raised = self.raised_at.map(|at| at.after_ms(self.reaction_ms()));
        let old = self
            .measured_at
            .map(|at| at.after_ms(REPORT_MAX_AGE_MS + 1));
        let taken = self.accepted_at.map(|at| at.after_ms(REACTION_MS));
        let times = settles.chain(raised).chain(old).chain(taken);
        times.filter(|time| *time > now).min()
    }
}
