//! What a load would have if one thing were otherwise is told where it is short, as data and in the sentence.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use headroom_core::action::{Command, Counterfactual, Reason};
use headroom_core::{Config, Engine, Event, Instant, Milliamps, ReasonCode};
use serde_json::{Value, json};

struct House {
    engine: Engine,
    s: u64,
    limits: Vec<(String, f64)>,
}

impl House {
    fn new(chargers: &Value, slow_loads: &Value) -> Self {
        let config = json!({"site": {"mode": "control", "main_fuse": {"rating_a": 63}},
                            "chargers": chargers, "slow_loads": slow_loads});
        let config: Config = serde_json::from_value(config).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            s: 0,
            limits: Vec::new(),
        }
    }

    fn give(&mut self, event: Value) {
        let event: Event = serde_json::from_value(event).unwrap();
        let actions = self.engine.step(event, Instant(self.s * 1000));
        for action in actions.actions {
            let (load, amps) = match &action.what {
                Command::SetLimit { load, limit_a, .. } => (load.clone(), limit_a.to_f64()),
                Command::Switch { load, on } => (load.clone(), f64::from(u8::from(*on))),
            };
            self.limits.retain(|(id, _)| *id != load);
            self.limits.push((load, amps));
            self.give(json!({"type": "result", "command": action.command, "outcome": "accepted"}));
        }
    }

    fn limit(&self, id: &str) -> f64 {
        let known = self.limits.iter().find(|(load, _)| load == id);
        known.map_or(0.0, |(_, amps)| *amps)
    }

    /// Seconds in which everything does what it is told; `heater`: what a water heater draws from L1 when on.
    fn run(&mut self, seconds: u64, house: f64, chargers: &[&str], heater: Option<f64>) {
        for _ in 0..seconds {
            self.s += 1;
            let mut sum = [house; 3];
            for id in chargers {
                let amps = self.limit(id);
                for line in &mut sum {
                    *line += amps;
                }
                self.give(json!({"type": "charger", "id": id, "connected": true,
                                 "status": "charging", "current_a": [amps, amps, amps]}));
            }
            if let Some(amps) = heater {
                let on = self.limit("heater") > 0.0;
                sum[0] += if on { amps } else { 0.0 };
                self.give(
                    json!({"type": "slow_load", "id": "heater", "connected": true, "on": on,
                                 "power_w": if on { 230.0 * amps } else { 0.0 }}),
                );
            }
            let wobble = f64::from(u32::try_from(self.s % 7).unwrap()) / 10.0;
            let phases = sum.map(|amps| json!({"current_a": amps, "voltage_v": 230.1 + wobble}));
            self.give(json!({"type": "reading", "phases": phases}));
        }
    }

    fn reason(&self, id: &str) -> Reason {
        let loads = self.engine.snapshot().loads;
        loads
            .into_iter()
            .find(|load| load.id == id)
            .unwrap()
            .reason
            .clone()
    }
}

fn charger(id: &str, priority: u32) -> Value {
    json!({"id": id, "name": id.to_uppercase(), "phases": ["l1", "l2", "l3"], "max_current_a": 32,
           "priority": priority})
}

#[test]
fn a_car_that_is_short_is_told_what_it_would_have_without_the_water_heater() {
    let heater = json!({"id": "heater", "name": "Water heater", "rated_w": 2990, "phases": ["l1"], "priority": 9});
    let mut house = House::new(&json!([charger("ev1", 1)]), &json!([heater]));
    house.run(200, 35.0, &["ev1"], Some(13.0));
    assert!(house.limit("heater") > 0.0);
    let short = house.limit("ev1");
    assert!((6.0..20.0).contains(&short), "{short}");
    let reason = house.reason("ev1");
    let otherwise = reason.counterfactual.clone().unwrap();
    assert_eq!(otherwise.load.as_deref(), Some("heater"));
    let more = otherwise.current_a.to_f64();
    assert!(more >= short + 10.0, "{short} {more}");
    let words = format!(" With Water heater paused: {}.", otherwise.current_a);
    assert!(reason.text.ends_with(&words), "{}", reason.text);
    // And it is true.
    house.give(
        json!({"type": "command", "command": {"kind": "pause", "load": "heater", "for_s": 3600}}),
    );
    house.run(900, 35.0, &["ev1"], Some(13.0));
    assert_eq!(
        house.limit("ev1").to_bits(),
        more.to_bits(),
        "{:?}",
        house.reason("ev1")
    );
}

