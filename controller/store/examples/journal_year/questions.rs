//! What the page asks for, and how long the answer takes.

use std::time::{Duration, Instant as Clock};

use headroom_store::{DecisionFilter, Journal};
use sqlx::sqlite::SqlitePool;

use crate::house::{BEGIN_MS, at};
use crate::year::{CHARGING_HOURS, DAY_MS, HOUR_MS, IDS_OF_HOUR, bytes, run};

/// A load of which one hour half a year ago decided something.
const SELDOM: &str = "heater";
/// When that was, in hours before the end.
const SELDOM_HOUR: i64 = 182 * 24 + 3;

/// The median of some runs.
pub(crate) async fn timed<T>(what: &str, mut ask: impl AsyncFnMut() -> T) {
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

/// Puts the decisions of the year into the list, as those that an earlier version left.
pub(crate) async fn list(journal: &Journal, pool: &SqlitePool) {
    let hour = 1000 + SELDOM_HOUR;
    run(
        pool,
        format!("UPDATE action SET load = '{SELDOM}' WHERE run = {hour}"),
    )
    .await;
    run(
        pool,
        "INSERT INTO decision_unlisted SELECT max(id) + 1 FROM decision".to_owned(),
    )
    .await;
    let seldom = filter(Some(SELDOM));
    timed("not listed yet: a load that is seldom", async || {
        journal.decisions(&seldom).await.unwrap()
    })
    .await;
    let before = bytes(pool).await;
    let begun = Clock::now();
    // The second hour of the house: nothing is too old, and nothing more is packed.
    let held = journal.tidy(at(2 * HOUR_MS)).await.unwrap();
    let took = begun.elapsed();
    let bytes = bytes(pool).await - before;
    let of = async |what: &str| -> i64 {
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}")));
        count.fetch_one(pool).await.unwrap()
    };
    let (listed, entries, kinds) = (
        of("decision").await,
        of("decision_listed").await,
        of("decision_kind").await,
    );
    let in_an_hour = of(&format!("decision WHERE run = 1 AND time_ms >= {BEGIN_MS}")).await;
    println!(
        "{listed} decisions listed in {took:.1?}, a piece held the writer for {held:.1?} (aim: 50): {entries} entries of {kinds} kinds, {bytes} bytes; \
        that is {} bytes for a day of such hours",
        bytes * in_an_hour * 24 / listed
    );
}

fn filter(load: Option<&str>) -> DecisionFilter {
    DecisionFilter {
        load: load.map(str::to_owned),
        ..DecisionFilter::default()
    }
}

/// Pages of decisions.
pub(crate) async fn decisions(journal: &Journal) {
    let page = |change: &dyn Fn(&mut DecisionFilter)| {
        let mut filter = DecisionFilter::default();
        change(&mut filter);
        filter
    };
    let some = |it: &str| Some(it.to_owned());
    let half = Some(-182 * 24 * IDS_OF_HOUR);
    for (what, filter) in [
        ("a decisions page (aim: 50)", page(&|_| {})),
        (
            "  of a day half a year ago",
            page(&|it| (it.from, it.to) = (Some(at(-201 * DAY_MS)), Some(at(-200 * DAY_MS)))),
        ),
        (
            "  from a year ago on",
            page(&|it| it.from = Some(at(-364 * DAY_MS))),
        ),
        (
            "  until half a year ago",
            page(&|it| it.to = Some(at(-182 * DAY_MS))),
        ),
        (
            "  behind half a year of pages",
            page(&|it| it.before = half),
        ),
        ("  of one load", page(&|it| it.load = some("ev3"))),
        (
            "  of a load that is seldom",
            page(&|it| it.load = some(SELDOM)),
        ),
        (
            "  of a load that never was",
            page(&|it| it.load = some("nobody")),
        ),
        ("  of one reason", page(&|it| it.code = some("main_fuse"))),
        (
            "  of a reason that never was",
            page(&|it| it.code = some("meter_lost")),
        ),
        (
            "  of one state",
            page(&|it| it.state = some("operating.curtailing")),
        ),
        (
            "  of a state that never was",
            page(&|it| it.state = some("degraded")),
        ),
        (
            "  of a load and a reason that never met",
            page(&|it| (it.load, it.code) = (some("ev3"), some("starting"))),
        ),
    ] {
        timed(what, async || journal.decisions(&filter).await.unwrap()).await;
    }
    let mut slowest = (Duration::ZERO, DecisionFilter::default());
    let mut asked = 0;
    for load in [None, some("ev3"), some(SELDOM), some("nobody")] {
        for code in [None, some("main_fuse"), some("lease"), some("meter_lost")] {
            for state in [
                None,
                some("operating.curtailing"),
                some("starting"),
                some("degraded"),
            ] {
                for (from, to) in [
                    (None, None),
                    (Some(-364 * DAY_MS), None),
                    (Some(-201 * DAY_MS), Some(-170 * DAY_MS)),
                    (Some(-3 * DAY_MS), Some(-CHARGING_HOURS * HOUR_MS)),
                ] {
                    for (renewals, before) in
                        [(false, None), (false, half), (true, None), (true, half)]
                    {
                        let filter = DecisionFilter {
                            load: load.clone(),
                            code: code.clone(),
                            state: state.clone(),
                            from: from.map(at),
                            to: to.map(at),
                            renewals,
                            before,
                            ..DecisionFilter::default()
                        };
                        let begun = Clock::now();
                        journal.decisions(&filter).await.unwrap();
                        asked += 1;
                        let took = begun.elapsed();
                        if took > slowest.0 {
                            slowest = (took, filter);
                        }
                    }
                }
            }
        }
    }
    let (took, filter) = slowest;
    println!(
        "  the slowest of {asked} combinations               {:>9.1} ms: {filter:?}",
        took.as_secs_f64() * 1000.0
    );
}
