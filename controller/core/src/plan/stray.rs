//! What counts for a load that does not obey but says what it draws.
//!
//! It is a part of the house: what it draws is there, and what it may yet add comes as a step. A step as large as the
//! house may make is what every line with a meter bears already, so only what it may add beyond that stays reserved;
//! and no more than the fuse could carry with nothing else on it: more could not be helped. That is so for one such load
//! at a time, for a step is borne once. Where the fuse has no model, the circuit no meter, the meter or the load nothing
//! new, or the load does not say all, its worst case counts.

use super::{World, feeds};
use crate::load::Load;
use crate::meter::Freshness;
use crate::units::Milliamps;

impl World<'_> {
    /// What counts for it; `None`: its worst case.
    pub(super) fn strayed(&self, load: &Load) -> Option<Milliamps> {
        let draws = load.strays_at(self.now)?;
        let strays = |load: &&Load| load.link.straying_since().is_some();
        if self.meter != Freshness::Fresh || self.loads.iter().filter(strays).count() > 1 {
            return None;
        }
        let high = load.draw_bounds(self.now).high;
        let mut step = None;
        let mut carries = Vec::new();
        for (index, circuit) in self.circuits.iter().enumerate() {
            if !feeds(self.circuits, index, &load.spec.circuit) {
                continue;
            }
            let meter = &circuit.meter;
            let fresh = meter.freshness(&self.site.tuning, self.now) == Freshness::Fresh;
            if !circuit.metered || !fresh || circuit.frozen || meter.is_partial() {
                return None;
            }
            meter.sees_after_ms(self.now)?;
            for &line in load.may_draw_from() {
                // The house is known but for no more than this.
                if high.get(line) > draws {
                    return None;
                }
                meter.thermal(line)?;
                let house = meter.background.now(line)?;
                carries.push((circuit.rating.get(line) - house - draws).max(Milliamps::ZERO));
                let own = self.step_above(circuit, line, house);
                step = Some(step.map_or(own, |step: Milliamps| step.min(own)));
            }
        }
        // One that draws the same from all of its lines adds no more than the fullest of them carries.
        let carries = if load.is_balanced() {
            carries.into_iter().min()
        } else {
            carries.into_iter().max()
        };
        let adds = load.worst(self.now) - draws;
        Some(draws + (adds.min(carries?) - step?).max(Milliamps::ZERO))
    }
}
