//! The constraints of a plan: every line of every circuit, and the cap on the power of the house.

use std::sync::Arc;

use super::lines::{ByPhases, Line};
use super::{Circuit, World, times};
use crate::allocate::{Constraint, Use};
use crate::load::Load;
use crate::meter::Meter;
use crate::reason::{Bound, is_overloaded};
use crate::units::{Milliamps, Phase};

/// Raised up to this share of the state at which the fastest legal device may open…
pub(super) const RAISE_SHARE: f64 = 0.92;
/// …and cut above this one: in between the noise of a house changes nothing.
pub(super) const KEEP_SHARE: f64 = 0.98;
/// A step of the background that any house may take, and from which rating on it may be larger.
const USUAL_STEP: Milliamps = Milliamps::from_amps(10);
const LARGE_STEP: Milliamps = Milliamps::from_amps(16);
const LARGE_FUSE: Milliamps = Milliamps::from_amps(35);
/// The house alone is taken to draw no more than this percentage of a line's rating, unless it was seen to. The promise is
/// about a house of nine tenths; the rest is for what loads draw beside what they say.
const HOUSE_PERCENT: i64 = 95;

/// Which background counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// The present one: for lowering.
    Now,
    /// The highest of the hold time: for raising…
    Held,
    /// …and what the newest reading shows above what the loads have said by now: for the moment of a raise.
    Unsaid,
    /// The highest of a longer time: for raising loads that went up and down…
    HeldPatient,
    /// …and of one that is longer yet: for changing the number of phases.
    HeldLong,
    /// The highest ever learnt: when the meter is stale.
    Highest,
}

/// A constraint with what it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) bound: Bound,
    /// Where its circuit stands.
    pub(super) circuit: usize,
    /// What it leaves for the loads that can be counted on.
    pub(super) capacity: Milliamps,
    /// How often the current of each load counts as it is used now.
    pub(super) weights: Arc<[u8]>,
    /// The same by how many phases it uses.
    pub(super) by_phases: Arc<ByPhases>,
    pub(super) reaction_ms: Option<u64>,
}

/// What a line may carry, and how much of it the loads may have.
struct Room {
    level: Milliamps,
    available: Milliamps,
}

impl Row {
    /// As the allocation sees it.
    pub(super) fn constraint(&self) -> Constraint {
        Constraint {
            capacity: self.capacity,
            weights: Arc::clone(&self.by_phases.all),
            on_one: Arc::clone(&self.by_phases.one),
        }
    }
}

