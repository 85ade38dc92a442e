//! What those that are on get: ampere by ampere to who has the least, exactly.
//!
//! Where the next ampere does not go round, every way to hand it out to as many as possible is followed to
//! its end, and the best end counts.

use std::cmp::Ordering;

use super::STEP;
use super::pack::{Group, Needs, pack};
use crate::units::Milliamps;

/// Search nodes to hand out one ampere; kinds are few, so that this is never reached in a house.
const NODES: usize = 5_000;

/// A load that is on.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// How often its current counts in each constraint.
    pub(super) column: Vec<i64>,
    /// What it has at first.
    pub(super) start: Milliamps,
    /// The most that it can use.
    pub(super) most: Milliamps,
    /// On how many phases it draws.
    pub(super) phases: i64,
    /// Members of one kind are equals; on all phases or on one is no difference.
    pub(super) kind: usize,
}

/// How good a filling is: what follows the number that is on in the order of the contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    /// Currents, the least first.
    fairness: Vec<Milliamps>,
    /// Their sum.
    throughput: Milliamps,
    /// Amperes over all phases of each, who had the least energy first.
    owed: Vec<i64>,
}

impl Worth {
    /// The currents of items that stand in the order of energy received.
    pub(super) fn new(items: &[Item], currents: &[Milliamps]) -> Self {
        let mut fairness = currents.to_vec();
        fairness.sort_unstable();
        let amounts: Vec<i64> = items
            .iter()
            .zip(currents)
            .map(|(item, current)| current.0.saturating_mul(item.phases))
            .collect();
        Self {
            fairness,
            throughput: currents.iter().copied().sum(),
            owed: among_equals(items, &amounts),
        }
    }

    /// Who had the least energy first, over more loads than are on.
    pub(super) fn spread(mut self, places: &[usize], loads: usize) -> Self {
        let mut owed = vec![0; loads];
        for (place, amount) in places.iter().zip(&self.owed) {
            if let Some(slot) = owed.get_mut(*place) {
                *slot = *amount;
            }
        }
        self.owed = owed;
        self
    }
}

/// Amounts as equals get them in the end: the largest to who comes first.
fn among_equals(items: &[Item], amounts: &[i64]) -> Vec<i64> {
    order_of_equals(items, |a, b| amounts.get(b).cmp(&amounts.get(a)))
        .into_iter()
        .map(|from| amounts.get(from).copied().unwrap_or(0))
        .collect()
}

/// For each place the one whose share it gets, when equals are sorted.
pub(super) fn order_of_equals(
    items: &[Item],
    compare: impl Fn(usize, usize) -> Ordering,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    for (place, item) in items.iter().enumerate() {
        let first = items.iter().position(|other| other.kind == item.kind);
        if first != Some(place) {
            continue;
        }
        let places: Vec<usize> = (place..items.len())
            .filter(|other| {
                items
                    .get(*other)
                    .is_some_and(|other| other.kind == item.kind)
            })
            .collect();
        let mut sorted = places.clone();
        sorted.sort_by(|a, b| compare(*a, *b));
        for (place, from) in places.into_iter().zip(sorted) {
            if let Some(slot) = order.get_mut(place) {
                *slot = from;
            }
        }
    }
    order
}

/// What each item gets of what is left. The items stand in the order of energy received. `branches`: so
/// many ways are followed to their ends.
pub(super) fn fill(items: &[Item], left: &[i64], branches: &mut usize) -> Vec<Milliamps> {
    let mut state = State {
        left: left.to_vec(),
        currents: items.iter().map(|item| item.start).collect(),
        open: vec![true; items.len()],
    };
    for item in items {
        state.take(&item.column, item.start.0);
    }
    rise(state, items, branches)
}

#[derive(Clone)]
struct State {
    left: Vec<i64>,
    currents: Vec<Milliamps>,
    open: Vec<bool>,
}

impl State {
    fn take(&mut self, column: &[i64], current: i64) {
        for (left, weight) in self.left.iter_mut().zip(column) {
            *left = left.saturating_sub(weight.saturating_mul(current));
        }
    }

    fn current(&self, at: usize) -> Milliamps {
        self.currents.get(at).copied().unwrap_or_default()
    }

    fn is_open(&self, at: usize) -> bool {
        self.open.get(at).copied().unwrap_or(false)
    }

    fn close(&mut self, at: usize) {
        if let Some(open) = self.open.get_mut(at) {
            *open = false;
        }
    }

