//! The configuration as one commented TOML file.
//!
//! Invariant: what is written here and read by [`super::file`] is the same again, field by field. What is not set has no
//! value in TOML; it stands there as a comment.

use headroom_store::House;
use serde_json::{Map, Value};

use super::comments;

/// Above this a whole number may not be one any more: it is written as it is.
const WHOLE_MAX: f64 = 1e15;

const HEAD: &str = "\
# The configuration of Headroom. `headroom apply FILE` checks all of it and puts it in force at once, or changes nothing.
# A secret that reads \"***\" stays as it is stored. What is left out takes its default.
# Instead of the numbers of `priority` a table may give the order: the first list is served first and shed last.
#   [priorities]
#   order = [[\"heater\"], [\"ev1\", \"ev2\"]]
";

/// Writes a house, with the secrets that it holds.
pub(super) fn write(house: &House) -> Result<String, serde_json::Error> {
    let mut config = serde_json::to_value(&house.config)?;
    let mut meter = serde_json::to_value(&house.meter)?;
    let notifications = serde_json::to_value(&house.notifications)?;
    // Read only.
    if let Some(meter) = meter.as_object_mut() {
        meter.remove("key_set");
    }
    let lists = config.as_object_mut().into_iter().flat_map(Map::values_mut);
    let loads = lists.filter_map(Value::as_array_mut).flatten();
    for driver in loads.filter_map(|load| load.get_mut("driver")?.as_object_mut()) {
        driver.remove("password_set");
    }
    let mut text = HEAD.to_owned();
    for (name, part) in [
        ("site", config.get("site")),
        ("meter", Some(&meter)),
        ("chargers", config.get("chargers")),
        ("slow_loads", config.get("slow_loads")),
        ("notifications", Some(&notifications)),
    ] {
        part_of(&mut text, name, part.unwrap_or(&Value::Null));
    }
    Ok(text)
}

/// A table, or a list of them.
fn part_of(text: &mut String, path: &str, part: &Value) {
    match part {
        Value::Object(fields) => table(text, path, &format!("[{path}]"), fields),
        Value::Array(list) => {
            for fields in list.iter().filter_map(Value::as_object) {
                table(text, path, &format!("[[{path}]]"), fields);
            }
        }
        _ => {}
    }
}

fn table(text: &mut String, path: &str, header: &str, fields: &Map<String, Value>) {
    line(text, format_args!("\n{header}"));
    let known = comments::of(path);
    let comment = |name: &str| {
        known
            .iter()
            .find(|(known, _)| *known == name)
            .map(|it| it.1)
    };
    let ordered = (known
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| fields.contains_key(*name)))
    .chain(
        fields
            .keys()
            .map(String::as_str)
            .filter(|name| comment(name).is_none()),
    );
    let mut parts = Vec::new();
    for (name, value) in ordered.filter_map(|name| Some((name, fields.get(name)?))) {
        if is_part(value) {
            parts.push((name, value));
            continue;
        }
        let words = comment(name).unwrap_or_default();
        if value.is_null() {
            let words = if words.is_empty() { "" } else { " # " }.to_owned() + words;
            line(text, format_args!("# {} is not set{words}", key(name)));
        } else {
            if !words.is_empty() {
                line(text, format_args!("# {words}"));
            }
            line(text, format_args!("{} = {}", key(name), plain(value)));
        }
    }
    for (name, value) in parts {
        part_of(text, &format!("{path}.{}", key(name)), value);
    }
}

/// Whether a value is a table of its own or a list of tables. An empty list is none of them, and the default.
fn is_part(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(list) => list.iter().all(Value::is_object),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < WHOLE_MAX => {
                format!("{value:.0}")
            }
            _ => number.to_string(),
        },
        Value::Array(list) => {
            let items: Vec<_> = list.iter().map(plain).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// TOML takes JSON's strings, but for one character.
fn string(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        string(name)
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.push_str(&words.to_string());
    text.push('\n');
}
