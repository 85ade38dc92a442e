//! The station's calls: each is answered, whatever else is under way, and then taken in.

use serde_json::{Value, json};

use super::{
    BOOT_LOOP_COUNT, BOOT_LOOP_WINDOW, Base, HEARTBEAT_INTERVAL_S, Heard, MAX_FOREIGN,
    MeterTrigger, Session, Watch,
};
use crate::{
    frame::{self, ErrorCode},
    time::ReadTime,
    types::{Grade, Note, Now, Output},
    v201::{
        evse::Running,
        incoming::{self, Incoming, Reported, TransactionEvent},
        profile,
    },
};

impl Session {
    pub(super) fn call(&mut self, id: &str, action: &str, payload: &Value, now: Now) {
        let incoming = Incoming::read(action, payload);
        let is_boot = matches!(incoming, Incoming::Boot(_));
        let accepted = self.settings.adopted && !(is_boot && self.is_boot_loop(now));
        match self.answer(&incoming, accepted, now) {
            Ok(answer) => {
                self.say(frame::write_result(id, &answer));
            }
            Err((code, why)) => {
                self.say(frame::write_error(id, code, why));
                return;
            }
        }
        if accepted {
            self.digest(incoming, now);
        }
    }

    fn say(&mut self, answer: String) {
        if !self.part.overhears {
            self.outputs.push_back(Output::Send(answer));
        }
    }

    fn answer(
        &mut self,
        incoming: &Incoming,
        accepted: bool,
        now: Now,
    ) -> Result<Value, (ErrorCode, &'static str)> {
        if !self.settings.adopted && !matches!(incoming, Incoming::Boot(_) | Incoming::OtherVersion)
        {
            // B02.FR.09: nothing but boots before one was accepted.
            let why = "this charging station is not accepted yet";
            return Err((ErrorCode::SecurityError, why));
        }
        Ok(match incoming {
            Incoming::Boot(identity) => {
                if !self.part.overhears {
                    self.outputs.push_back(Output::Identified(identity.clone()));
                }
                incoming::boot_answer(accepted, HEARTBEAT_INTERVAL_S, now.wall)
            }
            Incoming::OtherVersion => {
                self.note(Note::OtherVersion);
                let why = "this is a boot of OCPP 1.6 on a connection of OCPP 2.0.1";
                return Err((ErrorCode::FormatViolation, why));
            }
            Incoming::Heartbeat => incoming::heartbeat_answer(now.wall),
            Incoming::Authorize => incoming::token_answer(),
            Incoming::Transaction(event) if event.has_token => incoming::token_answer(),
            Incoming::DataTransfer => incoming::data_transfer_answer(),
            Incoming::ChargingSchedule => json!({"status": "Accepted"}),
            // The limits are ours to give, not the car's; no certificates are given out here.
            Incoming::ChargingNeeds | Incoming::SignCertificate => json!({"status": "Rejected"}),
            Incoming::Status { .. }
            | Incoming::Transaction(_)
            | Incoming::MeterValues { .. }
            | Incoming::Profiles { .. }
            | Incoming::OtherLimit(_)
            | Incoming::Notice => json!({}),
            Incoming::Unknown => {
                let why = "this central system does not know the action";
                return Err((ErrorCode::NotImplemented, why));
            }
        })
    }

    fn digest(&mut self, incoming: Incoming, now: Now) {
        self.heard = self.heard.max(Heard::Call);
        match incoming {
            Incoming::Boot(_) => self.on_boot(now),
            Incoming::Status { plugs, stamp } => {
                self.observe_clock(stamp, now);
                for (place, plug) in plugs {
                    if self.evse.on_plug(place, plug) {
                        self.learnt.transaction = None;
                    }
                }
            }
            Incoming::Transaction(event) => self.on_transaction(&event, now),
            Incoming::MeterValues { evse, reading } => {
                if let Some(stamp) = reading.stamp {
                    self.learnt.clock.observe_sample(stamp, now.wall);
                }
                if self.evse.take(evse, &reading, now.monotonic) {
                    self.watch_values(now);
                }
            }
            Incoming::Profiles {
                request,
                evse,
                profiles,
            } if self.setup.asked_for(request) => self.on_profiles(evse, &profiles),
            Incoming::OtherLimit(source) => self.note(Note::LimitedBy(source)),
            _ => {}
        }
    }

    fn on_transaction(&mut self, event: &TransactionEvent, now: Now) {
        if !event.offline {
            self.observe_clock(event.stamp, now);
        }
        let own = self.learnt.transaction.as_deref();
        match self.evse.on_transaction(event, own, now.monotonic) {
            Running::Same => {}
            Running::This(id) => self.learnt.transaction = Some(id),
            Running::Nothing => self.learnt.transaction = None,
        }
        if !event.offline {
            self.watch_values(now);
        }
    }

    /// What other systems have left on this EVSE or on the whole station lies above or beside ours.
    fn on_profiles(&mut self, evse: Option<u32>, profiles: &[Reported]) {
        if evse.is_some_and(|evse| evse != 0 && evse != self.settings.connector) {
            return;
        }
        for profile in profiles {
            let foreign =
                profile.removable && !profile::is_own(profile.id, self.settings.connector);
            if foreign && self.foreign.len() < MAX_FOREIGN && !self.foreign.contains(&profile.id) {
                self.foreign.push_back(profile.id);
            }
        }
    }

    fn is_boot_loop(&mut self, now: Now) -> bool {
        while self
            .boots
            .front()
            .is_some_and(|at| *at + BOOT_LOOP_WINDOW <= now.monotonic)
        {
            self.boots.pop_front();
        }
        let looping = self.boots.len() >= BOOT_LOOP_COUNT;
        if looping {
            self.note(Note::BootLoop);
        } else {
            self.boots.push_back(now.monotonic);
        }
        looping
    }

    fn on_boot(&mut self, now: Now) {
        self.heard = Heard::Boot;
        self.learnt.clock.set_by_boot();
        self.evse.booted();
        // It may have forgotten everything, or learnt something.
        self.learnt.ladder.base_again();
        self.learnt.transaction = None;
        self.absent = false;
        self.base = Base::First;
        self.base_attempt = 0;
        self.meter_trigger = MeterTrigger::Transaction;
        self.watch = Watch::default();
        let schedule = &mut self.learnt.capabilities.composite_schedule;
        if *schedule == Grade::NotThere {
            *schedule = Grade::Unknown;
        }
        self.foreign.clear();
        self.cleared = 0;
        self.restore_lease(now);
        self.restart_setup();
    }

    pub(super) fn restart_setup(&mut self) {
        self.setup_done_once = true;
        let request = self.random_number();
        self.setup.restart(request);
    }

    /// A number that marks what the station sends because of a call of ours.
    pub(super) fn random_number(&mut self) -> i32 {
        i32::try_from((self.random)() & 0x7fff_ffff).unwrap_or(1)
    }

    fn observe_clock(&mut self, stamp: Option<ReadTime>, now: Now) {
        if let Some(stamp) = stamp {
            self.learnt.clock.observe(stamp, now.wall);
        }
    }
}
