//! A house in virtual time around the engine: cars that follow late, a meter that is late and loses readings, chargers
//! that report when they like. Whatever the engine says is checked against the shape that it promises.

use std::collections::BTreeMap;

use headroom_core::action::Command;
use headroom_core::config::Grid;
use headroom_core::event::{
    ChargerReport, ChargerStatus, CommandResult, Event, Outcome, PhaseReading, Reading, Tick,
};
use headroom_core::units::{Instant, Milliamps, Millivolts, Phase};
use headroom_core::{Actions, Engine};

use crate::adverse::Adverse;
use crate::setup::{Point, Setup, id};
use crate::wires::Lines;

/// A command is answered after this at most, whenever it comes into force.
const ANSWER_MS: u64 = 1_000;
/// Cars rise by this in a second, in milliamperes.
const RISE: i64 = 2_000;

enum Due {
    Event(Event),
    /// The reading that comes now was taken while the house drew this.
    Seen([f64; 3]),
    Force {
        point: usize,
        limit: i64,
        lease_s: u64,
    },
    Offer {
        point: usize,
    },
    Answer {
        point: usize,
        command: u64,
    },
}

/// A charger with its car.
#[derive(Clone, Debug)]
pub(crate) struct Charger {
    pub(crate) point: Point,
    /// What it was told last.
    pub(crate) told: i64,
    /// The limit in force, and when its lease runs out.
    in_force: i64,
    until_ms: u64,
    /// The limit that it said yes to last, and those that it has not answered yet.
    answered: i64,
    unanswered: Vec<i64>,
    offered: i64,
    starts_s: Option<u64>,
    pub(crate) draw: i64,
    here: bool,
}

impl Charger {
    fn limit(&self, ms: u64) -> i64 {
        if ms < self.until_ms {
            self.in_force
        } else {
            self.point.safe_a * 1000
        }
    }

    fn status(&self) -> ChargerStatus {
        match (self.here, self.offered > 0, self.draw > 0) {
            (false, _, _) => ChargerStatus::Available,
            (true, false, _) => ChargerStatus::SuspendedEvse,
            (true, true, true) => ChargerStatus::Charging,
            (true, true, false) => ChargerStatus::SuspendedEv,
        }
    }

    /// The most that it may draw, by its word and by what it draws.
    fn may_draw(&self) -> i64 {
        let unanswered = self.unanswered.iter().copied().max().unwrap_or(0);
        unanswered.max(self.answered).max(self.draw)
    }
}

/// A change that a step commanded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) ms: u64,
    pub(crate) point: usize,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) renewal: bool,
    /// What each line would carry if every charger drew what it may, beside the house as it was at the newest reading.
    pub(crate) worst: [i64; 3],
}

/// The house.
pub(crate) struct House {
    pub(crate) setup: Setup,
    /// `None`: the process is dead.
    pub(crate) engine: Option<Engine>,
    pub(crate) chargers: Vec<Charger>,
    /// What the house draws now, in amperes.
    pub(crate) background_a: [f64; 3],
    pub(crate) s: u64,
    pub(crate) lines_a: [f64; 3],
    /// What the house drew when the newest reading that has come was taken, in amperes.
    seen_a: [f64; 3],
    pub(crate) poles: Vec<Adverse>,
    pub(crate) changes: Vec<Change>,
    /// What a reading becomes on its way: nothing, or another.
    pub(crate) spoil: Box<dyn FnMut(u64, Reading) -> Option<Reading>>,
    /// Whether what it sends may be impossible.
    pub(crate) may_refuse: bool,
    /// What the engine was given.
    pub(crate) given: Vec<(Instant, Event)>,
    /// What came out of the newest step.
    pub(crate) newest: Option<Actions>,
    /// Which line's noise each line has.
    pub(crate) noise_of: [usize; 3],
    queue: BTreeMap<(u64, u64), Due>,
    sequence: u64,
    now_ms: u64,
    lost: bool,
    reports: Vec<Option<ChargerStatus>>,
}

impl House {
    pub(crate) fn new(setup: &Setup) -> Self {
        let chargers = setup
            .points
            .iter()
            .map(|point| Charger {
                point: point.clone(),
                told: 0,
                in_force: point.safe_a * 1000,
                until_ms: 0,
                answered: 0,
                unanswered: Vec::new(),
                offered: point.safe_a * 1000,
                starts_s: None,
                draw: 0,
                here: false,
            })
            .collect();
        let pole = || Adverse::new(setup.characteristic, setup.curve, setup.rating_a);
        Self {
            engine: Some(Engine::new(setup.config(), Instant(0))),
            chargers,
            background_a: setup.base_a,
            s: 0,
            lines_a: [0.0; 3],
            seen_a: [0.0; 3],
            poles: setup.grid.phases().iter().map(|_| pole()).collect(),
            changes: Vec::new(),
            spoil: Box::new(|_, reading| Some(reading)),
            may_refuse: false,
            given: Vec::new(),
            newest: None,
            noise_of: [0, 1, 2],
            queue: BTreeMap::new(),
            sequence: 0,
            now_ms: 0,
            lost: false,
            reports: vec![None; setup.points.len()],
            setup: setup.clone(),
        }
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        (0..seconds).for_each(|_| self.second());
    }

