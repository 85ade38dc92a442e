//! Arrows between crates point inward, and the pure crates are pure by what they depend on.

use std::collections::{BTreeMap, BTreeSet};

use headroom_tests::program;
use serde_json::Value;

/// Each crate and the crates of the workspace that it may use.
const ARROWS: [(&str, &[&str]); 12] = [
    ("headroom-core", &[]),
    ("headroom-codec", &["headroom-encode"]),
    ("headroom-ocpp", &[]),
    ("headroom-store", &["headroom-core"]),
    ("headroom-sim", &["headroom-core"]),
    ("headroom-replay", &["headroom-core", "headroom-store"]),
    (
        "headroom-meter-io",
        &["headroom-codec", "headroom-core", "headroom-encode"],
    ),
    ("headroom-chargers", &["headroom-ocpp", "headroom-core"]),
    (
        "headroom-web",
        &["headroom-core", "headroom-store", "headroom-replay"],
    ),
    (
        "headroom",
        &[
            "headroom-core",
            "headroom-store",
            "headroom-sim",
            "headroom-replay",
            "headroom-codec",
            "headroom-meter-io",
            "headroom-ocpp",
            "headroom-chargers",
            "headroom-web",
        ],
    ),
    // Only in tests: the product does not know them.
    ("headroom-encode", &[]),
    (
        "headroom-tests",
        &["headroom-core", "headroom-codec", "headroom-encode"],
    ),
];

/// What nobody who must be pure may use: clocks, sockets, threads of a runtime, a database.
const IMPURE: [&str; 7] = [
    "tokio",
    "axum",
    "reqwest",
    "sqlx",
    "tokio-serial",
    "getrandom",
    "rand",
];

/// Names of the crates that each crate of the workspace uses outside its tests.
fn dependencies(metadata: &Value, tests_too: bool) -> BTreeMap<String, BTreeSet<String>> {
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let used = package["dependencies"].as_array().unwrap().iter();
            let used = used
                .filter(|one| tests_too || one["kind"] != "dev")
                .map(name)
                .collect();
            (name(package), used)
        })
        .collect()
}

fn metadata() -> Value {
    let output = program::cargo()
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--locked",
            "--offline",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Arrows that are not allowed, as `from -> to`.
fn forbidden(dependencies: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (from, used) in dependencies {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == from) else {
            found.push(format!("{from} is not in the map of crates"));
            continue;
        };
        let outward = used
            .iter()
            .filter(|to| dependencies.contains_key(*to) && !allowed.contains(&to.as_str()));
        found.extend(outward.map(|to| format!("{from} -> {to}")));
    }
    found
}

#[test]
fn arrows_between_crates_point_inward() {
    let dependencies = dependencies(&metadata(), true);
    assert_eq!(dependencies.len(), ARROWS.len(), "each crate is in the map");
    assert_eq!(forbidden(&dependencies), Vec::<String>::new());
}

#[test]
fn an_arrow_that_turned_is_found() {
    let mut dependencies = dependencies(&metadata(), true);
    dependencies
        .get_mut("headroom-core")
        .unwrap()
        .insert("headroom-store".to_owned());
    dependencies.insert("headroom-new".to_owned(), BTreeSet::new());
    assert_eq!(
        forbidden(&dependencies),
        [
            "headroom-core -> headroom-store",
            "headroom-new is not in the map of crates"
        ]
    );
}

#[test]
fn the_product_does_not_know_the_encoder_of_its_tests() {
    let mut dependencies = dependencies(&metadata(), false);
    dependencies.remove("headroom-tests");
    dependencies.retain(|_, used| used.contains("headroom-encode"));
    assert_eq!(dependencies, BTreeMap::new());
}

#[test]
fn the_core_depends_on_statig_serde_and_thiserror_only() {
    let dependencies = dependencies(&metadata(), false);
    let expected: BTreeSet<String> = ["serde", "statig", "thiserror"].map(str::to_owned).into();
    assert_eq!(dependencies["headroom-core"], expected);
}

#[test]
fn pure_crates_use_no_runtime_socket_or_database() {
    let dependencies = dependencies(&metadata(), false);
    for name in ["headroom-core", "headroom-codec", "headroom-ocpp"] {
        let impure: Vec<_> = IMPURE
            .iter()
            .filter(|crate_name| dependencies[name].contains(**crate_name))
            .collect();
        assert!(impure.is_empty(), "{name} uses {impure:?}");
    }
}
