//! What becomes of our calls: answers, refusals and time-outs.

use jiff::SignedDuration;
use serde_json::Value;

use super::{BASE_RETRY_AFTER, Base, BootTrigger, InForce, Kind, Session, Waiting};
use crate::{
    types::{LimitOutcome, Note, Now, Output},
    v16::{ladder::BaseForm, outgoing},
    value::text_member,
};

impl Session {
    pub(super) fn answered(&mut self, kind: Kind, payload: &Value, now: Now) {
        let yes = outgoing::is_accepted(payload);
        match kind {
            Kind::Setup => {
                let learned = self.setup.answered(payload, &mut self.learnt.ladder);
                if learned.unit_changed && self.base != Base::First {
                    self.learnt.ladder.base_again();
                    self.base = Base::Due;
                }
            }
            Kind::Base { form, safe_ma, .. } if yes => self.base_accepted(form, safe_ma),
            Kind::Limit(waiting) if yes => self.limit_accepted(waiting, now),
            Kind::BootTrigger | Kind::MeterTrigger if yes => {}
            refused => {
                let status = text_member(payload, "status").unwrap_or_default();
                self.refused(refused, status.chars().take(40).collect(), now);
            }
        }
    }

    pub(super) fn refused(&mut self, kind: Kind, why: String, now: Now) {
        match kind {
            Kind::Setup => self.setup.refused(),
            Kind::BootTrigger => {
                self.boot_trigger = BootTrigger::Refused;
                self.note(Note::CallRefused("TriggerMessage", why));
            }
            Kind::MeterTrigger => {
                self.meter_trigger_refused = true;
                self.note(Note::CallRefused("TriggerMessage", why));
            }
            Kind::Base { .. } => {
                self.note(Note::CallRefused("SetChargingProfile", why));
                self.base_attempt = 0;
                if self.learnt.ladder.base_refused() {
                    self.base = if self.base == Base::First {
                        Base::First
                    } else {
                        Base::Due
                    };
                } else {
                    self.base_failed(now);
                }
            }
            Kind::Limit(waiting) => {
                self.note(Note::CallRefused("SetChargingProfile", why));
                self.limit_refused(waiting, now);
            }
        }
    }

    pub(super) fn base_accepted(&mut self, form: BaseForm, safe_ma: u32) {
        self.learnt.ladder.base_accepted(form);
        self.base_attempt = 0;
        self.base = if safe_ma == self.settings.safe_ma {
            Base::InPlace
        } else {
            Base::Due
        };
        self.note(Note::BaseInPlace);
    }

    pub(super) fn base_failed(&mut self, now: Now) {
        self.base_attempt = 0;
        self.base = Base::RetryAt(now.monotonic + BASE_RETRY_AFTER);
        self.note(Note::BaseMissing);
    }

    pub(super) fn limit_accepted(&mut self, waiting: Waiting, now: Now) {
        self.learnt.ladder.lease_accepted();
        let sent_at = waiting.sent_at.unwrap_or(now.wall);
        let lease = SignedDuration::from_secs(i64::from(waiting.request.lease_s));
        let until = sent_at.checked_add(lease).unwrap_or(sent_at);
        self.learnt.in_force = Some(InForce {
            request: waiting.request,
            until,
        });
        self.outcome(waiting, LimitOutcome::Accepted, now);
    }

    pub(super) fn limit_refused(&mut self, waiting: Waiting, now: Now) {
        let try_next = self.learnt.ladder.lease_refused();
        if !try_next {
            self.outcome(waiting, LimitOutcome::Rejected, now);
            return;
        }
        self.note(Note::ProfileFormRefused(
            "the next form of the profile is tried",
        ));
        if self.waiting.is_some() {
            self.outcome(waiting, LimitOutcome::Rejected, now);
        } else {
            self.waiting = Some(Waiting {
                attempt: 1,
                ..waiting
            });
        }
    }

    pub(super) fn outcome(&mut self, waiting: Waiting, outcome: LimitOutcome, now: Now) {
        if waiting.restored {
            return;
        }
        self.outputs.push_back(Output::Outcome {
            command: waiting.request.command,
            outcome,
            sent_at: waiting.sent_at.unwrap_or(now.wall),
            answered_at: (outcome != LimitOutcome::Timeout).then_some(now.wall),
        });
    }

    pub(super) fn timed_out(&mut self, kind: Kind, now: Now) {
        match kind {
            Kind::Setup => {
                self.note(Note::CallTimedOut("configuration"));
                if self.setup.timed_out() {
                    self.note(Note::SetupGivenUp);
                }
            }
            Kind::BootTrigger => self.note(Note::CallTimedOut("TriggerMessage")),
            Kind::MeterTrigger => {
                self.meter_trigger_refused = true;
                self.note(Note::CallTimedOut("TriggerMessage"));
            }
            Kind::Base { attempt, .. } => {
                self.note(Note::CallTimedOut("SetChargingProfile"));
                if attempt >= 2 {
                    self.base_failed(now);
                } else {
                    // The retry does not hold up a limit.
                    self.base_attempt = attempt;
                    self.base = Base::Due;
                }
            }
            Kind::Limit(waiting) => {
                self.note(Note::CallTimedOut("SetChargingProfile"));
                self.limit_timed_out(waiting, now);
            }
        }
    }

    pub(super) fn limit_timed_out(&mut self, waiting: Waiting, now: Now) {
        match (&mut self.waiting, waiting.attempt) {
            (Some(newer), 1) => {
                // The retry carries the newest value and is the last one.
                newer.attempt = 2;
                self.outcome(waiting, LimitOutcome::Timeout, now);
            }
            (None, 1) => {
                self.waiting = Some(Waiting {
                    attempt: 2,
                    ..waiting
                });
            }
            _ => self.outcome(waiting, LimitOutcome::Timeout, now),
        }
    }
}
