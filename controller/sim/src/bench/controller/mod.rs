//! Controllers of the benchmark: the decision core, and simple ones beside it in the same plant.
//!
//! All of them hear the same events and give the same kind of orders. `docs/benchmark.md` says what each
//! of the others simplifies.

mod evcc;
mod fixed;
mod headroom;
mod hold;
mod smartevse;
mod view;

use std::collections::BTreeMap;

use headroom_core::action::Command;
use headroom_core::event::Event;
use headroom_core::rotation::Evidence;
use headroom_core::units::Instant;

use super::scenario::Scenario;
use crate::current::Currents;

/// An order to a charger or a relay.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its number, which the result names.
    pub number: u64,
    /// What is to be done.
    pub what: Command,
}

/// Something that controls a house.
pub trait Controller {
    /// Takes an event in and says what is to be done.
    fn take(&mut self, event: Event, now: Instant) -> Vec<Order>;

    /// When it must hear of the passing of time at the latest.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What it has found out of the wiring of chargers whose phases nobody told it.
    fn learnt(&self) -> BTreeMap<String, Evidence> {
        BTreeMap::new()
    }

    /// Events that it called impossible.
    fn refused(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Which controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The decision core of Headroom.
    Headroom,
    /// A limit that never changes.
    Static,
    /// Steps of the worst line every 30 s.
    Evcc,
    /// A quarter of the room up, all of the excess down, on every reading.
    Smartevse,
    /// Down at once, up after ten minutes.
    Hold,
    /// What could be had by who knows everything and keeps the promise.
    Promise,
    /// What could be had by who knows everything.
    Clairvoyant,
}

impl Kind {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Headroom,
        Self::Static,
        Self::Evcc,
        Self::Smartevse,
        Self::Hold,
        Self::Promise,
        Self::Clairvoyant,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headroom => "headroom",
            Self::Static => "static",
            Self::Evcc => "evcc",
            Self::Smartevse => "smartevse",
            Self::Hold => "hold",
            Self::Promise => "promise",
            Self::Clairvoyant => "clairvoyant",
        }
    }

    /// The controller with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Makes one, at the beginning or after a restart; the two that know everything are none.
    pub(super) fn make(
        self,
        scenario: &Scenario,
        background: &[Currents],
        now: Instant,
    ) -> Option<Box<dyn Controller>> {
        match self {
            Self::Headroom => Some(Box::new(headroom::Headroom::new(scenario, now))),
            Self::Static => Some(Box::new(fixed::Fixed::new(scenario, background))),
            Self::Evcc => Some(Box::new(evcc::Evcc::new(scenario, now))),
            Self::Smartevse => Some(Box::new(smartevse::Smartevse::new(scenario))),
            Self::Hold => Some(Box::new(hold::Hold::new(scenario))),
            Self::Promise | Self::Clairvoyant => None,
        }
    }
}
