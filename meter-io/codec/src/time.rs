//! A meter's clock: local time, with an offset where the telegram gives one.
//!
//! For display and for telling a frozen telegram only; no decision rests on a meter's clock.

use jiff::civil::DateTime;
use std::fmt;

/// A moment as the meter tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterTime {
    local: DateTime,
    offset_min: Option<i16>,
}

/// DLMS: "deviation not specified" (IEC 62056-6-2, 4.1.6.1).
const NO_DEVIATION: i16 = i16::MIN;
/// Offsets on Earth lie within 14 hours; wider ones are not a time.
const MAX_OFFSET_MIN: i16 = 14 * 60;

impl MeterTime {
    /// A date and time of day; `offset_min` is local time minus UTC in minutes. `None` if there is no such moment.
    pub(crate) fn new(
        date: (i16, u8, u8),
        clock: (u8, u8, u8),
        offset_min: Option<i16>,
    ) -> Option<Self> {
        let signed = |value: u8| i8::try_from(value).ok();
        let local = DateTime::new(
            date.0,
            signed(date.1)?,
            signed(date.2)?,
            signed(clock.0)?,
            signed(clock.1)?,
            signed(clock.2)?,
            0,
        )
        .ok()?;
        if offset_min.is_some_and(|offset| offset.unsigned_abs() > MAX_OFFSET_MIN.unsigned_abs()) {
            return None;
        }
        Some(Self { local, offset_min })
    }

    /// The 12 bytes of a DLMS date-time. Its deviation counts from local time to UTC, so the offset is its negative.
    pub(crate) fn from_dlms(bytes: &[u8]) -> Option<Self> {
        let &[y1, y2, month, day, _, hour, minute, second, _, d1, d2, _] = bytes else {
            return None;
        };
        let deviation = i16::from_be_bytes([d1, d2]);
        let offset = (deviation != NO_DEVIATION)
            .then(|| deviation.checked_neg())
            .flatten();
        Self::new(
            (i16::from_be_bytes([y1, y2]), month, day),
            (hour, minute, second),
            offset,
        )
    }

    /// Twelve digits `YYMMDDhhmmss`, as P1 and Linky write.
    pub(crate) fn from_digits(digits: &str, offset_min: Option<i16>) -> Option<Self> {
        if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let pair = |index: usize| digits.get(index..index + 2)?.parse::<u8>().ok();
        Self::new(
            (2000 + i16::from(pair(0)?), pair(2)?, pair(4)?),
            (pair(6)?, pair(8)?, pair(10)?),
            offset_min,
        )
    }

    /// Local date and time.
    #[must_use]
    pub fn local(self) -> DateTime {
        self.local
    }

    /// Local time minus UTC in minutes, if the telegram tells it.
    #[must_use]
    pub fn offset_min(self) -> Option<i16> {
        self.offset_min
    }
}

impl fmt::Display for MeterTime {
    /// RFC 3339, without an offset if there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local.strftime("%Y-%m-%dT%H:%M:%S"))?;
        if let Some(offset) = self.offset_min {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.unsigned_abs();
            write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dlms_deviation_counts_the_other_way() {
        let mut bytes = [0x07, 0xEA, 1, 15, 4, 12, 0, 10, 0xFF, 0xFF, 0xC4, 0];
        assert_eq!(
            MeterTime::from_dlms(&bytes).unwrap().to_string(),
            "2026-01-15T12:00:10+01:00"
        );
        bytes[9] = 0x80;
        bytes[10] = 0;
        assert_eq!(
            MeterTime::from_dlms(&bytes).unwrap().to_string(),
            "2026-01-15T12:00:10"
        );
        bytes[2] = 13;
        assert_eq!(MeterTime::from_dlms(&bytes), None);
    }

    #[test]
    fn digits_that_are_no_moment_are_none() {
        for digits in [
            "000000000000",
            "632525252525",
            "26011512001",
            "2601151200100",
            "26011512001x",
        ] {
            assert_eq!(MeterTime::from_digits(digits, None), None, "{digits}");
        }
    }
}
