//! `headroom replay`: the journal once more through the decision core.
//!
//! Input: the journal of a data directory, which is only read; the service may run meanwhile. Output: what was reproduced,
//! the first difference with both sides, and the gaps, as text or JSON on standard output. Exit 0 when every decision that
//! could be judged came out again, 2 when there was nothing to judge, 3 at a difference.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use headroom_replay::{
    Asked, Difference, Gap, Range, Report, Side, Verdict, WhatIf, WhatIfError, WhatIfSide, judge,
};
use headroom_store::JournalReader;
use jiff::Timestamp;

use crate::data::DataArgs;

/// Nothing in this time could be judged.
const NOTHING: u8 = 2;
/// Something differs.
const DIFFERENT: u8 = 3;
/// Readings of a what-if that are held in memory: ten days of one each second, some 200 MB.
const READINGS: usize = 900_000;
/// Gaps that are told in words; the rest is counted. JSON has all of them.
const GAPS_TOLD: usize = 20;

/// The journal's inputs through the decision core once more: they must give the recorded decisions
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Not before this time, such as 2026-01-15T12:00:00Z
    #[arg(long, value_name = "T", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "T", value_parser = parse_time)]
    to: Option<Timestamp>,
    /// Tell what would have been with this file's configuration instead: all of it, or only what is to differ
    #[arg(long, value_name = "SITE.toml")]
    with: Option<PathBuf>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "it must be a time with its offset, such as 2026-01-15T12:00:00Z or 2026-01-15T13:00:00+01:00"
            .to_owned()
    })
}

/// Runs the command.
///
/// # Errors
/// When the journal cannot be read, or the output breaks.
pub(crate) async fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        bail!("--from {from} is not before --to {to}");
    }
    let journal = JournalReader::open(&args.data.directory()?).await?;
    let range = Range {
        from: args.from,
        to: args.to,
    };
    let done = match &args.with {
        Some(file) => what_if(&journal, range, file, args.json).await,
        None => proof(&journal, range, args.json).await,
    };
    journal.close().await;
    done
}

