//! What is known about the controlled EVSE: state, currents, limit, energy, transaction.
//!
//! 2.0.1 tells the state in two places: the connector says whether a car is there, the transaction
//! what it does. Both are brought into one state, and what is known about currents is kept by the
//! same rules as in 1.6.

use std::{collections::VecDeque, time::Duration};

use super::incoming::{Phase, Place, Plug, TransactionEvent};
use crate::{
    types::Status,
    v16::{connector::Connector, meter_values::MeterReading},
};

/// Connectors of one EVSE that are remembered; real ones have one to three.
const MAX_PLUGS: usize = 8;
/// Transactions of other EVSEs that are remembered, to know their events from ours.
const MAX_ELSEWHERE: usize = 16;

/// What is known about charging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing yet on this connection.
    Nothing,
    /// There is no transaction, and there was no car.
    NoTransaction,
    Ended,
    State(Status),
}

/// The EVSE.
#[derive(Debug)]
pub(crate) struct Evse {
    id: u32,
    plugs: Vec<(u32, Plug)>,
    told: Told,
    elsewhere: VecDeque<String>,
    connector: Connector,
}

/// What an event changes about the running transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Running {
    Same,
    This(String),
    Nothing,
}

impl Evse {
    pub(crate) fn new(id: u32, terminals: usize) -> Self {
        Self {
            id,
            plugs: Vec::new(),
            told: Told::Nothing,
            elsewhere: VecDeque::new(),
            connector: Connector::new(id, terminals),
        }
    }

    /// Currents, limit and report.
    pub(crate) fn values(&self) -> &Connector {
        &self.connector
    }

    /// The same, to be changed.
    pub(crate) fn values_mut(&mut self) -> &mut Connector {
        &mut self.connector
    }

    /// A boot: what was told before may have changed.
    pub(crate) fn booted(&mut self) {
        self.plugs.clear();
        self.told = Told::Nothing;
        self.elsewhere.clear();
        self.connector.booted();
    }

    /// A connector said how it is. True if a transaction cannot be running any more.
    pub(crate) fn on_plug(&mut self, place: Place, plug: Plug) -> bool {
        match place.evse {
            Some(0) => {
                let whole = match plug {
                    Plug::Faulted => Status::Faulted,
                    Plug::Unavailable => Status::Unavailable,
                    Plug::Available | Plug::Occupied | Plug::Reserved | Plug::Unknown => {
                        Status::Unknown
                    }
                };
                self.connector.on_status(Some(0), whole);
                return false;
            }
            Some(evse) if evse != self.id => return false,
            Some(_) | None => {}
        }
        let number = place.connector.unwrap_or_default();
        if let Some((_, state)) = self.plugs.iter_mut().find(|(own, _)| *own == number) {
            *state = plug;
        } else if self.plugs.len() < MAX_PLUGS {
            self.plugs.push((number, plug));
        }
        let free = self.plug() == Some(Plug::Available);
        if free {
            self.told = Told::NoTransaction;
        }
        self.say();
        free
    }

    /// The state of all its connectors together: the one that may draw the most decides.
    fn plug(&self) -> Option<Plug> {
        let rank = |plug: &Plug| match plug {
            Plug::Occupied => 0,
            Plug::Unknown => 1,
            Plug::Reserved => 2,
            Plug::Available => 3,
            Plug::Unavailable => 4,
            Plug::Faulted => 5,
        };
        self.plugs.iter().map(|(_, plug)| *plug).min_by_key(rank)
    }

    /// Whether an event of a transaction is about this EVSE. Later events may leave the EVSE out.
    fn is_ours(&mut self, event: &TransactionEvent, own: Option<&str>) -> bool {
        let Some(evse) = event.evse else {
            let known_elsewhere = |id: &String| self.elsewhere.contains(id);
            return event.transaction.as_deref() == own
                || !event.transaction.as_ref().is_some_and(known_elsewhere);
        };
        if evse == self.id {
            return true;
        }
        if let Some(id) = &event.transaction
            && !self.elsewhere.contains(id)
        {
            if self.elsewhere.len() == MAX_ELSEWHERE {
                self.elsewhere.pop_front();
            }
            self.elsewhere.push_back(id.clone());
        }
        false
    }

