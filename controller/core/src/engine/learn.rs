//! Learning of the rotation: what happens is shown to it, and what it finds is used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Engine;
use crate::action::Reason;
use crate::config::{Grid, Mode};
use crate::learnt::Learnt;
use crate::load::Load;
use crate::meter::Freshness;
use crate::plan::{Plan, Target};
use crate::reason::is_overloaded;
use crate::rotation::{Evidence, Learner};
use crate::snapshot::Source;
use crate::supervisor::Supply;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A charger is lowered by this to see on which lines.
const TRIAL_STEP: Milliamps = Milliamps::from_amps(2);
/// The longest that it is kept there, in milliseconds: three readings of a slow meter after the car has followed.
const TRIAL_MS: u64 = 60_000;

/// A charger that was lowered to see on which lines.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Trial {
    load: usize,
    at: Instant,
}

impl Engine {
    /// Shows what the loads were told and say.
    pub(super) fn follow_steps(&mut self, now: Instant) {
        if self.learns() && self.rotation.follow(&mut self.loads, now) {
            // What the house draws is found anew with the lines of now, before anything is raised.
            self.settled = false;
        }
    }

    /// Shows a reading of the main meter, if it tells all lines.
    pub(super) fn read_steps(&mut self, now: Instant) {
        let Some(main) = self.circuits.first().filter(|_| self.learns()) else {
            return;
        };
        let mut lines = PerPhase::<Milliamps>::default();
        let mut over = PerPhase::all(false);
        for phase in Phase::ALL {
            let told = main.meter.line_age_ms(phase, now) == Some(0)
                && main.meter.source(phase) == Source::Measured;
            let Some(measured) = main.meter.measured(phase).filter(|_| told) else {
                return;
            };
            *lines.get_mut(phase) = measured;
            *over.get_mut(phase) = is_overloaded(Some(measured), main.limit.get(phase));
        }
        if self.rotation.read(lines, over, &mut self.loads, now) {
            self.settled = false;
        }
    }

    /// Where somebody has too little, and it may be for a charger of unknown phases that counts on all lines: lowers
    /// it by a few amperes, once everything is calm, and lets it up again when the meter has shown where.
    pub(super) fn try_step(&mut self, plan: &mut Plan, now: Instant) {
        if let Some(trial) = self.trial
            && now.since_ms(trial.at) < TRIAL_MS
        {
            // Not before that has been seen is it raised again.
            if self.rotation.is_busy(now) {
                let current = |load: usize| self.loads.get(load).map(Load::current);
                plan.targets
                    .retain(|one| one.load != trial.load || Some(one.to) < current(one.load));
            }
            return;
        }
        let calm = self.learns()
            && self.config.site.mode == Mode::Control
            && self.meter_freshness() == Freshness::Fresh
            && plan.supply == Supply::Short
            && plan.targets.is_empty();
        if !calm || !self.loads.iter().any(|load| load.rotation.wants_trial(now)) {
            return;
        }
        if !self.settled || !self.rotation.is_ready(&self.loads, now) {
            return;
        }
        let lower = |load: &Load| load.current().floor_to_amps() - TRIAL_STEP;
        let Some((index, load)) = self.loads.iter_mut().enumerate().find(|(_, load)| {
            load.is_unmapped()
                && load.is_controllable()
                && load.setpoint().is_some()
                && load.rotation.wants_trial(now)
                && lower(load) >= load.spec.least
        }) else {
            return;
        };
        let to = lower(load);
        load.rotation.begin_trial(now);
        self.trial = Some(Trial {
            load: index,
            at: now,
        });
        plan.targets.push(Target {
            load: index,
            to,
            one_phase: load.is_told_one(),
            reason: Reason::trial(load, load.current(), to),
        });
    }

    /// Between lines currents do not add up as numbers: there nothing is learnt.
    fn learns(&self) -> bool {
        self.config.site.grid == Grid::Tn3ph
    }

    /// After a new configuration: what was learnt holds for chargers whose phases nobody has told.
    pub(super) fn reconfigure_steps(&mut self) {
        self.rotation.forget();
        self.trial = None;
        let learns = self.learns();
        for load in &mut self.loads {
            if !learns || !load.is_unmapped() {
                load.rotation = Learner::default();
            }
        }
    }

    /// What was found out of a charger, in a sentence.
    pub(super) fn a_finding(&self) -> Option<Reason> {
        let found = |load: &Load| Some(Reason::phases_found(load, load.rotation.finding()?));
        self.loads.iter().find_map(found)
    }

    /// What is to be kept over a restart.
    pub fn learnt(&self) -> Learnt {
        let circuits = self.circuits.iter().map(|circuit| {
            let house = circuit.meter.background.learnt();
            (circuit.id.clone(), house)
        });
        Learnt {
            circuits: circuits.collect(),
            phases: self.learnt_phases(),
        }
    }

    /// Takes over what the process before has learnt, once it is configured. What flowed meanwhile nobody knows: the
    /// fuses count as warm as their rating makes them.
    pub fn restore(&mut self, kept: &Learnt) {
        for circuit in &mut self.circuits {
            circuit.meter.presume_warm(circuit.rating);
            if let Some(house) = kept.circuits.get(&circuit.id) {
                circuit.meter.background.restore(house);
            }
        }
        self.restore_phases(&kept.phases);
    }

    /// What each charger whose phases nobody has told has shown of them.
    pub fn learnt_phases(&self) -> BTreeMap<String, Evidence> {
        self.loads
            .iter()
            .filter(|load| load.is_unmapped() && load.rotation.evidence().steps() > 0)
            .map(|load| (load.spec.id.clone(), load.rotation.evidence().clone()))
            .collect()
    }

    /// Takes over what was kept. It is used as soon as each charger's car has shown itself anew.
    fn restore_phases(&mut self, kept: &BTreeMap<String, Evidence>) {
        if !self.learns() {
            return;
        }
        for load in self.loads.iter_mut().filter(|load| load.is_unmapped()) {
            if let Some(evidence) = kept.get(&load.spec.id) {
                load.rotation.restore(evidence.clone());
            }
        }
    }
}
