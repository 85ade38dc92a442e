//! Household appliances: what people switch on, and what thermostats and power regulators make of it.
//!
//! One shape serves them all: runs that come by themselves after random pauses or by hand, and within a
//! run a first uninterrupted part and then a cycle of on and off (the hob's energy regulator with a
//! period of seconds, the oven's thermostat with minutes, the washing machine's motor).

use headroom_core::units::Phase;
use serde::{Deserialize, Serialize};

use crate::current::{Current, Currents};
use crate::random::Random;
use crate::{millis, seconds};

/// A shortest and a longest time, in seconds.
pub type Range = (f64, f64);

/// An appliance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplianceSpec {
    /// Its name, for scripts and people.
    pub name: String,
    /// The lines it hangs on, in equal parts.
    pub phases: Vec<Phase>,
    /// What it draws while on, in watts at 230 V.
    pub power_w: f64,
    /// What it draws in the off part of its cycle, in watts.
    #[serde(default)]
    pub off_power_w: f64,
    /// Active over apparent power, 0 to 1.
    #[serde(default = "one")]
    pub power_factor: f64,
    /// Pause between runs that come by themselves; `None`: only when somebody starts it.
    #[serde(default)]
    pub idle_s: Option<Range>,
    /// How long a run lasts.
    pub run_s: Range,
    /// On without a break at the beginning of a run.
    #[serde(default)]
    pub heat_up_s: f64,
    /// On and off within a run; `None`: on throughout.
    #[serde(default)]
    pub cycle: Option<Cycle>,
}

impl ApplianceSpec {
    /// On one line, resistive, on throughout a run of a minute, and only when somebody starts it.
    pub fn new(name: &str, phase: Phase, power_w: f64) -> Self {
        Self {
            name: name.to_owned(),
            phases: vec![phase],
            power_w,
            off_power_w: 0.0,
            power_factor: 1.0,
            idle_s: None,
            run_s: (60.0, 60.0),
            heat_up_s: 0.0,
            cycle: None,
        }
    }
}

/// Times of a thermostat or an energy regulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// On, in seconds.
    pub on_s: Range,
    /// Off, in seconds.
    pub off_s: Range,
}

fn one() -> f64 {
    1.0
}

/// Powers are given at this voltage.
const NOMINAL_V: f64 = 230.0;

#[derive(Clone, Copy, Debug)]
enum State {
    Idle {
        until_ms: Option<u64>,
    },
    Running {
        until_ms: u64,
        on: bool,
        turn_ms: u64,
    },
}

/// An appliance at work.
#[derive(Clone, Debug)]
pub struct Appliance {
    spec: ApplianceSpec,
    random: Random,
    state: State,
}

