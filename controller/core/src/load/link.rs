//! The life of one load as a state machine: is it there, and does it do what it is told?
//!
//! Unseen → linked ⇄ straying; any of them → lost → linked. Arithmetic is elsewhere: this knows only
//! what the other side has shown.
#![expect(missing_docs, reason = "items that the state machine's macro makes")]
#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that the macro calls"
)]

use serde::{Deserialize, Serialize};
use statig::blocking::{
    Handled, IntoStateMachineExt, Outcome, StateMachine, Super, Transition, state_machine,
};

use crate::units::Instant;

/// What was seen of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// It said something.
    Heard,
    /// The link to it broke.
    Gone(Instant),
    /// It draws more than it was told, for too long.
    Strays(Instant),
    /// It keeps within what it was told.
    Follows,
}

/// The machine's context: nothing besides its states.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Link;

#[state_machine(
    initial = "State::unseen()",
    state(derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize))
)]
impl Link {
    /// Since when, for the superstate: what holds whatever the load does.
    #[superstate]
    fn any(event: &LinkEvent) -> Outcome<State> {
        match event {
            LinkEvent::Gone(since) => Transition(State::lost(*since)),
            LinkEvent::Heard | LinkEvent::Strays(_) | LinkEvent::Follows => Handled,
        }
    }

    #[state(superstate = "any")]
    fn unseen(event: &LinkEvent) -> Outcome<State> {
        match event {
            LinkEvent::Heard => Transition(State::linked()),
            _ => Super,
        }
    }

    #[state(superstate = "any")]
    fn linked(event: &LinkEvent) -> Outcome<State> {
        match event {
            LinkEvent::Strays(since) => Transition(State::straying(*since)),
            _ => Super,
        }
    }

    #[state(superstate = "any")]
    fn straying(since: &Instant, event: &LinkEvent) -> Outcome<State> {
        let _ = since;
        match event {
            LinkEvent::Follows => Transition(State::linked()),
            _ => Super,
        }
    }

    #[state]
    fn lost(since: &Instant, event: &LinkEvent) -> Outcome<State> {
        let _ = since;
        match event {
            LinkEvent::Heard => Transition(State::linked()),
            _ => Handled,
        }
    }
}

/// The machine, ready to run.
#[derive(Clone, Serialize, Deserialize)]
pub struct LinkMachine(StateMachine<Link>);

impl Default for LinkMachine {
    fn default() -> Self {
        Self(Link.state_machine())
    }
}

impl std::fmt::Debug for LinkMachine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.state())
    }
}

impl LinkMachine {
    pub fn handle(&mut self, event: LinkEvent) {
        self.0.handle(&event);
    }

    pub fn state(&self) -> &State {
        self.0.state()
    }

    /// Whether commands reach it.
    pub fn is_connected(&self) -> bool {
        matches!(self.state(), State::Linked {} | State::Straying { .. })
    }

    /// Since when it is lost.
    pub fn lost_since(&self) -> Option<Instant> {
        match self.state() {
            State::Lost { since } => Some(*since),
            _ => None,
        }
    }

    /// Since when it does not obey.
    pub fn straying_since(&self) -> Option<Instant> {
        match self.state() {
            State::Straying { since } => Some(*since),
            _ => None,
        }
    }

    /// Whether it was ever heard of.
    pub fn is_unseen(&self) -> bool {
        matches!(self.state(), State::Unseen {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_event() {
        use LinkEvent::{Follows, Gone, Heard, Strays};
        let at = Instant(7);
        let prepare: [(&str, &[LinkEvent]); 4] = [
            ("unseen", &[]),
            ("linked", &[Heard]),
            ("straying", &[Heard, Strays(at)]),
            ("lost", &[Gone(at)]),
        ];
        let expected = [
            ["Linked", "Lost", "Unseen", "Unseen"],
            ["Linked", "Lost", "Straying", "Linked"],
            ["Straying", "Lost", "Straying", "Linked"],
            ["Linked", "Lost", "Lost", "Lost"],
        ];
        for ((name, events), row) in prepare.into_iter().zip(expected) {
            for (event, state) in [Heard, Gone(at), Strays(at), Follows].into_iter().zip(row) {
                let mut machine = LinkMachine::default();
                for event in events {
                    machine.handle(*event);
                }
                machine.handle(event);
                let reached = format!("{machine:?}");
                assert!(
                    reached.starts_with(state),
                    "{name} + {event:?} -> {reached}"
                );
            }
        }
    }
}
