//! The charge point's calls: each is answered, whatever else is under way, and then taken in.

use serde_json::Value;

use super::{
    BOOT_LOOP_COUNT, BOOT_LOOP_WINDOW, Base, HEARTBEAT_INTERVAL_S, Heard, MAX_DELAYED, Session,
    learnt::{EarlyCalls, Start},
};
use crate::{
    clock::ClockOffset,
    frame::{self, ErrorCode},
    time::ReadTime,
    types::{Identity, Note, Now, Output},
    v16::{
        incoming::{self, Incoming},
        quirks::Quirks,
    },
};

/// A clock that is off by less is not worth a word, in seconds.
const CLOCK_TOLD_S: i64 = 10;

impl Session {
    pub(super) fn call(&mut self, id: &str, action: &str, payload: &Value, now: Now) {
        let incoming = Incoming::read(action, payload);
        let accepted = self.settings.adopted
            && !(matches!(incoming, Incoming::Boot(_)) && self.is_boot_loop(now));
        let answer = match &incoming {
            Incoming::Boot(identity) => {
                if !self.part.overhears {
                    self.outputs.push_back(Output::Identified(identity.clone()));
                }
                incoming::boot_answer(accepted, HEARTBEAT_INTERVAL_S, now.wall)
            }
            Incoming::Heartbeat => incoming::heartbeat_answer(now.wall),
            Incoming::Authorize => incoming::authorize_answer(self.settings.adopted),
            Incoming::Start {
                connector,
                energy_wh,
                stamp,
            } => {
                let start = Start {
                    connector: *connector,
                    energy_wh: *energy_wh,
                    at: stamp.map(|stamp| stamp.at),
                };
                incoming::start_answer(self.settings.adopted, self.transaction_id(start))
            }
            Incoming::Stop { .. } => serde_json::json!({"idTagInfo": {"status": "Accepted"}}),
            Incoming::DataTransfer => incoming::data_transfer_answer(),
            Incoming::Status { .. } | Incoming::MeterValues { .. } | Incoming::Notice => {
                serde_json::json!({})
            }
            Incoming::Unknown => {
                let error = "this central system does not know the action";
                let text = frame::write_error(id, ErrorCode::NotImplemented, error);
                self.answer(text, &incoming, now);
                return;
            }
        };
        self.answer(frame::write_result(id, &answer), &incoming, now);
        if accepted {
            self.digest(incoming, now);
        }
    }

    /// Sends an answer; that to a beginning transaction later where the model needs it.
    fn answer(&mut self, text: String, call: &Incoming, now: Now) {
        if self.part.overhears {
            return;
        }
        let delay = self.quirks.start_answer_delay();
        match (call, delay) {
            (Incoming::Start { .. }, Some(delay)) if self.delayed.len() < MAX_DELAYED => {
                self.delayed.push_back((now.monotonic + delay, text));
            }
            _ => self.outputs.push_back(Output::Send(text)),
        }
    }

    fn digest(&mut self, incoming: Incoming, now: Now) {
        self.heard = self.heard.max(Heard::Call);
        match incoming {
            Incoming::Boot(identity) => self.on_boot(identity, now),
            Incoming::Status {
                connector,
                status,
                stamp,
            } => {
                self.observe_clock(stamp, now);
                if self.connector.on_status(connector, status) {
                    self.learnt.ended = self.learnt.transaction.take();
                }
            }
            Incoming::Start {
                connector,
                energy_wh,
                stamp,
            } => {
                self.observe_clock(stamp, now);
                if self.connector.is_it(connector) {
                    self.learnt.transaction = self.learnt.last_start.as_ref().map(|(_, id)| *id);
                    self.connector.energy(energy_wh);
                    if self.learnt.ladder.is_by_transaction() {
                        // The lease of the last transaction ended with it.
                        self.restore_lease(now);
                    }
                }
            }
            Incoming::Stop {
                transaction,
                energy_wh,
                stamp,
            } => {
                self.observe_clock(stamp, now);
                if transaction.is_some() && transaction == self.learnt.transaction {
                    self.learnt.ended = self.learnt.transaction.take();
                    self.connector.forget_currents();
                    self.connector.energy(energy_wh);
                }
            }
            Incoming::MeterValues {
                connector,
                transaction,
                reading,
            } => {
                if let Some(stamp) = reading.stamp {
                    self.learnt.clock.observe_sample(stamp, now.wall);
                    self.tell_clock();
                }
                let connectors = self.setup.connectors();
                let taken =
                    self.connector
                        .on_meter_values(connector, connectors, &reading, now.monotonic);
                let running = transaction.filter(|id| self.learnt.ended != Some(*id));
                if taken && self.learnt.transaction.is_none() {
                    // It was running before we were.
                    self.learnt.transaction = running;
                }
                if taken {
                    self.watch_values(reading.stamp, now);
                }
            }
            Incoming::Heartbeat
            | Incoming::Authorize
            | Incoming::DataTransfer
            | Incoming::Notice
            | Incoming::Unknown => {}
        }
    }

    fn transaction_id(&mut self, start: Start) -> i32 {
        if let Some((known, id)) = &self.learnt.last_start
            && *known == start
            && start.at.is_some()
        {
            // The answer was lost and the call is repeated.
            return *id;
        }
        let random = (self.random)() & 0x7fff_ffff;
        let id = i32::try_from(random.max(1)).unwrap_or(1);
        self.learnt.last_start = Some((start, id));
        id
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

    fn on_boot(&mut self, identity: Identity, now: Now) {
        self.heard = Heard::Boot;
        self.learnt.clock.set_by_boot();
        self.learnt.clock_told_s = 0;
        self.connector.booted();
        self.know(identity);
        // It may have forgotten everything.
        self.learnt.ladder.booted();
        self.learnt.uncontrollable_until = None;
        self.learnt.drew_ma = None;
        self.base = Base::First;
        self.learnt.base_ma = None;
        self.base_attempt = 0;
        self.restore_lease(now);
        self.restart_setup();
    }

    /// It has said who it is: what is known of its model holds from now on.
    fn know(&mut self, identity: Identity) {
        let quirks = Quirks::of(&identity);
        if self.learnt.identity.as_ref() != Some(&identity) && !quirks.numbers.is_empty() {
            self.note(Note::Quirks(quirks.numbers.clone()));
        }
        if let Some(place) = quirks.start_at() {
            self.learnt.ladder.start_at(place);
        }
        if let (Some(unit), None) = (quirks.unit(), &self.learnt.identity) {
            self.learnt.ladder.learn_unit(unit);
        }
        let before = self.learnt.identity.as_ref();
        if before.is_some_and(|before| *before != identity) {
            // Another firmware may bear less.
            self.learnt.early_calls = EarlyCalls::default();
        }
        self.quirks = quirks;
        self.learnt.identity = Some(identity);
    }

    pub(super) fn restart_setup(&mut self) {
        self.setup_done_once = true;
        self.setup.restart(&self.quirks);
    }

    fn observe_clock(&mut self, stamp: Option<ReadTime>, now: Now) {
        let Some(stamp) = stamp else { return };
        self.learnt.clock.observe(stamp, now.wall);
        self.tell_clock();
    }

    fn tell_clock(&mut self) {
        if let ClockOffset::Measured(offset) = self.learnt.clock.offset() {
            let seconds = offset.as_secs();
            let changed = (seconds - self.learnt.clock_told_s).abs() > CLOCK_TOLD_S;
            if changed && seconds.abs() > CLOCK_TOLD_S {
                self.learnt.clock_told_s = seconds;
                self.note(Note::ClockOff(seconds));
            }
        }
    }
}
