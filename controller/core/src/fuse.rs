//! The thermal state of an overcurrent device: a conservative first-order model.
//!
//! θ' = ((I/Iₙ)² − θ)/τ, with θ = 1 at rated current for ever. The fastest device that the class allows
//! may open at θ*; what is reported is θ/θ*. Constants: gG through the 10 s gate of IEC 60269-1 with
//! θ* = 1.25²; breakers B, C, D by IEC 60898-1 alone θ* = 1.13², τ = 4.57 s, or by the data-sheet band
//! τ = 26 s; Linky θ* = 1.3², τ = 125 s.
//!
//! The same model, solved for the current, is the reserve for surprises: the highest level from which a
//! step of the background that lasts for the reaction time keeps the state below a share of θ*.
//!
//! Only + − × ÷ and square roots are used, in one order, so that every machine gets the same bits.
#![allow(clippy::float_arithmetic)]

use serde::{Deserialize, Serialize};

use crate::config::{Characteristic, Curve};
use crate::units::Milliamps;

/// τ of gG fuse-links in seconds by rating in amperes: 10/ln(x²/(x² − 1.5625)) with x the least current
/// that melts in 10 s over the rating (IEC 60269-1, Table 3), rounded down to be on the fast side.
const GG_TAU_S: [(i64, f64); 11] = [
    (16, 21.8),
    (20, 22.8),
    (25, 22.2),
    (32, 29.8),
    (40, 30.8),
    (50, 34.8),
    (63, 36.0),
    (80, 40.9),
    (100, 48.6),
    (125, 46.3),
    (160, 46.3),
];

/// Above this multiple of the rating a gG fuse-link may open within 10 s, whatever its state (IEC 60269-1,
/// Table 3: 2.06 at 16 A is the lowest); breakers may open at once from 3 on (IEC 60898-1, type B).
const CEILING: f64 = 2.06;

/// Powers of two of milliseconds for which the decay is tabulated: 2^26 ms is 18 hours.
const DECAYS: usize = 27;

/// Up to this temperature, in °C, devices carry their rating: breakers are calibrated at it (IEC 60898-1), fuse-links
/// at a little less (IEC 60269-1: 10 to 30 °C)…
const REFERENCE_C: u8 = 30;
/// …and above it they carry less by this share of the rating for each kelvin (makers' data sheets).
const LESS_PER_KELVIN: f64 = 0.005;

/// What kind of device it is, and where it sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Fuse-link or breaker.
    pub characteristic: Characteristic,
    /// How much of a breaker's curve is relied upon.
    pub curve: Curve,
    /// The highest temperature around it, in °C.
    pub ambient_c: Option<u8>,
}

impl Class {
    /// What is left of the rating in the heat.
    fn derating(self) -> f64 {
        let above = self.ambient_c.unwrap_or(0).saturating_sub(REFERENCE_C);
        1.0 - LESS_PER_KELVIN * f64::from(above)
    }
}

/// What is left of a deviation after one time constant: 1/e.
const ONE_TIME_CONSTANT: f64 = 0.367_879_441;

/// One pole of an overcurrent device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Fuse {
    /// What it carries for ever where it sits.
    rating: f64,
    threshold: f64,
    /// e^(−2^k ms/τ) for each k.
    decay: [f64; DECAYS],
    time_constant_ms: u64,
    theta: f64,
}

/// A fuse in a checkpoint: rating, threshold, decay of a millisecond and state, as the bits of their numbers, since text
/// might round them.
type Kept = [u64; 4];

impl From<Fuse> for Kept {
    fn from(fuse: Fuse) -> Self {
        let [decay, ..] = fuse.decay;
        [fuse.rating, fuse.threshold, decay, fuse.theta].map(f64::to_bits)
    }
}

impl From<Kept> for Fuse {
    fn from(kept: Kept) -> Self {
        let [rating, threshold, decay, theta] = kept.map(f64::from_bits);
        let decay = decays(decay);
        Self {
            rating,
            threshold,
            decay,
            time_constant_ms: time_constant_ms(&decay),
            theta,
        }
    }
}

/// The decay of 2^k milliseconds for each k, from that of one.
fn decays(mut factor: f64) -> [f64; DECAYS] {
    let mut decay = [0.0; DECAYS];
    for slot in &mut decay {
        *slot = factor;
        factor *= factor;
    }
    decay
}

