//! The lines have no favourites.

use headroom_core::config::Grid;
use headroom_core::units::Phase;
use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::houses;
use crate::steps::Steps;

/// The same house with its lines renamed gets the same commands at the same times, and the same word on each line under its
/// new name.
#[test]
fn renaming_phases_renames_the_outputs() {
    use Phase::{L1, L2, L3};
    let name = "renaming::renaming_phases_renames_the_outputs";
    let names = prop::sample::select(vec![
        [L2, L3, L1],
        [L3, L1, L2],
        [L2, L1, L3],
        [L1, L3, L2],
        [L3, L2, L1],
    ]);
    let cases = (houses(Grid::Tn3ph, 1..4, 0.1), names);
    check(name, 16, &cases, |(setup, names)| {
        let mut house = House::new(&setup);
        let mut other = House::new(&setup.renamed(names));
        for (line, name) in Phase::ALL.into_iter().zip(names) {
            other.noise_of[name.index()] = line.index();
        }
        let mut steps = Steps::new(&house, true);
        for _ in 0..900 {
            steps.second(&mut house);
            for (line, name) in Phase::ALL.into_iter().zip(names) {
                other.background_a[name.index()] = house.background_a[line.index()];
            }
            house.second();
            other.second();
            let changes = |house: &House| -> Vec<_> {
                let of = |change: &crate::house::Change| {
                    (change.ms, change.point, change.to, change.renewal)
                };
                house.changes.iter().map(of).collect()
            };
            prop_assert_eq!(changes(&house), changes(&other));
            let (Some(said), Some(others)) = (&house.newest, &other.newest) else {
                continue;
            };
            prop_assert_eq!(said.state, others.state);
            for (line, name) in Phase::ALL.into_iter().zip(names) {
                let (one, two) = (&said.phases[line.index()], &others.phases[name.index()]);
                prop_assert_eq!(one.measured_a, two.measured_a);
                prop_assert_eq!(one.background_a, two.background_a);
                prop_assert_eq!(one.thermal, two.thermal);
            }
        }
        Ok(())
    });
}
