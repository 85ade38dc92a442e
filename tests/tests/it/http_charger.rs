//! go-e chargers over their HTTP API, throttled by the real binary: the current that their cars draw is in the
//! meter's next telegram.

use std::time::{Duration, Instant};

use headroom_tests::{
    controller::{self, Controller},
    goe::Goe,
    house::House,
    pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

fn tuning() -> Value {
    json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 20})
}

fn charger(id: &str, goe: &Goe) -> Value {
    json!({
        "id": id, "name": id, "driver": {"kind": "http", "profile": "go-e-v2", "host": goe.host},
        "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"], "safe_current_a": 0, "lease": "none",
    })
}

fn draws(goe: &Goe, controller: &Controller, bounds: std::ops::RangeInclusive<u32>) {
    let found = wait::at_most(SOON, || bounds.contains(&goe.drawn_a()).then_some(()));
    if found.is_none() {
        panic!(
            "it draws {} A, not {bounds:?}: {:?}\n{:#}",
            goe.drawn_a(),
            goe.sets(),
            controller.status()
        );
    }
}

#[test]
fn an_overload_is_relieved_and_given_back_and_a_silent_charger_counts() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    controller.configure_site(25.0, &tuning());
    let house = House::new(port);
    let (one, two) = (Goe::start(), Goe::start());
    house.add(one.draw(), &[0, 1, 2]);
    house.add(two.draw(), &[0, 1, 2]);
    let made = controller
        .api
        .post("chargers", &charger("ev1", &one))
        .expect(201);
    assert_eq!(made.json["driver"]["profile"], "go-e-v2");
    draws(&one, &controller, 16..=16);
    controller.wait_status("the car's report at its full current", SOON, |status| {
        let load = &status["loads"][0];
        let seen = load["measured_a"][1] == 16.0 && load["status"] == "charging";
        (seen && load["acknowledged_a"] == 16.0 && load["following"] == true).then_some(())
    });

    // A cooker on L2: 14 A and 16 A are more than 25 A.
    house.background([1, 14, 1]);
    let begun = Instant::now();
    draws(&one, &controller, 6..=11);
    println!(
        "benchmark: overload to a go-e's car at its new current: {:?}",
        begun.elapsed()
    );
    house.wait_relieved(1, 25_300);
    house.background([1, 1, 1]);
    draws(&one, &controller, 16..=16);
    // What is in force already is not written again: leases are renewed without a write.
    let writes = one.sets().len();
    wait::always("nothing is written", Duration::from_secs(4), || {
        one.sets().len() == writes
    });
    // Somebody turns it up at the device while it is held down: it is told again.
    house.background([1, 14, 1]);
    draws(&one, &controller, 6..=11);
    wait::until("the report of the low current", SOON, || {
        let measured = controller.load("ev1")["measured_a"][0].as_f64()?;
        (measured <= 11.0).then_some(())
    });
    one.by_hand(32);
    wait::until("it is told again", SOON, || {
        let last = one.sets().last()?.1.clone();
        (one.sets().len() > writes + 1 && last != "amp=16&frc=0" && one.drawn_a() <= 11)
            .then_some(())
    });
    house.background([1, 1, 1]);

    // A second one: they share.
    drop(
        controller
            .api
            .post("chargers", &charger("ev2", &two))
            .expect(201),
    );
    draws(&two, &controller, 10..=13);
    draws(&one, &controller, 10..=13);
    wait::always("the fuse holds", Duration::from_secs(3), || {
        one.drawn_a() + two.drawn_a() <= 24
    });

    // The first falls silent, then its car drives away. Nobody can know that: it counts on.
    one.silent(true);
    controller.wait_status("the silent charger is lost", SOON, |status| {
        let load = &status["loads"][0];
        let counts = status["state"] == "degraded.charger_lost";
        (load["connected"] == false && counts).then_some(())
    });
    let held = two.drawn_a();
    one.unplug_car();
    wait::always(
        "the other gets nothing of it",
        Duration::from_secs(8),
        || two.drawn_a() <= held,
    );
    one.silent(false);
    controller.wait_status("it is back", SOON, |status| {
        (status["loads"][0]["connected"] == true).then_some(())
    });
    draws(&two, &controller, 16..=16);
}

