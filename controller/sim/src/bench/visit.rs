//! When cars are there: the visits of a scenario with the chance of one seed.

use crate::random::Random;

use super::scenario::{Car, Scenario, Visit};

/// A stay of a car, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stay {
    /// Arrival.
    pub from_s: u64,
    /// Departure.
    pub to_s: u64,
    /// Energy wanted, in kWh; `None`: more than can be had.
    pub kwh: Option<f64>,
}

/// The car at a charger; the common one where the scenario names none.
pub(super) fn car_at(scenario: &Scenario, charger: &str) -> Car {
    let named = scenario.cars.iter().find(|car| car.at == charger);
    named.cloned().unwrap_or_else(|| Car {
        at: charger.to_owned(),
        phases: 3,
        max_current_a: None,
        min_current_a: 6.0,
        power_factor: 0.99,
        visits: None,
        rests_s: Vec::new(),
    })
}

/// The stays of the car at a charger, in order, none before the end of another.
pub(super) fn stays(scenario: &Scenario, charger: &str, seed: u64) -> Vec<Stay> {
    let car = car_at(scenario, charger);
    let visits = car.visits.as_ref().unwrap_or(&scenario.visits);
    let mut random = Random::new(seed, &format!("visits of {charger}"));
    let mut stays: Vec<Stay> = Vec::new();
    for visit in visits {
        let mut moved = |hour: f64, visit: &Visit| {
            let jitter_s = random.between((-60.0, 60.0)) * visit.jitter_min;
            // Who is there at midnight is not late.
            let at_s = hour * 3600.0 + if hour > 0.0 { jitter_s } else { 0.0 };
            crate::millis(at_s) / 1000
        };
        let free_s = stays.last().map_or(0, |stay| stay.to_s + 60);
        let from_s = moved(visit.from_h, visit).max(free_s);
        let to_s = moved(visit.to_h, visit);
        if to_s > from_s {
            stays.push(Stay {
                from_s,
                to_s,
                kwh: visit.kwh,
            });
        }
    }
    stays
}
