//! No fuse opens: the fastest device of its class stays below its threshold.

use headroom_core::config::Grid;
use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::{Setup, any_houses, houses};
use crate::steps::Steps;

/// Half an hour of steps.
const SECONDS: u64 = 1_800;

fn stays_below(setup: &Setup, watches: bool) -> Result<(), TestCaseError> {
    let mut house = House::new(setup);
    let mut steps = Steps::new(&house, watches);
    for _ in 0..SECONDS {
        steps.second(&mut house);
        house.second();
        let hottest = house.hottest();
        prop_assert!(
            hottest < 1.0,
            "the fuse opens at {} s: {hottest:.3}",
            house.s
        );
    }
    Ok(())
}

#[test]
fn the_thermal_state_stays_below_the_threshold() {
    let name = "thermal::the_thermal_state_stays_below_the_threshold";
    let cases = (any_houses(1..4), any::<bool>());
    check(name, 24, &cases, |(setup, watches)| {
        stays_below(&setup, watches)
    });
}

/// Without a neutral a cut lowers a line by less than what is cut, and by how much depends on the power factors.
#[test]
fn between_lines_the_thermal_state_stays_below_the_threshold_for_every_power_factor() {
    let name =
        "thermal::between_lines_the_thermal_state_stays_below_the_threshold_for_every_power_factor";
    // cos 31.8° is 0.85.
    let cases = (houses(Grid::It3ph, 1..4, 31.8), any::<bool>());
    check(name, 16, &cases, |(setup, watches)| {
        stays_below(&setup, watches)
    });
}

/// What is raised adds up to no more than the rating, however the phasors of house and cars lie.
#[test]
fn between_lines_the_true_current_stays_within_the_rating_for_every_power_factor() {
    let name =
        "thermal::between_lines_the_true_current_stays_within_the_rating_for_every_power_factor";
    check(name, 24, &houses(Grid::It3ph, 1..4, 31.8), |setup| {
        let mut house = House::new(&setup);
        let rating = f64::from(i32::try_from(setup.rating_a).unwrap());
        for _ in 0..900 {
            house.second();
            let highest = house.lines_a.into_iter().fold(0.0, f64::max);
            // What a meter of tenths of an ampere and the noise hide.
            prop_assert!(highest <= rating + 0.5, "{highest:.2} A at {} s", house.s);
        }
        Ok(())
    });
}