    /// Takes an event of a transaction. `own` is the transaction that is known to run here.
    pub(crate) fn on_transaction(
        &mut self,
        event: &TransactionEvent,
        own: Option<&str>,
        now: Duration,
    ) -> Running {
        if !self.is_ours(event, own) {
            return Running::Same;
        }
        if event.phase == Phase::Ended {
            let another = own.is_some() && event.transaction.as_deref() != own;
            if another {
                // The end of an earlier one, told late.
                return Running::Same;
            }
            if self.told != Told::NoTransaction {
                self.told = Told::Ended;
            }
            // The values of an ended transaction are those of its whole course.
            self.connector.forget_currents();
            self.connector.energy(event.reading.energy_wh);
            self.say();
            return Running::Nothing;
        }
        if let Some(state) = event.state {
            self.told = Told::State(state);
            if !event.offline && self.plug() == Some(Plug::Available) {
                // A car is charging where the connector has not said so yet.
                for (_, plug) in &mut self.plugs {
                    *plug = Plug::Occupied;
                }
            }
            self.say();
        }
        if !event.offline {
            // What was kept during an outage must not drive control.
            self.take(Some(self.id), &event.reading, now);
        }
        event.transaction.clone().map_or(Running::Same, |id| {
            if own == Some(id.as_str()) {
                Running::Same
            } else {
                Running::This(id)
            }
        })
    }

    /// Meter values by themselves; true if they are of this EVSE and of now.
    pub(crate) fn take(
        &mut self,
        evse: Option<u32>,
        reading: &MeterReading,
        now: Duration,
    ) -> bool {
        self.connector.on_meter_values(evse, None, reading, now)
    }

