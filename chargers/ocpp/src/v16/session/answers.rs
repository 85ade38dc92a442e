//! What becomes of our calls: answers, refusals and time-outs.

use jiff::SignedDuration;
use serde_json::Value;

use super::{BASE_RETRY_AFTER, Base, BootTrigger, Kind, Session, Waiting};
use crate::{
    types::{Grade, LimitOutcome, Note, Now, Output},
    v16::{ladder::BaseForm, outgoing},
    value::text_member,
    wear::Urgency,
};

/// Longest reason that is kept of a refusal, in characters.
const MAX_REASON: usize = 120;

impl Session {
    pub(super) fn answered(&mut self, kind: Kind, payload: &Value, now: Now) {
        let yes = outgoing::is_accepted(payload);
        match kind {
            Kind::Setup => {
                let Self { setup, learnt, .. } = self;
                let learned = setup.answered(payload, &mut learnt.ladder, &mut learnt.capabilities);
                if learned.unit_changed && self.base != Base::First {
                    self.learnt.ladder.base_again();
                    self.base = Base::Due;
                }
            }
            Kind::Composite => self.composite_answered(payload, now),
            Kind::Base { form, safe_ma, .. } if yes => self.base_accepted(form, safe_ma),
            Kind::Limit(waiting) if yes => self.limit_accepted(waiting, now),
            Kind::BootTrigger | Kind::MeterTrigger if yes => {
                self.learnt.capabilities.triggers = Grade::Proven;
            }
            Kind::Operation { number, clears } if yes => {
                self.operation_accepted(number, clears, now);
            }
            refused => {
                let status = text_member(payload, "status").unwrap_or_default();
                if let Kind::Operation {
                    number,
                    clears: true,
                } = refused
                    && status.eq_ignore_ascii_case("Unknown")
                {
                    // There was nothing to clear.
                    self.operated(number, LimitOutcome::Accepted);
                    return;
                }
                self.refused(refused, &status, now);
            }
        }
    }

    /// A call of ours was answered with an error. The names differ between versions and spellings.
    pub(super) fn failed(&mut self, kind: Kind, code: &str, description: &str, now: Now) {
        let unknown_action = code.eq_ignore_ascii_case("NotImplemented");
        let why = format!("{code} {description}");
        if unknown_action && kind.is_profile() {
            self.not_controllable(kind, cut(&why), now);
        } else {
            self.refused(kind, &why, now);
        }
    }

    fn refused(&mut self, kind: Kind, why: &str, now: Now) {
        let why = cut(why);
        match kind {
            Kind::Setup => self.setup.refused(),
            Kind::Composite => {
                self.learnt.capabilities.composite_schedule = Grade::NotThere;
            }
            Kind::Operation { number, clears } => {
                if !clears {
                    self.note(Note::CallRefused("an operation", why));
                }
                self.operated(number, LimitOutcome::Rejected);
            }
            Kind::BootTrigger => {
                self.boot_trigger = BootTrigger::Refused;
                self.learnt.capabilities.triggers = Grade::NotThere;
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
                self.note(Note::CallRefused("SetChargingProfile", why.clone()));
                self.limit_refused(waiting, why, now);
            }
        }
    }

    /// It does not know profiles at all. No form helps, so nothing more is sent for a while, and
    /// each limit is told as rejected at once.
    fn not_controllable(&mut self, kind: Kind, why: String, now: Now) {
        let retry = SignedDuration::try_from(BASE_RETRY_AFTER).unwrap_or_default();
        self.learnt.uncontrollable_until = now.wall.checked_add(retry).ok();
        self.learnt.capabilities.limits = Grade::NotThere;
        self.learnt.capabilities.lease = Grade::NotThere;
        self.learnt.in_force = None;
        self.learnt.took_profile = false;
        self.note(Note::NotControllable(why));
        self.base_failed(now);
        if let Kind::Limit(waiting) = kind {
            self.outcome(waiting, LimitOutcome::Rejected, now);
        }
    }

    fn base_accepted(&mut self, form: BaseForm, safe_ma: u32) {
        self.learnt.ladder.base_accepted(form);
        self.learnt.took_profile = true;
        self.learnt.base_ma = Some(safe_ma);
        self.learnt.uncontrollable_until = None;
        self.base_attempt = 0;
        self.base = if safe_ma == self.settings.safe_ma {
            Base::InPlace
        } else {
            Base::Due
        };
        if self.learnt.capabilities.limits <= Grade::Claimed {
            self.learnt.capabilities.limits = Grade::Claimed;
        }
        self.note(Note::BaseInPlace);
    }

    pub(super) fn base_failed(&mut self, now: Now) {
        self.base_attempt = 0;
        self.learnt.base_ma = None;
        self.base = Base::RetryAt(now.monotonic + BASE_RETRY_AFTER);
        self.note(Note::BaseMissing);
    }

    fn limit_accepted(&mut self, waiting: Waiting, now: Now) {
        self.learnt.ladder.lease_accepted();
        self.learnt.took_profile = true;
        self.learnt.wear.accepted();
        let before = self.learnt.lease_now(now.wall).map(|lease| lease.request);
        self.learnt
            .take(waiting.request, waiting.sent_at.unwrap_or(now.wall));
        let capabilities = &mut self.learnt.capabilities;
        if capabilities.limits != Grade::Proven {
            capabilities.limits = Grade::Claimed;
        }
        if !self.learnt.ladder.lease_ends() {
            // It took the base's place.
            self.learnt.base_ma = None;
            capabilities.lease = Grade::NotThere;
        } else if capabilities.lease == Grade::Unknown {
            capabilities.lease = Grade::Claimed;
        }
        self.watch_limit(waiting.request, before, now);
        self.outcome(waiting, LimitOutcome::Accepted, now);
    }

    fn limit_refused(&mut self, waiting: Waiting, why: String, now: Now) {
        let safe_ma = self.settings.safe_ma;
        let urgency = self.learnt.urgency(waiting.request, safe_ma, now.wall);
        if !self.learnt.ladder.lease_refused() {
            if urgency == Urgency::Raise {
                self.learnt.wear.raise_refused(now.wall);
            }
            let limits = &mut self.learnt.capabilities.limits;
            if self.learnt.in_force.is_none() && *limits != Grade::NotThere {
                // Every form was refused, and none was ever taken.
                *limits = Grade::NotThere;
                self.note(Note::NotControllable(why));
            }
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
        if kind.is_profile() {
            self.counters.profiles_unanswered += 1;
        }
        match kind {
            Kind::Setup => {
                self.note(Note::CallTimedOut("configuration"));
                if self.setup.timed_out() {
                    self.note(Note::SetupGivenUp);
                }
            }
            Kind::Composite => {
                self.note(Note::CallTimedOut("GetCompositeSchedule"));
                self.composite_useless();
            }
            Kind::Operation { number, .. } => {
                self.note(Note::CallTimedOut("an operation"));
                self.operated(number, LimitOutcome::Timeout);
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
                self.learnt.leave_in_doubt(waiting.request);
                self.limit_timed_out(waiting, now);
            }
        }
    }

    fn limit_timed_out(&mut self, waiting: Waiting, now: Now) {
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

fn cut(why: &str) -> String {
    why.chars().take(MAX_REASON).collect()
}
