//! Chargers that can change between three phases and one, in a closed loop with a small house.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use headroom_core::Engine;
use headroom_core::action::Command;
use headroom_core::config::{Charger, Config, LeaseProof, MainFuse, Mode, Rating, Site};
use headroom_core::event::{
    ChargerReport, ChargerStatus, CommandResult, Event, Outcome, PhaseReading, Reading,
};
use headroom_core::units::{Instant, Milliamps, Millivolts, PerPhase, Phase};
use proptest::prelude::*;

/// Time between two switches, in seconds.
const SWITCH_EVERY_S: u64 = 600;
/// A car follows after this, in seconds.
const FOLLOWS_S: u64 = 3;

/// What a charger does with the number of phases that it is told.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Obeys,
    /// It says yes and uses all of its phases.
    KeepsThree,
    /// It does as it is told, and its meter shows nothing.
    Silent,
    /// It cannot change them: more on one phase than it has on all of them is refused.
    Refuses,
}

struct Point {
    id: &'static str,
    lines: Vec<Phase>,
    switching: bool,
    manner: Manner,
    /// When its car comes, in seconds.
    comes_s: u64,
    told: (u64, i64, u8),
    before: (i64, u8),
    /// Since it was told: (second, limit, phases).
    history: Vec<(u64, i64, u8)>,
    /// What it falls to when its lease has run out.
    safe: i64,
    /// When the newest limit that it took came.
    leased_s: u64,
    refused: Vec<u64>,
}

/// Of every charger here, in seconds.
const LEASE_S: u64 = 120;

impl Point {
    fn new(id: &'static str, lines: &[Phase], switching: bool, manner: Manner) -> Self {
        Self {
            id,
            lines: lines.to_vec(),
            switching,
            manner,
            comes_s: 0,
            told: (0, 0, 3),
            before: (0, 3),
            history: Vec::new(),
            safe: 0,
            leased_s: 0,
            refused: Vec::new(),
        }
    }

    fn config(&self) -> Charger {
        Charger {
            id: self.id.into(),
            name: String::new(),
            driver: None,
            circuit: None,
            max_current_a: Milliamps(16_000),
            min_current_a: Milliamps(6_000),
            phases: Some(self.lines.clone()),
            phase_switching: self.switching,
            safe_current_a: Milliamps(self.safe),
            lease_s: u32::try_from(LEASE_S).unwrap(),
            lease: LeaseProof::Claimed,
            priority: 1,
            accept_risk: false,
        }
    }

    /// What it draws at each of its terminals.
    fn draws(&self, s: u64) -> Vec<i64> {
        let (at, limit, phases) = self.told;
        let (limit, phases) = if s > self.leased_s + LEASE_S {
            (self.safe, 3)
        } else if s < at + FOLLOWS_S {
            self.before
        } else {
            (limit, phases)
        };
        let used = match self.manner {
            Manner::KeepsThree | Manner::Refuses => 3,
            Manner::Obeys | Manner::Silent => usize::from(phases),
        };
        (0..self.lines.len())
            .map(|terminal| if terminal < used { limit } else { 0 })
            .collect()
    }

    fn switches(&self) -> Vec<u64> {
        let mut phases = 3;
        let mut switches = Vec::new();
        for (s, _, told) in &self.history {
            if self.lines.len() == 3 && *told != phases {
                phases = *told;
                switches.push(*s);
            }
        }
        switches
    }
}

struct House {
    engine: Engine,
    points: Vec<Point>,
    background: [i64; 3],
    s: u64,
    /// The highest current of each line so far.
    highest: [i64; 3],
}

