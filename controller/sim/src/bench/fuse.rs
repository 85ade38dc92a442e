//! The overcurrent devices of the plant: the fastest that its class allows, and a typical one.
//!
//! The fastest is the first-order model θ' = ((I/Iₙ)² − θ)/τ that opens at θ*: gG through the 10 s gate of
//! IEC 60269-1 with θ* = 1.25², breakers by IEC 60898-1 with θ* = 1.13² and τ = 4.57 s, or 26 s by the
//! data-sheet band, Linky 1.3² and 125 s. Above its 10 s gate, or in the magnetic range of a breaker, it
//! opens at once. The typical one has τ = 400 s and opens at 1.45 times the rating. It is written for the
//! benchmark alone: what measures the decision core shares no code with it.

use headroom_core::config::{Characteristic, Curve};

/// gG: rating, least current that melts within 10 s (IEC 60269-1, table 3; 35 A interpolated), and
/// τ = 10/ln(x²/(x² − 1.5625)) with x their ratio.
const GG: [(f64, f64, f64); 11] = [
    (16.0, 33.0, 21.845),
    (20.0, 42.0, 22.861),
    (25.0, 52.0, 22.317),
    (32.0, 75.0, 29.878),
    (35.0, 79.2, 27.469),
    (40.0, 95.0, 30.830),
    (50.0, 125.0, 34.761),
    (63.0, 160.0, 36.049),
    (80.0, 215.0, 41.022),
    (100.0, 290.0, 48.653),
    (125.0, 355.0, 46.441),
];
/// State of the device that replaces one that has opened.
const REPLACED: f64 = 0.5;

/// One pole of an overcurrent device.
#[derive(Clone, Debug)]
pub struct PlantFuse {
    rating_a: f64,
    threshold: f64,
    /// e^(−Δt/τ) of the plant's step.
    decay: f64,
    /// It opens at once above this.
    at_once_a: f64,
    theta: f64,
    highest: f64,
    trips: u32,
}

impl PlantFuse {
    /// The fastest device that the class allows; `None` where the class promises nothing.
    pub fn fastest(
        characteristic: Characteristic,
        curve: Curve,
        rating_a: f64,
        step_s: f64,
    ) -> Option<Self> {
        let magnetic = |times: f64| {
            let tau_s = match curve {
                Curve::Standard => 4.57,
                Curve::Band => 26.0,
            };
            (tau_s, 1.13 * 1.13, times * rating_a)
        };
        let (tau_s, threshold, at_once_a) = match characteristic {
            Characteristic::Gg => {
                let (tau_s, gate_a) = gg(rating_a);
                (tau_s, 1.25 * 1.25, gate_a)
            }
            Characteristic::B => magnetic(3.0),
            Characteristic::C => magnetic(5.0),
            Characteristic::D => magnetic(10.0),
            Characteristic::Linky => (125.0, 1.3 * 1.3, f64::INFINITY),
            Characteristic::None => return None,
        };
        Some(Self::new(rating_a, threshold, tau_s, at_once_a, step_s))
    }

    /// The same where it is hot: half a percent less for each kelvin above 30 °C.
    #[must_use]
    pub fn in_the_heat(mut self, ambient_c: Option<u8>) -> Self {
        let less = 1.0 - 0.005 * (f64::from(ambient_c.unwrap_or(0)) - 30.0).max(0.0);
        self.rating_a *= less;
        self.at_once_a *= less;
        self
    }

    /// A device as most are.
    pub fn typical(rating_a: f64, step_s: f64) -> Self {
        Self::new(rating_a, 1.45 * 1.45, 400.0, f64::INFINITY, step_s)
    }

