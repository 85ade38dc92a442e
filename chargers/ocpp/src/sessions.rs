//! The sessions of one connection: one for each connector that is controlled.
//!
//! A charge point with several connectors has one connection, one boot and one line for calls. Each connector has a
//! session of its own all the same, which knows its state, its limits and what works there. Here is what they share:
//! a call of the charge point is answered by one of them and heard by all; a call of ours goes out when no other is
//! under way, the most urgent first, and gives way to the limit of another connector as to one of its own.
//!
//! Profiles of the whole charge point (connector 0) belong to no single session. Where there is more than one they are
//! not used: what one connector may draw would change with what is decided for another.

use std::{collections::VecDeque, time::Duration};

use crate::{
    frame::{self, Frame},
    session::{Learnt, Session, Version},
    types::{LimitRequest, Now, Operation, Output, Settings},
    value::integer_member,
};

/// A session's part in a connection that it shares with others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    /// It is not its turn to call.
    pub(crate) held: bool,
    /// So long may a call that is no profile take: a limit of another connector waits.
    pub(crate) pressed: Option<Duration>,
    /// Another session answers what is heard now.
    pub(crate) overhears: bool,
    /// Profiles were cleared, perhaps more than was asked for.
    pub(crate) cleared: bool,
}

/// All sessions of one connection; see [`Session`] for the rules of each. A session is named by its place in the list
/// that they were made of; what is not there is ignored.
#[derive(Debug)]
pub struct Sessions {
    seats: Vec<Session>,
    outputs: VecDeque<(usize, Output)>,
    /// Who called last.
    turn: usize,
}

impl Sessions {
    /// A connection that has just been made. `random` gives transaction ids and the beginnings of call ids, which must
    /// not be guessable.
    pub fn new(
        version: Version,
        seats: Vec<(Settings, Learnt)>,
        random: fn() -> u32,
        now: Now,
    ) -> Self {
        let shared = seats.len() > 1;
        let seats = seats
            .into_iter()
            .enumerate()
            .map(|(index, (settings, learnt))| {
                let mut session = Session::new(version, settings, learnt, Box::new(random), now);
                session.share(shared, index == 0);
                session
            });
        Self {
            seats: seats.collect(),
            outputs: VecDeque::new(),
            turn: 0,
        }
    }

    /// How many profiles the charge point may be sent in a day. Its memory is one: each session has its part.
    pub fn set_writes_per_day(&mut self, writes: u32) {
        let count = u32::try_from(self.seats.len()).unwrap_or(u32::MAX).max(1);
        for seat in &mut self.seats {
            seat.set_writes_per_day(writes / count);
        }
    }

    /// What is worth keeping for the next connection of a connector.
    pub fn learnt(&self, seat: usize) -> Learnt {
        self.seats
            .get(seat)
            .map(Session::learnt)
            .unwrap_or_default()
    }

    /// Charging profiles without an answer in time, of all sessions.
    pub fn profiles_unanswered(&self) -> u64 {
        let unanswered = |seat: &Session| seat.counters().profiles_unanswered;
        self.seats.iter().map(unanswered).sum()
    }

    /// The next output and whose it is; call until `None` after every input.
    pub fn poll(&mut self) -> Option<(usize, Output)> {
        self.outputs.pop_front()
    }

    /// Changed settings of a connector; in force at once.
    pub fn configure(&mut self, seat: usize, settings: Settings, now: Now) {
        if let Some(session) = self.seats.get_mut(seat) {
            session.configure(settings, now);
        }
        self.settle(now);
    }

    /// Gives a connector a limit. It replaces one that waits.
    pub fn set_limit(&mut self, seat: usize, request: LimitRequest, now: Now) {
        if let Some(session) = self.seats.get_mut(seat) {
            session.set_limit(request, now);
        }
        self.settle(now);
    }

    /// Asks something else than a limit of a connector. It is told of once, as [`Output::Operated`] with this number.
    pub fn operate(&mut self, seat: usize, number: u64, operation: &Operation, now: Now) {
        if let Some(session) = self.seats.get_mut(seat) {
            session.operate(number, operation, now);
        }
        self.settle(now);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) {
        for seat in &mut self.seats {
            seat.tick(now);
        }
        self.settle(now);
    }

