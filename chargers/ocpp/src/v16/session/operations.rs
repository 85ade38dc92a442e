//! What people ask of a charge point besides limits, and the clearing of what others left behind.
//!
//! `ClearChargingProfile` makes charge points charge with full power where it takes more than it
//! was asked to. It is never sent without a base in place, never for a purpose that is in use here,
//! and base and lease go in again after it.

use super::{Base, Kind, Session};
use crate::{
    types::{LimitOutcome, Now, Operation, Output},
    v16::outgoing::{self, Call},
};

/// Most operations that wait; people do not ask faster.
const MAX_WAITING: usize = 8;

/// A call that waits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Todo {
    /// `None`: nobody asked, so nobody is told.
    number: Option<u64>,
    call: Call,
    clears: bool,
}

impl Session {
    /// Asks for something besides limits. Its fate is told once, with `number`: rejected at once
    /// where it cannot be sent, where the model does not bear it, where too many wait already, or
    /// where there is nothing to do it with.
    pub fn operate(&mut self, number: u64, operation: &Operation, now: Now) {
        let mut calls = Vec::new();
        if *operation == Operation::ClearForeignProfiles {
            calls = self.clearing();
        } else if let Some(call) =
            outgoing::operation(operation, self.settings.connector, self.learnt.transaction)
        {
            calls.push(Todo {
                number: None,
                call,
                clears: false,
            });
        }
        let unbearable = matches!(operation, Operation::SetAvailability { .. })
            && !self.quirks.takes_availability();
        let full = self.todo.len() + calls.len() > MAX_WAITING;
        let Some(last) = calls.last_mut() else {
            self.operated(Some(number), LimitOutcome::Rejected);
            return;
        };
        if !self.may_send() || unbearable || full {
            self.operated(Some(number), LimitOutcome::Rejected);
            return;
        }
        // The last of its calls tells the fate of all.
        last.number = Some(number);
        self.todo.extend(calls);
        self.advance(now);
    }

    /// The calls that clear what others may have left, as far as it is not in use here.
    fn clearing(&self) -> Vec<Todo> {
        let ladder = &self.learnt.ladder;
        let clear = |purpose, connector, used: bool| {
            (!used).then(|| Todo {
                number: None,
                call: outgoing::clear(purpose, connector),
                clears: true,
            })
        };
        [
            clear(
                "TxProfile",
                self.settings.connector,
                ladder.is_by_transaction(),
            ),
            clear("ChargePointMaxProfile", 0, ladder.base_is_maximum()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Near the end of the first set-up what an earlier system left behind is cleared, once.
    pub(super) fn clear_once(&mut self) {
        let connector = self.settings.connector;
        let status_known = self.connector.status_known();
        let late = self.setup_done_once && self.setup.is_nearly_done(connector, status_known);
        let ready = self.base == Base::InPlace && late;
        if ready && !self.learnt.cleared {
            self.learnt.cleared = true;
            self.todo.extend(self.clearing());
        }
    }

    pub(super) fn send_operation(&mut self, now: Now) -> bool {
        if !self.ready_for_limits(now) {
            return false;
        }
        while let Some(Todo {
            number,
            call,
            clears,
        }) = self.todo.pop_front()
        {
            if clears && self.base != Base::InPlace {
                self.operated(number, LimitOutcome::Rejected);
                continue;
            }
            self.send(Kind::Operation { number, clears }, &call, now);
            return true;
        }
        false
    }

    /// An operation was answered with a yes.
    pub(super) fn operation_accepted(&mut self, number: Option<u64>, clears: bool, now: Now) {
        if clears {
            // It may have cleared more than it was asked to.
            self.base = Base::Due;
            self.part.cleared = true;
            self.restore_lease(now);
        }
        self.operated(number, LimitOutcome::Accepted);
    }

    pub(super) fn operated(&mut self, number: Option<u64>, outcome: LimitOutcome) {
        if let Some(number) = number {
            self.outputs.push_back(Output::Operated { number, outcome });
        }
    }

    /// Nothing may be sent any more.
    pub(super) fn drop_operations(&mut self) {
        for todo in std::mem::take(&mut self.todo) {
            self.operated(todo.number, LimitOutcome::Timeout);
        }
    }
}