    fn new(rating_a: f64, threshold: f64, tau_s: f64, at_once_a: f64, step_s: f64) -> Self {
        // (e^(−x/1024))^1024 with four terms of the series, so that every machine has the same bits.
        let x = step_s / tau_s / 1024.0;
        let mut decay = 1.0 - x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0)));
        for _ in 0..10 {
            decay *= decay;
        }
        Self {
            rating_a,
            threshold,
            decay,
            at_once_a,
            theta: 0.0,
            highest: 0.0,
            trips: 0,
        }
    }

    /// Lets a current flow for one step. Returns whether the device opened; then it is replaced at once.
    pub fn step(&mut self, amps: f64) -> bool {
        let ratio = amps / self.rating_a;
        let target = ratio * ratio;
        self.theta = target + (self.theta - target) * self.decay;
        self.highest = self.highest.max(self.theta);
        let opens = self.theta >= self.threshold || amps > self.at_once_a;
        if opens {
            self.trips += 1;
            self.theta = REPLACED;
        }
        opens
    }

    /// Rated current, in amperes.
    pub fn rating_a(&self) -> f64 {
        self.rating_a
    }

    /// How often it opened.
    pub fn trips(&self) -> u32 {
        self.trips
    }

    /// Highest state as a share of the one at which it opens.
    pub fn highest_share(&self) -> f64 {
        self.highest / self.threshold
    }
}

/// τ in seconds and the 10 s gate in amperes; between two rows the faster of them, on its own scale.
fn gg(rating_a: f64) -> (f64, f64) {
    let scaled = |(row_a, gate_a, tau_s): (f64, f64, f64)| (tau_s, gate_a * rating_a / row_a);
    let above = GG.iter().position(|(row_a, ..)| *row_a >= rating_a);
    let upper = above.and_then(|index| GG.get(index)).or(GG.last());
    let lower = match above {
        Some(index) => index.checked_sub(1).and_then(|index| GG.get(index)),
        None => None,
    };
    let Some(upper) = upper.copied().map(scaled) else {
        return (21.845, 2.0 * rating_a);
    };
    match lower.copied().map(scaled) {
        Some(lower) if GG.iter().all(|(row_a, ..)| (row_a - rating_a).abs() > 0.01) => {
            (upper.0.min(lower.0), upper.1.min(lower.1))
        }
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_to_open(fuse: &mut PlantFuse, amps: f64) -> u32 {
        (1..1_000_000)
            .find(|_| fuse.step(amps))
            .map_or(u32::MAX, |tenths| tenths / 10)
    }

    /// The table of cold times at 1.6 times the rating.
    #[test]
    fn gg_opens_as_its_table_says() {
        for (rating_a, expected_s) in [(16.0, 20), (25.0, 21), (40.0, 29), (63.0, 34), (100.0, 45)]
        {
            let mut fuse =
                PlantFuse::fastest(Characteristic::Gg, Curve::Standard, rating_a, 0.1).unwrap();
            let seconds = seconds_to_open(&mut fuse, 1.6 * rating_a);
            assert!(seconds.abs_diff(expected_s) <= 1, "{rating_a}: {seconds}");
        }
    }

    #[test]
    fn breakers_and_the_limiter_open_as_their_tables_say_from_the_rated_current() {
        for (characteristic, curve, times, expected_s) in [
            (Characteristic::B, Curve::Standard, 1.3, 2.3),
            (Characteristic::C, Curve::Band, 1.3, 13.0),
            (Characteristic::Linky, Curve::Standard, 1.5, 100.0),
        ] {
            let mut fuse = PlantFuse::fastest(characteristic, curve, 40.0, 0.1).unwrap();
            for _ in 0..100_000 {
                assert!(!fuse.step(40.0));
            }
            let seconds = f64::from(seconds_to_open(&mut fuse, times * 40.0));
            assert!(
                (seconds - expected_s).abs() <= 1.0,
                "{seconds} {expected_s}"
            );
        }
    }

    #[test]
    fn what_is_far_above_opens_at_once_and_is_counted() {
        let mut fuse = PlantFuse::fastest(Characteristic::B, Curve::Band, 40.0, 1.0).unwrap();
        assert!(!fuse.step(40.0));
        assert!(fuse.step(121.0));
        assert_eq!(fuse.trips(), 1);
    }

    #[test]
    fn a_typical_fuse_takes_minutes() {
        let mut fuse = PlantFuse::typical(25.0, 1.0);
        let tripped = (0..7200).any(|_| fuse.step(25.0 * 1.4));
        assert!(!tripped);
        assert!((0..600).any(|_| fuse.step(25.0 * 2.0)));
    }
}
