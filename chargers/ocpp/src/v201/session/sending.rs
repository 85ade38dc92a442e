//! What goes out next, and in which form.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    BOOT_TRIGGER_AFTER, Base, BootTrigger, CONFIGURATION_TIMEOUT, Heard, Kind, MeterTrigger,
    PROFILE_TIMEOUT, Session, Waiting,
};
use crate::{
    clock::ClockOffset,
    frame,
    types::{LimitOutcome, LimitRequest, Note, Now, Operation, Output},
    v16::{
        ladder::{Shape, Situation},
        profile::{Form, Unit},
    },
    v201::{
        outgoing::{self, Call},
        profile::{self, Amounts, Extras, Schedule},
    },
    wear::{Urgency, WRITES_PER_DAY},
};

/// Stands for a transaction of any id.
const SOME_TRANSACTION: i32 = 1;
/// A clock that is off by more is worth a line in the log, in seconds.
const CLOCK_OFF_S: i64 = 10;

impl Session {
    pub(super) fn break_off_for_limit(&mut self, now: Now) {
        if self.break_off_at().is_none_or(|at| now.monotonic < at) {
            return;
        }
        // The line is taken over; the late answer will be dropped as one to no call.
        match self.line.timed_out(Duration::MAX, &mut self.counters) {
            Some(Kind::Setup) => self.setup.broken_off(),
            Some(Kind::Operation(number)) => self.operated(number, LimitOutcome::Timeout),
            _ => {}
        }
    }

    /// Sends the most urgent call, if there is one. True if there may be more to do: something was
    /// sent, or was found not to be sendable.
    pub(super) fn send_next(&mut self, now: Now) -> bool {
        let ready_for_setup = self.ready_for_setup(now);
        if ready_for_setup && !self.setup_done_once {
            self.restart_setup();
        }
        if let Base::RetryAt(at) = self.base
            && at <= now.monotonic
        {
            self.learnt.ladder.base_again();
            self.absent = false;
            self.base = Base::Due;
        }
        self.end_endless(now);
        let ready = ready_for_setup || self.heard >= Heard::Call;
        if ready {
            if self.base == Base::First && self.send_base(now) {
                return true;
            }
            if let Some(waiting) = self.waiting.take() {
                self.send_limit(waiting, now);
                return true;
            }
            if self.base == Base::Due && self.send_base(now) {
                return true;
            }
        }
        let trigger_due = self.connected_at + BOOT_TRIGGER_AFTER <= now.monotonic;
        if self.heard < Heard::Boot && self.boot_trigger == BootTrigger::NotSent && trigger_due {
            self.boot_trigger = BootTrigger::Sent;
            let call = outgoing::trigger("BootNotification", None, None);
            self.send(Kind::BootTrigger, &call, now);
            return true;
        }
        if ready && self.send_operation(now) {
            return true;
        }
        ready_for_setup && self.send_question(now)
    }

    /// What people ask for.
    fn send_operation(&mut self, now: Now) -> bool {
        let Some((number, operation)) = self.operations.pop_front() else {
            return false;
        };
        let mark = self.random_number();
        let evse = self.settings.connector;
        let transaction = self.learnt.transaction.as_deref();
        if operation == Operation::ClearForeignProfiles {
            self.setup.expect_profiles(mark);
        }
        match outgoing::operation(&operation, evse, transaction, mark) {
            Some(call) => self.send(Kind::Operation(number), &call, now),
            None => self.operated(number, LimitOutcome::Rejected),
        }
        true
    }

    /// What is asked last: set-up, what others have left, the station's own schedule, values.
    fn send_question(&mut self, now: Now) -> bool {
        let evse = self.settings.connector;
        if let Some(call) = self.setup.next(evse) {
            self.send(Kind::Setup, &call, now);
            return true;
        }
        if self.base == Base::InPlace
            && let Some(id) = self.foreign.pop_front()
        {
            self.send(Kind::Clear, &outgoing::clear_profile(id), now);
            return true;
        }
        if self.send_evidence(now) {
            return true;
        }
        if self
            .meter_trigger_at()
            .is_some_and(|at| at <= now.monotonic)
        {
            self.meter_asked_at = Some(now.monotonic);
            let message = match self.meter_trigger {
                MeterTrigger::Transaction => "TransactionEvent",
                MeterTrigger::Values | MeterTrigger::Refused => "MeterValues",
            };
            let call = outgoing::trigger(message, Some(evse), None);
            self.send(Kind::MeterTrigger, &call, now);
            return true;
        }
        false
    }

    /// What becomes of a request at this EVSE.
    pub(super) fn as_done(&self, request: LimitRequest, now: Now) -> LimitRequest {
        let learnt = &self.learnt;
        let in_force = learnt.may_be_in_force(now.wall);
        learnt
            .capabilities
            .as_done(request, self.settings.terminals, in_force)
    }

    fn amounts(&self, limit_ma: u32, phases: u8, form: Form, now: Now) -> Amounts {
        let learnt = &self.learnt;
        let in_force = learnt.may_be_in_force(now.wall);
        let keeps = learnt
            .capabilities
            .keeps_phases(self.settings.terminals, in_force);
        Amounts {
            limit_ma,
            safe_ma: self.settings.safe_ma,
            phases: if keeps { 0 } else { phases },
            power_phases: if form.unit == Unit::Watts {
                self.power_phases(phases)
            } else {
                phases
            },
            nominal_voltage_v: self.settings.nominal_voltage_v,
        }
    }

    /// On how many phases a power limit is shared. A car that is seen to use fewer phases than it
    /// was given would draw all of it on those.
    pub(super) fn power_phases(&self, given: u8) -> u8 {
        self.evse
            .values()
            .phases_drawing()
            .map_or(given, |drawing| given.min(drawing))
    }

