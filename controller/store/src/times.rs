//! Times as the API and the exports tell them: RFC 3339, UTC, always with milliseconds, which is what the databases keep.
//!
//! For serde's `serialize_with`.

use jiff::Timestamp;
use serde::Serializer;

/// A time with three decimals of a second.
///
/// # Errors
/// Those of the serializer.
pub fn one<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{time:.3}"))
}

/// The same, or null.
///
/// # Errors
/// Those of the serializer.
pub fn maybe<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => one(time, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    struct Told {
        #[serde(serialize_with = "one")]
        at: Timestamp,
        #[serde(serialize_with = "maybe")]
        until: Option<Timestamp>,
    }

    #[test]
    fn three_decimals_always_and_never_rounded_up() {
        for (nanosecond, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (500_000_000, "1970-01-01T00:00:00.500Z"),
            (123_999_999, "1970-01-01T00:00:00.123Z"),
            (999_999_999, "1970-01-01T00:00:00.999Z"),
        ] {
            let at = Timestamp::from_nanosecond(nanosecond).unwrap();
            let told = serde_json::to_value(Told {
                at,
                until: Some(at),
            });
            let told = told.unwrap();
            assert_eq!(
                (&told["at"], &told["until"]),
                (&expected.into(), &expected.into())
            );
        }
        let at = Timestamp::UNIX_EPOCH;
        let told = serde_json::to_value(Told { at, until: None }).unwrap();
        assert!(told["until"].is_null());
    }
}
