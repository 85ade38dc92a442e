//! Currents as phasors: what loads of any power factor add up to in the lines, with a neutral and without.

use headroom_core::config::Grid;
use headroom_core::units::Phase;

/// A current or voltage with its angle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Phasor(f64, f64);

impl Phasor {
    fn at(degrees: f64, size: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self(size * cos, size * sin)
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }

    fn minus(self, other: Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1)
    }

    pub(crate) fn size(self) -> f64 {
        self.0.hypot(self.1)
    }

    fn degrees(self) -> f64 {
        self.1.atan2(self.0).to_degrees()
    }
}

/// Voltage of a line against the middle of the net, of size one.
fn star(line: Phase) -> Phasor {
    Phasor::at(-120.0 * f64::from(u8::try_from(line.index()).unwrap()), 1.0)
}

/// The three lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines(pub(crate) [Phasor; 3]);

impl Lines {
    /// Adds a load that draws this from each of its wires and lags by so many degrees. On two wires of a net without
    /// neutral it hangs between them.
    pub(crate) fn add(&mut self, grid: Grid, wires: &[Phase], amps: f64, lags: f64) {
        if let (Grid::It3ph, [from, to]) = (grid, wires) {
            let between = star(*from).minus(star(*to)).degrees();
            let current = Phasor::at(between - lags, amps);
            self.0[from.index()] = self.0[from.index()].plus(current);
            self.0[to.index()] = self.0[to.index()].minus(current);
        } else {
            for wire in wires {
                let current = Phasor::at(star(*wire).degrees() - lags, amps);
                self.0[wire.index()] = self.0[wire.index()].plus(current);
            }
        }
    }

    /// Magnitudes, in amperes.
    pub(crate) fn amps(&self) -> [f64; 3] {
        self.0.map(Phasor::size)
    }
}

#[test]
fn two_cars_that_share_a_line_without_neutral_add_up_to_the_root_of_three() {
    let mut lines = Lines::default();
    lines.add(Grid::It3ph, &[Phase::L1, Phase::L2], 16.0, 0.0);
    lines.add(Grid::It3ph, &[Phase::L3, Phase::L2], 16.0, 0.0);
    let [l1, l2, l3] = lines.amps();
    assert!((l2 - 27.713).abs() < 0.001 && (l1 - 16.0).abs() < 0.001 && (l3 - 16.0).abs() < 0.001);
}
