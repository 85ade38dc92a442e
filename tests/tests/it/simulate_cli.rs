//! `headroom simulate`: the benchmark from outside.

use std::fs;
use std::path::PathBuf;

use headroom_tests::{controller, process::Outcome};
use serde_json::Value;
use tempfile::TempDir;

/// Two hours of a house with a steady background; 3 × 16 A less 4 A leave the car 12 A.
const STEADY: &str = r#"
title = "a steady house"
duration_h = 2
seeds = 1
chargers = [{ id = "ev1", phases = ["l1", "l2", "l3"] }]
visits = [{ from_h = 0, to_h = 3 }]

[site]
main_fuse = { rating_a = 16 }

[background]
kind = "constant"
amps = [4, 3, 2]
"#;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

fn simulate(arguments: &[&str]) -> Outcome {
    let mut all = vec!["simulate"];
    all.extend(arguments);
    controller::run(&all, b"")
}

#[test]
fn a_scenario_gives_a_row_for_each_controller() {
    let files = Files::new();
    let path = files.write("steady.toml", STEADY);
    let outcome = simulate(&[path.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let text = &outcome.stdout;
    let energy = |name: &str| -> f64 {
        let row = text
            .lines()
            .find(|line| line.starts_with("steady") && line.contains(&format!(" {name} ")))
            .unwrap_or_else(|| panic!("no row of {name} in\n{text}"));
        row.split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    assert_eq!(energy("clairvoyant"), 100.0);
    assert!(
        energy("promise") > 80.0 && energy("promise") < 100.0,
        "{text}"
    );
    // Whole amperes beside 4.0 A are 12 of 12.
    for name in ["headroom", "evcc", "hold", "static"] {
        assert!(energy(name) > 90.0, "{name}: {}\n{text}", energy(name));
        assert!(energy(name) <= 100.5, "{name}: {}\n{text}", energy(name));
    }
    let again = simulate(&[path.to_str().unwrap()]);
    assert_eq!(
        text, &again.stdout,
        "the same scenario gives the same table"
    );
}

#[test]
fn json_holds_the_metrics_of_one_controller() {
    let files = Files::new();
    let path = files.write("steady.toml", STEADY);
    let outcome = simulate(&[path.to_str().unwrap(), "--json", "--controller", "headroom"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let value: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let summaries = value["summaries"].as_array().unwrap();
    assert_eq!(summaries.len(), 1);
    let one = &summaries[0];
    assert_eq!(one["scenario"], "steady");
    assert_eq!(one["controller"], "headroom");
    assert_eq!(one["trips_per_day"], 0.0);
    assert!(one["highest_thermal"].as_f64().unwrap() < 1.0);
    assert!(one["commands_per_hour"].as_f64().unwrap() > 0.0);
    assert_eq!(one["runs"][0]["refused"], Value::Null);
}

#[test]
fn a_background_may_come_from_a_file() {
    let files = Files::new();
    files.write("day.csv", "t_s,l1_a,l2_a,l3_a\n0,4,3,2\n3600,12,3,2\n");
    let text = STEADY.replace(
        "kind = \"constant\"\namps = [4, 3, 2]",
        "kind = \"csv\"\nfile = \"day.csv\"",
    );
    let path = files.write("day.toml", &text);
    let outcome = simulate(&[
        path.to_str().unwrap(),
        "--json",
        "--controller",
        "clairvoyant",
    ]);
    let value: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let energy = value["summaries"][0]["runs"][0]["energy_kwh"]
        .as_f64()
        .unwrap();
    // About 12 A for one hour, and nothing when 4 A are left.
    assert!((energy - 12.0 * 3.0 * 0.23).abs() < 0.3, "{energy} kWh");
}

#[test]
fn a_background_that_no_controller_can_help_is_told() {
    let files = Files::new();
    for (amps, hopeless) in [("15", false), ("19.5", false), ("21", true), ("40", true)] {
        let text = STEADY.replace("amps = [4, 3, 2]", &format!("amps = [{amps}, 3, 2]"));
        let path = files.write("house.toml", &text);
        let outcome = simulate(&[path.to_str().unwrap(), "--controller", "headroom"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let told = outcome.stderr.contains("no controller can help that");
        assert_eq!(told, hopeless, "{amps} A: {}", outcome.stderr);
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_words() {
    let files = Files::new();
    for (name, text, words) in [
        (
            "field.toml",
            STEADY.replace("duration_h", "duration_hours"),
            "unknown field `duration_hours`",
        ),
        (
            "fuse.toml",
            STEADY.replace("rating_a = 16", "rating_a = 0"),
            "main_fuse.rating_a",
        ),
        (
            "car.toml",
            format!("{STEADY}\n[[cars]]\nat = \"ev9\"\n"),
            "there is no charger \"ev9\"",
        ),
        (
            "csv.toml",
            STEADY.replace(
                "kind = \"constant\"\namps = [4, 3, 2]",
                "kind = \"csv\"\nfile = \"none.csv\"",
            ),
            "cannot read the background",
        ),
        ("text.toml", "no toml".to_owned(), "not right"),
    ] {
        let path = files.write(name, &text);
        let outcome = simulate(&[path.to_str().unwrap()]);
        assert_eq!(outcome.code, Some(1), "{name}");
        assert!(outcome.stderr.contains(words), "{name}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{name}");
    }
    let outcome = simulate(&["no-such-scenario"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("lists the built-in ones"));
    assert_eq!(simulate(&["--controller", "magic", "a"]).code, Some(1));
}

#[test]
fn without_a_scenario_the_built_in_ones_are_listed() {
    let outcome = simulate(&[]);
    assert_eq!(outcome.code, Some(0));
    let text = &outcome.stdout;
    for name in ["a ", "e5 ", "e_learnt ", "j_standard ", "sixteen "] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{text}");
    }
}

#[test]
fn two_tables_are_compared() {
    let files = Files::new();
    let path = files.write("steady.toml", STEADY);
    let path = path.to_str().unwrap();
    let before = simulate(&[path, "--controller", "hold"]).stdout;
    let table = files.write("before.txt", &before);
    let same = simulate(&[
        path,
        "--controller",
        "hold",
        "--against",
        table.to_str().unwrap(),
    ]);
    assert!(!same.stderr.contains("->"), "{}", same.stderr);
    let row = before
        .lines()
        .find(|line| line.starts_with("steady"))
        .unwrap();
    let energy = row.split_whitespace().nth(2).unwrap();
    let other = before.replace(energy, "12.3");
    let table = files.write("other.txt", &other);
    let changed = simulate(&[
        path,
        "--controller",
        "hold",
        "--against",
        table.to_str().unwrap(),
    ]);
    let words = format!("steady hold: energy% 12.3 -> {energy}");
    assert!(changed.stderr.contains(&words), "{}", changed.stderr);
    let no_table = files.write("no_table.txt", "energy is fine\n");
    let refused = simulate(&[path, "--against", no_table.to_str().unwrap()]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("no table of before"),
        "{}",
        refused.stderr
    );
    assert_eq!(refused.stdout, "");
}

/// The command that is printed repeats what was found.
#[test]
fn an_hour_that_opens_the_fuse_says_how_to_repeat_it() {
    let outcome = simulate(&["--fuzz", "12", "--seed", "1", "--controller", "evcc"]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let text = &outcome.stdout;
    let command = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("headroom simulate "))
        .unwrap();
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let again = simulate(&arguments);
    assert_eq!(again.code, Some(3), "{command}");
    let found = text.lines().next().unwrap();
    assert_eq!(again.stdout.lines().next().unwrap(), found);
}

#[test]
fn adversarial_hours_do_not_open_the_fuse() {
    let outcome = simulate(&["--fuzz", "3", "--seed", "100"]);
    let text = &outcome.stdout;
    assert_eq!(outcome.code, Some(0), "{text}");
    assert!(text.contains("3 adversarial hours: 0 with trips"), "{text}");
}
