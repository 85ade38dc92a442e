//! The constraints of a plan: every line of every circuit, and the cap on the power of the house.

use super::{Basis, Circuit, Row, World, feeds, times};
use crate::allocate::Constraint;
use crate::load::Load;
use crate::reason::{Bound, is_overloaded};
use crate::units::{Milliamps, Phase};

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
    pub(super) fn rows(&self, basis: Basis) -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, circuit) in self.circuits.iter().enumerate() {
            let fed = |load: &Load| feeds(self.circuits, index, &load.spec.circuit);
            let fed: Vec<bool> = self.loads.iter().map(fed).collect();
            for &phase in self.site.grid.phases() {
                let weights: Vec<u8> = self
                    .loads
                    .iter()
                    .zip(&fed)
                    .map(|(load, fed)| u8::from(*fed && load.spec.lines.contains(&phase)))
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
}