#[test]
fn profiles_and_parameters_that_are_none_are_answered_with_those_there_are() {
    let dir = TempDir::new().unwrap();
    let controller = Controller::start(dir.path(), None);
    let driver = |profile: &str, params: Value| json!({"kind": "http", "profile": profile, "host": "127.0.0.1:9", "params": params});
    let heater = |driver: Value| json!({"id": "heater", "rated_w": 2000, "driver": driver});
    let ev1 = |driver: Value| json!({"id": "ev1", "driver": driver});
    for (path, body, known) in [
        (
            "chargers",
            ev1(driver("go-e", json!({}))),
            "go-e-v1, go-e-v2",
        ),
        (
            "chargers",
            ev1(driver("tasmota", json!({}))),
            "is not for a charger",
        ),
        (
            "slow-loads",
            heater(driver("warp", json!({}))),
            "shelly-gen1, tasmota",
        ),
        (
            "chargers",
            ev1(driver("peblar", json!({}))),
            "\"password\" must be given",
        ),
        (
            "chargers",
            ev1(driver("peblar", json!({"tokn": "t"}))),
            "\"tokn\" is not known",
        ),
        (
            "chargers",
            ev1(driver("peblar", json!({"password": "t"}))),
            "stands beside them in the driver",
        ),
        (
            "chargers",
            ev1(driver("go-e-v2", json!({"x": "y"}))),
            "has no parameters",
        ),
    ] {
        let problem = controller.api.post(path, &body).expect(422).json;
        let message = problem["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(known), "{body}: {problem:#}");
    }
    // The token goes in and never comes out.
    let mut good = ev1(driver("peblar", json!({})));
    good["driver"]["password"] = json!("canary-token");
    let made = controller.api.post("chargers", &good).expect(201).json;
    let read = controller.api.get("chargers/ev1").expect(200).json;
    for answer in [made, read] {
        assert_eq!(answer["driver"]["password_set"], true, "{answer}");
        assert!(!answer.to_string().contains("canary"), "{answer}");
    }
}

#[test]
fn a_profile_is_tried_by_hand() {
    let goe = Goe::start();
    let against = format!("http://{}", goe.host);
    let run = |more: &[&str]| controller::run(&[&["profile", "test"], more].concat(), b"");
    let read = run(&["go-e-v2", "--against", &against]);
    assert_eq!(read.code, Some(0), "{read:?}");
    for part in [
        "go-e charger",
        "keeps what it was told",
        "GET /api/status?filter=amp,car,frc,nrg,wh",
        "suspended_evse",
        "Nothing was written",
    ] {
        assert!(read.stdout.contains(part), "{part}: {read:?}");
    }
    assert_eq!(goe.sets().len(), 0, "it only looked");
    let written = run(&["go-e-v2", "--against", &against, "--write"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    assert!(
        written.stdout.contains("limit_a was 0 A and is 6 A"),
        "{written:?}"
    );
    assert_eq!(goe.sets()[0].1, "amp=6&frc=0");

    // A profile of one's own, from a file.
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("own.toml");
    let own = include_str!("../../../chargers/profiles/go-e-v2.toml")
        .replace("go-e charger", "my charger");
    std::fs::write(&file, own.replace("amp = \"{{ a }}\"", "amp = \"8\"")).unwrap();
    let other = run(&[file.to_str().unwrap(), "--against", &against, "--write"]);
    assert_eq!(other.code, Some(3), "it shows 8 A: {other:?}");
    assert!(other.stdout.contains("my charger"), "{other:?}");

    // The same by its name, from the folder of the house.
    let profiles = dir.path().join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    std::fs::write(profiles.join("my-box.toml"), &own).unwrap();
    let data = dir.path().to_str().unwrap();
    let named = run(&["my-box", "--against", &against, "--write", "--data", data]);
    assert_eq!(named.code, Some(0), "{named:?}");
    assert!(named.stdout.contains("my charger"), "{named:?}");

    std::fs::write(&file, own.replace("{{ a }}", "{{ b }}")).unwrap();
    for (arguments, code, says) in [
        (vec!["go-e", "--against", &against], 1, "go-e-v1, go-e-v2"),
        (
            vec!["my-bix", "--against", &against, "--data", data],
            1,
            "warp, my-box",
        ),
        (
            vec!["go-e-v2", "--against", "http://127.0.0.1/api"],
            1,
            "paths are the profile's",
        ),
        (
            vec!["go-e-v2", "--against", &against, "--param", "a=b"],
            1,
            "has no parameters",
        ),
        (
            vec!["peblar", "--against", &against],
            1,
            "password\" must be given",
        ),
        (
            vec![file.to_str().unwrap(), "--against", &against],
            1,
            "names a value that there is not",
        ),
        (vec!["go-e-v1", "--against", &against], 2, "status 404"),
        (
            vec!["go-e-v2", "--against", "http://127.0.0.1:9"],
            2,
            "Check the address",
        ),
    ] {
        let outcome = run(&arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {outcome:?}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
}
