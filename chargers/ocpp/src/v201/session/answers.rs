//! What becomes of our calls: answers, refusals and time-outs.

use serde_json::Value;

use super::{BASE_RETRY_AFTER, Base, BootTrigger, Kind, MeterTrigger, Session, Waiting};
use crate::{
    types::{Grade, LimitOutcome, Note, Now, Output},
    v16::{
        ladder::{BaseForm, Shape},
        profile::Unit,
    },
    v201::outgoing,
    wear::Urgency,
};

/// Longest reason that is kept for the log.
const MAX_REASON: usize = 120;

/// Whether an error says that the message itself is not known there.
fn is_absent(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    why.starts_with("notimplemented") || why.starts_with("notsupported")
}

impl Session {
    pub(super) fn answered(&mut self, kind: Kind, payload: &Value, now: Now) {
        let yes = outgoing::is_accepted(payload);
        match kind {
            Kind::Setup => {
                let unit_changed = self.setup.answered(payload, &mut self.learnt.ladder);
                let known = &mut self.learnt.capabilities.phase_switching;
                // What was seen counts more than what is said.
                if *known != Grade::Proven
                    && let Some(can) = self.setup.phase_switching()
                {
                    *known = if can { Grade::Claimed } else { Grade::NotThere };
                }
                if unit_changed && self.base != Base::First {
                    self.learnt.ladder.base_again();
                    self.base = Base::Due;
                }
            }
            Kind::Evidence => self.on_evidence(payload, now),
            Kind::Base { form, safe_ma, .. } if yes => self.base_accepted(form, safe_ma),
            Kind::Limit(waiting) if yes => self.limit_accepted(waiting, now),
            Kind::Operation(number) if yes => self.operated(number, LimitOutcome::Accepted),
            Kind::BootTrigger | Kind::MeterTrigger if yes => {
                self.learnt.capabilities.triggers = Grade::Proven;
            }
            Kind::Clear => self.on_cleared(yes, now),
            refused => self.refused_for(refused, &outgoing::reason(payload), false, now),
        }
    }

    /// The call was answered with an error.
    pub(super) fn refused(&mut self, kind: Kind, why: &str, now: Now) {
        self.refused_for(kind, why, is_absent(why), now);
    }

    fn refused_for(&mut self, kind: Kind, why: &str, absent: bool, now: Now) {
        let why: String = why.chars().take(MAX_REASON).collect();
        match kind {
            Kind::Setup => self.setup.refused(),
            Kind::Evidence => self.learnt.capabilities.composite_schedule = Grade::NotThere,
            Kind::Clear => self.on_cleared(false, now),
            Kind::Operation(number) => self.operated(number, LimitOutcome::Rejected),
            Kind::BootTrigger => {
                self.boot_trigger = BootTrigger::Refused;
                if absent {
                    // Any other refusal is what the standard asks of one that has booted before.
                    self.trigger_refused(why, absent);
                }
            }
            Kind::MeterTrigger => {
                self.next_meter_trigger();
                self.trigger_refused(why, absent);
            }
            Kind::Base { .. } => {
                self.base_attempt = 0;
                self.note(Note::CallRefused("SetChargingProfile", why.clone()));
                if absent {
                    self.not_controllable(why, now);
                } else if self.learnt.ladder.base_refused() {
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
                if absent {
                    self.outcome(waiting, LimitOutcome::Rejected, now);
                    self.not_controllable(why, now);
                } else {
                    self.limit_refused(waiting, &why, now);
                }
            }
        }
    }

    fn trigger_refused(&mut self, why: String, absent: bool) {
        if absent {
            self.learnt.capabilities.triggers = Grade::NotThere;
        }
        self.note(Note::CallRefused("TriggerMessage", why));
    }

    /// The station knows no charging profiles: what it draws is not ours to say.
    fn not_controllable(&mut self, why: String, now: Now) {
        self.absent = true;
        self.learnt.capabilities.limits = Grade::NotThere;
        self.learnt.capabilities.lease = Grade::NotThere;
        self.learnt.in_force = None;
        self.base_failed(now);
        self.note(Note::NotControllable(why));
        if let Some(waiting) = self.waiting.take() {
            self.outcome(waiting, LimitOutcome::Rejected, now);
        }
    }

    fn base_accepted(&mut self, form: BaseForm, safe_ma: u32) {
        self.learnt.ladder.base_accepted(form);
        self.absent = false;
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

    fn limit_accepted(&mut self, waiting: Waiting, now: Now) {
        self.learnt.ladder.lease_accepted();
        self.learnt.wear.accepted();
        let before = self.learnt.lease_now(now.wall).map(|lease| lease.request);
        let ends = waiting.shape != Shape::Endless;
        let sent_at = waiting.sent_at.unwrap_or(now.wall);
        self.learnt.take(waiting.request, ends, sent_at);
        let capabilities = &mut self.learnt.capabilities;
        capabilities.limits = match capabilities.limits {
            Grade::Proven => Grade::Proven,
            Grade::Unknown | Grade::NotThere | Grade::Claimed => Grade::Claimed,
        };
        if !ends {
            capabilities.lease = Grade::NotThere;
            self.note(Note::LeaseImpossible);
        } else if capabilities.lease == Grade::Unknown {
            capabilities.lease = Grade::Claimed;
        }
        self.watch_limit(waiting.request, before, ends, now);
        self.outcome(waiting, LimitOutcome::Accepted, now);
    }

    fn limit_refused(&mut self, waiting: Waiting, why: &str, now: Now) {
        let about_unit = why.to_ascii_lowercase().contains("rateunit");
        let try_next = if about_unit && self.learnt.ladder.learn_unit(Unit::Watts) {
            true
        } else {
            self.learnt.ladder.lease_refused()
        };
        if !try_next {
            if waiting.urgency == Urgency::Raise {
                self.learnt.wear.raise_refused(now.wall);
            }
            let limits = &mut self.learnt.capabilities.limits;
            if self.learnt.in_force.is_none() && *limits != Grade::NotThere {
                // Every form was refused, and none was ever taken.
                *limits = Grade::NotThere;
                self.note(Note::NotControllable(why.to_owned()));
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

    fn on_cleared(&mut self, yes: bool, now: Now) {
        self.cleared += u32::from(yes);
        if self.foreign.is_empty() && self.cleared > 0 {
            self.note(Note::ForeignProfilesCleared(self.cleared));
            self.cleared = 0;
            // Some clear more than they were told.
            self.base = Base::First;
            self.restore_lease(now);
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

    pub(super) fn operated(&mut self, number: u64, outcome: LimitOutcome) {
        self.outputs.push_back(Output::Operated { number, outcome });
    }

    fn next_meter_trigger(&mut self) {
        self.meter_trigger = match self.meter_trigger {
            MeterTrigger::Transaction => MeterTrigger::Values,
            MeterTrigger::Values | MeterTrigger::Refused => MeterTrigger::Refused,
        };
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
            Kind::BootTrigger => self.note(Note::CallTimedOut("TriggerMessage")),
            Kind::MeterTrigger => {
                self.meter_trigger = MeterTrigger::Refused;
                self.note(Note::CallTimedOut("TriggerMessage"));
            }
            Kind::Evidence => {
                self.note(Note::CallTimedOut("GetCompositeSchedule"));
                self.evidence_useless();
            }
            Kind::Clear => {
                self.note(Note::CallTimedOut("ClearChargingProfile"));
                self.on_cleared(false, now);
            }
            Kind::Operation(number) => self.operated(number, LimitOutcome::Timeout),
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