impl Appliance {
    /// Idle at time 0; its first run by itself comes after a random part of a pause.
    pub fn new(spec: ApplianceSpec, seed: u64) -> Self {
        let mut random = Random::new(seed, &spec.name);
        let until_ms = spec
            .idle_s
            .map(|(_, longest)| millis(random.between((0.0, longest))));
        Self {
            spec,
            random,
            state: State::Idle { until_ms },
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether a run is under way (even if its thermostat is off at the moment).
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Starts a run of this length now, also in the middle of another.
    pub fn start(&mut self, now_ms: u64, for_ms: u64) {
        let turn_ms = match &self.spec.cycle {
            Some(cycle) if self.spec.heat_up_s <= 0.0 => {
                now_ms + millis(self.random.between(cycle.on_s))
            }
            Some(_) => now_ms + millis(self.spec.heat_up_s),
            None => u64::MAX,
        };
        self.state = State::Running {
            until_ms: now_ms.saturating_add(for_ms),
            on: true,
            turn_ms,
        };
    }

    /// Ends the run, if there is one.
    pub fn stop(&mut self, now_ms: u64) {
        if self.is_running() {
            let idle = self.spec.idle_s.map(|range| self.random.between(range));
            self.state = State::Idle {
                until_ms: idle.map(|s| now_ms + millis(s)),
            };
        }
    }

    /// Lets time pass up to `now_ms` and adds what it draws.
    pub fn step(&mut self, now_ms: u64, currents: &mut Currents) {
        match self.state {
            State::Idle {
                until_ms: Some(until_ms),
            } if now_ms >= until_ms => {
                let for_ms = millis(self.random.between(self.spec.run_s));
                self.start(now_ms, for_ms);
            }
            State::Running { until_ms, .. } if now_ms >= until_ms => self.stop(now_ms),
            State::Running {
                until_ms,
                on,
                turn_ms,
            } if now_ms >= turn_ms => {
                if let Some(cycle) = &self.spec.cycle {
                    let next = if on { cycle.off_s } else { cycle.on_s };
                    let turn_ms = now_ms + millis(self.random.between(next));
                    self.state = State::Running {
                        until_ms,
                        on: !on,
                        turn_ms,
                    };
                }
            }
            State::Idle { .. } | State::Running { .. } => {}
        }
        let power_w = match self.state {
            State::Running { on: true, .. } => self.spec.power_w,
            State::Running { on: false, .. } => self.spec.off_power_w,
            State::Idle { .. } => return,
        };
        let factor = self.spec.power_factor.clamp(0.1, 1.0);
        currents.connect_power(&self.spec.phases, power_w, factor);
    }
}

/// What is always there: standby, lights, fans. It wanders slowly and flickers a little.
#[derive(Clone, Debug)]
pub struct BaseLoad {
    mean_w: [f64; 3],
    wander: [f64; 3],
    random: Random,
    next_ms: u64,
}

impl BaseLoad {
    /// Around these powers per line, in watts.
    pub fn new(mean_w: [f64; 3], seed: u64) -> Self {
        Self {
            mean_w,
            wander: [1.0; 3],
            random: Random::new(seed, "base load"),
            next_ms: 0,
        }
    }

    /// Lets time pass up to `now_ms` and adds what it draws.
    pub fn step(&mut self, now_ms: u64, currents: &mut Currents) {
        while self.next_ms <= now_ms {
            for wander in &mut self.wander {
                // Pulled back to 1 over some minutes, so that it neither dies out nor grows.
                *wander += (1.0 - *wander) * 0.005 + self.random.noise(0.02);
                *wander = wander.clamp(0.4, 1.8);
            }
            self.next_ms += 1000;
        }
        for (phase, (mean_w, wander)) in Phase::ALL
            .into_iter()
            .zip(self.mean_w.iter().zip(self.wander))
        {
            let flicker = 1.0 + self.random.noise(0.01);
            let amps = mean_w * wander * flicker / NOMINAL_V / 0.95;
            currents.add(phase, Current::new(amps, 0.95));
        }
    }
}

/// A run that a script starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedRun {
    /// When, in seconds of virtual time.
    pub at_s: f64,
    /// Which appliance.
    pub appliance: String,
    /// For how long, in seconds.
    pub for_s: f64,
}

impl ScriptedRun {
    /// Whether it begins after one moment and not after another.
    pub(crate) fn begins(&self, after_ms: u64, until_ms: u64) -> bool {
        (seconds(after_ms)..seconds(until_ms)).contains(&self.at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kettle() -> ApplianceSpec {
        ApplianceSpec::new("kettle", Phase::L2, 2300.0)
    }

    fn amps(appliance: &mut Appliance, now_ms: u64) -> f64 {
        let mut currents = Currents::default();
        appliance.step(now_ms, &mut currents);
        currents.branches.get(Phase::L2).magnitude()
    }

    #[test]
    fn a_kettle_draws_from_its_start_to_its_end() {
        let mut kettle = Appliance::new(kettle(), 1);
        assert!(amps(&mut kettle, 0).abs() < 1e-9);
        kettle.start(1000, 60_000);
        assert!((amps(&mut kettle, 1000) - 10.0).abs() < 1e-9);
        assert!((amps(&mut kettle, 60_900) - 10.0).abs() < 1e-9);
        assert!(amps(&mut kettle, 61_000).abs() < 1e-9);
        assert!(!kettle.is_running());
    }

    #[test]
    fn an_oven_heats_up_and_then_follows_its_thermostat() {
        let mut oven = Appliance::new(
            ApplianceSpec {
                heat_up_s: 100.0,
                cycle: Some(Cycle {
                    on_s: (30.0, 30.0),
                    off_s: (60.0, 60.0),
                }),
                ..kettle()
            },
            1,
        );
        oven.start(0, 1_000_000);
        let on = |t: u64, oven: &mut Appliance| amps(oven, t * 1000) > 1.0;
        assert!((0..100).all(|t| on(t, &mut oven)));
        assert!((100..160).all(|t| !on(t, &mut oven)));
        assert!((160..190).all(|t| on(t, &mut oven)));
        assert!(!on(190, &mut oven));
    }

    #[test]
    fn runs_come_by_themselves_again_and_again() {
        let mut kettle = Appliance::new(
            ApplianceSpec {
                idle_s: Some((60.0, 120.0)),
                ..kettle()
            },
            7,
        );
        let starts = (0..3600)
            .map(|t| amps(&mut kettle, t * 1000) > 1.0)
            .collect::<Vec<_>>()
            .windows(2)
            .filter(|pair| !pair[0] && pair[1])
            .count();
        // A run and a pause together take 120 to 180 s.
        assert!((19..=31).contains(&starts), "{starts}");
    }

    #[test]
    fn the_base_load_stays_near_its_mean() {
        let mut base = BaseLoad::new([230.0, 0.0, 460.0], 5);
        let mut sum = 0.0;
        for t in 0..36_000 {
            let mut currents = Currents::default();
            base.step(t * 100, &mut currents);
            sum += currents.branches.get(Phase::L1).active_a;
            assert!(currents.branches.get(Phase::L2).magnitude().abs() < 1e-9);
        }
        let mean = sum / 36_000.0;
        assert!((0.7..1.3).contains(&mean), "{mean}");
    }
}
