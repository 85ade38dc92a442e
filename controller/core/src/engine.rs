//! The engine: one event in, actions out.
//!
//! It owns the circuits with their meters, the loads with their ledgers, and the supervisor. Each step
//! takes the event in, lets time pass, makes a plan and commands what the plan changes. It never fails
//! and never blocks; [`Engine::check`] tells beforehand what is wrong with an event.

use std::collections::BTreeMap;

use crate::action::{Action, Actions, Reason, ReasonCode};
use crate::background::DrawBounds;
use crate::config::{Config, Curve, MAIN, Mode};
use crate::event::{
    ChargerReport, CommandResult, Event, EventError, Reading, SlowLoadReport, USER_COMMAND_S,
    UserCommand,
};
use crate::load::{self, Kind, Load, charger, slow_load};
use crate::meter::{FROZEN_MOVE, Freshness, Meter};
use crate::plan::{Circuit, Plan, Target, World, feeds};
use crate::snapshot::{
    Alarm, LoadDetail, LoadSnapshot, MeterSnapshot, MeterState, PhaseState, Snapshot, Source,
};
use crate::supervisor::{Findings, SupervisorMachine, Supply};
use crate::units::{Instant, Milliamps, Millivolts, PerPhase, Phase, Watts};

/// A current above this many times the largest rating is refused as impossible.
const IMPOSSIBLE_RATINGS: i64 = 4;
/// A voltage above this is refused as impossible, in volts.
const IMPOSSIBLE_VOLTAGE: Millivolts = Millivolts(1_000_000);
/// Without anything else to do the engine wants to be stepped again after this, in milliseconds.
const IDLE_MS: u64 = 60_000;

/// Ceilings that a person has set.
#[derive(Clone, Debug)]
struct Manual {
    ceilings: BTreeMap<String, Milliamps>,
    until: Instant,
}

