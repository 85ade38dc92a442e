//! A measured number as a meter sends it: digits and a power of ten, in the base unit.
//!
//! The power of ten is kept because it is the resolution: `2 A` of a whole-ampere meter is not `2.00 A`.

/// `mantissa × 10^exponent` ampere, volt, watt, var or watt-hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// The digits.
    pub mantissa: i64,
    /// The power of ten, -12 to 12 in practice.
    pub exponent: i8,
}

impl Quantity {
    /// In thousandths of the base unit (milliampere for ampere), cut towards zero; `None` if that does not fit.
    #[must_use]
    pub fn milli(self) -> Option<i64> {
        scale(self.mantissa, self.exponent.checked_add(3)?)
    }

    /// The smallest step that this number can show, in thousandths of the base unit; at least 1.
    #[must_use]
    pub fn step_milli(self) -> Option<i64> {
        scale(1, self.exponent.checked_add(3)?).map(|step| step.max(1))
    }

    /// The same number, its unit seen `exponent` powers of ten larger (3 for kilo).
    #[must_use]
    pub fn shifted(self, exponent: i8) -> Option<Self> {
        Some(Self {
            mantissa: self.mantissa,
            exponent: self.exponent.checked_add(exponent)?,
        })
    }

    /// Reads `0012.345` or `-7`: an optional sign, digits, at most one point. Blanks around are allowed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_ascii(text.as_bytes())
    }

    /// The same from bytes that are not known to be text.
    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text.trim_ascii() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        // Before the point and behind it there must be a digit.
        if !matches!(
            (digits.first(), digits.last()),
            (Some(b'0'..=b'9'), Some(b'0'..=b'9'))
        ) {
            return None;
        }
        let mut mantissa: i64 = 0;
        let mut decimals: Option<i8> = None;
        for byte in digits {
            match byte {
                b'0'..=b'9' => {
                    mantissa = mantissa
                        .checked_mul(10)?
                        .checked_add(i64::from(byte - b'0'))?;
                    if let Some(decimals) = &mut decimals {
                        *decimals = decimals.checked_add(1)?;
                    }
                }
                b'.' if decimals.is_none() => decimals = Some(0),
                _ => return None,
            }
        }
        Some(Self {
            mantissa: if negative { -mantissa } else { mantissa },
            exponent: -decimals.unwrap_or(0),
        })
    }
}

fn scale(mantissa: i64, exponent: i8) -> Option<i64> {
    let factor = 10_i64.checked_pow(u32::from(exponent.unsigned_abs()))?;
    if exponent >= 0 {
        mantissa.checked_mul(factor)
    } else {
        Some(mantissa / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_resolution() {
        for (text, milli, step) in [
            ("0002", 2000, 1000),
            ("0.6", 600, 100),
            ("000.00", 0, 10),
            ("-063", -63_000, 1000),
            ("0001.01", 1010, 10),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(
                (quantity.milli(), quantity.step_milli()),
                (Some(milli), Some(step)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1.2.3",
            "1e3",
            "0x10",
            "١",
            "99999999999999999999",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        assert_eq!(
            Quantity {
                mantissa: i64::MAX,
                exponent: 0
            }
            .milli(),
            None
        );
        assert_eq!(
            Quantity {
                mantissa: 1,
                exponent: 127
            }
            .milli(),
            None
        );
    }
}
