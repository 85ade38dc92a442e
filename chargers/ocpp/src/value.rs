//! Tolerant extractors from JSON values.
//!
//! Charge points send numbers as padded text, booleans as text, and leave out what the schema
//! demands. An extractor never refuses a message for one bad field: the field is then missing.

use serde_json::Value;

/// Longest text kept of any field; the standard's longest is 500 (a configuration value).
pub(crate) const MAX_TEXT: usize = 512;

/// A member of an object; its name is compared without case.
pub(crate) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let map = object.as_object()?;
    map.get(name)
        .or_else(|| {
            map.iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        })
        .filter(|value| !value.is_null())
}

/// Text of a text, number or boolean, trimmed and cut to [`MAX_TEXT`] characters; empty is none.
pub(crate) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().chars().take(MAX_TEXT).collect(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text: &String| !text.is_empty())
}

/// Member as text.
pub(crate) fn text_member(object: &Value, name: &str) -> Option<String> {
    member(object, name).and_then(text)
}

/// A finite number, from a number or from text such as `" 9.6"` or `"9,6"`.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) if text.len() <= MAX_TEXT => {
            let text = text.trim();
            text.parse()
                .or_else(|_| text.replace(',', ".").parse())
                .ok()?
        }
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Member as a whole number within 32 bits; a fraction is cut.
pub(crate) fn integer_member(object: &Value, name: &str) -> Option<i32> {
    whole(member(object, name).and_then(number)?)
}

/// Cuts a number to a whole one; `None` outside 32 bits.
pub(crate) fn whole(number: f64) -> Option<i32> {
    let inside = number.is_finite() && number.abs() <= f64::from(i32::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    inside.then_some(number.trunc() as i32)
}

/// Thousandths of the magnitude of a number, rounded; `None` above `max`.
pub(crate) fn milli(number: f64, max: f64) -> Option<u32> {
    let magnitude = number.abs();
    let inside = magnitude.is_finite() && magnitude <= max.min(4_000_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 4e9, checked"
    )]
    inside.then_some((magnitude * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_in_every_dress() {
        let cases = [
            (json!(9.6), Some(9.6)),
            (json!(" 9.6"), Some(9.6)),
            (json!("9,6"), Some(9.6)),
            (json!("16"), Some(16.0)),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!("1e999"), None),
            (json!(""), None),
            (json!("----"), None),
            (json!(true), None),
            (json!(null), None),
            (json!([1]), None),
        ];
        for (value, want) in cases {
            assert_eq!(number(&value), want, "{value}");
        }
    }

    #[test]
    fn members_ignore_case_and_null() {
        let object = json!({"ConnectorID": 2, "gone": null});
        assert_eq!(integer_member(&object, "connectorId"), Some(2));
        assert_eq!(member(&object, "gone"), None);
        assert_eq!(member(&json!([1]), "connectorId"), None);
    }

    #[test]
    fn milli_refuses_the_absurd() {
        assert_eq!(milli(15.8, 1000.0), Some(15_800));
        assert_eq!(milli(-0.1, 1000.0), Some(100));
        assert_eq!(milli(6553.5, 1000.0), None);
        assert_eq!(milli(1e308, f64::MAX), None);
        assert_eq!(whole(1e12), None);
    }
}
