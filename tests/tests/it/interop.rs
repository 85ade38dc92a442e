//! Other decoders read what the test encoder writes as Headroom reads it, or the reviewed list says why not.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use headroom_tests::{own_telegrams, program};
use tempfile::TempDir;

/// A Python that has the decoders of others; `None` where they are not installed.
fn python() -> Option<std::path::PathBuf> {
    let python = program::python()?;
    let has = Command::new(&python)
        .args(["-c", "import han, dsmr_parser, smllib"])
        .output()
        .is_ok_and(|output| output.status.success());
    assert!(
        has || std::env::var("HEADROOM_REQUIRE_PEERS").as_deref() != Ok("1"),
        "{} has no amshan, dsmr-parser and smllib: ./check installs them",
        python.display()
    );
    has.then_some(python)
}

fn compare(python: &Path, headroom: &Path, telegrams: &Path) -> Output {
    Command::new(python)
        .arg(program::workspace().join("tests/peers/decoders.py"))
        .arg(telegrams)
        .env("HEADROOM_BIN", headroom)
        .output()
        .unwrap()
}

#[test]
fn other_decoders_read_the_same_or_it_is_known_why_not() {
    let Some(python) = python() else {
        return;
    };
    let dir = TempDir::new().unwrap();
    let telegrams = dir.path().join("own");
    own_telegrams::write(&telegrams);
    let output = compare(&python, program::headroom(), &telegrams);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{table}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(table.contains("own-aidon-2.bin"), "{table}");
}

/// A program that reads one current wrong is found out.
#[test]
fn a_difference_that_nobody_explained_fails() {
    let Some(python) = python() else {
        return;
    };
    let dir = TempDir::new().unwrap();
    let telegrams = dir.path().join("own");
    own_telegrams::write(&telegrams);
    let liar = dir.path().join("liar");
    let script = format!(
        "#!/bin/sh\n'{}' \"$@\" | sed 's/\"current_a\":/\"current_a\":1/'\n",
        program::headroom().display()
    );
    fs::write(&liar, script).unwrap();
    fs::set_permissions(&liar, fs::Permissions::from_mode(0o755)).unwrap();
    let output = compare(&python, &liar, &telegrams);
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(
        table.contains("nobody explained") && table.contains("l1.current_a"),
        "{table}"
    );
}