/// The decision core.
#[derive(Debug)]
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
    alarms: Vec<Alarm>,
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
            alarms: Vec::new(),
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

    /// Whether an event can be. One that cannot must not be given to [`Engine::step`]; it would be
    /// taken for a tick.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn check(&self, event: &Event, now: Instant) -> Result<(), EventError> {
        if now < self.now {
            return Err(EventError::TimeWentBack {
                from: self.now.0,
                to: now.0,
            });
        }
        match event {
            Event::Configure(config) => check_config(config, self.highest_background()),
            Event::Reading(reading) => self.check_reading(reading),
            Event::Charger(report) => self.check_charger(report),
            Event::SlowLoad(report) => self.check_slow_load(report),
            Event::Result(result) if result.command == 0 || result.command >= self.next_command => {
                Err(EventError::UnknownCommand(result.command))
            }
            Event::Command(command) => self.check_user(&command.command),
            Event::Result(_) | Event::Tick(_) => Ok(()),
        }
    }

    /// Takes an event in and says what is to be done.
    pub fn step(&mut self, event: Event, now: Instant) -> Actions {
        let now = now.max(self.now);
        let possible = self.check(&event, now).is_ok();
        self.now = now;
        if possible {
            self.take(event, now);
        }
        for load in &mut self.loads {
            load.wishes.expire(now);
            load.settle(now);
        }
        if self
            .manual
            .as_ref()
            .is_some_and(|manual| manual.until <= now)
        {
            self.manual = None;
        }
        let plan = self.plan();
        let actions = self.command(&plan, now);
        self.supervise(&plan, now);
        self.watch(now);
        self.wake = plan.wake;
        Actions {
            t_ms: now,
            state: self.supervisor.path(),
            actions,
            phases: self.phase_states(),
            next_deadline_ms: self.next_deadline(),
        }
    }

    /// When the engine must be stepped again at the latest.
    pub fn next_deadline(&self) -> Option<Instant> {
        let loads = self.loads.iter().flat_map(|load| {
            let unseen = load.link.is_unseen().then(|| self.unseen_until(load));
            [
                load.repeat_at(),
                load.next_change(),
                load.wishes.next_end(),
                unseen,
            ]
        });
        let meters = self.circuits.iter().map(|circuit| {
            circuit
                .meter
                .next_change(&self.config.site.tuning, self.now)
        });
        loads
            .chain(meters)
            .chain([self.wake, self.manual.as_ref().map(|manual| manual.until)])
            .flatten()
            .filter(|time| *time > self.now)
            .chain([self.now.after_ms(IDLE_MS)])
            .min()
    }

    /// Highest background learnt at the main meter.
    pub fn highest_background(&self) -> PerPhase<Milliamps> {
        self.main()
            .map(|meter| meter.background.highest())
            .unwrap_or_default()
    }

    /// A copy of what people want to see.
    pub fn snapshot(&self) -> Snapshot {
        let meter = self.main();
        let state = match self.meter_freshness() {
            Freshness::Waiting => MeterState::Waiting,
            Freshness::Lost => MeterState::Lost,
            Freshness::Stale => MeterState::Stale,
            Freshness::Fresh if meter.is_some_and(Meter::is_partial) => MeterState::Partial,
            Freshness::Fresh => MeterState::Ok,
        };
        Snapshot {
            at: self.now,
            state: self.supervisor.path(),
            reason: self.reason.clone(),
            phases: self.phase_states(),
            meter: MeterSnapshot {
                state,
                last: meter.and_then(Meter::last),
                period_ms: meter.and_then(Meter::period_ms),
            },
            loads: self.loads.iter().map(load_snapshot).collect(),
            alarms: self.alarms.clone(),
            highest_background: self.highest_background(),
        }
    }

    fn main(&self) -> Option<&Meter> {
        self.circuits.first().map(|circuit| &circuit.meter)
    }

    fn unseen_until(&self, load: &Load) -> Instant {
        load.created_at()
            .after_s(self.config.site.tuning.lost_after_s)
    }

    // ---- what comes in ----

    fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::Configure(config) => self.configure(*config, now),
            Event::Reading(reading) => self.take_reading(&reading, now),
            Event::Charger(report) => {
                if let Some(load) = find(&mut self.loads, &report.id) {
                    load.take_charger_report(&report, now);
                    self.loads_moved |= load.moved() >= FROZEN_MOVE;
                }
            }
            Event::SlowLoad(report) => {
                let voltage = self.config.site.nominal_voltage_v;
                if let Some(load) = find(&mut self.loads, &report.id) {
                    load.take_slow_load_report(&report, voltage, now);
                }
            }
            Event::Result(CommandResult { command, outcome }) => {
                for load in &mut self.loads {
                    if load.take_result(command, outcome, now) {
                        break;
                    }
                }
            }
            Event::Tick(_) => {}
            Event::Command(command) => self.take_user(command.command, now),
        }
    }

    fn take_reading(&mut self, reading: &Reading, now: Instant) {
        let name = reading.circuit.as_deref().unwrap_or(MAIN);
        let Some(index) = self.circuits.iter().position(|circuit| circuit.id == name) else {
            return;
        };
        let mut draw = DrawBounds::default();
        for load in &self.loads {
            if feeds(&self.circuits, index, &load.spec.circuit) {
                draw.add(&load.draw_bounds(now));
            }
        }
        let Config { site, .. } = &self.config;
        let Some(circuit) = self.circuits.get_mut(index) else {
            return;
        };
        circuit.metered = true;
        let changed = circuit
            .meter
            .take(reading, site.grid, &draw, &site.tuning, now);
        self.settled |= index == 0 && circuit.meter.last_currents() == Some(now);
        if changed && index == 0 {
            self.loads_moved = false;
            for load in &mut self.loads {
                load.mark_draw();
            }
        }
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
                self.wish(&load, |wishes| *wishes = load::Wishes::default());
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
        let mut build = |id: &str,
                         rating: PerPhase<Milliamps>,
                         margin: Milliamps,
                         characteristic,
                         curve,
                         metered| {
            let known = before
                .iter()
                .position(|circuit| circuit.id == id && !grid_changed);
            let mut circuit = match known {
                Some(index) => before.swap_remove(index),
                None => Circuit {
                    id: id.to_owned(),
                    parent: None,
                    limit: rating,
                    meter: Meter::new(characteristic, curve, rating, now),
                    metered,
                    frozen: false,
                },
            };
            circuit.meter.replace_fuse(characteristic, curve, rating);
            circuit.limit = rating.map(|rating| rating - margin);
            circuit.metered |= metered;
            circuits.push(circuit);
        };
        let rating = fuse.rating_a.per_phase();
        build(
            MAIN,
            rating,
            site.margin_a,
            fuse.characteristic,
            fuse.curve,
            true,
        );
        for circuit in &site.circuits {
            let characteristic = circuit.characteristic.unwrap_or(fuse.characteristic);
            let same = circuit.characteristic.is_none();
            let curve = circuit
                .curve
                .unwrap_or(if same { fuse.curve } else { Curve::Standard });
            let rating = circuit.rating_a.per_phase();
            build(
                &circuit.id,
                rating,
                Milliamps::ZERO,
                characteristic,
                curve,
                circuit.meter.is_some(),
            );
        }
        let names: Vec<String> = circuits.iter().map(|circuit| circuit.id.clone()).collect();
        for (circuit, configured) in circuits.iter_mut().skip(1).zip(&site.circuits) {
            circuit.parent = names.iter().position(|name| *name == configured.parent);
        }
        self.circuits = circuits;

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
        specs.sort_by(|a, b| a.id.cmp(&b.id));
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
        self.config = config;
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
        World {
            site: &self.config.site,
            loads: &self.loads,
            circuits: &self.circuits,
            meter,
            frozen: self.is_frozen(),
            trusting: false,
            settled: self.settled,
            manual: self
                .manual
                .as_ref()
                .map(|manual| (&manual.ceilings, manual.until)),
            now: self.now,
        }
        .plan()
    }

    /// Commands what the plan changes, and repeats what must not run out.
    fn command(&mut self, plan: &Plan, now: Instant) -> Vec<Action> {
        for (load, reason) in self.loads.iter_mut().zip(&plan.reasons) {
            load.reason = reason.clone();
        }
        if self.config.site.mode == Mode::Observe {
            for load in &mut self.loads {
                load.reason = Reason::observe();
            }
            return Vec::new();
        }
        let mut targets: Vec<&Target> = plan.targets.iter().collect();
        // A load that was lowered twice in one plan is told the lower only.
        targets.sort_by_key(|target| {
            let from = self
                .loads
                .get(target.load)
                .map(Load::current)
                .unwrap_or_default();
            (target.to > from, target.load, target.to)
        });
        targets.dedup_by_key(|target| target.load);
        let mut actions = Vec::new();
        for target in targets {
            let Some(load) = self.loads.get_mut(target.load) else {
                continue;
            };
            if load.setpoint() == Some(target.to) {
                continue;
            }
            load.reason = target.reason.clone();
            actions.push(tell(
                load,
                target.to,
                target.reason.clone(),
                &mut self.next_command,
                now,
            ));
        }
        for load in &mut self.loads {
            if load.repeat_at().is_some_and(|at| at <= now)
                && let Some(setpoint) = load.setpoint()
                && !actions
                    .iter()
                    .any(|action| action.what.load() == load.spec.id)
            {
                let reason = Reason::lease(load);
                actions.push(tell(load, setpoint, reason, &mut self.next_command, now));
            }
        }
        actions
    }

    fn supervise(&mut self, plan: &Plan, now: Instant) {
        let lost = self.loads.iter().find(|load| {
            load.spec.kind == Kind::Charger
                && (load.link.lost_since().is_some()
                    || (load.link.is_unseen() && now >= self.unseen_until(load)))
        });
        let unmapped = self
            .loads
            .iter()
            .find(|load| load.spec.kind == Kind::Charger && load.spec.map.is_none());
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
        self.supervisor.handle(&findings);
        self.reason = match self.supervisor.path() {
            "failsafe.meter_lost" => Reason::lost(),
            "degraded.meter_stale" => Reason::stale(self.is_frozen()),
            "degraded.meter_partial" => Reason::partial(),
            "degraded.charger_lost" => lost.map_or_else(Reason::normal, |load| {
                Reason::unreachable(load, load.worst(now))
            }),
            "degraded.map_unknown" => unmapped.map_or_else(Reason::normal, Reason::map_unknown),
            "starting" => Reason::starting(),
            "manual" => self
                .manual
                .as_ref()
                .map_or_else(Reason::normal, |m| Reason::manual(m.until)),
            "observe" => Reason::observe(),
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
                .unwrap_or_else(Reason::normal),
            _ => Reason::normal(),
        }
    }

    /// Raises and clears alarms.
    fn watch(&mut self, now: Instant) {
        let mut wrong: Vec<(String, Option<String>, String)> = Vec::new();
        match self.meter_freshness() {
            Freshness::Lost => wrong.push(("meter_lost".into(), None, Reason::lost().text)),
            Freshness::Stale => {
                let frozen = self.is_frozen();
                let code = if frozen {
                    "meter_frozen"
                } else {
                    "meter_stale"
                };
                wrong.push((code.into(), None, Reason::stale(frozen).text));
            }
            Freshness::Fresh | Freshness::Waiting => {}
        }
        for load in &self.loads {
            let id = Some(load.spec.id.clone());
            if load.link.lost_since().is_some() {
                let code = match load.spec.kind {
                    Kind::Charger => "charger_lost",
                    Kind::SlowLoad => "slow_load_lost",
                };
                let text = Reason::unreachable(load, load.worst(now)).text;
                wrong.push((code.into(), id, text));
            } else if load.link.straying_since().is_some() {
                let text = Reason::not_obeying(load, load.worst(now)).text;
                wrong.push(("not_obeying".into(), id, text));
            } else if load.is_refusing() {
                wrong.push(("not_obeying".into(), id, Reason::refusing(load).text));
            }
        }
        let before = std::mem::take(&mut self.alarms);
        self.alarms = wrong
            .into_iter()
            .map(|(code, load, text)| {
                let since = before
                    .iter()
                    .find(|alarm| alarm.code == code && alarm.load == load)
                    .map_or(now, |alarm| alarm.since);
                Alarm {
                    code,
                    load,
                    since,
                    text,
                }
            })
            .collect();
    }

    fn phase_states(&self) -> Vec<PhaseState> {
        let Some(main) = self.circuits.first() else {
            return Vec::new();
        };

        self.config
            .site
            .grid
            .phases()
            .iter()
            .map(|&phase| {
                let measured = main.meter.measured(phase);
                let limit = main.limit.get(phase);
                PhaseState {
                    phase,
                    measured_a: measured,
                    background_a: main.meter.background.now(phase),
                    headroom_a: measured.map(|measured| limit - measured),
                    limit_a: limit,
                    thermal: main.meter.thermal(phase),
                    source: if measured.is_some() {
                        main.meter.source(phase)
                    } else {
                        Source::WorstCase
                    },
                }
            })
            .collect()
    }

    // ---- what cannot be ----

    fn check_reading(&self, reading: &Reading) -> Result<(), EventError> {
        if let Some(id) = &reading.circuit
            && !self.circuits.iter().any(|circuit| circuit.id == *id)
        {
            return Err(EventError::Unknown {
                kind: "circuit",
                id: id.clone(),
            });
        }
        let lines = self.config.site.grid.phases().len();
        if reading.phases.len() != lines {
            return Err(EventError::Impossible {
                field: "phases",
                message: format!("this grid has {lines}, not {}", reading.phases.len()),
            });
        }
        let rating = self.config.site.main_fuse.rating_a.per_phase();
        let largest = Phase::ALL
            .iter()
            .map(|phase| rating.get(*phase))
            .max()
            .unwrap_or_default();
        let most = Milliamps(largest.0.saturating_mul(IMPOSSIBLE_RATINGS));
        for phase in reading.phases.iter().flatten() {
            if let Some(current) = phase.current_a {
                current_is_possible("current_a", current, most)?;
            }
            if let Some(voltage) = phase.voltage_v
                && !(Millivolts::ZERO..=IMPOSSIBLE_VOLTAGE).contains(&voltage)
            {
                return Err(EventError::Impossible {
                    field: "voltage_v",
                    message: format!("{} V cannot be", voltage.to_f64()),
                });
            }
        }
        Ok(())
    }

    fn check_charger(&self, report: &ChargerReport) -> Result<(), EventError> {
        self.check_load("charger", &report.id, Some(Kind::Charger))?;
        let entries = report.current_a.as_deref().unwrap_or_default();
        if entries.len() > charger::TERMINALS_MAX {
            return Err(EventError::Impossible {
                field: "current_a",
                message: format!("{} terminals are more than any charger has", entries.len()),
            });
        }
        for current in entries.iter().flatten().chain(&report.limit_a) {
            current_is_possible("current_a", *current, Milliamps::from_amps(1000))?;
        }
        Ok(())
    }

    fn check_slow_load(&self, report: &SlowLoadReport) -> Result<(), EventError> {
        self.check_load("slow load", &report.id, Some(Kind::SlowLoad))?;
        if let Some(power) = report.power_w
            && power.abs() > Watts(1_000_000)
        {
            return Err(EventError::Impossible {
                field: "power_w",
                message: format!("{} W cannot be", power.0),
            });
        }
        Ok(())
    }

    fn check_user(&self, command: &UserCommand) -> Result<(), EventError> {
        let (load, for_s, limit) = match command {
            UserCommand::Pause { load, for_s } | UserCommand::Boost { load, for_s } => {
                (Some(load), Some(*for_s), None)
            }
            UserCommand::Limit {
                load,
                limit_a,
                for_s,
            } => (Some(load), Some(*for_s), Some(*limit_a)),
            UserCommand::Resume { load, .. } => (Some(load), None, None),
            UserCommand::Manual { ceiling_a, for_s } => {
                for (load, ceiling) in ceiling_a {
                    self.check_load("load", load, None)?;
                    current_is_possible("ceiling_a", *ceiling, Milliamps::from_amps(1000))?;
                }
                (None, Some(*for_s), None)
            }
        };
        if let Some(load) = load {
            self.check_load("load", load, None)?;
        }
        if let Some(for_s) = for_s
            && !USER_COMMAND_S.contains(&for_s)
        {
            return Err(EventError::Impossible {
                field: "for_s",
                message: "must be from 1 to 86400 s".to_owned(),
            });
        }
        limit.map_or(Ok(()), |limit| {
            current_is_possible("limit_a", limit, Milliamps::from_amps(1000))
        })
    }

    fn check_load(
        &self,
        what: &'static str,
        id: &str,
        kind: Option<Kind>,
    ) -> Result<(), EventError> {
        let known = self
            .loads
            .iter()
            .any(|load| load.spec.id == id && kind.is_none_or(|kind| kind == load.spec.kind));
        if known {
            Ok(())
        } else {
            Err(EventError::Unknown {
                kind: what,
                id: id.to_owned(),
            })
        }
    }
}

