//! From what is known to what each load shall have: pure functions of the loads and circuits.
//!
//! Two passes. The first lowers: as soon as what is promised does not fit beside the present background,
//! the loads are cut by priority to what fits, at once. The second raises: on fresh readings, against
//! the highest background of the hold time, after the waiting times, and not before the lowering that a
//! raise depends on has been seen.

use crate::action::Reason;
use crate::allocate::{Constraint, Demand, Grant, allocate};
use crate::config::{Grid, Site};
use crate::load::{Ceiling, Kind, Load};
use crate::meter::{Freshness, Meter};
use crate::reason::{Bound, DEADBAND, is_overloaded};
use crate::supervisor::Supply;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// Nothing is raised by less than this, unless it gets all that it can use.
const RAISE_STEP: Milliamps = Milliamps::from_amps(2);
/// A charger that was stopped starts with at least this above its least.
const RESTART_ROOM: Milliamps = Milliamps::from_amps(1);
/// A charger that is on this long may have to let another of its class have its turn, in milliseconds.
const TURN_MS: u64 = 900_000;

/// A circuit with its limit on each line and its meter.
#[derive(Debug)]
pub struct Circuit {
    /// Its name.
    pub id: String,
    /// Where the circuit that feeds it stands; `None` for the main one.
    pub parent: Option<usize>,
    /// Rating less margin of each line.
    pub limit: PerPhase<Milliamps>,
    /// Its meter, which may never say anything.
    pub meter: Meter,
    /// Whether it has a meter: the main circuit always, another if it is configured or was heard.
    pub metered: bool,
    /// Whether its meter says the same for too long.
    pub frozen: bool,
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
}

/// Which background counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// The present one: for lowering.
    Now,
    /// The highest of the hold time: for raising.
    Held,
    /// The highest ever learnt: when the meter is stale.
    Highest,
}

/// Whether the allocation may count on a load's doing what it is told.
fn is_reliable(load: &Load) -> bool {
    load.is_controllable() && !load.is_refusing()
}