    /// Puts connector and transaction together.
    fn say(&mut self) {
        let by_transaction = match self.told {
            Told::State(state) => state,
            Told::Ended => Status::Finishing,
            Told::NoTransaction => Status::Preparing,
            Told::Nothing => Status::Unknown,
        };
        let status = match self.plug() {
            Some(Plug::Available) => Status::Available,
            Some(Plug::Reserved) => Status::Reserved,
            Some(Plug::Unavailable) => Status::Unavailable,
            Some(Plug::Faulted) => Status::Faulted,
            Some(Plug::Occupied) | None => by_transaction,
            Some(Plug::Unknown) => match self.told {
                Told::State(state) => state,
                Told::Ended | Told::NoTransaction | Told::Nothing => Status::Unknown,
            },
        };
        self.connector.on_status(Some(self.id), status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v201::incoming::Incoming;
    use serde_json::{Value, json};

    const T0: Duration = Duration::ZERO;

    fn event(payload: &Value) -> TransactionEvent {
        match Incoming::read("TransactionEvent", payload) {
            Incoming::Transaction(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    fn charging(evse: u32, id: &str, ampere: f64) -> TransactionEvent {
        event(
            &json!({"eventType": "Updated", "transactionInfo": {"transactionId": id,
            "chargingState": "Charging"}, "evse": {"id": evse},
            "meterValue": [{"timestamp": "", "sampledValue": [{"value": ampere,
                "measurand": "Current.Import", "unitOfMeasure": {"unit": "A"}}]}]}),
        )
    }

    fn plug(evse: &mut Evse, connector: u32, plug: Plug) -> bool {
        let place = Place {
            evse: Some(1),
            connector: Some(connector),
        };
        evse.on_plug(place, plug)
    }

    fn said(evse: &mut Evse) -> (Status, Vec<Option<u32>>) {
        let report = evse.values_mut().take_report().expect("a change");
        (report.status, report.current_ma)
    }

    #[test]
    fn a_session_from_plug_to_unplug() {
        let mut evse = Evse::new(1, 1);
        plug(&mut evse, 1, Plug::Occupied);
        assert_eq!(
            said(&mut evse),
            (Status::Unknown, vec![None]),
            "it may draw already"
        );
        plug(&mut evse, 1, Plug::Available);
        assert_eq!(said(&mut evse), (Status::Available, vec![Some(0)]));
        plug(&mut evse, 1, Plug::Occupied);
        assert_eq!(said(&mut evse), (Status::Preparing, vec![Some(0)]));
        let running = evse.on_transaction(&charging(1, "a", 9.0), None, T0);
        assert_eq!(running, Running::This("a".into()));
        assert_eq!(said(&mut evse), (Status::Charging, vec![Some(9_000)]));
        let ended =
            event(&json!({"eventType": "Ended", "transactionInfo": {"transactionId": "a"}}));
        assert_eq!(evse.on_transaction(&ended, Some("a"), T0), Running::Nothing);
        assert_eq!(said(&mut evse), (Status::Finishing, vec![None]));
        assert!(plug(&mut evse, 1, Plug::Available));
        assert_eq!(said(&mut evse), (Status::Available, vec![Some(0)]));
    }

    #[test]
    fn what_happened_offline_does_not_drive_control() {
        let mut evse = Evse::new(1, 1);
        plug(&mut evse, 1, Plug::Available);
        let offline = TransactionEvent {
            offline: true,
            ..charging(1, "old", 32.0)
        };
        assert_eq!(
            evse.on_transaction(&offline, None, T0),
            Running::This("old".into())
        );
        assert_eq!(said(&mut evse), (Status::Available, vec![Some(0)]));
        evse.on_transaction(&charging(1, "new", 6.0), Some("old"), T0);
        assert_eq!(
            said(&mut evse),
            (Status::Charging, vec![Some(6_000)]),
            "live, before the connector said that a car is there"
        );
        let late =
            event(&json!({"eventType": "Ended", "transactionInfo": {"transactionId": "old"}}));
        assert_eq!(evse.on_transaction(&late, Some("new"), T0), Running::Same);
        assert!(evse.values_mut().take_report().is_none());
    }

    #[test]
    fn events_of_another_evse_are_known_without_its_number() {
        let mut evse = Evse::new(1, 1);
        assert_eq!(
            evse.on_transaction(&charging(2, "theirs", 30.0), None, T0),
            Running::Same
        );
        let nameless = TransactionEvent {
            evse: None,
            ..charging(2, "theirs", 31.0)
        };
        assert_eq!(evse.on_transaction(&nameless, None, T0), Running::Same);
        let report = evse.values_mut().take_report().unwrap();
        assert_eq!(
            (report.status, report.current_ma),
            (Status::Unknown, vec![None])
        );
        let ours = TransactionEvent {
            evse: None,
            ..charging(1, "ours", 8.0)
        };
        assert_eq!(
            evse.on_transaction(&ours, None, T0),
            Running::This("ours".into())
        );
        for id in 0..1_000 {
            evse.on_transaction(&charging(2, &id.to_string(), 1.0), None, T0);
        }
        assert_eq!(evse.elsewhere.len(), MAX_ELSEWHERE);
    }

    #[test]
    fn of_two_connectors_the_one_with_the_car_decides() {
        let mut evse = Evse::new(1, 1);
        plug(&mut evse, 1, Plug::Available);
        plug(&mut evse, 2, Plug::Occupied);
        assert_eq!(said(&mut evse).0, Status::Preparing);
        assert!(!plug(&mut evse, 1, Plug::Faulted));
        assert_eq!(evse.values().phases_drawing(), None);
        let whole = Place {
            evse: Some(0),
            connector: None,
        };
        evse.on_plug(whole, Plug::Faulted);
        assert_eq!(said(&mut evse).0, Status::Faulted);
        evse.on_plug(whole, Plug::Available);
        assert_eq!(said(&mut evse).0, Status::Preparing);
    }
}
