//! The documents tell the truth where a program can check it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use headroom_core::ReasonCode;
use headroom_tests::program::workspace;

/// Every reason: the compiler names this list when a new one is missing in it.
fn reasons() -> Vec<ReasonCode> {
    use ReasonCode as R;
    let all = [
        R::MainFuse,
        R::Circuit,
        R::PowerLimit,
        R::Thermal,
        R::Priority,
        R::FairShare,
        R::Rotation,
        R::Hysteresis,
        R::MeterStale,
        R::MeterLost,
        R::ChargerLost,
        R::NotObeying,
        R::User,
        R::Demand,
        R::Restored,
        R::Lease,
        R::Starting,
        R::Observe,
        R::MaxOff,
        R::Learning,
        R::Normal,
    ];
    for code in all {
        match code {
            R::MainFuse
            | R::Circuit
            | R::PowerLimit
            | R::Thermal
            | R::Priority
            | R::FairShare
            | R::Rotation
            | R::Hysteresis
            | R::MeterStale
            | R::MeterLost
            | R::ChargerLost
            | R::NotObeying
            | R::User
            | R::Demand
            | R::Restored
            | R::Lease
            | R::Starting
            | R::Observe
            | R::MaxOff
            | R::Learning
            | R::Normal => {}
        }
    }
    all.to_vec()
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir()
                && !name.starts_with('.')
                && !["target", "node_modules"].contains(&name)
            {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_reason_is_described_and_no_other() {
    let text = read(&workspace().join("docs/reasons.md"));
    let mut described: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split_once('`')
                .map(|(code, _)| code)
        })
        .collect();
    described.sort_unstable();
    let mut codes: Vec<String> = reasons()
        .iter()
        .map(|code| {
            serde_json::to_value(code)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    codes.sort_unstable();
    assert_eq!(described, codes);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = read(&document);
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap_or_default();
            let outside =
                target.contains("://") || target.starts_with("mailto:") || file.is_empty();
            if !outside && !document.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// The invariants in `ARCHITECTURE.md` are numbered, and each names its tests as `module::test` of this binary
/// or as a function of the crate it lies in.
#[test]
fn every_invariant_has_a_test_that_exists() {
    let text = read(&workspace().join("ARCHITECTURE.md"));
    let section = text
        .split("## Invariants")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let sources = sources();
    let mut invariants = 0;
    for item in section.split("\n**").skip(1) {
        invariants += 1;
        let (_, tests) = item
            .split_once("Tests:")
            .unwrap_or_else(|| panic!("no tests named: {item}"));
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{item}");
        for name in names {
            let function = name.rsplit("::").next().unwrap();
            let definition = format!("fn {function}(");
            assert!(
                sources.iter().any(|source| source.contains(&definition)),
                "there is no test {name}"
            );
        }
    }
    assert_eq!(invariants, 9);
}

/// The texts of all Rust files.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let folders = [
        "controller",
        "meter-io",
        "chargers",
        "web/src",
        "tests/src",
        "tests/tests",
    ];
    let mut folders: Vec<PathBuf> = folders
        .iter()
        .map(|folder| workspace().join(folder))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(&path));
            }
        }
    }
    found
}

#[test]
fn the_change_log_names_this_version() {
    let text = read(&workspace().join("CHANGELOG.md"));
    assert!(
        text.contains("## [Unreleased]")
            || text.contains(&format!("## [{}]", env!("CARGO_PKG_VERSION")))
    );
}
