//! The current of L2 that three-wire meters do not send, rebuilt from what they do.
//!
//! A net without neutral (IT, or TT in delta): I1 + I2 + I3 = 0 as phasors (Kirchhoff), so |I1 − I3| ≤ I2 ≤ I1 + I3.
//! The meter has two measuring systems (Aron) with L2 as their reference: U12 with I1 and U32 with I3, and
//! S = U12·I1* + U32·I3*. From |S|² = P² + Q² follows the angle between the two products, and with the angle between
//! the voltages the one between the currents. Of its two signs the one that any mix of resistive loads has is
//! taken. Validated on meters that send I2: mean error −0.4 A before the margin.
//!
//! Input: currents, line voltages, P and Q of one reading. Output: I2 with its margin, rounded up; `None` where the
//! closed form does not hold: then I1 + I3 is all that is known. Only + − × ÷ and square roots are used.
#![allow(clippy::float_arithmetic)]

use crate::units::{Milliamps, Millivolts, Vars, Watts};

/// Added to what is rebuilt: this, and a share of it.
const MARGIN_A: f64 = 0.5;
const MARGIN_SHARE: f64 = 0.1;
/// The cosine may miss its range by this: the values of a telegram are rounded. More means that they do not belong together.
const COSINE_SLACK: f64 = 0.05;
/// Cosine of the angle between U12 and U32 when all line voltages are equal.
const EQUAL_VOLTAGES: f64 = 0.5;

/// What a three-wire meter says in one reading.
#[derive(Clone, Copy, Debug)]
pub struct ThreeWire {
    /// I1, a magnitude.
    pub l1: Milliamps,
    /// I3, a magnitude.
    pub l3: Milliamps,
    /// U12.
    pub u12: Millivolts,
    /// U32.
    pub u32: Millivolts,
    /// U13, where it is sent.
    pub u13: Option<Millivolts>,
    /// Active power; import is positive.
    pub power: Watts,
    /// Reactive power; import is positive.
    pub reactive: Vars,
}

impl ThreeWire {
    /// I2 with its margin, within Kirchhoff's bounds.
    pub fn l2(&self) -> Option<Milliamps> {
        let (i1, i3) = (self.l1.to_f64(), self.l3.to_f64());
        let (u12, u32) = (self.u12.to_f64(), self.u32.to_f64());
        let (p, q) = (self.power.to_f64(), self.reactive.to_f64());
        let (a, b) = (u12 * i1, u32 * i3);
        // Not validated with export.
        if a <= 0.0 || b <= 0.0 || p < 0.0 {
            return None;
        }
        let cos_products = within((p * p + q * q - a * a - b * b) / (2.0 * a * b))?;
        let cos_voltages = match self.u13.map(Millivolts::to_f64) {
            Some(u13) if u13 > 0.0 => {
                within((u12 * u12 + u32 * u32 - u13 * u13) / (2.0 * u12 * u32))?
            }
            _ => EQUAL_VOLTAGES,
        };
        // The angle between the currents is the sum of both: cos(θ + γ).
        let cos = cos_voltages * cos_products - sine(cos_voltages) * sine(cos_products);
        let square = i1 * i1 + i3 * i3 + 2.0 * i1 * i3 * cos;
        let rebuilt = if square > 0.0 { square.sqrt() } else { 0.0 };
        let (least, most) = ((i1 - i3).abs(), i1 + i3);
        let guarded = rebuilt.clamp(least, most) * (1.0 + MARGIN_SHARE) + MARGIN_A;
        Milliamps::from_f64(guarded.min(most))
    }
}

/// A cosine, if it is one but for rounding.
fn within(cosine: f64) -> Option<f64> {
    (cosine.abs() <= 1.0 + COSINE_SLACK).then(|| cosine.clamp(-1.0, 1.0))
}