/// A constraint with what it is.
struct Row {
    bound: Bound,
    weights: Vec<u8>,
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
        let strays = |load: &Load| load.link.is_connected() && !is_reliable(load);
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
        let reason = Reason::lost();
        let targets = self
            .loads
            .iter()
            .enumerate()
            .filter(|(_, load)| load.current() > load.spec.safe)
            .map(|(index, load)| Target {
                load: index,
                to: load.spec.safe,
                reason: reason.because(load, load.current(), load.spec.safe),
            })
            .collect();
        Plan {
            targets,
            reasons: self.loads.iter().map(|_| reason.clone()).collect(),
            supply: Supply::Short,
            shortage: Some(reason),
            wake: None,
        }
    }

    /// What a load that the plan cannot count on may draw.
    fn fixed(&self, load: &Load) -> Option<Milliamps> {
        let reliable = load.link.is_connected() && (self.trusting || is_reliable(load));
        (!reliable).then(|| load.worst(self.now))
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
        };
        let may_raise = self
            .main()
            .is_some_and(|meter| meter.allows_raising(self.now));
        for (index, load) in self.loads.iter().enumerate() {
            let from = load.current();
            let (keep, why) = keep.get(index).copied().unwrap_or((from, Ceiling::Most));
            let mut to = keep;
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
                to = grant.current.max(floor);

                reason = match (basis, tightest(&rows, &over, index, *grant)) {
                    (Basis::Highest, _) => Reason::stale(self.frozen).because(load, from, to),
                    (_, Some(bound)) => Reason::cut(load, bound, from, to),
                    (_, None) => reason,
                };
                plan.supply = Supply::Short;
                plan.shortage.get_or_insert_with(|| reason.clone());
            }
            // It was never told what it has: above its safe current only when raising is allowed too.
            if to < from && load.setpoint().is_none() && !may_raise {
                to = to.min(load.spec.safe);
            }
            if to < from && load.link.is_connected() {
                plan.targets.push(Target {
                    load: index,
                    to,
                    reason: reason.clone(),
                });
            }
            plan.reasons.push(reason);
        }
        if basis == Basis::Highest {
            plan.supply = Supply::Short;
            plan.shortage = Some(Reason::stale(self.frozen));
        } else if let Some(row) = rows.iter().find(|row| row.bound.is_overloaded())
            && plan.shortage.is_none()
        {
            plan.supply = Supply::Short;
            plan.shortage = Some(Reason::overloaded(&row.bound));
        }
        plan
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
        let class = if load.wishes.boost.is_some() {
            u32::MAX
        } else if self.is_promised(load) {
            u32::MAX - 1
        } else {
            load.spec.priority
        };
        let in_turn = load.current() > Milliamps::ZERO && load.on_ms(self.now) < TURN_MS;
        Demand {
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

    /// What a row leaves for the loads that can be counted on.
    fn constraint(&self, row: &Row) -> Constraint {
        let overdraw: Milliamps = self
            .loads
            .iter()
            .zip(&row.weights)
            .filter(|(load, _)| self.fixed(load).is_none())
            .map(|(load, weight)| times(load.overdraw(self.now), *weight))
            .sum();
        let capacity = row.bound.available - row.bound.reserved - overdraw;
        Constraint {
            capacity,
            weights: row.weights.clone(),
        }
    }

    /// What stays reserved for loads that cannot be counted on.
    fn reserved(&self, weights: &[u8]) -> Milliamps {
        self.loads
            .iter()
            .zip(weights)
            .filter_map(|(load, weight)| Some(times(self.fixed(load)?, *weight)))
            .sum()
    }

    /// Every line of every circuit, and the cap on the power of the house.
    fn rows(&self, basis: Basis) -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, circuit) in self.circuits.iter().enumerate() {
            for &phase in self.site.grid.phases() {
                let weights: Vec<u8> = self
                    .loads
                    .iter()
                    .map(|load| {
                        u8::from(
                            feeds(self.circuits, index, &load.spec.circuit)
                                && load.spec.lines.contains(&phase),
                        )
                    })
                    .collect();
                if index > 0 && weights.iter().all(|weight| *weight == 0) {
                    continue;
                }
                let limit = circuit.limit.get(phase);
                rows.push(Row {
                    bound: Bound {
                        reserved: self.reserved(&weights),
                        circuit: circuit.id.clone(),
                        phase: Some(phase),
                        measured: circuit.meter.measured(phase),
                        limit,
                        available: self.available(circuit, index == 0, phase, basis),
                    },
                    weights,
                });
            }
        }
        rows.extend(self.power_row(basis));
        rows
    }

    /// What a line of a circuit leaves for the loads.
    fn available(&self, circuit: &Circuit, main: bool, phase: Phase, basis: Basis) -> Milliamps {
        let limit = circuit.limit.get(phase);
        if !circuit.metered {
            return limit;
        }
        let meter = &circuit.meter;
        let tuning = &self.site.tuning;
        let worst = limit - meter.background.worst(phase);
        let lost_ms = u64::from(tuning.lost_after_s) * 1000;
        let Some(age) = meter.line_age_ms(phase, self.now) else {
            // Never heard of this line: no room for more, and no ground for a cut.
            return if basis == Basis::Now {
                limit
            } else {
                Milliamps::ZERO
            };
        };
        // A line that is left out counts with its worst case, the longer the worse.
        if age >= lost_ms && (!main || meter.is_partial()) {
            return Milliamps::ZERO;
        }
        if age >= meter.stale_after_ms(tuning) || circuit.frozen || basis == Basis::Highest {
            return worst;
        }
        if basis == Basis::Now && is_overloaded(meter.measured(phase), limit) {
            return limit - meter.background.when_overloaded(phase).unwrap_or_default();
        }
        match basis {
            // Its own meter must be as fresh as the main one for a raise.
            Basis::Held if !main && !meter.allows_raising(self.now) => Milliamps::ZERO,
            Basis::Held => limit - meter.background.held(phase).unwrap_or_default(),
            Basis::Now | Basis::Highest => limit - meter.background.now(phase).unwrap_or_default(),
        }
    }

    fn power_row(&self, basis: Basis) -> Option<Row> {
        let cap = self.site.max_power_w?;
        let main = self.circuits.first()?;
        let background = &main.meter.background;
        let of = |phase: Phase| match basis {
            Basis::Now => background.now(phase),
            Basis::Held => background.held(phase),
            Basis::Highest => Some(background.worst(phase)),
        };
        // The sum of the currents times the voltage is never below the power.
        let limit = Milliamps::from_power(cap, self.site.nominal_voltage_v, 1);
        let lines = self.site.grid.phases().iter();
        let house: Milliamps = lines.map(|phase| of(*phase).unwrap_or_default()).sum();
        let weights: Vec<u8> = self.loads.iter().map(|load| load.spec.phases).collect();
        let bound = Bound {
            reserved: self.reserved(&weights),
            circuit: main.id.clone(),
            phase: None,
            measured: None,
            limit,
            available: limit - house,
        };
        Some(Row { bound, weights })
    }

    /// What is to be said of a load that nothing new happens to.
    fn standing(&self, load: &Load) -> Reason {
        if load.link.lost_since().is_some() {
            Reason::unreachable(load, load.worst(self.now))
        } else if load.link.straying_since().is_some() {
            Reason::not_obeying(load, load.worst(self.now))
        } else if load.is_refusing() {
            Reason::refusing(load)
        } else if self.meter == Freshness::Stale {
            Reason::stale(self.frozen)
        } else if !self.main().is_some_and(Meter::has_started) {
            Reason::starting()
        } else {
            Reason::satisfied(load)
        }
    }
}

