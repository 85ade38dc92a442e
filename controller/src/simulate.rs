//! `headroom simulate`: the decision core and simple controllers in the plant of the benchmark, in
//! virtual time.
//!
//! Input: scenarios by name or as files, or adversarial hours. Output: the table of metrics, or JSON, on standard output;
//! what was rejected or refused, and how long it took, on standard error. Exit 0 when done, 1 on a scenario that cannot
//! be run, 3 when an adversarial hour opened the fuse.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use headroom_sim::bench::controller::Kind;
use headroom_sim::bench::fuzz::{self, Fuzzed};
use headroom_sim::bench::metrics::Summary;
use headroom_sim::bench::scenario::Scenario;
use headroom_sim::bench::{self, builtin, table};
use serde_json::json;

/// A check failed: a fuse opened in an adversarial hour.
const FAILED: u8 = 3;
/// The most adversarial hours in one run: more than a machine does in a month.
const HOURS_MAX: u64 = 100_000_000;
/// Hours that are run between two words on the progress.
const CHUNK: u64 = 1000;
/// Findings that are told in words; the rest is counted.
const FINDINGS_TOLD: usize = 20;

/// The decision core against the built-in plant in virtual time: the benchmark
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Scenarios: names of built-in ones, files, or "all"; without any, their names are listed
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Results as JSON
    #[arg(long)]
    json: bool,
    /// Only this controller: headroom, static, evcc, smartevse, hold, promise or clairvoyant
    #[arg(long, value_name = "NAME", value_parser = parse_kind)]
    controller: Option<Kind>,
    /// A table of before: what changed is told on standard error
    #[arg(long, value_name = "FILE", conflicts_with = "fuzz")]
    against: Option<PathBuf>,
    /// This many adversarial hours instead of scenarios
    #[arg(long, value_name = "HOURS", conflicts_with = "scenarios", value_parser = clap::value_parser!(u64).range(1..=HOURS_MAX))]
    fuzz: Option<u64>,
    /// The first adversarial hour; hour by hour it counts up
    #[arg(
        long,
        value_name = "N",
        requires = "fuzz",
        allow_negative_numbers = true
    )]
    seed: Option<u64>,
}

fn parse_kind(name: &str) -> Result<Kind, String> {
    Kind::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!(
            "there is no such controller; there are {}",
            names.join(", ")
        )
    })
}

/// Runs the command.
///
/// # Errors
/// When a scenario cannot be run, or the output breaks.
pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if args.fuzz.is_none() && args.seed.is_some() {
        bail!(
            "--seed is the first of the hours of --fuzz; the seeds of a scenario are 1 and on, as many as its file says"
        );
    }
    let for_scenarios = args.json || args.controller.is_some() || args.against.is_some();
    if args.fuzz.is_none() && args.scenarios.is_empty() && for_scenarios {
        bail!("name the scenarios to run, or all; `headroom simulate` alone lists them");
    }
    match args.fuzz {
        Some(hours) => fuzz_hours(args, hours, threads),
        None if args.scenarios.is_empty() => list().map(|()| ExitCode::SUCCESS),
        None => benchmark(args, threads).map(|()| ExitCode::SUCCESS),
    }
}

/// The names of the built-in scenarios.
fn list() -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    for (name, text) in builtin::SCENARIOS {
        let scenario = Scenario::parse(name, text)?;
        writeln!(output, "{name:<16} {}", scenario.title)?;
    }
    Ok(())
}

fn scenarios(names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for name in names {
        if name == "all" {
            for (name, text) in builtin::SCENARIOS {
                scenarios.push(Scenario::parse(name, text)?);
            }
        } else if let Some(found) = builtin::named(name) {
            scenarios.push(found?);
        } else if Path::new(name).exists() {
            scenarios.push(Scenario::load(Path::new(name))?);
        } else {
            bail!(
                "there is no built-in scenario and no file \"{name}\"; `headroom simulate` lists the built-in ones"
            );
        }
    }
    Ok(scenarios)
}

