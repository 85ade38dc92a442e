//! From what is known to what each load shall have: pure functions of the loads and circuits.
//!
//! Two passes. The first lowers: as soon as what is promised does not fit beside the present background,
//! the loads are cut by priority to what fits, at once. The second raises: on fresh readings, against
//! the highest background of the hold time, after the waiting times, and not before the lowering that a
//! raise depends on has been seen.

mod circuit;
mod hidden;
mod lines;
mod otherwise;
mod phases;
mod raising;
mod rows;
mod stray;
mod world;

pub use circuit::{Circuit, feeds};
pub use lines::Lines;
pub use otherwise::Otherwise;
use raising::Raising;
use rows::{Basis, Row};
pub use world::{Known, World};

use crate::action::Reason;
use crate::allocate::{Constraint, Demand, Grant};
use crate::config::Grid;
use crate::load::{Ceiling, Load};
use crate::meter::{Freshness, Meter};
use crate::reason::{Bound, DEADBAND, Overload};
use crate::supervisor::Supply;
use crate::units::{Instant, Milliamps};

/// A charger that is on this long may have to let another of its class have its turn, in milliseconds. Shorter turns
/// cost energy and contactors, and make nobody's day fairer.
const TURN_MS: u64 = 3_600_000;
/// Who has received less is judged in steps of this, in watt-hours: equals change places less often than their reports
/// come.
const RECEIVED_STEP_WH: u64 = 100;

/// What one load shall have from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which load.
    pub load: usize,
    /// How much.
    pub to: Milliamps,
    /// Whether on one phase only.
    pub one_phase: bool,
    /// Why.
    pub reason: Reason,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What changes; what lowers comes first.
    pub targets: Vec<Target>,
    /// Why each load has what it has, in the order of the loads: all of them, once the plan is made.
    pub reasons: Vec<Option<Reason>>,
    /// How the loads are doing.
    pub supply: Supply,
    /// Why the house is short, if it is.
    pub shortage: Option<Reason>,
    /// When the passing of time alone may change the plan.
    pub wake: Option<Instant>,
    /// The constraints by the present background.
    present: Vec<Row>,
}

impl Plan {
    /// Where the first target of each load stands.
    fn first_targets(&self) -> Vec<Option<usize>> {
        let mut first = vec![None; self.reasons.len()];
        for (at, target) in self.targets.iter().enumerate().rev() {
            set(&mut first, target.load, Some(at));
        }
        first
    }
}

