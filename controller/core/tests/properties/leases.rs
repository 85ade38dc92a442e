//! A limit lives no longer than its lease, and no shorter while somebody renews it.

use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::{Setup, any_houses};
use crate::steps::Steps;

fn leased(setup: &mut Setup, lease_s: u64, safe_a: i64) {
    for point in &mut setup.points {
        point.lease_s = lease_s;
        point.safe_a = safe_a;
    }
}

/// The process ends at any moment: when the lease is over, every charger is at its safe current.
#[test]
fn a_dead_process_leaves_every_charger_at_its_safe_current_within_the_lease() {
    let name = "leases::a_dead_process_leaves_every_charger_at_its_safe_current_within_the_lease";
    let cases = (
        any_houses(1..5),
        30_u64..900,
        prop::sample::select(vec![0_i64, 6]),
        1_u64..900,
    );
    check(name, 24, &cases, |(mut setup, lease_s, safe_a, dies_s)| {
        leased(&mut setup, lease_s, safe_a);
        let mut house = House::new(&setup);
        house.seconds(dies_s);
        house.engine = None;
        let on_its_way_s = setup
            .points
            .iter()
            .map(|point| point.latency_ms)
            .max()
            .unwrap()
            / 1000
            + 1;
        house.seconds(lease_s + on_its_way_s);
        for index in 0..setup.points.len() {
            prop_assert_eq!(house.in_force(index), safe_a * 1000, "charger {}", index);
        }
        Ok(())
    });
}

/// While the process lives no limit runs out by itself.
#[test]
fn a_living_process_renews_every_limit_before_its_lease_is_over() {
    let name = "leases::a_living_process_renews_every_limit_before_its_lease_is_over";
    let cases = (any_houses(1..4), 30_u64..300, any::<bool>());
    check(name, 16, &cases, |(mut setup, lease_s, watches)| {
        leased(&mut setup, lease_s, 0);
        let mut house = House::new(&setup);
        let mut steps = Steps::new(&house, watches);
        let mut told = vec![(0, 0); setup.points.len()];
        for _ in 0..1_200 {
            steps.second(&mut house);
            house.second();
            for (index, now) in house.told().into_iter().enumerate() {
                let (limit, since_s) = told[index];
                if limit != now {
                    told[index] = (now, house.s);
                } else if house.s > since_s + setup.points[index].latency_ms / 1000 + 1 {
                    prop_assert_eq!(
                        house.in_force(index),
                        limit,
                        "charger {} at {} s",
                        index,
                        house.s
                    );
                }
            }
        }
        Ok(())
    });
}
