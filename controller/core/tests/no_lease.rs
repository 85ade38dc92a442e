//! Chargers that cannot fall back by themselves, and what stays reserved for them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use headroom_core::action::Command;
use headroom_core::{Config, Engine, Event, Instant};
use serde_json::{Value, json};

/// A house of 25 A with two chargers, of which the first has such a lease.
struct House {
    engine: Engine,
    s: u64,
    lost: bool,
    falls_back: bool,
    lost_s: u64,
    background: i64,
    told: [i64; 2],
    /// How often the first was told something.
    orders: u32,
}

impl House {
    fn new(lease: &str) -> Self {
        let connector = |n: u32| json!({"kind": "ocpp", "charge_point_id": "CP1", "connector": n, "auth": "none"});
        // Two connectors of one charge point, behind one circuit.
        let charger = |id: &str, n: u32, lease: &str| {
            json!({"id": id, "driver": connector(n), "circuit": "wall", "phases": ["l1", "l2", "l3"],
                   "lease": lease})
        };
        let config: Config = serde_json::from_value(json!({
            "site": {"mode": "control", "main_fuse": {"rating_a": 35},
                     "circuits": [{"id": "wall", "parent": "main", "rating_a": 23}]},
            "chargers": [charger("ev1", 1, lease), charger("ev2", 2, "claimed")],
            "slow_loads": [],
        }))
        .unwrap();
        config.validate(headroom_core::PerPhase::default()).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            s: 0,
            lost: false,
            falls_back: lease != "none",
            lost_s: 0,
            background: 2,
            told: [0; 2],
            orders: 0,
        }
    }

    fn give(&mut self, event: Value) {
        let now = Instant(self.s * 1000);
        let event: Event = serde_json::from_value(event).unwrap();
        self.engine.check(&event, now).unwrap();
        for action in self.engine.step(event, now).actions {
            if let Command::SetLimit { load, limit_a, .. } = action.what {
                let index = usize::from(load == "ev2");
                self.told[index] = limit_a.0 / 1000;
                self.orders += u32::from(index == 0);
            }
            let result =
                json!({"type": "result", "command": action.command, "outcome": "accepted"});
            self.give(result);
        }
    }

    fn run(&mut self, seconds: u64, second_car: bool) {
        for _ in 0..seconds {
            self.s += 1;
            let wobble = f64::from(u32::try_from(self.s % 7).unwrap()) / 10.0;
            self.lost_s = if self.lost { self.lost_s + 1 } else { 0 };
            let fell_back = self.falls_back && self.lost_s > 120;
            if fell_back {
                self.told[0] = 0;
            }
            let draws = [self.told[0], if second_car { self.told[1] } else { 0 }];
            for (id, draw, there) in [("ev1", draws[0], true), ("ev2", draws[1], second_car)] {
                let connected = id == "ev2" || !self.lost;
                let status = if there { "charging" } else { "available" };
                self.give(
                    json!({"type": "charger", "id": id, "connected": connected, "status": status,
                                 "current_a": connected.then_some([draw; 3]), "limit_a": null}),
                );
            }
            let line = json!({"current_a": self.background + draws[0] + draws[1], "voltage_v": 230.1 + wobble});
            self.give(json!({"type": "reading", "phases": [line, line, line]}));
        }
    }
}

#[test]
fn two_connectors_of_one_charge_point_share_their_circuit() {
    let mut house = House::new("claimed");
    house.run(600, true);
    assert!(
        house.told.iter().all(|limit| *limit >= 11),
        "{:?}",
        house.told
    );
    assert_eq!(house.told.iter().sum::<i64>(), 23);
}

#[test]
fn a_silent_charger_without_lease_keeps_its_reservation_for_ever() {
    for (lease, second) in [("none", 7), ("claimed", 7), ("proven", 16)] {
        let mut house = House::new(lease);
        house.run(120, false);
        assert_eq!(house.told[0], 16);
        house.lost = true;
        house.run(7_200, true);
        assert_eq!(house.told[1], second, "{lease}");
    }
}

#[test]
fn a_charger_without_lease_that_comes_back_is_still_at_what_it_was_told() {
    for (lease, told) in [("none", true), ("claimed", false)] {
        let mut house = House::new(lease);
        house.run(120, false);
        house.lost = true;
        house.run(600, false);
        // Where it is at 16 A it is too much now; where it fell back nothing is to be done.
        house.background = 33;
        house.run(5, false);
        house.lost = false;
        house.orders = 0;
        house.run(1, false);
        assert_eq!(house.orders > 0, told, "{lease}");
    }
}
