//! A part of the configuration that came in a file, told as the API tells its bodies.

use headroom_core::validate::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::shape::array_for_object;
use crate::words::field_error_in;

/// Reads a part. What does not fit is told in words, its field below `path`.
///
/// # Errors
/// The first field of the part that is not known or cannot be what it is.
pub fn part<T: DeserializeOwned + Serialize>(path: &str, value: &Value) -> Result<T, FieldError> {
    let below = |field: &str| {
        if field.is_empty() {
            path.to_owned()
        } else {
            format!("{path}.{field}")
        }
    };
    let list = |field: &str| FieldError {
        field: below(field),
        code: "type",
        message: "must be a table, not a list".to_owned(),
    };
    if value.is_array() {
        return Err(list(""));
    }
    let typed: T = serde_path_to_error::deserialize(value.clone()).map_err(|error| {
        let field = error.path().to_string();
        let field = if field == "." { String::new() } else { field };
        let error = field_error_in(value, field, &error.into_inner().to_string());
        FieldError {
            field: below(&error.field),
            ..error
        }
    })?;
    let understood = serde_json::to_value(&typed).unwrap_or_default();
    match array_for_object(value, &understood) {
        Some(field) => Err(list(&field)),
        None => Ok(typed),
    }
}
