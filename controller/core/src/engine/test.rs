//! The test of a charger, run beside the plan: it asks for a ceiling, and the plan decides.
//!
//! Invariant: whatever the plan wants of the tested charger for the sake of a fuse is done, and ends the test.

use thiserror::Error;

use super::Engine;
use crate::action::ReasonCode;
use crate::config::{Grid, Mode};
use crate::load::{self, Kind, Load};
use crate::meter::{Freshness, Meter};
use crate::plan::Plan;
use crate::reason::is_overloaded;
use crate::snapshot::Source;
use crate::trial::{Guard, Setup, Sight, Test};
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A step waits this much longer for room than the waiting times of the configuration, in milliseconds.
const ROOM_MS: u64 = 60_000;
/// A ceiling of a test is set anew at every step of the engine; it says that it holds this long, in milliseconds.
const CEILING_MS: u64 = 60_000;

/// Why a test cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TestRefusal {
    /// Another one runs.
    #[error("a test runs already: wait until it ends, or end it")]
    Running,
    /// There is no such charger.
    #[error("there is no such charger")]
    Unknown,
    /// Nothing is commanded.
    #[error("in observe mode nothing is commanded: set the mode of the site to control first")]
    Observe,
    /// The charger is not there.
    #[error("the charger is not connected: see to its link first")]
    NotConnected,
    /// No car.
    #[error("there is no car at the charger: plug one in that charges")]
    NoCar,
    /// The meter says nothing that can be relied upon.
    #[error("the meter gives no fresh readings of the currents: see to it first")]
    NoMeter,
    /// A person wants something else of it.
    #[error("somebody has paused or limited the charger: resume it first")]
    Held,
    /// It is to give more than its most when it is left alone.
    #[error(
        "its safe current is not 2 A below the most that it is given, so its fall would not be seen: choose a lower one, \
         or leave the cut test out"
    )]
    SafeTooHigh,
}

impl Engine {
    /// The test that runs, or the last one.
    pub const fn test(&self) -> Option<&Test> {
        self.test.as_ref()
    }

    /// Whether a test of a charger may begin.
    ///
    /// # Errors
    /// Why not.
    pub fn may_test(&self, id: &str, cut: bool) -> Result<(), TestRefusal> {
        /// The fall to the safe current must be seen.
        const SEEN: Milliamps = Milliamps::from_amps(2);
        if self.is_testing() {
            return Err(TestRefusal::Running);
        }
        let load = self.loads.iter().find(|load| load.spec.id == id);
        let Some(load) = load.filter(|load| load.spec.kind == Kind::Charger) else {
            return Err(TestRefusal::Unknown);
        };
        let fresh = self.meter_freshness() == Freshness::Fresh
            && self.main().is_some_and(Meter::has_started);
        let held = self.manual.is_some() || load.wishes.pause.or(load.wishes.limit_end()).is_some();
        if self.config.site.mode != Mode::Control {
            Err(TestRefusal::Observe)
        } else if !load.link.is_connected() {
            Err(TestRefusal::NotConnected)
        } else if !load.has_car() {
            Err(TestRefusal::NoCar)
        } else if !fresh {
            Err(TestRefusal::NoMeter)
        } else if held {
            Err(TestRefusal::Held)
        } else if cut && load.spec.safe + SEEN > load.spec.most {
            Err(TestRefusal::SafeTooHigh)
        } else {
            Ok(())
        }
    }

    pub(super) fn is_testing(&self) -> bool {
        self.test.as_ref().is_some_and(Test::is_running)
    }

    /// What is configured of the charger that is tested, but for what it is called.
    pub(super) fn tested_spec(&self) -> Option<load::Spec> {
        let test = self.test.as_ref().filter(|test| test.is_running())?;
        let load = self.loads.iter().find(|load| load.spec.id == test.load())?;
        Some(load::Spec {
            name: String::new(),
            ..load.spec.clone()
        })
    }

    pub(super) fn begin_test(&mut self, id: &str, cut: bool, guard: Guard, now: Instant) {
        let site = &self.config.site;
        let Some(load) = self.loads.iter().find(|load| load.spec.id == id) else {
            return;
        };
        let tuning = &site.tuning;
        let waits = tuning.raise_after_s + tuning.restart_after_s + tuning.hold_s;
        let judged: &[Phase] = match site.grid {
            Grid::It3ph => &[],
            Grid::Tn3ph | Grid::Tn1ph => site.grid.phases(),
        };
        let setup = Setup {
            load: id.to_owned(),
            title: load.title().to_owned(),
            least: load.spec.least,
            most: load.spec.most,
            safe: load.spec.safe,
            lease_s: load.spec.lease_s,
            proof: load.spec.proof,
            map: load.spec.map.clone(),
            judged: judged.to_vec(),
            patience_ms: u64::from(waits)
                .saturating_mul(1000)
                .saturating_add(ROOM_MS),
            cut,
            guard,
        };
        self.test = Some(Test::new(setup, now));
    }

