//! Adversarial hours: random houses, chargers, meters and faults, and backgrounds of the stated class
//! against the decision core. None of them may open the fastest legal device.
//!
//! The class: steps of at most the largest that the site prepares for, one per reaction time
//! (`T_r` = 2 periods + latencies + 5 s for the car + 1 s for the plant's own step), each line's background at
//! most 0.9 of its rating, no two readings in a row lost, chargers that do what they are told or fall to
//! their safe current when their lease has run out, or one that stays at its current, which then belongs to the
//! house. Silent meters, unreachable chargers and restarts come too; while they leave the controller blind the
//! background stands still, because that time counts in the reaction time.

mod hour;

use serde::Serialize;

use super::controller::Kind;
use super::metrics::RunMetrics;
use super::parallel;
use super::plant::{self, Run};

pub use self::hour::scenario;

/// Attempts at a house whose background alone leaves the fuse alone.
const ATTEMPTS: u32 = 50;

/// An hour in which something was wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The seed that repeats it.
    pub seed: u64,
    /// What the hour was.
    pub title: String,
    /// What happened.
    pub metrics: RunMetrics,
}

/// What many hours gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Fuzzed {
    /// Hours that were run.
    pub hours: u64,
    /// Hours in which the fastest device opened or the controller did what it never may.
    pub findings: Vec<Finding>,
    /// Highest thermal state of all.
    pub highest_thermal: f64,
    /// Energy to all cars, in kWh.
    pub energy_kwh: f64,
}

impl Fuzzed {
    /// Adds more hours.
    pub fn add(&mut self, more: Self) {
        self.hours += more.hours;
        self.findings.extend(more.findings);
        self.highest_thermal = self.highest_thermal.max(more.highest_thermal);
        self.energy_kwh += more.energy_kwh;
    }
}

/// Runs hours with the seeds from `first` on.
pub fn run(first: u64, hours: u64, kind: Kind, threads: usize) -> Fuzzed {
    let seeds: Vec<u64> = (0..hours).map(|hour| first.wrapping_add(hour)).collect();
    let results = parallel::map(&seeds, threads, |seed| run_hour(*seed, kind));
    let mut fuzzed = Fuzzed::default();
    for finding in results.into_iter().flatten() {
        fuzzed.hours += 1;
        fuzzed.highest_thermal = fuzzed.highest_thermal.max(finding.metrics.highest_thermal);
        fuzzed.energy_kwh += finding.metrics.energy_kwh;
        if finding.metrics.trips > 0 || !finding.metrics.refused.is_empty() {
            fuzzed.findings.push(finding);
        }
    }
    fuzzed
}

fn run_hour(seed: u64, kind: Kind) -> Option<Finding> {
    let (scenario, background) = (0..ATTEMPTS).find_map(|attempt| {
        let scenario = scenario(seed, attempt);
        let background = plant::background(&scenario, seed)?;
        Some((scenario, background))
    })?;
    let metrics = Run::new(&scenario, &background, kind, seed).run();
    Some(Finding {
        seed,
        title: scenario.title,
        metrics,
    })
}

#[cfg(test)]
mod tests {
    use headroom_core::units::PerPhase;

    use super::*;
    use crate::bench::scenario::Fault;

    #[test]
    fn every_hour_is_one_that_can_be_configured() {
        let mut disobedient = 0;
        for seed in 0..300 {
            let hour = scenario(seed, 0);
            hour.config().validate(PerPhase::default()).unwrap();
            assert_eq!(hour, scenario(seed, 0), "a seed is an hour");
            let mut faults = hour.faults.iter();
            disobedient += usize::from(faults.any(|fault| matches!(fault, Fault::Stuck { .. })));
        }
        assert!(disobedient > 10, "{disobedient} of 300");
    }

    /// A controller that looks every 30 s cannot keep the fuse: the hours are able to open it.
    #[test]
    fn the_hours_are_able_to_open_the_fuse() {
        let fuzzed = run(1, 12, Kind::Evcc, 1);
        assert_eq!(fuzzed.hours, 12);
        assert!(fuzzed.findings.iter().any(|one| one.metrics.trips > 0));
    }

    /// Each opened a fuse once: a car that stopped by itself, a rise that no car claimed, a late report after a cut, a
    /// one-phase car on three terminals, a charger on one phase at a restart, a rise that only the next report told from a
    /// car's, two cuts in a row, a step within a raise on its way, a car that had long said where it is, a
    /// car that was called disobedient between two cuts.
    #[test]
    fn hours_that_were_findings_are_none_any_more() {
        for seed in [
            131, 457, 1277, 1438, 11_822, 18_438, 28_359, 60_316, 65_247, 68_465, 68_592, 80_427,
            86_361, 89_561, 2_805, 5_388, 51_034,
        ] {
            let fuzzed = run(seed, 1, Kind::Headroom, 1);
            assert_eq!(fuzzed.findings, Vec::new(), "seed {seed}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_hour_again() {
        let all = run(5, 4, Kind::Hold, 1);
        let one = run(7, 1, Kind::Hold, 1);
        let again = run(7, 1, Kind::Hold, 2);
        assert_eq!(one, again);
        assert!(all.highest_thermal >= one.highest_thermal);
    }
}
