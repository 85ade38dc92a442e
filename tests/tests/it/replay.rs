//! `headroom replay` on a journal that the demo recorded: the same decisions again, byte for byte; what was changed in the
//! file afterwards is found, and what was removed is named.

use std::{fs, path::Path, process::Command, time::Duration};

use headroom_tests::{controller, demo::Demo, process, process::Outcome, program};
use serde_json::Value;
use tempfile::TempDir;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);

fn replay(data: &Path, more: &[&str]) -> Outcome {
    let arguments = [&["replay", "--data", data.to_str().unwrap()], more].concat();
    process::run(&mut controller::command(&arguments), b"", SOON)
}

fn report(data: &Path, code: i32) -> Value {
    let outcome = replay(data, &["--json"]);
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// Copies a data directory and changes its journal, as anybody can with the SQLite of Python.
fn changed(data: &Path, statement: &str) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(data).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_str().unwrap().contains(".db") {
            continue;
        }
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let script = "import sqlite3, sys\njournal = sqlite3.connect(sys.argv[1])\n\
        assert journal.execute(sys.argv[2]).rowcount > 0\njournal.commit()\n";
    let mut command = Command::new(program::python().unwrap());
    command.args(["-c", script]);
    command.arg(copy.path().join("journal.db")).arg(statement);
    let done = process::run(&mut command, b"", SOON);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    copy
}

#[test]
fn a_journal_that_the_demo_recorded_gives_the_same_decisions() {
    let mut demo = Demo::fast(40);
    let (api, data) = (demo.api.clone(), demo.data());
    // Beside the running service.
    let now = report(&data, 0);
    let smaller = serde_json::json!({"site": {"main_fuse": {"rating_a": 16}}});
    let told = api.post("what-if", &smaller).expect(201).json;
    let nothing = api.post(
        "what-if",
        &serde_json::json!({"to": "2020-01-01T00:00:00Z"}),
    );
    assert_eq!(nothing.expect(422).json["errors"][0]["field"], "from");
    drop(
        api.post("what-if", &serde_json::json!({"fuse": 16}))
            .expect(422),
    );
    let text = serde_json::json!({"site": {"main_fuse": {"rating_a": "x"}}});
    let refused = &api.post("what-if", &text).expect(422).json["errors"][0];
    assert_eq!(refused["field"], "site.main_fuse.rating_a");
    assert_eq!(refused["message"], "must be a number, or a list of numbers");
    demo.process.kill();

    // What would have been: the same from the page and from the command.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("site.toml");
    fs::write(&file, "[site.main_fuse]\nrating_a = 16\n").unwrap();
    let with = replay(&data, &["--json", "--with", file.to_str().unwrap()]);
    assert_eq!(with.code, Some(0), "{with:?}");
    let with: Value = serde_json::from_str(&with.stdout).unwrap();
    for told in [&told, &with] {
        let energy = |side: &str| told[side]["energy_kwh"].as_f64().unwrap();
        assert!(energy("changed") < energy("same"), "{told:#}");
        let apart = (energy("same") - energy("recorded")).abs();
        assert!(apart < 0.2 * energy("recorded"), "{told:#}");
    }
    println!("what if: {}", with["changed"]);
    let table = replay(&data, &["--with", file.to_str().unwrap()]);
    assert!(table.stdout.contains("thermal margin"), "{}", table.stdout);

    let whole = report(&data, 0);
    assert_eq!(whole["verdict"], "reproduced");
    assert_eq!(whole["gaps"], serde_json::json!([]), "{whole:#}");
    let count = |report: &Value, what: &str| report[what].as_u64().unwrap();
    println!(
        "{} inputs, {} decisions, {} checkpoints, all the same again",
        count(&whole, "inputs"),
        count(&whole, "decisions"),
        count(&whole, "checkpoints")
    );
    assert!(count(&whole, "decisions") >= 40);
    assert!(count(&whole, "inputs") >= count(&now, "inputs"));
    let text = replay(&data, &[]);
    assert!(text.stdout.contains("reproduced: "), "{}", text.stdout);
    let later = replay(&data, &["--from", "2100-01-01T00:00:00Z"]);
    assert_eq!(later.code, Some(2), "{later:?}");
    if program::python().is_none() {
        return;
    }

    // What a command says in the file is not what the engine says.
    let action = "UPDATE action SET body = replace(body, '\"command\":7,', '\"command\":77,') WHERE command = 7";
    let tampered = changed(&data, action);
    let outcome = replay(tampered.path(), &[]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    for side in [
        "the first difference: ",
        "  recorded  decision ",
        "  replayed  ",
        "\"command\":77",
        "\"command\":7,",
    ] {
        assert!(outcome.stdout.contains(side), "{side}: {}", outcome.stdout);
    }
    let found = report(tampered.path(), 3);
    let both = &found["difference"];
    assert_ne!(both["recorded"]["actions"], both["replayed"]["actions"]);
    assert_eq!(both["recorded"]["state"], both["replayed"]["state"]);

    // What is not there any more cannot be judged, and is named.
    let removed = changed(
        &data,
        "DELETE FROM reading WHERE seq IN (SELECT seq FROM reading ORDER BY seq LIMIT 2 OFFSET 60)",
    );
    let found = report(removed.path(), 0);
    assert_eq!(found["gaps"][0]["kind"], "inputs", "{found:#}");
    assert_eq!(found["gaps"][0]["missing"], 2);
    let removed = changed(&data, "DELETE FROM decision WHERE id = 9");
    let found = report(removed.path(), 0);
    assert_eq!(found["gaps"][0]["kind"], "decisions", "{found:#}");
}

#[test]
fn where_there_is_no_journal_that_is_told() {
    let empty = TempDir::new().unwrap();
    let outcome = replay(empty.path(), &[]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("journal.db"), "{}", outcome.stderr);
    let wrong = replay(empty.path(), &["--from", "yesterday"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("2026-01-15T12:00:00Z"),
        "{}",
        wrong.stderr
    );
}
