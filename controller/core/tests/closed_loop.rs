//! The engine in a closed loop with a small house in virtual time: the properties that hold for every
//! background, latency and report rhythm, each named after what it promises.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::VecDeque;

use headroom_core::action::{Action, Command};
use headroom_core::config::{Charger, Config, LeaseProof, MainFuse, Mode, Rating, Site};
use headroom_core::event::{
    ChargerReport, ChargerStatus, CommandResult, Event, Outcome, PhaseReading, Reading, Tick,
};
use headroom_core::units::{Instant, Milliamps, Millivolts, Phase};
use headroom_core::{Actions, Engine};
use proptest::prelude::*;

const RATING: i64 = 25_000;

/// A charger with a car in the house of the test.
#[derive(Clone, Debug)]
struct Car {
    id: &'static str,
    lines: Vec<Phase>,
    max: i64,
    wants: i64,
    delay_s: u64,
    report_s: u64,
    limit: i64,
    lease_until_s: u64,
    draw: i64,
    way: VecDeque<(u64, i64, u64)>,
}

impl Car {
    fn new(
        id: &'static str,
        lines: &[Phase],
        max: i64,
        wants: i64,
        delay_s: u64,
        report_s: u64,
    ) -> Self {
        Self {
            id,
            lines: lines.to_vec(),
            max,
            wants,
            delay_s,
            report_s,
            limit: 0,
            lease_until_s: 0,
            draw: 0,
            way: VecDeque::new(),
        }
    }

    fn config(&self, priority: u32) -> Charger {
        Charger {
            id: self.id.into(),
            name: String::new(),
            driver: None,
            circuit: None,
            max_current_a: Milliamps(self.max),
            min_current_a: Milliamps(6_000),
            phases: Some(self.lines.clone()),
            phase_switching: false,
            safe_current_a: Milliamps::ZERO,
            lease_s: 120,
            lease: LeaseProof::Claimed,
            priority,
            accept_risk: false,
        }
    }

    fn step(&mut self, s: u64) {
        while self.way.front().is_some_and(|(at, _, _)| *at <= s) {
            let (at, limit, lease_s) = self.way.pop_front().unwrap();
            self.limit = limit;
            self.lease_until_s = at + lease_s;
        }
        let in_force = if s < self.lease_until_s {
            self.limit
        } else {
            0
        };
        let goal = if in_force < 6_000 {
            0
        } else {
            in_force.min(self.wants)
        };
        // Down at once, up by 2 A a second.
        self.draw = if goal < self.draw {
            goal
        } else {
            goal.min(self.draw + 2_000)
        };
    }
}

struct House {
    engine: Engine,
    cars: Vec<Car>,
    s: u64,
    period_s: u64,
    background: [i64; 3],
    results: Vec<(u64, u64)>,
    noise: u64,
}

impl House {
    fn new(cars: Vec<Car>, period_s: u64, priorities: &[u32]) -> Self {
        let config = Config {
            site: Site {
                mode: Mode::Control,
                main_fuse: MainFuse {
                    rating_a: Rating::All(Milliamps(RATING)),
                    ..MainFuse::default()
                },
                ..Site::default()
            },
            chargers: cars
                .iter()
                .zip(priorities)
                .map(|(car, p)| car.config(*p))
                .collect(),
            slow_loads: Vec::new(),
        };
        config.validate(headroom_core::PerPhase::default()).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            cars,
            s: 0,
            period_s,
            background: [2_000; 3],
            results: Vec::new(),
            noise: 1,
        }
    }

    fn line(&self, phase: Phase) -> i64 {
        let cars: i64 = self
            .cars
            .iter()
            .filter(|car| car.lines.contains(&phase))
            .map(|car| car.draw)
            .sum();
        self.background[phase.index()] + cars
    }

    fn noise(&mut self) -> i64 {
        self.noise = self
            .noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        i64::try_from((self.noise >> 33) % 200).unwrap()
    }

    fn take(&mut self, event: Event, ms: u64) -> Actions {
        self.engine.check(&event, Instant(ms)).unwrap();
        let actions = self.engine.step(event, Instant(ms));
        for action in &actions.actions {
            if let Command::SetLimit {
                load,
                limit_a,
                lease_s,
                ..
            } = &action.what
            {
                let s = self.s;
                let car = self.cars.iter_mut().find(|car| car.id == load).unwrap();
                car.way
                    .push_back((s + car.delay_s, limit_a.0, u64::from(*lease_s)));
                self.results.push((s + car.delay_s, action.command));
            }
        }
        actions
    }

    /// One second; gives every step's outcome.
    fn second(&mut self) -> Vec<Actions> {
        self.s += 1;
        let (s, ms) = (self.s, self.s * 1000);
        let mut all = Vec::new();
        for car in &mut self.cars {
            car.step(s);
        }
        let (due, later) = self.results.iter().partition(|(at, _)| *at <= s);
        self.results = later;
        let due: Vec<(u64, u64)> = due;
        for (_, command) in due {
            let result = CommandResult {
                command,
                outcome: Outcome::Accepted,
            };
            all.push(self.take(Event::Result(result), ms));
        }
        for index in 0..self.cars.len() {
            let car = &self.cars[index];
            if s % car.report_s == (index as u64) % car.report_s {
                let report = ChargerReport {
                    id: car.id.into(),
                    connected: true,
                    status: ChargerStatus::Charging,
                    current_a: Some(vec![Some(Milliamps(car.draw)); car.lines.len()]),
                    limit_a: None,
                    energy_kwh: None,
                };
                all.push(self.take(Event::Charger(report), ms));
            }
        }
        if s % self.period_s == 0 {
            let phases = Phase::ALL
                .map(|phase| {
                    let current = self.line(phase) + self.noise();
                    Some(PhaseReading {
                        current_a: Some(Milliamps(current / 100 * 100)),
                        voltage_v: Some(Millivolts(230_000 + self.noise())),
                        power_w: None,
                    })
                })
                .to_vec();
            let reading = Reading {
                phases,
                ..Reading::default()
            };
            all.push(self.take(Event::Reading(reading), ms + 10));
        } else {
            all.push(self.take(Event::Tick(Tick {}), ms + 10));
        }
        all
    }
}

