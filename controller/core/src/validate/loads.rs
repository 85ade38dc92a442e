//! Which chargers and slow loads can be right.

use std::collections::BTreeSet;

use super::{FieldError, Report, SECONDS};
use crate::config::{Charger, Grid, MAIN, Site, SlowLoad, UNMATCHED};
use crate::units::{Milliamps, Phase, Watts};

/// Currents that a charger can be given.
const CHARGER_CURRENT: std::ops::RangeInclusive<Milliamps> = Milliamps(1_000)..=Milliamps(500_000);
/// Power of one relay's load.
const RATED_POWER: std::ops::RangeInclusive<Watts> = Watts(1)..=Watts(100_000);
/// Dwell times and promises of slow loads, in seconds.
const DWELL_S: std::ops::RangeInclusive<u32> = 0..=604_800;
/// Priorities; the API sets them from 1 counting up.
const PRIORITY: std::ops::RangeInclusive<u32> = 0..=1000;

fn phases_errors(report: &mut Report, phases: Option<&[Phase]>, grid: Grid) {
    let Some(phases) = phases else { return };
    let distinct: BTreeSet<_> = phases.iter().collect();
    if phases.is_empty() || distinct.len() != phases.len() {
        report.add(
            "phases",
            "format",
            "must be null, or one to three different phases",
        );
    }
    if phases.iter().any(|phase| !grid.phases().contains(phase)) {
        report.add("phases", "conflict", "this grid has one phase, l1");
    }
}

fn circuit_error(report: &mut Report, circuit: Option<&str>, site: &Site) {
    if let Some(id) = circuit
        && id != MAIN
        && !site.circuits.iter().any(|circuit| circuit.id == id)
    {
        report.add(
            "circuit",
            "unknown",
            format!("there is no circuit \"{id}\""),
        );
    }
}

impl Charger {
    /// The lines that it may draw from. Not known counts as all.
    pub fn lines(&self, grid: Grid) -> Vec<Phase> {
        lines(self.phases.as_deref(), grid)
    }

    pub(super) fn errors(&self, site: &Site) -> Vec<FieldError> {
        let mut report = Report::new(&format!("chargers.{}.", self.id));
        report.id(&self.id);
        if self.id == UNMATCHED {
            report.add(
                "id",
                "conflict",
                "is the name of the list of charge points that wait: choose another id",
            );
        }
        report.name(&self.name);
        report.range(
            "max_current_a",
            self.max_current_a,
            &CHARGER_CURRENT,
            "1 to 500 A",
        );
        report.range(
            "min_current_a",
            self.min_current_a,
            &CHARGER_CURRENT,
            "1 to 500 A",
        );
        if self.min_current_a > self.max_current_a {
            report.add(
                "min_current_a",
                "conflict",
                "must not be above max_current_a; where it is not given it is 6 A",
            );
        }
        if self.safe_current_a != Milliamps::ZERO
            && !(self.min_current_a..=self.max_current_a).contains(&self.safe_current_a)
        {
            report.add(
                "safe_current_a",
                "range",
                "must be 0, or from min_current_a to max_current_a",
            );
        }
        report.range("lease_s", self.lease_s, &SECONDS, "1 to 3600 s");
        report.range("priority", self.priority, &PRIORITY, "0 to 1000");
        phases_errors(&mut report, self.phases.as_deref(), site.grid);
        circuit_error(&mut report, self.circuit.as_deref(), site);
        report.errors
    }
}

impl SlowLoad {
    /// The lines that it may draw from. Not known counts as all.
    pub fn lines(&self, grid: Grid) -> Vec<Phase> {
        lines(self.phases.as_deref(), grid)
    }

    pub(super) fn errors(&self, site: &Site) -> Vec<FieldError> {
        let mut report = Report::new(&format!("slow_loads.{}.", self.id));
        report.id(&self.id);
        report.name(&self.name);
        report.range("rated_w", self.rated_w, &RATED_POWER, "1 to 100000 W");
        report.range("priority", self.priority, &PRIORITY, "0 to 1000");
        for (field, value) in [
            ("min_on_s", self.min_on_s),
            ("min_off_s", self.min_off_s),
            ("max_off_s", self.max_off_s),
        ] {
            report.range(field, value, &DWELL_S, "0 to 604800 s");
        }
        if self.max_off_s < self.min_off_s {
            report.add("max_off_s", "conflict", "must not be below min_off_s");
        }
        phases_errors(&mut report, self.phases.as_deref(), site.grid);
        circuit_error(&mut report, self.circuit.as_deref(), site);
        report.errors
    }
}

fn lines(phases: Option<&[Phase]>, grid: Grid) -> Vec<Phase> {
    match phases {
        // Without a neutral a load hangs between two lines: which the other one is has not been told.
        Some([_]) | None if grid == Grid::It3ph => grid.phases().to_vec(),
        Some(phases) => phases.to_vec(),
        None => grid.phases().to_vec(),
    }
}
