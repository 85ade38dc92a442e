//! Slow loads beside a charger: the user's order of shedding, least times on and off, the promise.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use headroom_core::action::Command;
use headroom_core::{Config, Engine, Event, Instant};
use serde_json::{Value, json};

/// What the heater draws, in milliamperes.
const HEATER_MA: i64 = 8_696;

/// A house of 25 A with a charger on three phases and a heater on L1.
struct House {
    engine: Engine,
    s: u64,
    background: i64,
    car: i64,
    heater: bool,
    plugged: bool,
    /// When the heater was switched, and to what.
    switched: Vec<(u64, bool)>,
    /// L1 when it was too full, for how many seconds in a row at most.
    over_s: u64,
}

impl House {
    fn new(car: u32, heater: &Value) -> Self {
        let mut slow_load = json!({"id": "heater", "rated_w": 2000, "phases": ["l1"]});
        let fields = slow_load.as_object_mut().unwrap();
        fields.extend(heater.as_object().unwrap().clone());
        let config: Config = serde_json::from_value(json!({
            "site": {"mode": "control", "main_fuse": {"rating_a": 25}},
            "chargers": [{"id": "ev1", "phases": ["l1", "l2", "l3"], "priority": car}],
            "slow_loads": [slow_load],
        }))
        .unwrap();
        config.validate(headroom_core::PerPhase::default()).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            s: 0,
            background: 2_000,
            car: 0,
            heater: false,
            plugged: true,
            switched: Vec::new(),
            over_s: 0,
        }
    }

    fn give(&mut self, event: Value) {
        let now = Instant(self.s * 1000);
        let event: Event = serde_json::from_value(event).unwrap();
        self.engine.check(&event, now).unwrap();
        for action in self.engine.step(event, now).actions {
            match action.what {
                Command::SetLimit { limit_a, .. } => self.car = limit_a.0,
                Command::Switch { on, .. } => {
                    if on != self.heater {
                        self.switched.push((self.s, on));
                    }
                    self.heater = on;
                }
            }
            let result =
                json!({"type": "result", "command": action.command, "outcome": "accepted"});
            self.give(result);
        }
    }

    fn run(&mut self, seconds: u64) {
        let mut over_s = 0;
        for _ in 0..seconds {
            self.s += 1;
            let heater = if self.heater { HEATER_MA } else { 0 };
            let lines = [heater, 0, 0].map(|heater| self.background + self.car + heater);
            over_s = if lines[0] > 25_300 { over_s + 1 } else { 0 };
            self.over_s = self.over_s.max(over_s);
            let wobble = f64::from(u32::try_from(self.s % 7).unwrap()) / 10.0;
            let phases = lines.map(|line| {
                json!({"current_a": f64::from(u32::try_from(line).unwrap()) / 1e3, "voltage_v": 230.1 + wobble})
            });
            let draw = f64::from(u32::try_from(self.car).unwrap()) / 1e3;
            let status = if self.plugged {
                "charging"
            } else {
                "available"
            };
            let power_w = if self.heater { 2000 } else { 0 };
            self.give(
                json!({"type": "charger", "id": "ev1", "connected": true, "status": status,
                             "current_a": [draw, draw, draw], "limit_a": null}),
            );
            self.give(
                json!({"type": "slow_load", "id": "heater", "connected": true,
                             "on": self.heater, "power_w": power_w}),
            );
            self.give(json!({"type": "reading", "phases": phases}));
        }
    }

    fn has(&self) -> (i64, bool) {
        (self.car / 1000, self.heater)
    }
}

#[test]
fn the_user_orders_who_is_shed_first() {
    // (priority of the car, of the heater, background, what the car gets, whether the heater is on)
    let cases = [
        // The car first: the heater has what it leaves.
        (2, 1, 9_000, (16, false)),
        (2, 1, 0, (16, true)),
        // The heater first: the car has what it leaves, or nothing below its least.
        (1, 2, 9_000, (7, true)),
        (1, 2, 12_000, (0, true)),
        // Equals: as many on as fit.
        (1, 1, 9_000, (7, true)),
    ];
    for (car, heater, background, expected) in cases {
        let mut house = House::new(car, &json!({"priority": heater}));
        house.run(300);
        house.background = background;
        house.run(900);
        assert_eq!(house.has(), expected, "{car} {heater} {background}");
        assert!(house.over_s <= 2, "{} s too much", house.over_s);
    }
}

#[test]
fn the_least_time_off_always_holds() {
    let mut house = House::new(
        1,
        &json!({"priority": 1, "min_off_s": 600, "max_off_s": 600}),
    );
    for _ in 0..6 {
        house.background = 18_000;
        house.run(60);
        house.background = 1_000;
        house.run(400);
    }
    let offs = house.switched.windows(2).filter(|pair| !pair[0].1);
    let offs: Vec<u64> = offs.map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(!offs.is_empty());
    assert!(offs.iter().all(|off_s| *off_s >= 600), "{offs:?}");
}

#[test]
fn the_least_time_on_holds_against_a_higher_class_and_gives_way_to_the_fuse() {
    let settings = json!({"priority": 1, "min_on_s": 900, "min_off_s": 1});
    let mut house = House::new(2, &settings);
    house.background = 8_000;
    house.plugged = false;
    house.run(30);
    let (on_at, _) = house.switched[0];
    // The car could have 16 A without the heater.
    house.plugged = true;
    house.run(600);
    assert_eq!(house.has(), (7, true));
    house.run(600);
    assert_eq!(house.has(), (16, false));
    let (off_at, _) = house.switched[1];
    assert!(off_at - on_at >= 900, "{:?}", house.switched);
    // The fuse does not wait.
    let mut house = House::new(2, &settings);
    house.plugged = false;
    house.run(60);
    assert!(house.heater);
    house.background = 18_000;
    house.run(10);
    assert!(!house.heater);
}

#[test]
fn what_was_promised_is_kept_before_every_class_and_gives_way_to_the_fuse() {
    let settings = json!({"priority": 1, "min_on_s": 60, "min_off_s": 60, "max_off_s": 1800});
    let mut house = House::new(2, &settings);
    house.background = 8_000;
    house.run(2 * 3_600);
    let offs = house.switched.windows(2).filter(|pair| !pair[0].1);
    let offs: Vec<u64> = offs.map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(
        !offs.is_empty() && offs.iter().all(|off_s| *off_s <= 1_860),
        "{offs:?}"
    );
    // No room beside the house: the promise waits.
    let mut house = House::new(2, &settings);
    house.background = 18_000;
    house.run(2 * 3_600);
    assert!(
        house.switched.iter().all(|(_, on)| !*on),
        "{:?}",
        house.switched
    );
}