/// The pass that raises.
struct Raising<'a> {
    world: &'a World<'a>,
    rows: Vec<Row>,
    /// What each load has after the lowering pass.
    has: Vec<Milliamps>,
    /// What each load asks for.
    asks: Vec<(Milliamps, Ceiling)>,
    /// What each load would have if all of it could be done at once.
    wanted: Vec<Grant>,
}

/// Whether a load may be raised now.
enum Turn {
    /// It has what it is to have.
    None,
    /// Now.
    Now,
    /// Not before then.
    Wait(Instant, &'static str),
}

impl<'a> Raising<'a> {
    fn new(world: &'a World<'a>, lowering: &Plan) -> Self {
        let mut has: Vec<Milliamps> = world.loads.iter().map(Load::current).collect();
        for target in &lowering.targets {
            if let Some(slot) = has.get_mut(target.load) {
                *slot = target.to;
            }
        }
        let rows = world.rows(Basis::Held);
        let asks: Vec<(Milliamps, Ceiling)> =
            world.loads.iter().map(|load| world.ceiling(load)).collect();
        let demands: Vec<Demand> = world
            .loads
            .iter()
            .zip(&asks)
            .map(|(load, (most, _))| {
                let mut demand = world.demand(load, *most);
                if restarts(load) {
                    demand.least = (demand.least + RESTART_ROOM).min(*most).max(demand.least);
                }
                if held_on(load, world.now) {
                    demand.class = u32::MAX - 2;
                }
                demand
            })
            .collect();
        let constraints: Vec<Constraint> = rows.iter().map(|row| world.constraint(row)).collect();
        let wanted = allocate(&demands, &constraints);
        Self {
            world,
            rows,
            has,
            asks,
            wanted,
        }
    }

