//! From what is known to what each load shall have: pure functions of the loads and circuits.
//!
//! Two passes. The first lowers: as soon as what is promised does not fit beside the present background,
//! the loads are cut by priority to what fits, at once. The second raises: on fresh readings, against
//! the highest background of the hold time, after the waiting times, and not before the lowering that a
//! raise depends on has been seen.

mod hidden;
mod otherwise;
mod phases;
mod raising;
mod rows;
mod stray;

pub use otherwise::Otherwise;
use raising::Raising;

use serde::{Deserialize, Serialize};

use crate::action::Reason;
use crate::allocate::{Constraint, Demand, Grant, allocate};
use crate::config::{Grid, Site};
use crate::load::{Ceiling, Load};
use crate::meter::{Freshness, Meter};
use crate::reason::{Bound, DEADBAND, Overload, is_overloaded};
use crate::supervisor::Supply;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A charger that is on this long may have to let another of its class have its turn, in milliseconds. Shorter turns
/// cost energy and contactors, and make nobody's day fairer.
const TURN_MS: u64 = 3_600_000;

/// A circuit with its limit on each line and its meter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Circuit {
    /// Its name.
    pub id: String,
    /// Where the circuit that feeds it stands; `None` for the main one.
    pub parent: Option<usize>,
    /// Rating of the fuse of each line.
    pub rating: PerPhase<Milliamps>,
    /// Rating less margin of each line.
    pub limit: PerPhase<Milliamps>,
    /// Its meter, which may never say anything.
    pub meter: Meter,
    /// Whether it has a meter: the main circuit always, another if it is configured or was heard.
    pub metered: bool,
    /// Whether its meter says the same for too long.
    pub frozen: bool,
    /// Since when more is measured on a line than its limit, by more than noise.
    pub over_since: PerPhase<Option<Instant>>,
}

impl Circuit {
    /// Notes which lines carry too much, after a reading.
    pub fn watch_overload(&mut self, now: Instant) {
        for phase in Phase::ALL {
            let over = is_overloaded(self.meter.measured(phase), self.limit.get(phase));
            let since = self.over_since.get(phase);
            *self.over_since.get_mut(phase) = over.then(|| since.unwrap_or(now));
        }
    }
}

/// Whether a circuit feeds another, itself or through others. What is not known hangs on the main one.
pub fn feeds(circuits: &[Circuit], circuit: usize, id: &str) -> bool {
    let mut at = circuits.iter().position(|c| c.id == id).or(Some(0));
    // A configuration is checked for rings; the count keeps it finite all the same.
    for _ in 0..=circuits.len() {
        match at {
            Some(index) if index == circuit => return true,
            Some(index) => at = circuits.get(index).and_then(|c| c.parent),
            None => return false,
        }
    }
    false
}

/// Everything that a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The house.
    pub site: &'a Site,
    /// Its loads.
    pub loads: &'a [Load],
    /// Its circuits, the main one first.
    pub circuits: &'a [Circuit],
    /// Freshness of the main meter; frozen counts as stale.
    pub meter: Freshness,
    /// Whether the main meter is stale because it is frozen.
    pub frozen: bool,
    /// Whether loads that do not obey are counted on all the same.
    pub trusting: bool,
    /// Whether a reading has come since the configuration changed which loads there are.
    pub settled: bool,
    /// Ceilings that a person has set for loads, and until when.
    pub manual: Option<(&'a std::collections::BTreeMap<String, Milliamps>, Instant)>,
    /// Now.
    pub now: Instant,
}

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
    /// Why each load has what it has, in the order of the loads.
    pub reasons: Vec<Reason>,
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

/// Which background counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// The present one: for lowering.
    Now,
    /// The highest of the hold time: for raising.
    Held,
    /// The highest of a longer time: for raising loads that went up and down.
    HeldLong,
    /// The highest ever learnt: when the meter is stale.
    Highest,
}

/// Whether the allocation may count on a load's doing what it is told.
fn is_reliable(load: &Load) -> bool {
    load.is_controllable() && !load.is_refusing()
}

/// A constraint with what it is.
#[derive(Clone, Debug)]
struct Row {
    bound: Bound,
    /// How often the current of each load counts as it is used now.
    weights: Vec<u8>,
    /// The same when it uses all of its phases…
    on_all: Vec<u8>,
    /// …and when it uses one.
    on_one: Vec<u8>,
}

