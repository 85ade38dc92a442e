//! A year that an earlier version left: the third schema, with its migrations alone, every input a row of its own and every decision's inputs
//! as text. Then a start on it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Clock};

use headroom_core::event::Tick;
use headroom_core::{Event, Instant};
use headroom_store::{Journal, Retention, StateDb};
use jiff::Timestamp;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tempfile::TempDir;

use crate::MB;
use crate::house::BEGIN_MS;
use crate::year::{
    self, CHARGING_HOURS, CHECKPOINTS, HOUR_MS, IDS_OF_HOUR, bytes, copies, pool, run,
};

/// What an earlier version knew.
const MIGRATIONS: [(&str, &str); 3] = [
    (
        "initial",
        include_str!("../../../../migrations/journal/0001_initial.sql"),
    ),
    (
        "checkpoint",
        include_str!("../../../../migrations/journal/0002_checkpoint.sql"),
    ),
    (
        "energy",
        include_str!("../../../../migrations/journal/0003_energy.sql"),
    ),
];
/// The last run of the earlier version.
const LAST_RUN: i64 = 100_000;
/// How long it is watched after it is open.
const WATCHED: Duration = Duration::from_secs(15);
/// Between two records that are told meanwhile.
const BEAT: Duration = Duration::from_millis(20);
/// A service that needs longer than this has failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// The hour that stands in a journal, as an earlier version would have written it.
pub(crate) async fn hour(journal: &Journal, from: &Path, to: &Path) {
    let options = SqliteConnectOptions::new()
        .filename(to.join("journal.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let old = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .unwrap();
    let migrations = (1..).zip(MIGRATIONS).map(|(number, (what, sql))| {
        Migration::new(
            number,
            what.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
        .run(&old)
        .await
        .unwrap();
    run(
        &old,
        format!("ATTACH '{}' AS new", from.join("journal.db").display()),
    )
    .await;
    for table in [
        "run",
        "reading",
        "event",
        "action",
        "checkpoint",
        "energy",
        "curtailed",
    ] {
        run(
            &old,
            format!("INSERT INTO {table} SELECT * FROM new.{table}"),
        )
        .await;
    }
    run(
        &old,
        "INSERT INTO decision SELECT id, run, seq, time_ms, t_ms, state, reason_code, reason, renewal_only, '' FROM new.decision".to_owned(),
    )
    .await;
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM decision")
        .fetch_all(&old)
        .await
        .unwrap();
    for id in ids {
        let decision = journal.decision_by_id(id).await.unwrap().unwrap();
        sqlx::query("UPDATE decision SET inputs = ?2 WHERE id = ?1")
            .bind(id)
            .bind(decision.inputs.unwrap().to_string())
            .execute(&old)
            .await
            .unwrap();
    }
    run(&old, "DETACH new".to_owned()).await;
    old.close().await;
}

/// A year of such hours, and a start on it: by the service, and beside a writer that is watched.
pub(crate) async fn start(directory: TempDir, binary: &OsStr) {
    let begun = Clock::now();
    let old = pool(directory.path()).await;
    fill(&old).await;
    let size = bytes(&old).await;
    let before = counts(&old).await;
    old.close().await;
    println!(
        "a year of the third schema: {:.1} MB, {} readings and {} other inputs as rows, {} decisions, made in {:.1?}",
        size as f64 / MB,
        before[0],
        before[1],
        before[2],
        begun.elapsed()
    );
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(
        directory.path().join("journal.db"),
        copy.path().join("journal.db"),
    )
    .unwrap();
    // A house stands beside its journal, or the service refuses to begin.
    let house = TempDir::new().unwrap();
    StateDb::open(house.path()).await.unwrap().close().await;
    std::fs::copy(house.path().join("state.db"), copy.path().join("state.db")).unwrap();
    service(Command::new(binary), copy.path());
    whole(copy.path(), before).await;
    drop(copy);
    watched(directory.path()).await;
    whole(directory.path(), before).await;
}

async fn fill(old: &SqlitePool) {
    run(old, "PRAGMA synchronous = OFF".to_owned()).await;
    // The newest hour ended two hours ago.
    let end_ms = Timestamp::now().as_millisecond() - BEGIN_MS - 2 * HOUR_MS;
    let readings = "INSERT INTO reading SELECT NULL, RUN, seq, t_ms, time_ms + SHIFT, circuit, phases, present, l1_ma, l2_ma, l3_ma, l1_mv, l2_mv, \
        l3_mv, l1_w, l2_w, l3_w, power_w, reactive_var FROM reading WHERE run = 1";
    let events =
        "INSERT INTO event SELECT RUN, seq, t_ms, time_ms + SHIFT, body FROM event WHERE run = 1";
    let end = (end_ms, 366 * 24 * IDS_OF_HOUR);
    run(
        old,
        format!("INSERT INTO run VALUES ({LAST_RUN}, 0, '0.0.9')"),
    )
    .await;
    // The oldest day of what is kept in full has been thinned already.
    copies(old, (29, 24), end, &[readings, events, CHECKPOINTS]).await;
    for (days, renewals) in [(365, false), (6, true)] {
        let statements = year::decisions(renewals, "");
        let statements = statements.each_ref().map(String::as_str);
        copies(old, (days, CHARGING_HOURS), end, &statements).await;
    }
    year::means(old, end_ms).await;
    year::energy(old, end_ms).await;
    for table in ["reading", "event", "checkpoint"] {
        run(old, format!("DELETE FROM {table} WHERE run = 1")).await;
    }
    run(old, "DELETE FROM action WHERE run = 1".to_owned()).await;
    run(old, "DELETE FROM decision WHERE run = 1".to_owned()).await;
}

/// Readings and other inputs of the year, decisions and commands.
async fn counts(pool: &SqlitePool) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts
        .iter_mut()
        .zip(["reading", "event", "decision", "action"])
    {
        let statement =
            format!("SELECT count(*) FROM {table} WHERE run BETWEEN 1000 AND {LAST_RUN}");
        *count = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_one(pool)
            .await
            .unwrap();
    }
    counts
}

/// Nothing of the year is lost, nor of what was told since.
async fn whole(directory: &Path, before: [i64; 4]) {
    let pool = pool(directory).await;
    let after = counts(&pool).await;
    let one = async |statement: &str| -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(statement.to_owned()))
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    // The hours of the year have no gaps.
    let packed = format!(
        "SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM input_block WHERE run BETWEEN 1000 AND {LAST_RUN}"
    );
    assert_eq!(
        after[0] + after[1] + one(&packed).await,
        before[0] + before[1],
        "inputs"
    );
    assert_eq!(after[2..], before[2..], "decisions and commands");
    let of_tables = |what: &str| {
        let of =
            |table| format!("(SELECT coalesce({what}, 0) FROM {table} WHERE run > {LAST_RUN})");
        [of("reading"), of("event")]
    };
    let told = one(&format!("SELECT {}", of_tables("count(*)").join("+"))).await;
    let last = one(&format!("SELECT max({})", of_tables("max(seq)").join(","))).await;
    assert_eq!(told, last, "what was told since");
    let listed = one("SELECT count(DISTINCT decision) FROM decision_listed").await;
    println!("  nothing is lost: {told} inputs since, {listed} decisions listed so far");
    pool.close().await;
}

/// The journal begins beside whoever tells it things.
async fn watched(directory: &Path) {
    let begun = Clock::now();
    let now = Timestamp::now();
    let journal = Journal::begin(directory, "0.1.0", now, Retention::default()).await;
    let numbers = begun.elapsed();
    let tell = || journal.event(Timestamp::now(), Instant(0), Event::Tick(Tick {}));
    tell();
    let opened = {
        let opened = journal.opened();
        tokio::pin!(opened);
        loop {
            tokio::select! {
                () = &mut opened => break begun.elapsed(),
                () = tokio::time::sleep(BEAT) => { tell(); }
            }
        }
    };
    journal.flush().await;
    let written = begun.elapsed();
    // All that there is to list and to pack, without a pause, for a while.
    let tidying = journal.clone();
    let tidying = tokio::spawn(async move { tidying.tidy(now).await });
    let (mut worst, mut count) = (Duration::ZERO, 0);
    let watch = Clock::now();
    while watch.elapsed() < WATCHED {
        tell();
        let told = Clock::now();
        journal.flush().await;
        worst = worst.max(told.elapsed());
        count += 1;
        tokio::time::sleep(BEAT).await;
    }
    println!(
        "  begun in {numbers:.1?}, brought up to date beside the loop in {opened:.1?}, what was told meanwhile written after {written:.1?}, {} dropped",
        journal.dropped()
    );
    println!(
        "  while its decisions are listed and its inputs packed: {count} rows written, each within {worst:.1?} (aim: 50)"
    );
    journal.close().await;
    tidying.await.unwrap();
}

/// The real service on it: until it controls, and until its journal is there.
fn service(mut command: Command, directory: &Path) {
    command
        .args([
            "run",
            "--listen",
            "127.0.0.1:0",
            "--ocpp-listen",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(directory)
        .stdout(Stdio::piped())
        .env("RUST_LOG", "warn")
        .stderr(Stdio::inherit());
    let begun = Clock::now();
    let mut service = Service(command.spawn().unwrap());
    let lines = BufReader::new(service.0.stdout.take().unwrap()).lines();
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| {
            let rest = line.split_once("http://")?.1;
            rest.split(['/', ' ']).next().map(str::to_owned)
        })
        .unwrap();
    let mut longest = Duration::ZERO;
    let mut until = |path: &str| {
        loop {
            let asked = Clock::now();
            let ok = is_ok(&address, path);
            longest = longest.max(asked.elapsed());
            if ok {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "{path}");
            std::thread::sleep(BEAT);
        }
    };
    let back = until("/healthz");
    let ready = until("/readyz");
    // It steps on while the journal is tidied.
    let watch = Clock::now();
    while watch.elapsed() < Duration::from_secs(5) {
        until("/healthz");
    }
    println!(
        "  the service on it: back in control after {back:.1?} (aim: 5 s), its journal there after {ready:.1?}; the longest answer of /healthz {longest:.1?}"
    );
    drop(service);
}

/// Ends with a request to end, so that it closes the journal.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        assert!(asked.is_ok_and(|status| status.success()));
        self.0.wait().unwrap();
    }
}

fn is_ok(address: &str, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let asked = stream
        .write_all(request.as_bytes())
        .and_then(|()| stream.read_to_string(&mut answer));
    asked.is_ok() && answer.starts_with("HTTP/1.1 200")
}