impl World<'_> {
    /// Makes the plan.
    pub fn plan(&self) -> Plan {
        let mut plan = match self.meter {
            Freshness::Lost => self.plan_lost(),
            Freshness::Stale => self.plan_lowering_all(Basis::Highest),
            Freshness::Waiting | Freshness::Fresh => self.plan_lowering_all(Basis::Now),
        };
        if self.meter == Freshness::Fresh && self.main().is_some_and(Meter::has_started) {
            Raising::new(self, &plan).extend(&mut plan);
        }
        for (load, reason) in self.loads.iter().zip(&mut plan.reasons) {
            reason.get_or_insert_with(|| match self.keep(load) {
                (keep, Ceiling::Demand) => Reason::demand(load, load.current(), keep),
                _ => self.standing(load),
            });
        }
        plan
    }

    /// Lowers everybody: those that can be counted on to what is left beside the worst that the others may
    /// draw, and the others to what they would get if they obeyed, for they may.
    fn plan_lowering_all(&self, basis: Basis) -> Plan {
        let mut plan = self.plan_lowering(basis);
        let strays = |(load, fixed): (&Load, &Option<Milliamps>)| {
            load.link.is_connected() && fixed.is_some()
        };
        if self.loads.iter().zip(&self.fixed).any(strays) {
            let is_stray = |target: &Target| {
                let load = self.loads.get(target.load);
                load.zip(self.fixed.get(target.load)).is_some_and(strays)
            };
            plan.targets.retain(|target| !is_stray(target));
            let others = self.trusting().plan_lowering(basis).targets;
            plan.targets.extend(others.into_iter().filter(is_stray));
        }
        plan
    }

    /// Every load goes to what it is safe at.
    fn plan_lost(&self) -> Plan {
        let reason = Reason::lost(true);
        let targets = self
            .loads
            .iter()
            .enumerate()
            .filter(|(_, load)| load.link.is_connected())
            .filter(|(_, load)| {
                let has = load.current();
                has > load.spec.safe || load.allowed(has) != has
            })
            .map(|(index, load)| {
                let has = load.current();
                // A configuration that makes its least higher raises nothing here.
                let to = if has < load.spec.safe {
                    Milliamps::ZERO
                } else {
                    load.spec.safe
                };
                Target {
                    load: index,
                    to,
                    one_phase: load.is_told_one(),
                    reason: reason.because(load, has, to),
                }
            })
            .collect();
        Plan {
            targets,
            reasons: self
                .loads
                .iter()
                .map(|load| {
                    Some(if load.is_away(self.site.tuning.lost_after_s, self.now) {
                        Reason::unreachable(load, load.worst(self.now))
                    } else {
                        reason.clone()
                    })
                })
                .collect(),
            supply: Supply::Short,
            shortage: Some(reason),
            wake: None,
            present: Vec::new(),
        }
    }

    fn manual_for(&self, load: &Load) -> Option<(Milliamps, Instant)> {
        let (ceilings, until) = self.manual?;
        ceilings.get(&load.spec.id).map(|ceiling| (*ceiling, until))
    }

    fn ceiling(&self, load: &Load) -> (Milliamps, Ceiling) {
        load.ceiling(self.manual_for(load))
    }

    /// The most that a load may keep, before the fuse is asked.
    fn keep(&self, load: &Load) -> (Milliamps, Ceiling) {
        if load.widens() {
            return (Milliamps::ZERO, Ceiling::Most);
        }
        // The configuration may have changed what it can be given.
        let current = load.allowed(load.current());
        if let Some((most, until)) = load.user_ceiling(self.manual_for(load))
            && most < current
        {
            return (most, Ceiling::User(until));
        }
        match self.ceiling(load) {
            // A load that wants nothing keeps what it falls to by itself.
            (Milliamps::ZERO, Ceiling::Demand) => (current.min(load.spec.safe), Ceiling::Demand),
            // What the car does not take is taken back only when somebody needs it.
            _ => (current, Ceiling::Most),
        }
    }

    /// How much more than what is available each row carries, by more than noise, if everybody keeps what it may.
    fn excess(&self, rows: &[Row], keep: &[(Milliamps, Ceiling)]) -> Vec<Milliamps> {
        let draws = |(index, (keep, _)): (usize, &(Milliamps, Ceiling))| {
            self.fixed(index)
                .unwrap_or_else(|| *keep + self.overdraw(index))
        };
        let kept: Vec<Milliamps> = keep.iter().enumerate().map(draws).collect();
        rows.iter()
            .map(|row| used(row, &kept) - row.bound.available)
            .map(|excess| {
                if excess > DEADBAND {
                    excess
                } else {
                    Milliamps::ZERO
                }
            })
            .collect()
    }

    fn plan_lowering(&self, basis: Basis) -> Plan {
        let rows = self.rows(basis);
        let keep: Vec<(Milliamps, Ceiling)> =
            self.loads.iter().map(|load| self.keep(load)).collect();
        let over = self.excess(&rows, &keep);
        let cut = over.iter().any(|excess| *excess > Milliamps::ZERO);
        let grants = if cut {
            self.cut(&rows, &keep, &over)
        } else {
            Vec::new()
        };

        let mut plan = Plan {
            targets: Vec::new(),
            reasons: Vec::new(),
            supply: Supply::Enough,
            shortage: None,
            wake: None,
            present: Vec::new(),
        };
        let may_raise = self
            .main()
            .is_some_and(|meter| meter.allows_raising(self.now));
        for (index, load) in self.loads.iter().enumerate() {
            let from = load.current();
            let (keep, why) = keep.get(index).copied().unwrap_or((from, Ceiling::Most));
            // It was never told what it has: above its safe current only when raising is allowed too.
            let cautious = |to: Milliamps| {
                if to < from && load.setpoint().is_none() && !may_raise {
                    to.min(load.spec.safe)
                } else {
                    to
                }
            };
            let mut to = cautious(keep);
            let mut reason = match why {
                Ceiling::User(until) => Some(Reason::user(load, from, to, until)),
                Ceiling::Demand if to < from => Some(Reason::demand(load, from, to)),
                Ceiling::Most if load.widens() => Some(Reason::widens(load, from)),
                Ceiling::Most if to < from => Some(Reason::configured(load, from, to)),
                Ceiling::Demand | Ceiling::Most => None,
            };
            let told = |reason: &Option<Reason>| {
                let reason = reason.as_ref();
                reason.map_or_else(|| self.standing(load), Reason::clone)
            };
            if let Some(grant) = grants.get(index)
                && self.fixed(index).is_none()
                && grant.current < keep
            {
                // When blind, not below what it falls to by itself.
                let floor = if basis == Basis::Highest {
                    load.spec.safe.min(keep)
                } else {
                    Milliamps::ZERO
                };
                to = cautious(grant.current.max(floor));

                match (basis, tightest(&rows, &over, index, *grant)) {
                    (Basis::Highest, _) => {
                        let stale = Reason::stale(self.frozen, true);
                        reason = Some(stale.because(load, from, to));
                    }
                    (_, Some(bound)) => reason = Some(Reason::cut(load, bound, from, to)),
                    (_, None) => {}
                }
                plan.supply = Supply::Short;
                plan.shortage.get_or_insert_with(|| told(&reason));
            }
            if to < from && load.link.is_connected() {
                plan.targets.push(Target {
                    load: index,
                    to,
                    one_phase: load.is_told_one(),
                    reason: told(&reason),
                });
            }
            plan.reasons.push(reason);
        }
        if basis == Basis::Highest {
            plan.supply = Supply::Short;
            plan.shortage = Some(Reason::stale(self.frozen, true));
        } else if let Some(row) = rows.iter().find(|row| row.bound.is_overloaded())
            && plan.shortage.is_none()
        {
            plan.supply = Supply::Short;
            plan.shortage = Some(Reason::overloaded(&row.bound, &self.overload(row)));
        }
        plan.present = rows;
        plan
    }

    /// Why a line that carries too much is not relieved by a command of this plan.
    fn overload(&self, row: &Row) -> Overload<'_> {
        let there = || {
            let weighed = self.loads.iter().zip(&*row.weights);
            weighed
                .filter(|(_, weight)| **weight > 0)
                .map(|(load, _)| load)
        };
        if let Some(stray) = there().find(|load| load.link.straying_since().is_some()) {
            Overload::Stray(stray)
        } else if there().any(Load::is_unsettled) {
            Overload::Falling
        } else if there().any(|load| load.worst(self.now) > Milliamps::ZERO) {
            Overload::Unsure
        } else {
            Overload::House
        }
    }

    /// Shares out anew what everybody keeps, nobody more than before.
    fn cut(&self, rows: &[Row], keep: &[(Milliamps, Ceiling)], over: &[Milliamps]) -> Vec<Grant> {
        let constraints: Vec<Constraint> = rows
            .iter()
            .zip(over)
            .map(|(row, excess)| {
                let mut constraint = row.constraint();
                if self.site.grid == Grid::It3ph {
                    // A cut of a two-wire load lowers the line by half of it at worst (unity power
                    // factor), so it is cut twice as deep (reference: cut gain of delta grids).
                    constraint.capacity -= *excess;
                }
                constraint
            })
            .collect();
        let demands: Vec<Demand> = self
            .loads
            .iter()
            .zip(keep)
            .enumerate()
            .map(|(index, (load, (keep, _)))| {
                let soft = self.ceiling(load).0.max(load.spec.safe);
                self.demand(index, load, (*keep).min(soft))
            })
            .collect();
        self.allocate(&demands, constraints)
    }

    fn demand(&self, index: usize, load: &Load, most: Milliamps) -> Demand {
        // A test is asked for by a person who waits for it.
        let class = if load.wishes.boost.is_some() || load.wishes.test.is_some() {
            u32::MAX
        } else if self.is_promised(load) {
            u32::MAX - 1
        } else {
            load.spec.priority
        };
        let in_turn = load.current() > Milliamps::ZERO && load.on_ms(self.now) < TURN_MS;
        Demand {
            in_turn,
            phases: load.spec.phases,
            using: load.present_use(),
            class,
            least: load.spec.least,
            most: if self.fixed(index).is_some() {
                Milliamps::ZERO
            } else {
                most
            },
            received: if in_turn {
                0
            } else {
                load.received_wh() / RECEIVED_STEP_WH + 1
            },
        }
    }

    /// Whether its longest time off is over.
    fn is_promised(&self, load: &Load) -> bool {
        load.spec
            .max_off_s
            .is_some_and(|max| load.off_ms(self.now) >= u64::from(max) * 1000)
    }

    /// What is to be said of a load that nothing new happens to.
    fn standing(&self, load: &Load) -> Reason {
        if load.is_away(self.site.tuning.lost_after_s, self.now) {
            Reason::unreachable(load, load.worst(self.now))
        } else if load.link.is_unseen() {
            Reason::unseen(load, load.worst(self.now))
        } else if load.link.straying_since().is_some() {
            Reason::not_obeying(load)
        } else if load.is_refusing() {
            Reason::refusing(load)
        } else if load.has_yet_to_fall(self.now) {
            Reason::unheeded(load, load.worst(self.now))
        } else if self.meter == Freshness::Stale {
            Reason::stale(self.frozen, true)
        } else if !self.main().is_some_and(Meter::has_started) {
            Reason::starting()
        } else if load.is_late(self.now) && load.current() < self.ceiling(load).0 {
            Reason::settling(load)
        } else {
            Reason::satisfied(load)
        }
    }
}

/// The constraint that a cut is due to: the one that bound, else the fullest that counts the load.
fn tightest<'r>(
    rows: &'r [Row],
    over: &[Milliamps],
    load: usize,
    grant: Grant,
) -> Option<&'r Bound> {
    let counts = |row: &&Row| row.weights.get(load).is_some_and(|weight| *weight > 0);
    let fullest = rows
        .iter()
        .zip(over)
        .filter(|(row, excess)| counts(row) && **excess > Milliamps::ZERO)
        .max_by_key(|(_, excess)| **excess)
        .map(|(row, _)| row);
    fullest
        .or_else(|| rows.get(grant.bound_by?))
        .map(|row| &row.bound)
}

fn used(row: &Row, currents: &[Milliamps]) -> Milliamps {
    currents
        .iter()
        .zip(&*row.weights)
        .map(|(current, weight)| times(*current, *weight))
        .sum()
}

const fn times(current: Milliamps, weight: u8) -> Milliamps {
    Milliamps(current.0.saturating_mul(weight as i64))
}

fn set<T>(list: &mut [T], index: usize, value: T) {
    if let Some(slot) = list.get_mut(index) {
        *slot = value;
    }
}
