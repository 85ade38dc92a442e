//! The closed loop: the engine with a configuration, the recorded house, and cars that do what they are told.

use std::collections::BTreeSet;

use headroom_core::action::Command;
use headroom_core::config::{Charger, Grid, SlowLoad};
use headroom_core::event::{
    ChargerReport, ChargerStatus, CommandResult, Event, Outcome, Reading, SlowLoadReport, Tick,
};
use headroom_core::{Actions, Config, Engine, Instant, Milliamps, PerPhase, Phase, Watts};

use super::figures::{Figures, Side, newest, slow_draw, sum};
use super::recording::{Recording, Version, Word, feeds, in_force, lines_of};
use super::wishes::{Stay, Wishes};

/// The plant's step, and how long a command takes to be followed, in milliseconds.
const STEP_MS: u64 = 1000;
/// Without a change a charger reports this often, in milliseconds.
const REPORT_MS: u64 = 10_000;
/// Less is nothing to a car (IEC 61851-1).
const PILOT_MIN: Milliamps = Milliamps::from_amps(6);

/// The ids of all loads that there are at some time that counts.
pub(super) fn loads(versions: &[Version]) -> BTreeSet<String> {
    let counted = versions.iter().filter(|version| !version.left_out);
    let ids = counted.flat_map(|version| {
        let chargers = version.config.chargers.iter().map(|it| it.id.clone());
        chargers.chain(version.config.slow_loads.iter().map(|it| it.id.clone()))
    });
    ids.collect()
}

/// What a car would take from all lines together.
pub(super) fn wanted(charger: &Charger, grid: Grid, stay: &Stay) -> Milliamps {
    let most = stay
        .most
        .unwrap_or(charger.max_current_a)
        .min(charger.max_current_a);
    let terminals = lines_of(charger, grid).len();
    let phases = stay.phases.unwrap_or(terminals).min(terminals);
    (0..phases).map(|_| most).sum()
}

/// A charger and the cars that come to it.
struct Point<'a> {
    charger: &'a Charger,
    lines: Vec<Phase>,
    stays: Option<&'a [Stay]>,
    place: usize,
    received: u64,
    limit: Milliamps,
    phases: usize,
    /// What it was told and does not follow yet.
    next: Option<(Milliamps, usize)>,
    draw: PerPhase<Milliamps>,
    /// What the car would take from all lines together.
    wants: Milliamps,
    said: Option<(ChargerStatus, PerPhase<Milliamps>)>,
    said_at: Instant,
}

/// A relay and what hangs on it.
struct Relay<'a> {
    load: &'a SlowLoad,
    words: &'a [Word],
    place: usize,
    on: bool,
    next: Option<bool>,
    draw: PerPhase<Milliamps>,
    wants: PerPhase<Milliamps>,
    said: Option<(bool, PerPhase<Milliamps>)>,
    said_at: Instant,
}

struct Plant<'a> {
    config: &'a Config,
    engine: Engine,
    points: Vec<Point<'a>>,
    relays: Vec<Relay<'a>>,
    answers: Vec<u64>,
    figures: Figures,
    counts: bool,
    /// The house behind the main fuse besides its loads.
    background: PerPhase<Option<Milliamps>>,
    now: Instant,
}

/// Runs configurations in the recorded house, each from its time on.
pub(super) fn run(versions: &[Version], recording: &Recording, wishes: &Wishes) -> Side {
    let start = recording
        .samples
        .first()
        .map_or(Instant(0), |first| first.at);
    let mut place = versions.partition_point(|version| version.at <= start);
    let none = Config::default();
    let config = in_force(versions, start).unwrap_or(&none);
    let mut engine = Engine::new(config.clone(), start);
    engine.restore(&recording.learnt);
    let mut plant = Plant {
        config,
        engine,
        points: Vec::new(),
        relays: Vec::new(),
        answers: Vec::new(),
        figures: Figures::new(config, loads(versions)),
        counts: false,
        background: PerPhase::default(),
        now: start,
    };
    plant.connect(config, recording, wishes);
    for sample in &recording.samples {
        while plant.now.after_ms(STEP_MS) <= sample.at {
            while let Some(version) = versions.get(place).filter(|it| it.at <= plant.now) {
                place += 1;
                plant.connect(&version.config, recording, wishes);
                let event = Event::Configure(Box::new(version.config.clone()));
                plant.step(event, plant.now.max(plant.engine.now()));
            }
            plant.second();
        }
        plant.counts = sample.counts;
        let behind: PerPhase<Milliamps> = plant.drawn(sample.circuit.as_deref());
        let main = sample.circuit.is_none();
        if !main
            && !plant
                .config
                .site
                .circuits
                .iter()
                .any(|it| Some(&it.id) == sample.circuit.as_ref() && it.meter.is_some())
        {
            continue;
        }
        let mut reading = Reading {
            phases: sample.lines.clone(),
            circuit: sample.circuit.clone(),
            ..Reading::default()
        };
        for (phase, line) in Phase::ALL.into_iter().zip(&mut reading.phases) {
            let Some(line) = line else { continue };
            // Where power alone was told, or another current flows, what was told of the power does not hold.
            line.power_w = None;
            line.current_a = sample
                .background
                .get(phase)
                .map(|house| house + behind.get(phase));
        }
        if main {
            plant.background = sample.background;
        }
        let at = sample.at.max(plant.engine.now());
        plant.step(Event::Reading(reading), at);
    }
    plant.figures.side()
}