#[test]
fn a_car_behind_another_is_told_what_it_would_have_without_that_one() {
    let mut house = House::new(&json!([charger("ev1", 9), charger("ev2", 1)]), &json!([]));
    house.run(120, 12.0, &["ev1", "ev2"], None);
    let reason = house.reason("ev2");
    assert_eq!(reason.code, ReasonCode::Priority);
    let otherwise = Counterfactual {
        load: Some("ev1".to_owned()),
        current_a: Milliamps::from_amps(32),
    };
    assert_eq!(reason.counterfactual, Some(otherwise));
    // It goes out as data too.
    let value = serde_json::to_value(&reason).unwrap();
    assert_eq!(
        value["counterfactual"],
        json!({"load": "ev1", "current_a": 32.0})
    );
    // Who has all that it can use is told nothing.
    assert_eq!(house.reason("ev1").counterfactual, None);
}

#[test]
fn a_car_that_waits_for_a_peak_to_pass_is_told_what_it_would_have_without_it() {
    let mut house = House::new(&json!([charger("ev1", 1)]), &json!([]));
    house.run(60, 20.0, &["ev1"], None);
    house.run(40, 48.0, &["ev1"], None);
    house.run(35, 20.0, &["ev1"], None);
    let reason = house.reason("ev1");
    assert_eq!(reason.code, ReasonCode::Hysteresis, "{}", reason.text);
    let otherwise = reason.counterfactual.unwrap();
    assert_eq!(otherwise.load, None);
    assert!(
        otherwise.current_a > Milliamps::from_amps(20),
        "{}",
        reason.text
    );
    assert!(
        reason.text.contains(" Without that peak of the house: "),
        "{}",
        reason.text
    );
}

#[test]
fn a_car_that_went_up_and_down_is_told_until_when_it_waits() {
    let mut house = House::new(&json!([charger("ev1", 1)]), &json!([]));
    for house_amps in [33.0, 37.0, 33.0, 37.0] {
        house.run(130, house_amps, &["ev1"], None);
    }
    let low = house.limit("ev1");
    house.run(200, 33.0, &["ev1"], None);
    assert!((house.limit("ev1") - low).abs() < 0.1, "{low}");
    let reason = house.reason("ev1");
    assert_eq!(reason.code, ReasonCode::Hysteresis, "{}", reason.text);
    assert!(reason.text.contains("lowered twice"), "{}", reason.text);
    let until = reason.until_ms.unwrap();
    assert!(until.0 > house.s * 1000 && until.0 <= (house.s + 600) * 1000);
    house.run(450, 33.0, &["ev1"], None);
    assert!(house.limit("ev1") > low, "{}", house.reason("ev1").text);
}

#[test]
fn what_changes_nothing_is_not_told() {
    // What the heater draws is too little for the car to begin.
    let heater = json!({"id": "heater", "name": "Water heater", "rated_w": 690, "phases": ["l1"], "priority": 9});
    let mut house = House::new(&json!([charger("ev1", 1)]), &json!([heater]));
    house.run(60, 50.0, &["ev1"], Some(3.0));
    house.run(120, 57.5, &["ev1"], Some(3.0));
    assert!(house.limit("heater") > 0.0);
    let reason = house.reason("ev1");
    assert_eq!(reason.code, ReasonCode::Priority, "{}", reason.text);
    assert_eq!(reason.counterfactual, None, "{}", reason.text);
    assert!(!reason.text.contains("paused:"), "{}", reason.text);
}
