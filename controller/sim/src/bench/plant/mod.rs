//! One run: a house of a scenario with one controller, second by second of virtual time.
//!
//! The house steps by whole seconds; what happens in between (readings that arrive, reports, answers,
//! commands on their way, deadlines) has its own milliseconds and comes in order.

mod faults;
mod fed;
mod house;
mod say;

use std::collections::BTreeMap;

use headroom_core::action::Command;
use headroom_core::event::{CommandResult, Event, Outcome, Tick};
use headroom_core::units::Instant;

use self::fed::Fed;
use self::house::{EFFICIENCY, battery_kwh, house_spec, meter_spec, tank_at};
use super::background::{BackgroundSpec, Stepper};
use super::controller::{Controller, Kind, Order};
use super::link::PointState;
use super::metrics::{RunMetrics, Watch, jain};
use super::scenario::{Fault, Scenario, Tank};
use super::visit::stays;
use crate::current::Currents;
use crate::house::House;
use crate::meter::Meter;
use crate::profile::Limit;
use crate::random::Random;
use crate::{millis, seconds};

pub(super) use self::house::{background, opens_alone, with_slow_loads, with_tanks};

/// The plant's step, in milliseconds.
const STEP_MS: u64 = 1000;
/// From the switching order to the relay, in milliseconds.
const RELAY_MS: u64 = 500;
/// A charger that does not answer is given up after this, in milliseconds.
const TIMEOUT_MS: u64 = 5000;

/// What is on its way.
enum Due {
    Event(Event),
    Result(u32, CommandResult),
    Limit(usize, Limit, u32),
    Switch(usize, bool),
    Arrive(usize, Option<f64>),
    Depart(usize),
    Begin(usize),
    End(usize),
    Noticed(usize, bool),
}

