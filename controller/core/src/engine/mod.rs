//! The engine: one event in, actions out.
//!
//! It owns the circuits with their meters, the loads with their ledgers, and the supervisor. Each step
//! takes the event in, lets time pass, makes a plan and commands what the plan changes; a report that
//! says nothing new within a second of a plan is taken in, and waits for the next step. It never fails and
//! never blocks; [`Engine::check`] tells beforehand what is wrong with an event.

mod check;
mod checkpoint;
mod command;
mod due;
mod hear;
mod learn;
mod observe;
mod test;
mod view;

pub use checkpoint::Checkpoint;
use observe::WouldBe;
pub use test::TestRefusal;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Action, Actions, Reason, ReasonCode};
use crate::allocate::Memory;
use crate::config::{Config, Curve, MAIN, Mode};
use crate::event::{CommandResult, Event, UserCommand};
use crate::fuse::Class;
use crate::load::{self, Kind, Load, charger, slow_load};
use crate::meter::{FROZEN_MOVE, Freshness, Meter};
use crate::plan::{Circuit, Known, Lines, Otherwise, Plan, World};
use crate::rotation;
use crate::snapshot::{Alarm, Source};
use crate::supervisor::{Findings, SupervisorMachine, Supply};
use crate::units::{Instant, Milliamps, PerPhase};

/// Ceilings that a person has set.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Manual {
    ceilings: BTreeMap<String, Milliamps>,
    until: Instant,
}

/// The decision core.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Engine {
    config: Config,
    now: Instant,
    circuits: Vec<Circuit>,
    loads: Vec<Load>,
    manual: Option<Manual>,
    supervisor: SupervisorMachine,
    next_command: u64,
    /// The meter says the same while a load moved.
    loads_moved: bool,
    /// A reading has come since the configuration changed which loads there are.
    settled: bool,
    reason: Reason,
    wake: Option<Instant>,
    /// When the last plan was made…
    #[serde(default)]
    planned_at: Instant,
    /// …and when time alone asks for one again; `None`: none was made yet.
    #[serde(default)]
    plan_due: Option<Instant>,
    alarms: Vec<Alarm>,
    /// In observe mode: what would have been commanded.
    would_be: Vec<WouldBe>,
    /// Steps of the loads, for those whose phases nobody has told.
    rotation: rotation::Watch,
    trial: Option<learn::Trial>,
    /// The test of a charger that runs, or the last one.
    test: Option<crate::trial::Test>,
    /// What was said of loads that are short: what they would have if one thing were otherwise.
    otherwise: Otherwise,
    /// What was shared out last.
    #[serde(skip)]
    memory: Memory,
    /// Which loads count on which line.
    #[serde(skip)]
    lines: Option<Lines>,
}

impl Engine {
    /// An engine for a house that it has heard nothing of yet.
    pub fn new(config: Config, now: Instant) -> Self {
        let mut engine = Self {
            config: Config::default(),
            now,
            circuits: Vec::new(),
            loads: Vec::new(),
            manual: None,
            supervisor: SupervisorMachine::default(),
            next_command: 1,
            loads_moved: false,
            settled: true,
            reason: Reason::starting(),
            wake: None,
            planned_at: now,
            plan_due: None,
            alarms: Vec::new(),
            would_be: Vec::new(),
            rotation: rotation::Watch::default(),
            trial: None,
            test: None,
            otherwise: Otherwise::default(),
            memory: Memory::default(),
            lines: None,
        };
        engine.configure(config, now);
        engine
    }

    /// The configuration in force.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The time of the last step.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Takes an event in and says what is to be done.
    pub fn step(&mut self, event: Event, now: Instant) -> Actions {
        let now = now.max(self.now);
        let possible = self.check(&event, now).is_ok();
        self.now = now;
        let news = !possible || self.take(event, now) || self.is_testing();
        if !news && !self.is_due() {
            return self.actions(Vec::new());
        }
        for load in &mut self.loads {
            load.wishes.expire(now);
            load.settle(now);
        }
        self.follow_steps(now);
        if self
            .manual
            .as_ref()
            .is_some_and(|manual| manual.until <= now)
        {
            self.manual = None;
        }
        self.run_test(now);
        let mut plan = self.plan();
        if self.is_testing() {
            self.check_test(&plan);
        } else {
            self.try_step(&mut plan, now);
        }
        let actions = self.command(&mut plan, now);
        self.supervise(&plan, now);
        self.watch(now);
        self.wake = plan.wake;
        (self.planned_at, self.plan_due) = (now, Some(self.due()));
        self.actions(actions)
    }