    /// The connection has ended: what was under way or waited has no answer and gets none.
    pub fn closed(&mut self, now: Now) {
        for seat in &mut self.seats {
            seat.closed(now);
        }
        self.collect();
    }

    /// A text frame has come. Any text is taken.
    pub fn receive(&mut self, text: &str, now: Now) {
        let answers = if self.seats.len() > 1 {
            self.addressee(text)
        } else {
            Addressee::Only(0)
        };
        for (index, seat) in self.seats.iter_mut().enumerate() {
            match answers {
                Addressee::Only(only) if only != index => {}
                Addressee::All if index > 0 => seat.overhear(text, now),
                Addressee::Only(_) | Addressee::All => seat.receive(text, now),
            }
        }
        self.settle(now);
    }

    fn addressee(&self, text: &str) -> Addressee {
        match frame::read(text) {
            Ok(Frame::Call {
                action, payload, ..
            }) => {
                // A transaction has the number that its own session gives it.
                let starts = action == "StartTransaction";
                let connector = integer_member(&payload, "connectorId").filter(|_| starts);
                let own = connector.and_then(|connector| {
                    let mut seats = self.seats.iter();
                    seats.position(|seat| i64::from(seat.connector()) == i64::from(connector))
                });
                own.map_or(Addressee::All, Addressee::Only)
            }
            _ => Addressee::Only(self.calling().unwrap_or_default()),
        }
    }

    fn calling(&self) -> Option<usize> {
        self.seats.iter().position(Session::is_calling)
    }

    /// When [`Sessions::tick`] must be called at the latest.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.seats.iter().filter_map(Session::next_deadline).min()
    }

    /// Gives the line to whom it belongs now.
    fn settle(&mut self, now: Now) {
        if self.seats.len() > 1 {
            self.renew_bases();
            if self.calling().is_none() {
                self.give_turn(now);
            }
            if self.calling().is_some_and(|caller| self.press(caller, now)) {
                self.give_turn(now);
            }
        }
        self.collect();
    }

    /// Where one has cleared profiles, those of the others may be gone as well.
    fn renew_bases(&mut self) {
        let cleared = self.seats.iter_mut().position(Session::take_cleared);
        if let Some(clearer) = cleared {
            for (index, seat) in self.seats.iter_mut().enumerate() {
                if index != clearer {
                    seat.renew_base();
                }
            }
        }
    }

    /// Tells the one that calls how long others can wait. True if that was too long already.
    fn press(&mut self, caller: usize, now: Now) -> bool {
        let others = self.seats.iter().enumerate();
        let others = others.filter(|(index, _)| *index != caller);
        let patience = others.filter_map(|(_, seat)| seat.patience()).min();
        self.seats.get_mut(caller).is_some_and(|seat| {
            seat.press(patience);
            seat.tick(now);
            !seat.is_calling()
        })
    }

    /// Reductions first, then other limits, then the rest; of equals the one whose turn is longest ago.
    fn give_turn(&mut self, now: Now) {
        let count = self.seats.len();
        let mut order: Vec<usize> = (1..=count).map(|step| (self.turn + step) % count).collect();
        order.sort_by_key(|index| {
            let seat = self.seats.get(*index);
            seat.and_then(Session::patience).unwrap_or(Duration::MAX)
        });
        for index in order {
            let Some(seat) = self.seats.get_mut(index) else {
                continue;
            };
            seat.press(None);
            seat.hold(false);
            seat.tick(now);
            seat.hold(true);
            if seat.is_calling() {
                self.turn = index;
                return;
            }
        }
    }

    fn collect(&mut self) {
        for (index, seat) in self.seats.iter_mut().enumerate() {
            while let Some(output) = seat.poll() {
                self.outputs.push_back((index, output));
            }
        }
    }
}

/// Whom a frame is for.
#[derive(Debug, Clone, Copy)]
enum Addressee {
    Only(usize),
    /// The first answers.
    All,
}

#[cfg(test)]
mod tests;
