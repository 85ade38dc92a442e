//! What may hide in a raise: until the load has said what it draws, a step of the house that comes with the raise may
//! pass for it, and another may follow. A fuse that remembers longer than that has budget for both; a breaker by the
//! standard alone has none.

use super::rows::{KEEP_SHARE, Row};
use super::{Circuit, World, times, used};
use crate::load::REACTION_MS;
use crate::reason::Bound;
use crate::units::{Milliamps, Phase};

impl World<'_> {
    /// The most that a running load may be raised to so that the lines bear what may hide in the raise, and the bound
    /// that keeps it from more. `weight` is how often its current counts then. A load that starts says when it begins.
    pub(super) fn unhidden(
        &self,
        rows: &[Row],
        worst: &[Milliamps],
        raiser: usize,
        weight: impl Fn(&Row) -> u8,
        (from, mut to): (Milliamps, Milliamps),
    ) -> (Milliamps, Option<Bound>) {
        let own = worst.get(raiser).copied().unwrap_or_default();
        let mut bound = None;
        for row in rows {
            let weight = weight(row);
            // Most fuses remember, and houses have many chargers.
            if weight == 0 || self.forgetful(row).is_none() {
                continue;
            }
            let counted = row.weights.get(raiser).copied().unwrap_or(0);
            let others = used(row, worst) - times(own, counted);
            let carries = |to| others + times(to, weight);
            while (Milliamps(1)..to).contains(&from)
                && !self.bears_hidden(row, carries(to), times(to - from, weight))
            {
                to = (to - Milliamps(1)).floor_to_amps().max(from);
                let mut less = row.bound.clone();
                less.level -= less.available - carries(to);
                less.available = carries(to);
                bound = Some(less);
            }
        }
        (to, bound)
    }

    /// The line of a row, if it is measured and its fuse has forgotten a step when a load has answered.
    pub(super) fn forgetful(&self, row: &Row) -> Option<(&Circuit, Phase)> {
        let circuit = self.circuits.get(row.circuit).filter(|one| one.metered);
        let line = circuit.zip(row.bound.phase);
        line.filter(|(circuit, phase)| circuit.meter.forgets_within(*phase, REACTION_MS))
    }

    /// Whether a line bears a step of the house that hides in a raise of so much, and the next one, beside what the
    /// loads have then.
    fn bears_hidden(&self, row: &Row, loads: Milliamps, raise: Milliamps) -> bool {
        let Some((circuit, phase)) = self.forgetful(row) else {
            return true;
        };
        let meter = &circuit.meter;
        let house = row.bound.level - row.bound.available;
        let step = |house| self.step_above(circuit, phase, house);
        let hidden = raise.min(step(house));
        let next = step(house + hidden);
        row.reaction_ms
            .and_then(|reaction_ms| meter.level(phase, next, reaction_ms, KEEP_SHARE))
            .is_none_or(|level| house + hidden + loads <= level)
    }
}
