//! Voltages of the lines: they wander with the neighbourhood, sag with the house's own current, and
//! carry the small noise by which a live meter is told from a frozen one.

use headroom_core::units::{Millivolts, PerPhase, Phase};

use crate::current::Currents;
use crate::random::Random;

/// Standard deviation of the noise of one reading, in volts.
const NOISE_V: f64 = 0.1;
/// Loop resistance from transformer to house, in ohms: 25 A lower the voltage by 3 V.
const RESISTANCE_OHM: f64 = 0.12;
/// How far the voltage without own load may wander from nominal, in volts (EN 50160 allows 23).
const WANDER_V: f64 = 5.0;

/// The supply of the house.
#[derive(Clone, Debug)]
pub(crate) struct Supply {
    nominal_v: f64,
    wander_v: [f64; 3],
    random: Random,
}

impl Supply {
    pub(crate) fn new(nominal_v: f64, seed: u64) -> Self {
        Self {
            nominal_v,
            wander_v: [0.0; 3],
            random: Random::new(seed, "supply"),
        }
    }

    /// The voltages during one tick with these currents.
    pub(crate) fn step(&mut self, currents: &Currents) -> PerPhase<f64> {
        let mut volts = PerPhase::all(self.nominal_v);
        for (phase, wander) in Phase::ALL.into_iter().zip(&mut self.wander_v) {
            *wander = (*wander * 0.9999 + self.random.noise(0.02)).clamp(-WANDER_V, WANDER_V);
            let sag = currents.branches.get(phase).active_a * RESISTANCE_OHM;
            *volts.get_mut(phase) += *wander - sag + self.random.noise(NOISE_V);
        }
        volts
    }
}

/// To whole steps of a meter, in volts.
pub(crate) fn in_steps(volts: f64, step: Millivolts) -> Millivolts {
    let step = step.0.max(1);
    let exact = Millivolts::from_f64(volts).unwrap_or_default().0;
    Millivolts((exact + step / 2).div_euclid(step) * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::current::Current;

    #[test]
    fn the_voltage_is_never_the_same_for_long_and_sags_under_load() {
        let mut supply = Supply::new(230.0, 1);
        let mut loaded = Currents::default();
        loaded.add(Phase::L1, Current::new(25.0, 1.0));
        let readings: Vec<Millivolts> = (0..100)
            .map(|_| in_steps(supply.step(&loaded).get(Phase::L2), Millivolts(100)))
            .collect();
        assert!(
            readings
                .windows(10)
                .all(|ten| ten.iter().any(|v| *v != ten[0]))
        );
        let volts = supply.step(&loaded);
        assert!(volts.get(Phase::L1) < volts.get(Phase::L2) - 1.0);
    }

    #[test]
    fn steps_round_to_the_nearest() {
        assert_eq!(in_steps(230.449, Millivolts(100)), Millivolts(230_400));
        assert_eq!(in_steps(230.45, Millivolts(100)), Millivolts(230_500));
        assert_eq!(in_steps(230.45, Millivolts(1000)), Millivolts(230_000));
    }
}