/// Without `--with`: the recorded decisions must come out again.
async fn proof(journal: &JournalReader, range: Range, json: bool) -> anyhow::Result<ExitCode> {
    let report = judge(journal, range).await?;
    let mut output = io::stdout().lock();
    if json {
        writeln!(output, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(output, "{}", words(&report))?;
    }
    output.flush()?;
    Ok(match report.verdict {
        Verdict::Reproduced => ExitCode::SUCCESS,
        Verdict::Nothing => ExitCode::from(NOTHING),
        Verdict::Different => ExitCode::from(DIFFERENT),
    })
}

/// `--with`: what would have been.
async fn what_if(
    journal: &JournalReader,
    range: Range,
    file: &Path,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let change: serde_json::Value = toml::from_str(&text).map_err(|error| {
        let what = crate::configuration::lines::problem(&text, &error);
        anyhow::anyhow!("{} is no TOML: {what}", file.display())
    })?;
    let asked = match Asked::of(journal, range, READINGS, &change).await {
        Err(error @ WhatIfError::Nothing) => {
            writeln!(io::stderr(), "headroom replay: {error}")?;
            return Ok(ExitCode::from(NOTHING));
        }
        asked => asked?,
    };
    let told = asked.answer();
    let mut output = io::stdout().lock();
    if json {
        writeln!(output, "{}", serde_json::to_string(&told)?)?;
    } else {
        write!(output, "{}", table(&told))?;
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The comparison for people.
fn table(told: &WhatIf) -> String {
    let mut text = String::new();
    line(
        &mut text,
        format_args!(
            "{} to {}: {} s compared, {} s left out",
            told.from, told.to, told.covered_s, told.left_out_s
        ),
    );
    for note in &told.notes {
        line(&mut text, format_args!("{note}"));
    }
    let mut row = |name: &str, of: &dyn Fn(&WhatIfSide) -> Option<f64>| {
        let cell = |side| of(side).map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        line(
            &mut text,
            format_args!(
                "{name:<28} {:>10} {:>10} {:>10}",
                cell(&told.recorded),
                cell(&told.same),
                cell(&told.changed)
            ),
        );
    };
    row("energy, kWh", &|side| Some(side.energy_kwh));
    row("held back, kWh", &|side| Some(side.curtailed_kwh));
    let mut ids: Vec<&str> = [&told.recorded, &told.changed]
        .iter()
        .flat_map(|side| side.loads.iter().map(|load| load.id.as_str()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let load = |side: &WhatIfSide| side.loads.iter().find(|load| load.id == id).cloned();
        row(&format!("  {id}: energy, kWh"), &|side| {
            load(side).map(|load| load.energy_kwh)
        });
        row(&format!("  {id}: held back, kWh"), &|side| {
            load(side).map(|load| load.curtailed_kwh)
        });
    }
    for phase in &told.recorded.phases {
        let name = phase.phase;
        let line = |side: &WhatIfSide| side.phases.iter().find(|it| it.phase == name).cloned();
        row(&format!("  {name}: highest, A"), &|side| {
            line(side).map(|line| line.highest_a.to_f64())
        });
        row(&format!("  {name}: thermal margin"), &|side| {
            line(side)?.thermal_margin
        });
    }
    text.insert_str(
        text.find("energy, kWh").unwrap_or(0),
        &format!(
            "{:<28} {:>10} {:>10} {:>10}\n",
            "", "recorded", "same", "changed"
        ),
    );
    text
}

/// The report for people.
fn words(report: &Report) -> String {
    let mut text = String::new();
    for run in &report.runs {
        line(
            &mut text,
            format_args!(
                "run {} (version {}): {} to {}",
                run.run, run.version, run.from, run.to
            ),
        );
    }
    let (inputs, decisions) = (report.inputs, report.decisions);
    let word = match report.verdict {
        Verdict::Reproduced => format!(
            "reproduced: {decisions} decisions from {inputs} inputs came out again, byte for byte"
        ),
        Verdict::Different => format!(
            "different: {decisions} decisions from {inputs} inputs came out again, {} stretches between checkpoints do not",
            report.differing
        ),
        Verdict::Nothing => "nothing: no decision of this time could be judged".to_owned(),
    };
    line(&mut text, format_args!("{word}"));
    if report.other_version {
        line(
            &mut text,
            format_args!(
                "Another version recorded this than version {}, which replays it: a difference is what this one does otherwise.",
                report.engine
            ),
        );
    }
    if let Some(difference) = &report.difference {
        differs(&mut text, difference);
    }
    for gap in report.gaps.iter().take(GAPS_TOLD) {
        tell_gap(&mut text, gap);
    }
    let more = report.gaps.len().saturating_sub(GAPS_TOLD);
    if more > 0 {
        line(
            &mut text,
            format_args!("gap: {more} more; --json names them all"),
        );
    }
    text
}

fn tell_gap(text: &mut String, gap: &Gap) {
    line(
        text,
        format_args!(
            "gap in run {}, {} to {}: {}",
            gap.run,
            gap.from,
            gap.to,
            gap.text()
        ),
    );
}

fn differs(text: &mut String, difference: &Difference) {
    line(
        text,
        format_args!(
            "the first difference: run {}, input {}, {}",
            difference.run, difference.seq, difference.time
        ),
    );
    if let Some(event) = &difference.event {
        line(text, format_args!("  input     {event}"));
    }
    if let Some(state) = &difference.state {
        line(
            text,
            format_args!("  the engine's state differs at {}", state.path),
        );
        line(text, format_args!("  recorded  {}", state.recorded));
        line(text, format_args!("  replayed  {}", state.replayed));
        return;
    }
    side(text, "recorded", difference.recorded.as_ref());
    side(text, "replayed", difference.replayed.as_ref());
}

fn side(text: &mut String, name: &str, side: Option<&Side>) {
    let Some(side) = side else {
        line(text, format_args!("  {name}  no decision"));
        return;
    };
    let number = side
        .decision
        .map_or_else(String::new, |number| format!("decision {number}, "));
    line(text, format_args!("  {name}  {number}{}", side.state));
    line(text, format_args!("    reason  {}", side.reason));
    for action in &side.actions {
        line(text, format_args!("    action  {action}"));
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.push_str(&words.to_string());
    text.push('\n');
}
