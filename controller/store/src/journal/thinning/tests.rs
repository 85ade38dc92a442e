use headroom_core::event::{PhaseReading, Reading};
use headroom_core::units::{Milliamps, Millivolts, Vars, Watts};
use headroom_core::{Event, Instant};
use jiff::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::journal::record::Record;
use crate::journal::retention::Tidying;
use crate::journal::{FILE, Journal, Retention, file, packing, rows};

const DAY_MS: i64 = 86_400_000;
/// In the future: what is an hour old is packed by the journals that these tests open, beside them.
const NOW_MS: i64 = 4_070_908_800_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn maybe(&mut self, bound: u64) -> Option<i64> {
        let value = i64::try_from(self.below(bound)).unwrap();
        (self.below(8) > 0).then_some(value)
    }
}

/// A reading in which anything may be missing.
fn any(dice: &mut Dice) -> Reading {
    let count = if dice.below(20) == 0 { 1 } else { 3 };
    let phases = (0..count).map(|_| {
        (dice.below(16) > 0).then(|| PhaseReading {
            current_a: dice.maybe(63_000).map(Milliamps),
            voltage_v: dice.maybe(250_000).map(Millivolts),
            power_w: dice.maybe(9_000).map(|power| Watts(power - 4_000)),
        })
    });
    Reading {
        phases: phases.collect(),
        power_w: dice.maybe(20_000).map(|power| Watts(power - 9_000)),
        reactive_var: dice.maybe(900).map(Vars),
        circuit: (dice.below(4) == 0).then(|| "garage".to_owned()),
    }
}

async fn fill(
    connection: &mut SqliteConnection,
    dice: &mut Dice,
    from: i64,
    count: i64,
    each: i64,
) {
    for seq in 0..count {
        let record = Record::Event {
            seq,
            time: at(from + seq * each),
            t: Instant(seq.unsigned_abs()),
            event: Event::Reading(any(dice)),
        };
        rows::insert(connection, (1, "0.1.0"), &record)
            .await
            .unwrap();
    }
}

/// Of each circuit and each value: the sum, the number of samples and the most.
async fn sums(connection: &mut SqliteConnection) -> Vec<(String, Vec<Option<i64>>)> {
    let mut columns = Vec::new();
    for value in [
        "l1_ma",
        "l1_mv",
        "l1_w",
        "l2_ma",
        "l2_mv",
        "l2_w",
        "l3_ma",
        "l3_mv",
        "l3_w",
        "power_w",
        "reactive_var",
    ] {
        columns.push(format!("sum({value})"));
        columns.push(format!("sum(samples) FILTER (WHERE {value} IS NOT NULL)"));
    }
    columns.extend((1..=3).map(|line| format!("max(l{line}_max_ma)")));
    columns.push("sum(samples)".to_owned());
    let all = "SELECT coalesce(circuit, '') AS circuit, 1 AS samples, l1_ma, l1_ma AS l1_max_ma, l1_mv, l1_w, l2_ma, \
         l2_ma AS l2_max_ma, l2_mv, l2_w, l3_ma, l3_ma AS l3_max_ma, l3_mv, l3_w, power_w, reactive_var FROM reading \
         UNION ALL SELECT circuit, samples, l1_ma, l1_max_ma, l1_mv, l1_w, l2_ma, l2_max_ma, l2_mv, l2_w, l3_ma, \
         l3_max_ma, l3_mv, l3_w, power_w, reactive_var FROM reading_mean";
    let query = format!(
        "SELECT circuit, json_array({}) FROM ({all}) GROUP BY circuit ORDER BY circuit",
        columns.join(", ")
    );
    // What stands in blocks counts as well.
    let mut looking = connection.begin().await.unwrap();
    while packing::unpack(&mut looking, i64::MAX).await.unwrap() {}
    let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .fetch_all(&mut *looking)
        .await
        .unwrap();
    looking.rollback().await.unwrap();
    rows.into_iter()
        .map(|(circuit, sums)| (circuit, serde_json::from_str(&sums).unwrap()))
        .collect()
}

