//! An engine that is kept and taken up again, wherever that happens, goes on as the one that it was taken of.

use std::time::{Duration, Instant as Clock};

use headroom_core::event::Event;
use headroom_core::{Checkpoint, Config, Engine, Instant};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::house::House;
use crate::runner::check;
use crate::setup::any_houses;

/// What a checkpoint of the houses here may take at most, in bytes: a journal keeps one each hour.
const SIZE_MAX: usize = 40_000;

/// What keeping has cost.
#[derive(Default)]
struct Cost {
    bytes: usize,
    copying: Duration,
    writing: Duration,
}

fn kept(engine: &Engine, cost: &mut Cost) -> String {
    let begin = Clock::now();
    let checkpoint = engine.checkpoint();
    cost.copying = cost.copying.max(begin.elapsed());
    let begin = Clock::now();
    let text = serde_json::to_string(&checkpoint).unwrap();
    cost.writing = cost.writing.max(begin.elapsed());
    cost.bytes = cost.bytes.max(text.len());
    text
}

fn taken_up(text: &str) -> Engine {
    Engine::from_checkpoint(serde_json::from_str(text).unwrap())
}

/// Steps an engine, and another one that is kept and taken up again after each of the given steps.
fn goes_on_the_same(
    config: Config,
    given: &[(Instant, Event)],
    after: &[usize],
) -> Result<Cost, TestCaseError> {
    let mut cost = Cost::default();
    let mut one = Engine::new(config, Instant(0));
    let mut other = taken_up(&kept(&one, &mut cost));
    for (index, (at, event)) in given.iter().enumerate() {
        prop_assert_eq!(one.check(event, *at), other.check(event, *at));
        let (said, says) = (one.step(event.clone(), *at), other.step(event.clone(), *at));
        let text = |actions| serde_json::to_string(actions).unwrap();
        prop_assert_eq!(text(&said), text(&says), "step {}", index);
        prop_assert_eq!(one.snapshot(), other.snapshot(), "step {}", index);
        if after.contains(&index) {
            let text = kept(&other, &mut cost);
            prop_assert_eq!(&text, &kept(&one, &mut cost), "step {}", index);
            other = taken_up(&text);
            prop_assert_eq!(&text, &kept(&other, &mut cost), "step {}", index);
        }
    }
    prop_assert_eq!(one.learnt(), other.learnt());
    Ok(cost)
}

#[test]
fn a_house_goes_on_the_same_from_any_checkpoint() {
    let name = "checkpoints::a_house_goes_on_the_same_from_any_checkpoint";
    let cases = (
        any_houses(1..5),
        prop::collection::vec(0_usize..2_000, 1..20),
    );
    check(name, 24, &cases, |(setup, after)| {
        let mut house = House::new(&setup);
        house.seconds(900);
        let cost = goes_on_the_same(setup.config(), &house.given, &after)?;
        println!(
            "{} chargers: {} bytes, copied in {:?}, written in {:?}",
            setup.points.len(),
            cost.bytes,
            cost.copying,
            cost.writing
        );
        prop_assert!(cost.bytes <= SIZE_MAX);
        Ok(())
    });
}

/// A house with one of everything that the engine keeps something of.
fn everything(grid: &str, mode: &str) -> Config {
    let lines = |all: Value| if grid == "tn_1ph" { json!(["l1"]) } else { all };
    let unknown = if grid == "tn_1ph" {
        lines(Value::Null)
    } else {
        Value::Null
    };
    serde_json::from_value(json!({
        "site": {"mode": mode, "grid": grid, "main_fuse": {"rating_a": 25, "characteristic": "b"},
            "circuits": [
                {"id": "garage", "rating_a": 20, "meter": "tcp://user:canary@192.0.2.9:2001"},
                {"id": "yard", "rating_a": 16, "parent": "garage"}]},
        "chargers": [
            {"id": "ev1", "phases": unknown, "circuit": "garage", "accept_risk": true, "driver":
                {"kind": "ocpp", "charge_point_id": "CP1", "password": "canary"}},
            {"id": "ev2", "phases": lines(json!(["l1", "l2", "l3"])), "phase_switching": grid == "tn_3ph",
                "circuit": "yard", "priority": 2, "accept_risk": true},
            {"id": "ev3", "phases": lines(json!(["l2"])), "safe_current_a": 6, "lease": "proven", "accept_risk": true}],
        "slow_loads": [{"id": "heater", "rated_w": 2000, "phases": ["l1"], "circuit": "garage"},
            {"id": "pump", "rated_w": 1000}]
    }))
    .unwrap()
}

