//! What a user may not see is told as that, and not as what is not there.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    time::Duration,
};

use headroom_tests::{
    controller::{self, Controller, command},
    process::{self, Outcome},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A user who owns nothing here ("nobody" on Debian).
const NOBODY: u32 = 65_534;
/// Far longer than a command takes.
const LONG: Duration = Duration::from_secs(60);

/// As somebody whom the directory does not belong to. `None` where that cannot be: by another user than root on a directory
/// of their own it is closed instead.
fn as_stranger(arguments: &[&str], closed: &Path) -> Outcome {
    let mut command = command(arguments);
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    } else {
        let shut = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o0);
        fs::set_permissions(closed, shut).unwrap();
    }
    process::run(&mut command, b"", LONG)
}

fn open_again(closed: &Path) {
    let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
    fs::set_permissions(closed, open).unwrap();
}

fn finding<'a>(told: &'a Value, check: &str) -> &'a Value {
    let checks = told["checks"].as_array().unwrap();
    let mut found = checks.iter().filter(|it| it["check"] == check);
    found.next().unwrap()
}

#[test]
fn a_place_that_cannot_hold_the_data_is_told_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let shown = file.to_str().unwrap();
    for (place, words) in [
        (shown.to_owned(), "stands where a directory must be"),
        (format!("{shown}/data"), "stands where a directory must be"),
    ] {
        let outcome = controller::run(&["run", "--data", &place], b"");
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&place), "{}", outcome.stderr);
    }
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let shut = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
    fs::set_permissions(&closed, shut).unwrap();
    let below = closed.join("data");
    let outcome = as_stranger(&["run", "--data", below.to_str().unwrap()], &closed);
    open_again(&closed);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let words = "run this as the user of the service";
    assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
}

