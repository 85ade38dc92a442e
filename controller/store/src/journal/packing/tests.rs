use headroom_core::Event;
use headroom_core::event::{PhaseReading, Reading, Tick};
use headroom_core::units::{Milliamps, Millivolts, Watts};

use super::*;
use crate::journal::{FILE, Journal, Retention, file};

const HOUR_MS: i64 = 3_600_000;
const NOW_MS: i64 = 1_767_225_600_000;
const FOR_EVER: Retention = Retention {
    inputs_days: 100_000,
    renewals_days: 100_000,
    decisions_days: 100_000,
    ten_seconds_days: 100_000,
    minutes_days: 100_000,
    sums_days: 100_000,
};

fn an_input(n: i64) -> Event {
    if n % 5 == 0 {
        return Event::Tick(Tick {});
    }
    let line = |shift: i64| PhaseReading {
        current_a: Some(Milliamps((n * 37 + shift) % 20_000)),
        voltage_v: Some(Millivolts(230_000 + n % 90)),
        power_w: None,
    };
    Event::Reading(Reading {
        phases: vec![Some(line(0)), None, Some(line(900))],
        power_w: Some(Watts(n)),
        reactive_var: None,
        circuit: (n % 11 == 0).then(|| "garage".to_owned()),
    })
}

/// Inputs of some hours, one in ten seconds; one comes at a time that is far off.
async fn some_hours(journal: &Journal, hours: i64) {
    for n in 1..=hours * 360 {
        let mut ms = NOW_MS - hours * HOUR_MS + n * 10_000;
        if n == 500 {
            ms += 100 * HOUR_MS;
        }
        journal.event(from_ms(ms), Instant(n.unsigned_abs() * 10_000), an_input(n));
        if n % 1000 == 0 {
            journal.flush().await;
        }
    }
    journal.flush().await;
}

async fn rows_and_blocks(directory: &std::path::Path) -> (i64, i64) {
    let mut connection = file::open(&directory.join(FILE)).await.unwrap();
    let statement = "SELECT (SELECT count(*) FROM reading) + (SELECT count(*) FROM event), (SELECT count(*) FROM input_block)";
    sqlx::query_as(statement)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_an_hour_old_is_packed_and_reads_as_before() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), "0.1.0", from_ms(NOW_MS), FOR_EVER).await;
    some_hours(&journal, 5).await;
    let reader = journal.reader().await.unwrap();
    let run = journal.run();
    let all = reader.inputs(run, 0, 5000).await.unwrap();
    assert_eq!(all.len(), 1800);
    let line = async |step| {
        let (from, to) = (from_ms(NOW_MS - 4 * HOUR_MS), from_ms(NOW_MS - HOUR_MS / 2));
        journal.timeline(from, to, step, 5000).await.unwrap()
    };
    let lines = (line(60_000).await, line(900_000).await);
    assert_eq!(lines.1.len(), 14);

    journal.tidy(from_ms(NOW_MS)).await.unwrap();
    let (rows, blocks) = rows_and_blocks(directory.path()).await;
    // The last hour, what waits for a block, and the one of another time.
    assert!((361..361 + 60 + 2).contains(&rows), "{rows} rows");
    assert!((6..10).contains(&blocks), "{blocks} blocks");
    assert_eq!(reader.inputs(run, 0, 5000).await.unwrap(), all);
    assert_eq!(reader.last_input(run).await.unwrap(), 1800);
    for (after, limit) in [
        (0, 1),
        (7, 3),
        (238, 5),
        (239, 500),
        (700, 240),
        (1400, 100),
        (1800, 9),
    ] {
        let page = reader.inputs(run, after, limit).await.unwrap();
        let want = all
            .iter()
            .filter(|input| input.seq > after)
            .take(limit.into());
        assert!(page.iter().eq(want), "{after} {limit}");
    }
    assert_eq!((line(60_000).await, line(900_000).await), lines);
}

