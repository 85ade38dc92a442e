//! Profiles in their form, and the way out for every call.

use super::{Base, CONFIGURATION_TIMEOUT, Kind, PROFILE_TIMEOUT, Session, Waiting};
use crate::{
    frame,
    types::{Note, Now},
    v16::{
        ladder::{LeaseForm, Shape, Situation},
        outgoing::Call,
        profile::{self, Amounts, Form, Schedule, Unit},
    },
};

impl Session {
    pub(super) fn amounts(&self, limit_ma: u32, phases: u8, form: Form, now: Now) -> Amounts {
        let learnt = &self.learnt;
        let in_force = learnt.may_be_in_force(now.wall);
        let keeps = learnt
            .capabilities
            .keeps_phases(self.settings.terminals, in_force);
        Amounts {
            limit_ma: self.quirks.step_down(limit_ma),
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
        self.connector
            .phases_drawing()
            .map_or(given, |drawing| given.min(drawing))
    }

    /// False if there is no base to send.
    pub(super) fn send_base(&mut self, now: Now) -> bool {
        let lease_holds = self.learnt.lease_now(now.wall).is_some();
        let ends_itself = self.learnt.in_force.is_some() && self.learnt.ladder.lease_ends();
        if self.base == Base::Due
            && (lease_holds || ends_itself)
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
        let charger_time = self.learnt.charger_time(now.wall).unwrap_or(now.wall);
        let schedule = if form.relative {
            Schedule::Relative
        } else {
            Schedule::Base { charger_time }
        };
        let safe_ma = self.settings.safe_ma;
        let payload = profile::payload(
            form.form,
            schedule,
            self.amounts(safe_ma, 0, form.form, now),
        );
        let kind = Kind::Base {
            form,
            safe_ma,
            attempt: self.base_attempt + 1,
        };
        self.send_profile_call(kind, payload, now);
        true
    }

    pub(super) fn send_limit(&mut self, mut waiting: Waiting, now: Now) {
        waiting.sent_at = waiting.sent_at.or(Some(now.wall));
        self.learnt.wear.limited(now.wall);
        waiting.request = self.as_done(waiting.request, now);
        let request = waiting.request;
        let charger_time = self.learnt.charger_time(now.wall);
        let LeaseForm { form, shape, .. } = self.learnt.ladder.lease(Situation {
            connector: self.settings.connector,
            transaction: self.learnt.transaction,
            clock_known: charger_time.is_some(),
        });
        let lease_s = request.lease_s;
        let schedule = match (shape, charger_time) {
            (Shape::Lease, Some(charger_time)) => Schedule::Lease {
                charger_time,
                lease_s,
            },
            (Shape::Endless, _) => {
                self.note(Note::LeaseImpossible);
                Schedule::Relative
            }
            (Shape::Duration | Shape::Lease, _) => {
                self.note(Note::LeaseByDuration);
                Schedule::Duration {
                    charger_time,
                    lease_s,
                }
            }
        };
        let amounts = self.amounts(request.limit_ma, request.phases, form, now);
        let payload = profile::payload(form, schedule, amounts);
        self.send_profile_call(Kind::Limit(waiting), payload, now);
    }

    fn send_profile_call(&mut self, kind: Kind, payload: serde_json::Value, now: Now) {
        self.counters.profiles_sent += 1;
        self.learnt.wear.wrote(now.wall);
        let call = Call {
            action: "SetChargingProfile",
            payload,
        };
        self.send(kind, &call, now);
    }

    pub(super) fn send(&mut self, kind: Kind, call: &Call, now: Now) {
        let timeout = if kind.is_profile() {
            PROFILE_TIMEOUT
        } else {
            CONFIGURATION_TIMEOUT
        };
        let id = self.line.start(kind, now.monotonic + timeout);
        self.line_since = now.monotonic;
        let text = frame::write_call(&id, call.action, &call.payload);
        self.outputs.push_back(crate::types::Output::Send(text));
    }
}
