//! Currents of the three lines with their phase angle: loads with different power factors do not add
//! up as numbers.

use headroom_core::units::{Milliamps, PerPhase, Phase};

/// Current of one line in its active and reactive part, in amperes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Current {
    /// In phase with the voltage; import is positive.
    pub active_a: f64,
    /// Behind it by a quarter; inductive is positive.
    pub reactive_a: f64,
}

impl Current {
    /// A current of this magnitude at a power factor from 0 to 1 (inductive).
    pub fn new(amps: f64, power_factor: f64) -> Self {
        let power_factor = power_factor.clamp(0.0, 1.0);
        Self {
            active_a: amps * power_factor,
            reactive_a: amps * (1.0 - power_factor * power_factor).sqrt(),
        }
    }

    /// What an ammeter shows, in amperes.
    pub fn magnitude(self) -> f64 {
        (self.active_a * self.active_a + self.reactive_a * self.reactive_a).sqrt()
    }
}

/// Currents of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Currents(pub PerPhase<Current>);

impl Currents {
    /// Adds a load's current on one line.
    pub fn add(&mut self, phase: Phase, current: Current) {
        let line = self.0.get_mut(phase);
        line.active_a += current.active_a;
        line.reactive_a += current.reactive_a;
    }

    /// Adds others line by line.
    pub fn add_all(&mut self, others: &Self) {
        for phase in Phase::ALL {
            self.add(phase, others.0.get(phase));
        }
    }

    /// What ammeters on the lines show.
    pub fn magnitudes(&self) -> PerPhase<Milliamps> {
        self.0.map(|current| milliamps(current.magnitude()))
    }
}

/// To whole milliamperes; what is no current counts as none.
pub fn milliamps(amps: f64) -> Milliamps {
    Milliamps::from_f64(amps).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_motor_and_a_kettle_add_as_vectors() {
        let mut currents = Currents::default();
        currents.add(Phase::L1, Current::new(4.0, 1.0));
        currents.add(Phase::L1, Current::new(5.0, 0.6));
        let PerPhase([l1, l2, _]) = currents.magnitudes();
        // 4 + 3 in phase, 4 behind.
        assert_eq!(l1, Milliamps(8_062));
        assert_eq!(l2, Milliamps::ZERO);
    }
}
