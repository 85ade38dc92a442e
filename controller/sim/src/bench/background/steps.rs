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
        let mut random = Random::new(seed, "steps");
        let mut levels = PerPhase::all(self.base_a);
        let lines = Phase::ALL;
        let mut next_s = random.between(self.gap_s);
        let mut trace = Vec::with_capacity(usize::try_from(seconds).unwrap_or_default());
        for second in 0..seconds {
            if crate::seconds(second * 1000) >= next_s {
                next_s += random.between(self.gap_s).max(1.0);
                // Three draws, whatever becomes of them, so that one more line changes nothing else.
                let (which, up) = (random.unit(), random.chance(0.5));
                let index = if which < 1.0 / 3.0 {
                    0
                } else if which < 2.0 / 3.0 {
                    1
                } else {
                    2
                };
                let at_s = crate::seconds(second * 1000);
                let quiet = self
                    .quiet_s
                    .iter()
                    .any(|(from_s, to_s)| (*from_s..*to_s).contains(&at_s));
                if let Some(line) = lines.get(index).filter(|_| !quiet) {
                    let level = levels.get_mut(*line);
                    let changed = if up {
                        *level + self.step_a
                    } else {
                        *level - self.step_a
                    };
                    if changed >= self.base_a - 1e-9
                        && changed <= self.highest * rating_a.get(*line)
                    {
                        *level = changed;
                    }
                }
            }
            let mut currents = Currents::none(wiring);
            for line in lines {
                let amps = levels.get(line) + random.noise(0.05);
                currents.add(line, Current::new(amps.max(0.0), self.power_factor));
            }
            trace.push(currents);
        }
        trace
    }
}
