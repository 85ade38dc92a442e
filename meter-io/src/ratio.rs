//! External current transformers: what the meter measures, times their ratio, is what flows.

use headroom_core::units::{Milliamps, Vars, Watts};

/// Ratio of current transformers; 1 where there are none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio(pub(crate) f64);

impl Ratio {
    pub(crate) fn milliamps(self, milliamps: i64) -> Milliamps {
        let direct = Milliamps(milliamps);
        if self.is_one() {
            direct
        } else {
            Milliamps::from_f64(direct.to_f64() * self.0).unwrap_or(direct)
        }
    }

    pub(crate) fn watts(self, milliwatts: i64) -> Watts {
        let direct = Watts(rounded(milliwatts));
        if self.is_one() {
            direct
        } else {
            Watts::from_f64(direct.to_f64() * self.0).unwrap_or(direct)
        }
    }

    pub(crate) fn vars(self, millivars: i64) -> Vars {
        let direct = Vars(rounded(millivars));
        if self.is_one() {
            direct
        } else {
            Vars::from_f64(direct.to_f64() * self.0).unwrap_or(direct)
        }
    }

    fn is_one(self) -> bool {
        (self.0 - 1.0).abs() < f64::EPSILON
    }
}

fn rounded(milli: i64) -> i64 {
    milli.saturating_add(500).div_euclid(1000)
}
