//! The journal of a year, made and measured: bytes, and the times of what the page asks.
//!
//! An hour of a house with four chargers goes through the real engine and the real writer, a reading each second. It is copied
//! in SQL to what a year leaves: a month of full rows, a week of renewals, decisions of each day, thinned readings before.
//!
//! ```sh
//! cargo run --release -p headroom-store --example journal_year
//! ```
//!
//! With `HEADROOM_BIN`, a service of that binary is then started on a year that an earlier version left.
#![allow(
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "an example prints, and fails by panicking"
)]

mod house;
mod older;
mod questions;
mod year;

use std::time::{Duration, Instant as Clock};

use headroom_core::{Event, Instant};
use headroom_store::{Journal, Retention};

use house::{HOUR_S, at};
use year::{CHARGING_HOURS, CHECKPOINTS, DAY_MS, HOUR_MS, bytes, copies, pool, run};

/// When the readings that are a month old are to be thinned, in days from the end: they are kept for 100 000 days here.
const LATER_DAYS: i64 = 100_000 - 29;
const MB: f64 = 1_000_000.0;

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let for_ever = Retention {
        decisions_days: 200_000,
        renewals_days: 200_000,
        sums_days: 100_000,
        inputs_days: 100_000,
        ten_seconds_days: 100_000,
        minutes_days: 100_000,
    };
    let begun = Clock::now();
    let journal = Journal::open(directory.path(), "0.1.0", at(0), for_ever).await;
    let pool = pool(directory.path()).await;
    let empty = bytes(&pool).await;
    house::hours(&journal, 1, 10).await;
    let hour = bytes(&pool).await - empty;
    println!(
        "an hour of four chargers, written in {:.1?}, {} dropped",
        begun.elapsed(),
        journal.dropped()
    );
    for (what, table, column) in [
        ("readings", "reading", "0"),
        ("other inputs", "event", "length(body)"),
        (
            "decisions",
            "decision",
            "coalesce(length(packed), 0) + length(reason)",
        ),
        (
            "of them renewals",
            "decision WHERE renewal_only",
            "coalesce(length(packed), 0) + length(reason)",
        ),
        ("commands", "action", "length(body)"),
        ("checkpoints", "checkpoint", "length(body)"),
        ("energy", "energy", "0"),
    ] {
        let query = format!("SELECT count(*), coalesce(sum({column}), 0) FROM {table}");
        let (rows, text): (i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(query))
            .fetch_one(&pool)
            .await
            .unwrap();
        println!("  {what:<18} {rows:>7} rows, {text:>9} bytes of text");
    }
    let earlier = tempfile::tempdir().unwrap();
    older::hour(&journal, directory.path(), earlier.path()).await;
    // All but the last hour stands in blocks.
    journal.tidy(at(2 * HOUR_MS)).await;
    let packed = bytes(&pool).await - empty;
    let (blocks, length): (i64, i64) =
        sqlx::query_as("SELECT count(*), coalesce(sum(length(body)), 0) FROM input_block")
            .fetch_one(&pool)
            .await
            .unwrap();
    println!("  inputs in blocks   {blocks:>7} rows, {length:>9} bytes");
    println!(
        "{:<46} {:>9.2} MB (aim: 12)",
        "a day before thinning",
        (hour + 23 * packed) as f64 / MB
    );

    run(&pool, "PRAGMA synchronous = OFF".to_owned()).await;
    // What a year leaves, with the hour for its newest.
    let begun = Clock::now();
    let acted = year::decisions(false, ", packed");
    let charging = (365, CHARGING_HOURS);
    copies(
        &pool,
        charging,
        (0, 0),
        &acted.each_ref().map(String::as_str),
    )
    .await;
    println!("decisions of a year made in {:.1?}", begun.elapsed());
    let blocks = "INSERT INTO input_block (run, first_seq, last_seq, first_ms, last_ms, body) SELECT RUN, first_seq, last_seq, \
        first_ms + SHIFT, last_ms + SHIFT, body FROM input_block WHERE run = 1";
    copies(&pool, (30, 24), (0, 0), &[blocks, CHECKPOINTS]).await;
    let renewed = year::decisions(true, ", packed");
    let charging = (7, CHARGING_HOURS);
    copies(
        &pool,
        charging,
        (0, 0),
        &renewed.each_ref().map(String::as_str),
    )
    .await;
    year::means(&pool, 0).await;
    year::energy(&pool, 0).await;
    println!("all of it made in {:.1?}", begun.elapsed());
    questions::list(&journal, &pool).await;
    let year = bytes(&pool).await;
    println!("{:<46} {:>9.1} MB (aim: 1000)", "a year", year as f64 / MB);

    questions::decisions(&journal).await;
    let minutes = 173_000;
    questions::timed("the timeline of a day (aim: 150)", async || {
        journal
            .timeline(at(-DAY_MS), at(0), minutes, 500)
            .await
            .unwrap()
    })
    .await;
    questions::timed("  of a day two months ago", async || {
        journal
            .timeline(at(-60 * DAY_MS), at(-59 * DAY_MS), minutes, 500)
            .await
            .unwrap()
    })
    .await;
    questions::timed("  of a month a year ago", async || {
        journal
            .timeline(at(-360 * DAY_MS), at(-330 * DAY_MS), 30 * minutes, 500)
            .await
            .unwrap()
    })
    .await;
    questions::timed("the energy of a day", async || {
        journal
            .energy(at(-100 * DAY_MS), at(-99 * DAY_MS))
            .await
            .unwrap()
    })
    .await;
    // A day of readings and years of sums at once, and beside it what happens now: how long does it wait for the writer?
    let tidying = journal.clone();
    let mut tidying = tokio::spawn(async move { tidying.tidy(at(LATER_DAYS * DAY_MS)).await });
    let mut waits = Vec::new();
    let held = loop {
        let begun = Clock::now();
        journal.event(
            at(0),
            Instant(HOUR_S * 1000),
            Event::Tick(headroom_core::event::Tick {}),
        );
        journal.flush().await;
        waits.push(begun.elapsed());
        tokio::select! {
            held = &mut tidying => break held.unwrap().unwrap(),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    };
    waits.sort();
    println!(
        "a day of readings and years of sums, thinned at once: the longest piece held the writer for {held:.1?} (aim: 50)"
    );
    println!(
        "  {} rows written meanwhile, each committed within {:.1?}, half of them within {:.1?}",
        waits.len(),
        waits[waits.len() - 1],
        waits[waits.len() / 2]
    );
    let opened = Clock::now();
    journal.close().await;
    println!("closed in {:.1?}", opened.elapsed());
    let opened = Clock::now();
    let journal = Journal::begin(directory.path(), "0.1.0", at(0), for_ever).await;
    let begun = opened.elapsed();
    journal.opened().await;
    println!(
        "begun again in {begun:.1?}, open in {:.1?}",
        opened.elapsed()
    );
    drop(journal);
    drop(directory);
    if let Some(binary) = std::env::var_os("HEADROOM_BIN") {
        older::start(earlier, &binary).await;
    }
}
