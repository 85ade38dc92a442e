//! Commands that fail: what they say, what they leave behind, and how they end.

use std::{fs, path::Path};

use headroom_tests::{
    controller::{self, Controller},
    process::Outcome,
};
use serde_json::json;
use tempfile::TempDir;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn refused(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for word in words {
        assert!(
            outcome.stderr.contains(word),
            "no {word:?}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_command_that_fails_leaves_no_data_directory_behind() {
    let dir = TempDir::new().unwrap();
    let nowhere = dir.path().join("a/b");
    let rubbish = dir.path().join("rubbish");
    fs::write(&rubbish, "[site]\n[site.main_fuse]\nrating_a = -1\n").unwrap();
    for command in [
        &["apply", text(&rubbish)][..],
        &["restore", text(&rubbish)],
        &["export"],
        &["export", "--with-secrets", "/dev/null/x"],
        &["replay"],
    ] {
        let arguments = [command, &["--data", text(&nowhere)]].concat();
        refused(&controller::run(&arguments, b""), &[]);
        assert!(!dir.path().join("a").exists(), "{command:?}");
    }
    // What was there, stays.
    fs::create_dir_all(&nowhere).unwrap();
    fs::write(nowhere.join("note"), "mine").unwrap();
    refused(
        &controller::run(&["restore", text(&rubbish), "--data", text(&nowhere)], b""),
        &["nothing was changed"],
    );
    assert!(nowhere.join("note").exists());
}

#[test]
fn everything_wrong_in_a_file_is_told_at_once_in_words() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let file = b"[site]\nfoo = 1\n[[chargers]]\nid = \"ev1\"\nmax_current_a = \"x\"\n[[chargers]]\nid = 3\n\
        [meter]\nct_ratio = nan\n[rest]\nx = 1\n";
    let outcome = controller::run(&["apply", "-", "--data", text(&data)], file);
    let words = [
        "nothing was changed",
        "site.foo is not known",
        "chargers.ev1.max_current_a",
        "chargers[1].id must be a text",
        "meter.ct_ratio must be a finite number",
        "rest is not known",
    ];
    refused(&outcome, &words);
    let file = b"[site.main_fuse]\nrating_a = \"a\"\n";
    let outcome = controller::run(&["apply", "-", "--data", text(&data)], file);
    refused(
        &outcome,
        &["site.main_fuse.rating_a must be a number, or a list of numbers"],
    );
    assert!(!outcome.stderr.contains("untagged"), "{}", outcome.stderr);
}

#[test]
fn a_file_does_not_prove_a_lease_and_says_so() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let file = b"[site]\nname = \"x\"\n[[chargers]]\nid = \"ev1\"\nlease = \"proven\"\n[chargers.driver]\nkind = \"ocpp\"\n\
        charge_point_id = \"CP1\"\nauth = \"none\"\n";
    let outcome = controller::run(&["apply", "-", "--data", text(&data)], file);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stderr.contains("chargers.ev1.lease") && outcome.stderr.contains("cut test"),
        "{}",
        outcome.stderr
    );
    let again = controller::run(&["export", "--data", text(&data)], b"");
    assert!(
        again.stdout.contains("lease = \"claimed\""),
        "{}",
        again.stdout
    );
}

#[test]
fn a_replay_says_what_there_is_not_and_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut controller = Controller::start(&data, None);
    controller.configure_site(25.0, &json!({}));
    controller.process.terminate();
    headroom_tests::wait::until("it ends", std::time::Duration::from_secs(20), || {
        controller.process.ended()
    });
    let before = names(&data);
    assert!(
        !before.iter().any(|name| name.ends_with("-shm")),
        "{before:?}"
    );
    let swapped = [
        "replay",
        "--data",
        text(&data),
        "--from",
        "2026-02-01T00:00:00Z",
        "--to",
        "2026-01-01T00:00:00Z",
    ];
    refused(
        &controller::run(&swapped, b""),
        &["--from", "is not before"],
    );
    let site = dir.path().join("site.toml");
    fs::write(&site, "[site]\nmargin_a = 1\n").unwrap();
    let past = [
        "replay",
        "--data",
        text(&data),
        "--to",
        "2020-01-01T00:00:00Z",
        "--with",
        text(&site),
    ];
    let outcome = controller::run(&past, b"");
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.len() > 20, "{outcome:?}");
    drop(controller::run(&["replay", "--data", text(&data)], b""));
    assert_eq!(names(&data), before);
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_table_to_compare_with_that_is_not_there_is_told_before_the_work() {
    let outcome = controller::run(&["simulate", "all", "--against", "/nowhere/table"], b"");
    refused(&outcome, &["/nowhere/table"]);
    assert!(!outcome.stderr.contains("runs in"), "{}", outcome.stderr);
}
