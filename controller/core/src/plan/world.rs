//! What a plan is made from.

use std::cell::RefCell;

use super::Circuit;
use super::lines::{Line, Lines};
use crate::allocate::{Constraint, Demand, Grant, Memory};
use crate::config::Site;
use crate::load::Load;
use crate::meter::{Freshness, Meter};
use crate::units::{Instant, Milliamps};

/// What is known when a plan is made.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The house.
    pub site: &'a Site,
    /// Its loads.
    pub loads: &'a [Load],
    /// Its circuits, the main one first.
    pub circuits: &'a [Circuit],
    /// Which loads count on which line.
    pub lines: &'a Lines,
    /// Freshness of the main meter; frozen counts as stale.
    pub meter: Freshness,
    /// Whether the main meter is stale because it is frozen.
    pub frozen: bool,
    /// Whether a reading has come since the configuration changed which loads there are.
    pub settled: bool,
    /// Ceilings that a person has set for loads, and until when.
    pub manual: Option<(&'a std::collections::BTreeMap<String, Milliamps>, Instant)>,
    /// What was shared out last.
    pub memory: &'a RefCell<Memory>,
    /// Now.
    pub now: Instant,
}

/// Everything that a plan is made from: what is known, and what follows for each load and line whatever is planned.
#[derive(Clone, Debug)]
pub struct World<'a> {
    pub(super) site: &'a Site,
    pub(super) loads: &'a [Load],
    pub(super) circuits: &'a [Circuit],
    pub(super) meter: Freshness,
    pub(super) frozen: bool,
    pub(super) settled: bool,
    pub(super) manual: Option<(&'a std::collections::BTreeMap<String, Milliamps>, Instant)>,
    memory: &'a RefCell<Memory>,
    pub(super) now: Instant,
    /// What each load that the plan cannot count on may draw.
    pub(super) fixed: Vec<Option<Milliamps>>,
    /// What each load draws above what it was told.
    pub(super) overdraw: Vec<Milliamps>,
    /// The lines of the circuits that count…
    pub(super) lines: &'a [Line],
    /// …and for each how long it takes until the loads have answered.
    pub(super) reactions: Vec<Option<u64>>,
}

/// Whether the allocation may count on a load's doing what it is told.
fn is_reliable(load: &Load) -> bool {
    load.is_controllable() && !load.is_refusing()
}

impl<'a> World<'a> {
    /// Of what is known.
    pub fn new(known: Known<'a>) -> Self {
        let mut world = Self {
            site: known.site,
            loads: known.loads,
            circuits: known.circuits,
            meter: known.meter,
            frozen: known.frozen,
            settled: known.settled,
            manual: known.manual,
            memory: known.memory,
            now: known.now,
            fixed: Vec::new(),
            overdraw: known
                .loads
                .iter()
                .map(|load| load.overdraw(known.now))
                .collect(),
            lines: known.lines.all(),
            reactions: Vec::new(),
        };
        world.fixed = known
            .loads
            .iter()
            .map(|load| world.unreliable(load))
            .collect();
        world.reactions = world.reactions();
        world
    }

    /// The same world if every load that can be reached obeyed: what is to be told to those that do not.
    pub(super) fn trusting(&self) -> Self {
        let mut world = self.clone();
        for (load, fixed) in self.loads.iter().zip(&mut world.fixed) {
            *fixed = fixed.filter(|_| !load.link.is_connected());
        }
        world
    }

    pub(super) fn main(&self) -> Option<&Meter> {
        self.circuits.first().map(|circuit| &circuit.meter)
    }

    /// What a load that the plan cannot count on may draw.
    pub(super) fn fixed(&self, index: usize) -> Option<Milliamps> {
        self.fixed.get(index).copied().flatten()
    }

    /// The same, found out.
    fn unreliable(&self, load: &Load) -> Option<Milliamps> {
        let counts = is_reliable(load) && !load.is_late(self.now);
        let reliable = load.link.is_connected() && counts;
        (!reliable).then(|| self.strayed(load).unwrap_or_else(|| load.worst(self.now)))
    }

    /// Shares out what rows leave.
    pub(super) fn allocate(&self, demands: &[Demand], constraints: Vec<Constraint>) -> Vec<Grant> {
        self.memory.borrow_mut().allocate(demands, constraints)
    }

    /// What a load draws above what it was told.
    pub(super) fn overdraw(&self, index: usize) -> Milliamps {
        self.overdraw.get(index).copied().unwrap_or_default()
    }
}