fn sine(cosine: f64) -> f64 {
    (1.0 - cosine * cosine).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    struct Phasor(f64, f64);

    impl Phasor {
        fn minus(self, other: Self) -> Self {
            Self(self.0 - other.0, self.1 - other.1)
        }

        fn size(self) -> f64 {
            (self.0 * self.0 + self.1 * self.1).sqrt()
        }

        fn turned(self, degrees: f64) -> Self {
            let (sin, cos) = degrees.to_radians().sin_cos();
            Self(self.0 * cos - self.1 * sin, self.0 * sin + self.1 * cos)
        }

        /// Active and reactive power of a voltage with a current.
        fn power(self, current: Self) -> (f64, f64) {
            (
                self.0 * current.0 + self.1 * current.1,
                self.1 * current.0 - self.0 * current.1,
            )
        }
    }

    /// Loads between the lines: amperes and degrees that each lags. Gives what the meter says, and I2.
    fn meter(loads: [(f64, f64); 3]) -> (ThreeWire, f64) {
        let u12 = Phasor(230.0, 0.0);
        let voltages = [u12, u12.turned(-120.0), u12.turned(120.0)];
        let [i12, i23, i31] = [0, 1, 2].map(|index: usize| {
            let (amps, lags) = loads[index];
            let turned = voltages[index].turned(-lags);
            Phasor(turned.0 / 230.0 * amps, turned.1 / 230.0 * amps)
        });
        let (i1, i2, i3) = (i12.minus(i31), i23.minus(i12), i31.minus(i23));
        let u32 = Phasor(-voltages[1].0, -voltages[1].1);
        let (p1, q1) = u12.power(i1);
        let (p3, q3) = u32.power(i3);
        let milli = |value: f64| Milliamps::from_f64(value).unwrap();
        let said = ThreeWire {
            l1: milli(i1.size()),
            l3: milli(i3.size()),
            u12: Millivolts(230_000),
            u32: Millivolts(230_000),
            u13: Some(Millivolts(230_000)),
            power: Watts::from_f64(p1 + p3).unwrap(),
            reactive: Vars::from_f64(q1 + q3).unwrap(),
        };
        (said, i2.size())
    }

    #[test]
    fn a_car_between_two_lines_is_found_on_the_one_that_is_not_measured() {
        // 32 A between L1 and L2, and little else.
        let (said, truth) = meter([(32.0, 0.0), (1.0, 10.0), (2.0, 10.0)]);
        let rebuilt = said.l2().unwrap().to_f64();
        assert!((31.0..34.0).contains(&truth), "{truth}");
        assert!(
            rebuilt >= truth && rebuilt - truth < 4.5,
            "{rebuilt} {truth}"
        );
    }

    #[test]
    fn what_does_not_belong_together_is_not_believed() {
        let (said, _) = meter([(10.0, 0.0), (10.0, 0.0), (10.0, 0.0)]);
        assert!(said.l2().is_some());
        let later = ThreeWire {
            power: Watts(said.power.0 * 2),
            ..said
        };
        assert_eq!(later.l2(), None);
        let exporting = ThreeWire {
            power: Watts(-said.power.0),
            ..said
        };
        assert_eq!(exporting.l2(), None);
        let nothing = ThreeWire {
            l3: Milliamps::ZERO,
            ..said
        };
        assert_eq!(nothing.l2(), None);
    }

    proptest! {
        /// Resistive loads: never under, and within Kirchhoff's bounds.
        #[test]
        fn resistive_loads_of_any_mix_are_never_under(
            a in 0.1_f64..40.0, b in 0.1_f64..40.0, c in 0.1_f64..40.0,
        ) {
            let (said, truth) = meter([(a, 0.0), (b, 0.0), (c, 0.0)]);
            if let Some(rebuilt) = said.l2() {
                prop_assert!(rebuilt.to_f64() + 0.01 >= truth, "{rebuilt} {truth}");
                prop_assert!(rebuilt <= said.l1 + said.l3);
                prop_assert!(rebuilt.to_f64() - truth <= 0.6 + truth * 0.11);
            }
        }
    }
}