    fn extend(mut self, plan: &mut Plan) {
        // Nothing is raised on an old reading, and nothing is lowered for a raise that cannot follow.
        let may_raise = self.world.settled
            && self
                .world
                .main()
                .is_some_and(|meter| meter.allows_raising(self.world.now));
        let turns: Vec<Turn> = (0..self.world.loads.len())
            .map(|load| self.turn(load))
            .collect();
        let raisers: Vec<usize> = turns
            .iter()
            .enumerate()
            .filter(|(_, turn)| may_raise && matches!(turn, Turn::Now))
            .map(|(index, _)| index)
            .collect();
        self.make_room(&raisers, plan);
        self.raise(raisers, plan);
        if may_raise {
            self.adopt(plan);
        }
        self.explain(&turns, plan);
    }

    /// Takes over what a process before this one has told a charger, so that it does not run out.
    fn adopt(&self, plan: &mut Plan) {
        for (index, load) in self.world.loads.iter().enumerate() {
            let told = plan.targets.iter().any(|target| target.load == index);
            let has = self.has(index);
            if load.setpoint().is_none()
                && !told
                && has > load.spec.safe
                && has == load.allowed(has)
                && !load.says_less_than(has)
                && self.world.fixed(load).is_none()
            {
                plan.targets.push(Target {
                    load: index,
                    to: has,
                    reason: Reason::lease(load),
                });
            }
        }
    }

    fn wanted(&self, load: usize) -> Milliamps {
        self.wanted
            .get(load)
            .map(|grant| grant.current)
            .unwrap_or_default()
    }

    fn has(&self, load: usize) -> Milliamps {
        self.has.get(load).copied().unwrap_or_default()
    }

    fn asks(&self, load: usize) -> (Milliamps, Ceiling) {
        self.asks
            .get(load)
            .copied()
            .unwrap_or((Milliamps::ZERO, Ceiling::Most))
    }

    /// Whether going from what it has to this is worth a command.
    fn is_worth(&self, index: usize, load: &Load, to: Milliamps) -> bool {
        let has = self.has(index);
        let (most, _) = self.asks(index);
        if has == Milliamps::ZERO {
            let room = if restarts(load) {
                RESTART_ROOM
            } else {
                Milliamps::ZERO
            };
            to > Milliamps::ZERO && to >= (load.spec.least + room).min(most)
        } else {
            to >= has + RAISE_STEP || (to > has && to == most)
        }
    }

    fn turn(&self, index: usize) -> Turn {
        let Some(load) = self.world.loads.get(index) else {
            return Turn::None;
        };
        if self.world.fixed(load).is_some() || !self.is_worth(index, load, self.wanted(index)) {
            return Turn::None;
        }
        let now = self.world.now;
        let tuning = &self.world.site.tuning;
        let starting = self.has(index) == Milliamps::ZERO;
        let mut wait: Option<(Instant, &'static str)> = None;
        let mut at_least = |until: Instant, what: &'static str| {
            if until > now && wait.is_none_or(|(other, _)| other < until) {
                wait = Some((until, what));
            }
        };
        let first = starting && load.is_fresh_session();
        if let Some(changed) = load.changed_at()
            && !first
        {
            at_least(
                changed.after_s(tuning.raise_after_s),
                "it was changed a short time ago",
            );
        }
        if starting && load.spec.kind == Kind::SlowLoad {
            let off_since = now.0.saturating_sub(load.off_ms(now));
            let until = Instant(off_since).after_s(load.spec.restart_after_s);
            at_least(until, "it must be off for a while first");
        } else if starting
            && !first
            && let Some(stopped) = load.stopped_at()
        {
            let until = stopped.after_s(load.spec.restart_after_s);
            at_least(until, "it was paused a short time ago");
        }
        wait.map_or(Turn::Now, |(until, what)| Turn::Wait(until, what))
    }