/// A clock that was ahead for a while: what it stamped is packed later than what came behind it.
#[tokio::test]
async fn the_order_of_the_engine_stays_when_the_clock_was_ahead() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), "0.1.0", from_ms(NOW_MS), FOR_EVER).await;
    for n in 1..=1500 {
        let ahead = if (300..310).contains(&n) || n == 700 {
            5 * HOUR_MS
        } else {
            0
        };
        let ms = NOW_MS - 9 * HOUR_MS + n * 10_000 + ahead;
        journal.event(from_ms(ms), Instant(n.unsigned_abs() * 10_000), an_input(n));
    }
    journal.flush().await;
    let reader = journal.reader().await.unwrap();
    let run = journal.run();
    let all = reader.inputs(run, 0, 5000).await.unwrap();
    for hours in [-4, 10] {
        let now = from_ms(NOW_MS + hours * HOUR_MS);
        journal.tidy(now).await.unwrap();
        for (after, limit) in [(0, 50), (298, 30), (305, 600), (650, 100), (0, 5000)] {
            let page = reader.inputs(run, after, limit).await.unwrap();
            let want = all
                .iter()
                .filter(|input| input.seq > after)
                .take(limit.into());
            assert!(page.iter().eq(want), "{hours} {after} {limit}");
        }
    }
    assert_eq!(rows_and_blocks(directory.path()).await.0, 0);
}

/// What a page asks of a month must not keep the loop waiting: the longest time that another task waits, beside all of it.
#[tokio::test]
async fn a_timeline_of_many_blocks_leaves_room_for_other_tasks() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), "0.1.0", from_ms(NOW_MS), FOR_EVER).await;
    some_hours(&journal, 3).await;
    journal.tidy(from_ms(NOW_MS)).await.unwrap();
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let copies = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 400) INSERT INTO input_block \
        (run, first_seq, last_seq, first_ms, last_ms, body) SELECT run + n, first_seq, last_seq, first_ms, last_ms, body \
        FROM input_block, n WHERE first_seq = 1";
    sqlx::query(copies).execute(&mut connection).await.unwrap();
    let (from, to) = (from_ms(NOW_MS - 4 * HOUR_MS), from_ms(NOW_MS));
    // A busy machine may hold up one attempt; what never leaves room holds up all of them.
    let mut waits = Vec::new();
    for _ in 0..3 {
        let begun = std::time::Instant::now();
        let mut timeline = std::pin::pin!(journal.timeline(from, to, 3_600_000, 500));
        let (mut last, mut longest) = (begun, std::time::Duration::ZERO);
        let points = loop {
            tokio::select! {
                biased;
                points = &mut timeline => break points.unwrap(),
                () = tokio::task::yield_now() => {}
            }
            longest = longest.max(last.elapsed());
            last = std::time::Instant::now();
        };
        assert_eq!(points.len(), 3);
        waits.push((longest.max(last.elapsed()), begun.elapsed()));
    }
    assert!(
        waits.iter().any(|(longest, whole)| *longest * 3 < *whole),
        "{waits:?}"
    );
}

#[tokio::test]
async fn thinning_gives_the_same_sums_whether_or_not_it_was_packed() {
    let mut sums = Vec::new();
    for packed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let retention = Retention {
            inputs_days: 1,
            ..FOR_EVER
        };
        let journal = Journal::open(directory.path(), "0.1.0", from_ms(NOW_MS), retention).await;
        some_hours(&journal, 3).await;
        if packed {
            journal.tidy(from_ms(NOW_MS + 2 * HOUR_MS)).await.unwrap();
            assert!(rows_and_blocks(directory.path()).await.1 > 3);
        }
        journal.tidy(from_ms(NOW_MS + 40 * HOUR_MS)).await.unwrap();
        let (rows, blocks) = rows_and_blocks(directory.path()).await;
        assert_eq!(
            (rows, blocks),
            (1, 0),
            "only the one of another time is left"
        );
        let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
        let statement = "SELECT json_array(step_ms, time_ms, circuit, has, phases, samples, l1_ma, l1_max_ma, l3_mv, power_w) \
            FROM reading_mean ORDER BY step_ms, time_ms, circuit, has";
        let rows: Vec<String> = sqlx::query_scalar(statement)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(rows.len() > 800);
        sums.push(rows);
    }
    assert_eq!(sums[0], sums[1]);
}

#[tokio::test]
async fn a_damaged_block_is_told_and_not_fatal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path(), "0.1.0", from_ms(NOW_MS), FOR_EVER).await;
    some_hours(&journal, 3).await;
    journal.tidy(from_ms(NOW_MS)).await.unwrap();
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let damage = "UPDATE input_block SET body = x'0001' WHERE first_seq = 1";
    sqlx::query(damage).execute(&mut connection).await.unwrap();
    let reader = journal.reader().await.unwrap();
    let inputs = reader.inputs(journal.run(), 0, 500).await.unwrap();
    assert_eq!(inputs[0].seq, 1);
    assert!(inputs[0].event.as_ref().unwrap_err().contains("damaged"));
    assert_eq!(inputs[1].seq, 241);
    assert!(inputs[1].event.is_ok());
}
