//! A slow load: its configuration and its reports in terms of the ledger.

use super::{Kind, Load, SLOW_LOAD_LEASE_S, Spec};
use crate::config::{self, LeaseProof, MAIN, Site};
use crate::event::SlowLoadReport;
use crate::units::{Instant, Milliamps, Millivolts, Watts};

/// The ledger's view of a slow load's configuration.
pub fn spec(slow_load: &config::SlowLoad, site: &Site) -> Spec {
    let lines = slow_load.lines(site.grid);
    let current = current(slow_load.rated_w, site.nominal_voltage_v, lines.len());
    Spec {
        id: slow_load.id.clone(),
        name: slow_load.name.clone(),
        circuit: slow_load.circuit.clone().unwrap_or_else(|| MAIN.to_owned()),
        priority: slow_load.priority,
        map: slow_load.phases.clone(),
        phases: u8::try_from(lines.len()).unwrap_or(3),
        lines,
        least: current,
        most: current,
        safe: Milliamps::ZERO,
        lease_s: SLOW_LOAD_LEASE_S,
        proof: LeaseProof::Claimed,
        restart_after_s: slow_load.min_off_s,
        min_on_s: slow_load.min_on_s,
        max_off_s: Some(slow_load.max_off_s),
        kind: Kind::SlowLoad,
    }
}

/// What a power draws from each of its lines. A single line counts in full however it is wired.
fn current(power: Watts, voltage: Millivolts, lines: usize) -> Milliamps {
    Milliamps::from_power(power, voltage, i64::try_from(lines).unwrap_or(1))
}

impl Load {
    /// Takes a report of a slow load.
    pub fn take_slow_load_report(
        &mut self,
        report: &SlowLoadReport,
        voltage: Millivolts,
        now: Instant,
    ) {
        if !report.connected {
            self.lose(now);
            return;
        }
        self.hear(now);
        self.reported_on = report.on;
        self.power = report.power_w;
        if self.setpoint.is_none() {
            // Nobody has told it anything yet: it is what it says it is.
            self.setpoint = report
                .on
                .map(|on| if on { self.spec.most } else { Milliamps::ZERO });
            if report.on == Some(true) {
                self.off_since = None;
                self.started_at = Some(now);
            }
        }
        let power = match (report.power_w, report.on) {
            (Some(power), _) => Some(power),
            (None, Some(false)) => Some(Watts::ZERO),
            (None, _) => None,
        };
        let draw = power.map(|power| {
            let each = current(power, voltage, self.spec.lines.len()).max(Milliamps::ZERO);
            vec![Some(each); self.spec.lines.len()]
        });
        let limit = report
            .on
            .map(|on| if on { self.spec.most } else { Milliamps::ZERO });
        self.take_measurement(draw, limit, now);
    }
}
