//! Reading JSON objects: numbers to thousandths, exactly.

use crate::{
    decoder::{MAX_TELEGRAM, Reason},
    quantity::Quantity,
    telegram::{PhaseValues, Text},
};
use serde_json::{Map, Number, Value};

/// Beyond any meter: a terawatt-hour in thousandths of a watt-hour.
const MAX_MILLI: i64 = 1_000_000_000_000_000;
/// Digits behind the point that can matter: thousandths, of a kilo unit. The rest is noise of binary fractions.
const MAX_FRACTION: usize = 6;
/// Longer texts are no name of a meter.
const MAX_TEXT: usize = 64;
/// Resolutions that meters have, in milliampere; the coarsest first.
const CURRENT_STEPS_MA: [i64; 4] = [1000, 100, 10, 1];

/// A JSON object.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a whole answer.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        if bytes.len() > MAX_TELEGRAM {
            return Err(Reason::TooLong);
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            _ => Err(Reason::Malformed),
        }
    }

    /// An object within; empty if there is none.
    pub(super) fn object(&self, name: &str) -> Self {
        match self.0.get(name) {
            Some(Value::Object(map)) => Self(map.clone()),
            _ => Self(Map::new()),
        }
    }

    /// The first of these numbers that is there, in thousandths.
    pub(super) fn milli(&self, names: &[&str]) -> Result<Option<i64>, Reason> {
        self.scaled(names, 0)
    }

    /// The same of a number in thousands of the unit, such as kilowatt-hours.
    pub(super) fn milli_of_kilo(&self, names: &[&str]) -> Result<Option<i64>, Reason> {
        self.scaled(names, 3)
    }

    fn scaled(&self, names: &[&str], kilo: i8) -> Result<Option<i64>, Reason> {
        for name in names {
            match self.0.get(*name) {
                None | Some(Value::Null) => {}
                Some(Value::Number(number)) => {
                    return milli(number, kilo).map(Some).ok_or(Reason::Malformed);
                }
                Some(_) => return Err(Reason::Malformed),
            }
        }
        Ok(None)
    }

    /// A truth.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// A short text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<Text> {
        let text = self.0.get(name)?.as_str()?.trim();
        let short = !text.is_empty() && text.len() <= MAX_TEXT;
        (short && !text.contains(char::is_control)).then(|| Text::from(text).ok())?
    }

    /// The texts of a list; what is no text in it counts as an empty one.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .map(|value| value.as_str().unwrap_or_default())
            .collect()
    }
}

fn milli(number: &Number, kilo: i8) -> Option<i64> {
    let text = number.to_string();
    let (digits, exponent) = match text.split_once('e') {
        Some((digits, exponent)) => (digits, exponent.parse().ok()?),
        None => (text.as_str(), 0),
    };
    let end = digits
        .find('.')
        .map_or(digits.len(), |point| point + 1 + MAX_FRACTION);
    Quantity::parse(digits.get(..end).unwrap_or(digits))?
        .shifted(exponent)?
        .shifted(kilo)?
        .milli()
        .filter(|value| value.abs() <= MAX_MILLI)
}

/// A signed number as what is drawn and what is fed in.
pub(super) fn split(signed: Option<i64>) -> (Option<i64>, Option<i64>) {
    let part = |value: i64| value.max(0);
    (signed.map(part), signed.map(|value| part(-value)))
}

/// The coarsest resolution that these currents can have: whole amperes as long as nothing speaks against them.
pub(super) fn step_ma(phases: &[PhaseValues]) -> i64 {
    let fits = |step: &i64| {
        phases
            .iter()
            .filter_map(|phase| phase.current_ma)
            .all(|current| current % step == 0)
    };
    CURRENT_STEPS_MA.into_iter().find(fits).unwrap_or(1)
}

/// Says the same resolution of every current that is there.
pub(super) fn set_step(phases: &mut [PhaseValues], step: i64) {
    for phase in phases {
        phase.current_step_ma = phase.current_ma.map(|_| step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Option<i64>, Reason> {
        Fields::parse(format!("{{\"x\":{text}}}").as_bytes())?.milli(&["w", "x"])
    }

    #[test]
    fn numbers_are_read_exactly() {
        for (text, milli) in [
            ("4", 4000),
            ("-4.0", -4000),
            ("230.1", 230_100),
            ("0.1", 100),
            ("0.30000000000000004", 300),
            ("231.60000610351562", 231_600),
            ("1e3", 1_000_000),
            ("5E-2", 50),
            ("-0.0", 0),
        ] {
            assert_eq!(value(text), Ok(Some(milli)), "{text}");
        }
        assert_eq!(value("null"), Ok(None));
    }

    #[test]
    fn what_is_no_number_of_a_meter_is_refused() {
        for text in [
            "NaN",
            "\"4\"",
            "true",
            "[4]",
            "1e99",
            "1e300",
            "9223372036854775807",
            "-9223372036854775808",
            "1000000000001",
        ] {
            assert_eq!(value(text), Err(Reason::Malformed), "{text}");
        }
        for text in ["", "[]", "4", "{\"x\":", "{} {}", "\u{0}"] {
            assert_eq!(
                Fields::parse(text.as_bytes()).unwrap_err(),
                Reason::Malformed,
                "{text}"
            );
        }
        let long = format!("{{\"x\":\"{}\"}}", "a".repeat(MAX_TELEGRAM));
        assert_eq!(Fields::parse(long.as_bytes()).unwrap_err(), Reason::TooLong);
        let deep = "{\"x\":".repeat(2000);
        assert_eq!(
            Fields::parse(deep.as_bytes()).unwrap_err(),
            Reason::Malformed
        );
    }
}