async fn count(connection: &mut SqliteConnection, step_ms: i64) -> i64 {
    let query = if step_ms == 0 {
        "SELECT (SELECT count(*) FROM reading) + (SELECT count(*) FROM input_block) WHERE ?1 = 0"
    } else {
        "SELECT count(*) FROM reading_mean WHERE step_ms = ?1"
    };
    sqlx::query_scalar(query)
        .bind(step_ms)
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn tidy(connection: &mut SqliteConnection, now_ms: i64) {
    let mut tidying = Tidying::new(Retention::default());
    while tidying.piece(connection, at(now_ms)).await.unwrap() {}
}

#[tokio::test]
async fn thinning_keeps_every_sum_exact_however_often_it_is_done() {
    for seed in 0..4 {
        let directory = tempfile::tempdir().unwrap();
        let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
        let mut dice = Dice(seed);
        fill(&mut connection, &mut dice, NOW_MS, 3_000, 1_000).await;
        fill(&mut connection, &mut dice, NOW_MS + DAY_MS, 500, 2_500).await;
        let before = sums(&mut connection).await;
        assert_eq!(before.len(), 2);
        // A day at a time: some is full yet, some thinned once, twice, three times.
        for (days, finest) in [
            (29, 0),
            (31, 10_000),
            (32, 10_000),
            (95, 60_000),
            (405, 900_000),
        ] {
            tidy(&mut connection, NOW_MS + days * DAY_MS).await;
            assert_eq!(sums(&mut connection).await, before, "after {days} days");
            assert!(
                count(&mut connection, finest).await > 0,
                "after {days} days"
            );
        }
        for gone in [0, 10_000, 60_000] {
            assert_eq!(count(&mut connection, gone).await, 0, "{gone}");
        }
        // A clock that was wrong for an hour: old times come again.
        fill(&mut connection, &mut dice, NOW_MS + 1_000_000, 400, 1_000).await;
        let more = sums(&mut connection).await;
        tidy(&mut connection, NOW_MS + 405 * DAY_MS).await;
        assert_eq!(sums(&mut connection).await, more);
        tidy(&mut connection, NOW_MS + 3700 * DAY_MS).await;
        assert_eq!(sums(&mut connection).await, []);
    }
}

#[tokio::test]
async fn a_timeline_is_the_same_before_and_after() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    fill(&mut connection, &mut Dice(9), NOW_MS, 4_000, 1_000).await;
    let now = at(NOW_MS + DAY_MS);
    let for_ever = Retention {
        inputs_days: 100_000,
        sums_days: 100_000,
        ..Retention::default()
    };
    let journal = Journal::open(directory.path(), "0.1.0", now, for_ever).await;
    let end = at(NOW_MS + 4_000_000);
    let before = journal
        .timeline(at(NOW_MS), end, 900_000, 500)
        .await
        .unwrap();
    assert_eq!(before.len(), 5);
    // The middle of it is where thinning has come to.
    tidy(&mut connection, NOW_MS + 30 * DAY_MS + 2_000_000).await;
    assert!(count(&mut connection, 0).await > 0 && count(&mut connection, 10_000).await > 0);
    let half = journal
        .timeline(at(NOW_MS), end, 900_000, 500)
        .await
        .unwrap();
    assert_eq!(half, before);
    tidy(&mut connection, NOW_MS + 500 * DAY_MS).await;
    assert_eq!(count(&mut connection, 0).await, 0);
    let after = journal
        .timeline(at(NOW_MS), end, 900_000, 500)
        .await
        .unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn the_writer_is_never_held_up_for_long() {
    let directory = tempfile::tempdir().unwrap();
    let now = at(NOW_MS + 31 * DAY_MS);
    let journal = Journal::open(directory.path(), "0.1.0", now, Retention::default()).await;
    // A whole journal that is too old at once is thinned piece by piece.
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
    fill(&mut connection, &mut Dice(3), NOW_MS, 20_000, 1_000).await;
    sqlx::query("COMMIT")
        .execute(&mut connection)
        .await
        .unwrap();
    let worst = journal.tidy(now).await.unwrap();
    assert_eq!(count(&mut connection, 0).await, 0);
    println!("20000 readings thinned, the longest piece took {worst:?}");
    // Printed rather than asserted to the millisecond: this machine may have other work to do.
    assert!(worst < std::time::Duration::from_millis(500), "{worst:?}");
}
