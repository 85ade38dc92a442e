//! The benchmark without the rest of the program: `bench SCENARIO… [CONTROLLER…]` with names or files,
//! `bench fuzz SEED HOURS [CONTROLLER]`, `bench learning RUNS`.
#![allow(clippy::print_stdout, reason = "its results")]

use std::path::Path;

use headroom_sim::bench::controller::Kind;
use headroom_sim::bench::scenario::Scenario;
use headroom_sim::bench::{builtin, fuzz, learning, run, table};

fn main() -> Result<(), String> {
    let mut kinds = Vec::new();
    let mut scenarios = Vec::new();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, seed, hours, rest @ ..] = arguments.as_slice()
        && first == "fuzz"
    {
        let number = |text: &String| text.parse().map_err(|_| format!("{text}: no number"));
        let kind = rest.first().and_then(|name| Kind::from_name(name));
        let began = std::time::Instant::now();
        let kind = kind.unwrap_or(Kind::Headroom);
        let fuzzed = fuzz::run(number(seed)?, number(hours)?, kind, threads);
        for finding in &fuzzed.findings {
            let metrics = &finding.metrics;
            println!(
                "{} trips from {:?} s, {:.3}: seed {} {} {:?}",
                metrics.trips,
                metrics.first_trip_s,
                metrics.highest_thermal,
                finding.seed,
                finding.title,
                metrics.refused
            );
        }
        println!(
            "{} hours, {} findings, {:.3}, {:.0} kWh, {:?}",
            fuzzed.hours,
            fuzzed.findings.len(),
            fuzzed.highest_thermal,
            fuzzed.energy_kwh,
            began.elapsed()
        );
        return Ok(());
    }
    if let [first, runs] = arguments.as_slice()
        && first == "learning"
    {
        let runs = runs.parse().map_err(|_| format!("{runs}: no number"))?;
        for house in learning::House::ALL {
            println!("{}", learning::run(house, runs, 6.0, threads)?);
        }
        return Ok(());
    }
    for name in arguments {
        if let Some(kind) = Kind::from_name(&name) {
            kinds.push(kind);
        } else if name == "all" {
            for (name, text) in builtin::SCENARIOS {
                scenarios.push(Scenario::parse(name, text));
            }
        } else {
            let loaded = builtin::named(&name).unwrap_or_else(|| Scenario::load(Path::new(&name)));
            scenarios.push(loaded);
        }
    }
    if kinds.is_empty() {
        kinds = Kind::ALL.to_vec();
    }
    let mut summaries = Vec::new();
    for scenario in scenarios {
        let scenario = scenario.map_err(|error| error.to_string())?;
        let began = std::time::Instant::now();
        let outcome = run(&scenario, &kinds, threads)?;
        for run in outcome.summaries.iter().flat_map(|summary| &summary.runs) {
            for refused in &run.refused {
                eprintln!("{} seed {}: {refused}", scenario.name, run.seed);
            }
        }
        eprintln!(
            "{}: rejected {:?}, {:?}",
            scenario.name,
            outcome.rejected,
            began.elapsed()
        );
        summaries.extend(outcome.summaries);
    }
    print!("{}", table::text(&summaries));
    Ok(())
}
