//! The pass that raises: on fresh readings, against the highest background of the hold time, after the
//! waiting times, and not before the lowering that a raise depends on has been seen.

mod explain;

use std::sync::Arc;

use super::phases::switched;
use super::rows::{Basis, Row};
use super::{Plan, Target, World, set, times, used};
use crate::action::Reason;
use crate::allocate::{Constraint, Demand, Grant, Use};
use crate::load::{Ceiling, Kind, Load};
use crate::reason::Bound;
use crate::units::{Instant, Milliamps};

/// Nothing is raised by less than this, nor by less than this part of what it can be given, unless it gets all that it can
/// use, or nothing has changed for long.
const RAISE_STEP: Milliamps = Milliamps::from_amps(2);
const RAISE_PARTS: i64 = 8;
/// A raise by less is worth its command after this time without a change, in milliseconds.
const SMALL_RAISE_AFTER_MS: u64 = 900_000;
/// A raise by this much is worth its command even to a load that goes up and down.
const LARGE_RAISE: Milliamps = Milliamps::from_amps(6);
/// A charger that was stopped starts with at least this above its least.
const RESTART_ROOM: Milliamps = Milliamps::from_amps(1);

/// The pass that raises.
pub(super) struct Raising<'a> {
    world: &'a World<'a>,
    rows: Vec<Row>,
    /// What each load has after the lowering pass.
    has: Vec<Milliamps>,
    /// What each load asks for.
    asks: Vec<(Milliamps, Ceiling)>,
    /// What each load would have if all of it could be done at once.
    wanted: Vec<Grant>,
    /// Which loads are to use one phase.
    on_one: Vec<bool>,
    /// Which loads went up and down and would have more but for what was longer ago than the hold time, and the row that
    /// was fuller then.
    patient: Vec<Option<usize>>,
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
    pub(super) fn new(world: &'a World<'a>, lowering: &Plan) -> Self {
        let mut has: Vec<Milliamps> = world.loads.iter().map(Load::current).collect();
        for target in &lowering.targets {
            if let Some(slot) = has.get_mut(target.load) {
                *slot = target.to;
            }
        }
        let asks: Vec<(Milliamps, Ceiling)> =
            world.loads.iter().map(|load| world.ceiling(load)).collect();
        let all_have = has.iter().zip(&asks).all(|(has, (most, _))| has >= most);
        if all_have && !world.loads.iter().any(|load| load.spec.switching) {
            return Self::content(world, has, asks);
        }
        let rows = world.rows(Basis::Held);
        let mut demands: Vec<Demand> = world
            .loads
            .iter()
            .zip(&asks)
            .enumerate()
            .map(|(index, (load, (most, _)))| {
                let mut demand = world.demand(index, load, *most);
                if restarts(load) {
                    let least = demand.least + restart_room(&rows, index, load);
                    demand.least = least.min(*most).max(demand.least);
                }
                if held_on(load, world.now) {
                    demand.class = u32::MAX - 2;
                }
                demand
            })
            .collect();
        world.choose_phases(&mut demands);
        let on_one = demands
            .iter()
            .map(|demand| demand.using == Use::One)
            .collect();
        let share = |rows: &[Row]| {
            let constraints: Vec<Constraint> = rows.iter().map(Row::constraint).collect();
            world.allocate(&demands, constraints)
        };
        let mut wanted = share(&rows);
        // Who went up and down gets a little more only where it would have fitted for longer.
        let wavers = |load: &Load| load.wavers(world.now) && load.wishes.test.is_none();
        let mut patient = vec![None; world.loads.len()];
        if world.loads.iter().any(wavers) {
            let lasting = share(&world.rows(Basis::HeldPatient));
            for (index, _) in world
                .loads
                .iter()
                .enumerate()
                .filter(|(_, load)| wavers(load))
            {
                let has = has.get(index).copied().unwrap_or_default();
                if let (Some(wanted), Some(lasting)) = (wanted.get_mut(index), lasting.get(index))
                    && lasting.current < wanted.current
                    && wanted.current < has + LARGE_RAISE
                {
                    set(&mut patient, index, lasting.bound_by);
                    wanted.current = lasting.current.max(has.min(wanted.current));
                }
            }
        }
        Self {
            world,
            rows,
            has,
            asks,
            wanted,
            on_one,
            patient,
        }
    }

    /// Where everybody has all that it asks for.
    fn content(world: &'a World<'a>, has: Vec<Milliamps>, asks: Vec<(Milliamps, Ceiling)>) -> Self {
        let as_it_is = |current: &Milliamps| Grant {
            current: *current,
            ..Grant::default()
        };
        Self {
            world,
            rows: Vec::new(),
            wanted: has.iter().map(as_it_is).collect(),
            has,
            asks,
            on_one: vec![false; world.loads.len()],
            patient: vec![None; world.loads.len()],
        }
    }

    pub(super) fn extend(mut self, plan: &mut Plan) {
        // Nothing is raised on an old reading, and nothing is lowered for a raise that cannot follow.
        let may_raise = self.world.settled
            && self
                .world
                .main()
                .is_some_and(|meter| meter.allows_raising(self.world.now));
        let turns: Vec<Turn> = (0..self.world.loads.len())
            .map(|load| self.turn(load))
            .collect();
        // Who has just been lowered is not raised again before that has been seen.
        let lowered = |load: &usize| plan.targets.iter().any(|target| target.load == *load);
        let raisers: Vec<usize> = turns
            .iter()
            .enumerate()
            .filter(|(_, turn)| may_raise && matches!(turn, Turn::Now))
            .map(|(index, _)| index)
            .filter(|load| !lowered(load))
            .collect();
        self.make_room(&raisers, plan);
        self.raise(raisers, plan);
        if may_raise {
            self.adopt(plan);
        }
        self.explain(&turns, plan);
        let now = self.world.now;
        let switches = self.world.loads.iter().filter_map(|l| l.switches_at(now));
        plan.wake = plan.wake.into_iter().chain(switches).min();
    }

    /// Whether a load is to change the number of its phases.
    fn switches(&self, index: usize) -> bool {
        let to_one = self.on_one.get(index).copied().unwrap_or(false);
        self.world
            .loads
            .get(index)
            .is_some_and(|load| load.is_told_one() != to_one)
            && self.wanted(index) > Milliamps::ZERO
    }

    /// Whether a load is to start on one phase without having been seen to use one.
    fn tries_one(&self, index: usize) -> bool {
        let seen = self.world.loads.get(index).map(Load::is_seen_on_one);
        let to_one = self.on_one.get(index).copied().unwrap_or(false);
        to_one
            && self.has(index) == Milliamps::ZERO
            && (seen == Some(false) || self.switches(index))
    }

    /// How often the current of a load counts when it is raised.
    fn weight(&self, row: &Row, index: usize) -> u8 {
        let weights = if self.tries_one(index) {
            &row.by_phases.one
        } else if self.switches(index) {
            match self.on_one.get(index) {
                Some(true) => &row.by_phases.one,
                _ => &row.by_phases.all,
            }
        } else {
            &row.weights
        };
        weights.get(index).copied().unwrap_or(0)
    }

    /// Takes over what a process before this one has told a charger, so that it does not run out.
    fn adopt(&self, plan: &mut Plan) {
        let first = plan.first_targets();
        for (index, (load, target)) in self.world.loads.iter().zip(first).enumerate() {
            let told = target.is_some();
            let has = self.has(index);
            // A relay that does not say how it is has its time off first: it may be open.
            let rests = load.spec.kind == Kind::SlowLoad
                && load.off_ms(self.world.now) < u64::from(load.spec.restart_after_s) * 1000;
            if load.setpoint().is_none()
                && !told
                && !rests
                && has > load.spec.safe
                && has == load.allowed(has)
                && !load.says_less_than(has)
                && self.world.fixed(index).is_none()
            {
                plan.targets.push(Target {
                    load: index,
                    to: has,
                    one_phase: load.is_told_one(),
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
            to > Milliamps::ZERO && to >= self.least(index, load)
        } else if self.switches(index) {
            to >= load.spec.least
        } else {
            let calm = || small_raise_at(load).is_none_or(|at| at <= self.world.now);
            to > has && (to == most || calm() || to >= has + self.raise_step(index, load))
        }
    }

    /// What a raise must be worth, at least. Where a fuse forgets too soon for one raise it is made in parts.
    fn raise_step(&self, index: usize, load: &Load) -> Milliamps {
        let counts = |row: &&Row| row.weights.get(index).is_some_and(|weight| *weight > 0);
        let mut rows = self.rows.iter().filter(counts);
        if rows.any(|row| self.world.forgetful(row).is_some()) {
            RAISE_STEP
        } else {
            let part = Milliamps(load.spec.most.0 / RAISE_PARTS);
            RAISE_STEP.max(part.floor_to_amps())
        }
    }

    fn turn(&self, index: usize) -> Turn {
        let Some(load) = self.world.loads.get(index) else {
            return Turn::None;
        };
        if self.world.fixed(index).is_some() || !self.is_worth(index, load, self.wanted(index)) {
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
        for (index, slot) in goal.iter_mut().enumerate() {
            if let Some(fixed) = self.world.fixed(index) {
                *slot = fixed;
            }
        }
        for row in 0..self.rows.len() {
            let Some(full) = self.rows.get(row) else {
                continue;
            };
            let more: Milliamps = raisers
                .iter()
                .map(|raiser| {
                    let goal = goal.get(*raiser).copied().unwrap_or_default();
                    let counted = full.weights.get(*raiser).copied().unwrap_or(0);
                    times(goal, self.weight(full, *raiser)) - times(goal, counted)
                })
                .sum();
            if used(full, &goal) + more <= full.bound.available {
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
                .filter(|raiser| self.weight(full, **raiser) > 0)
                .max_by_key(|raiser| self.class(**raiser))
            else {
                continue;
            };
            let givers: Vec<usize> = (0..self.world.loads.len())
                .filter(|&load| weight(load) > 0 && self.may_give(load))
                .filter(|&load| self.is_worth_taking(load, raiser))
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
                    one_phase: load.is_told_one(),
                    reason: reason.clone(),
                });
                set(&mut plan.reasons, giver, Some(reason));
                set(&mut self.has, giver, to);
            }
        }
    }

    fn class(&self, load: usize) -> u32 {
        self.world
            .loads
            .get(load)
            .map_or(0, |l| self.world.demand(load, l, Milliamps::ZERO).class)
    }

    /// Whether a load has more than its share and can be lowered for others.
    fn may_give(&self, index: usize) -> bool {
        self.world.loads.get(index).is_some_and(|load| {
            self.world.fixed(index).is_none()
                && self.wanted(index) < self.has(index)
                && !held_on(load, self.world.now)
        })
    }

    /// Whether a raise is worth a lowering: among equals that both run, an ampere back and forth is not.
    fn is_worth_taking(&self, giver: usize, raiser: usize) -> bool {
        let (has, gets) = (self.has(giver), self.has(raiser));
        self.class(giver) != self.class(raiser)
            || gets == Milliamps::ZERO
            || has >= gets + RAISE_STEP
    }

    /// Raises as far as the worst case of everybody else allows.
    fn raise(&mut self, mut raisers: Vec<usize>, plan: &mut Plan) {
        let mut worst: Vec<Milliamps> = self
            .world
            .loads
            .iter()
            .enumerate()
            .map(|(index, load)| {
                let counted = || load.worst(self.world.now).max(self.has(index));
                // One that fell back by itself has not what it was told any more.
                self.world.fixed(index).unwrap_or_else(counted)
            })
            .collect();
        let said = if raisers.is_empty() {
            Vec::new()
        } else {
            self.world.rows(Basis::Unsaid)
        };
        // The highest class first; the list is in the order of names already.
        raisers.sort_by_key(|&load| std::cmp::Reverse(self.class(load)));
        for raiser in raisers {
            let Some(load) = self.world.loads.get(raiser) else {
                continue;
            };
            let room = self
                .rows
                .iter()
                .filter_map(|row| {
                    let weight = self.weight(row, raiser);
                    if weight == 0 {
                        return None;
                    }
                    let counted = row.weights.get(raiser).copied().unwrap_or(0);
                    let own = times(worst.get(raiser).copied().unwrap_or_default(), counted);
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
            let from = self.has(raiser);
            let weight = |row: &Row| self.weight(row, raiser);
            let steps = (from, to);
            let (to, hides) = (self.world).unhidden(&self.rows, &worst, raiser, weight, steps);
            let to = if load.spec.kind == Kind::SlowLoad && to < load.spec.least {
                Milliamps::ZERO
            } else {
                to
            };
            let (switches, tries_one) = (self.switches(raiser), self.tries_one(raiser));
            let one_phase = if switches {
                !load.is_told_one()
            } else {
                load.is_told_one()
            };
            let to = match (tries_one, switches && one_phase) {
                // Not seen yet: the least, and only where it may go wrong.
                (true, _) if self.world.bears_trial(raiser, &self.rows, &worst) => {
                    to.min(load.spec.least)
                }
                (true, _) => Milliamps::ZERO,
                // Its other lines carry what it has until it has been seen to leave them.
                (false, true) => to.min(from),
                (false, false) => to,
            };
            let unsaid = self.unsaid(&said, &worst, raiser, to);
            let bears = unsaid.is_none();
            let hides = unsaid.or(hides);
            if bears && to >= load.spec.least && (tries_one || self.is_worth(raiser, load, to)) {
                let reason = if switches {
                    switched(load, one_phase, from, to)
                } else if self.world.is_promised(load) {
                    Reason::promised(load, from, to)
                } else {
                    Reason::restored(load, from, to)
                };
                plan.targets.push(Target {
                    load: raiser,
                    to,
                    one_phase,
                    reason,
                });
                set(&mut self.has, raiser, to);
                let drawn = worst.get(raiser).copied().unwrap_or_default();
                set(&mut worst, raiser, drawn.max(to));
                if switches && !one_phase {
                    // From now on it may draw from all of its lines.
                    for row in &mut self.rows {
                        let weight = row.by_phases.all.get(raiser).copied().unwrap_or(0);
                        set(Arc::make_mut(&mut row.weights), raiser, weight);
                    }
                }
            } else if let Some(bound) = hides {
                set(&mut plan.reasons, raiser, Some(Reason::held(load, &bound)));
            } else {
                let reason = Reason::waiting_for(load, self.gives_way(raiser));
                set(&mut plan.reasons, raiser, Some(reason));
            }
        }
    }

    /// The first line that may carry too much with a raise to so much, if all that the loads have not said is the house. It
    /// is known with the next reading, or with the next word.
    fn unsaid(
        &self,
        said: &[Row],
        worst: &[Milliamps],
        raiser: usize,
        to: Milliamps,
    ) -> Option<Bound> {
        let own = worst.get(raiser).copied().unwrap_or_default();
        let full = said.iter().find(|row| {
            let weight = self.weight(row, raiser);
            let counted = row.weights.get(raiser).copied().unwrap_or(0);
            let others = used(row, worst) - times(own, counted);
            weight > 0 && others + times(to, weight) > row.bound.available
        });
        full.map(|row| row.bound.clone())
    }

    /// The least that a load that has nothing starts with.
    fn least(&self, index: usize, load: &Load) -> Milliamps {
        let room = if restarts(load) {
            restart_room(&self.rows, index, load)
        } else {
            Milliamps::ZERO
        };
        let (most, _) = self.asks(index);
        (load.spec.least + room).min(most)
    }
}

/// When a raise by less is worth its command too; `None`: now.
fn small_raise_at(load: &Load) -> Option<Instant> {
    let changed = load.changed_at()?;
    Some(changed.after_ms(SMALL_RAISE_AFTER_MS))
}

/// Whether it is a charger that was stopped and is to start again.
fn restarts(load: &Load) -> bool {
    load.spec.kind == Kind::Charger && !load.is_fresh_session() && load.current() == Milliamps::ZERO
}

/// How much above its least there must be for it to start again: as much as its rows can give at all.
fn restart_room(rows: &[Row], index: usize, load: &Load) -> Milliamps {
    let most = rows.iter().filter_map(|row| {
        let weight = i64::from(*row.by_phases.all.get(index)?);
        (weight > 0).then(|| Milliamps((row.bound.limit - row.bound.reserved).0 / weight))
    });
    let most = most.min().unwrap_or(load.spec.most);
    (most - load.spec.least).clamp(Milliamps::ZERO, RESTART_ROOM)
}

/// Whether its least time on keeps it on, for everything but the fuse.
fn held_on(load: &Load, now: Instant) -> bool {
    load.current() > Milliamps::ZERO && load.on_ms(now) < u64::from(load.spec.min_on_s) * 1000
}