fn event(config: &Config, grid: &str, pick: u8, a: u32, b: u32) -> Value {
    let lines = if grid == "tn_1ph" { 1 } else { 3 };
    let load = ["ev1", "ev2", "ev3", "heater"][a as usize % 4];
    let charger = ["ev1", "ev2", "ev3"][a as usize % 3];
    let terminals = if charger == "ev3" || lines == 1 { 1 } else { 3 };
    let heater = ["heater", "pump"][a as usize % 2];
    let outcome = ["accepted", "rejected", "timeout"][b as usize % 3];
    let amps = f64::from(b % 300) / 10.0;
    match pick {
        0..=9 => {
            let line = |index: u32| {
                let amps = f64::from((b >> index) % 300) / 10.0;
                json!({"current_a": amps, "voltage_v": 230.1 + f64::from(a % 7) / 10.0})
            };
            let circuit = (pick == 0).then_some("garage");
            let power = (pick == 1).then_some(5_000);
            let phases: Vec<_> = (0..lines).map(line).collect();
            json!({"type": "reading", "phases": phases, "power_w": power, "circuit": circuit})
        }
        10..=14 => {
            let status = ["charging", "charging", "available", "suspended_ev"][b as usize % 4];
            json!({"type": "charger", "id": charger, "connected": !b.is_multiple_of(23), "status": status,
                "current_a": vec![amps; terminals], "limit_a": null, "energy_kwh": f64::from(a) / 1000.0})
        }
        15 | 16 => json!({"type": "slow_load", "id": heater,
            "connected": !b.is_multiple_of(17), "on": b.is_multiple_of(2), "power_w": b % 2100}),
        17 => json!({"type": "result", "command": a % 40 + 1,
            "outcome": outcome}),
        18 => {
            let command = match b % 8 {
                5 | 6 => json!({"kind": "test", "load": charger, "cut": b.is_multiple_of(3)}),
                7 => json!({"kind": "end_test", "load": charger}),
                0 => json!({"kind": "pause", "load": load, "for_s": a % 600 + 1}),
                1 => json!({"kind": "limit", "load": load, "limit_a": amps, "for_s": a % 600 + 1}),
                2 => json!({"kind": "boost", "load": load, "for_s": a % 600 + 1}),
                3 => json!({"kind": "resume", "load": load}),
                _ => json!({"kind": "manual", "ceiling_a": {load: amps}, "for_s": a % 600 + 1}),
            };
            json!({"type": "command", "command": command})
        }
        19 => {
            let mut config = config.clone();
            if b.is_multiple_of(2) {
                config.chargers.pop();
            }
            config.site.margin_a = headroom_core::Milliamps(i64::from(a % 3_000));
            let mut event = serde_json::to_value(config).unwrap();
            event["type"] = json!("configure");
            event
        }
        _ => json!({"type": "tick"}),
    }
}

#[test]
fn any_events_leave_nothing_that_is_not_kept() {
    let name = "checkpoints::any_events_leave_nothing_that_is_not_kept";
    let cases = (
        prop::sample::select(vec!["tn_3ph", "tn_3ph", "it_3ph", "tn_1ph"]),
        prop::sample::select(vec!["control", "control", "observe"]),
        prop::collection::vec(
            (0_u8..22, 0_u32..1_000_000, 0_u32..1_000_000, 0_u64..20_000),
            400,
        ),
        prop::collection::vec(0_usize..400, 1..40),
    );
    check(name, 48, &cases, |(grid, mode, picks, after)| {
        let config = everything(grid, mode);
        let mut at = 0;
        let given: Vec<_> = picks
            .into_iter()
            .map(|(pick, a, b, wait)| {
                // Mostly every second, sometimes after a while.
                at += if wait > 18_000 { wait } else { 1_000 };
                let event = event(&config, grid, pick, a, b);
                (Instant(at), serde_json::from_value(event).unwrap())
            })
            .collect();
        let cost = goes_on_the_same(config, &given, &after)?;
        prop_assert!(cost.bytes <= SIZE_MAX);
        Ok(())
    });
}

#[test]
fn no_secret_and_no_address_is_kept() {
    let engine = Engine::new(everything("tn_3ph", "control"), Instant(0));
    let text = kept(&engine, &mut Cost::default());
    assert!(!text.contains("canary") && !text.contains("192.0.2"));
}

#[test]
fn another_shape_is_told_clearly() {
    let engine = Engine::new(Config::default(), Instant(0));
    let mut kept = serde_json::to_value(engine.checkpoint()).unwrap();
    kept["shape"] = json!(4711);
    let error = serde_json::from_value::<Checkpoint>(kept).unwrap_err();
    assert!(error.to_string().contains("shape 4711"), "{error}");
}
