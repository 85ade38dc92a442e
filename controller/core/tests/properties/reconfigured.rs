//! A house that is configured anew while it runs, again and again: chargers come and go, and what is said of them and of
//! the house changes. What is said stays true, so all that is promised holds.

use headroom_core::Config;
use headroom_core::event::Event;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::house::House;
use crate::runner::check;
use crate::setup::{LATENCY_MAX_MS, Setup, any_houses};
use crate::steps::Steps;

/// Half an hour.
const SECONDS: u64 = 1_800;

/// What is said of a charger from now on.
#[derive(Clone, Debug)]
struct Said {
    /// Whether it is configured at all.
    here: bool,
    /// Its most, in percent of what it has.
    most: i64,
    /// Whether its lines are told, where it uses three.
    lines: bool,
    priority: u32,
    lease_s: u32,
}

/// A configuration, and for how long it stands.
#[derive(Clone, Debug)]
struct Next {
    for_s: u64,
    chargers: Vec<Said>,
    margin_a: f64,
    raise_after_s: u32,
}

fn next() -> impl Strategy<Value = Next> {
    let said = (
        prop::bool::weighted(0.8),
        30_i64..101,
        any::<bool>(),
        1_u32..4,
        30_u32..180,
    )
        .prop_map(|(here, most, lines, priority, lease_s)| Said {
            here,
            most,
            lines,
            priority,
            lease_s,
        });
    (
        30_u64..400,
        prop::collection::vec(said, 4),
        0.0_f64..2.0,
        10_u32..60,
    )
        .prop_map(|(for_s, chargers, margin_a, raise_after_s)| Next {
            for_s,
            chargers,
            margin_a,
            raise_after_s,
        })
}

impl Next {
    /// The most of a charger from now on, in amperes.
    fn most_a(&self, setup: &Setup, index: usize) -> i64 {
        (setup.points[index].max_a * self.chargers[index].most / 100).max(6)
    }

    fn config(&self, setup: &Setup) -> Config {
        let mut config = serde_json::to_value(setup.config()).unwrap();
        config["site"]["margin_a"] = json!(self.margin_a);
        config["site"]["tuning"]["raise_after_s"] = self.raise_after_s.into();
        let chargers = config["chargers"].as_array().unwrap().iter().enumerate();
        let chargers: Vec<Value> = chargers
            .filter(|(index, _)| self.chargers[*index].here)
            .map(|(index, charger)| {
                let (mut charger, said) = (charger.clone(), &self.chargers[index]);
                charger["max_current_a"] = self.most_a(setup, index).into();
                charger["priority"] = said.priority.into();
                charger["lease_s"] = said.lease_s.into();
                if !said.lines && setup.points[index].terminals.len() == 3 {
                    charger["phases"] = Value::Null;
                }
                charger
            })
            .collect();
        config["chargers"] = chargers.into();
        let config: Config = serde_json::from_value(config).unwrap();
        config.validate(headroom_core::PerPhase::default()).unwrap();
        config
    }
}

#[test]
fn a_house_that_is_configured_anew_keeps_what_is_promised() {
    let name = "reconfigured::a_house_that_is_configured_anew_keeps_what_is_promised";
    let cases = (
        any_houses(1..5),
        any::<bool>(),
        prop::collection::vec(next(), 6..30),
    );
    check(name, 48, &cases, |(setup, watches, nexts)| {
        let mut house = House::new(&setup);
        // Who is not configured any more still reports.
        house.may_refuse = true;
        let mut steps = Steps::new(&house, watches);
        let mut changed: Vec<Option<u64>> = vec![None; setup.points.len()];
        let mut configured = vec![true; setup.points.len()];
        let mut raise_after_s = 30;
        let mut nexts = nexts.iter();
        let (mut configured_at, mut stands_until) = (0, 300);
        for _ in 0..SECONDS {
            if house.s >= stands_until
                && let Some(next) = nexts.next()
            {
                configured_at = house.s;
                stands_until = house.s + next.for_s;
                for (index, charger) in house.chargers.iter_mut().enumerate() {
                    charger.point.max_a = next.most_a(&setup, index);
                    configured[index] = next.chargers[index].here;
                    if !configured[index] {
                        // Who is configured again later is another.
                        changed[index] = None;
                    }
                }
                raise_after_s = u64::from(next.raise_after_s);
                house.tell(Event::Configure(Box::new(next.config(&setup))));
                for (index, charger) in house.chargers.iter().enumerate() {
                    let here = configured[index] && changed[index].is_some();
                    let most = charger.point.max_a * 1000;
                    prop_assert!(
                        !here || charger.told <= most,
                        "{index} stands at {} of {most} mA at {} s",
                        charger.told,
                        house.s
                    );
                }
            }
            // Who is not configured any more draws what it was told, also by a command that is on its way, until its lease has
            // run out, and nobody can make room for it or cut it: that time, and a reaction time before it, belong to no step.
            let soon = nexts.len() > 0 && house.s + setup.reaction_s() >= stands_until;
            let on_its_way = house.s < configured_at + LATENCY_MAX_MS / 1000;
            let uncontrolled = (0..setup.points.len())
                .filter(|index| !configured[*index])
                .any(|index| house.chargers[index].draw > 0 || house.in_force(index) > 0);
            if !soon && !on_its_way && !uncontrolled {
                steps.second(&mut house);
            }
            house.second();
            let real = house.changes.drain(..).filter(|it| it.to != it.from);
            for change in real {
                let before = changed[change.point].replace(change.ms);
                if let Some(before) = before.filter(|_| change.to > change.from) {
                    let wait_s = if change.from == 0 { 180 } else { raise_after_s };
                    prop_assert!(change.ms - before >= wait_s * 1000, "{change:?}");
                }
            }
            let hottest = house.hottest();
            prop_assert!(
                hottest < 1.0,
                "the fuse opens at {} s: {hottest:.3}",
                house.s
            );
        }
        Ok(())
    });
}
