//! The decision core itself, fed as `headroom engine` is: `configure` first, then what happens, and a
//! tick at each deadline.

use std::collections::BTreeMap;

use headroom_core::config::Config;
use headroom_core::event::Event;
use headroom_core::rotation::Evidence;
use headroom_core::units::Instant;
use headroom_core::{Engine, Learnt};

use super::{Controller, Order};
use crate::bench::scenario::Scenario;

/// Refusals that are kept to be told.
const REFUSED_MAX: usize = 10;

pub(super) struct Headroom {
    engine: Engine,
    refused: Vec<String>,
}

impl Headroom {
    pub(super) fn new(scenario: &Scenario, now: Instant) -> Self {
        let mut own = Self {
            engine: Engine::new(Config::default(), now),
            refused: Vec::new(),
        };
        own.take(Event::Configure(Box::new(scenario.config())), now);
        // As a process begins that finds nothing of the one before.
        own.engine.restore(&Learnt::default());
        own
    }
}

impl Controller for Headroom {
    fn take(&mut self, event: Event, now: Instant) -> Vec<Order> {
        if let Err(error) = self.engine.check(&event, now) {
            if self.refused.len() < REFUSED_MAX {
                self.refused.push(format!("{} ms: {error}", now.0));
            }
            return Vec::new();
        }
        let actions = self.engine.step(event, now).actions;
        actions
            .into_iter()
            .map(|action| Order {
                number: action.command,
                what: action.what,
            })
            .collect()
    }

    fn deadline(&self) -> Option<Instant> {
        self.engine.next_deadline()
    }

    fn learnt(&self) -> BTreeMap<String, Evidence> {
        self.engine.learnt_phases()
    }

    fn refused(&self) -> Vec<String> {
        self.refused.clone()
    }
}
