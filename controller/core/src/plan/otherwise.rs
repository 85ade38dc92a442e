//! What a load would have if one thing were otherwise: the allocation once more, with one other load paused, or
//! without the peak that the house had within the hold time.
//!
//! It is reckoned for a few loads in a step only, and only when what keeps a load from more has changed; until then
//! what was said stays.

use serde::{Deserialize, Serialize};

use super::rows::{Basis, Row};
use super::{Plan, World};
use crate::action::{Counterfactual, Reason, ReasonCode};
use crate::allocate::{Constraint, Demand};
use crate::load::{Kind, Load};
use crate::units::{Instant, Milliamps};

/// Loads for which it is reckoned in one step, so that no step takes long.
const PER_STEP: usize = 2;
/// What was said is reckoned anew after this, in milliseconds.
const OLD_MS: u64 = 60_000;
/// A load that would have less more than this is not worth a sentence.
const WORTH: Milliamps = Milliamps::from_amps(1);

/// What was said of a load last.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Said {
    id: String,
    /// The reason that it was said with, without it.
    reason: Reason,
    has: Milliamps,
    at: Instant,
    what: Option<Counterfactual>,
}

impl Said {
    fn still_holds(&self, load: &Load, reason: &Reason, now: Instant) -> bool {
        let own = &self.reason;
        let left = |reason: &Reason| reason.available_a.unwrap_or_default();
        self.id == load.spec.id
            && self.has == load.current()
            && own.code == reason.code
            && own.phase == reason.phase
            && own.circuit == reason.circuit
            && own.load == reason.load
            && own.to_a == reason.to_a
            && (left(own) - left(reason)).abs() < WORTH
            && now.since_ms(self.at) < OLD_MS
    }
}

/// What was said of all loads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Otherwise {
    said: Vec<Option<Said>>,
}

impl Otherwise {
    /// Adds to the reasons of a plan what each load that is short would have if one thing were otherwise.
    pub fn extend(&mut self, world: &World<'_>, plan: &mut Plan) {
        self.said.resize(world.loads.len(), None);
        let mut left = PER_STEP;
        let mut rows = Rows::new(world, std::mem::take(&mut plan.present));
        let first = plan.first_targets();
        for (index, (load, said)) in world.loads.iter().zip(&mut self.said).enumerate() {
            let target = first.get(index).copied().flatten();
            let reason = match target.and_then(|at| plan.targets.get_mut(at)) {
                Some(target) => &mut target.reason,
                None => match plan.reasons.get_mut(index) {
                    Some(Some(reason)) => reason,
                    _ => continue,
                },
            };
            if !is_short(reason) {
                *said = None;
                continue;
            }
            let known = said
                .as_ref()
                .filter(|said| said.still_holds(load, reason, world.now));
            let what = match known {
                Some(said) => said.what.clone(),
                None if left == 0 => continue,
                None => {
                    left -= 1;
                    let what = rows.otherwise(index, load, reason);
                    *said = Some(Said {
                        id: load.spec.id.clone(),
                        reason: reason.clone(),
                        has: load.current(),
                        at: world.now,
                        what: what.clone(),
                    });
                    what
                }
            };
            if let Some(what) = what {
                let other = what
                    .load
                    .as_ref()
                    .and_then(|id| world.loads.iter().find(|other| other.spec.id == *id));
                reason.add_otherwise(what, other);
            }
        }
    }
}

/// Whether it says that a load has less than it can use because of others or of the house.
const fn is_short(reason: &Reason) -> bool {
    match reason.code {
        ReasonCode::MainFuse
        | ReasonCode::Circuit
        | ReasonCode::PowerLimit
        | ReasonCode::Thermal
        | ReasonCode::Priority
        | ReasonCode::FairShare
        | ReasonCode::Rotation => true,
        // A peak of the house, not a waiting time.
        ReasonCode::Hysteresis => reason.circuit.is_some(),
        _ => false,
    }
}

/// The constraints: those of now, and those of the past, made when they are needed first.
struct Rows<'w> {
    world: &'w World<'w>,
    now: Vec<Row>,
    held: Option<Vec<Row>>,
}

impl<'w> Rows<'w> {
    const fn new(world: &'w World<'w>, now: Vec<Row>) -> Self {
        Self {
            world,
            now,
            held: None,
        }
    }

    fn otherwise(&mut self, index: usize, load: &Load, reason: &Reason) -> Option<Counterfactual> {
        let world = self.world;
        let without_peak = reason.code == ReasonCode::Hysteresis;
        let rows = if without_peak {
            &self.now
        } else {
            self.held.get_or_insert_with(|| world.rows(Basis::Held))
        };
        let paused = if without_peak {
            None
        } else {
            Some(rival(world, rows, index, reason)?)
        };
        let demands: Vec<Demand> = world
            .loads
            .iter()
            .enumerate()
            .map(|(other, state)| {
                let mut demand = world.demand(other, state, world.ceiling(state).0);
                if Some(other) == paused {
                    demand.most = Milliamps::ZERO;
                }
                demand
            })
            .collect();
        let constraints: Vec<Constraint> = rows.iter().map(Row::constraint).collect();
        let gets = |constraints: Vec<Constraint>| {
            let grants = world.allocate(&demands, constraints);
            grants.get(index).map(|grant| grant.current)
        };
        let enough = reason.to_a.unwrap_or_else(|| load.current()) + WORTH;
        let mut current_a = gets(constraints).filter(|current| *current >= enough)?;
        if !without_peak {
            // What the present background leaves may be less than what the past does.
            let present: Vec<Constraint> = self.now.iter().map(Row::constraint).collect();
            current_a = current_a.min(gets(present)?);
        }
        (current_a >= enough).then(|| Counterfactual {
            load: paused
                .and_then(|other| world.loads.get(other))
                .map(|other| other.spec.id.clone()),
            current_a,
        })
    }
}

/// The load to think away: the one that the reason names, else that which takes most where it binds; a relay before a
/// car, since it is the easier to do without.
fn rival(world: &World<'_>, rows: &[Row], index: usize, reason: &Reason) -> Option<usize> {
    let takes = |other: usize| {
        world
            .loads
            .get(other)
            .filter(|_| world.fixed(other).is_none())
            .map(Load::current)
            .filter(|current| *current > Milliamps::ZERO)
    };
    let named = reason.load.as_ref().and_then(|id| {
        let is = |load: &Load| load.spec.id == *id;
        world.loads.iter().position(is)
    });
    if let Some(named) = named {
        return takes(named).map(|_| named);
    }
    let bound = rows.iter().find(|row| {
        Some(&*row.bound.circuit) == reason.circuit.as_deref() && row.bound.phase == reason.phase
    })?;
    bound
        .weights
        .iter()
        .enumerate()
        .filter(|(other, weight)| *other != index && **weight > 0)
        .filter_map(|(other, _)| Some((other, takes(other)?)))
        .max_by_key(|(other, current)| {
            let kind = world.loads.get(*other).map(|other| other.spec.kind);
            (
                kind == Some(Kind::SlowLoad),
                *current,
                std::cmp::Reverse(*other),
            )
        })
        .map(|(other, _)| other)
}