impl World<'_> {
    /// Makes the plan.
    pub fn plan(&self) -> Plan {
        match self.meter {
            Freshness::Lost => self.plan_lost(),
            Freshness::Stale => self.plan_lowering_all(Basis::Highest),
            Freshness::Waiting => self.plan_lowering_all(Basis::Now),
            Freshness::Fresh => {
                let mut plan = self.plan_lowering_all(Basis::Now);
                if self.main().is_some_and(Meter::has_started) {
                    Raising::new(self, &plan).extend(&mut plan);
                }
                plan
            }
        }
    }

    fn main(&self) -> Option<&Meter> {
        self.circuits.first().map(|circuit| &circuit.meter)
    }

    /// Lowers everybody: those that can be counted on to what is left beside the worst that the others may
    /// draw, and the others to what they would get if they obeyed, for they may.
    fn plan_lowering_all(&self, basis: Basis) -> Plan {
        let mut plan = self.plan_lowering(basis);
        let strays = |load: &Load| load.link.is_connected() && self.fixed(load).is_some();
        if self.loads.iter().any(strays) {
            let is_stray = |target: &Target| self.loads.get(target.load).is_some_and(strays);
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
            .map(|(index, load)| Target {
                load: index,
                to: load.spec.safe,
                one_phase: load.is_told_one(),
                reason: reason.because(load, load.current(), load.spec.safe),
            })
            .collect();
        Plan {
            targets,
            reasons: self
                .loads
                .iter()
                .map(|load| {
                    if load.is_away(self.site.tuning.lost_after_s, self.now) {
                        Reason::unreachable(load, load.worst(self.now))
                    } else {
                        reason.clone()
                    }
                })
                .collect(),
            supply: Supply::Short,
            shortage: Some(reason),
            wake: None,
            present: Vec::new(),
        }
    }

    /// What a load that the plan cannot count on may draw.
    fn fixed(&self, load: &Load) -> Option<Milliamps> {
        let counts = is_reliable(load) && !load.is_late(self.now);
        let reliable = load.link.is_connected() && (self.trusting || counts);
        (!reliable).then(|| self.strayed(load).unwrap_or_else(|| load.worst(self.now)))
    }

    /// The same world if every load that can be reached obeyed: what is to be told to those that do not.
    fn trusting(self) -> Self {
        Self {
            trusting: true,
            ..self
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

    fn plan_lowering(&self, basis: Basis) -> Plan {
        let rows = self.rows(basis);
        let keep: Vec<(Milliamps, Ceiling)> =
            self.loads.iter().map(|load| self.keep(load)).collect();
        let kept: Vec<Milliamps> = self
            .loads
            .iter()
            .zip(&keep)
            .map(|(load, (keep, _))| {
                self.fixed(load)
                    .unwrap_or_else(|| *keep + load.overdraw(self.now))
            })
            .collect();
        let over = rows
            .iter()
            .map(|row| used(row, &kept) - row.bound.available)
            .map(|excess| {
                if excess > DEADBAND {
                    excess
                } else {
                    Milliamps::ZERO
                }
            })
            .collect::<Vec<_>>();
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
                Ceiling::User(until) => Reason::user(load, from, to, until),
                Ceiling::Demand => Reason::demand(load, from, to),
                Ceiling::Most if to < from => Reason::configured(load, from, to),
                Ceiling::Most => self.standing(load),
            };
            if let Some(grant) = grants.get(index)
                && self.fixed(load).is_none()
                && grant.current < keep
            {
                // When blind, not below what it falls to by itself.
                let floor = if basis == Basis::Highest {
                    load.spec.safe.min(keep)
                } else {
                    Milliamps::ZERO
                };
                to = cautious(grant.current.max(floor));

                reason = match (basis, tightest(&rows, &over, index, *grant)) {
                    (Basis::Highest, _) => Reason::stale(self.frozen, true).because(load, from, to),
                    (_, Some(bound)) => Reason::cut(load, bound, from, to),
                    (_, None) => reason,
                };
                plan.supply = Supply::Short;
                plan.shortage.get_or_insert_with(|| reason.clone());
            }
            if to < from && load.link.is_connected() {
                plan.targets.push(Target {
                    load: index,
                    to,
                    one_phase: load.is_told_one(),
                    reason: reason.clone(),
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
            let weighed = self.loads.iter().zip(&row.weights);
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
                let mut constraint = self.constraint(row);
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
            .map(|(load, (keep, _))| {
                let soft = self.ceiling(load).0.max(load.spec.safe);
                self.demand(load, (*keep).min(soft))
            })
            .collect();
        allocate(&demands, &constraints)
    }

    fn demand(&self, load: &Load, most: Milliamps) -> Demand {
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
            most: if self.fixed(load).is_some() {
                Milliamps::ZERO
            } else {
                most
            },
            received: if in_turn {
                0
            } else {
                load.received_wh().saturating_add(1)
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
        .zip(&row.weights)
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