impl House {
    fn new(points: Vec<Point>, background: [i64; 3]) -> Self {
        let config = Config {
            site: Site {
                mode: Mode::Control,
                main_fuse: MainFuse {
                    rating_a: Rating::All(Milliamps(25_000)),
                    ..MainFuse::default()
                },
                ..Site::default()
            },
            chargers: points.iter().map(Point::config).collect(),
            slow_loads: Vec::new(),
        };
        config.validate(PerPhase::default()).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            points,
            background,
            s: 0,
            highest: [0; 3],
        }
    }

    fn line(&self, line: Phase) -> i64 {
        let draws: i64 = self
            .points
            .iter()
            .flat_map(|point| point.lines.iter().zip(point.draws(self.s)))
            .filter(|(own, _)| **own == line)
            .map(|(_, draw)| draw)
            .sum();
        self.background[line.index()] + draws
    }

    fn second(&mut self) {
        self.s += 1;
        let wobble = i64::try_from(self.s % 7).unwrap() * 10;
        let lines = Phase::ALL.map(|line| self.line(line));
        for (highest, line) in self.highest.iter_mut().zip(lines) {
            *highest = line.max(*highest);
        }
        let phases = lines.map(|current| {
            Some(PhaseReading {
                current_a: Some(Milliamps(current + wobble)),
                voltage_v: Some(Millivolts(230_000 + 10 * wobble)),
                power_w: None,
            })
        });
        self.step(Event::Reading(Reading {
            phases: phases.to_vec(),
            ..Reading::default()
        }));
        if self.s.is_multiple_of(2) {
            for index in 0..self.points.len() {
                let point = &self.points[index];
                let draws = point.draws(self.s);
                let report = ChargerReport {
                    id: point.id.into(),
                    connected: true,
                    status: if self.s < point.comes_s {
                        ChargerStatus::Available
                    } else if draws.iter().any(|draw| *draw > 0) {
                        ChargerStatus::Charging
                    } else {
                        ChargerStatus::SuspendedEvse
                    },
                    current_a: Some(
                        draws
                            .iter()
                            .map(|draw| match point.manner {
                                Manner::Silent => Some(Milliamps::ZERO),
                                Manner::Obeys | Manner::KeepsThree | Manner::Refuses => {
                                    Some(Milliamps(*draw))
                                }
                            })
                            .collect(),
                    ),
                    limit_a: None,
                    energy_kwh: None,
                };
                self.step(Event::Charger(report));
            }
        }
    }

    fn step(&mut self, event: Event) {
        let now = Instant(self.s * 1000);
        self.engine.check(&event, now).unwrap();
        let actions = self.engine.step(event, now).actions;
        for action in actions {
            if let Command::SetLimit {
                load,
                limit_a,
                phases,
                ..
            } = action.what
            {
                let s = self.s;
                let point = self.points.iter_mut().find(|p| p.id == load).unwrap();
                let more = limit_a.0 > point.draws(s).into_iter().max().unwrap_or_default();
                let outcome = if point.manner == Manner::Refuses && phases == 1 && more {
                    point.refused.push(s);
                    Outcome::Rejected
                } else {
                    point.leased_s = s;
                    Outcome::Accepted
                };
                if outcome == Outcome::Accepted
                    && (point.told.1, point.told.2) != (limit_a.0, phases)
                {
                    point.before = (point.told.1, point.told.2);
                    point.told = (s, limit_a.0, phases);
                    point.history.push((s, limit_a.0, phases));
                }
                let result = Event::Result(CommandResult {
                    command: action.command,
                    outcome,
                });
                self.step(result);
            }
        }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second();
        }
    }

    fn told(&self, point: usize) -> (i64, u8) {
        let (_, limit, phases) = self.points[point].told;
        (limit, phases)
    }
}

fn one(manner: Manner, background: [i64; 3]) -> House {
    House::new(
        vec![Point::new("ev1", &Phase::ALL, true, manner)],
        background,
    )
}

#[test]
fn one_phase_when_three_do_not_fit_for_long_and_back_when_they_do() {
    let mut house = one(Manner::Obeys, [2_000, 2_000, 2_000]);
    house.run(300);
    assert_eq!(house.told(0), (16_000, 3));
    // The heat pump on L2 leaves less than the least.
    house.background[1] = 20_500;
    house.run(60);
    assert_eq!(house.told(0), (0, 3), "cut at once, and only that");
    house.run(500);
    assert_eq!(house.told(0), (0, 3), "not for short");
    house.run(200);
    let (_, first, _) = house.points[0]
        .history
        .iter()
        .find(|(.., n)| *n == 1)
        .unwrap();
    assert_eq!(*first, 6_000, "the least until it was seen");
    assert_eq!(house.told(0), (16_000, 1));
    house.background[1] = 2_000;
    house.run(500);
    assert_eq!(house.told(0), (16_000, 1), "not for short");
    house.run(800);
    assert_eq!(house.told(0), (16_000, 3));
    assert_eq!(house.points[0].switches().len(), 2);
}

#[test]
fn without_phase_switching_a_charger_is_always_told_its_three_phases() {
    let mut house = House::new(
        vec![Point::new("ev1", &Phase::ALL, false, Manner::Obeys)],
        [2_000, 20_500, 2_000],
    );
    house.run(3_600);
    assert_eq!(house.told(0).0, 0);
    assert!(
        house.points[0]
            .history
            .iter()
            .all(|(.., phases)| *phases == 3)
    );
}