    fn actions(&self, actions: Vec<Action>) -> Actions {
        Actions {
            t_ms: self.now,
            state: self.supervisor.path(),
            would_be: self.would_be_at(self.now),
            actions,
            phases: self.phase_states(),
            next_deadline_ms: self.next_deadline(),
        }
    }

    /// Highest background learnt at the main meter.
    pub fn highest_background(&self) -> PerPhase<Milliamps> {
        self.main()
            .map(|meter| meter.background.highest())
            .unwrap_or_default()
    }

    fn main(&self) -> Option<&Meter> {
        self.circuits.first().map(|circuit| &circuit.meter)
    }

    // ---- what comes in ----

    /// Takes an event in. `false`: it says nothing that must be acted upon before the next reading.
    fn take(&mut self, event: Event, now: Instant) -> bool {
        let mut news = true;
        match event {
            Event::Configure(config) => self.configure(*config, now),
            Event::Reading(reading) => self.take_reading(&reading, now),
            Event::Charger(report) => {
                if let Some(load) = find(&mut self.loads, &report.id) {
                    news = !load.is_repeated_by(&report, now);
                    // What it drew while it was away the meter must show anew.
                    self.settled &= load.link.lost_since().is_none();
                    load.take_charger_report(&report, now);
                    self.loads_moved |= load.moved() >= FROZEN_MOVE;
                }
                news |= self.confirm_background(now);
                let waits = |meter: &Meter| meter.background.waits_for_a_beginning();
                if news || self.is_due() || self.main().is_some_and(waits) {
                    news |= self.heed_reports(now);
                }
            }
            Event::SlowLoad(report) => {
                if let Some(load) = find(&mut self.loads, &report.id) {
                    load.take_slow_load_report(&report, &self.config.site, now);
                }
            }
            Event::Result(CommandResult { command, outcome }) => {
                for load in &mut self.loads {
                    if load.take_result(command, outcome, now) {
                        break;
                    }
                }
            }
            Event::Tick(_) => {
                self.heed_reports(now);
            }
            Event::Command(command) => self.take_user(command.command, now),
        }
        news
    }

    fn take_user(&mut self, command: UserCommand, now: Instant) {
        match command {
            UserCommand::Pause { load, for_s } => {
                self.wish(&load, |wishes| wishes.pause = Some(now.after_s(for_s)));
            }
            UserCommand::Limit {
                load,
                limit_a,
                for_s,
            } => {
                self.wish(&load, |wishes| {
                    wishes.limit = Some((limit_a, now.after_s(for_s)));
                });
            }
            UserCommand::Boost { load, for_s } => {
                self.wish(&load, |wishes| wishes.boost = Some(now.after_s(for_s)));
            }
            UserCommand::Resume { load, .. } => {
                self.end_test(&load, "Somebody wants something else of the charger.");
                self.wish(&load, |wishes| *wishes = load::Wishes::default());
            }
            UserCommand::Test { load, cut, guard } => self.begin_test(&load, cut, guard, now),
            UserCommand::EndTest { load, reconfigured } => {
                let why = if reconfigured {
                    "It ended because the charger is reached in another way from now on: its configuration was changed."
                } else {
                    "It was ended by hand."
                };
                self.end_test(&load, why);
            }
            UserCommand::Manual { ceiling_a, for_s } => {
                self.manual = Some(Manual {
                    ceilings: ceiling_a,
                    until: now.after_s(for_s),
                });
            }
        }
    }

    fn wish(&mut self, id: &str, change: impl FnOnce(&mut load::Wishes)) {
        if let Some(load) = find(&mut self.loads, id) {
            change(&mut load.wishes);
        }
    }

