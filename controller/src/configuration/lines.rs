//! On which line of the configuration's file a field stands.

use headroom_core::validate::FieldError;
use toml::de::{DeTable, DeValue};

/// Says behind each error on which line its field stands; where the field itself is missing, the line of what it is missing from.
pub(super) fn tell(text: &str, errors: &mut [FieldError]) {
    let Ok(table) = DeTable::parse(text) else {
        return;
    };
    for error in errors {
        if let Some(offset) = offset_of(table.get_ref(), &error.field) {
            let before = text.get(..offset).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            error.message = format!("{} (line {line})", error.message);
        }
    }
}

/// What is wrong with a text that is no TOML, and on which line.
pub(crate) fn problem(text: &str, error: &toml::de::Error) -> String {
    let what = error.message().trim_end();
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            format!("{what} (line {})", before.matches('\n').count() + 1)
        }
        None => what.to_owned(),
    }
}

/// Where the deepest part of a path begins that is there.
fn offset_of(table: &DeTable<'_>, path: &str) -> Option<usize> {
    let names: Vec<&str> = (path.split(['.', '[', ']']))
        .filter(|name| !name.is_empty())
        .collect();
    let mut names = names.as_slice();
    let mut offset = None;
    let mut inside: Option<&DeValue<'_>> = None;
    loop {
        let (found, rest) = match inside {
            None => within_table(table, names),
            Some(DeValue::Table(table)) => within_table(table, names),
            Some(DeValue::Array(items)) => {
                let Some((name, rest)) = names.split_first() else {
                    return offset;
                };
                // Lists are told by number, or by the id of the item.
                let is_named = |item: &DeValue<'_>| {
                    let id = item.as_table().and_then(|table| table.get("id"));
                    id.and_then(|id| id.get_ref().as_str()) == Some(*name)
                };
                let item = name.parse().map_or_else(
                    |_| items.iter().find(|item| is_named(item.get_ref())),
                    |index: usize| items.get(index),
                );
                (item.map(|item| (item.span().start, item.get_ref())), rest)
            }
            Some(_) => return offset,
        };
        let Some((at, value)) = found else {
            return offset;
        };
        (offset, inside, names) = (Some(at), Some(value), rest);
    }
}

type Found<'a, 'i> = Option<(usize, &'a DeValue<'i>)>;

/// The value of the first name, and the names behind it.
fn within_table<'a, 'i, 'n>(
    table: &'a DeTable<'i>,
    names: &'n [&'n str],
) -> (Found<'a, 'i>, &'n [&'n str]) {
    let Some((name, rest)) = names.split_first() else {
        return (None, names);
    };
    let found = table.get_key_value(*name);
    (
        found.map(|(key, value)| (key.span().start, value.get_ref())),
        rest,
    )
}
