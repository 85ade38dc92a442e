//! Who gets what, in the closed loop: more room and fewer rivals of a lower class hurt nobody.

use headroom_core::config::Grid;
use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::{Setup, houses};

/// Until everybody has what it is to have.
const SETTLING_S: u64 = 2_400;

/// Houses in which cars take what they get, with quick links: what is compared is where they end.
fn quick(cars: std::ops::Range<usize>) -> impl Strategy<Value = Setup> {
    houses(Grid::Tn3ph, cars, 0.1).prop_map(|mut setup| {
        setup.period_ms = 1_000;
        setup.loss = 0.0;
        setup.noise_a = 0.0;
        for point in &mut setup.points {
            (point.latency_ms, point.report_s, point.age_ms) = (500, 2, 100);
            point.wants_a = 32;
        }
        setup
    })
}

fn settled(setup: &Setup) -> Vec<i64> {
    let mut house = House::new(setup);
    house.seconds(SETTLING_S);
    house.told()
}

/// For each class from the highest: how many are on, and their currents from the least.
fn goodness(setup: &Setup, told: &[i64]) -> Vec<(usize, Vec<i64>)> {
    let mut classes: Vec<u32> = setup.points.iter().map(|point| point.priority).collect();
    classes.sort_unstable_by(|a, b| b.cmp(a));
    classes.dedup();
    classes
        .into_iter()
        .map(|class| {
            let members = setup.points.iter().zip(told);
            let mut currents: Vec<i64> = members
                .filter(|(point, _)| point.priority == class)
                .map(|(_, limit)| *limit)
                .collect();
            currents.sort_unstable();
            (
                currents.iter().filter(|limit| **limit > 0).count(),
                currents,
            )
        })
        .collect()
}

/// Less of the house on every line: as many of each class are on or more, and who has least has no less.
#[test]
fn more_headroom_never_hurts_anybody() {
    let name = "fairness::more_headroom_never_hurts_anybody";
    let cases = (quick(1..4), prop::array::uniform3(0.0_f64..8.0));
    check(name, 10, &cases, |(roomy, more)| {
        let mut tight = roomy.clone();
        for (amps, more) in tight.base_a.iter_mut().zip(more) {
            *amps += more;
        }
        let (tight_told, roomy_told) = (settled(&tight), settled(&roomy));
        let (worse, better) = (goodness(&tight, &tight_told), goodness(&roomy, &roomy_told));
        let all_on = |told: &[i64]| told.iter().all(|limit| *limit > 0);
        if all_on(&tight_told) && all_on(&roomy_told) {
            prop_assert!(better >= worse, "{better:?} with more room than {worse:?}");
        } else {
            // Those that wait take turns: who is on now is chance, how many are is not.
            prop_assert!(
                better[0].0 >= worse[0].0,
                "{better:?} with more room than {worse:?}"
            );
        }
        Ok(())
    });
}

/// A car of a lower class that was there first takes nothing from those that come later.
#[test]
fn a_charger_never_gets_less_because_a_lower_priority_asks() {
    let name = "fairness::a_charger_never_gets_less_because_a_lower_priority_asks";
    check(name, 10, &quick(2..5), |mut setup| {
        for (index, point) in setup.points.iter_mut().enumerate() {
            point.priority = if index == 0 { 1 } else { 2 };
            point.comes_s = if index == 0 { 0 } else { 300 };
        }
        let with = settled(&setup);
        setup.points[0].comes_s = u64::MAX;
        let without = settled(&setup);
        let waits = without[1..].contains(&0) || with[1..].contains(&0);
        if waits {
            // Those that wait take turns: who is on now is chance, how many are is not.
            let on = |told: &[i64]| told[1..].iter().filter(|limit| **limit > 0).count();
            prop_assert!(on(&with) >= on(&without), "{with:?} {without:?}");
        } else {
            for (with, without) in with[1..].iter().zip(&without[1..]) {
                prop_assert!(
                    with >= without,
                    "{with} mA where there would be {without} mA"
                );
            }
        }
        Ok(())
    });
}
