//! Energy that a load has received.

use super::{Load, REPORT_MAX_AGE_MS};
use crate::units::Instant;

impl Load {
    /// Adds up what it draws, for chargers that do not say it.
    pub(super) fn account(&mut self, now: Instant) {
        let since = self.accounted_at.replace(now);
        let ms = since
            .map_or(0, |since| now.since_ms(since))
            .min(REPORT_MAX_AGE_MS);
        let draw = self.draw().unwrap_or_else(|| self.current());
        let step = draw.0.unsigned_abs().saturating_mul(ms);
        self.drawn = self
            .drawn
            .saturating_add(step.saturating_mul(u64::from(self.phases())));
    }

    /// Energy received, in watt-hours: as it says, else by its draw at 230 V.
    pub fn received_wh(&self) -> u64 {
        self.energy_wh
            .unwrap_or(self.drawn / 1_000_000 * 230 / 3600)
    }
}
