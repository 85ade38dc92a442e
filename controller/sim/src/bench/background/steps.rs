//! Steps against the controller: one line at a time goes up or down by the whole step at any moment,
//! never sooner after the last one than the controller may take to react.

use headroom_core::units::{PerPhase, Phase};
use serde::{Deserialize, Serialize};

use crate::current::{Current, Currents, Wiring};
use crate::random::Random;

/// Steps of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// The step, in amperes.
    pub step_a: f64,
    /// What is always there, in amperes.
    #[serde(default = "two")]
    pub base_a: f64,
    /// No line goes higher than this share of its fuse.
    #[serde(default = "nine_tenths")]
    pub highest: f64,
    /// Shortest and longest time between steps of any line, in seconds.
    pub gap_s: (f64, f64),
    /// Times from and to which nothing steps, in seconds.
    #[serde(default)]
    pub quiet_s: Vec<(f64, f64)>,
    /// Whether it watches the lines: up where the controller has just filled one, down again later. Only
    /// where nothing must be known beforehand: in adversarial hours.
    #[serde(skip)]
    pub watching: bool,
    /// Whether a step that a line has no room for goes as far as there is room, to the highest or the base.
    #[serde(skip)]
    pub partial: bool,
    /// Share of the steps that all lines take at once, as a three-phase load does.
    #[serde(default)]
    pub balanced: f64,
    /// Power factor of the steps.
    #[serde(default = "nine_and_a_half_tenths")]
    pub power_factor: f64,
}

fn two() -> f64 {
    2.0
}
fn nine_tenths() -> f64 {
    0.9
}
fn nine_and_a_half_tenths() -> f64 {
    0.95
}

impl Steps {
    pub(super) fn validate(&self) -> Result<(), String> {
        let (shortest, longest) = self.gap_s;
        if shortest >= 1.0 && longest >= shortest && self.step_a > 0.0 && self.base_a >= 0.0 {
            Ok(())
        } else {
            Err(
                "background: gap_s must be two times of at least 1 s, the shorter first, step_a above 0 \
                 and base_a at least 0"
                    .to_owned(),
            )
        }
    }

    pub(super) fn trace(
        &self,
        wiring: Wiring,
        seconds: u64,
        rating_a: PerPhase<f64>,
        seed: u64,
    ) -> Vec<Currents> {
        let mut stepper = Stepper::new(self, wiring, rating_a, seed);
        (0..seconds)
            .map(|second| {
                if !self.watching {
                    stepper.at_random(second);
                }
                stepper.currents()
            })
            .collect()
    }
}

/// A line is full when it carries this share of its rating.
const FULL: f64 = 0.93;
/// A full line gets its step within some seconds: with this chance in each.
const STRIKES: f64 = 0.2;
/// A part of a step that is smaller than this, in amperes, is none.
const LEAST_PART: f64 = 1.0;

/// The steps of one run.
#[derive(Clone, Debug)]
pub struct Stepper {
    steps: Steps,
    wiring: Wiring,
    rating_a: PerPhase<f64>,
    random: Random,
    balanced: Random,
    levels: PerPhase<f64>,
    next_s: f64,
    /// When what was raised goes down again.
    down_s: f64,
}

impl Stepper {
    /// With every line at its base.
    pub fn new(steps: &Steps, wiring: Wiring, rating_a: PerPhase<f64>, seed: u64) -> Self {
        let mut random = Random::new(seed, "steps");
        let next_s = random.between(steps.gap_s);
        Self {
            steps: steps.clone(),
            wiring,
            rating_a,
            random,
            balanced: Random::new(seed, "balanced steps"),
            levels: PerPhase::all(steps.base_a),
            next_s,
            down_s: f64::INFINITY,
        }
    }

    /// What flows now, with a little noise.
    pub fn currents(&mut self) -> Currents {
        let mut currents = Currents::none(self.wiring);
        for line in Phase::ALL {
            let amps = self.levels.get(line) + self.random.noise(0.05);
            currents.add(line, Current::new(amps.max(0.0), self.steps.power_factor));
        }
        currents
    }

    /// A step of any line in any direction, when it is time for one.
    pub fn at_random(&mut self, second: u64) {
        let at_s = crate::seconds(second * 1000);
        if at_s < self.next_s {
            return;
        }
        self.next_s += self.random.between(self.steps.gap_s).max(1.0);
        let (which, up) = (self.any_line(), self.random.chance(0.5));
        if !self.is_quiet(at_s) {
            self.step(which, up);
        }
    }

    /// Whether this step is one of a three-phase load.
    fn is_balanced(&mut self) -> bool {
        self.balanced.chance(self.steps.balanced)
    }

    /// The worst that the class allows, for a controller that fills the lines: `carried` is what flows.
    pub fn watching(&mut self, second: u64, carried: PerPhase<f64>) {
        let at_s = crate::seconds(second * 1000);
        if at_s < self.next_s || self.is_quiet(at_s) {
            return;
        }
        let (shortest_s, longest_s) = self.steps.gap_s;
        let fullest = Phase::ALL
            .into_iter()
            .filter(|line| self.part(self.steps.step_a, *line).is_some())
            .map(|line| (carried.get(line) / self.rating_a.get(line), line))
            .filter(|(share, _)| *share >= FULL)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let stepped = match fullest {
            Some((_, line)) => self.random.chance(STRIKES) && self.step(line, true),
            None if at_s >= self.down_s => {
                let line = self.any_line();
                self.step(line, false)
            }
            None => false,
        };
        if stepped {
            self.next_s = at_s + shortest_s.max(1.0);
            self.down_s = at_s + self.random.between((shortest_s, longest_s));
        }
    }

