//! Ids of loads: taken from the request, or made from the name.

use headroom_core::{config::UNMATCHED, validate::is_id};
use headroom_store::House;
use serde_json::Value;

use crate::problem::Problem;

/// Longest id.
const ID_MAX: usize = 32;
/// More than there can be loads, so that one number is always free.
const FREE_MAX: u32 = 1000;

/// The id that was sent, if it is free, or a free one made from the name. `fallback` is for names of which
/// nothing can be used.
pub(crate) fn id_for(value: &Value, house: &House, fallback: &str) -> Result<String, Problem> {
    let given = value.get("id").filter(|id| !id.is_null());
    if let Some(given) = given {
        let id = given.as_str().unwrap_or_default();
        if !is_id(id) {
            return Err(Problem::field(
                "id",
                if given.is_string() { "format" } else { "type" },
                "must be 1 to 32 of a-z, 0-9, _ and -; leave it out, and one is made of the name",
            ));
        }
        if house.has_load(id) {
            return Err(Problem::exists(format!(
                "There is a load with the id \"{id}\" already; nothing was changed. Choose another id, or leave it out."
            )));
        }
        return Ok(id.to_owned());
    }
    let name = value
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let slug = slug(name);
    let base = if slug.is_empty() { fallback } else { &slug };
    let free = (1_u32..=FREE_MAX)
        .map(|n| {
            if n == 1 {
                base.to_owned()
            } else {
                numbered(base, n)
            }
        })
        .find(|id| id != UNMATCHED && !house.has_load(id));
    Ok(free.unwrap_or_default())
}

/// Small letters and digits; everything between becomes one dash.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(ID_MAX);
    slug.trim_end_matches('-').to_owned()
}

fn numbered(base: &str, n: u32) -> String {
    let end = format!("-{n}");
    let keep = base.len().min(ID_MAX - end.len());
    format!(
        "{}{end}",
        base.get(..keep).unwrap_or_default().trim_end_matches('-')
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn house(ids: &[&str]) -> House {
        let loads: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        serde_json::from_value(json!({"config": {"chargers": loads}})).unwrap()
    }

    #[test]
    fn ids_are_made_from_names_and_unique() {
        let long = "a very long name of a charger in the garage";
        for (name, taken, expected) in [
            ("Garage", &[][..], "garage"),
            ("Garage", &["garage"], "garage-2"),
            ("Garage", &["garage", "garage-2"], "garage-3"),
            ("  Søren's bil!  ", &[], "s-ren-s-bil"),
            ("车", &[], "charger"),
            ("", &["charger"], "charger-2"),
            (long, &[], "a-very-long-name-of-a-charger-in"),
            (
                long,
                &["a-very-long-name-of-a-charger-in"],
                "a-very-long-name-of-a-charger-2",
            ),
        ] {
            let id = id_for(&json!({"name": name}), &house(taken), "charger").unwrap();
            assert_eq!(id, expected, "{name}");
            assert!(is_id(&id));
        }
    }

    #[test]
    fn an_id_that_is_taken_is_refused() {
        assert!(id_for(&json!({"id": "a"}), &house(&["a"]), "charger").is_err());
        assert_eq!(
            id_for(&json!({"id": "b"}), &house(&["a"]), "charger").unwrap(),
            "b"
        );
    }

    #[test]
    fn an_id_that_is_none_is_refused_and_not_made_up() {
        for given in [json!(""), json!("A b"), json!(5), json!(["a"]), json!("é")] {
            let refused = id_for(
                &json!({"id": given, "name": "Garage"}),
                &house(&[]),
                "charger",
            );
            assert!(refused.is_err(), "{given}");
        }
        let made = id_for(
            &json!({"id": null, "name": "Garage"}),
            &house(&[]),
            "charger",
        );
        assert_eq!(made.unwrap(), "garage");
    }
}
