//! No limit cycle: a house that does not change is left in peace.

use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::any_houses;

/// Until everybody has what it is to have: small raises come after ten minutes each.
const SETTLING_S: u64 = 2_400;
/// Time that must be silent.
const SILENCE_S: u64 = 1_200;

/// For every latency of commands up to ten seconds, every rhythm, skew and age of reports, and the noise of a real meter.
#[test]
fn a_constant_background_ends_in_silence_but_for_renewals() {
    let name = "silence::a_constant_background_ends_in_silence_but_for_renewals";
    check(name, 24, &any_houses(1..4), |setup| {
        let mut house = House::new(&setup);
        house.seconds(SETTLING_S);
        house.changes.clear();
        house.seconds(SILENCE_S);
        // Cars of a class that do not all fit take turns.
        let waits = house.told().contains(&0);
        let changes: Vec<_> = house
            .changes
            .iter()
            .filter(|change| change.to != change.from || !change.renewal)
            .collect();
        let most = if waits { 4 * setup.points.len() } else { 0 };
        prop_assert!(changes.len() <= most, "{changes:?}");
        let renewed = house.told().iter().all(|limit| *limit == 0) || !house.changes.is_empty();
        prop_assert!(renewed, "nothing was renewed");
        Ok(())
    });
}
