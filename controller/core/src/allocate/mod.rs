//! Who gets how much, exactly: a pure function of demands and constraints.
//!
//! In this order (contract, section 3): the constraints; the class of priority (a lower class gets only
//! what the higher ones cannot use); as many loads of a class on as fit; max-min fairness in amperes per
//! phase; throughput, in amperes per phase too (over all phases it would leave cars of one phase waiting for
//! ever beside one of three); least energy received; name.
//!
//! Two things stand between the number that is on and fairness. A charger that can use one phase does so
//! only where it, or another of its class, could not be on otherwise: as few as possible are on one phase.
//! And who is in its turn stays on: a contactor is not moved because the house added half an ampere elsewhere.
//!
//! Invariants: no constraint is exceeded by what is granted; a grant is 0 or from `least` to `most`; a
//! load never gets less because one of a lower class asks.

mod fill;
mod memory;
mod pack;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::units::Milliamps;
use fill::{Item, Worth};
pub use memory::Memory;
use pack::{Count, Group, Needs};

/// Up to this many loads of one class the choice is exact whatever they are. Above it the search is
/// cut short where many of them differ, so that a step of the engine stays below a millisecond.
const EXACT_MAX: usize = 10;
/// Search nodes for the choice of who is on: all choices of [`EXACT_MAX`] loads, each off, on all phases
/// or on one, are 3¹⁰.
const NODES_EXACT: usize = 100_000;
/// The same for more loads.
const NODES_MANY: usize = 1_500;
/// Choices, and ways to hand out the last ampere, that are followed to their ends.
const BRANCHES_EXACT: usize = 10_000;
/// The same for more loads.
const BRANCHES_MANY: usize = 32;
/// Limits are whole amperes.
const STEP: Milliamps = Milliamps::from_amps(1);

/// On how many of its phases a load may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Use {
    /// On all of them.
    #[default]
    All,
    /// On one only.
    One,
    /// As it fits best.
    Either,
}

/// What one load asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Its class; the larger is served first.
    pub class: u32,
    /// The least that it can run with.
    pub least: Milliamps,
    /// The most that it can use; below `least` it asks for nothing.
    pub most: Milliamps,
    /// Energy received so far, or another measure of it: who had less goes first.
    pub received: u64,
    /// Whether it is on and has not been so for long: it is not stopped for an equal.
    pub in_turn: bool,
    /// How many phases it draws on when it uses all of them.
    pub phases: u8,
    /// On how many of them it may be used.
    pub using: Use,
}

/// Something that must not be exceeded: the sum over all loads of weight times grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// What is left for the loads; nothing if negative.
    pub capacity: Milliamps,
    /// How often the current of each load counts here (0: not at all).
    pub weights: Arc<[u8]>,
    /// The same when it uses one phase.
    pub on_one: Arc<[u8]>,
}

/// What one load gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// How much; 0 is off.
    pub current: Milliamps,
    /// Whether it is to use one phase only; without meaning for one that is off.
    pub one_phase: bool,
    /// The constraint that kept it from more.
    pub bound_by: Option<usize>,
}

/// Shares out what the constraints leave. Loads come in the order of their names.
pub fn allocate(demands: &[Demand], constraints: &[Constraint]) -> Vec<Grant> {
    let mut shares = Shares::new(demands, constraints);
    let mut classes: Vec<u32> = demands.iter().map(|demand| demand.class).collect();
    classes.sort_unstable_by(|a, b| b.cmp(a));
    classes.dedup();
    for class in classes {
        let mut members: Vec<usize> = demands
            .iter()
            .enumerate()
            .filter(|(_, demand)| demand.class == class && demand.most >= demand.least)
            .map(|(index, _)| index)
            .collect();
        // Who received less goes first where everything else is equal.
        members.sort_unstable_by_key(|&member| (shares.demand(member).received, member));
        shares.serve(&members);
    }
    shares.grants
}

struct Shares<'a> {
    demands: &'a [Demand],
    constraints: &'a [Constraint],
    /// What each constraint has left.
    left: Vec<i64>,
    grants: Vec<Grant>,
}

/// A load that is on, by its place among the members of its class.
#[derive(Clone, Copy, Debug)]
struct On {
    place: usize,
    one_phase: bool,
}

/// Who is on, and what each of them gets.
type Outcome = (Vec<On>, Vec<Milliamps>);
/// How good a choice is among those with as many on: how many are in their turn, then the rest.
type Rank = (usize, Worth);

/// Loads that nothing but energy and name tells apart, by their places among the members.
struct Kind {
    places: Vec<usize>,
    group: Group,
}

impl<'a> Shares<'a> {
    fn new(demands: &'a [Demand], constraints: &'a [Constraint]) -> Self {
        Self {
            demands,
            constraints,
            left: constraints
                .iter()
                .map(|constraint| constraint.capacity.0)
                .collect(),
            grants: vec![Grant::default(); demands.len()],
        }
    }

