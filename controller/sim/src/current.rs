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

/// How loads hang on the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wiring {
    /// Between a line and the neutral (TN): a branch is a line.
    #[default]
    Star,
    /// Between two lines (IT without neutral): the branches are 1-2, 2-3 and 3-1.
    Delta,
}

/// Powers of loads are given at this voltage.
const NOMINAL_V: f64 = 230.0;
/// Sine of 120°.
const SIN_120: f64 = 0.866_025_403_784_438_6;

/// Currents of the branches, each in the angle of its own voltage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Currents {
    /// The branches: L1, L2, L3 to neutral, or 1-2, 2-3, 3-1.
    pub branches: PerPhase<Current>,
    /// What the branches are.
    pub wiring: Wiring,
}

impl Currents {
    /// Nothing flows.
    pub fn none(wiring: Wiring) -> Self {
        Self {
            branches: PerPhase::default(),
            wiring,
        }
    }

    /// Adds a current to one branch.
    pub fn add(&mut self, branch: Phase, current: Current) {
        let own = self.branches.get_mut(branch);
        own.active_a += current.active_a;
        own.reactive_a += current.reactive_a;
    }

    /// Connects a load that draws this from each of its lines. Without neutral two lines are one branch,
    /// three lines a balanced load of three branches, and a single line means the branch that begins
    /// there.
    pub fn connect(&mut self, lines: &[Phase], current: Current) {
        match (self.wiring, lines) {
            (Wiring::Delta, [one, other]) => self.add(branch_between(*one, *other), current),
            (Wiring::Delta, [_, _, _]) => {
                let share = Current {
                    active_a: current.active_a * SIN_120 / 1.5,
                    reactive_a: current.reactive_a * SIN_120 / 1.5,
                };
                for branch in Phase::ALL {
                    self.add(branch, share);
                }
            }
            _ => {
                for line in lines {
                    self.add(*line, current);
                }
            }
        }
    }

    /// Connects a load of this power, in watts at 230 V of each branch, in equal parts.
    pub fn connect_power(&mut self, lines: &[Phase], power_w: f64, power_factor: f64) {
        let factor = power_factor.clamp(0.1, 1.0);
        let apparent_a = power_w / NOMINAL_V / factor;
        if let (Wiring::Delta, [one, other]) = (self.wiring, lines) {
            let branch = branch_between(*one, *other);
            self.add(branch, Current::new(apparent_a, factor));
            return;
        }
        let parts = u8::try_from(lines.len()).unwrap_or(u8::MAX).max(1);
        for branch in lines {
            self.add(*branch, Current::new(apparent_a / f64::from(parts), factor));
        }
    }

    /// Adds others branch by branch.
    pub fn add_all(&mut self, others: &Self) {
        for phase in Phase::ALL {
            self.add(phase, others.branches.get(phase));
        }
    }

    /// What ammeters on the lines show, in amperes.
    pub fn line_amps(&self) -> PerPhase<f64> {
        match self.wiring {
            Wiring::Star => self.branches.map(Current::magnitude),
            Wiring::Delta => self.delta_lines(),
        }
    }

    /// I1 = i12 − i31, I2 = i23 − i12, I3 = i31 − i23, as phasors with U12 at 0°, U23 at −120°, U31 at 120°.
    fn delta_lines(&self) -> PerPhase<f64> {
        let PerPhase([i12, i23, i31]) = self.branches;
        // A lagging current a − jr, turned by the angle of its voltage.
        let turned = |current: Current, sin: f64| {
            let (re, im) = (current.active_a, -current.reactive_a);
            (-0.5 * re - sin * im, sin * re - 0.5 * im)
        };
        let a = (i12.active_a, -i12.reactive_a);
        let b = turned(i23, -SIN_120);
        let c = turned(i31, SIN_120);
        let apart = |one: (f64, f64), other: (f64, f64)| {
            let (re, im) = (one.0 - other.0, one.1 - other.1);
            (re * re + im * im).sqrt()
        };
        PerPhase([apart(a, c), apart(b, a), apart(c, b)])
    }

    /// What ammeters on the lines show.
    pub fn magnitudes(&self) -> PerPhase<Milliamps> {
        self.line_amps().map(milliamps)
    }
}

/// The branch between two lines; of a line with itself, the branch that begins there.
fn branch_between(one: Phase, other: Phase) -> Phase {
    match (one, other) {
        (Phase::L1, Phase::L2) | (Phase::L2, Phase::L1) => Phase::L1,
        (Phase::L2, Phase::L3) | (Phase::L3, Phase::L2) => Phase::L2,
        (Phase::L1, Phase::L3) | (Phase::L3, Phase::L1) => Phase::L3,
        (line, _) => line,
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

    #[test]
    fn two_wire_loads_that_share_a_line_add_as_phasors() {
        // A resistive 32 A between 1 and 2, 20 A between 3 and 1: sqrt(c² + a² + a·c) on line 1.
        let mut currents = Currents::none(Wiring::Delta);
        currents.connect(&[Phase::L1, Phase::L2], Current::new(32.0, 1.0));
        currents.connect(&[Phase::L3, Phase::L1], Current::new(20.0, 1.0));
        let PerPhase([l1, l2, l3]) = currents.line_amps();
        assert!((l1 - 45.431).abs() < 0.001, "{l1}");
        assert!((l2 - 32.0).abs() < 1e-9 && (l3 - 20.0).abs() < 1e-9);
        // Two of 16 A that share line 2 draw √3 times as much there.
        let mut currents = Currents::none(Wiring::Delta);
        currents.connect(&[Phase::L2, Phase::L1], Current::new(16.0, 1.0));
        currents.connect(&[Phase::L2, Phase::L3], Current::new(16.0, 1.0));
        assert!((currents.line_amps().get(Phase::L2) - 27.713).abs() < 0.001);
    }

    #[test]
    fn a_three_wire_load_draws_the_same_from_each_line() {
        let mut currents = Currents::none(Wiring::Delta);
        currents.connect(&Phase::ALL, Current::new(10.0, 0.9));
        for amps in currents.line_amps().0 {
            assert!((amps - 10.0).abs() < 1e-9, "{amps}");
        }
    }
}
