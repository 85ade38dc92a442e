//! What serde says of a body, in words of the API instead of words of Rust.
//!
//! The messages of serde are not made for people: `invalid type: string "x", expected f64`. Their
//! beginnings are stable, and a test holds each kind; what is not known is told as a value that cannot be.

use headroom_core::config::Driver;
use headroom_core::validate::FieldError;
use serde_json::{Map, Value};

/// Longest piece of what was sent that is repeated.
const SENT_MAX: usize = 60;

/// What the core says of a rating ([`headroom_core::config::Rating`]) that is none.
const RATING: &str = "must be a number, or a list of numbers";

/// What is wrong with a field, from the path and the message of the deserializer.
pub(crate) fn field_error(path: String, message: &str) -> FieldError {
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    let (field, code, message) = if message.starts_with("unknown field") {
        let message = format!("is not known here{}", known(message, "; there is: "));
        (below(&path, quoted()), "unknown", message)
    } else if message.starts_with("missing field") {
        (below(&path, quoted()), "required", "is missing".to_owned())
    } else if message.starts_with("duplicate field") {
        let message = "stands there twice".to_owned();
        (below(&path, quoted()), "duplicate", message)
    } else if message.starts_with("unknown variant") {
        let sent = shortened(quoted());
        let message = format!("cannot be \"{sent}\"{}", known(message, "; it can be: "));
        (path, "unknown", message)
    } else if message == RATING {
        (path, "type", message.to_owned())
    } else if message.starts_with("invalid length") {
        // Serde takes a list for an object, if it is long enough.
        (path, "type", "must be an object, not a list".to_owned())
    } else if let Some(rest) = message.strip_prefix("invalid type: ") {
        (path, "type", wanted(rest))
    } else if let Some(rest) = message.strip_prefix("invalid value: ") {
        (path, "range", wanted(rest))
    } else {
        // The core's own words: "1e300 is not a possible number of amperes".
        (path, "range", format!("cannot be that: {message}"))
    };
    FieldError {
        field,
        code,
        message,
    }
}

/// The same, where the value is at hand: serde says nothing of what is inside an object whose shape depends on its kind,
/// and calls a number that is out of range no number.
pub(crate) fn field_error_in(value: &Value, path: String, message: &str) -> FieldError {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let at = value.pointer(&format!("/{pointer}"));
    let is_number = |value: &Value| match value {
        Value::Array(list) => !list.is_empty() && list.iter().all(Value::is_number),
        value => value.is_number(),
    };
    if message == RATING && at.is_some_and(is_number) {
        return FieldError {
            field: path,
            code: "range",
            message: "cannot be that: no fuse has such a rating".to_owned(),
        };
    }
    let names_its_field = ["unknown field", "missing field", "duplicate field"]
        .iter()
        .any(|begin| message.starts_with(begin));
    let inside = at.and_then(Value::as_object).filter(|driver| {
        !names_its_field && driver.contains_key("kind") && path.ends_with("driver")
    });
    if let Some(name) = inside.and_then(|driver| wrong_field(driver, message)) {
        return field_error(format!("{path}.{name}"), message);
    }
    field_error(path, message)
}

/// The field of a driver that the message is about: without it, serde says something else.
fn wrong_field<'a>(driver: &'a Map<String, Value>, message: &str) -> Option<&'a str> {
    let without = |name: &str| {
        let mut rest = driver.clone();
        rest.remove(name);
        serde_json::from_value::<Driver>(Value::Object(rest)).err()
    };
    driver
        .keys()
        .filter(|name| *name != "kind")
        .find(|name| without(name).is_none_or(|error| error.to_string() != message))
        .map(String::as_str)
}