    /// Lowers who stands in the way of a raise that is due.
    fn make_room(&mut self, raisers: &[usize], plan: &mut Plan) {
        let mut goal = self.has.clone();
        for &raiser in raisers {
            let wanted = self.wanted(raiser);
            if let Some(slot) = goal.get_mut(raiser) {
                *slot = wanted;
            }
        }
        for (load, slot) in self.world.loads.iter().zip(&mut goal) {
            if let Some(fixed) = self.world.fixed(load) {
                *slot = fixed;
            }
        }
        for row in 0..self.rows.len() {
            let Some(full) = self.rows.get(row) else {
                continue;
            };
            if used(full, &goal) <= full.bound.available {
                continue;
            }
            let weight = |load: usize| full.weights.get(load).copied().unwrap_or(0);
            // One lowering at a time: what is under way may be enough.
            let under_way =
                |(load, state): (usize, &Load)| weight(load) > 0 && state.is_unsettled();
            if self.world.loads.iter().enumerate().any(under_way) {
                continue;
            }
            let Some(&raiser) = raisers
                .iter()
                .filter(|raiser| weight(**raiser) > 0)
                .max_by_key(|raiser| self.class(**raiser))
            else {
                continue;
            };
            let givers: Vec<usize> = (0..self.world.loads.len())
                .filter(|&load| weight(load) > 0 && self.may_give(load))
                // Nobody gets less because a load of a lower class asks.
                .filter(|&load| self.class(load) <= self.class(raiser))
                .collect();
            for giver in givers {
                let (Some(load), Some(other)) =
                    (self.world.loads.get(giver), self.world.loads.get(raiser))
                else {
                    continue;
                };
                let (from, to) = (self.has(giver), self.wanted(giver));
                let reason = match self.asks(giver) {
                    (most, Ceiling::Demand) if to == most => Reason::demand(load, from, to),
                    _ => Reason::shared(load, other, from, to),
                };
                plan.targets.push(Target {
                    load: giver,
                    to,
                    reason: reason.clone(),
                });
                set(&mut plan.reasons, giver, reason);
                set(&mut self.has, giver, to);
            }
        }
    }

    fn class(&self, load: usize) -> u32 {
        self.world
            .loads
            .get(load)
            .map_or(0, |l| self.world.demand(l, Milliamps::ZERO).class)
    }

    /// Whether a load has more than its share and can be lowered for others.
    fn may_give(&self, index: usize) -> bool {
        self.world.loads.get(index).is_some_and(|load| {
            self.world.fixed(load).is_none()
                && self.wanted(index) < self.has(index)
                && !held_on(load, self.world.now)
        })
    }

    /// Raises as far as the worst case of everybody else allows.
    fn raise(&mut self, mut raisers: Vec<usize>, plan: &mut Plan) {
        let mut worst: Vec<Milliamps> = self
            .world
            .loads
            .iter()
            .enumerate()
            .map(|(index, load)| load.worst(self.world.now).max(self.has(index)))
            .collect();
        // The highest class first; the list is in the order of names already.
        raisers.sort_by_key(|&load| {
            std::cmp::Reverse(self.world.loads.get(load).map(|load| load.spec.priority))
        });
        for raiser in raisers {
            let Some(load) = self.world.loads.get(raiser) else {
                continue;
            };
            let room = self
                .rows
                .iter()
                .filter_map(|row| {
                    let weight = row
                        .weights
                        .get(raiser)
                        .copied()
                        .filter(|weight| *weight > 0)?;
                    let own = times(worst.get(raiser).copied().unwrap_or_default(), weight);
                    let others = used(row, &worst) - own;
                    Some(Milliamps(
                        (row.bound.available - others).0 / i64::from(weight),
                    ))
                })
                .min()
                .unwrap_or_default();
            let wanted = self.wanted(raiser);
            let to = if room >= wanted {
                wanted
            } else {
                room.floor_to_amps()
            };
            let to = if load.spec.kind == Kind::SlowLoad && to < load.spec.least {
                Milliamps::ZERO
            } else {
                to
            };
            let from = self.has(raiser);
            if to >= load.spec.least && self.is_worth(raiser, load, to) {
                let reason = if self.world.is_promised(load) {
                    Reason::promised(load, from, to)
                } else {
                    Reason::restored(load, from, to)
                };
                plan.targets.push(Target {
                    load: raiser,
                    to,
                    reason,
                });
                set(&mut self.has, raiser, to);
                set(&mut worst, raiser, to);
            } else {
                let other = self.world.loads.iter().enumerate().find(|(index, other)| {
                    *index != raiser && other.worst(self.world.now) > self.has(*index)
                });
                set(
                    &mut plan.reasons,
                    raiser,
                    Reason::waiting_for(load, other.map(|(_, other)| other)),
                );
            }
        }
    }