impl<'a> Point<'a> {
    fn new(
        charger: &'a Charger,
        config: &Config,
        wishes: &'a Wishes,
        recording: &Recording,
    ) -> Self {
        let lines = lines_of(charger, config.site.grid);
        let known = recording.knows(&charger.id);
        Self {
            charger,
            phases: lines.len(),
            lines,
            stays: known.then(|| {
                wishes
                    .get(&charger.id)
                    .map(Vec::as_slice)
                    .unwrap_or_default()
            }),
            place: 0,
            received: 0,
            limit: charger.safe_current_a,
            next: None,
            draw: PerPhase::default(),
            wants: Milliamps::ZERO,
            said: None,
            said_at: Instant(0),
        }
    }

    /// The car that is there; where nothing was recorded there is always one that wants everything.
    fn stay(&mut self, now: Instant) -> Option<Stay> {
        let Some(stays) = self.stays else {
            return Some(Stay {
                from: now,
                to: now,
                most: None,
                phases: None,
                needs: None,
            });
        };
        while stays.get(self.place).is_some_and(|stay| stay.to <= now) {
            self.place += 1;
            self.received = 0;
        }
        stays
            .get(self.place)
            .filter(|stay| stay.from <= now)
            .cloned()
    }

    fn second(&mut self, now: Instant, grid: Grid) -> ChargerStatus {
        if let Some((limit, phases)) = self.next.take() {
            (self.limit, self.phases) = (limit, phases);
        }
        self.draw = PerPhase::default();
        self.wants = Milliamps::ZERO;
        let Some(stay) = self.stay(now) else {
            return ChargerStatus::Available;
        };
        if stay.needs.is_some_and(|needs| self.received >= needs) {
            return ChargerStatus::SuspendedEv;
        }
        self.wants = wanted(self.charger, grid, &stay);
        if self.limit < PILOT_MIN {
            return ChargerStatus::SuspendedEvse;
        }
        let most = stay.most.unwrap_or(self.charger.max_current_a);
        let current = self.limit.min(most);
        let phases = stay.phases.unwrap_or(self.lines.len()).min(self.phases);
        for line in self.lines.iter().take(phases) {
            *self.draw.get_mut(*line) = current;
        }
        self.received += u64::try_from(current.0)
            .unwrap_or(0)
            .saturating_mul(STEP_MS);
        ChargerStatus::Charging
    }

    fn report(&mut self, status: ChargerStatus, now: Instant) -> Option<Event> {
        let word = (status, self.draw);
        if self.said == Some(word) && now.since_ms(self.said_at) < REPORT_MS {
            return None;
        }
        (self.said, self.said_at) = (Some(word), now);
        Some(Event::Charger(ChargerReport {
            id: self.charger.id.clone(),
            connected: true,
            status,
            current_a: Some(
                self.lines
                    .iter()
                    .map(|line| Some(self.draw.get(*line)))
                    .collect(),
            ),
            limit_a: None,
            energy_kwh: None,
        }))
    }
}

impl<'a> Relay<'a> {
    fn new(load: &'a SlowLoad, recording: &'a Recording) -> Self {
        Self {
            load,
            words: recording
                .words
                .get(&load.id)
                .map(Vec::as_slice)
                .unwrap_or_default(),
            place: 0,
            on: false,
            next: None,
            draw: PerPhase::default(),
            wants: PerPhase::default(),
            said: None,
            said_at: Instant(0),
        }
    }

    /// It wants what it drew while it was on, and what it is rated for while it was off.
    fn second(&mut self, now: Instant, config: &Config) {
        self.on = self.next.take().unwrap_or(self.on);
        let word = newest(self.words, &mut self.place, now).filter(|word| word.told.is_some());
        self.wants = word.map_or_else(|| slow_draw(self.load, config), |word| word.draw);
        self.draw = if self.on {
            self.wants
        } else {
            PerPhase::default()
        };
    }