    /// False if there is no base to send.
    fn send_base(&mut self, now: Now) -> bool {
        if self.base == Base::Due
            && self.learnt.in_force.is_some_and(|lease| lease.ends)
            && !self.learnt.ladder.lease_leaves_base()
        {
            // The lease lies in the base's place and ends in the safe current itself.
            self.base = Base::InPlace;
            return false;
        }
        let Some(form) = self.learnt.ladder.base(self.settings.connector) else {
            self.base_failed(now);
            return false;
        };
        let charger_time = self.learnt.clock.charger_time(now.wall).unwrap_or(now.wall);
        let schedule = if form.relative {
            Schedule::RelativeBase
        } else {
            Schedule::Base { charger_time }
        };
        let safe_ma = self.settings.safe_ma;
        let amounts = self.amounts(safe_ma, 0, form.form, now);
        let payload = profile::payload(form.form, schedule, amounts, Extras::default());
        let attempt = self.base_attempt + 1;
        let call = Call {
            action: "SetChargingProfile",
            payload,
        };
        self.send(
            Kind::Base {
                form,
                safe_ma,
                attempt,
            },
            &call,
            now,
        );
        true
    }

    /// Whether a limit has to wait for the sake of the station's memory: never a reduction, and
    /// nothing without which the station would rise to its safe current.
    fn is_held(&mut self, waiting: Waiting, now: Now) -> bool {
        let used_up = self.learnt.wear.is_used_up(WRITES_PER_DAY, now.wall);
        let held = match waiting.urgency {
            Urgency::Reduction => false,
            Urgency::Renewal => used_up && waiting.request.limit_ma >= self.settings.safe_ma,
            Urgency::Raise => {
                used_up || (waiting.attempt == 1 && self.learnt.wear.holds_raises(now.wall))
            }
        };
        if held
            && used_up
            && let Some(writes) = self.learnt.wear.tell()
        {
            self.note(Note::WriteBudgetUsed(writes));
        }
        held
    }

    /// The transaction where only its being there matters: its id is a text in 2.0.1.
    pub(super) fn transaction_mark(&self) -> Option<i32> {
        self.learnt.transaction.as_ref().map(|_| SOME_TRANSACTION)
    }

    fn send_limit(&mut self, mut waiting: Waiting, now: Now) {
        // Once more: since it came, another one may have been taken.
        let safe_ma = self.settings.safe_ma;
        let done = self.as_done(waiting.request, now);
        waiting.urgency = self.learnt.urgency(done, safe_ma, now.wall);
        let spreads = done != waiting.request && waiting.urgency == Urgency::Raise;
        if spreads {
            self.note(Note::PhasesFixed);
        }
        if spreads || self.is_held(waiting, now) {
            self.outcome(waiting, LimitOutcome::Rejected, now);
            return;
        }
        waiting.request = done;
        waiting.sent_at = waiting.sent_at.or(Some(now.wall));
        self.learnt.wear.limited(now.wall);
        let LimitRequest {
            limit_ma,
            phases,
            lease_s,
            ..
        } = waiting.request;
        self.tell_clock();
        let charger_time = self.learnt.clock.charger_time(now.wall);
        let lease = self.learnt.ladder.lease(Situation {
            connector: self.settings.connector,
            transaction: self.transaction_mark(),
            clock_known: charger_time.is_some(),
        });
        waiting.shape = lease.shape;
        let schedule = match (lease.shape, charger_time) {
            (Shape::Lease, Some(charger_time)) => Schedule::Lease {
                charger_time,
                lease_s,
            },
            (Shape::Endless, _) => Schedule::Endless {
                charger_time: charger_time.unwrap_or(now.wall),
            },
            (Shape::Lease | Shape::Duration, charger_time) => {
                self.note(Note::LeaseByDuration);
                Schedule::Duration {
                    charger_time,
                    lease_s,
                }
            }
        };
        // Where there is a base below, the profile may also end by being offline.
        let above_base = self.base == Base::InPlace && self.learnt.ladder.lease_leaves_base();
        let extras = Extras {
            transaction: self.learnt.transaction.as_deref(),
            max_offline_s: (self.is_21 && above_base).then_some(lease_s),
        };
        let amounts = self.amounts(limit_ma, phases, lease.form, now);
        let call = Call {
            action: "SetChargingProfile",
            payload: profile::payload(lease.form, schedule, amounts, extras),
        };
        self.send(Kind::Limit(waiting), &call, now);
    }

    /// A clock that is off is told once, and again when it has moved.
    fn tell_clock(&mut self) {
        let ClockOffset::Measured(offset) = self.learnt.clock.offset() else {
            return;
        };
        let seconds = offset.as_secs();
        let moved = (seconds - self.learnt.clock_told_s).abs() > CLOCK_OFF_S;
        if moved && offset.abs() > SignedDuration::from_secs(CLOCK_OFF_S) {
            self.learnt.clock_told_s = seconds;
            self.note(Note::ClockOff(seconds));
        }
    }

    pub(super) fn send(&mut self, kind: Kind, call: &Call, now: Now) {
        let timeout = if kind.is_profile() {
            self.counters.profiles_sent += 1;
            self.learnt.wear.wrote(now.wall);
            PROFILE_TIMEOUT
        } else {
            CONFIGURATION_TIMEOUT
        };
        let id = self.line.start(kind, now.monotonic + timeout);
        self.line_since = now.monotonic;
        let text = frame::write_call(&id, call.action, &call.payload);
        self.outputs.push_back(Output::Send(text));
    }
}
