//! A report that says nothing new asks for no plan: one made at the same instant would lower nothing for a fuse, renew
//! nothing and find nothing. Raises may wait for the next reading.

use headroom_core::event::{Event, Tick};
use headroom_core::{Action, Engine, Instant};
use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::any_houses;
use crate::steps::Steps;

#[test]
fn a_report_leaves_nothing_undone_that_a_plan_would_do() {
    let name = "reports::a_report_leaves_nothing_undone_that_a_plan_would_do";
    let cases = (any_houses(1..5), any::<bool>());
    check(name, 100, &cases, |(setup, watches)| {
        let mut house = House::new(&setup);
        let mut steps = Steps::new(&house, watches);
        for _ in 0..900 {
            steps.second(&mut house);
            house.second();
        }
        let mut engine = Engine::new(setup.config(), Instant(0));
        for (at, event) in &house.given {
            let done = engine.step(event.clone(), *at).actions;
            if !matches!(event, Event::Charger(_)) || !done.is_empty() {
                continue;
            }
            let mut planned = engine.clone();
            let undone = planned.step(Event::Tick(Tick {}), *at).actions;
            let urgent = |action: &Action| action.reason.code.is_about_a_fuse();
            // What is changed may shorten the leases of others.
            let renews = undone.iter().all(|action| action.renewal) && !undone.is_empty();
            prop_assert!(
                !renews && !undone.iter().any(urgent),
                "undone at {} ms: {undone:?}",
                at.0
            );
            let (said, found) = (engine.snapshot(), planned.snapshot());
            // Whether raises wait is found with the next reading.
            let state = |state: &'static str| {
                state
                    .split_once("operating.")
                    .map_or(state, |_| "operating")
            };
            prop_assert_eq!(state(said.state), state(found.state), "at {} ms", at.0);
            prop_assert_eq!(said.alarms, found.alarms, "at {} ms", at.0);
        }
        Ok(())
    });
}
