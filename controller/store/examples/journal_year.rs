//! The journal of a year, made and measured: bytes, and the times of what the page asks.
//!
//! An hour of a house with four chargers goes through the real engine and the real writer, a reading each second. It is copied
//! in SQL to what a year leaves: a month of full rows, a week of renewals, decisions of each day, thinned readings before.
//!
//! ```sh
//! cargo run --release -p headroom-store --example journal_year
//! ```
#![allow(
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "an example prints, and fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use headroom_core::action::Command;
use headroom_core::{Engine, Event, Instant};
use headroom_store::{DecisionFilter, EnergyMeter, Journal, Retention, Step};
use jiff::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqlitePool;

const HOUR_S: u64 = 3600;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// When the hour begins, in milliseconds since 1970.
const BEGIN_MS: i64 = 1_767_225_600_000;
/// When the readings that are a month old are to be thinned, in days from the end: they are kept for 100 000 days here.
const LATER_DAYS: i64 = 100_000 - 29;
/// Hours of a day in which four cars want to charge; besides there is little to decide.
const CHARGING_HOURS: i64 = 8;
const MB: f64 = 1_000_000.0;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGIN_MS + ms).unwrap()
}

/// The loop without the world around it, for an hour.
async fn an_hour(journal: &Journal) {
    let chargers: Vec<_> = (1..=4)
        .map(|n| json!({"id": format!("ev{n}"), "name": format!("Bay {n}"), "phases": ["l1", "l2", "l3"], "accept_risk": true}))
        .collect();
    let configure = json!({"type": "configure",
        "site": {"mode": "control", "main_fuse": {"rating_a": 35}}, "chargers": chargers, "slow_loads": []});
    let mut engine = Engine::new(headroom_core::Config::default(), Instant(0));
    let mut energy = EnergyMeter::default();
    let mut limits: BTreeMap<String, i64> = BTreeMap::new();
    let mut state = "";
    let mut random = 1_u64;
    let mut background = [4_000_i64, 6_000, 3_000];
    for second in 0..=HOUR_S {
        let ms = second * 1000;
        let mut events = Vec::new();
        if second == 0 {
            events.push(configure.clone());
        } else {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // An appliance goes on or off each few minutes; noise always.
            if second % 150 == 0 {
                let line = usize::try_from(second / 150 % 3).unwrap();
                background[line] = 3_000 + i64::try_from((random >> 33) % 15_000).unwrap();
            }
            let noise = i64::try_from((random >> 40) % 200).unwrap();
            let cars: i64 = limits.values().sum();
            let lines: Vec<_> = background
                .iter()
                .map(|line| {
                    let milliamps = line + cars + noise;
                    json!({"current_a": milliamps as f64 / 1000.0, "voltage_v": 230.0 + noise as f64 / 100.0})
                })
                .collect();
            events.push(json!({"type": "reading", "phases": lines, "power_w": (cars + 13_000) * 690 / 1000}));
            if second % 10 == 0 {
                for n in 1..=4 {
                    let id = format!("ev{n}");
                    let draw = limits.get(&id).copied().unwrap_or(0) as f64 / 1000.0;
                    events.push(
                        json!({"type": "charger", "id": id, "connected": true, "status": "charging",
                        "current_a": [draw, draw, draw], "energy_kwh": second as f64 / 1000.0}),
                    );
                }
            }
        }
        for event in events {
            let event: Event = serde_json::from_value(event).unwrap();
            let now = Instant(ms);
            let actions = engine.step(event.clone(), now);
            let time = at(i64::try_from(ms).unwrap());
            let snapshot = Arc::new(engine.snapshot());
            let seq = journal.event(time, now, event.clone());
            let changed = actions.state != state;
            state = actions.state;
            for action in &actions.actions {
                if let Command::SetLimit { load, limit_a, .. } = &action.what {
                    limits.insert(load.clone(), limit_a.0);
                }
            }
            let rows = energy.step(&event, &snapshot, engine.config(), time);
            journal.energy_rows(rows);
            if !actions.actions.is_empty() || changed {
                let commands: Vec<_> = actions.actions.iter().map(|it| it.command).collect();
                journal.decision(Step {
                    seq,
                    event,
                    time,
                    actions: actions.actions,
                    snapshot,
                    state_changed: changed,
                    would_be: Vec::new(),
                });
                for command in commands {
                    journal.sent(command, time);
                    journal.answered(command, headroom_core::event::Outcome::Accepted, time);
                    let accepted =
                        json!({"type": "result", "command": command, "outcome": "accepted"});
                    let event: Event = serde_json::from_value(accepted).unwrap();
                    journal.event(time, now, event.clone());
                    engine.step(event, now);
                }
            }
        }
        if second == 0 {
            journal.checkpoint(at(0), Instant(ms), engine.checkpoint());
        }
        if second % 60 == 0 {
            journal.flush().await;
        }
    }
    journal.flush().await;
}