/// One run of one controller.
pub(super) struct Run<'a> {
    scenario: &'a Scenario,
    background: &'a [Currents],
    kind: Kind,
    controller: Option<Box<dyn Controller>>,
    house: House,
    circuit_meters: Vec<Option<Meter>>,
    points: Vec<PointState>,
    tanks: Vec<(Tank, u64)>,
    queue: BTreeMap<(u64, u64), Due>,
    sequence: u64,
    /// Counts the processes of the controller: what was asked by one before is not answered.
    process: u32,
    now_ms: u64,
    frozen: bool,
    last_reading: Option<Event>,
    main: Watch,
    circuits: Vec<Watch>,
    fed: Fed,
    fed_by_circuit: Vec<Fed>,
    metrics: RunMetrics,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        background: &'a [Currents],
        kind: Kind,
        seed: u64,
    ) -> Self {
        let step_s = seconds(STEP_MS);
        let mut run = Self {
            scenario,
            background,
            kind,
            controller: kind.make(scenario, background, Instant(0)),
            house: House::new(house_spec(scenario), seed),
            circuit_meters: (0..)
                .zip(&scenario.site.circuits)
                .map(|(index, circuit)| {
                    let name = format!("meter {index}");
                    let spec = meter_spec(&scenario.circuit_meter);
                    circuit
                        .meter
                        .is_some()
                        .then(|| Meter::new(spec, STEP_MS, seed, &name))
                })
                .collect(),
            points: Vec::new(),
            tanks: Vec::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            process: 0,
            now_ms: 0,
            frozen: false,
            last_reading: None,
            main: Watch::new(scenario, None, step_s),
            circuits: (0..scenario.site.circuits.len())
                .map(|index| Watch::new(scenario, Some(index), step_s))
                .collect(),
            fed: Fed::main(scenario),
            fed_by_circuit: Fed::circuits(scenario),
            metrics: RunMetrics {
                seed,
                ..RunMetrics::default()
            },
        };
        let mut random = Random::new(seed, "links");
        for (index, charger) in scenario.chargers.iter().enumerate() {
            let link = scenario.link(&charger.id).clone();
            let skew_ms = millis(random.between((0.0, link.report_s)));
            run.points.push(PointState::new(charger, link, skew_ms));
            for stay in stays(scenario, &charger.id, seed) {
                run.push(stay.from_s * 1000, Due::Arrive(index, stay.kwh));
                run.push(stay.to_s * 1000, Due::Depart(index));
            }
        }
        for load in &scenario.slow_loads {
            run.tanks.push((tank_at(scenario, &load.id), 0));
            // As it was before there was a controller.
            if let Ok(heater) = run.house.heater(&load.id) {
                heater.switch(0, true, None);
            }
        }
        for (index, fault) in scenario.faults.iter().enumerate() {
            let (at_h, for_s) = match fault {
                Fault::Stuck { at_h, .. } => (*at_h, None),
                Fault::Dead { at_h, for_s, .. }
                | Fault::Restart { at_h, for_s }
                | Fault::MeterGap { at_h, for_s }
                | Fault::MeterFrozen { at_h, for_s } => (*at_h, Some(*for_s)),
            };
            let at_ms = millis(at_h * 3600.0);
            run.push(at_ms, Due::Begin(index));
            if let Some(for_s) = for_s {
                run.push(at_ms + millis(for_s), Due::End(index));
            }
        }
        run
    }

    /// Runs to the end.
    pub(super) fn run(self) -> RunMetrics {
        self.run_watched(|_, _| ())
    }

    /// Runs to the end and shows the controller after each second.
    pub(super) fn run_watched(mut self, mut watch: impl FnMut(u64, &dyn Controller)) -> RunMetrics {
        let mut trace = self.background.iter();
        let mut stepper = match &self.scenario.background {
            BackgroundSpec::Steps(steps) if steps.watching => {
                let wiring = self.house.branches().wiring;
                let rating = self.scenario.rating();
                Some(Stepper::new(steps, wiring, rating, self.metrics.seed))
            }
            _ => None,
        };
        for second in 0..self.scenario.seconds() {
            // What comes up to now, then the second that follows.
            self.handle_until((second + 1) * STEP_MS);
            if let Some(stepper) = &mut stepper {
                stepper.watching(second, self.house.branches().line_amps());
                self.house.set_background(stepper.currents());
            } else if let Some(background) = trace.next() {
                self.house.set_background(*background);
            }
            self.house.step((second + 1) * STEP_MS);
            self.measure(second + 1);
            self.say((second + 1) * STEP_MS);
            if let Some(controller) = &self.controller {
                watch(second + 1, controller.as_ref());
            }
        }
        self.finish()
    }

    fn push(&mut self, at_ms: u64, due: Due) {
        self.sequence += 1;
        self.queue.insert((at_ms, self.sequence), due);
    }

    /// Handles what is due before a time, and the controller's deadlines in between.
    fn handle_until(&mut self, end_ms: u64) {
        loop {
            let next_ms = self.queue.first_key_value().map(|((at_ms, _), _)| *at_ms);
            let deadline_ms = self
                .controller
                .as_ref()
                .and_then(|controller| controller.deadline())
                .map(|at| at.0.max(self.now_ms));
            let event_first = match (next_ms, deadline_ms) {
                (Some(next), Some(deadline)) => next <= deadline,
                (next, _) => next.is_some(),
            };
            if event_first && next_ms.is_some_and(|at_ms| at_ms < end_ms) {
                if let Some(((at_ms, _), due)) = self.queue.pop_first() {
                    self.now_ms = self.now_ms.max(at_ms);
                    self.handle(due);
                }
            } else if let Some(at_ms) = deadline_ms.filter(|at_ms| !event_first && *at_ms < end_ms)
            {
                self.now_ms = at_ms;
                self.tell(Event::Tick(Tick {}));
            } else {
                return;
            }
        }
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::Event(event) => self.tell(event),
            Due::Result(process, result) => {
                if process == self.process {
                    self.tell(Event::Result(result));
                }
            }
            Due::Limit(index, limit, lease_s) => {
                let Some(point) = self.points.get(index).filter(|point| point.obeys()) else {
                    return;
                };
                let (id, safe_a) = (point.id.clone(), point.safe_a);
                if let Ok(charge_point) = self.house.charge_point(&id) {
                    // The limits of controllers are currents.
                    charge_point.lease(limit, lease_s, safe_a).ok();
                }
            }
            Due::Switch(index, on) => {
                let load = self.scenario.slow_loads.get(index);
                if let Some(load) = load
                    && let Ok(heater) = self.house.heater(&load.id)
                {
                    heater.switch(self.now_ms, on, None);
                    self.slow_report(index);
                }
            }
            Due::Arrive(index, kwh) => {
                let charged = kwh.map_or(0.0, |kwh| {
                    1.0 - (kwh * EFFICIENCY / battery_kwh(self.scenario, index)).min(1.0)
                });
                self.at_cable(index, |charge_point| {
                    charge_point.car_mut().plug_in(charged);
                });
            }
            Due::Depart(index) => {
                self.at_cable(index, |charge_point| charge_point.car_mut().unplug());
            }
            Due::Begin(index) => self.begin(index),
            Due::End(index) => self.end(index),
            Due::Noticed(index, connected) => self.connection(index, connected),
        }
    }

    fn at_cable(&mut self, index: usize, change: impl FnOnce(&mut crate::ChargePoint)) {
        let id = self.points.get(index).map(|point| point.id.clone());
        if let Some(id) = id
            && let Ok(charge_point) = self.house.charge_point(&id)
        {
            change(charge_point);
        }
    }

    fn tell(&mut self, event: Event) {
        let now = Instant(self.now_ms);
        let Some(controller) = &mut self.controller else {
            return;
        };
        for order in controller.take(event, now) {
            self.order(order);
        }
    }

    fn order(&mut self, order: Order) {
        let now_ms = self.now_ms;
        let result = |outcome| CommandResult {
            command: order.number,
            outcome,
        };
        match order.what {
            Command::SetLimit {
                load,
                limit_a,
                phases,
                lease_s,
            } => {
                let Some(index) = self.place(&load) else {
                    return;
                };
                let Some(point) = self.points.get_mut(index) else {
                    return;
                };
                if !point.allows(limit_a) {
                    let wrong = format!("{now_ms} ms: {load} was told {limit_a}, out of its range");
                    self.metrics.refused.push(wrong);
                }
                point.count(limit_a, phases);
                if point.dead {
                    let due = Due::Result(self.process, result(Outcome::Timeout));
                    self.push(now_ms + TIMEOUT_MS, due);
                    return;
                }
                let (latency_ms, answer_ms) = point.ways_ms();
                let limit = Limit {
                    amps: limit_a.to_f64(),
                    phases,
                };
                self.push(now_ms + latency_ms, Due::Limit(index, limit, lease_s));
                let due = Due::Result(self.process, result(Outcome::Accepted));
                self.push(now_ms + answer_ms, due);
            }
            Command::Switch { load, on } => {
                let loads = &self.scenario.slow_loads;
                let Some(index) = loads.iter().position(|one| one.id == load) else {
                    return;
                };
                self.metrics.switchings += 1;
                self.push(now_ms + RELAY_MS, Due::Switch(index, on));
                let due = Due::Result(self.process, result(Outcome::Accepted));
                self.push(now_ms + RELAY_MS, due);
            }
        }
    }

    fn measure(&mut self, second: u64) {
        let (now_s, step_s) = (seconds(second * 1000), seconds(STEP_MS));
        let none = Currents::none(self.house.branches().wiring);
        for (point, charge_point) in self.points.iter_mut().zip(self.house.charge_points()) {
            point.measure(charge_point, step_s);
        }
        for ((tank, cold_s), heater) in self.tanks.iter_mut().zip(self.house.heaters()) {
            *cold_s += u64::from(heater.temperature_c() < tank.comfort_c);
        }
        let (points, house) = (&self.points, &self.house);
        // What loads draw together; of the chargers those that do as they are told when only these are asked for.
        let draw = |fed: &Fed, obedient: bool| {
            let mut sum = none;
            let chargers = points.iter().zip(house.charge_points());
            for ((point, charge_point), fed) in chargers.zip(&fed.chargers) {
                if *fed && (point.obeys() || !obedient) {
                    charge_point.add_to(&mut sum);
                }
            }
            for (heater, fed) in house.heaters().iter().zip(&fed.slow_loads) {
                if *fed {
                    heater.add_to(&mut sum);
                }
            }
            sum
        };
        let lines = self.house.branches().line_amps();
        self.main.step(
            now_s,
            step_s,
            lines,
            self.house.background().line_amps(),
            || draw(&self.fed, true).line_amps(),
        );
        for ((watch, fed), meter) in self
            .circuits
            .iter_mut()
            .zip(&self.fed_by_circuit)
            .zip(&mut self.circuit_meters)
        {
            let carried = draw(fed, false);
            let nothing = none.line_amps();
            watch.step(now_s, step_s, carried.line_amps(), nothing, || {
                draw(fed, true).line_amps()
            });
            if let Some(meter) = meter {
                meter.step(second * 1000, &carried, house.voltages());
            }
        }
    }

    fn note_refusals(&mut self) {
        if let Some(controller) = &self.controller {
            self.metrics.refused.extend(controller.refused());
        }
    }

    fn finish(mut self) -> RunMetrics {
        self.note_refusals();
        let end_s = seconds(self.house.now_ms());
        let days = end_s / 86_400.0;
        let cars = f64::from(u32::try_from(self.points.len()).unwrap_or(u32::MAX).max(1));
        let commands: u32 = self.points.iter().map(|point| point.commands).sum();
        let present_h: f64 = self
            .points
            .iter()
            .map(|point| point.present_s / 3600.0)
            .sum();
        let closings: u32 = self.points.iter().map(|point| point.closings).sum();
        let mut metrics = self.metrics;
        metrics.commands_per_hour = f64::from(commands) / present_h.max(1.0);
        metrics.commands_per_hour_of_day = f64::from(commands) / (24.0 * days) / cars;
        metrics.closings_per_day = f64::from(closings) / days / cars;
        let charge: f64 = self.points.iter().map(|point| point.charge_as).sum();
        metrics.energy_kwh = charge * 230.0 / 3_600_000.0;
        metrics.shares = self.points.iter().map(|point| point.charge_as).collect();
        let cold_s: u64 = self.tanks.iter().map(|(_, cold_s)| *cold_s).sum();
        metrics.comfort_missed_min = seconds(cold_s * 1000) / 60.0;
        self.main.add_to(end_s, &mut metrics);
        for watch in self.circuits {
            watch.add_to(end_s, &mut metrics);
        }
        metrics
    }
}

/// Sets what a run gave in relation to the clairvoyant's ampere-seconds of each charger.
pub(super) fn relate(scenario: &Scenario, charge: &[f64], metrics: &mut RunMetrics) {
    let best: f64 = charge.iter().sum();
    let got: f64 = metrics.shares.iter().sum();
    metrics.energy_share = if best > 0.0 { got / best } else { 1.0 };
    for (share, best) in metrics.shares.iter_mut().zip(charge) {
        *share = if *best > 0.0 { *share / best } else { 1.0 };
    }
    let mut classes: Vec<u32> = scenario.chargers.iter().map(|c| c.priority).collect();
    classes.sort_unstable();
    classes.dedup();
    metrics.jain = classes
        .into_iter()
        .map(|class| {
            let equals: Vec<f64> = metrics
                .shares
                .iter()
                .zip(&scenario.chargers)
                .zip(charge)
                .filter(|((_, charger), best)| charger.priority == class && **best > 0.0)
                .map(|((share, _), _)| *share)
                .collect();
            jain(&equals)
        })
        .fold(1.0, f64::min);
}

#[cfg(test)]
mod tests;
