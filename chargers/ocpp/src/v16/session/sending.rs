//! What goes out next, and in which form.

use std::time::Duration;

use super::{
    BOOT_PATIENCE, BOOT_TRIGGER_AFTER, Base, BootTrigger, CONFIGURATION_TIMEOUT, Heard, Kind,
    LIMIT_PATIENCE, METER_SILENCE, PROFILE_TIMEOUT, Session, Waiting,
};
use crate::{
    frame,
    types::{LimitRequest, Note, Now, Output},
    v16::{
        outgoing::{self, Call},
        profile::{self, Amounts, Form, Schedule, Unit},
    },
};

impl Session {
    pub(super) fn break_off_for_limit(&mut self, now: Now) {
        let patience_over = self.line_since + LIMIT_PATIENCE <= now.monotonic;
        let other = self.line.kind().is_some_and(|kind| !kind.is_profile());
        if self.waiting.is_some() && other && patience_over {
            // The line is taken over; the late answer will be dropped as one to no call.
            if let Some(Kind::Setup) = self.line.timed_out(Duration::MAX, &mut self.counters) {
                self.setup.broken_off();
            }
        }
    }

    pub(super) const fn may_send(&self) -> bool {
        self.settings.adopted && self.settings.control
    }

    pub(super) fn ready_for_setup(&self, now: Now) -> bool {
        self.heard == Heard::Boot
            || self.boot_trigger == BootTrigger::Refused
            || self.connected_at + BOOT_PATIENCE <= now.monotonic
    }

    pub(super) fn send_next(&mut self, now: Now) {
        let ready_for_setup = self.ready_for_setup(now);
        if ready_for_setup && !self.setup_done_once {
            self.restart_setup();
        }
        if let Base::RetryAt(at) = self.base
            && at <= now.monotonic
        {
            self.learnt.ladder.base_again();
            self.base = Base::Due;
        }
        if ready_for_setup || self.heard >= Heard::Call {
            if self.base == Base::First && self.send_base(now) {
                return;
            }
            if let Some(waiting) = self.waiting.take() {
                self.send_limit(waiting, now);
                return;
            }
            if self.base == Base::Due && self.send_base(now) {
                return;
            }
        }
        let trigger_due = self.connected_at + BOOT_TRIGGER_AFTER <= now.monotonic;
        if self.heard < Heard::Boot && self.boot_trigger == BootTrigger::NotSent && trigger_due {
            self.boot_trigger = BootTrigger::Sent;
            self.send(
                Kind::BootTrigger,
                &outgoing::trigger("BootNotification", None),
                now,
            );
            return;
        }
        if ready_for_setup {
            let status_known = self.connector.status_known();
            if let Some(call) = self.setup.next(self.settings.connector, status_known) {
                self.send(Kind::Setup, &call, now);
                return;
            }
            if self
                .meter_trigger_at()
                .is_some_and(|at| at <= now.monotonic)
            {
                self.meter_asked_at = Some(now.monotonic);
                let call = outgoing::trigger("MeterValues", Some(self.settings.connector));
                self.send(Kind::MeterTrigger, &call, now);
            }
        }
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

    pub(super) fn amounts(&self, limit_ma: u32, phases: u8, form: Form) -> Amounts {
        Amounts {
            limit_ma,
            safe_ma: self.settings.safe_ma,
            phases,
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
        if self.base == Base::Due
            && self.learnt.in_force.is_some()
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
        let payload = profile::payload(form.form, schedule, self.amounts(safe_ma, 0, form.form));
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

    pub(super) fn send_limit(&mut self, mut waiting: Waiting, now: Now) {
        waiting.sent_at = waiting.sent_at.or(Some(now.wall));
        let LimitRequest {
            limit_ma,
            phases,
            lease_s,
            ..
        } = waiting.request;
        let form = self
            .learnt
            .ladder
            .lease(self.settings.connector, self.learnt.transaction);
        let charger_time = self.learnt.clock.charger_time(now.wall);
        let schedule = match charger_time {
            Some(charger_time) if self.learnt.ladder.takes_two_periods() => Schedule::Lease {
                charger_time,
                lease_s,
            },
            _ => {
                self.note(Note::LeaseByDuration);
                Schedule::Duration { lease_s }
            }
        };
        let payload = profile::payload(form, schedule, self.amounts(limit_ma, phases, form));
        self.send(
            Kind::Limit(waiting),
            &Call {
                action: "SetChargingProfile",
                payload,
            },
            now,
        );
    }

    pub(super) fn send(&mut self, kind: Kind, call: &Call, now: Now) {
        let timeout = if kind.is_profile() {
            self.counters.profiles_sent += 1;
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