fn limits(actions: &[Actions]) -> Vec<(&Action, &str, i64)> {
    actions
        .iter()
        .flat_map(|step| &step.actions)
        .filter_map(|action| match &action.what {
            Command::SetLimit { load, limit_a, .. } => Some((action, load.as_str(), limit_a.0)),
            Command::Switch { .. } => None,
        })
        .collect()
}

fn cars() -> impl Strategy<Value = (Vec<Car>, u64, Vec<u32>)> {
    use Phase::{L1, L2, L3};
    let maps: [&'static [Phase]; 5] = [&[L1, L2, L3], &[L2, L3, L1], &[L1], &[L2], &[L3]];
    let car = (
        prop::sample::select(maps.to_vec()),
        10_i64..33,
        6_i64..33,
        0_u64..5,
        1_u64..8,
    );
    (
        prop::collection::vec(car, 1..4),
        prop::sample::select(vec![1_u64, 2, 10]),
        prop::collection::vec(1_u32..3, 3),
    )
        .prop_map(|(list, period, priorities)| {
            let cars = list
                .into_iter()
                .zip(["a", "b", "c"])
                .map(|((lines, max, wants, delay, report), id)| {
                    Car::new(id, lines, max * 1000, wants * 1000, delay, report)
                })
                .collect();
            (cars, period, priorities)
        })
}

fn steps() -> impl Strategy<Value = Vec<(u64, [i64; 3])>> {
    let step = (20_u64..200, prop::array::uniform3(1_000_i64..20_000));
    prop::collection::vec(step, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Every limit is 0 or within the charger's range, in whole amperes, with a lease that ends.
    #[test]
    fn commands_are_zero_or_in_range((cars, period, priorities) in cars(), steps in steps()) {
        let mut house = House::new(cars, period, &priorities);
        let mut next = 1;
        for (seconds, background) in steps {
            house.background = background;
            for _ in 0..seconds {
                let all = house.second();
                for step in &all {
                    prop_assert!(step.next_deadline_ms.is_none_or(|at| at > step.t_ms));
                }
                for (action, load, limit) in limits(&all) {
                    let car = house.cars.iter().find(|car| car.id == load).unwrap();
                    prop_assert!(limit == 0 || (6_000..=car.max).contains(&limit));
                    prop_assert_eq!(limit % 1000, 0);
                    prop_assert_eq!(action.command, next);
                    next += 1;
                }
            }
        }
    }

    /// An overload that the loads cause is lowered in the very step of the reading that shows it.
    #[test]
    fn lowering_is_never_delayed((cars, period, priorities) in cars(), steps in steps()) {
        let mut house = House::new(cars, period, &priorities);
        for (seconds, background) in steps {
            house.background = background;
            let mut over_s = 0;
            for _ in 0..seconds {
                house.second();
                let over = Phase::ALL.iter().any(|phase| {
                    let cars = house.cars.iter().filter(|car| car.lines.contains(phase));
                    house.line(*phase) > RATING + 600 && cars.map(|car| car.draw).sum::<i64>() > 0
                });
                over_s = if over { over_s + 1 } else { 0 };
                // Reading, two ways of at most 4 s, and the report that settles a change: no overload
                // that a load is part of outlives that.
                let slowest = house.cars.iter().map(|car| car.report_s).max().unwrap();
                prop_assert!(over_s <= 2 * period + 6 + slowest, "overload for {over_s} s");
            }
        }
    }

    /// What is promised, old or new, fits beside the background whenever something is raised.
    #[test]
    fn the_sum_of_grants_fits_on_every_raise((cars, period, priorities) in cars(), steps in steps()) {
        let mut house = House::new(cars, period, &priorities);
        let mut told: Vec<i64> = vec![0; house.cars.len()];
        for (seconds, background) in steps {
            house.background = background;
            for _ in 0..seconds {
                let all = house.second();
                for step in &all {
                    for (_, load, limit) in limits(std::slice::from_ref(step)) {
                        let index = house.cars.iter().position(|car| car.id == load).unwrap();
                        let raised = limit > told[index];
                        told[index] = limit;
                        if !raised {
                            continue;
                        }
                        for phase in Phase::ALL.iter().filter(|p| house.cars[index].lines.contains(p)) {
                            let promised: i64 = house
                                .cars
                                .iter()
                                .zip(&told)
                                .filter(|(car, _)| car.lines.contains(phase))
                                .map(|(car, told)| car.draw.max(*told))
                                .sum();
                            let known = step.phases[phase.index()].background_a.unwrap().0;
                            prop_assert!(
                                promised + known <= RATING + 300,
                                "{phase}: {promised} + {known}"
                            );
                        }
                    }
                }
            }
        }
    }

    /// Nobody is lowered for the sake of a load of a lower class.
    #[test]
    fn a_lower_class_takes_nothing_from_a_higher((cars, period, priorities) in cars(), steps in steps()) {
        use headroom_core::ReasonCode;
        let mut house = House::new(cars, period, &priorities);
        for (seconds, background) in steps {
            house.background = background;
            for _ in 0..seconds {
                let all = house.second();
                for (action, load, _) in limits(&all) {
                    let (Some(other), ReasonCode::Priority | ReasonCode::FairShare) =
                        (action.reason.load.as_deref(), action.reason.code)
                    else {
                        continue;
                    };
                    let class = |id: &str| {
                        priorities[house.cars.iter().position(|car| car.id == id).unwrap()]
                    };
                    prop_assert!(class(other) >= class(load), "{}", action.reason.text);
                }
            }
        }
    }

    /// A house that does not change ends in silence but for renewals.
    #[test]
    fn constant_background_ends_in_silence((cars, period, priorities) in cars(), background in prop::array::uniform3(1_000_i64..20_000)) {
        let mut house = House::new(cars, period, &priorities);
        house.background = background;
        for _ in 0..600 {
            house.second();
        }
        let mut commands = 0;
        for _ in 0..600 {
            commands += limits(&house.second()).iter().filter(|(action, _, _)| !action.renewal).count();
        }
        // Cars of one class that do not all fit take turns every quarter of an hour.
        prop_assert!(commands <= 2 * house.cars.len(), "{commands} commands");
    }

    /// Nothing is raised when the newest reading with currents is older than one and a half periods,
    /// nor before three of them.
    #[test]
    fn no_raise_without_fresh_readings((cars, period, priorities) in cars(), gap in 2_u64..200) {
        let mut house = House::new(cars, period, &priorities);
        let mut told = vec![0_i64; house.cars.len()];
        let mut readings: Vec<u64> = Vec::new();
        for s in 1..400_u64 {
            // The meter is silent for a while in the middle.
            house.period_s = if (100..100 + gap).contains(&s) { u64::MAX } else { period };
            if s % house.period_s == 0 {
                readings.push(s);
            }
            for (_, load, limit) in limits(&house.second()) {
                let index = house.cars.iter().position(|car| car.id == load).unwrap();
                if limit > told[index] {
                    prop_assert!(readings.len() >= 3);
                    let age = s - readings.last().unwrap();
                    prop_assert!(2 * age <= 3 * period, "raised on a reading {age} s old");
                }
                told[index] = limit;
            }
        }
    }

    /// The same events give the same bytes.
    #[test]
    fn the_same_events_give_the_same_bytes((cars, period, priorities) in cars(), steps in steps()) {
        let run = || {
            let mut house = House::new(cars.clone(), period, &priorities);
            let mut text = String::new();
            for (seconds, background) in &steps {
                house.background = *background;
                for _ in 0..*seconds {
                    for step in house.second() {
                        text.push_str(&serde_json::to_string(&step).unwrap());
                    }
                }
            }
            text
        };
        prop_assert_eq!(run(), run());
    }
}
