//! The constraints of a plan: every line of every circuit, and the cap on the power of the house.

use std::sync::Arc;

use super::circuit::{feeds_at, place_of};
use super::{Circuit, World, times};
use crate::allocate::{Constraint, Use};
use crate::load::Load;
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
    /// The highest of the hold time: for raising.
    Held,
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
    /// What it leaves for the loads that can be counted on.
    pub(super) capacity: Milliamps,
    /// How often the current of each load counts as it is used now.
    pub(super) weights: Arc<[u8]>,
    /// The same when it uses all of its phases…
    pub(super) on_all: Arc<[u8]>,
    /// …and when it uses one.
    pub(super) on_one: Arc<[u8]>,
    pub(super) reaction_ms: Option<u64>,
}

/// A line of a circuit with the loads that count on it: how often the current of each does.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Where its circuit stands, and the name of that.
    pub(super) circuit: usize,
    pub(super) id: Arc<str>,
    pub(super) phase: Phase,
    /// By the lines that each load uses as it was told…
    pub(super) draws: Arc<[u8]>,
    /// …by those that it may use as far as anybody knows…
    pub(super) may_draw: Arc<[u8]>,
    /// …when it uses all of its phases…
    pub(super) on_all: Arc<[u8]>,
    /// …and when it uses one.
    pub(super) on_one: Arc<[u8]>,
    /// The longest time from a step of the background to the loads' answer; `None`: not known yet.
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
            weights: Arc::clone(&self.on_all),
            on_one: Arc::clone(&self.on_one),
        }
    }
}

impl World<'_> {
    /// What stays reserved for loads that cannot be counted on, and what the others draw above what they were told.
    fn taken(&self, weights: &[u8]) -> (Milliamps, Milliamps) {
        let (mut reserved, mut overdraw) = (Milliamps::ZERO, Milliamps::ZERO);
        for (index, weight) in weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0)
        {
            match self.fixed(index) {
                Some(fixed) => reserved += times(fixed, *weight),
                None => overdraw += times(self.overdraw(index), *weight),
            }
        }
        (reserved, overdraw)
    }

    /// The lines on which a load may count, of every circuit.
    pub(super) fn lines_that_count(&self) -> Vec<Line> {
        let places: Vec<usize> = self
            .loads
            .iter()
            .map(|load| place_of(self.circuits, &load.spec.circuit))
            .collect();
        let switching = self.loads.iter().any(|load| load.spec.switching);
        let mut lines = Vec::new();
        for (index, circuit) in self.circuits.iter().enumerate() {
            let id: Arc<str> = circuit.id.as_str().into();
            let sees_after_ms = circuit.meter.sees_after_ms(self.now);
            let fed: Vec<bool> = places
                .iter()
                .map(|place| feeds_at(self.circuits, index, *place))
                .collect();
            for &phase in self.site.grid.phases() {
                let count = |lines: fn(&Load) -> &[Phase]| -> Arc<[u8]> {
                    let loads = self.loads.iter().zip(&fed);
                    loads
                        .map(|(load, fed)| u8::from(*fed && lines(load).contains(&phase)))
                        .collect()
                };
                let on_all = count(Load::lines);
                if index > 0 && on_all.iter().all(|weight| *weight == 0) {
                    continue;
                }
                let unless_all = |lines| {
                    if switching {
                        count(lines)
                    } else {
                        Arc::clone(&on_all)
                    }
                };
                let answers_ms = self
                    .loads
                    .iter()
                    .zip(&*on_all)
                    .filter(|(_, weight)| **weight > 0)
                    .map(|(load, _)| load.reaction_ms())
                    .max();
                lines.push(Line {
                    circuit: index,
                    id: Arc::clone(&id),
                    phase,
                    draws: unless_all(Load::draws_from),
                    may_draw: unless_all(Load::may_draw_from),
                    on_one: unless_all(Load::line_of_one),
                    on_all,
                    reaction_ms: sees_after_ms.map(|ms| ms + answers_ms.unwrap_or_default()),
                });
            }
        }
        lines
    }

    /// Every line of every circuit, and the cap on the power of the house.
    pub(super) fn rows(&self, basis: Basis) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::with_capacity(self.lines.len() + 1);
        for line in &self.lines {
            let Some(circuit) = self.circuits.get(line.circuit) else {
                continue;
            };
            let weights = match basis {
                Basis::Now => &line.draws,
                Basis::Held | Basis::HeldPatient | Basis::HeldLong | Basis::Highest => {
                    &line.may_draw
                }
            };
            let room = self.available(circuit, line, basis, || self.told(weights));
            let (reserved, overdraw) = self.taken(weights);
            rows.push(Row {
                bound: Bound {
                    reserved,
                    circuit: Arc::clone(&line.id),
                    phase: Some(line.phase),
                    measured: circuit.meter.measured(line.phase),
                    limit: circuit.limit.get(line.phase),
                    level: room.level,
                    available: room.available,
                },
                capacity: room.available - reserved - overdraw,
                weights: Arc::clone(weights),
                on_all: Arc::clone(&line.on_all),
                on_one: Arc::clone(&line.on_one),
                reaction_ms: line.reaction_ms,
            });
        }
        rows.extend(self.power_row(basis));
        rows
    }

    /// What a line of a circuit may carry in all, and what it leaves of that for the loads.
    fn available(
        &self,
        circuit: &Circuit,
        line: &Line,
        basis: Basis,
        told: impl Fn() -> Milliamps,
    ) -> Room {
        let (phase, reaction_ms, main) = (line.phase, line.reaction_ms, line.circuit == 0);
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
        let background = match basis {
            Basis::Now if is_overloaded(meter.measured(phase), limit) => {
                meter.background.when_overloaded(phase)
            }
            // Its own meter must be as fresh as the main one for a raise.
            Basis::Held | Basis::HeldPatient | Basis::HeldLong
                if !main && !meter.allows_raising(self.now) =>
            {
                return whole(Milliamps::ZERO);
            }
            Basis::Held => meter.background.held(phase),
            Basis::HeldPatient => meter.background.held_patient(phase, self.now),
            Basis::HeldLong => meter.background.held_long(phase),
            Basis::Now | Basis::Highest => meter.background.now(phase),
        }
        .unwrap_or_default();
        let share = match basis {
            Basis::Held | Basis::HeldPatient | Basis::HeldLong => RAISE_SHARE,
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
            Basis::Now => background.now(phase),
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
        let (reserved, overdraw) = self.taken(&weights);
        let bound = Bound {
            reserved,
            circuit: main.id.as_str().into(),
            phase: None,
            measured: None,
            limit,
            level: limit,
            // What the power alone says since is on some line, and so in the sum.
            available: limit - house - main.meter.gained(),
        };
        Some(Row {
            capacity: bound.available - reserved - overdraw,
            reaction_ms: None,
            bound,
            weights,
            on_all: count(&|load| load.spec.phases),
            on_one,
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