    /// Ends a running test of this charger.
    pub(super) fn end_test(&mut self, id: &str, why: &str) {
        if self.test.as_ref().is_some_and(|test| test.load() == id) {
            self.abort_test(why);
        }
    }

    pub(super) fn abort_test(&mut self, why: &str) {
        if let Some(test) = self.test.as_mut().filter(|test| test.is_running()) {
            test.abort(why);
        }
        self.release_tested();
    }

    /// Nothing is held back any more for the sake of a test.
    fn release_tested(&mut self) {
        for load in &mut self.loads {
            load.wishes.test = None;
            load.wishes.silent = false;
        }
    }

    /// Shows the test what there is to see, and takes what it wants.
    pub(super) fn run_test(&mut self, now: Instant) {
        let Some(mut test) = self.test.take() else {
            return;
        };
        if test.is_running() {
            let index = self.loads.iter().position(|l| l.spec.id == test.load());
            let order = index.and_then(|index| self.look(index, &mut test, now));
            if index.is_none() {
                test.abort("The charger is not configured any more.");
            }
            if order.is_none() {
                self.release_tested();
            }
        }
        self.test = Some(test);
    }

    fn look(&mut self, index: usize, test: &mut Test, now: Instant) -> Option<()> {
        let lines = self.lines_without_others(index, now);
        let trouble = self.trouble(index);
        let lines_at = self.main().and_then(Meter::last_currents);
        let load = self.loads.get_mut(index)?;
        let sight = Sight {
            now,
            setpoint: Some(load.current()),
            changed_at: load.changed_at(),
            lease_until: load.lease_until(),
            refused: load.has_refused(),
            straying: load.link.straying_since().is_some(),
            connected: load.link.is_connected(),
            status: load.status,
            currents: load.measured.as_deref(),
            measured_at: load.measured_at(),
            limit: load.reported_limit(),
            lines,
            lines_at,
            standing: &load.reason.text,
            trouble: trouble.as_deref(),
        };
        let order = test.look(&sight)?;
        load.wishes.test = Some((order.ceiling, now.after_ms(CEILING_MS)));
        load.wishes.silent = order.silent;
        if order.fresh {
            load.begin_test_step();
        }
        Some(())
    }

    /// What the main meter measures, less what the other loads say they draw. It is evidence, and no plan: what may be drawn
    /// by a load that cannot be reached is reserved elsewhere, and is not taken off what was measured.
    fn lines_without_others(&self, index: usize, now: Instant) -> PerPhase<Option<Milliamps>> {
        let Some(main) = self.circuits.first() else {
            return PerPhase::default();
        };
        let mut others: PerPhase<Milliamps> = PerPhase::default();
        for (other, load) in self.loads.iter().enumerate() {
            if other != index && load.link.is_connected() {
                others = others.zip_with(&load.draw_bounds(now).likely, |a, b| a + b);
            }
        }
        PerPhase(Phase::ALL.map(|phase| {
            let told = main.meter.source(phase) == Source::Measured;
            let measured = main.meter.measured(phase).filter(|_| told);
            measured.map(|measured| measured - others.get(phase))
        }))
    }

    /// What forbids a test to go on.
    fn trouble(&self, index: usize) -> Option<String> {
        let held = |load: &Load| load.wishes.pause.or(load.wishes.limit_end()).is_some();
        if self.config.site.mode != Mode::Control {
            return Some("Headroom only observes now.".to_owned());
        }
        if self.meter_freshness() != Freshness::Fresh {
            return Some("The meter's readings are too old to go on.".to_owned());
        }
        if self.manual.is_some() || self.loads.get(index).is_some_and(held) {
            return Some("Somebody wants something else of the charger.".to_owned());
        }
        self.circuits.iter().find_map(|circuit| {
            let over = |phase: &Phase| {
                is_overloaded(circuit.meter.measured(*phase), circuit.limit.get(*phase))
            };
            let phase = Phase::ALL.into_iter().find(over)?;
            Some(format!("{phase} of {} carries too much.", circuit.id))
        })
    }

    /// Ends the test where the plan needs the charger's current for something else. What the plan wants is done.
    pub(super) fn check_test(&mut self, plan: &Plan) {
        let Some(test) = self.test.as_ref().filter(|test| test.is_running()) else {
            return;
        };
        let (id, silent) = (test.load(), test.is_silent());
        let why = plan.targets.iter().find_map(|target| {
            let load: &Load = self.loads.get(target.load)?;
            let own = load
                .wishes
                .test
                .is_some_and(|(ceiling, _)| load.allowed(ceiling) <= target.to);
            let strays = target.reason.code == ReasonCode::NotObeying;
            let needed = target.to < load.current() && !own && !strays;
            (load.spec.id == id && (silent || needed)).then(|| target.reason.text.clone())
        });
        if let Some(why) = why {
            self.abort_test(&format!("Its current is needed for something else: {why}"));
        }
    }
}