/// The whole milliseconds in which no more decays than in one time constant.
fn time_constant_ms(decay: &[f64; DECAYS]) -> u64 {
    let mut left = 1.0;
    let mut ms = 0;
    for (power, decay) in decay.iter().enumerate().rev() {
        if left * decay >= ONE_TIME_CONSTANT {
            left *= decay;
            ms += 1 << power;
        }
    }
    ms
}

impl Fuse {
    /// A cold device; `None` where the characteristic has no model.
    pub fn new(class: Class, rating: Milliamps) -> Option<Self> {
        let (tau_s, threshold) = match class.characteristic {
            Characteristic::Gg => (gg_tau_s(rating), 1.25 * 1.25),
            Characteristic::B | Characteristic::C | Characteristic::D => match class.curve {
                Curve::Standard => (4.57, 1.13 * 1.13),
                Curve::Band => (26.0, 1.13 * 1.13),
            },
            Characteristic::Linky => (125.0, 1.3 * 1.3),
            Characteristic::None => return None,
        };
        let x = 0.001 / tau_s;
        // Four terms of the series leave less than 1e-17 for a millisecond against seconds.
        let factor = 1.0 - x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0)));
        let decay = decays(factor);
        Some(Self {
            rating: rating.to_f64() * class.derating(),
            threshold,
            decay,
            time_constant_ms: time_constant_ms(&decay),
            theta: 0.0,
        })
    }

    /// Its time constant, cut to whole milliseconds: what it carried longer ago than this is mostly forgotten.
    pub const fn time_constant_ms(&self) -> u64 {
        self.time_constant_ms
    }

    /// Lets a current flow for a time.
    pub fn advance(&mut self, current: Milliamps, ms: u64) {
        let x = current.to_f64() / self.rating;
        let target = x * x;
        self.theta = target + (self.theta - target) * self.decay_over(ms);
    }

    /// What is left of a deviation of the state after a time, as a share.
    fn decay_over(&self, ms: u64) -> f64 {
        let mut remaining = ms.min((1 << DECAYS) - 1);
        let mut factor = 1.0;
        for decay in &self.decay {
            if remaining % 2 == 1 {
                factor *= decay;
            }
            remaining /= 2;
        }
        factor
    }

    /// The highest current from which a step of `step` for `reaction_ms` keeps the state below `share` of
    /// the threshold: from the steady state of that current, and from the present state if that is warmer.
    /// Never below zero; it may lie above the rating.
    pub fn level(&self, step: Milliamps, reaction_ms: u64, share: f64) -> Milliamps {
        let rated = self.rating * self.rating;
        let allowed = share * self.threshold * rated;
        let step = step.to_f64();
        let left = self.decay_over(reaction_ms);
        let taken = 1.0 - left;
        // From the steady state: ((s + taken·step)² + left·taken·step²) = allowed.
        let steady = root(allowed - left * taken * step * step) - taken * step;
        // From the present state: left·θ + taken·(s + step)² = allowed.
        let now = self.theta * rated;
        let level = if now > steady * steady && taken > 0.0 {
            steady.min(root((allowed - left * now) / taken) - step)
        } else {
            steady
        };
        let level = level.min(CEILING * self.rating - step).max(0.0);
        Milliamps::from_f64(level).unwrap_or_default()
    }

    /// Whether the state stays below a share of the threshold when `from` has flowed for long, `to` flows for
    /// `first_ms`, and a step more for `reaction_ms`.
    pub fn bears(
        &self,
        (from, to, first_ms): (Milliamps, Milliamps, u64),
        (step, reaction_ms): (Milliamps, u64),
        share: f64,
    ) -> bool {
        let relative = |current: Milliamps| current.to_f64() / self.rating;
        let toward = |theta: f64, current: Milliamps, ms: u64| {
            let target = relative(current) * relative(current);
            target + (theta - target) * self.decay_over(ms)
        };
        let steady = relative(from) * relative(from);
        let before = if steady > self.theta {
            steady
        } else {
            self.theta
        };
        let after = toward(toward(before, to, first_ms), to + step, reaction_ms);
        after <= share * self.threshold && relative(to + step) < CEILING
    }

    /// Whether the state is below the threshold, and stays there, when a current flows for a time from now on.
    pub fn bears_for(&self, current: Milliamps, ms: u64) -> bool {
        let mut later = self.clone();
        later.advance(current, ms);
        let at_once = current.to_f64() / self.rating >= CEILING;
        self.theta < self.threshold && later.theta < self.threshold && !at_once
    }

    /// The state as a share of the value at which the fastest legal device may open, in steps of 0.001.
    pub fn share(&self) -> f64 {
        let share = self.theta / self.threshold;
        (share * 1000.0).round() / 1000.0
    }

    /// It may have carried this for long before anybody looked.
    pub fn presume(&mut self, current: Milliamps) {
        let x = current.to_f64() / self.rating;
        if x * x > self.theta {
            self.theta = x * x;
        }
    }

    /// Takes over the state of the device before, after a change of its settings.
    pub fn warm_as(&mut self, before: &Self) {
        self.theta = before.theta;
    }
}

