//! What visitors of the demo may turn: the oven, the meter's cable, the network and the car of each charge point, the speed,
//! and one more car.

use std::net::SocketAddr;

use headroom_core::config::{Charger, Driver};
use headroom_core::{Milliamps, Phase};
use headroom_sim::House;
use headroom_sim::car::CarSpec;
use headroom_sim::charge_point::ChargePointSpec;
use headroom_web::demo::{Demo, DemoChange, DemoCharger, DemoState};

use super::charge_point::Station;
use super::plant::Plant;
use super::{config, password};

/// The appliance with a switch of its own.
const OVEN: &str = "oven";
/// An oven that somebody switched on and forgot ends by itself after this time of the house, in milliseconds.
const OVEN_FOR_MS: u64 = 3_600_000;
/// From the click until the car is plugged in, in seconds of the house: the charge point connects meanwhile.
const ARRIVES_AFTER_S: f64 = 2.0;
/// State of charge of a car that arrives: it wants current for hours.
const CHARGED: f64 = 0.3;
/// A car above this that is plugged in again is another one, or it would want nothing.
const CHARGED_ENOUGH: f64 = 0.8;
/// Places for further cars, beside those of the house: name, lines of the terminals, most current, phases of the car.
const PLACES: [(&str, &[Phase], f64, u8); 2] = [
    ("Carport", &[Phase::L1], 16.0, 1),
    ("Yard", &[Phase::L2, Phase::L3, Phase::L1], 16.0, 3),
];
/// Among so many names one is free: a house has fewer loads.
const NAMES: std::ops::Range<usize> = 1..1000;

/// The switches of one house.
#[derive(Debug)]
pub(crate) struct Switches {
    plant: Plant,
    /// Where charge points connect to.
    central: SocketAddr,
    seed: u64,
    /// How many charge points the house has place for.
    cars_max: usize,
}

impl Switches {
    pub(super) fn new(plant: Plant, central: SocketAddr, seed: u64) -> Self {
        let built = headroom_sim::demo::house().charge_points.len();
        Self {
            plant,
            central,
            seed,
            cars_max: built + PLACES.len(),
        }
    }
}

impl Demo for Switches {
    fn state(&self) -> DemoState {
        let speed = self.plant.speed();
        self.plant.with(|house| DemoState {
            oven: house.running().any(|name| name == OVEN),
            meter_cable: house.meter_cable(),
            speed,
            chargers: house
                .charge_points()
                .iter()
                .map(|it| DemoCharger {
                    id: it.id().to_owned(),
                    network: it.network(),
                    car: it.car().plugged_in(),
                })
                .collect(),
            cars_max: self.cars_max,
        })
    }

    fn turn(&self, change: &DemoChange) {
        if let Some(speed) = change.speed {
            self.plant.set_speed(speed);
        }
        self.plant.with(|house| turn(house, change));
    }

    fn another(&self, is_taken: &dyn Fn(&str) -> bool) -> Option<Charger> {
        let there: Vec<String> = self.plant.with(|house| {
            let charge_points = house.charge_points().iter();
            charge_points.map(|it| it.id().to_owned()).collect()
        });
        let free = self.cars_max.checked_sub(there.len())?;
        let (name, phases, max_a, _) = *PLACES.get(PLACES.len().checked_sub(free)?)?;
        let id = NAMES
            .map(|number| format!("ev{number}"))
            .find(|id| !there.contains(id) && !is_taken(id))?;
        let password = password().ok()?;
        Some(Charger {
            name: name.to_owned(),
            max_current_a: Milliamps::from_f64(max_a)?,
            phases: Some(phases.to_vec()),
            ..config::charger(&id, &password)
        })
    }

    fn arrive(&self, charger: &Charger) {
        let place = PLACES.into_iter().find(|(name, ..)| *name == charger.name);
        let (Some((_, phases, max_a, car_phases)), Some(Driver::Ocpp { password, .. })) =
            (place, &charger.driver)
        else {
            return;
        };
        let id = charger.id.as_str();
        let seed = self.seed;
        self.plant.with(|house| {
            if house.charge_points().iter().any(|it| it.id() == id) {
                return;
            }
            let now_s = std::time::Duration::from_millis(house.now_ms()).as_secs_f64();
            let spec = ChargePointSpec {
                id: id.to_owned(),
                terminals: phases.to_vec(),
                max_current_a: max_a,
                car: CarSpec {
                    arrives_s: now_s + ARRIVES_AFTER_S,
                    phases: car_phases,
                    charged: CHARGED,
                    restart_s: (3.0, 6.0),
                    away_s: Some((900.0, 2700.0)),
                    ..CarSpec::default()
                },
                ..ChargePointSpec::default()
            };
            house.add_charge_point(spec, seed);
        });
        let password = password.as_ref().map_or("", |password| password.expose());
        let station = Station::new(self.plant.clone(), id, password, self.central);
        // For ever, as those of the house.
        tokio::spawn(station.run());
    }
}