impl World<'_> {
    /// What stays reserved for loads that cannot be counted on, and what the others draw above what they were told.
    fn taken(&self, weights: &[u8]) -> (Milliamps, Milliamps) {
        let (mut reserved, mut overdrawn) = (Milliamps::ZERO, Milliamps::ZERO);
        for (index, weight) in weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0)
        {
            match self.fixed(index) {
                Some(fixed) => reserved += times(fixed, *weight),
                None => overdrawn += times(self.overdraw(index), *weight),
            }
        }
        (reserved, overdrawn)
    }

    /// For each line the longest time from a step of the background to the loads' answer; `None`: not known yet.
    pub(super) fn reactions(&self) -> Vec<Option<u64>> {
        let answers: Vec<u64> = self.loads.iter().map(Load::reaction_ms).collect();
        let sees = |circuit: &Circuit| circuit.meter.sees_after_ms(self.now);
        let sees: Vec<Option<u64>> = self.circuits.iter().map(sees).collect();
        let reaction = |line: &Line| {
            let counts = answers.iter().zip(&*line.by_phases.all);
            let answer = counts.filter(|(_, weight)| **weight > 0).map(|(ms, _)| *ms);
            let sees_after_ms = sees.get(line.circuit).copied().flatten()?;
            Some(sees_after_ms + answer.max().unwrap_or_default())
        };
        self.lines.iter().map(reaction).collect()
    }

    /// Every line of every circuit, and the cap on the power of the house.
    pub(super) fn rows(&self, basis: Basis) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::with_capacity(self.lines.len() + 1);
        for (line, reaction_ms) in self.lines.iter().zip(&self.reactions) {
            let Some(circuit) = self.circuits.get(line.circuit) else {
                continue;
            };
            let weights = match basis {
                Basis::Now => &line.draws,
                Basis::Held
                | Basis::Unsaid
                | Basis::HeldPatient
                | Basis::HeldLong
                | Basis::Highest => &line.may_draw,
            };
            let line_of = (line, *reaction_ms);
            let room = self.available(circuit, line_of, basis, || self.told(weights));
            let (reserved, overdrawn) = self.taken(weights);
            rows.push(Row {
                circuit: line.circuit,
                bound: Bound {
                    reserved,
                    overdrawn,
                    circuit: Arc::clone(&line.id),
                    phase: Some(line.phase),
                    measured: circuit.meter.measured(line.phase),
                    limit: circuit.limit.get(line.phase),
                    level: room.level,
                    available: room.available,
                },
                capacity: room.available - reserved - overdrawn,
                weights: Arc::clone(weights),
                by_phases: Arc::clone(&line.by_phases),
                reaction_ms: *reaction_ms,
            });
        }
        rows.extend(self.power_row(basis));
        rows
    }

    /// What a line of a circuit may carry in all, and what it leaves of that for the loads.
    fn available(
        &self,
        circuit: &Circuit,
        (line, reaction_ms): (&Line, Option<u64>),
        basis: Basis,
        told: impl Fn() -> Milliamps,
    ) -> Room {
        let (phase, main) = (line.phase, line.circuit == 0);
        let limit = circuit.limit.get(phase);
        let whole = |available| Room {
            level: limit,
            available,
        };
        if !circuit.metered {
            return whole(limit);
        }
        let meter = &circuit.meter;
        let tuning = &self.site.tuning;
        let lost_ms = u64::from(tuning.lost_after_s) * 1000;
        let Some(age) = meter.line_age_ms(phase, self.now) else {
            // Never heard of this line: no room for more, and no ground for a cut.
            return whole(if basis == Basis::Now {
                limit
            } else {
                Milliamps::ZERO
            });
        };
        // A line that is left out counts with its worst case, the longer the worse.
        if age >= lost_ms && (!main || meter.is_partial()) {
            return whole(Milliamps::ZERO);
        }
        if age >= meter.stale_after_ms(tuning) || circuit.frozen || basis == Basis::Highest {
            return whole(limit - meter.background.worst(phase));
        }
        let seen = match basis {
            // Its own meter must be as fresh as the main one for a raise.
            Basis::Held | Basis::Unsaid | Basis::HeldPatient | Basis::HeldLong
                if !main && !meter.allows_raising(self.now) =>
            {
                return whole(Milliamps::ZERO);
            }
            Basis::Held => meter.background.held(phase),
            Basis::Unsaid => self.unsaid(line, meter),
            Basis::HeldPatient => meter.background.held_patient(phase, self.now),
            Basis::HeldLong => meter.background.held_long(phase),
            Basis::Now | Basis::Highest => None,
        };
        // Nothing is raised on less than what others are cut by.
        let newest = if is_overloaded(meter.measured(phase), limit) {
            meter.background.when_overloaded(phase)
        } else {
            meter.background.now(phase)
        };
        let background = seen.max(newest).unwrap_or_default();
        let share = match basis {
            Basis::Held | Basis::Unsaid | Basis::HeldPatient | Basis::HeldLong => RAISE_SHARE,
            Basis::Now | Basis::Highest => KEEP_SHARE,
        };
        // What the power alone says waits for the currents, which tell the line, where the fuse bears the wait, and where
        // they are not missing already.
        let with_gain = background + meter.gained();
        let waits = basis == Basis::Now
            && with_gain > background
            && meter.allows_raising(self.now)
            && reaction_ms.is_some_and(|reaction_ms| {
                let step = (self.step_above(circuit, phase, with_gain), reaction_ms);
                meter.bears_gain(phase, background + told(), step, share, self.now)
            });
        let background = if waits { background } else { with_gain };
        let step = self.step_above(circuit, phase, background);
        let level = reaction_ms
            .and_then(|reaction_ms| meter.level(phase, step, reaction_ms, share))
            .map_or(limit, |level| level.min(limit));
        Room {
            level,
            available: level - background,
        }
    }

    /// What the newest reading shows on a line above what the loads have said by now: for a raise it is the house. A step of
    /// it may hide in what a load is told and has not drawn yet; and one that says that it draws less than it may have
    /// drawn at the time of the reading leaves the house more than was thought.
    fn unsaid(&self, line: &Line, meter: &Meter) -> Option<Milliamps> {
        let loads = self.loads.iter().zip(&*line.may_draw);
        let said: Milliamps = loads
            .filter(|(_, weight)| **weight > 0)
            .map(|(load, _)| load.said(line.phase, self.now))
            .sum();
        let measured = meter.measured(line.phase);
        measured.map(|measured| measured - said)
    }

    /// What the loads may draw from a line at worst.
    fn told(&self, weights: &[u8]) -> Milliamps {
        let loads = self.loads.iter().zip(weights);
        loads
            .map(|(load, weight)| times(load.worst(self.now), *weight))
            .sum()
    }

    /// The largest step that the background of a line is taken to make from here.
    pub(super) fn step_above(
        &self,
        circuit: &Circuit,
        phase: Phase,
        background: Milliamps,
    ) -> Milliamps {
        self.largest_step(circuit, phase)
            .min(highest_house(circuit, phase) - background)
            .max(Milliamps::ZERO)
    }

    /// The largest step of the background that a line must bear.
    fn largest_step(&self, circuit: &Circuit, phase: Phase) -> Milliamps {
        self.site.largest_step_a.unwrap_or_else(|| {
            let usual = if circuit.rating.get(phase) < LARGE_FUSE {
                USUAL_STEP
            } else {
                LARGE_STEP
            };
            usual.max(circuit.meter.background.largest_step(phase))
        })
    }

    fn power_row(&self, basis: Basis) -> Option<Row> {
        let cap = self.site.max_power_w?;
        let main = self.circuits.first()?;
        let background = &main.meter.background;
        let of = |phase: Phase| match basis {
            Basis::Now | Basis::Unsaid => background.now(phase),
            Basis::Held => background.held(phase),
            Basis::HeldPatient => background.held_patient(phase, self.now),
            Basis::HeldLong => background.held_long(phase),
            Basis::Highest => Some(background.worst(phase)),
        };
        // The sum of the currents times the voltage is never below the power.
        let limit = Milliamps::from_power(cap, self.site.nominal_voltage_v, 1);
        let lines = self.site.grid.phases().iter();
        let house: Milliamps = lines.map(|phase| of(*phase).unwrap_or_default()).sum();
        let count =
            |phases: &dyn Fn(&Load) -> u8| -> Arc<[u8]> { self.loads.iter().map(phases).collect() };
        let weights = count(&|load| match load.present_use() {
            Use::One => 1,
            Use::All | Use::Either => load.spec.phases,
        });
        let on_one = count(&|load| {
            if load.spec.switching {
                1
            } else {
                load.spec.phases
            }
        });
        let (reserved, overdrawn) = self.taken(&weights);
        let bound = Bound {
            reserved,
            overdrawn,
            circuit: main.id.as_str().into(),
            phase: None,
            measured: None,
            limit,
            level: limit,
            // What the power alone says since is on some line, and so in the sum.
            available: limit - house - main.meter.gained(),
        };
        Some(Row {
            circuit: 0,
            capacity: bound.available - reserved - overdrawn,
            reaction_ms: None,
            bound,
            weights,
            by_phases: Arc::new(ByPhases {
                all: count(&|load| load.spec.phases),
                one: on_one,
            }),
        })
    }
}

/// The most that the background of a line is taken to reach by itself: [`HOUSE_PERCENT`] of the rating, or the highest that
/// it was seen to reach. No more than the rating: a fuse that the house alone trips cannot be helped.
fn highest_house(circuit: &Circuit, phase: Phase) -> Milliamps {
    let rating = circuit.rating.get(phase);
    let usual = Milliamps(rating.0 * HOUSE_PERCENT / 100);
    let seen = circuit.meter.background.highest_seen(phase);
    usual.max(seen).min(rating)
}