    /// Raises all of a set by so many steps.
    fn raise(&mut self, set: &[usize], items: &[Item], steps: i64) {
        let more = Milliamps(STEP.0.saturating_mul(steps));
        for &at in set {
            if let (Some(item), Some(current)) = (items.get(at), self.currents.get_mut(at)) {
                *current += more;
                self.take(&item.column, more.0);
            }
        }
    }

    /// How many steps all of a set can rise together, without overtaking who has more.
    fn steps(&self, set: &[usize], items: &[Item]) -> i64 {
        let lowest = set.first().map_or(Milliamps::ZERO, |at| self.current(*at));
        let mut steps = i64::MAX;
        // The set is in order too.
        let mut members = set.iter().peekable();
        for (at, item) in items.iter().enumerate() {
            let current = self.current(at);
            if members.next_if_eq(&&at).is_some() {
                steps = steps.min((item.most - current).0 / STEP.0);
            } else if self.is_open(at) {
                // Who stands in between is met, not overtaken.
                steps = steps.min(((current - lowest).0 / STEP.0).max(1));
            }
        }
        for (row, left) in self.left.iter().enumerate() {
            let used: i64 = set
                .iter()
                .filter_map(|at| items.get(*at)?.column.get(row))
                .sum();
            if used > 0 {
                steps = steps.min(left.div_euclid(used.saturating_mul(STEP.0)));
            }
        }
        steps.max(0)
    }

    fn is_blocked(&self, item: &Item) -> bool {
        self.left
            .iter()
            .zip(&item.column)
            .any(|(left, weight)| *weight > 0 && weight.saturating_mul(STEP.0) > *left)
    }
}

fn rise(mut state: State, items: &[Item], branches: &mut usize) -> Vec<Milliamps> {
    loop {
        let open: Vec<usize> = (0..items.len()).filter(|at| state.is_open(*at)).collect();
        let Some(lowest) = open.iter().map(|at| state.current(*at)).min() else {
            return state.currents;
        };
        let mut set: Vec<usize> = Vec::new();
        for at in open {
            let Some(item) = items.get(at).filter(|_| state.current(at) == lowest) else {
                continue;
            };
            if lowest + STEP > item.most || state.is_blocked(item) {
                state.close(at);
            } else {
                set.push(at);
            }
        }
        if set.is_empty() {
            continue;
        }
        let steps = state.steps(&set, items);
        if steps > 0 {
            state.raise(&set, items, steps);
            continue;
        }
        return divide(&state, &set, items, branches);
    }
}

/// The next ampere is not enough for all of a set: each way to give it to as many as possible.
fn divide(state: &State, set: &[usize], items: &[Item], branches: &mut usize) -> Vec<Milliamps> {
    // Equals in what they need: who had less energy goes first.
    let mut kinds: Vec<Vec<usize>> = Vec::new();
    for &at in set {
        let same = |kind: &&mut Vec<usize>| {
            let first = kind.first().and_then(|first| items.get(*first));
            first.zip(items.get(at)).is_some_and(|(a, b)| {
                a.column == b.column && a.most == b.most && a.phases == b.phases
            })
        };
        match kinds.iter_mut().find(same) {
            Some(kind) => kind.push(at),
            None => kinds.push(vec![at]),
        }
    }
    let groups: Vec<Group> = kinds
        .iter()
        .map(|kind| Group {
            size: kind.len(),
            all: kind
                .first()
                .and_then(|first| items.get(*first))
                .map(|item| {
                    let step = |weight: &i64| weight.saturating_mul(STEP.0);
                    Needs::new(item.column.iter().map(step))
                }),
            one: None,
        })
        .collect();
    let mut best: Option<(Worth, Vec<Milliamps>)> = None;
    for packing in pack(&groups, &state.left, NODES, *branches) {
        if best.is_some() && *branches == 0 {
            break;
        }
        *branches = branches.saturating_sub(1);
        let mut next = state.clone();
        for (kind, count) in kinds.iter().zip(packing) {
            for (index, at) in kind.iter().enumerate() {
                if index < count.all {
                    next.raise(&[*at], items, 1);
                } else {
                    next.close(*at);
                }
            }
        }
        let currents = rise(next, items, branches);
        let worth = Worth::new(items, &currents);
        if best.as_ref().is_none_or(|(other, _)| worth > *other) {
            best = Some((worth, currents));
        }
    }
    best.map_or_else(|| state.currents.clone(), |(_, currents)| currents)
}