    /// Takes a configuration over. What is known of loads and meters that stay is kept.
    fn configure(&mut self, config: Config, now: Instant) {
        let site = &config.site;
        let fuse = &site.main_fuse;
        let mut before: Vec<Circuit> = std::mem::take(&mut self.circuits);
        let mut circuits = Vec::new();
        let grid_changed = site.grid != self.config.site.grid;
        let mut build =
            |id: &str, rating: PerPhase<Milliamps>, margin: Milliamps, class: Class, metered| {
                let known = before
                    .iter()
                    .position(|circuit| circuit.id == id && !grid_changed);
                let mut circuit = match known {
                    Some(index) => before.swap_remove(index),
                    None => Circuit {
                        id: id.to_owned(),
                        parent: None,
                        rating,
                        limit: rating,
                        meter: Meter::new(class, rating, now),
                        metered,
                        frozen: false,
                        over_since: PerPhase::default(),
                    },
                };
                circuit.meter.replace_fuse(class, rating);
                circuit.rating = rating;
                circuit.limit = rating.map(|rating| rating - margin);
                if !metered && had_meter(&self.config, id) {
                    circuit.meter = Meter::new(class, rating, now);
                    circuit.metered = false;
                }
                circuit.metered |= metered;
                circuits.push(circuit);
            };
        let rating = fuse.rating_a.per_phase();
        let main = Class {
            characteristic: fuse.characteristic,
            curve: fuse.curve,
            ambient_c: fuse.ambient_c,
        };
        build(MAIN, rating, site.margin_a, main, true);
        for circuit in &site.circuits {
            let characteristic = circuit.characteristic.unwrap_or(fuse.characteristic);
            let same = circuit.characteristic.is_none();
            let curve = circuit
                .curve
                .unwrap_or(if same { fuse.curve } else { Curve::Standard });
            let rating = circuit.rating_a.per_phase();
            let metered = circuit.meter.is_some();
            let class = Class {
                characteristic,
                curve,
                ambient_c: fuse.ambient_c,
            };
            build(&circuit.id, rating, Milliamps::ZERO, class, metered);
        }
        let names: Vec<String> = circuits.iter().map(|circuit| circuit.id.clone()).collect();
        for (circuit, configured) in circuits.iter_mut().skip(1).zip(&site.circuits) {
            circuit.parent = names.iter().position(|name| *name == configured.parent);
        }
        self.circuits = circuits;
        self.lines = None;
        let tested = self.tested_spec();
        self.configure_loads(&config, now);
        if tested != self.tested_spec() {
            self.abort_test("Its configuration was changed.");
        }
        self.config = config;
        self.reconfigure_steps();
    }

    /// Takes the loads of a configuration over.
    fn configure_loads(&mut self, config: &Config, now: Instant) {
        let site = &config.site;
        let mut specs: Vec<load::Spec> = config
            .chargers
            .iter()
            .map(|charger| charger::spec(charger, site.grid, &site.tuning))
            .chain(
                config
                    .slow_loads
                    .iter()
                    .map(|slow_load| slow_load::spec(slow_load, site)),
            )
            .collect();
        // The order of names settles what nothing else settles.
        specs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        load::tell_apart(&mut specs);
        let mut before = std::mem::take(&mut self.loads);
        self.loads = specs
            .into_iter()
            .map(|spec| {
                let known = before
                    .iter()
                    .position(|load| load.spec.id == spec.id && load.spec.kind == spec.kind);
                match known {
                    Some(index) => {
                        let mut load = before.swap_remove(index);
                        let moved =
                            load.spec.lines != spec.lines || load.spec.circuit != spec.circuit;
                        self.settled &= !moved;
                        load.reconfigure(spec);
                        load
                    }
                    None => Load::new(spec, now),
                }
            })
            .collect();
        // What is left over goes on drawing until its lease runs out: the meter must show it first.
        self.settled &= before.is_empty();
    }

    // ---- what is found and done ----

    fn meter_freshness(&self) -> Freshness {
        let Some(meter) = self.main() else {
            return Freshness::Waiting;
        };
        let tuning = &self.config.site.tuning;
        match meter.freshness(tuning, self.now) {
            Freshness::Fresh if self.is_frozen() => Freshness::Stale,
            other => other,
        }
    }

    fn is_frozen(&self) -> bool {
        self.main().is_some_and(|meter| {
            meter.is_frozen(&self.config.site.tuning, self.loads_moved, self.now)
        })
    }

