//! The benchmark: houses of many kinds in virtual time, the decision core and simple controllers beside
//! it in the same plant, and what each of them gives.
//!
//! Inputs: scenarios ([`scenario::Scenario`], TOML), seeds. Outputs: metrics ([`metrics::Summary`]) and
//! tables of them ([`table`]). Invariant: the same scenario, seed and controller give the same numbers.

pub mod background;
pub mod builtin;
pub mod clairvoyant;
pub mod controller;
pub mod fuse;
pub mod fuzz;
pub mod learning;
mod link;
pub mod metrics;
pub mod parallel;
mod plant;
mod promise;
pub mod scenario;
pub mod share;
pub mod table;
mod visit;

use controller::Kind;
use metrics::{RunMetrics, Summary};
use plant::with_slow_loads;
use scenario::Scenario;

/// Seeds that may be rejected in a row before a scenario is given up.
const REJECTED_MAX: u64 = 200;

/// What one scenario gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// One summary for each controller that was asked for.
    pub summaries: Vec<Summary>,
    /// Seeds whose background alone would nearly open the fastest device; the next were taken instead.
    pub rejected: Vec<u64>,
    /// The background is a given one, and opens the fastest device alone: no controller can help that.
    pub hopeless: bool,
}

/// Runs controllers through a scenario with all its seeds.
///
/// # Errors
/// If no seed gives a background that leaves the fuse alone.
pub fn run(scenario: &Scenario, kinds: &[Kind], threads: usize) -> Result<Outcome, String> {
    let mut accepted: Vec<Vec<RunMetrics>> = Vec::new();
    let mut rejected = Vec::new();
    let mut first = 1;
    while u64::try_from(accepted.len()).unwrap_or(u64::MAX) < scenario.seeds {
        let missing = scenario.seeds - u64::try_from(accepted.len()).unwrap_or_default();
        let seeds: Vec<u64> = (first..first + missing).collect();
        first += missing;
        let results = parallel::map(&seeds, threads, |seed| run_seed(scenario, kinds, *seed));
        for (seed, result) in seeds.into_iter().zip(results) {
            match result {
                Some(runs) => accepted.push(runs),
                None => rejected.push(seed),
            }
        }
        if u64::try_from(rejected.len()).unwrap_or(u64::MAX) > REJECTED_MAX {
            return Err(format!(
                "{}: the background alone would open the fuse with nearly every seed",
                scenario.name
            ));
        }
    }
    let summaries = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            let runs = accepted
                .iter()
                .filter_map(|runs| runs.get(index).cloned())
                .collect();
            Summary::new(scenario, kind.name(), runs)
        })
        .collect();
    Ok(Outcome {
        summaries,
        rejected,
        hopeless: is_hopeless(scenario),
    })
}

/// Whether a background that no seed changes opens the fastest device alone.
fn is_hopeless(scenario: &Scenario) -> bool {
    let opens = |background: Vec<_>| plant::opens_alone(scenario, &background);
    !scenario.background.is_made() && plant::background(scenario, 1).is_some_and(opens)
}

/// All controllers with one seed; `None` if its background alone would nearly open the fuse.
fn run_seed(scenario: &Scenario, kinds: &[Kind], seed: u64) -> Option<Vec<RunMetrics>> {
    let background = plant::background(scenario, seed)?;
    let heated =
        (!scenario.slow_loads.is_empty()).then(|| plant::with_tanks(scenario, &background, seed));
    let whole = heated.as_ref().unwrap_or(&background);
    let charge = clairvoyant::charge(scenario, whole, seed);
    let knowing = |shares: Vec<f64>| RunMetrics {
        seed,
        energy_kwh: shares.iter().sum::<f64>() * 230.0 / 3_600_000.0,
        shares,
        ..RunMetrics::default()
    };
    let runs = kinds.iter().map(|kind| {
        let mut metrics = match kind {
            Kind::Clairvoyant => knowing(charge.clone()),
            Kind::Promise => {
                let (charge, done) = clairvoyant::charge_as_promised(scenario, whole, seed);
                let chargers = u32::try_from(scenario.chargers.len()).unwrap_or(u32::MAX);
                let days = scenario.duration_h / 24.0 * f64::from(chargers.max(1));
                let present_h = f64::from(done.present_s) / 3600.0;
                RunMetrics {
                    commands_per_hour: f64::from(done.commands) / present_h.max(1.0),
                    commands_per_hour_of_day: f64::from(done.commands) / (24.0 * days),
                    closings_per_day: f64::from(done.closings) / days,
                    ..knowing(charge)
                }
            }
            _ => plant::Run::new(scenario, &background, *kind, seed).run(),
        };
        plant::relate(scenario, &charge, &mut metrics);
        metrics
    });
    Some(runs.collect())
}