/// Whether a configuration can be right.
fn check_config(config: &Config, highest: PerPhase<Milliamps>) -> Result<(), EventError> {
    config.validate(highest).map_err(|errors| {
        let words: Vec<String> = errors
            .iter()
            .map(|error| format!("{} {}", error.field, error.message))
            .collect();
        EventError::Configuration(words.join("; "))
    })
}

fn current_is_possible(
    field: &'static str,
    current: Milliamps,
    most: Milliamps,
) -> Result<(), EventError> {
    if (Milliamps::ZERO..=most).contains(&current) {
        Ok(())
    } else {
        let message = format!("{current} cannot be: it must be from 0 to {most}");
        Err(EventError::Impossible { field, message })
    }
}

fn find<'l>(loads: &'l mut [Load], id: &str) -> Option<&'l mut Load> {
    loads.iter_mut().find(|load| load.spec.id == id)
}

fn tell(
    load: &mut Load,
    to: Milliamps,
    reason: Reason,
    next_command: &mut u64,
    now: Instant,
) -> Action {
    let command = *next_command;
    *next_command += 1;
    let (what, renewal) = load.tell(to, command, now);
    Action {
        command,
        what,
        renewal,
        reason,
    }
}

fn load_snapshot(load: &Load) -> LoadSnapshot {
    let connected = (!load.link.is_unseen()).then(|| load.link.is_connected());
    let detail = match load.spec.kind {
        Kind::Charger => LoadDetail::Charger {
            status: load.status,
            setpoint: load.setpoint(),
            measured: load.measured.clone().filter(|_| load.link.is_connected()),
            acknowledged: load.acknowledged(),
            lease_until: load.lease_until(),
            following: load.following(),
        },
        Kind::SlowLoad => LoadDetail::SlowLoad {
            on: load
                .reported_on
                .or_else(|| load.setpoint().map(|setpoint| setpoint > Milliamps::ZERO)),
            power: load.power,
            following: load.following(),
        },
    };
    LoadSnapshot {
        id: load.spec.id.clone(),
        connected,
        reason: load.reason.clone(),
        detail,
    }
}