    fn report(&mut self, now: Instant, config: &Config) -> Option<Event> {
        let word = (self.on, self.draw);
        if self.said == Some(word) && now.since_ms(self.said_at) < REPORT_MS {
            return None;
        }
        (self.said, self.said_at) = (Some(word), now);
        let volts = config.site.nominal_voltage_v;
        let watts = sum(&self.draw, config.site.grid).0.saturating_mul(volts.0) / 1_000_000;
        Some(Event::SlowLoad(SlowLoadReport {
            id: self.load.id.clone(),
            connected: true,
            on: Some(self.on),
            power_w: Some(Watts(watts)),
        }))
    }
}

impl<'a> Plant<'a> {
    /// Puts another configuration in force: what stays goes on, with what it drew and received.
    fn connect(&mut self, config: &'a Config, recording: &'a Recording, wishes: &'a Wishes) {
        let mut points = std::mem::take(&mut self.points);
        let mut relays = std::mem::take(&mut self.relays);
        for charger in &config.chargers {
            let mut point = Point::new(charger, config, wishes, recording);
            if let Some(before) = points.iter().position(|it| it.charger.id == charger.id) {
                let before = points.swap_remove(before);
                (point.place, point.received) = (before.place, before.received);
                (point.limit, point.next) = (before.limit, before.next);
                (point.said, point.said_at) = (before.said, before.said_at);
                if point.lines == before.lines {
                    (point.phases, point.draw) = (before.phases, before.draw);
                }
            }
            self.points.push(point);
        }
        for load in &config.slow_loads {
            let before = relays.iter().position(|it| it.load.id == load.id);
            let mut relay = before.map_or_else(
                || Relay::new(load, recording),
                |before| relays.swap_remove(before),
            );
            relay.load = load;
            self.relays.push(relay);
        }
        self.config = config;
        self.figures.guard(config);
    }

    fn second(&mut self) {
        self.account();
        let now = self.now.after_ms(STEP_MS);
        self.now = now;
        let mut reports = Vec::new();
        for command in std::mem::take(&mut self.answers) {
            let outcome = Outcome::Accepted;
            reports.push(Event::Result(CommandResult { command, outcome }));
        }
        for point in &mut self.points {
            let status = point.second(now, self.config.site.grid);
            reports.extend(point.report(status, now));
        }
        for relay in &mut self.relays {
            relay.second(now, self.config);
            reports.extend(relay.report(now, self.config));
        }
        for report in reports {
            self.step(report, now);
        }
        if self.engine.next_deadline().is_some_and(|at| at <= now) {
            self.step(Event::Tick(Tick {}), now);
        }
    }

    /// What flows in this second.
    fn account(&mut self) {
        let grid = self.config.site.grid;
        let drawn = self.drawn(None);
        let lines = PerPhase(Phase::ALL.map(|phase| {
            let house = self.background.get(phase)?;
            Some(house + drawn.get(phase))
        }));
        self.figures.flow(&lines, STEP_MS, self.counts);
        if !self.counts {
            return;
        }
        for point in &self.points {
            let drew = sum(&point.draw, grid);
            self.figures
                .load(&point.charger.id, drew, point.wants.max(drew), STEP_MS);
        }
        for relay in &self.relays {
            let (drew, wants) = (sum(&relay.draw, grid), sum(&relay.wants, grid));
            self.figures.load(&relay.load.id, drew, wants, STEP_MS);
        }
    }

    /// What the loads behind a meter draw.
    fn drawn(&self, circuit: Option<&str>) -> PerPhase<Milliamps> {
        let points = self
            .points
            .iter()
            .map(|point| (&point.charger.id, &point.draw));
        let relays = self
            .relays
            .iter()
            .map(|relay| (&relay.load.id, &relay.draw));
        points
            .chain(relays)
            .filter(|(id, _)| feeds(self.config, circuit, id))
            .fold(PerPhase::default(), |all, (_, draw)| {
                all.zip_with(draw, |a, b| a + b)
            })
    }

    fn step(&mut self, event: Event, now: Instant) {
        let actions: Actions = self.engine.step(event, now);
        for action in actions.actions {
            self.figures.commands += u64::from(self.counts && !action.renewal);
            self.answers.push(action.command);
            match action.what {
                Command::SetLimit {
                    load,
                    limit_a,
                    phases,
                    ..
                } => {
                    if let Some(point) = self
                        .points
                        .iter_mut()
                        .find(|point| point.charger.id == load)
                    {
                        point.next = Some((limit_a, usize::from(phases)));
                    }
                }
                Command::Switch { load, on } => {
                    if let Some(relay) = self.relays.iter_mut().find(|relay| relay.load.id == load)
                    {
                        relay.next = Some(on);
                    }
                }
            }
        }
    }
}
