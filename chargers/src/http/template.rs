//! The templates of profiles: minijinja in its strictest mode.
//!
//! A value that is not there is an error. There are no other templates to include, no filters, no
//! functions and no macros; `{% if %}` and comparisons are all that is needed. How much a template may do is bounded.

use std::{collections::BTreeMap, sync::OnceLock};

use minijinja::{
    Environment, ErrorKind, Output, State, UndefinedBehavior, Value, value::ValueKind,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 2048;
/// Instructions that a template may take.
const FUEL: u64 = 2_000;
/// What is encoded of a value in a path: everything that could end or climb it.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Where the text goes, and so how values are written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A path: values are percent-encoded.
    Path,
    /// A header, or a part of a query that is encoded as a whole: values are as they are.
    Text,
    /// A JSON body: values are JSON, texts with their quotes.
    Json,
}

/// Values by name.
pub(super) type Values = BTreeMap<String, Value>;

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{template}`: {what}")]
pub(crate) struct TemplateError {
    template: String,
    what: String,
}

/// Fills in the values.
///
/// # Errors
/// If the template is no template, or names a value that is not there.
pub(super) fn render(
    place: Place,
    template: &str,
    values: &Values,
) -> Result<String, TemplateError> {
    let wrong = |what: String| TemplateError {
        template: template.to_owned(),
        what,
    };
    if template.len() > MAX_TEMPLATE {
        return Err(wrong(format!("is longer than {MAX_TEMPLATE} bytes")));
    }
    let filled = environment(place).render_str(template, Value::from(values.clone()));
    filled.map_err(|error| {
        wrong(match error.kind() {
            ErrorKind::UndefinedError => "names a value that there is not".to_owned(),
            _ => error.to_string(),
        })
    })
}

fn environment(place: Place) -> &'static Environment<'static> {
    static ENVIRONMENTS: [OnceLock<Environment<'static>>; 3] = [const { OnceLock::new() }; 3];
    let [path, text, json] = &ENVIRONMENTS;
    match place {
        Place::Path => path.get_or_init(|| strict(in_path)),
        Place::Text => text.get_or_init(|| strict(as_it_is)),
        Place::Json => json.get_or_init(|| strict(as_json)),
    }
}

type Written = Result<(), minijinja::Error>;

fn strict(
    write: fn(&mut Output<'_>, &mut State<'_, '_>, &Value) -> Written,
) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(move |out, state, value| {
        if value.is_undefined() {
            return Err(ErrorKind::UndefinedError.into());
        }
        write(out, state, value)
    });
    environment
}

fn in_path(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Written {
    let text = value.to_string();
    // A segment of dots would climb.
    if text == "." || text == ".." {
        let what = "a part of a path cannot be dots";
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, what));
    }
    Ok(write!(out, "{}", utf8_percent_encode(&text, SEGMENT))?)
}

fn as_it_is(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Written {
    Ok(write!(out, "{value}")?)
}

fn as_json(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Written {
    if value.kind() == ValueKind::String {
        let text = serde_json::Value::from(value.to_string());
        return Ok(write!(out, "{text}")?);
    }
    Ok(write!(out, "{value}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(place: Place, template: &str) -> Result<String, TemplateError> {
        let values = [
            ("a", Value::from(13)),
            ("a_1", Value::from(8.3)),
            ("name", Value::from("a \"b\"/../c?d&e=é\n")),
            ("up", Value::from("..")),
            ("none", Value::from("")),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        render(place, template, &values.into())
    }

    #[test]
    fn values_are_written_as_their_place_wants() {
        for (place, template, want) in [
            (
                Place::Path,
                "/set/{{ name }}",
                "/set/a%20%22b%22%2F..%2Fc%3Fd&e=%C3%A9%0A",
            ),
            (Place::Text, "{{ a }} {{ a_1 }}", "13 8.3"),
            (
                Place::Json,
                "{\"n\":{{ name }},\"a\":{{ a }}}",
                r#"{"n":"a \"b\"/../c?d&e=é\n","a":13}"#,
            ),
            (Place::Text, "{% if none %}x{{ none }}{% endif %}", ""),
            (
                Place::Text,
                "{% if a > 6 %}much{% else %}little{% endif %}",
                "much",
            ),
        ] {
            assert_eq!(filled(place, template).as_deref(), Ok(want), "{template}");
        }
    }

    #[test]
    fn nothing_but_values_and_choices() {
        for (template, says) in [
            ("{{ b }}", "names a value that there is not"),
            ("{{ a.b.c }}", "names a value that there is not"),
            ("{% if b %}x{% endif %}", "names a value that there is not"),
            ("{% include 'x' %}", "unknown statement"),
            ("{% macro x() %}{% endmacro %}", "unknown statement"),
            ("{{ a | upper }}", "unknown filter"),
            ("{{ range(10) }}", "unknown function"),
            ("{{ a ", "syntax error"),
            (
                "{% for x in name %}{% for x in name %}{% for x in name %}{% for x in name %}{{ x }}\
              {% endfor %}{% endfor %}{% endfor %}{% endfor %}",
                "fuel",
            ),
        ] {
            let error = filled(Place::Text, template).unwrap_err().to_string();
            assert!(error.contains(says), "{template}: {error}");
        }
        assert!(filled(Place::Path, "/set/{{ up }}").is_err());
        assert!(filled(Place::Text, &"x".repeat(MAX_TEMPLATE + 1)).is_err());
    }
}