fn benchmark(args: &SimulateArgs, threads: usize) -> anyhow::Result<()> {
    let kinds = args
        .controller
        .map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    // A table that is not there is told before the work, not after it.
    let before = args
        .against
        .as_ref()
        .map(|path| table_of_before(path))
        .transpose()?;
    let mut summaries = Vec::new();
    let mut progress = io::stderr().lock();
    for scenario in scenarios(&args.scenarios)? {
        let began = Instant::now();
        let outcome = bench::run(&scenario, &kinds, threads).map_err(|message| anyhow!(message))?;
        let days = outcome
            .summaries
            .iter()
            .map(|one| one.runs.len())
            .sum::<usize>();
        write!(
            progress,
            "{}: {days} runs in {:.1} s",
            scenario.name,
            began.elapsed().as_secs_f64()
        )?;
        if !outcome.rejected.is_empty() {
            let seeds: Vec<String> = outcome.rejected.iter().map(u64::to_string).collect();
            write!(
                progress,
                "; the next seeds in place of {}, whose background alone would nearly open the fuse",
                seeds.join(", ")
            )?;
        }
        if outcome.hopeless {
            write!(
                progress,
                "; the background alone opens the fastest legal fuse: no controller can help that"
            )?;
        }
        writeln!(progress)?;
        tell_refused(&mut progress, &outcome.summaries)?;
        summaries.extend(outcome.summaries);
    }
    let text = table::text(&summaries);
    if let Some(before) = &before {
        let changes = table::changes(before, &text);
        write!(progress, "{changes}")?;
    }
    if args.json {
        let means = table::means(&summaries);
        print(&format!(
            "{}\n",
            json!({"summaries": summaries, "means": means})
        ))
    } else {
        print(&text)
    }
}

fn table_of_before(path: &Path) -> anyhow::Result<String> {
    let table = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the table {}", path.display()))?;
    if !table::has_rows(&table) {
        bail!(
            "{} is no table of before: name a file with what `headroom simulate` printed (not its --json)",
            path.display()
        );
    }
    Ok(table)
}

/// Events that a controller called impossible, and orders out of range: there must be none.
fn tell_refused(progress: &mut impl Write, summaries: &[Summary]) -> io::Result<()> {
    for summary in summaries {
        for run in &summary.runs {
            for refused in &run.refused {
                writeln!(
                    progress,
                    "{} {} seed {}: {refused}",
                    summary.scenario, summary.controller, run.seed
                )?;
            }
        }
    }
    Ok(())
}

fn fuzz_hours(args: &SimulateArgs, hours: u64, threads: usize) -> anyhow::Result<ExitCode> {
    let kind = args.controller.unwrap_or(Kind::Headroom);
    if matches!(kind, Kind::Promise | Kind::Clairvoyant) {
        bail!(
            "{} controls nothing; choose another controller",
            kind.name()
        );
    }
    let first = args.seed.unwrap_or(1);
    if first.checked_add(hours - 1).is_none() {
        bail!("there are not so many hours from {first} on");
    }
    let began = Instant::now();
    let mut all = Fuzzed::default();
    let mut done = 0;
    while done < hours {
        let chunk = CHUNK.min(hours - done);
        let part = fuzz::run(first + done, chunk, kind, threads);
        done += chunk;
        all.add(part);
        if done < hours {
            writeln!(
                io::stderr(),
                "{done} of {hours} hours, {} with findings",
                all.findings.len()
            )?;
        }
    }
    let took_s = began.elapsed().as_secs_f64();
    writeln!(
        io::stderr(),
        "{hours} hours in {took_s:.1} s, {:.0} hours per second",
        f64_of(hours) / took_s.max(f64::EPSILON)
    )?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string(&all)?))?;
    } else {
        print(&words(&all, kind))?;
    }
    Ok(if all.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn words(all: &Fuzzed, kind: Kind) -> String {
    let mut text = String::new();
    for finding in all.findings.iter().take(FINDINGS_TOLD) {
        let metrics = &finding.metrics;
        let controller = if kind == Kind::Headroom {
            String::new()
        } else {
            format!(" --controller {}", kind.name())
        };
        let first = metrics
            .first_trip_s
            .map_or(String::new(), |at_s| format!(", first at {at_s:.0} s"));
        // Writing to a text cannot fail.
        writeln!(
            text,
            "{} trips{first}, thermal {:.3}: {}\n  headroom simulate --fuzz 1 --seed {}{controller}",
            metrics.trips, metrics.highest_thermal, finding.title, finding.seed
        )
        .ok();
        for refused in &metrics.refused {
            writeln!(text, "  {refused}").ok();
        }
    }
    if let Some(more) = all.findings.len().checked_sub(FINDINGS_TOLD + 1) {
        writeln!(text, "and {} more", more + 1).ok();
    }
    writeln!(
        text,
        "{} adversarial hours: {} with trips or orders that may not be, highest thermal state {:.3}, {:.1} kWh to cars",
        all.hours,
        all.findings.len(),
        all.highest_thermal,
        all.energy_kwh
    )
    .ok();
    text
}

#[expect(clippy::cast_precision_loss, reason = "a number of hours for a rate")]
fn f64_of(hours: u64) -> f64 {
    hours as f64
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        // Who reads no further has what he wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