#[test]
fn a_charger_that_keeps_its_three_phases_is_cut_and_not_tried_again() {
    let mut house = one(Manner::KeepsThree, [2_000, 20_500, 2_000]);
    house.run(4 * 3_600);
    let starts = house.points[0]
        .history
        .iter()
        .filter(|(_, limit, _)| *limit > 0);
    let starts: Vec<_> = starts.collect();
    assert!(!starts.is_empty() && starts.iter().all(|(_, limit, _)| *limit == 6_000));
    assert!(starts.len() <= 2, "{starts:?}");
    assert_eq!(house.told(0).0, 0);
}

/// Whatever it falls to by itself: the pause that it keeps is renewed, and it has all of its phases again when there is room.
#[test]
fn a_charger_that_refuses_one_phase_stays_paused_until_three_have_room() {
    for safe in [0, 6_000] {
        let mut point = Point::new("ev1", &Phase::ALL, true, Manner::Refuses);
        point.safe = safe;
        let mut house = House::new(vec![point], [2_000; 3]);
        house.run(120);
        assert_eq!(house.told(0), (16_000, 3));
        house.background = [2_000, 20_500, 20_500];
        house.run(60);
        assert_eq!(house.told(0), (0, 3));
        house.highest = [0; 3];
        house.run(3_600);
        let refused = &house.points[0].refused;
        assert!(!refused.is_empty(), "it was never asked");
        let pauses: Vec<u64> = refused.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(
            pauses.iter().all(|pause| *pause >= SWITCH_EVERY_S),
            "{pauses:?}"
        );
        assert_eq!(
            house.highest,
            [2_000, 20_500, 20_500],
            "safe current {safe} mA"
        );
        house.background = [2_000; 3];
        house.run(900);
        assert_eq!(house.told(0), (16_000, 3), "safe current {safe} mA");
    }
}

#[test]
fn what_was_told_and_not_seen_counts_on_all_lines() {
    let lines = [Phase::L2];
    let points = |manner| {
        vec![
            Point::new("ev1", &Phase::ALL, true, manner),
            Point::new("ev2", &lines, false, Manner::Obeys),
        ]
    };
    // 15.5 A are left on L2 for the car that comes second: 9 beside the least of the first, all of it when that
    // is seen elsewhere.
    for (manner, most) in [(Manner::Silent, 9_000), (Manner::Obeys, 15_000)] {
        let mut house = House::new(points(manner), [2_000, 9_500, 20_000]);
        house.points[1].comes_s = 2_000;
        house.run(3_600);
        let (limit, phases) = house.told(0);
        assert_eq!(phases, 1);
        assert!(limit >= 6_000);
        assert_eq!(house.told(1).0, most);
    }
}

#[test]
fn one_goes_to_one_phase_so_that_another_can_be_on() {
    let rotated = [Phase::L2, Phase::L3, Phase::L1];
    let points = vec![
        Point::new("ev1", &Phase::ALL, true, Manner::Obeys),
        Point::new("ev2", &rotated, true, Manner::Obeys),
    ];
    // L3 has room for one of them.
    let mut house = House::new(points, [2_000, 2_000, 15_000]);
    house.run(3_600);
    let told: Vec<(i64, u8)> = (0..2).map(|point| house.told(point)).collect();
    assert!(told.iter().all(|(limit, _)| *limit >= 6_000), "{told:?}");
    assert_eq!(told.iter().filter(|(_, phases)| *phases == 1).count(), 1);
    assert!(house.highest.iter().all(|line| *line <= 25_300));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn no_two_switches_come_close_and_no_line_carries_too_much(
        steps in prop::collection::vec((60_u64..1_500, prop::array::uniform3(0_i64..19)), 4..10),
        second in any::<bool>(),
    ) {
        let mut points = vec![Point::new("ev1", &Phase::ALL, true, Manner::Obeys)];
        if second {
            let rotated = [Phase::L3, Phase::L1, Phase::L2];
            points.push(Point::new("ev2", &rotated, true, Manner::Obeys));
        }
        let mut house = House::new(points, [1_000; 3]);
        for (seconds, background) in steps {
            house.background = background.map(|amps| amps * 1_000);
            // A step of the house may put a line over its limit until the cars have answered.
            house.run(15);
            house.highest = [0; 3];
            house.run(seconds);
            prop_assert!(house.highest.iter().all(|line| *line <= 25_300), "{:?}", house.highest);
        }
        for point in &house.points {
            for pair in point.switches().windows(2) {
                prop_assert!(pair[1] - pair[0] >= SWITCH_EVERY_S);
            }
        }
    }
}
