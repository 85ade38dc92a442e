//! What counts for a load that does not obey but says what it draws.
//!
//! It is a part of the house: what it draws is there, and what it may yet add comes as a step. A step as large as the
//! house may make is what every line with a meter bears already, so only what it may add beyond that stays reserved;
//! and no more than the fuse could carry with nothing else on it: more could not be helped. Where the fuse has no model,
//! the circuit no meter, or the meter nothing new, nothing is kept for steps, and its worst case counts.

use super::{World, feeds};
use crate::load::Load;
use crate::meter::Freshness;
use crate::units::Milliamps;

impl World<'_> {
    /// What counts for it; `None`: its worst case.
    pub(super) fn strayed(&self, load: &Load) -> Option<Milliamps> {
        let draws = load.strays_at(self.now)?;
        if self.meter != Freshness::Fresh {
            return None;
        }
        let adds = (load.worst(self.now) - draws).max(Milliamps::ZERO);
        let mut beyond = Milliamps::ZERO;
        for (index, circuit) in self.circuits.iter().enumerate() {
            if !feeds(self.circuits, index, &load.spec.circuit) {
                continue;
            }
            let meter = &circuit.meter;
            let fresh = meter.freshness(&self.site.tuning, self.now) == Freshness::Fresh;
            if !circuit.metered || !fresh || circuit.frozen {
                return None;
            }
            for &line in load.may_draw_from() {
                let house = meter.background.now(line)?;
                meter.thermal(line)?;
                let carries = (circuit.rating.get(line) - house - draws).max(Milliamps::ZERO);
                let step = self.largest_step(circuit, line);
                beyond = beyond.max(adds.min(carries) - step);
            }
        }
        Some(draws + beyond)
    }
}