    fn plan(&mut self) -> Plan {
        let (tuning, moved, now) = (&self.config.site.tuning, self.loads_moved, self.now);
        for circuit in self.circuits.iter_mut().skip(1) {
            circuit.frozen = circuit.meter.is_frozen(tuning, moved, now);
        }
        let meter = self.meter_freshness();
        let memory = RefCell::new(std::mem::take(&mut self.memory));
        let (before, grid) = (self.lines.take(), self.config.site.grid);
        let lines = Lines::of(before, &self.loads, &self.circuits, grid);
        let world = World::new(Known {
            site: &self.config.site,
            loads: &self.loads,
            circuits: &self.circuits,
            lines: &lines,
            meter,
            frozen: self.is_frozen(),
            settled: self.settled,
            manual: self
                .manual
                .as_ref()
                .map(|manual| (&manual.ceilings, manual.until)),
            memory: &memory,
            now: self.now,
        });
        let mut plan = world.plan();
        if meter == Freshness::Fresh && self.config.site.mode == Mode::Control {
            self.otherwise.extend(&world, &mut plan);
        }
        self.memory = memory.into_inner();
        self.lines = Some(lines);
        plan
    }

    fn supervise(&mut self, plan: &Plan, now: Instant) {
        let lost_after_s = self.config.site.tuning.lost_after_s;
        let lost = self
            .loads
            .iter()
            .find(|load| load.spec.kind == Kind::Charger && load.is_away(lost_after_s, now));
        let unmapped = self
            .loads
            .iter()
            .find(|load| load.is_unmapped() && load.rotation.finding().is_none());
        let started = self.main().is_some_and(Meter::has_started);
        let partial = self
            .main()
            .is_some_and(|meter| meter.last().is_some() && meter.is_partial());
        let findings = Findings {
            meter: self.meter_freshness(),
            started,
            partial,
            charger_lost: lost.is_some(),
            map_unknown: unmapped.is_some() && self.config.site.grid.phases().len() > 1,
            manual: self.manual.is_some(),
            mode: self.config.site.mode,
            supply: plan.supply,
        };
        let before = self.supervisor.path();
        self.supervisor.handle(&findings);
        self.reason = match self.supervisor.path() {
            "failsafe.meter_lost" => Reason::lost(self.config.site.mode == Mode::Control),
            "degraded.meter_stale" => {
                Reason::stale(self.is_frozen(), self.config.site.mode == Mode::Control)
            }
            "degraded.meter_partial" => Reason::partial(self.is_rebuilt()),
            "degraded.charger_lost" => lost.map_or_else(Reason::normal, |load| {
                Reason::unreachable(load, load.worst(now))
            }),
            "degraded.map_unknown" => unmapped.map_or_else(Reason::normal, Reason::map_unknown),
            "starting" => Reason::starting(),
            "manual" => self
                .manual
                .as_ref()
                .map_or_else(Reason::normal, |m| Reason::manual(m.until)),
            "observe" => self
                .would_be
                .first()
                .map_or_else(Reason::observe, |noted| noted.reason.would_be()),
            // Their phases were not known until now: that is the news.
            _ if before == "degraded.map_unknown" => {
                self.a_finding().unwrap_or_else(|| self.supply_reason(plan))
            }
            _ => self.supply_reason(plan),
        };
    }

    fn supply_reason(&self, plan: &Plan) -> Reason {
        match (plan.supply, &plan.shortage) {
            (Supply::Short, Some(reason)) => reason.clone(),
            (Supply::Returning, _) => self
                .loads
                .iter()
                .map(|load| &load.reason)
                .find(|reason| matches!(reason.code, ReasonCode::Hysteresis | ReasonCode::Restored))
                .cloned()
                .unwrap_or_else(|| self.enough()),
            _ => self.enough(),
        }
    }

    /// Whether nothing but rebuilt currents stands in for lines that the meter leaves out.
    fn is_rebuilt(&self) -> bool {
        let lines = self.phase_states();
        let any = |source| lines.iter().any(|line| line.source == source);
        any(Source::Rebuilt) && !any(Source::WorstCase)
    }

    /// That there is enough for all; of one that cannot be reached nobody knows.
    fn enough(&self) -> Reason {
        let mut unreached = self.loads.iter().filter(|load| !load.link.is_connected());
        unreached
            .next()
            .map_or_else(Reason::normal, |load| load.reason.clone())
    }
}

/// Whether a circuit had a meter of its own: one that is taken away is not waited for.
fn had_meter(config: &Config, id: &str) -> bool {
    let mut circuits = config.site.circuits.iter();
    circuits.any(|circuit| circuit.id == id && circuit.meter.is_some())
}

fn find<'l>(loads: &'l mut [Load], id: &str) -> Option<&'l mut Load> {
    loads.iter_mut().find(|load| load.spec.id == id)
}