fn turn(house: &mut House, change: &DemoChange) {
    let oven = match change.oven {
        Some(true) => house.switch_on(OVEN, OVEN_FOR_MS),
        Some(false) => house.switch_off(OVEN),
        None => Ok(()),
    };
    if let Err(error) = oven {
        tracing::debug!(%error, "a switch of the demo");
    }
    if let Some(plugged_in) = change.meter_cable {
        house.set_meter_cable(plugged_in);
    }
    for wanted in &change.chargers {
        let Ok(charge_point) = house.charge_point(&wanted.id) else {
            continue;
        };
        if let Some(network) = wanted.network {
            charge_point.set_network(network);
        }
        let car = charge_point.car_mut();
        match wanted.car {
            Some(true) if !car.plugged_in() => {
                let charged = car.charged();
                car.plug_in(if charged < CHARGED_ENOUGH {
                    charged
                } else {
                    CHARGED
                });
            }
            Some(false) => car.unplug(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use headroom_web::demo::DemoChargerChange;

    use super::*;
    use crate::clock::Clock;

    fn switches() -> Switches {
        let house = House::new(headroom_sim::demo::house(), 1);
        let plant = Plant::new(house, Clock::new(1.0, 0));
        Switches::new(plant, SocketAddr::from(([127, 0, 0, 1], 1)), 1)
    }

    fn charger(id: &str, network: Option<bool>, car: Option<bool>) -> DemoChange {
        let id = id.to_owned();
        DemoChange {
            chargers: vec![DemoChargerChange { id, network, car }],
            ..DemoChange::default()
        }
    }

    #[test]
    fn every_switch_turns_both_ways_and_leaves_the_others() {
        let switches = switches();
        switches.plant.with(|house| house.step(1000));
        let begin = switches.state();
        assert!(!begin.oven && begin.meter_cable && begin.cars_max == 4);
        assert!(begin.chargers.iter().all(|it| it.network && it.car));
        let set = |name: &str, on: bool| match name {
            "oven" => DemoChange {
                oven: Some(on),
                ..DemoChange::default()
            },
            "meter_cable" => DemoChange {
                meter_cable: Some(on),
                ..DemoChange::default()
            },
            "network" => charger("ev1", Some(on), None),
            _ => charger("ev2", None, Some(on)),
        };
        for name in ["oven", "meter_cable", "network", "car"] {
            let on = name == "oven";
            switches.turn(&set(name, on));
            let now = switches.state();
            let expected = DemoState {
                oven: name == "oven",
                meter_cable: name != "meter_cable",
                chargers: vec![
                    DemoCharger {
                        network: name != "network",
                        ..begin.chargers[0].clone()
                    },
                    DemoCharger {
                        car: name != "car",
                        ..begin.chargers[1].clone()
                    },
                ],
                ..begin.clone()
            };
            assert_eq!(now, expected, "{name}");
            switches.turn(&set(name, !on));
            assert_eq!(switches.state(), begin, "{name}");
        }
        switches.turn(&DemoChange {
            speed: Some(60.0),
            ..DemoChange::default()
        });
        assert!((switches.state().speed - 60.0).abs() < 1e-9);
    }

    #[tokio::test]
    async fn cars_arrive_until_every_place_is_taken() {
        let switches = switches();
        switches.plant.with(|house| house.step(10_000));
        // Somebody has called a load of theirs ev3.
        let taken = |id: &str| id == "ev3";
        for (id, (_, phases, ..)) in ["ev4", "ev5"].into_iter().zip(PLACES) {
            let charger = switches.another(&taken).unwrap();
            assert_eq!(charger.id, id);
            assert_eq!(charger.phases.as_deref(), Some(phases));
            switches.arrive(&charger);
            switches.plant.with(|house| {
                let now_ms = house.now_ms();
                house.step(now_ms + 5000);
            });
            let state = switches.state();
            let added = state.chargers.last().unwrap();
            assert!(added.id == id && added.car && added.network, "{added:?}");
        }
        assert!(switches.another(&taken).is_none());
        assert_eq!(switches.state().chargers.len(), 4);
    }
}
