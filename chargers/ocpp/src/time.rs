//! Time stamps: strict out, tolerant in.
//!
//! Out: `YYYY-MM-DDThh:mm:ssZ`, without fraction and without `+00:00`, because some charge points
//! refuse the other spellings that RFC 3339 allows. In: any offset (`Z`, `+02`, `+0200`,
//! `+02:00`), any fraction, or no zone at all.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Longest text that is looked at; real time stamps have at most about 35 characters.
const MAX_TEXT: usize = 48;

/// A time stamp as a charge point wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadTime {
    /// The moment; a text without a zone is read as UTC.
    pub at: Timestamp,
    /// Whether the text said its zone.
    pub zoned: bool,
}

/// Writes whole seconds in UTC; the fraction is cut, not rounded.
pub fn write(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads what charge points send as a time; `None` for an empty or unreadable text.
pub fn read(text: &str) -> Option<ReadTime> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_TEXT || !text.is_ascii() {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(ReadTime { at, zoned: true });
    }
    let civil: DateTime = text.parse().ok()?;
    let at = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(ReadTime { at, zoned: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_seconds_and_z_only() {
        let at: Timestamp = "2026-01-15T12:00:10.987654321+01:00".parse().unwrap();
        assert_eq!(write(at), "2026-01-15T11:00:10Z");
    }

    #[test]
    fn reads_every_spelling_seen_in_the_field() {
        let utc = |text: &str| text.parse::<Timestamp>().unwrap();
        let cases = [
            (
                "2026-01-15T12:00:10Z",
                Some((utc("2026-01-15T12:00:10Z"), true)),
            ),
            (
                "2026-01-15T12:00:10.123Z",
                Some((utc("2026-01-15T12:00:10.123Z"), true)),
            ),
            (
                "2026-01-15T12:00:10+02",
                Some((utc("2026-01-15T10:00:10Z"), true)),
            ),
            (
                "2026-01-15T12:00:10+0200",
                Some((utc("2026-01-15T10:00:10Z"), true)),
            ),
            (
                "2026-01-15T12:00:10+02:00",
                Some((utc("2026-01-15T10:00:10Z"), true)),
            ),
            (
                " 2026-01-15T12:00:10 ",
                Some((utc("2026-01-15T12:00:10Z"), false)),
            ),
            (
                "2026-01-15 12:00:10",
                Some((utc("2026-01-15T12:00:10Z"), false)),
            ),
            (
                "1970-01-01T00:00:05Z",
                Some((utc("1970-01-01T00:00:05Z"), true)),
            ),
            ("", None),
            ("yesterday", None),
            ("2026-13-45T99:00:00Z", None),
            ("２０２６-01-15T12:00:10Z", None),
        ];
        for (text, want) in cases {
            let got = read(text).map(|time| (time.at, time.zoned));
            assert_eq!(got, want, "{text:?}");
        }
    }
}
