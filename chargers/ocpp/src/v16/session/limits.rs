//! Limits on their way: which may go now, and which have to wait for the sake of the memory.

use std::time::Duration;

use super::{Kind, LIMIT_PATIENCE, REDUCTION_PATIENCE, Session, Waiting};
use crate::{
    types::{LimitOutcome, LimitRequest, Note, Now},
    wear::Urgency,
};

/// A lease with less left than this is not worth sending again, in seconds.
const RESTORE_MIN_S: i64 = 10;

/// Whether the waiting limit may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// A reduction: it waits for others even less.
    Urgent,
    /// Not before.
    Until(Duration),
}

impl Session {
    /// Judges the waiting limit. One that must not be sent ends here.
    pub(super) fn renew_gate(&mut self, now: Now) {
        let Some(waiting) = self.waiting else {
            self.gate = Gate::Open;
            return;
        };
        if self.learnt.is_uncontrollable(now.wall) {
            self.refuse_waiting(now);
            return;
        }
        let safe_ma = self.settings.safe_ma;
        let request = self.as_done(waiting.request, now);
        let urgency = self.learnt.urgency(request, safe_ma, now.wall);
        if request != waiting.request && urgency == Urgency::Raise {
            self.note(Note::PhasesFixed);
            self.refuse_waiting(now);
            return;
        }
        // Without it the charge point would fall to more.
        let keeps_low = waiting.request.limit_ma < safe_ma;
        let bears = self.quirks.writes_per_day().unwrap_or(u32::MAX);
        let budget = self.writes_per_day.min(bears);
        let used_up = self.learnt.wear.is_used_up(budget, now.wall);
        self.gate = match urgency {
            Urgency::Reduction => Gate::Urgent,
            Urgency::Renewal if !used_up || keeps_low => Gate::Open,
            Urgency::Raise if !used_up && waiting.attempt > 1 => Gate::Open,
            Urgency::Raise if !used_up && !self.learnt.wear.holds_raises(now.wall) => {
                self.distance(now)
            }
            Urgency::Renewal | Urgency::Raise => {
                if used_up && let Some(writes) = self.learnt.wear.tell() {
                    self.note(Note::WriteBudgetUsed(writes));
                }
                self.refuse_waiting(now);
                return;
            }
        };
    }

    /// What becomes of a request at this connector.
    pub(super) fn as_done(&self, request: LimitRequest, now: Now) -> LimitRequest {
        let learnt = &self.learnt;
        let in_force = learnt.may_be_in_force(now.wall);
        learnt
            .capabilities
            .as_done(request, self.settings.terminals, in_force)
    }

    fn refuse_waiting(&mut self, now: Now) {
        self.gate = Gate::Open;
        if let Some(waiting) = self.waiting.take() {
            self.outcome(waiting, LimitOutcome::Rejected, now);
        }
    }

    /// The distance between raises that the model wants.
    fn distance(&self, now: Now) -> Gate {
        let every_s = self.quirks.raise_every_s().unwrap_or(0);
        let wait = self.learnt.wear.raise_wait(every_s, now.wall);
        match Duration::try_from(wait) {
            Ok(wait) if !wait.is_zero() => Gate::Until(now.monotonic + wait),
            _ => Gate::Open,
        }
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

    /// How long the waiting limit can wait for a call that is no profile; `None`: nothing waits for it.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.waiting?;
        match self.gate {
            Gate::Urgent => Some(REDUCTION_PATIENCE),
            Gate::Open => Some(LIMIT_PATIENCE),
            Gate::Until(_) => None,
        }
    }

    pub(super) fn break_off_for_limit(&mut self, now: Now) {
        if self.break_off_at().is_none_or(|at| now.monotonic < at) {
            return;
        }
        // The line is taken over; the late answer will be dropped as one to no call.
        match self.line.timed_out(Duration::MAX, &mut self.counters) {
            Some(Kind::Setup) => self.setup.broken_off(),
            Some(Kind::Operation { number, .. }) => {
                self.operated(number, LimitOutcome::Timeout);
            }
            _ => {}
        }
    }

    /// The lease that is in force goes in again with what is left of it: after a boot, after
    /// profiles were cleared, or in another form.
    pub(super) fn restore_lease(&mut self, now: Now) {
        let Some(in_force) = self.learnt.lease_now(now.wall) else {
            return;
        };
        let left = in_force.until.duration_since(now.wall).as_secs();
        if self.waiting.is_some() || !self.may_send() || left < RESTORE_MIN_S {
            return;
        }
        let lease_s = u32::try_from(left)
            .unwrap_or(1)
            .min(in_force.request.lease_s);
        self.waiting = Some(Waiting {
            request: LimitRequest {
                lease_s,
                ..in_force.request
            },
            sent_at: None,
            attempt: 1,
            restored: true,
        });
    }
}