fn below(path: &str, name: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    match path {
        "" => name.to_owned(),
        _ if last == name => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// The names behind `expected`, if there are any.
fn known(message: &str, introduction: &str) -> String {
    let Some((_, expected)) = message.split_once(", expected ") else {
        return String::new();
    };
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("{introduction}{}", names.join(", "))
    }
}

/// `string "x", expected f64` in words.
fn wanted(message: &str) -> String {
    let Some((sent, expected)) = message.rsplit_once(", expected ") else {
        return "cannot be that".to_owned();
    };
    format!(
        "must be {}, not {}",
        wanted_type(expected),
        sent_value(sent)
    )
}

fn wanted_type(expected: &str) -> &'static str {
    match expected {
        "f64" | "f32" => "a number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a boolean" => "true or false",
        // Of an enumeration, serde expects a text or an object.
        "a string" | "string or map" | "variant identifier" => "a text",
        "a sequence" => "a list",
        "internally tagged enum Driver" => {
            "an object with the field kind: ocpp, shelly_gen2, http, modbus or mqtt"
        }
        "a map" => "an object",
        _ if expected.starts_with("struct ") || expected.contains("enum ") => "an object",
        _ => "something else",
    }
}

/// What was sent, from what serde calls it: a kind, and for most of them the value in quotes.
fn sent_value(sent: &str) -> String {
    let value = sent.split('`').nth(1);
    match (sent.split(' ').next().unwrap_or_default(), value) {
        ("null" | "unit", _) => "null".to_owned(),
        ("sequence", _) => "a list".to_owned(),
        ("map", _) => "an object".to_owned(),
        ("string", _) => match sent.split_once(' ') {
            Some((_, text)) => format!("the text {}", shortened(text)),
            None => "a text".to_owned(),
        },
        (_, Some(value)) => shortened(value),
        _ => "what was sent".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SENT_MAX {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SENT_MAX).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use headroom_core::config::{Charger, Site, SlowLoad};
    use serde_json::json;

    use super::*;

    fn told<T: serde::de::DeserializeOwned>(value: &Value) -> (String, String) {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(value.clone()) else {
            panic!("{value} was taken");
        };
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let error = field_error(path, &error.into_inner().to_string());
        (error.field, error.message)
    }

    #[test]
    fn values_of_the_site_are_told_in_words() {
        for (value, field, message) in [
            (
                json!({"margin_a": "1"}),
                "margin_a",
                "must be a number, not the text \"1\"",
            ),
            (
                json!({"margin_a": null}),
                "margin_a",
                "must be a number, not null",
            ),
            (
                json!({"margin_a": {}}),
                "margin_a",
                "must be a number, not an object",
            ),
            (
                json!({"margin_a": 1e9}),
                "margin_a",
                "cannot be that: 1000000000 is not a possible number of amperes",
            ),
            (
                json!({"main_fuse": 25}),
                "main_fuse",
                "must be an object, not 25",
            ),
            (
                json!({"main_fuse": {"rating_a": "25"}}),
                "main_fuse.rating_a",
                "must be a number, or a list of numbers",
            ),
            (
                json!({"main_fuse": {"rating_a": 25, "characteristic": "z"}}),
                "main_fuse.characteristic",
                "cannot be \"z\"; it can be: gg, b, c, d, linky, none",
            ),
            (
                json!({"main_fuse": {"rating_a": 25, "curve": 3}}),
                "main_fuse.curve",
                "must be a text, not 3",
            ),
            (
                json!({"tuning": {"hold_s": -1}}),
                "tuning.hold_s",
                "must be a whole number, 0 or more, not -1",
            ),
            (
                json!({"tuning": {"hold_s": 1.5}}),
                "tuning.hold_s",
                "must be a whole number, 0 or more, not 1.5",
            ),
            (
                json!({"circuits": {}}),
                "circuits",
                "must be a list, not an object",
            ),
            (
                json!({"circuits": [{"id": "a"}]}),
                "circuits[0].rating_a",
                "is missing",
            ),
            (
                json!({"public_view": "yes"}),
                "public_view",
                "must be true or false, not the text \"yes\"",
            ),
            (json!({"mode": true}), "mode", "must be a text, not true"),
            (
                json!({"main_fuse": {"rating_a": 25, "amps": 1}}),
                "main_fuse.amps",
                "is not known here; there is: rating_a, characteristic, curve, ambient_c",
            ),
            (json!({"name": ["x"]}), "name", "must be a text, not a list"),
        ] {
            assert_eq!(
                told::<Site>(&value),
                (field.to_owned(), message.to_owned()),
                "{value}"
            );
        }
    }

    #[test]
    fn drivers_are_told_in_words() {
        let kinds = "ocpp, shelly_gen2, http, modbus or mqtt";
        for (driver, message) in [
            (
                json!("ocpp"),
                format!("must be an object with the field kind: {kinds}, not the text \"ocpp\""),
            ),
            (
                json!(5),
                format!("must be an object with the field kind: {kinds}, not 5"),
            ),
            (
                json!({"kind": "x"}),
                "cannot be \"x\"; it can be: ocpp, shelly_gen2, http, modbus, mqtt".to_owned(),
            ),
            (json!({}), "is missing".to_owned()),
        ] {
            let (field, told) = told::<Charger>(&json!({"driver": driver}));
            assert!(field.starts_with("driver"), "{field}");
            assert_eq!(told, message, "{driver}");
        }
    }

    /// Whatever is sent, nobody is shown a word of the language that this program is written in.
    #[test]
    fn no_word_of_rust_is_ever_told() {
        let sent = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!("x"),
            json!([]),
            json!([[]]),
            json!({"a": {}}),
        ];
        let site = serde_json::to_value(Site::default()).unwrap();
        let objects = [
            site,
            json!({"id": "a", "driver": {"kind": "ocpp", "charge_point_id": "CP1", "connector": 1, "auth": "basic",
                "password": "x", "password_set": true}, "circuit": null, "max_current_a": 16, "min_current_a": 6,
                "phases": ["l1"], "phase_switching": false, "safe_current_a": 0, "lease_s": 120, "lease": "claimed",
                "priority": 1, "accept_risk": false}),
            json!({"id": "a", "driver": {"kind": "shelly_gen2", "host": "a", "channel": 0}, "rated_w": 1,
                "min_on_s": 1, "min_off_s": 1, "max_off_s": 1}),
            json!({"driver": {"kind": "http", "profile": "a", "host": "a", "params": {"a": "b"}}, "rated_w": 1}),
            json!({"driver": {"kind": "modbus", "profile": "a", "address": "a", "unit": 1}, "rated_w": 1}),
        ];
        let mut wrong = 0;
        for object in &objects {
            for path in paths(object) {
                for value in &sent {
                    let mut body = object.clone();
                    *body.pointer_mut(&path).unwrap() = value.clone();
                    for message in [
                        message_of::<Site>(&body),
                        message_of::<Charger>(&body),
                        message_of::<SlowLoad>(&body),
                    ]
                    .into_iter()
                    .flatten()
                    {
                        wrong += 1;
                        for word in [
                            "expected",
                            "struct",
                            "enum",
                            "variant",
                            "f64",
                            "u8",
                            "u32",
                            "sequence",
                            "tagged",
                            "`",
                            "something else",
                            "what was sent",
                            "string",
                        ] {
                            assert!(!message.contains(word), "{path} {value}: {message}");
                        }
                    }
                }
            }
        }
        assert!(wrong > 500, "{wrong}");
    }

    fn message_of<T: serde::de::DeserializeOwned>(body: &Value) -> Option<String> {
        let error = serde_path_to_error::deserialize::<_, T>(body.clone()).err()?;
        Some(field_error(error.path().to_string(), &error.into_inner().to_string()).message)
    }

    fn paths(value: &Value) -> Vec<String> {
        let below = |name: &str, value: &Value| {
            let begin = format!("/{name}");
            let deeper = paths(value)
                .into_iter()
                .map(|path| format!("{begin}{path}"));
            std::iter::once(begin.clone())
                .chain(deeper)
                .collect::<Vec<_>>()
        };
        match value {
            Value::Object(fields) => fields
                .iter()
                .flat_map(|(name, value)| below(name, value))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .flat_map(|(n, value)| below(&n.to_string(), value))
                .collect(),
            _ => Vec::new(),
        }
    }
}