    /// Serves one class: chooses who is on, fills up, and notes what bound each.
    fn serve(&mut self, members: &[usize]) {
        let (chosen, currents) = self.choose(members);
        let on: BTreeSet<usize> = chosen.iter().map(|on| on.place).collect();
        let off: Vec<usize> = (0..members.len())
            .filter(|place| !on.contains(place))
            .collect();
        let member = |place: usize| members.get(place).copied().unwrap_or(usize::MAX);
        // Who cannot be on beside the classes before is told so; who could, by what is full at the end.
        for &place in &off {
            self.bind_off(member(place));
        }
        for (on, current) in chosen.iter().zip(&currents) {
            self.give(member(on.place), *current, on.one_phase);
        }
        for on in &chosen {
            let member = member(on.place);
            let current = self
                .grants
                .get(member)
                .map_or(Milliamps::ZERO, |g| g.current);
            if current + STEP <= self.demand(member).most {
                let bound = self.first_exceeded(member, on.one_phase, STEP);
                self.set_bound(member, bound);
            }
        }
        for &place in &off {
            self.bind_off(member(place));
        }
    }

    /// The best choice, and what each of it gets.
    fn choose(&self, members: &[usize]) -> Outcome {
        let exact = members.len() <= EXACT_MAX;
        let mut branches = if exact { BRANCHES_EXACT } else { BRANCHES_MANY };
        let mut kinds = self.kinds(members);
        let all: Vec<On> = (0..members.len())
            .map(|place| On {
                place,
                one_phase: self.demand_at(members, place).using == Use::One,
            })
            .collect();
        if self.fits(members, &all) {
            return self.fill(members, &kinds, all, &mut branches).1;
        }
        // Who needs little first: where the search is cut short, it has found many by then.
        kinds.sort_by_key(|kind| kind.group.least());
        let groups: Vec<Group> = kinds.iter().map(|kind| kind.group.clone()).collect();
        let nodes = if exact { NODES_EXACT } else { NODES_MANY };
        let mut best: Option<(Rank, Outcome)> = None;
        for packing in pack::pack(&groups, &self.left, nodes, branches) {
            if best.is_some() && branches == 0 {
                break;
            }
            branches = branches.saturating_sub(1);
            let chosen = chosen(&kinds, &packing);
            let (worth, outcome) = self.fill(members, &kinds, chosen, &mut branches);
            if best.as_ref().is_none_or(|(other, _)| worth > *other) {
                best = Some((worth, outcome));
            }
        }
        best.map(|(_, outcome)| outcome).unwrap_or_default()
    }

    /// Fills a choice up: how many of it are in their turn, how good it is, and what each gets.
    fn fill(
        &self,
        members: &[usize],
        kinds: &[Kind],
        mut chosen: Vec<On>,
        branches: &mut usize,
    ) -> (Rank, Outcome) {
        chosen.sort_unstable_by_key(|on| on.place);
        let mut kind_of = vec![usize::MAX; members.len()];
        for (index, kind) in kinds.iter().enumerate() {
            for place in &kind.places {
                if let Some(kind) = kind_of.get_mut(*place) {
                    *kind = index;
                }
            }
        }
        let items: Vec<Item> = chosen
            .iter()
            .map(|on| {
                let demand = self.demand_at(members, on.place);
                Item {
                    column: self.column(members, on.place, on.one_phase),
                    start: start(&demand),
                    most: demand.most,
                    phases: if on.one_phase {
                        1
                    } else {
                        i64::from(demand.phases)
                    },
                    kind: kind_of.get(on.place).copied().unwrap_or(usize::MAX),
                }
            })
            .collect();
        let currents = fill::fill(&items, &self.left, branches);
        let places: Vec<usize> = chosen.iter().map(|on| on.place).collect();
        let worth = Worth::new(&items, &currents).spread(&places, members.len());
        let in_turn = chosen
            .iter()
            .filter(|on| self.demand_at(members, on.place).in_turn)
            .count();
        // Among equals who had less energy gets more, over all phases.
        let amount = |at: usize| {
            let phases = items.get(at).map_or(1, |item| item.phases);
            currents
                .get(at)
                .map_or(0, |current| current.0.saturating_mul(phases))
        };
        let order = fill::order_of_equals(&items, |a, b| amount(b).cmp(&amount(a)));
        let currents = order
            .iter()
            .map(|from| currents.get(*from).copied().unwrap_or_default())
            .collect();
        let one_phase: Vec<bool> = order
            .iter()
            .map(|from| chosen.get(*from).is_some_and(|on| on.one_phase))
            .collect();
        for (on, one_phase) in chosen.iter_mut().zip(one_phase) {
            on.one_phase = one_phase;
        }
        ((in_turn, worth), (chosen, currents))
    }

