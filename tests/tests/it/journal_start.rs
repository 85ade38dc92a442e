//! The loop does not wait for the journal: a file that cannot be brought up to date yet holds up nobody who guards a fuse.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use headroom_tests::{api::Api, controller, process::Process, program, wait};
use tempfile::TempDir;

/// What a service that was killed may take until it controls again.
const BACK: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(60);

/// Makes the journal one of the third schema, and holds it until its standard input ends.
const HOLD: &str = "\
import sqlite3, sys
journal = sqlite3.connect(sys.argv[1], isolation_level=None)
journal.execute('BEGIN IMMEDIATE')
for name in ('input_block', 'decision_kind', 'decision_listed', 'decision_unlisted'):
    journal.execute('DROP TABLE ' + name)
journal.execute('ALTER TABLE decision DROP COLUMN packed')
journal.execute('DELETE FROM _sqlx_migrations WHERE version >= 4')
journal.execute('COMMIT')
journal.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.readline()
journal.execute('ROLLBACK')
";

fn start(data: &TempDir) -> (Process, Api) {
    let data = data.path().to_str().unwrap();
    let arguments = [
        "run",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--ocpp-listen",
        "127.0.0.1:0",
    ];
    let service = Process::start(&mut controller::command(&arguments));
    let api = Api::new(&controller::address(&service));
    (service, api)
}

#[test]
fn control_is_back_while_the_journal_is_still_brought_up_to_date() {
    let Some(python) = program::python() else {
        return;
    };
    let data = TempDir::new().unwrap();
    let (service, api) = start(&data);
    let root = |api: &Api, path: &str| api.get(&format!("/{path}")).status;
    wait::until("it is ready", SOON, || {
        (root(&api, "readyz") == 200).then_some(())
    });
    drop(service);

    let mut command = Command::new(python);
    command
        .args(["-c", HOLD])
        .arg(data.path().join("journal.db"));
    let mut holder = Process::start(&mut command);
    let held = |line: &str| (line == "held").then_some(());
    assert!(
        holder.stdout.find(0, SOON, held).is_some(),
        "{:?}",
        holder.stderr.all()
    );

    let begun = Instant::now();
    let (_service, api) = start(&data);
    wait::until("the loop steps", BACK, || {
        (root(&api, "healthz") == 200).then_some(())
    });
    println!(
        "control was back {:?} after the start, without a journal",
        begun.elapsed()
    );
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
    assert_eq!(root(&api, "readyz"), 503, "the journal is not there yet");
    holder.write_line("");
    wait::until("it is ready", SOON, || {
        (root(&api, "readyz") == 200).then_some(())
    });
}