    /// Says why everybody has what it has, and how the house is doing.
    fn explain(&self, turns: &[Turn], plan: &mut Plan) {
        let mut short: Option<Reason> = None;
        let mut returning = false;
        for (index, (load, turn)) in self.world.loads.iter().zip(turns).enumerate() {
            let (most, why) = self.asks(index);
            let has = self.has(index);
            if self.world.fixed(load).is_some() || !load.link.is_connected() {
                continue;
            }
            if has >= most {
                let reason = match why {
                    Ceiling::User(until) => Reason::user(load, has, has, until),
                    Ceiling::Demand if most == Milliamps::ZERO => Reason::idle(load),
                    Ceiling::Demand | Ceiling::Most => Reason::satisfied(load),
                };
                set(&mut plan.reasons, index, reason);
                continue;
            }
            match turn {
                Turn::Wait(until, what) => {
                    returning = true;
                    plan.wake = Some(plan.wake.map_or(*until, |wake| wake.min(*until)));
                    set(
                        &mut plan.reasons,
                        index,
                        Reason::waiting(load, what, *until),
                    );
                }
                Turn::Now => returning = true,
                Turn::None => {
                    if let Some(reason) = self.held_by(index, load) {
                        short.get_or_insert_with(|| reason.clone());
                        if !plan.targets.iter().any(|target| target.load == index) {
                            set(&mut plan.reasons, index, reason);
                        }
                    }
                }
            }
        }
        if plan.supply == Supply::Enough {
            plan.supply = if short.is_some() {
                Supply::Short
            } else if returning {
                Supply::Returning
            } else {
                Supply::Enough
            };
        }
        if plan.shortage.is_none() {
            plan.shortage = short;
        }
    }

    /// What keeps a load from having more.
    fn held_by(&self, index: usize, load: &Load) -> Option<Reason> {
        let bound = self.wanted.get(index)?.bound_by?;
        let row = self.rows.get(bound)?;
        let rival = self
            .world
            .loads
            .iter()
            .enumerate()
            .filter(|(other, _)| {
                *other != index && row.weights.get(*other).is_some_and(|weight| *weight > 0)
            })
            .filter(|(other, _)| self.wanted(*other) > Milliamps::ZERO)
            .max_by_key(|(other, rival)| (rival.spec.priority, self.wanted(*other)))
            .filter(|(_, rival)| {
                rival.spec.priority > load.spec.priority
                    || (rival.spec.priority == load.spec.priority
                        && self.has(index) == Milliamps::ZERO)
            });
        let has = self.has(index);
        Some(match rival {
            Some((_, rival)) => Reason::behind(load, rival, &row.bound, has),
            None => Reason::held(load, &row.bound),
        })
    }
}

/// Whether it is a charger that was stopped and is to start again.
fn restarts(load: &Load) -> bool {
    load.spec.kind == Kind::Charger && !load.is_fresh_session() && load.current() == Milliamps::ZERO
}

/// Whether its least time on keeps it on, for everything but the fuse.
fn held_on(load: &Load, now: Instant) -> bool {
    load.current() > Milliamps::ZERO && load.on_ms(now) < u64::from(load.spec.min_on_s) * 1000
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
