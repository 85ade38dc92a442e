//! Readings with holes, spikes, frozen or impossible values: never a panic, and never an action that is less safe than
//! before.

use headroom_core::config::Grid;
use headroom_core::event::{Event, PhaseReading, Reading};
use headroom_core::units::{Milliamps, Millivolts, Watts};
use headroom_core::{Engine, Instant};
use proptest::prelude::*;

use crate::house::House;
use crate::runner::check;
use crate::setup::{any_houses, houses};
use crate::steps::Steps;

/// What becomes of a reading.
#[derive(Clone, Copy, Debug)]
enum Spoilt {
    /// It does not come.
    Lost,
    /// A line is not told.
    Hole(usize),
    /// A line without its current.
    NoCurrent(usize),
    /// Every line without its current, as a list of powers alone.
    PowerOnly,
    /// A line reads this.
    Spike(usize, i64),
    /// All lines read nothing.
    Zeros,
}

fn spoilt() -> impl Strategy<Value = Spoilt> {
    prop_oneof![
        Just(Spoilt::Lost),
        (0_usize..3).prop_map(Spoilt::Hole),
        (0_usize..3).prop_map(Spoilt::NoCurrent),
        Just(Spoilt::PowerOnly),
        (
            0_usize..3,
            prop::sample::select(vec![0_i64, 1, 500_000, 4_000_000_000])
        )
            .prop_map(|(line, current)| Spoilt::Spike(line, current)),
        Just(Spoilt::Zeros),
    ]
}

fn spoil(reading: Reading, how: Spoilt) -> Option<Reading> {
    let mut spoilt = reading;
    let count = spoilt.phases.len();
    let entry = |phases: &mut Vec<Option<PhaseReading>>, line: usize, current| {
        if let Some(phase) = &mut phases[line % count] {
            phase.current_a = current;
        }
    };
    match how {
        Spoilt::Lost => return None,
        Spoilt::Hole(line) => spoilt.phases[line % count] = None,
        Spoilt::NoCurrent(line) => entry(&mut spoilt.phases, line, None),
        Spoilt::Spike(line, current) => entry(&mut spoilt.phases, line, Some(Milliamps(current))),
        Spoilt::Zeros => {
            (0..count).for_each(|line| entry(&mut spoilt.phases, line, Some(Milliamps::ZERO)));
        }
        Spoilt::PowerOnly => {
            spoilt.phases = vec![None; count];
            spoilt.power_w = Some(Watts(3_000));
        }
    }
    Some(spoilt)
}

/// One reading in some is spoilt. A house that stays as it is carries no more than with good readings: nothing is raised on a
/// false word.
#[test]
fn spoilt_readings_raise_nobody_into_an_overload() {
    let name = "bad_readings::spoilt_readings_raise_nobody_into_an_overload";
    let cases = (
        any_houses(1..4),
        prop::collection::vec((spoilt(), 4_u64..40), 1..30),
    );
    check(name, 24, &cases, |(mut setup, spoils)| {
        (setup.loss, setup.period_ms) = (0.0, 1_000);
        let mut house = House::new(&setup);
        house.may_refuse = true;
        let rating = f64::from(i32::try_from(setup.rating_a).unwrap());
        let (mut next, mut at_s) = (0, 10);
        house.spoil = Box::new(move |s, reading| {
            if s < at_s {
                return Some(reading);
            }
            let (how, gap_s) = spoils[next % spoils.len()];
            (next, at_s) = (next + 1, s + gap_s);
            spoil(reading, how)
        });
        for _ in 0..900 {
            house.second();
            let highest = house.lines_a.into_iter().fold(0.0, f64::max);
            prop_assert!(highest <= rating + 0.5, "{highest:.2} A at {} s", house.s);
        }
        Ok(())
    });
}

/// A meter that says the same for ever while the house goes on: from the time that is allowed on nothing is raised.
#[test]
fn nothing_is_raised_on_a_frozen_reading() {
    let name = "bad_readings::nothing_is_raised_on_a_frozen_reading";
    let cases = (houses(Grid::Tn3ph, 1..4, 30.0), 60_u64..400);
    check(name, 16, &cases, |(mut setup, freezes_s)| {
        (setup.loss, setup.period_ms) = (0.0, 1_000);
        let mut house = House::new(&setup);
        let mut steps = Steps::new(&house, false);
        let mut kept: Option<Reading> = None;
        house.spoil = Box::new(move |s, reading| {
            if s < freezes_s {
                return Some(reading);
            }
            Some(kept.get_or_insert(reading).clone())
        });
        for _ in 0..freezes_s + 600 {
            steps.second(&mut house);
            house.second();
            // Twenty seconds are allowed; a reading may be under way for two.
            let frozen = house.s > freezes_s + 23;
            for change in house.changes.drain(..).filter(|_| frozen) {
                prop_assert!(change.to <= change.from, "{change:?}");
            }
        }
        Ok(())
    });
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let current = prop_oneof![
        Just(None),
        (0_i64..60_000).prop_map(|current| Some(Milliamps(current))),
        any::<i64>().prop_map(|current| Some(Milliamps(current))),
    ];
    let voltage = prop_oneof![
        Just(None),
        any::<i64>().prop_map(|voltage| Some(Millivolts(voltage)))
    ];
    let power = prop_oneof![
        Just(None),
        any::<i64>().prop_map(|power| Some(Watts(power)))
    ];
    let phase = (current, voltage, power.clone()).prop_map(|(current_a, voltage_v, power_w)| {
        PhaseReading {
            current_a,
            voltage_v,
            power_w,
        }
    });
    (prop::collection::vec(prop::option::of(phase), 0..5), power).prop_map(|(phases, power_w)| {
        Reading {
            phases,
            power_w,
            ..Reading::default()
        }
    })
}

/// Any numbers at all: what is impossible is refused, changes nothing and raises nobody; what is taken is survived.
#[test]
fn any_numbers_are_refused_or_survived() {
    let name = "bad_readings::any_numbers_are_refused_or_survived";
    let cases = (
        any_houses(1..4),
        // Fewer than the seconds after which the meter is lost, and its values with it.
        prop::collection::vec(any_reading(), 1..50),
    );
    check(name, 100, &cases, |(setup, readings)| {
        let mut house = House::new(&setup);
        house.seconds(60);
        let mut engine: Engine = house.engine.take().unwrap();
        let mut told = house.told();
        let mut known = house.newest.take().unwrap().phases;
        for (at, reading) in (61_u64..).zip(readings) {
            let (event, now) = (Event::Reading(reading), Instant(at * 1000 + 999));
            let possible = engine.check(&event, now).is_ok();
            let actions = engine.step(event, now);
            prop_assert!(actions.next_deadline_ms.is_none_or(|next| next > now));
            if !possible {
                prop_assert_eq!(&actions.phases, &known, "an impossible reading was taken");
            }
            known.clone_from(&actions.phases);
            for action in &actions.actions {
                let headroom_core::Command::SetLimit { load, limit_a, .. } = &action.what else {
                    continue;
                };
                let index = (0..told.len())
                    .find(|index| crate::setup::id(*index) == *load)
                    .unwrap();
                prop_assert!(
                    possible || limit_a.0 <= told[index],
                    "raised by an impossible reading"
                );
                told[index] = limit_a.0;
            }
        }
        Ok(())
    });
}