fn root(value: f64) -> f64 {
    if value > 0.0 { value.sqrt() } else { 0.0 }
}

fn gg_tau_s(rating: Milliamps) -> f64 {
    // Between two rows the faster one counts; below the table too.
    let rating = rating.0 / 1000;
    let mut tau = 21.8;
    for (index, (row, own)) in GG_TAU_S.iter().enumerate() {
        if rating == *row {
            return *own;
        }
        if rating > *row {
            let next = GG_TAU_S.get(index + 1).map_or(*own, |(_, next)| *next);
            tau = if next < *own { next } else { *own };
        }
    }
    tau
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(characteristic: Characteristic, curve: Curve) -> Class {
        Class {
            characteristic,
            curve,
            ambient_c: None,
        }
    }

    fn seconds_to_open(fuse: &mut Fuse, current: Milliamps) -> u64 {
        (1..100_000)
            .find(|_| {
                fuse.advance(current, 100);
                fuse.share() >= 1.0
            })
            .map_or(u64::MAX, |tenths| tenths / 10)
    }

    #[test]
    fn the_time_constant_is_that_of_the_model() {
        for (characteristic, curve, expected) in [
            (Characteristic::B, Curve::Standard, 4_570),
            (Characteristic::B, Curve::Band, 26_000),
            (Characteristic::Linky, Curve::Standard, 125_000),
        ] {
            let class = class(characteristic, curve);
            let fuse = Fuse::new(class, Milliamps::from_amps(25)).unwrap();
            let ms = fuse.time_constant_ms();
            assert!(ms.abs_diff(expected) <= 1, "{expected}: {ms}");
        }
    }

    #[test]
    fn gg_opens_as_the_reference_computed() {
        // From cold at 1.6 times the rating: 21.0 s for 25 A, 34.0 s for 63 A.
        for (amps, expected) in [(25, 21), (63, 34), (16, 20)] {
            let rating = Milliamps::from_amps(amps);
            let mut fuse = Fuse::new(class(Characteristic::Gg, Curve::Standard), rating).unwrap();
            let seconds = seconds_to_open(&mut fuse, Milliamps(rating.0 * 16 / 10));
            assert!(seconds.abs_diff(expected) <= 1, "{amps} A: {seconds} s");
        }
    }

    #[test]
    fn a_warm_breaker_has_almost_no_patience() {
        let rating = Milliamps::from_amps(20);
        let mut fuse = Fuse::new(class(Characteristic::B, Curve::Standard), rating).unwrap();
        fuse.advance(rating, 3_600_000);
        assert!((fuse.share() - 0.783).abs() < 0.001);
        assert!(seconds_to_open(&mut fuse, Milliamps::from_amps(29)) <= 2);
    }

    #[test]
    fn the_rated_current_never_opens_it() {
        for characteristic in [Characteristic::Gg, Characteristic::C, Characteristic::Linky] {
            let rating = Milliamps::from_amps(32);
            let mut fuse = Fuse::new(class(characteristic, Curve::Standard), rating).unwrap();
            fuse.advance(rating, 100_000_000);
            assert!(fuse.share() < 1.0);
        }
    }

    #[test]
    fn in_the_heat_it_carries_less() {
        let rating = Milliamps::from_amps(20);
        let at = |ambient_c| {
            let class = class(Characteristic::B, Curve::Band);
            Fuse::new(Class { ambient_c, ..class }, rating).unwrap()
        };
        let step = Milliamps::from_amps(5);
        let level = |ambient_c| at(ambient_c).level(step, 8_000, 0.92);
        assert_eq!(level(None), level(Some(30)));
        // 50 °C: a tenth less.
        let mut hot = at(Some(50));
        hot.advance(Milliamps::from_amps(18), 3_600_000);
        assert!((hot.share() - 0.783).abs() < 0.001, "as 20 A at 30 °C");
        assert!(level(Some(50)) < level(Some(40)) && level(Some(40)) < level(None));
    }

    #[test]
    fn what_flowed_before_is_presumed_and_never_cools_it() {
        let rating = Milliamps::from_amps(25);
        let class = class(Characteristic::Gg, Curve::Standard);
        let mut fuse = Fuse::new(class, rating).unwrap();
        fuse.presume(rating);
        assert!((fuse.share() - 0.64).abs() < 0.001);
        fuse.advance(Milliamps::from_amps(30), 60_000);
        let warm = fuse.share();
        fuse.presume(rating);
        assert!((fuse.share() - warm).abs() < f64::EPSILON);
    }

    #[test]
    fn one_long_step_equals_many_short_ones() {
        let new = || {
            Fuse::new(
                class(Characteristic::Gg, Curve::Standard),
                Milliamps::from_amps(25),
            )
            .unwrap()
        };
        let (mut long, mut short) = (new(), new());
        long.advance(Milliamps::from_amps(30), 10_000);
        for _ in 0..10_000 {
            short.advance(Milliamps::from_amps(30), 1);
        }
        assert!((long.share() - short.share()).abs() < 1e-6);
    }

    #[test]
    fn the_reserve_is_the_one_that_the_formula_gives() {
        // Step 10 A: what lies between the rating and the level, at 92 % of the threshold.
        for (amps, reaction_s, reserve) in [
            (25, 8, 0.0),
            (25, 18, 1.0),
            (25, 27, 2.4),
            (16, 8, 0.5),
            (16, 18, 3.1),
            (16, 27, 4.5),
            (32, 27, 0.0),
        ] {
            let rating = Milliamps::from_amps(amps);
            let fuse = Fuse::new(class(Characteristic::Gg, Curve::Standard), rating).unwrap();
            let level = fuse.level(Milliamps::from_amps(10), reaction_s * 1000, 0.92);
            let left = (rating - level.min(rating)).to_f64();
            assert!(
                (left - reserve).abs() < 0.15,
                "{amps} A, {reaction_s} s: {left}"
            );
        }
    }

    #[test]
    fn what_it_bears_is_what_it_would_come_to() {
        let amps = Milliamps::from_amps;
        let mut fuse = Fuse::new(class(Characteristic::Gg, Curve::Standard), amps(25)).unwrap();
        for (from, to, first_ms, step, reaction_ms) in [
            (20, 24, 12_000, 5, 8_000),
            (25, 28, 12_000, 10, 8_000),
            (25, 30, 30_000, 10, 18_000),
        ] {
            let mut flows = fuse.clone();
            flows.advance(amps(from), 3_600_000);
            flows.advance(amps(to), first_ms);
            flows.advance(amps(to + step), reaction_ms);
            let comes_to = flows.theta / flows.threshold;
            let bears = |share| {
                let first = (amps(from), amps(to), first_ms);
                fuse.bears(first, (amps(step), reaction_ms), share)
            };
            assert!(bears(comes_to + 0.001), "{from} A, {to} A: {comes_to}");
            assert!(!bears(comes_to - 0.001), "{from} A, {to} A: {comes_to}");
        }
        // A fuse that is warmer than that bears less, and none bears its 10 s gate.
        let calm = |fuse: &Fuse| fuse.bears((amps(10), amps(10), 1_000), (amps(0), 0), 0.9);
        assert!(calm(&fuse));
        fuse.advance(amps(40), 20_000);
        assert!(!calm(&fuse));
        assert!(!fuse.bears((amps(10), amps(52), 1), (amps(0), 0), 9.0));
    }

    #[test]
    fn a_step_from_the_level_stays_below_the_threshold() {
        for characteristic in [Characteristic::Gg, Characteristic::B, Characteristic::Linky] {
            for amps in [16, 20, 25, 35, 63] {
                for (step, reaction_ms) in [(5, 8_000), (10, 18_000), (16, 28_000)] {
                    for warm_ms in [0, 5_000, 600_000] {
                        let rating = Milliamps::from_amps(amps);
                        let step = Milliamps::from_amps(step);
                        let mut fuse =
                            Fuse::new(class(characteristic, Curve::Band), rating).unwrap();
                        fuse.advance(rating + Milliamps::from_amps(1), warm_ms);
                        if fuse.share() >= 0.92 {
                            continue;
                        }
                        let level = fuse.level(step, reaction_ms, 0.92);
                        if level > Milliamps::ZERO {
                            fuse.advance(level + step, reaction_ms);
                            assert!(
                                fuse.share() <= 0.921,
                                "{characteristic:?} {amps} A: {level}"
                            );
                        }
                    }
                }
            }
        }
    }
}
