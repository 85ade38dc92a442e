//! Promises add up: what may be in force anywhere, old or new, fits beside the true house whenever something is raised.

use proptest::prelude::*;

use headroom_core::config::Grid;

use crate::house::House;
use crate::runner::check;
use crate::setup::{any_houses, houses};
use crate::steps::Steps;

/// Nothing is raised into room that a charger may still be using: one that was lowered and was not seen to follow.
#[test]
fn nothing_is_raised_while_a_lowering_that_it_needs_is_unsettled() {
    let name = "grants::nothing_is_raised_while_a_lowering_that_it_needs_is_unsettled";
    let cases = (any_houses(2..5), any::<bool>());
    check(name, 100, &cases, |(setup, watches)| {
        let mut house = House::new(&setup);
        let mut steps = Steps::new(&house, watches);
        let rating = setup.rating_a * 1000;
        for _ in 0..1_200 {
            steps.second(&mut house);
            house.second();
            for change in house
                .changes
                .drain(..)
                .filter(|change| change.to > change.from)
            {
                let terminals = &setup.points[change.point].terminals;
                for line in terminals {
                    let worst = change.worst[line.index()];
                    // Tenths of the meter, and the drift that a report may have.
                    prop_assert!(worst <= rating + 800, "{line}: {worst} mA, {change:?}");
                }
            }
        }
        Ok(())
    });
}

/// Nobody is raised sooner after its last change than the site wants it.
#[test]
fn nobody_is_raised_within_the_waiting_time_after_its_last_change() {
    let name = "grants::nobody_is_raised_within_the_waiting_time_after_its_last_change";
    let cases = (houses(Grid::Tn3ph, 1..4, 30.0), any::<bool>());
    check(name, 16, &cases, |(setup, watches)| {
        let mut house = House::new(&setup);
        let mut steps = Steps::new(&house, watches);
        let mut changed: Vec<Option<u64>> = vec![None; setup.points.len()];
        for _ in 0..1_200 {
            steps.second(&mut house);
            house.second();
            for change in house
                .changes
                .drain(..)
                .filter(|change| change.to != change.from)
            {
                let before = changed[change.point].replace(change.ms);
                if let Some(before) = before.filter(|_| change.to > change.from) {
                    let wait_s = if change.from == 0 { 180 } else { 30 };
                    prop_assert!(change.ms - before >= wait_s * 1000, "{change:?}");
                }
            }
        }
        Ok(())
    });
}
