//! Configurations that cannot be met are refused with the field that is wrong; an engine that is given one all the same
//! does not panic and stays safe.

use headroom_core::action::Command;
use headroom_core::event::Event;
use headroom_core::{Config, Engine, Instant, PerPhase};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::runner::check;

fn charger(id: &str, circuit: Option<&str>) -> Value {
    json!({"id": id, "phases": ["l1", "l2", "l3"], "circuit": circuit})
}

fn circuit(id: &str, parent: &str, rating_a: i64) -> Value {
    json!({"id": id, "parent": parent, "rating_a": rating_a})
}

fn config(rating_a: i64, circuits: &[Value], chargers: &[Value]) -> Config {
    serde_json::from_value(json!({
        "site": {"mode": "control", "main_fuse": {"rating_a": rating_a}, "circuits": circuits},
        "chargers": chargers, "slow_loads": []
    }))
    .unwrap()
}

/// Calm seconds of a house that draws 2 A, with chargers that draw what they were told. Gives the highest sum of limits.
fn run(engine: &mut Engine, ids: &[&str], from_s: u64, seconds: u64) -> i64 {
    let mut told = vec![0_i64; ids.len()];
    let mut highest = 0;
    for s in from_s..from_s + seconds {
        let line = 2.0 + f64::from(i32::try_from(told.iter().sum::<i64>()).unwrap()) / 1000.0;
        let volts = 230.0 + f64::from(u32::try_from(s % 7).unwrap()) / 10.0;
        let mut events: Vec<Value> = ids
            .iter()
            .zip(&told)
            .map(|(id, limit)| {
                let amps = f64::from(i32::try_from(*limit).unwrap()) / 1000.0;
                json!({"type": "charger", "id": id, "connected": true, "status": "charging", "current_a": [amps, amps, amps]})
            })
            .collect();
        let phase = json!({"current_a": line, "voltage_v": volts});
        events.push(json!({"type": "reading", "phases": [phase, phase, phase]}));
        for event in events {
            let event: Event = serde_json::from_value(event).unwrap();
            for action in engine.step(event, Instant(s * 1000)).actions {
                if let Command::SetLimit { load, limit_a, .. } = action.what {
                    let index = ids.iter().position(|id| *id == load).unwrap();
                    told[index] = limit_a.0;
                }
            }
            highest = highest.max(told.iter().sum());
        }
    }
    highest
}

fn refused(config: &Config) -> Vec<String> {
    let errors = config
        .validate(PerPhase::default())
        .err()
        .unwrap_or_default();
    errors
        .into_iter()
        .map(|error| format!("{} {}", error.field, error.code))
        .collect()
}

#[test]
fn an_unknown_circuit_and_a_ring_of_circuits_are_refused_with_their_field() {
    let unknown = config(25, &[], &[charger("ev1", Some("shed"))]);
    let parent = config(
        25,
        &[circuit("garage", "shed", 16)],
        &[charger("ev1", Some("garage"))],
    );
    let ring = config(
        25,
        &[
            circuit("garage", "carport", 16),
            circuit("carport", "garage", 16),
        ],
        &[charger("ev1", Some("garage"))],
    );
    let own = config(
        25,
        &[circuit("garage", "garage", 16)],
        &[charger("ev1", Some("garage"))],
    );
    for (what, config) in [
        ("circuit", unknown),
        ("parent", parent),
        ("parent", ring),
        ("parent", own),
    ] {
        let errors = refused(&config);
        assert!(
            errors.iter().any(|error| error.contains(what)),
            "{what}: {errors:?}"
        );
        // An engine that runs refuses the event and goes on with what it had.
        let before = self::config(25, &[], &[charger("ev1", None)]);
        let mut engine = Engine::new(before.clone(), Instant(0));
        let event = Event::Configure(Box::new(config.clone()));
        engine.check(&event, Instant(1)).unwrap_err();
        engine.step(event, Instant(1));
        assert_eq!(*engine.config(), before);
        // One that was never asked keeps its house within the main fuse.
        let mut engine = Engine::new(config, Instant(0));
        assert!(run(&mut engine, &["ev1"], 1, 120) <= 23_000);
    }
}

/// The least of a charger is more than its fuse: it is told to wait, with the limit that keeps it from more.
#[test]
fn a_least_current_above_the_fuse_is_never_given() {
    for (config, ids) in [
        (config(5, &[], &[charger("ev1", None)]), vec!["ev1"]),
        (
            config(
                25,
                &[circuit("garage", "main", 5)],
                &[charger("ev1", Some("garage"))],
            ),
            vec!["ev1"],
        ),
        (
            config(7, &[], &[charger("ev1", None), charger("ev2", None)]),
            vec!["ev1", "ev2"],
        ),
    ] {
        let mut engine = Engine::new(config, Instant(0));
        assert_eq!(run(&mut engine, &ids, 1, 300), 0);
        let snapshot = engine.snapshot();
        for load in &snapshot.loads {
            let reason = serde_json::to_value(load.reason.clone()).unwrap();
            let code = reason["code"].as_str().unwrap();
            assert!(
                ["main_fuse", "circuit", "thermal"].contains(&code),
                "{reason}"
            );
            let text = reason["text"].as_str().unwrap();
            let alone = ids.len() == 1;
            let never = "needs 6 A at least, and L1 of";
            assert_eq!(text.contains(never), alone, "{text}");
        }
    }
}

/// Circuits that hang on each other in any way, on nothing, on themselves; ratings of any size.
#[test]
fn any_circuits_are_refused_or_served_within_the_fuse() {
    let name = "bad_configurations::any_circuits_are_refused_or_served_within_the_fuse";
    let ids = prop::sample::select(vec!["main", "a", "b", "c", "d"]);
    let circuits = prop::collection::vec((ids.clone(), ids.clone(), -5_i64..80), 0..5);
    let cases = (
        1_i64..70,
        circuits,
        prop::collection::vec(prop::option::of(ids), 2),
    );
    check(name, 60, &cases, |(rating_a, circuits, places)| {
        let circuits: Vec<Value> = circuits
            .iter()
            .map(|(id, parent, rating)| circuit(id, parent, *rating))
            .collect();
        let chargers: Vec<Value> = ["ev1", "ev2"]
            .iter()
            .zip(&places)
            .map(|(id, place)| charger(id, *place))
            .collect();
        let config = config(rating_a, &circuits, &chargers);
        let possible = config.validate(PerPhase::default()).is_ok();
        // No panic, whatever it is.
        let mut engine = Engine::new(config.clone(), Instant(0));
        let highest = run(&mut engine, &["ev1", "ev2"], 1, 60);
        if possible {
            prop_assert!(
                highest <= (rating_a * 1000 - 2_000).max(0),
                "{highest} mA of {rating_a} A"
            );
        } else {
            let before = self::config(25, &[], &[charger("ev1", None)]);
            let mut engine = Engine::new(before.clone(), Instant(0));
            let event = Event::Configure(Box::new(config));
            prop_assert!(engine.check(&event, Instant(1)).is_err());
            engine.step(event, Instant(1));
            prop_assert_eq!(engine.config(), &before);
        }
        Ok(())
    });
}