#[test]
fn what_may_not_be_looked_at_is_not_told_as_not_there() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    controller::create_token(&data, "one", "viewer");
    // Root's own test directory is closed to others already.
    let folder = data.to_str().unwrap();
    let file = dir.path().join("backup.tar");
    for arguments in [
        &["export"][..],
        &["token", "list"],
        &["token", "create", "--name", "two", "--role", "viewer"],
        &["password", "reset"],
        &["backup", file.to_str().unwrap()],
    ] {
        let told = as_stranger(&[arguments, &["--data", folder]].concat(), &data);
        assert_eq!(told.code, Some(1), "{arguments:?}: {told:?}");
        assert!(
            told.stderr.contains("may not look into") && told.stderr.contains("Permission denied"),
            "{arguments:?}: {}",
            told.stderr
        );
        for untrue in ["there is no Headroom", "there was no Headroom"] {
            assert!(
                !told.stderr.contains(untrue),
                "{arguments:?}: {}",
                told.stderr
            );
        }
    }
    let ports = ["--listen", "127.0.0.1:0", "--ocpp-listen", "127.0.0.1:0"];
    let told = as_stranger(
        &[&["doctor", "--json", "--data", folder][..], &ports].concat(),
        &data,
    );
    assert_eq!(told.code, Some(3), "{told:?}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(finding(&told, "lock")["state"], "warning", "{told:#}");
    for (check, words) in [
        ("lock", "cannot be told"),
        ("directory", "by this user"),
        ("database", "may not be read"),
    ] {
        let text = finding(&told, check)["text"].as_str().unwrap();
        assert!(text.contains(words), "{check}: {text}");
        let to_do = finding(&told, check)["to_do"].as_str().unwrap();
        assert!(to_do.contains("user of the service"), "{check}: {to_do}");
    }
    open_again(&data);
}

#[test]
fn the_doctor_says_what_is_true_of_a_directory_that_is_not_there() {
    let dir = TempDir::new().unwrap();
    let mut doctor = command(&[
        "doctor",
        "--json",
        "--data",
        "not-there",
        "--listen",
        "127.0.0.1:0",
        "--ocpp-listen",
        "127.0.0.1:0",
    ]);
    doctor.current_dir(dir.path());
    let told = process::run(&mut doctor, b"", LONG);
    assert_eq!(told.code, Some(0), "{told:?}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let text = |check| finding(&told, check)["text"].as_str().unwrap().to_owned();
    assert!(text("directory").ends_with("is not there"), "{told:#}");
    assert!(text("disk").contains("MiB are free"), "{told:#}");
}

#[test]
fn a_port_that_another_headroom_has_is_told_as_that() {
    let dir = TempDir::new().unwrap();
    let service = Controller::start(&dir.path().join("data"), None);
    let other = dir.path().join("other");
    let page = service.api.base.strip_prefix("http://").unwrap().to_owned();
    let arguments = [
        "doctor",
        "--json",
        "--data",
        other.to_str().unwrap(),
        "--listen",
        &page,
    ];
    let told = controller::run(&arguments, b"");
    assert_eq!(told.code, Some(3), "{told:?}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let text = finding(&told, "port")["text"].as_str().unwrap();
    assert!(text.starts_with("another Headroom listens"), "{text}");
    let run = controller::run(
        &[
            "run",
            "--data",
            other.to_str().unwrap(),
            "--listen",
            &page,
            "--ocpp-listen",
            "127.0.0.1:0",
        ],
        b"",
    );
    assert_eq!(run.code, Some(1), "{run:?}");
    for word in [
        "another program listens there",
        "ss -ltnp",
        "choose another port",
    ] {
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    // The one that runs says of itself that it is well.
    let own = service.data.to_str().unwrap();
    let ocpp = format!("0.0.0.0:{}", service.ocpp_port);
    let told = controller::run(
        &[
            "doctor",
            "--json",
            "--data",
            own,
            "--listen",
            &page,
            "--ocpp-listen",
            &ocpp,
        ],
        b"",
    );
    assert_eq!(told.code, Some(0), "{told:?}");
}

#[test]
fn a_damaged_journal_is_said_to_be_where_it_is() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut service = Controller::start(&data, None);
    service.process.kill();
    fs::write(data.join("journal.db"), vec![b'x'; 8192]).unwrap();
    for beside in ["journal.db-wal", "journal.db-shm"] {
        drop(fs::remove_file(data.join(beside)));
    }
    service.restart();
    let line = service.process.stderr.find(0, LONG, |line| {
        line.contains("the journal cannot be used")
            .then(|| line.to_owned())
    });
    let line = line.unwrap_or_else(|| panic!("{:#?}", service.process.stderr.all()));
    assert!(
        line.contains("set aside as") && line.contains("journal.db.damaged-"),
        "{line}"
    );
    assert!(!line.contains("left as it is"), "{line}");
}

/// In control without a meter somebody must be told at once, and what is told must be true.
#[test]
fn control_without_a_meter_is_an_alarm_from_the_start() {
    let dir = TempDir::new().unwrap();
    let mut service = Controller::start(&dir.path().join("data"), None);
    let alarms = |status: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let all = status["alarms"].as_array().unwrap().iter();
        all.map(|it| (text(&it["code"]), text(&it["text"])))
            .collect()
    };
    assert!(
        alarms(&service.status()).is_empty(),
        "a house that is only observed is not set up yet"
    );
    service.configure_site(25.0, &json!({"lost_after_s": 3600}));
    service.restart();
    let (code, text) =
        service.wait_status("the alarm", LONG, |status| alarms(status).first().cloned());
    assert_eq!(code, "meter_source");
    for words in ["no meter is read", "Nothing is raised", "name its source"] {
        assert!(text.contains(words), "{text}");
    }
    let told = service.status()["reason"]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        told.contains("nothing is raised") && told.contains("keeps what it has"),
        "{told}"
    );
    // Then the engine misses its readings, and one alarm stays.
    service.configure_site(25.0, &json!({"lost_after_s": 1}));
    service.wait_status("the meter is lost", LONG, |status| {
        let all = alarms(status);
        (all.len() == 1 && all[0].0 == "meter_lost").then_some(())
    });
}
