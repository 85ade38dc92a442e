//! A charger: its configuration and its reports in terms of the ledger.

use super::wishes::wants;
use super::{Kind, Load, Spec};
use crate::config::{self, Driver, Grid, MAIN, Tuning};
use crate::event::{ChargerReport, ChargerStatus};
use crate::units::{Instant, Milliamps, Phase};

/// Longest list of currents that a report may carry: more terminals than any connector has.
pub const TERMINALS_MAX: usize = 4;

/// The ledger's view of a charger's configuration.
pub fn spec(charger: &config::Charger, grid: Grid, tuning: &Tuning) -> Spec {
    let lines = charger.lines(grid);
    // Two wires of a delta grid carry one phase.
    let two_wire = grid == Grid::It3ph && charger.phases.as_ref().is_some_and(|p| p.len() <= 2);
    let phases = if two_wire {
        1
    } else {
        u8::try_from(lines.len()).unwrap_or(3)
    };
    Spec {
        id: charger.id.clone(),
        name: charger.name.clone(),
        circuit: charger.circuit.clone().unwrap_or_else(|| MAIN.to_owned()),
        priority: charger.priority,
        map: charger.phases.clone(),
        phases,
        // Without a neutral one phase is two lines, and which two differs between chargers: left alone.
        switching: charger.phase_switching
            && grid == Grid::Tn3ph
            && lines.len() == Phase::ALL.len(),
        lines,
        least: charger.min_current_a,
        most: charger.max_current_a,
        safe: charger.safe_current_a,
        lease_s: charger.lease_s,
        takes_leases: matches!(charger.driver, None | Some(Driver::Ocpp { .. })),
        proof: charger.lease,
        restart_after_s: tuning.restart_after_s,
        min_on_s: 0,
        max_off_s: None,
        kind: Kind::Charger,
    }
}

impl Load {
    /// Whether a report says again what the charger said, of one that does as it was told and was seen to: nothing is to be
    /// lowered for it. What time brings is in [`Load::next_change`].
    pub fn is_repeated_by(&self, report: &ChargerReport, now: Instant) -> bool {
        let same_word = report.connected
            && report.status == self.status
            && report.current_a == self.measured
            && report.limit_a == self.reported_limit;
        same_word && self.has_recent_report(now) && self.is_at_rest()
    }

    /// Whether it is there, its wiring is known, and neither its last command nor the first word on its car's demand is
    /// waited for.
    fn is_at_rest(&self) -> bool {
        let obeys = self.is_controllable() && self.followed == Some(true);
        let open = self.unsettled.is_some()
            || self.above_since.is_some()
            || (self.is_told_one() && !self.is_seen_on_one());
        let demand_is_timed = self.unused_since.is_some() && self.demand_cap.is_none();
        obeys && !open && !demand_is_timed && !self.is_unmapped()
    }

    /// Takes a report of a charger.
    pub fn take_charger_report(&mut self, report: &ChargerReport, now: Instant) {
        // Up to now it drew what it said before.
        self.account(now);
        if !report.connected {
            self.lose(now);
            return;
        }
        self.hear(now);
        // A car that comes begins a session; one behind a fault that passed does not.
        let was_free = matches!(
            self.status,
            ChargerStatus::Available | ChargerStatus::Reserved
        );
        self.fresh_session |= wants(report.status) && was_free;
        if report.status != self.status {
            self.demand_cap = None;
            self.unused_since = None;
        }
        // It lets the car have current again: the raise is in force.
        if self.status == ChargerStatus::SuspendedEvse
            && matches!(
                report.status,
                ChargerStatus::SuspendedEv | ChargerStatus::Charging
            )
            && self.follows_from == Some(Milliamps::ZERO)
            && let Some(changed) = self.changed_at
        {
            self.note_answered_within(now.since_ms(changed));
        }
        self.status = report.status;
        self.energy_wh = report
            .energy_kwh
            .map(|energy| u64::try_from(energy.0).unwrap_or(0));
        self.note_wants(wants(report.status), now);
        self.take_measurement(report.current_a.clone(), report.limit_a, now);
        self.watch_phases(now);
    }
}
