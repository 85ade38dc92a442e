//! `headroom demo`: the whole product on a simulated house, from outside.

use std::time::{Duration, Instant};

use headroom_tests::{
    api::Api,
    controller::{address, command},
    process::Process,
    wait,
};
use serde_json::Value;

fn demo(more: &[&str]) -> (Process, Api) {
    let arguments = [&["demo", "--seed", "1"], more].concat();
    let process = Process::start(&mut command(&arguments));
    let base = address(&process);
    (process, Api::new(&base))
}

#[test]
fn within_half_a_minute_a_car_is_throttled_and_one_reads_why() {
    let (mut process, api) = demo(&["--listen", "127.0.0.1:0"]);
    // On a loopback address everybody is installer.
    let loads = |status: &Value| status["loads"].as_array().cloned().unwrap_or_default();
    let mut last = Value::Null;
    let throttled = wait::at_most(Duration::from_secs(30), || {
        last = api.get("status").expect(200).json;
        loads(&last).into_iter().find(|load| {
            let setpoint = load["setpoint_a"].as_f64();
            load["kind"] == "charger"
                && load["connected"] == true
                && load["measured_a"][0].as_f64() > Some(0.0)
                && setpoint > Some(0.0)
                && setpoint < load["max_current_a"].as_f64()
        })
    });
    let car = throttled.unwrap_or_else(|| panic!("no car is throttled: {last:#}"));
    assert!(
        car["reason"]["text"]
            .as_str()
            .is_some_and(|text| text.len() > 10),
        "{car:#}"
    );
    assert_eq!(last["mode"], "control");
    assert_eq!(last["meter"]["state"], "ok");
    assert_eq!(last["meter"]["protocol"], "p1");
    let kinds: Vec<_> = loads(&last)
        .iter()
        .map(|load| load["kind"].clone())
        .collect();
    assert_eq!(kinds, ["charger", "charger", "slow_load"]);
    wait::until("all of them are connected", Duration::from_secs(20), || {
        let status = api.get("status").expect(200).json;
        loads(&status)
            .iter()
            .all(|load| load["connected"] == true)
            .then_some(())
    });
    let decisions = api.get("decisions").expect(200).json;
    let accepted = decisions["items"]
        .as_array()
        .unwrap()
        .iter()
        .any(|decision| {
            let actions = decision["actions"].as_array().unwrap();
            actions
                .iter()
                .any(|action| action["type"] == "set_limit" && action["outcome"] == "accepted")
        });
    assert!(accepted, "{decisions:#}");
    process.terminate();
    let status = wait::until("it ends", Duration::from_secs(30), || process.ended());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn elsewhere_than_on_loopback_it_asks_who_is_there() {
    let (_process, api) = demo(&["--listen", "0.0.0.0:0"]);
    let answer = api.get("status");
    assert_eq!(answer.status, 401, "{}", answer.text);
}

#[test]
fn a_faster_clock_is_one_for_house_and_controller() {
    let (_process, api) = demo(&["--listen", "127.0.0.1:0", "--speed", "8"]);
    let begun = Instant::now();
    let time = || -> f64 {
        let status = api.get("status").expect(200).json;
        let time: String = status["time"].as_str().unwrap()[11..19].to_owned();
        let parts: Vec<f64> = time.split(':').map(|part| part.parse().unwrap()).collect();
        (parts[0] * 60.0 + parts[1]) * 60.0 + parts[2]
    };
    let first = time();
    // The meter's period is that of the house, not of the wall.
    let period = wait::until("the period is learnt", Duration::from_secs(30), || {
        let meter = api.get("status").expect(200).json["meter"].clone();
        (meter["state"] == "ok").then(|| meter["period_s"].as_f64())?
    });
    assert!((0.5..=3.0).contains(&period), "{period} s");
    wait::until("a minute of the house", Duration::from_secs(60), || {
        ((time() - first).rem_euclid(86_400.0) >= 60.0).then_some(())
    });
    assert!(
        begun.elapsed() < Duration::from_secs(50),
        "a minute took {:?}",
        begun.elapsed()
    );
    let wrong = headroom_tests::controller::run(&["demo", "--speed", "61"], b"");
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
}
