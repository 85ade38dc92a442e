//! Configuration as code: `headroom export` and `headroom apply`, beside the service and without it, and taking a change
//! back.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use headroom_tests::{
    controller::{self, Controller, password},
    process::Outcome,
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn export(data: &Path, more: &[&str]) -> String {
    let arguments = [&["export", "--data", data.to_str().unwrap()], more].concat();
    let outcome = controller::run(&arguments, b"");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.stdout
}

fn apply(data: &Path, text: &str) -> Outcome {
    let arguments = ["apply", "-", "--data", data.to_str().unwrap()];
    controller::run(&arguments, text.as_bytes())
}

/// The file with all secrets.
fn with_secrets(data: &Path) -> String {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("secrets.toml");
    // It was there before, for everybody.
    fs::write(&path, "rubbish\n".repeat(1000)).unwrap();
    let name = path.to_str().unwrap();
    let data_name = data.to_str().unwrap();
    let refused = controller::run(
        &["export", "--data", data_name, "--with-secrets", name],
        b"",
    );
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert!(fs::read_to_string(&path).unwrap().starts_with("rubbish"));
    export(data, &["--with-secrets", name, "--force"]);
    let mode = path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    fs::read_to_string(&path).unwrap()
}

fn charger(controller: &Controller) -> Value {
    controller.api.get("chargers/ev1").expect(200).json
}

#[test]
fn a_file_is_applied_at_once_and_taken_back() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let controller = Controller::start(&data, None);
    controller.configure_site(25.0, &json!({}));
    controller.add_charger("ev1", &json!({"max_current_a": 16, "name": "Garage \"7\""}));

    let text = export(&data, &[]);
    let secret = password("ev1");
    assert!(
        text.contains("password = \"***\"") && !text.contains(&secret),
        "{text}"
    );
    assert!(text.lines().filter(|line| line.starts_with("# ")).count() > 20);
    let whole = with_secrets(&data);
    assert!(whole.contains(&secret), "{whole}");

    // Nothing differs.
    let same = apply(&data, &text);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.stdout.contains("nothing to change"), "{}", same.stdout);

    // In force at once, and the password stays.
    let changed = text.replace("max_current_a = 16", "max_current_a = 10");
    assert_ne!(changed, text);
    let outcome = apply(&data, &changed);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("chargers.ev1.max_current_a: 16.0 -> 10.0"),
        "{}",
        outcome.stdout
    );
    assert_eq!(charger(&controller)["max_current_a"], 10.0);
    controller.wait_status(
        "the loop has it",
        std::time::Duration::from_secs(20),
        |status| (status["loads"][0]["max_current_a"] == 10.0).then_some(()),
    );
    assert!(with_secrets(&data).contains(&secret));

    // Who, when and what.
    let versions = controller
        .api
        .get("config/versions?limit=2")
        .expect(200)
        .json;
    let newest = &versions["items"][0];
    assert!(
        newest["author"]
            .as_str()
            .unwrap()
            .ends_with("command line)")
            || newest["author"] == "command line"
    );
    assert_eq!(
        newest["diff"],
        json!([{"field": "chargers.ev1.max_current_a", "before": 16.0, "after": 10.0}])
    );
    assert!(!versions.to_string().contains(&secret));

    // What is wrong changes nothing, and all of it is told.
    let wrong = changed
        .replace("max_current_a = 10", "max_current_a = 4")
        .replace("lease_s = ", "lease_s = 9");
    let outcome = apply(&data, &wrong);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for word in [
        "nothing was changed",
        "chargers.ev1.min_current_a",
        "chargers.ev1.lease_s",
    ] {
        assert!(outcome.stderr.contains(word), "{word}: {}", outcome.stderr);
    }
    let outcome = apply(&data, "[site]\nfuse = 25\n");
    assert_eq!(outcome.code, Some(1));
    let words = "site.fuse is not known here; there is: name, ";
    assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    let outcome = apply(&data, "[site]\nname =\n");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("line 2"), "{}", outcome.stderr);
    assert_eq!(charger(&controller)["max_current_a"], 10.0);

    // Taken back.
    let n = newest["n"].as_i64().unwrap();
    let back = format!("config/versions/{}/restore", n - 1);
    let answer = controller.api.post(&back, &json!({})).expect(201).json;
    assert_eq!(answer["n"], n + 1);
    assert_eq!(charger(&controller)["max_current_a"], 16.0);
    assert_eq!(with_secrets(&data), whole, "the password too");
    for unknown in ["0", "4711", "x"] {
        let path = format!("config/versions/{unknown}/restore");
        drop(controller.api.post(&path, &json!({})).expect(404));
    }

    // A version from before the charger was there: what was configured since is gone, and comes back with a new password.
    drop(
        controller
            .api
            .post("config/versions/1/restore", &json!({}))
            .expect(201),
    );
    drop(controller.api.get("chargers/ev1").expect(404));
    let path = format!("config/versions/{n}/restore");
    let answer = controller.api.post(&path, &json!({})).expect(201).json;
    let made = answer["passwords"]["ev1"].as_str().unwrap();
    assert!(made.len() >= 16 && with_secrets(&data).contains(made));
    let versions = controller.api.get("config/versions").expect(200).json;
    assert!(!versions.to_string().contains(made));
}

#[test]
fn what_is_refused_begins_no_house_and_says_so() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let begun = format!(
        "there was no Headroom in the data directory {}",
        data.display()
    );
    let refused = apply(&data, "[site]\ntime_zone = \"Europe/Atlantis\"\n");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("site.time_zone"), "{refused:?}");
    assert!(!refused.stderr.contains("begun"), "{refused:?}");
    assert!(!data.exists());
    let taken = apply(&data, "[site]\ntime_zone = \"Europe/Oslo\"\n");
    assert_eq!(taken.code, Some(0), "{taken:?}");
    assert!(taken.stderr.contains(&begun), "{taken:?}");
    let again = apply(&data, "[site]\ntime_zone = \"Europe/Riga\"\n");
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(!again.stderr.contains("begun"), "{again:?}");
}

#[test]
fn a_house_moves_to_another_place_with_its_secrets() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut controller = Controller::start(&data, None);
    controller.configure_site(25.0, &json!({}));
    controller.add_charger("ev1", &json!({}));
    let meter = json!({"source": "mqtt://jo:canary-source@127.0.0.1/ams", "key": "00112233445566778899aabbccddeeff"});
    drop(controller.api.put("meter", &meter).expect(200));
    let (text, whole) = (export(&data, &[]), with_secrets(&data));
    assert!(!text.contains("canary") && whole.contains("canary-source"));
    controller.process.kill();

    // Without its secrets it cannot be the same house anywhere else.
    let place = TempDir::new().unwrap();
    let outcome = apply(place.path(), &text);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    for field in [
        "meter.key",
        "meter.source_password",
        "chargers.ev1.driver.password",
    ] {
        assert!(
            outcome.stderr.contains(field),
            "{field}: {}",
            outcome.stderr
        );
    }
    let outcome = apply(place.path(), &whole);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(with_secrets(place.path()), whole);
    assert_eq!(export(place.path(), &[]), text);

    // Beside a service that was killed: nobody answers at its socket, and the directory is free.
    let outcome = apply(&data, &text.replace("name = \"ev1\"", "name = \"Garage\""));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}
