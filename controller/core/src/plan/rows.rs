//! The constraints of a plan: every line of every circuit, and the cap on the power of the house.

use super::{Basis, Circuit, Row, World, feeds, times};
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

/// What a line may carry, and how much of it the loads may have.
struct Room {
    level: Milliamps,
    available: Milliamps,
}

impl World<'_> {
    /// What a row leaves for the loads that can be counted on.
    pub(super) fn constraint(&self, row: &Row) -> Constraint {
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
            weights: row.on_all.clone(),
            on_one: row.on_one.clone(),
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
    pub(super) fn rows(&self, basis: Basis) -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, circuit) in self.circuits.iter().enumerate() {
            let fed = |load: &Load| feeds(self.circuits, index, &load.spec.circuit);
            let fed: Vec<bool> = self.loads.iter().map(fed).collect();
            for &phase in self.site.grid.phases() {
                let count = |lines: &dyn Fn(&Load) -> bool| -> Vec<u8> {
                    let loads = self.loads.iter().zip(&fed);
                    loads
                        .map(|(load, fed)| u8::from(*fed && lines(load)))
                        .collect()
                };
                let on_all = count(&|load| load.lines().contains(&phase));
                if index > 0 && on_all.iter().all(|weight| *weight == 0) {
                    continue;
                }
                let on_one = count(&|load| load.line_of_one().contains(&phase));
                let weights = count(&|load| match basis {
                    Basis::Now => load.draws_from().contains(&phase),
                    _ => load.may_draw_from().contains(&phase),
                });
                let reaction_ms = self.reaction_ms(circuit, &on_all);
                let told = || self.told(&weights);
                let room = self.available(circuit, index == 0, phase, basis, reaction_ms, told);
                rows.push(Row {
                    bound: Bound {
                        reserved: self.reserved(&weights),
                        circuit: circuit.id.clone(),
                        phase: Some(phase),
                        measured: circuit.meter.measured(phase),
                        limit: circuit.limit.get(phase),
                        level: room.level,
                        available: room.available,
                    },
                    weights,
                    on_all,
                    on_one,
                });
            }
        }
        rows.extend(self.power_row(basis));
        rows
    }

    /// What a line of a circuit may carry in all, and what it leaves of that for the loads.
    fn available(
        &self,
        circuit: &Circuit,
        main: bool,
        phase: Phase,
        basis: Basis,
        reaction_ms: Option<u64>,
        told: impl Fn() -> Milliamps,
    ) -> Room {
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
            Basis::Held | Basis::HeldLong if !main && !meter.allows_raising(self.now) => {
                return whole(Milliamps::ZERO);
            }
            Basis::Held => meter.background.held(phase),
            Basis::HeldLong => meter.background.held_long(phase),
            Basis::Now | Basis::Highest => meter.background.now(phase),
        }
        .unwrap_or_default();
        let share = match basis {
            Basis::Held | Basis::HeldLong => RAISE_SHARE,
            Basis::Now | Basis::Highest => KEEP_SHARE,
        };
        let step_above = |background| {
            self.largest_step(circuit, phase)
                // The background alone stays below the rating: a fuse that it trips cannot be helped.
                .min(circuit.rating.get(phase) - background)
                .max(Milliamps::ZERO)
        };
        // What the power alone says waits for the currents, which tell the line, where the fuse bears the wait, and where
        // they are not missing already.
        let with_gain = background + meter.gained();
        let waits = basis == Basis::Now
            && with_gain > background
            && meter.allows_raising(self.now)
            && reaction_ms.is_some_and(|reaction_ms| {
                let step = (step_above(with_gain), reaction_ms);
                meter.bears_gain(phase, background + told(), step, share, self.now)
            });
        let background = if waits { background } else { with_gain };
        let step = step_above(background);
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

    /// The largest step of the background that a line must bear.
    pub(super) fn largest_step(&self, circuit: &Circuit, phase: Phase) -> Milliamps {
        self.site.largest_step_a.unwrap_or_else(|| {
            let usual = if circuit.rating.get(phase) < LARGE_FUSE {
                USUAL_STEP
            } else {
                LARGE_STEP
            };
            usual.max(circuit.meter.background.largest_step(phase))
        })
    }

    /// The longest time from a step of the background on a line to the loads' answer; `None`: not known yet.
    pub(super) fn reaction_ms(&self, circuit: &Circuit, weights: &[u8]) -> Option<u64> {
        let loads = self
            .loads
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0)
            .map(|(load, _)| load.reaction_ms())
            .max();
        Some(circuit.meter.sees_after_ms(self.now)? + loads.unwrap_or_default())
    }

    fn power_row(&self, basis: Basis) -> Option<Row> {
        let cap = self.site.max_power_w?;
        let main = self.circuits.first()?;
        let background = &main.meter.background;
        let of = |phase: Phase| match basis {
            Basis::Now => background.now(phase),
            Basis::Held => background.held(phase),
            Basis::HeldLong => background.held_long(phase),
            Basis::Highest => Some(background.worst(phase)),
        };
        // The sum of the currents times the voltage is never below the power.
        let limit = Milliamps::from_power(cap, self.site.nominal_voltage_v, 1);
        let lines = self.site.grid.phases().iter();
        let house: Milliamps = lines.map(|phase| of(*phase).unwrap_or_default()).sum();
        let count =
            |phases: &dyn Fn(&Load) -> u8| -> Vec<u8> { self.loads.iter().map(phases).collect() };
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
        let bound = Bound {
            reserved: self.reserved(&weights),
            circuit: main.id.clone(),
            phase: None,
            measured: None,
            limit,
            level: limit,
            // What the power alone says since is on some line, and so in the sum.
            available: limit - house - main.meter.gained(),
        };
        Some(Row {
            bound,
            weights,
            on_all: count(&|load| load.spec.phases),
            on_one,
        })
    }
}
