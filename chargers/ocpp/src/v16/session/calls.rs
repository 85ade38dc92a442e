//! The charge point's calls: each is answered, whatever else is under way, and then taken in.

use serde_json::Value;

use super::{
    BOOT_LOOP_COUNT, BOOT_LOOP_WINDOW, Base, HEARTBEAT_INTERVAL_S, Heard, RESTORE_MIN_S, Session,
    Start, Waiting,
};
use crate::{
    frame::{self, ErrorCode},
    time::ReadTime,
    types::{LimitRequest, Note, Now, Output},
    v16::incoming::{self, Incoming},
};

impl Session {
    pub(super) fn call(&mut self, id: &str, action: &str, payload: &Value, now: Now) {
        let incoming = Incoming::read(action, payload);
        let accepted = self.settings.adopted
            && !(matches!(incoming, Incoming::Boot(_)) && self.is_boot_loop(now));
        let answer = match &incoming {
            Incoming::Boot(identity) => {
                self.outputs.push_back(Output::Identified(identity.clone()));
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
                self.outputs.push_back(Output::Send(text));
                return;
            }
        };
        self.outputs
            .push_back(Output::Send(frame::write_result(id, &answer)));
        if accepted {
            self.digest(incoming, now);
        }
    }

    pub(super) fn digest(&mut self, incoming: Incoming, now: Now) {
        self.heard = self.heard.max(Heard::Call);
        match incoming {
            Incoming::Boot(_) => self.on_boot(now),
            Incoming::Status {
                connector,
                status,
                stamp,
            } => {
                self.observe_clock(stamp, now);
                if self.connector.on_status(connector, status) {
                    self.learnt.transaction = None;
                }
            }
            Incoming::Start {
                connector,
                energy_wh,
                stamp,
            } => {
                self.observe_clock(stamp, now);
                if self.connector.is_it(connector) {
                    self.learnt.transaction = self.last_start.as_ref().map(|(_, id)| *id);
                    self.connector.energy(energy_wh);
                }
            }
            Incoming::Stop {
                transaction,
                energy_wh,
                stamp,
            } => {
                self.observe_clock(stamp, now);
                if transaction.is_some() && transaction == self.learnt.transaction {
                    self.learnt.transaction = None;
                    self.connector.forget_currents();
                    self.connector.energy(energy_wh);
                }
            }
            Incoming::MeterValues {
                connector,
                transaction,
                reading,
            } => {
                self.observe_clock(reading.stamp, now);
                let connectors = self.setup.connectors();
                let taken =
                    self.connector
                        .on_meter_values(connector, connectors, &reading, now.monotonic);
                if taken && self.learnt.transaction.is_none() {
                    // It was running before we were.
                    self.learnt.transaction = transaction;
                }
            }
            Incoming::Heartbeat
            | Incoming::Authorize
            | Incoming::DataTransfer
            | Incoming::Notice
            | Incoming::Unknown => {}
        }
    }

    pub(super) fn transaction_id(&mut self, start: Start) -> i32 {
        if let Some((known, id)) = &self.last_start
            && *known == start
            && start.at.is_some()
        {
            // The answer was lost and the call is repeated.
            return *id;
        }
        let random = (self.random)() & 0x7fff_ffff;
        let id = i32::try_from(random.max(1)).unwrap_or(1);
        self.last_start = Some((start, id));
        id
    }

    pub(super) fn is_boot_loop(&mut self, now: Now) -> bool {
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

    pub(super) fn on_boot(&mut self, now: Now) {
        self.heard = Heard::Boot;
        self.learnt.clock.set_by_boot();
        self.connector.booted();
        // It may have forgotten everything.
        self.learnt.ladder.base_again();
        self.base = Base::First;
        self.base_attempt = 0;
        self.restore_lease(now);
        self.restart_setup();
    }

    pub(super) fn restart_setup(&mut self) {
        self.setup_done_once = true;
        self.setup.restart();
    }

    /// After the base, the lease that was in force goes in again with what is left of it.
    pub(super) fn restore_lease(&mut self, now: Now) {
        let Some(in_force) = self.learnt.in_force else {
            return;
        };
        let left = in_force.until.duration_since(now.wall).as_secs();
        if self.waiting.is_some() || !self.may_send() || left < RESTORE_MIN_S {
            return;
        }
        let lease_s = u32::try_from(left)
            .unwrap_or(1)
            .min(in_force.request.lease_s);
        let request = LimitRequest {
            lease_s,
            ..in_force.request
        };
        self.waiting = Some(Waiting {
            request,
            sent_at: None,
            attempt: 1,
            restored: true,
        });
    }

    pub(super) fn observe_clock(&mut self, stamp: Option<ReadTime>, now: Now) {
        if let Some(stamp) = stamp {
            self.learnt.clock.observe(stamp, now.wall);
        }
    }
}
