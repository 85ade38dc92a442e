//! Quantities as integers, and the edge where they meet text.
//!
//! On the wire currents are amperes, powers watts and voltages volts, as JSON numbers (contract,
//! "Units are in the names"). Inside they are integers, so that sums are exact and every machine agrees.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Largest magnitude of a current that is accepted anywhere, in amperes. Far above any service fuse,
/// far below overflow of sums.
const CURRENT_MAX_A: f64 = 100_000.0;
/// Largest magnitude of a voltage that is accepted anywhere, in volts.
const VOLTAGE_MAX_V: f64 = 100_000.0;
/// Largest magnitude of a power that is accepted anywhere, in watts.
const POWER_MAX_W: f64 = 100_000_000.0;

/// Largest magnitude of an energy that is accepted anywhere, in kilowatt-hours: a register of nine digits.
const ENERGY_MAX_KWH: f64 = 1_000_000_000.0;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $per_unit:expr, $max:expr, $unit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// From a number in the unit of the wire, rounded to the nearest step; `None` if it is not
            /// finite or beyond every plausible size.
            #[expect(clippy::float_arithmetic, reason = "the edge where numbers are read")]
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
            pub fn from_f64(value: f64) -> Option<Self> {
                (value.is_finite() && value.abs() <= $max)
                    .then(|| Self((value * $per_unit).round() as i64))
            }

            /// As a number in the unit of the wire.
            #[expect(clippy::float_arithmetic, reason = "the edge where numbers are written")]
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            pub fn to_f64(self) -> f64 {
                self.0 as f64 / $per_unit
            }

            /// The magnitude.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(self.0.saturating_neg())
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.to_f64())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = f64::deserialize(deserializer)?;
                Self::from_f64(value).ok_or_else(|| {
                    de::Error::custom(format_args!("{value} is not a possible number of {}", $unit))
                })
            }
        }
    };
}

quantity!(
    /// A current in milliamperes; amperes on the wire.
    Milliamps, 1000.0, CURRENT_MAX_A, "amperes"
);
quantity!(
    /// A voltage in millivolts; volts on the wire.
    Millivolts, 1000.0, VOLTAGE_MAX_V, "volts"
);
quantity!(
    /// A power in watts.
    Watts, 1.0, POWER_MAX_W, "watts"
);
quantity!(
    /// A reactive power in var.
    Vars, 1.0, POWER_MAX_W, "var"
);

quantity!(
    /// An energy in watt-hours; kilowatt-hours on the wire.
    WattHours, 1000.0, ENERGY_MAX_KWH, "kilowatt-hours"
);

impl Milliamps {
    /// From whole amperes.
    pub const fn from_amps(amps: i64) -> Self {
        Self(amps.saturating_mul(1000))
    }

    /// Rounded down to whole amperes; never below nothing.
    #[must_use]
    pub const fn floor_to_amps(self) -> Self {
        if self.0 <= 0 {
            Self(0)
        } else {
            Self(self.0 - self.0 % 1000)
        }
    }

    /// The current that a power draws at a voltage on each of `phases` conductors, rounded up.
    /// A voltage of nothing counts as 230 V.
    pub fn from_power(power: Watts, voltage: Millivolts, phases: i64) -> Self {
        let millivolts = if voltage.0 > 0 { voltage.0 } else { 230_000 };
        let denominator = millivolts.saturating_mul(phases.max(1));
        let numerator = power.0.saturating_mul(1_000_000);
        Self(
            numerator
                .saturating_add(denominator - 1)
                .div_euclid(denominator),
        )
    }
}

/// Amperes with one decimal, as sentences need them: `16 A`, `9.4 A`.
impl fmt::Display for Milliamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0.abs().saturating_add(50)) / 100;
        let sign = if self.0 < 0 && tenths > 0 { "-" } else { "" };
        if tenths % 10 == 0 {
            write!(f, "{sign}{} A", tenths / 10)
        } else {
            write!(f, "{sign}{}.{} A", tenths / 10, tenths % 10)
        }
    }
}

/// A point in monotonic time, in milliseconds from an origin that the caller chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub u64);

impl Instant {
    /// This long after.
    #[must_use]
    pub const fn after_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// This many seconds after.
    #[must_use]
    pub const fn after_s(self, s: u32) -> Self {
        self.after_ms(s as u64 * 1000)
    }

    /// Milliseconds from an earlier instant to this one; 0 if it is not earlier.
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A line conductor of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Line 1.
    L1,
    /// Line 2.
    L2,
    /// Line 3.
    L3,
}

impl Phase {
    /// All three, in order.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// 0, 1 or 2.
    pub const fn index(self) -> usize {
        match self {
            Self::L1 => 0,
            Self::L2 => 1,
            Self::L3 => 2,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        })
    }
}

/// One value for each line. On a one-phase grid only the first is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerPhase<T>(pub [T; 3]);

impl<T> PerPhase<T> {
    /// Access to the value of a line.
    pub const fn get_ref(&self, phase: Phase) -> &T {
        let [l1, l2, l3] = &self.0;
        match phase {
            Phase::L1 => l1,
            Phase::L2 => l2,
            Phase::L3 => l3,
        }
    }

    /// Mutable access to the value of a line.
    pub const fn get_mut(&mut self, phase: Phase) -> &mut T {
        let [l1, l2, l3] = &mut self.0;
        match phase {
            Phase::L1 => l1,
            Phase::L2 => l2,
            Phase::L3 => l3,
        }
    }
}

impl<T: Copy> PerPhase<T> {
    /// The same value on every line.
    pub const fn all(value: T) -> Self {
        Self([value; 3])
    }

    /// Value by value.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> PerPhase<U> {
        PerPhase(self.0.map(f))
    }

    /// The value of a line.
    pub fn get(&self, phase: Phase) -> T {
        *self.get_ref(phase)
    }

    /// Two of them combined line by line.
    #[must_use]
    pub fn zip_with<U: Copy, V>(
        &self,
        other: &PerPhase<U>,
        mut f: impl FnMut(T, U) -> V,
    ) -> PerPhase<V> {
        PerPhase(Phase::ALL.map(|phase| f(self.get(phase), other.get(phase))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amperes_on_the_wire_are_exact_to_the_milliampere() {
        for milliamps in [0, 1, -400, 9_400, 15_999, 25_000] {
            let text = Milliamps(milliamps).to_f64();
            assert_eq!(Milliamps::from_f64(text), Some(Milliamps(milliamps)));
        }
    }

    #[test]
    fn absurd_numbers_are_not_currents() {
        for value in [f64::NAN, f64::INFINITY, 1e9, -1e9] {
            assert_eq!(Milliamps::from_f64(value), None);
        }
    }

    #[test]
    fn display_reads_like_an_ammeter() {
        assert_eq!(Milliamps(16_000).to_string(), "16 A");
        assert_eq!(Milliamps(9_449).to_string(), "9.4 A");
        assert_eq!(Milliamps(-400).to_string(), "-0.4 A");
        assert_eq!(Milliamps(-20).to_string(), "0 A");
    }

    #[test]
    fn power_becomes_current_rounded_up() {
        let volts = Millivolts(230_000);
        assert_eq!(
            Milliamps::from_power(Watts(2300), volts, 1),
            Milliamps(10_000)
        );
        assert_eq!(
            Milliamps::from_power(Watts(2000), volts, 1),
            Milliamps(8_696)
        );
        assert_eq!(
            Milliamps::from_power(Watts(6900), volts, 3),
            Milliamps(10_000)
        );
        assert_eq!(
            Milliamps::from_power(Watts(-2300), volts, 1),
            Milliamps(-10_000)
        );
    }
}