    /// What happens up to the next whole second, then the second itself.
    pub(crate) fn second(&mut self) {
        self.s += 1;
        let ms = self.s * 1000;
        self.until(ms);
        for index in 0..self.chargers.len() {
            self.drive(index);
        }
        self.lines_a = self.carried(self.noisy(), |charger| charger.draw).amps();
        for (pole, amps) in self.poles.iter_mut().zip(self.lines_a) {
            pole.second(amps);
        }
        if ms.is_multiple_of(self.setup.period_ms) {
            self.read(ms);
        }
        for index in 0..self.chargers.len() {
            self.report(index, ms);
        }
    }

    /// What each charger may draw by its newest command.
    pub(crate) fn told(&self) -> Vec<i64> {
        self.chargers.iter().map(|charger| charger.told).collect()
    }

    /// The highest thermal state of any pole, as a share of the one at which it opens.
    pub(crate) fn hottest(&self) -> f64 {
        self.poles
            .iter()
            .map(|pole| pole.highest)
            .fold(0.0, f64::max)
    }

    /// The limit in force at a charger, in milliamperes.
    pub(crate) fn in_force(&self, index: usize) -> i64 {
        self.chargers[index].limit(self.s * 1000)
    }

    /// What the house draws in this second.
    fn noisy(&self) -> [f64; 3] {
        [0, 1, 2].map(|place| {
            let noise_a = self.noise(place, "current") * self.setup.noise_a;
            (self.background_a[place] + noise_a).max(0.0)
        })
    }

    /// What the lines carry when the house draws this, and each charger that, in milliamperes.
    fn carried(&self, house_a: [f64; 3], draws: impl Fn(&Charger) -> i64) -> Lines {
        let mut lines = self.alone(house_a);
        for charger in &self.chargers {
            let (amps, point) = (milli(draws(charger)), &charger.point);
            lines.add(self.setup.grid, &point.terminals, amps, point.lags);
        }
        lines
    }

    /// What the house alone carries when it draws this.
    pub(crate) fn alone(&self, background_a: [f64; 3]) -> Lines {
        let (grid, mut lines) = (self.setup.grid, Lines::default());
        for (place, amps) in background_a.into_iter().enumerate() {
            let (from, to) = (Phase::ALL[place], Phase::ALL[(place + 1) % 3]);
            let wires: &[Phase] = if grid == Grid::It3ph {
                &[from, to]
            } else {
                &[from]
            };
            if grid.phases().contains(&from) {
                lines.add(grid, wires, amps, self.setup.lags);
            }
        }
        lines
    }

