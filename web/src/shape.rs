//! Objects stay objects.
//!
//! Serde takes an array for a struct, field by field in order, and an empty one for a struct whose fields
//! all have defaults. A JSON API must not: `[]` would reset a whole site. So what was read is written
//! again, and an array that became an object is told.

use serde_json::Value;

/// The path of the first array in `sent` that was read as an object; `taken` is what was read, written
/// again.
pub fn array_for_object(sent: &Value, taken: &Value) -> Option<String> {
    find(sent, taken, String::new())
}

fn find(sent: &Value, taken: &Value, path: String) -> Option<String> {
    match (sent, taken) {
        (Value::Array(_), Value::Object(_)) => Some(path),
        (Value::Object(sent), Value::Object(taken)) => sent.iter().find_map(|(key, sent)| {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            find(sent, taken.get(key)?, path)
        }),
        (Value::Array(sent), Value::Array(taken)) => sent
            .iter()
            .zip(taken)
            .enumerate()
            .find_map(|(index, (sent, taken))| find(sent, taken, format!("{path}[{index}]"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::config::Site;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_array_for_an_object_is_found_wherever_it_stands() {
        let cases = [
            (json!([]), Some("")),
            (json!({"main_fuse": [25]}), Some("main_fuse")),
            (json!({"tuning": []}), Some("tuning")),
            (
                json!({"circuits": [["garage", "main", 20]]}),
                Some("circuits[0]"),
            ),
            (json!({"main_fuse": {"rating_a": [25, 25, 20]}}), None),
            (json!({"circuits": []}), None),
            (json!({}), None),
        ];
        for (sent, expected) in cases {
            let site: Site = serde_json::from_value(sent.clone()).unwrap();
            let taken = serde_json::to_value(site).unwrap();
            assert_eq!(
                array_for_object(&sent, &taken).as_deref(),
                expected,
                "{sent}"
            );
        }
    }
}