    /// Members that are equals, together.
    fn kinds(&self, members: &[usize]) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for place in 0..members.len() {
            let demand = self.demand_at(members, place);
            let needs = |one_phase: bool| {
                let start = start(&demand).0;
                let column = self.column(members, place, one_phase).into_iter();
                Needs::new(column.map(|weight| weight.saturating_mul(start)))
            };
            let all = (demand.using != Use::One).then(|| needs(false));
            let one = (demand.using != Use::All).then(|| needs(true));
            let same = |kind: &&mut Kind| {
                kind.places.first().is_some_and(|first| {
                    let other = self.demand_at(members, *first);
                    kind.group.all == all
                        && kind.group.one == one
                        && (other.most, other.phases) == (demand.most, demand.phases)
                        && start(&other) == start(&demand)
                })
            };
            if let Some(kind) = kinds.iter_mut().find(same) {
                kind.places.push(place);
                kind.group.size += 1;
            } else {
                kinds.push(Kind {
                    places: vec![place],
                    group: Group { size: 1, all, one },
                });
            }
        }
        for kind in &mut kinds {
            // A turn is kept before energy is asked.
            kind.places
                .sort_unstable_by_key(|place| (!self.demand_at(members, *place).in_turn, *place));
        }
        kinds
    }

    fn fits(&self, members: &[usize], set: &[On]) -> bool {
        let mut used = vec![0_i64; self.left.len()];
        for on in set {
            let start = start(&self.demand_at(members, on.place)).0;
            let column = self.column(members, on.place, on.one_phase);
            for (used, weight) in used.iter_mut().zip(column) {
                *used = used.saturating_add(weight.saturating_mul(start));
            }
        }
        used.iter()
            .zip(&self.left)
            .all(|(used, left)| *used == 0 || used <= left)
    }

    /// How often a member counts in each constraint.
    fn column(&self, members: &[usize], place: usize, one_phase: bool) -> Vec<i64> {
        let member = members.get(place).copied().unwrap_or(usize::MAX);
        self.constraints
            .iter()
            .map(|constraint| constraint.weight(member, one_phase))
            .collect()
    }

    fn give(&mut self, member: usize, current: Milliamps, one_phase: bool) {
        for (constraint, left) in self.constraints.iter().zip(&mut self.left) {
            let weight = constraint.weight(member, one_phase);
            *left = left.saturating_sub(weight.saturating_mul(current.0));
        }
        if let Some(grant) = self.grants.get_mut(member) {
            grant.current = current;
            grant.one_phase = one_phase;
        }
    }

    fn bind_off(&mut self, member: usize) {
        let demand = self.demand(member);
        let one_phase = demand.using == Use::One;
        let bound = self.first_exceeded(member, one_phase, start(&demand));
        if bound.is_some() {
            self.set_bound(member, bound);
        }
    }

    fn first_exceeded(&self, member: usize, one_phase: bool, more: Milliamps) -> Option<usize> {
        self.constraints
            .iter()
            .zip(&self.left)
            .position(|(constraint, left)| {
                let weight = constraint.weight(member, one_phase);
                weight > 0 && weight.saturating_mul(more.0) > *left
            })
    }

    fn set_bound(&mut self, member: usize, bound: Option<usize>) {
        if let Some(grant) = self.grants.get_mut(member) {
            grant.bound_by = bound;
        }
    }

    fn demand_at(&self, members: &[usize], place: usize) -> Demand {
        self.demand(members.get(place).copied().unwrap_or(usize::MAX))
    }

    fn demand(&self, member: usize) -> Demand {
        self.demands.get(member).copied().unwrap_or(Demand {
            class: 0,
            least: Milliamps(1),
            most: Milliamps::ZERO,
            received: 0,
            in_turn: false,
            phases: 1,
            using: Use::All,
        })
    }
}

impl Constraint {
    /// How often the current of a load counts.
    fn weight(&self, load: usize, one_phase: bool) -> i64 {
        let weights = if one_phase {
            &self.on_one
        } else {
            &self.weights
        };
        i64::from(weights.get(load).copied().unwrap_or(0))
    }
}

/// Who is on by a packing: of each kind those that come first.
fn chosen(kinds: &[Kind], packing: &[Count]) -> Vec<On> {
    let mut chosen = Vec::new();
    for (kind, count) in kinds.iter().zip(packing) {
        let on = kind.places.iter().take(count.all + count.one);
        chosen.extend(on.enumerate().map(|(index, place)| On {
            place: *place,
            one_phase: index >= count.all,
        }));
    }
    chosen
}

/// What a load is given first: its least, in whole amperes where it can use them.
fn start(demand: &Demand) -> Milliamps {
    let whole = (demand.least + STEP - Milliamps(1)).floor_to_amps();
    if whole <= demand.most {
        whole
    } else {
        demand.least
    }
}
