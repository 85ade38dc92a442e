//! A slow load: its configuration and its reports in terms of the ledger.

use super::{Kind, Load, REACTION_MS, SLOW_LOAD_LEASE_S, Spec};
use crate::config::{self, Grid, LeaseProof, MAIN, Site};
use crate::event::SlowLoadReport;
use crate::units::{Instant, Milliamps, Watts};

/// √3 in thousandths, rounded down: the current is rounded up.
const SQRT_3_MILLI: i64 = 1_732;

/// The ledger's view of a slow load's configuration.
pub fn spec(slow_load: &config::SlowLoad, site: &Site) -> Spec {
    let lines = slow_load.lines(site.grid);
    let told = slow_load.phases.as_ref().map_or(lines.len(), Vec::len);
    let current = current(slow_load.rated_w, site, told);
    Spec {
        id: slow_load.id.clone(),
        name: slow_load.name.clone(),
        circuit: slow_load.circuit.clone().unwrap_or_else(|| MAIN.to_owned()),
        priority: slow_load.priority,
        map: slow_load.phases.clone(),
        phases: u8::try_from(lines.len()).unwrap_or(3),
        switching: false,
        lines,
        least: current,
        most: current,
        safe: Milliamps::ZERO,
        lease_s: SLOW_LOAD_LEASE_S,
        takes_leases: false,
        proof: LeaseProof::Claimed,
        restart_after_s: slow_load.min_off_s,
        min_on_s: slow_load.min_on_s,
        max_off_s: Some(slow_load.max_off_s),
        kind: Kind::SlowLoad,
    }
}

/// What a power draws from each of its lines. A single line counts in full however it is wired. Without a neutral a
/// load hangs between lines: between two it draws P/U from both, on three P/(√3·U) from each.
fn current(power: Watts, site: &Site, lines: usize) -> Milliamps {
    let voltage = site.nominal_voltage_v;
    match (site.grid, lines) {
        (Grid::It3ph, 3) => {
            let between_two = Milliamps::from_power(power, voltage, 1);
            Milliamps(between_two.0.saturating_mul(1000).div_euclid(SQRT_3_MILLI) + 1)
        }
        (Grid::It3ph, _) => Milliamps::from_power(power, voltage, 1),
        _ => Milliamps::from_power(power, voltage, i64::try_from(lines).unwrap_or(1)),
    }
}

impl Load {
    /// Takes a report of a slow load.
    pub fn take_slow_load_report(&mut self, report: &SlowLoadReport, site: &Site, now: Instant) {
        if !report.connected {
            self.lose(now);
            return;
        }
        self.hear(now);
        self.reported_on = report.on;
        self.power = report.power_w;
        let answering = self
            .changed_at
            .is_some_and(|at| now.since_ms(at) < REACTION_MS);
        let on = self.setpoint.map(|setpoint| setpoint > Milliamps::ZERO);
        match (on, report.on) {
            // Nobody has told it anything yet, or it opened by itself: it is what it says it is.
            (None, Some(true)) => {
                self.setpoint = Some(self.spec.most);
                self.started_at = Some(now);
                self.off_since = None;
            }
            (None, Some(false)) => self.note_off(now),
            (Some(true), Some(false)) if !answering => self.note_off(now),
            _ => {}
        }
        let lines = self.spec.lines.len();
        let draw = match (report.power_w, report.on) {
            (Some(power), _) => Some(current(power, site, lines).max(Milliamps::ZERO)),
            (None, Some(false)) => Some(Milliamps::ZERO),
            // What it draws is not known: all that it can.
            (None, Some(true)) => Some(self.spec.most),
            (None, None) => None,
        };
        let draw = draw.map(|draw| vec![Some(draw); lines]);
        let limit = report
            .on
            .map(|on| if on { self.spec.most } else { Milliamps::ZERO });
        self.take_measurement(draw, limit, now);
    }

    fn note_off(&mut self, now: Instant) {
        self.setpoint = Some(Milliamps::ZERO);
        self.started_at = None;
        self.off_since = Some(now);
        self.unsettled = None;
        self.resend = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_between_lines_draws_its_whole_current_from_each() {
        let draws = |grid, lines| {
            let site = Site {
                grid,
                ..Site::default()
            };
            current(Watts(2_000), &site, lines).0
        };
        assert_eq!(draws(Grid::Tn3ph, 1), 8_696);
        assert_eq!(draws(Grid::Tn3ph, 3), 2_899);
        assert_eq!(draws(Grid::It3ph, 2), 8_696);
        assert_eq!(draws(Grid::It3ph, 3), 5_021);
    }
}