async fn pool(directory: &Path) -> SqlitePool {
    let path = directory.join("journal.db");
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    options.connect(path.to_str().unwrap()).await.unwrap()
}

async fn bytes(pool: &SqlitePool) -> i64 {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query_scalar("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn run(pool: &SqlitePool, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(pool)
        .await
        .unwrap();
}

/// The rows of the hour again, in the first `hours` hours of each of so many days before the end.
async fn copies(pool: &SqlitePool, (days, hours): (i64, i64), end_ms: i64, kinds: &[(&str, &str)]) {
    run(pool, "BEGIN".to_owned()).await;
    for hour in (1..days * 24).filter(|hour| hour % 24 < hours) {
        let shift = end_ms - hour * HOUR_MS;
        for (_, statement) in kinds {
            let statement = statement
                .replace("SHIFT", &shift.to_string())
                .replace("RUN", &(1000 + hour).to_string())
                .replace("FAR", &(hour * 10_000_000).to_string());
            run(pool, statement).await;
        }
    }
    run(pool, "COMMIT".to_owned()).await;
}

/// The median of some runs.
async fn timed<T>(what: &str, mut ask: impl AsyncFnMut() -> T) {
    let mut times = Vec::new();
    for _ in 0..7 {
        let begun = Clock::now();
        let answer = ask().await;
        times.push(begun.elapsed());
        drop(answer);
    }
    let first = times[0];
    times.sort();
    let milli = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{what:<46} {:>9.1} ms, the first time {:.1} ms",
        milli(times[3]),
        milli(first)
    );
}

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
    an_hour(&journal).await;
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
    let end_ms = 0;
    let block = (
        "block",
        "INSERT INTO input_block (run, first_seq, last_seq, first_ms, last_ms, body) SELECT RUN, first_seq, last_seq, \
        first_ms + SHIFT, last_ms + SHIFT, body FROM input_block WHERE run = 1",
    );
    let checkpoint = (
        "checkpoint",
        "INSERT INTO checkpoint SELECT RUN, seq, t_ms, time_ms + SHIFT, decision, version, body FROM checkpoint WHERE run = 1",
    );
    let renewal = (
        "renewal",
        "INSERT INTO decision SELECT id - FAR, RUN, seq, time_ms + SHIFT, t_ms, state, reason_code, reason, renewal_only, inputs, packed \
        FROM decision WHERE id > 0 AND renewal_only = 1",
    );
    let decision = (
        "decision",
        "INSERT INTO decision SELECT id - FAR, RUN, seq, time_ms + SHIFT, t_ms, state, reason_code, reason, renewal_only, inputs, packed \
        FROM decision WHERE id > 0 AND renewal_only = 0",
    );
    let action = |renewals: &str| {
        format!(
            "INSERT INTO action SELECT RUN, command, decision - FAR, load, reason_code, renewal, body, outcome, sent_ms + SHIFT, \
        acknowledged_ms + SHIFT, seen_ms FROM action WHERE run = 1 AND decision IN (SELECT id FROM decision WHERE id > 0 AND renewal_only = {renewals})"
        )
    };
    let (renewed, acted) = (action("1"), action("0"));
    let begun = Clock::now();
    copies(
        &pool,
        (365, CHARGING_HOURS),
        end_ms,
        &[decision, ("action", &acted)],
    )
    .await;
    println!("decisions of a year made in {:.1?}", begun.elapsed());
    copies(&pool, (30, 24), end_ms, &[block, checkpoint]).await;
    copies(
        &pool,
        (7, CHARGING_HOURS),
        end_ms,
        &[renewal, ("action", &renewed)],
    )
    .await;
    for (step_ms, from, to) in [(10_000, 90, 30), (60_000, 365, 90)] {
        run(&pool, format!("WITH RECURSIVE step(ms) AS (SELECT {BEGIN_MS} - {from} * {DAY_MS} UNION ALL SELECT ms + {step_ms} FROM step \
            WHERE ms + {step_ms} < {BEGIN_MS} - {to} * {DAY_MS}) INSERT INTO reading_mean (step_ms, time_ms, circuit, has, phases, samples, l1_ma, l1_max_ma, \
            l1_mv, l2_ma, l2_max_ma, l2_mv, l3_ma, l3_max_ma, l3_mv, power_w) SELECT {step_ms}, ms, '', 731, 3, {step_ms} / 1000, 14321 * {step_ms} / 1000, 17345, \
            231234 * {step_ms} / 1000, 12321 * {step_ms} / 1000, 15345, 230234 * {step_ms} / 1000, 11321 * {step_ms} / 1000, 13345, 229234 * {step_ms} / 1000, \
            8765 * {step_ms} / 1000 FROM step")).await;
    }
    for load in ["", "ev1", "ev2", "ev3", "ev4"] {
        run(&pool, format!("WITH RECURSIVE step(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 365 * 96) \
            INSERT INTO energy SELECT {BEGIN_MS} - n * 900000, '{load}', 1, 0, 1234567 + n FROM step")).await;
        run(&pool, format!("WITH RECURSIVE step(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 365 * 96) \
            INSERT INTO curtailed SELECT {BEGIN_MS} - n * 900000, '{load}', 1, 0, 'main_fuse', 'l' || (n % 3 + 1), 'main', '', 234567 + n FROM step WHERE '{load}' <> ''")).await;
    }
    println!("all of it made in {:.1?}", begun.elapsed());
    let year = bytes(&pool).await;
    println!("{:<46} {:>9.1} MB (aim: 1000)", "a year", year as f64 / MB);

    let page = |change: fn(&mut DecisionFilter)| {
        let mut filter = DecisionFilter::default();
        change(&mut filter);
        filter
    };
    let newest = page(|_| {});
    timed("a decisions page (aim: 50)", async || {
        journal.decisions(&newest).await.unwrap()
    })
    .await;
    let old = page(|filter| {
        filter.to = Some(at(-200 * DAY_MS));
        filter.from = Some(at(-201 * DAY_MS));
    });
    timed("  of a day half a year ago", async || {
        journal.decisions(&old).await.unwrap()
    })
    .await;
    let load = page(|filter| filter.load = Some("ev3".to_owned()));
    timed("  of one load", async || {
        journal.decisions(&load).await.unwrap()
    })
    .await;
    let code = page(|filter| filter.code = Some("main_fuse".to_owned()));
    timed("  of one reason", async || {
        journal.decisions(&code).await.unwrap()
    })
    .await;
    let rare = page(|filter| filter.code = Some("meter_lost".to_owned()));
    timed("  of a reason that never was", async || {
        journal.decisions(&rare).await.unwrap()
    })
    .await;
    let minutes = 173_000;
    timed("the timeline of a day (aim: 150)", async || {
        journal
            .timeline(at(-DAY_MS), at(0), minutes, 500)
            .await
            .unwrap()
    })
    .await;
    timed("  of a day two months ago", async || {
        journal
            .timeline(at(-60 * DAY_MS), at(-59 * DAY_MS), minutes, 500)
            .await
            .unwrap()
    })
    .await;
    timed("  of a month a year ago", async || {
        journal
            .timeline(at(-360 * DAY_MS), at(-330 * DAY_MS), 30 * minutes, 500)
            .await
            .unwrap()
    })
    .await;
    timed("the energy of a day", async || {
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
}