    /// From −1 to 1, the same for the same second and line.
    fn noise(&self, place: usize, what: &str) -> f64 {
        let of = if what == "loss" {
            0
        } else {
            self.noise_of[place]
        };
        let of = u64::try_from(of + what.len() * 7).unwrap();
        let mut x = self.setup.seed ^ (self.s << 20) ^ (of << 8);
        for _ in 0..3 {
            x = (x ^ (x >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            x ^= x >> 29;
        }
        f64::from(u32::try_from(x >> 40).unwrap()) / f64::from(1_u32 << 23) - 1.0
    }

    fn push(&mut self, ms: u64, due: Due) {
        self.sequence += 1;
        self.queue.insert((ms.max(self.now_ms), self.sequence), due);
    }

    fn until(&mut self, end_ms: u64) {
        loop {
            let next = self.queue.first_key_value().map(|((ms, _), _)| *ms);
            let deadline = self
                .engine
                .as_ref()
                .and_then(Engine::next_deadline)
                .map(|at| at.0.max(self.now_ms));
            match (next, deadline) {
                (Some(next), deadline)
                    if next <= end_ms && deadline.is_none_or(|at| next <= at) =>
                {
                    let ((ms, _), due) = self.queue.pop_first().unwrap();
                    self.now_ms = ms;
                    self.happen(due);
                }
                (_, Some(deadline)) if deadline <= end_ms => {
                    self.now_ms = deadline;
                    self.tell(Event::Tick(Tick {}));
                }
                _ => break,
            }
        }
        self.now_ms = end_ms;
    }

    fn happen(&mut self, due: Due) {
        let now_ms = self.now_ms;
        match due {
            Due::Event(event) => self.tell(event),
            Due::Seen(house_a) => self.seen_a = house_a,
            Due::Force {
                point,
                limit,
                lease_s,
            } => {
                let charger = &mut self.chargers[point];
                charger.in_force = limit;
                charger.until_ms = now_ms + lease_s * 1000;
                let (car_ms, until_ms) = (charger.point.car_ms, charger.until_ms);
                self.push(now_ms + car_ms, Due::Offer { point });
                self.push(until_ms + car_ms, Due::Offer { point });
            }
            Due::Answer { point, command } => {
                let charger = &mut self.chargers[point];
                charger.answered = charger.unanswered.remove(0);
                let outcome = Outcome::Accepted;
                self.tell(Event::Result(CommandResult { command, outcome }));
            }
            Due::Offer { point } => {
                let charger = &mut self.chargers[point];
                charger.offered = charger.limit(now_ms);
            }
        }
    }

    fn drive(&mut self, index: usize) {
        let s = self.s;
        let charger = &mut self.chargers[index];
        charger.here = s >= charger.point.comes_s;
        let goal = if charger.here && charger.offered >= 6_000 {
            charger.offered.min(charger.point.wants_a * 1000)
        } else {
            0
        };
        if goal == 0 {
            charger.starts_s = None;
            charger.draw = 0;
        } else if charger.draw > 0
            || *charger.starts_s.get_or_insert(s + charger.point.start_s) <= s
        {
            charger.draw = goal.min(charger.draw + RISE);
        }
    }

    fn read(&mut self, ms: u64) {
        let lost = !self.lost && self.noise(0, "loss") * 0.5 + 0.5 < self.setup.loss;
        self.lost = lost;
        if lost {
            return;
        }
        let phases = self
            .setup
            .grid
            .phases()
            .iter()
            .map(|line| {
                let tenths = (self.lines_a[line.index()] * 10.0).floor();
                let volts = 2_300.0 + (self.noise(line.index(), "voltage") * 20.0).round();
                Some(PhaseReading {
                    current_a: Milliamps::from_f64(tenths / 10.0),
                    voltage_v: Millivolts::from_f64(volts / 10.0),
                    power_w: None,
                })
            })
            .collect();
        let reading = Reading {
            phases,
            ..Reading::default()
        };
        if let Some(reading) = (self.spoil)(self.s, reading) {
            let at_ms = ms + self.setup.meter_latency_ms;
            self.push(at_ms, Due::Seen(self.noisy()));
            self.push(at_ms, Due::Event(Event::Reading(reading)));
        }
    }

    fn report(&mut self, index: usize, ms: u64) {
        let charger = &self.chargers[index];
        let point = &charger.point;
        let due = self.s >= point.skew_s && (self.s - point.skew_s).is_multiple_of(point.report_s);
        let status = charger.status();
        if !due && self.reports[index] == Some(status) {
            return;
        }
        self.reports[index] = Some(status);
        let report = ChargerReport {
            id: id(index),
            connected: true,
            status,
            current_a: Some(vec![Some(Milliamps(charger.draw)); point.terminals.len()]),
            limit_a: None,
            energy_kwh: None,
        };
        let at_ms = ms + point.age_ms;
        self.push(at_ms, Due::Event(Event::Charger(report)));
    }

    /// Gives the engine an event, now.
    pub(crate) fn tell(&mut self, event: Event) {
        let now = Instant(self.now_ms);
        let Some(engine) = &mut self.engine else {
            return;
        };
        let possible = engine.check(&event, now).is_ok();
        assert!(possible || self.may_refuse, "refused: {event:?}");
        self.given.push((now, event.clone()));
        let actions = engine.step(event, now);
        assert!(actions.next_deadline_ms.is_none_or(|at| at > now));
        for action in &actions.actions {
            let Command::SetLimit {
                load,
                limit_a,
                phases,
                lease_s,
            } = &action.what
            else {
                panic!("there is no slow load");
            };
            let index = (0..self.chargers.len())
                .find(|index| id(*index) == *load)
                .unwrap();
            let charger = &self.chargers[index];
            let (limit, lease_s) = (limit_a.0, u64::from(*lease_s));
            assert!(
                limit == 0 || (6_000..=charger.point.max_a * 1000).contains(&limit),
                "{load} was told {limit} mA"
            );
            assert!((1..=3600).contains(&lease_s) && *phases > 0);
            let from = charger.told;
            let latency_ms = charger.point.latency_ms;
            self.chargers[index].told = limit;
            self.chargers[index].unanswered.push(limit);
            let worst = self.worst();
            self.changes.push(Change {
                ms: self.now_ms,
                point: index,
                from,
                to: limit,
                renewal: action.renewal,
                worst,
            });
            let force = Due::Force {
                point: index,
                limit,
                lease_s,
            };
            self.push(self.now_ms + latency_ms, force);
            let answer = Due::Answer {
                point: index,
                command: action.command,
            };
            self.push(self.now_ms + latency_ms.min(ANSWER_MS), answer);
        }
        self.newest = Some(actions);
    }

    /// What each line would carry if every charger drew what it may.
    fn worst(&self) -> [i64; 3] {
        let lines = self.carried(self.seen_a, Charger::may_draw).amps();
        lines.map(|amps| Milliamps::from_f64(amps).unwrap().0)
    }
}

fn milli(current: i64) -> f64 {
    f64::from(i32::try_from(current).unwrap()) / 1000.0
}
