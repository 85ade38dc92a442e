//! A year out of an hour: its rows again and again in SQL, as retention would leave them.

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use crate::house::BEGIN_MS;

/// Numbers of decisions that an hour has for itself.
pub(crate) const IDS_OF_HOUR: i64 = 10_000_000;
pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// Hours of a day in which four cars want to charge; besides there is little to decide.
pub(crate) const CHARGING_HOURS: i64 = 8;

pub(crate) async fn pool(directory: &Path) -> SqlitePool {
    let path = directory.join("journal.db");
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    options.connect(path.to_str().unwrap()).await.unwrap()
}

pub(crate) async fn bytes(pool: &SqlitePool) -> i64 {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query_scalar("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()")
        .fetch_one(pool)
        .await
        .unwrap()
}

pub(crate) async fn run(pool: &SqlitePool, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(pool)
        .await
        .unwrap();
}

/// The rows of the hour again, in the first `hours` hours of each of so many days before the end. Their numbers count down from `last`.
pub(crate) async fn copies(
    pool: &SqlitePool,
    (days, hours): (i64, i64),
    (end_ms, last): (i64, i64),
    statements: &[&str],
) {
    run(pool, "BEGIN".to_owned()).await;
    for hour in (1..days * 24).filter(|hour| hour % 24 < hours) {
        let shift = end_ms - hour * HOUR_MS;
        for statement in statements {
            let statement = statement
                .replace("SHIFT", &shift.to_string())
                .replace("RUN", &(1000 + hour).to_string())
                .replace("FAR", &(hour * IDS_OF_HOUR - last).to_string());
            run(pool, statement).await;
        }
    }
    run(pool, "COMMIT".to_owned()).await;
}

/// The renewals, or all other decisions; `columns` is what each schema has besides.
pub(crate) fn decisions(renewals: bool, columns: &str) -> [String; 2] {
    let renewals = u8::from(renewals);
    let hour = format!("id > 0 AND id < {IDS_OF_HOUR}");
    [
        format!(
            "INSERT INTO decision SELECT id - FAR, RUN, seq, time_ms + SHIFT, t_ms, state, reason_code, reason, renewal_only, inputs{columns} \
            FROM decision WHERE {hour} AND renewal_only = {renewals}"
        ),
        format!(
            "INSERT INTO action SELECT RUN, command, decision - FAR, load, reason_code, renewal, body, outcome, sent_ms + SHIFT, \
            acknowledged_ms + SHIFT, seen_ms FROM action WHERE run = 1 AND decision IN (SELECT id FROM decision WHERE {hour} AND renewal_only = {renewals})"
        ),
    ]
}

pub(crate) const CHECKPOINTS: &str = "INSERT INTO checkpoint SELECT RUN, seq, t_ms, time_ms + SHIFT, decision, version, body FROM checkpoint WHERE run = 1";

/// Thinned readings of a year but for its last month.
pub(crate) async fn means(pool: &SqlitePool, end_ms: i64) {
    let end_ms = BEGIN_MS + end_ms;
    for (step_ms, from, to) in [(10_000, 90, 30), (60_000, 365, 90)] {
        run(pool, format!("WITH RECURSIVE step(ms) AS (SELECT {end_ms} - {from} * {DAY_MS} UNION ALL SELECT ms + {step_ms} FROM step \
            WHERE ms + {step_ms} < {end_ms} - {to} * {DAY_MS}) INSERT INTO reading_mean (step_ms, time_ms, circuit, has, phases, samples, l1_ma, l1_max_ma, \
            l1_mv, l2_ma, l2_max_ma, l2_mv, l3_ma, l3_max_ma, l3_mv, power_w) SELECT {step_ms}, ms, '', 731, 3, {step_ms} / 1000, 14321 * {step_ms} / 1000, 17345, \
            231234 * {step_ms} / 1000, 12321 * {step_ms} / 1000, 15345, 230234 * {step_ms} / 1000, 11321 * {step_ms} / 1000, 13345, 229234 * {step_ms} / 1000, \
            8765 * {step_ms} / 1000 FROM step")).await;
    }
}

/// Energy of a year, each quarter of an hour.
pub(crate) async fn energy(pool: &SqlitePool, end_ms: i64) {
    let end_ms = BEGIN_MS + end_ms;
    for load in ["", "ev1", "ev2", "ev3", "ev4"] {
        run(pool, format!("WITH RECURSIVE step(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 365 * 96) \
            INSERT INTO energy SELECT {end_ms} - n * 900000, '{load}', 1, 0, 1234567 + n FROM step")).await;
        run(pool, format!("WITH RECURSIVE step(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < 365 * 96) \
            INSERT INTO curtailed SELECT {end_ms} - n * 900000, '{load}', 1, 0, 'main_fuse', 'l' || (n % 3 + 1), 'main', '', 234567 + n FROM step WHERE '{load}' <> ''")).await;
    }
}