    fn any_line(&mut self) -> Phase {
        let which = self.random.unit();
        if which < 1.0 / 3.0 {
            Phase::L1
        } else if which < 2.0 / 3.0 {
            Phase::L2
        } else {
            Phase::L3
        }
    }

    fn is_quiet(&self, at_s: f64) -> bool {
        self.steps
            .quiet_s
            .iter()
            .any(|(from_s, to_s)| (*from_s..*to_s).contains(&at_s))
    }

    /// What of a step a line takes; `None`: none of it.
    fn part(&self, step_a: f64, line: Phase) -> Option<f64> {
        let level = self.levels.get(line);
        let top = self.steps.highest * self.rating_a.get(line);
        let to = level + step_a;
        if to >= self.steps.base_a - 1e-9 && to <= top {
            return Some(step_a);
        }
        let part = to.min(top).max(self.steps.base_a) - level;
        let moves = part * step_a > 0.0 && part.abs() >= LEAST_PART;
        (self.steps.partial && moves).then_some(part)
    }

    fn step(&mut self, line: Phase, up: bool) -> bool {
        let sign = if up { 1.0 } else { -1.0 };
        let step_a = sign * self.steps.step_a;
        if self.is_balanced() {
            // Between two lines √3 of it flows in each of them.
            let step_a = match self.wiring {
                Wiring::Delta => step_a / 3_f64.sqrt(),
                Wiring::Star => step_a,
            };
            let parts = Phase::ALL.map(|line| self.part(step_a, line));
            let least = |parts: &[f64]| {
                let least = parts.iter().map(|part| part.abs()).fold(f64::MAX, f64::min);
                sign * least
            };
            if let [Some(first), Some(second), Some(third)] = parts {
                let part = least(&[first, second, third]);
                self.levels = self.levels.map(|level| level + part);
                return true;
            }
        }
        let part = self.part(step_a, line);
        *self.levels.get_mut(line) += part.unwrap_or_default();
        part.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(watching: bool) -> Steps {
        Steps {
            step_a: 10.0,
            base_a: 2.0,
            highest: 0.9,
            gap_s: (20.0, 60.0),
            quiet_s: vec![(300.0, 400.0)],
            watching,
            partial: false,
            balanced: 0.0,
            power_factor: 1.0,
        }
    }

    #[test]
    fn a_part_of_a_step_reaches_the_highest_and_the_base() {
        for balanced in [0.0, 1.0] {
            let partial = Steps {
                partial: true,
                balanced,
                ..steps(false)
            };
            let trace = partial.trace(Wiring::Star, 3600, PerPhase::all(26.0), 1);
            let amps = trace.iter().flat_map(|now| now.line_amps().0);
            let (least, most) = amps.fold((f64::MAX, 0.0_f64), |(least, most), amps| {
                (least.min(amps), most.max(amps))
            });
            assert!((23.3..23.7).contains(&most), "{most}");
            assert!((1.8..2.1).contains(&least), "{least}");
        }
    }

    /// The seconds at which any line changes by a step.
    fn times(trace: &[Currents]) -> Vec<usize> {
        let amps = |at: usize| trace[at].line_amps().0;
        (1..trace.len())
            .filter(|at| {
                let (before, now) = (amps(at - 1), amps(*at));
                before.iter().zip(now).any(|(a, b)| (a - b).abs() > 5.0)
            })
            .collect()
    }

    fn check(times: &[usize]) {
        assert!(times.len() > 30, "{times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 20));
        assert!(!times.iter().any(|at| (300..400).contains(at)));
    }

    #[test]
    fn steps_keep_their_distance_and_the_quiet_times() {
        let trace = steps(false).trace(Wiring::Star, 3600, PerPhase::all(25.0), 1);
        check(&times(&trace));
    }

    #[test]
    fn a_balanced_step_is_on_all_lines_and_no_higher_between_them() {
        let balanced = Steps {
            balanced: 1.0,
            ..steps(false)
        };
        for wiring in [Wiring::Star, Wiring::Delta] {
            let trace = balanced.trace(wiring, 3600, PerPhase::all(40.0), 1);
            let times = times(&trace);
            check(&times);
            for at in times {
                let (before, now) = (trace[at - 1].line_amps(), trace[at].line_amps());
                let moved = Phase::ALL.map(|line| (now.get(line) - before.get(line)).abs());
                let most = moved.iter().copied().fold(0.0, f64::max);
                assert!(most < 10.5, "{moved:?}");
                let alone = moved.iter().filter(|amps| **amps > 5.0).count();
                assert!(
                    alone == 3 || alone < 3 && wiring == Wiring::Delta,
                    "{moved:?}"
                );
            }
        }
    }

    #[test]
    fn who_watches_steps_where_the_lines_are_full() {
        let mut stepper = Stepper::new(&steps(true), Wiring::Star, PerPhase::all(25.0), 1);
        let mut trace = Vec::new();
        for second in 0..3600 {
            // Somebody fills L2 to its rating whenever it is low.
            let l2 = stepper.levels.get(Phase::L2);
            let full = if l2 < 5.0 { 25.0 } else { l2 };
            stepper.watching(second, PerPhase([3.0, full, 3.0]));
            trace.push(stepper.currents());
            assert!(stepper.levels.get(Phase::L1) < 5.0);
        }
        check(&times(&trace));
    }
}
