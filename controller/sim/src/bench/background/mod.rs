//! What a house draws besides chargers and slow loads: made from a seed, or read.

mod household;
mod steps;

use headroom_core::units::{PerPhase, Phase};
use serde::{Deserialize, Serialize};

use crate::current::{Current, Currents, Wiring};

pub use self::household::Class;
pub use self::steps::{Stepper, Steps};

/// Most rows of a CSV: a month of seconds.
const ROWS_MAX: usize = 2_678_400;
/// Power factor of currents that are read from a file.
const FILE_POWER_FACTOR: f64 = 0.95;

/// A background.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum BackgroundSpec {
    /// People and thermostats.
    Household {
        /// What they have.
        class: Class,
    },
    /// Steps of one size at any time, against the controller.
    Steps(Steps),
    /// The same all the time, in amperes.
    Constant {
        /// On each line (or between lines).
        amps: [f64; 3],
    },
    /// Read from a file of `t_s,l1_a,l2_a,l3_a`; a row holds until the next.
    Csv {
        /// The file, beside the scenario.
        file: String,
        /// Its rows.
        #[serde(skip)]
        rows: Vec<(f64, [f64; 3])>,
    },
}

impl BackgroundSpec {
    /// # Errors
    /// What cannot be.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Steps(steps) => steps.validate(),
            Self::Constant { amps } if amps.iter().any(|a| !a.is_finite()) => {
                Err("a background must be of numbers".to_owned())
            }
            Self::Household { .. } | Self::Constant { .. } | Self::Csv { .. } => Ok(()),
        }
    }

    /// Whether it is made from a seed, so that another seed makes another one.
    pub const fn is_made(&self) -> bool {
        matches!(self, Self::Household { .. } | Self::Steps(_))
    }

    /// The background of each second. `allowed_a` is what steps may reach on each line.
    pub fn trace(
        &self,
        wiring: Wiring,
        seconds: u64,
        rating_a: PerPhase<f64>,
        seed: u64,
    ) -> Vec<Currents> {
        match self {
            Self::Household { class } => household::trace(*class, wiring, seconds, seed),
            Self::Steps(steps) => steps.trace(wiring, seconds, rating_a, seed),
            Self::Constant { amps } => (0..seconds).map(|_| constant(wiring, *amps)).collect(),
            Self::Csv { rows, .. } => {
                let mut at = 0;
                (0..seconds)
                    .map(|second| {
                        while rows
                            .get(at + 1)
                            .is_some_and(|(from_s, _)| *from_s <= crate::seconds(second * 1000))
                        {
                            at += 1;
                        }
                        constant(wiring, rows.get(at).map_or([0.0; 3], |(_, amps)| *amps))
                    })
                    .collect()
            }
        }
    }
}

fn constant(wiring: Wiring, amps: [f64; 3]) -> Currents {
    let mut currents = Currents::none(wiring);
    for (phase, amps) in Phase::ALL.into_iter().zip(amps) {
        currents.add(phase, Current::new(amps, FILE_POWER_FACTOR));
    }
    currents
}

/// The rows of a CSV of `t_s,l1_a,l2_a,l3_a`.
///
/// # Errors
/// The first row that is none, with its number.
pub fn rows(text: &str) -> Result<Vec<(f64, [f64; 3])>, String> {
    let mut rows: Vec<(f64, [f64; 3])> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (index == 0 && line.starts_with('t')) {
            continue;
        }
        let numbers: Option<Vec<f64>> = line
            .split(',')
            .map(|field| {
                field
                    .trim()
                    .parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
            })
            .collect();
        let Some([t_s, l1, l2, l3]) = numbers.as_deref() else {
            return Err(format!(
                "line {}: must be four numbers, t_s,l1_a,l2_a,l3_a",
                index + 1
            ));
        };
        if rows.last().is_some_and(|(last, _)| last >= t_s) {
            return Err(format!("line {}: t_s must grow", index + 1));
        }
        if rows.len() >= ROWS_MAX {
            return Err(format!("more than {ROWS_MAX} rows"));
        }
        rows.push((*t_s, [*l1, *l2, *l3]));
    }
    if rows.is_empty() {
        return Err("no rows".to_owned());
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_each_row_until_the_next() {
        let rows = rows("t_s,l1_a,l2_a,l3_a\n0,1,2,3\n2,4,5,6\n").unwrap();
        let spec = BackgroundSpec::Csv {
            file: String::new(),
            rows,
        };
        let trace = spec.trace(Wiring::Star, 4, PerPhase::all(25.0), 1);
        let l1: Vec<f64> = trace.iter().map(|c| c.line_amps().get(Phase::L1)).collect();
        for (amps, expected) in l1.iter().zip([1.0, 1.0, 4.0, 4.0]) {
            assert!((amps - expected).abs() < 1e-9, "{l1:?}");
        }
    }

    #[test]
    fn what_is_no_row_is_named() {
        assert_eq!(
            rows("0,1,2,3\n1,x,2,3").unwrap_err(),
            "line 2: must be four numbers, t_s,l1_a,l2_a,l3_a"
        );
        assert_eq!(
            rows("5,1,2,3\n1,1,2,3").unwrap_err(),
            "line 2: t_s must grow"
        );
        assert_eq!(rows("t_s,l1_a,l2_a,l3_a").unwrap_err(), "no rows");
    }
}
