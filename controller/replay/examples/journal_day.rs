//! A day of a house with four chargers, each of which says something each two seconds: how long its replay and a what-if take, and how
//! much memory.
//!
//! ```sh
//! cargo run --release -p headroom-replay --example journal_day
//! ```
#![allow(
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "an example prints, and fails by panicking"
)]

#[path = "../../store/examples/journal_year/house.rs"]
mod house;

use std::time::Instant as Clock;

use headroom_replay::{Asked, Range, Verdict, WhatIfError, judge};
use headroom_store::{Journal, JournalReader, Retention};
use serde_json::json;

use house::{HOUR_S, at};

const HOURS: u64 = 24;
/// Between two words of a charger.
const REPORT_S: u64 = 2;
/// As many as the API takes at most.
const READINGS: usize = 200_000;

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let for_ever = Retention {
        inputs_days: 100_000,
        renewals_days: 100_000,
        decisions_days: 100_000,
        ..Retention::default()
    };
    let journal = Journal::open(directory.path(), "0.1.0", at(0), for_ever).await;
    let begun = Clock::now();
    house::hours(&journal, HOURS, REPORT_S).await;
    println!(
        "a day made in {:.1?}, {} dropped",
        begun.elapsed(),
        journal.dropped()
    );
    let begun = Clock::now();
    let packed = at(i64::try_from((HOURS + 2) * HOUR_S * 1000).unwrap());
    let held = journal.tidy(packed).await.unwrap();
    println!(
        "packed in {:.1?}, a piece held the writer for {held:.1?} (aim: 50)",
        begun.elapsed()
    );
    journal.close().await;

    let reader = JournalReader::open(directory.path()).await.unwrap();
    println!(
        "memory before                                  {}",
        memory()
    );
    let begun = Clock::now();
    let report = judge(&reader, Range::default()).await.unwrap();
    println!(
        "replay of the day: {} inputs, {} decisions, {:?}  {:>9.1?}, memory {}",
        report.inputs,
        report.decisions,
        report.verdict,
        begun.elapsed(),
        memory()
    );
    assert_eq!(
        report.verdict,
        Verdict::Reproduced,
        "{:?}",
        report.difference
    );
    let begun = Clock::now();
    let hour = Range {
        from: Some(at(20 * 3_600_000)),
        to: Some(at(21 * 3_600_000)),
    };
    let report = judge(&reader, hour).await.unwrap();
    println!(
        "  of an hour of it: {} inputs                  {:>9.1?}",
        report.inputs,
        begun.elapsed()
    );
    for (what, range) in [
        ("what if, of an hour", hour),
        ("what if, of the day", Range::default()),
    ] {
        let change = json!({"site": {"main_fuse": {"rating_a": 25}}});
        let begun = Clock::now();
        let asked = Asked::of(&reader, range, READINGS, &change).await.unwrap();
        let read = begun.elapsed();
        let begun = Clock::now();
        let told = asked.answer();
        println!(
            "{what}: {} s compared, read in {read:.1?}, reckoned in {:.1?}, memory {}",
            told.covered_s,
            begun.elapsed(),
            memory()
        );
    }
    // Where more is asked than is held, it is refused before that.
    let few = Asked::of(&reader, Range::default(), 10_000, &json!({})).await;
    assert!(matches!(few, Err(WhatIfError::TooLong)));
    reader.close().await;
}

/// The most that this process has had in memory, as the kernel tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(String::new, |line| {
        line.replace("VmHWM:", "").trim().to_owned()
    })
}
