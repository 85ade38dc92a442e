//! JSON bodies: limited in size and time, and told field by field what is wrong with them.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Problem;
use crate::shape::array_for_object;
use crate::unique::Unique;
use crate::words::field_error_in;

/// Largest body (decision of the project; the largest configuration is far smaller).
const BODY_MAX: usize = 1024 * 1024;
/// A body that has not arrived by then never will.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A body that is JSON.
#[derive(Debug)]
pub(crate) struct Sent(pub(crate) Value);

/// A body that is JSON, or nothing.
#[derive(Debug)]
pub(crate) struct MaybeSent(pub(crate) Value);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        parse(&read(request).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for MaybeSent {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request).await?;
        let empty = bytes.iter().all(u8::is_ascii_whitespace);
        if empty {
            Ok(Self(Value::Object(serde_json::Map::new())))
        } else {
            parse(&bytes).map(Self)
        }
    }
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_MAX) {
        return Err(Problem::too_large());
    }
    let body: Body = request.into_body();
    match tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_MAX)).await {
        Err(_) => Err(Problem::malformed(
            "The request did not arrive within 10 s. Nothing was changed.",
        )),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            use std::error::Error;
            let mut source: Option<&dyn Error> = Some(&error);
            while let Some(error) = source {
                // The only error of this reader that is not the connection's.
                if error.to_string().contains("length limit exceeded") {
                    return Err(Problem::too_large());
                }
                source = error.source();
            }
            Err(Problem::malformed(
                "The request broke off. Nothing was changed.",
            ))
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Unique(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            Problem::field(&field, "duplicate", "stands there twice")
        } else if is_no_number(bytes, &error) && field != "." {
            Problem::field(&field, "range", "must be a finite number")
        } else {
            not_json(&error)
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::malformed(format!(
        "The request is not JSON ({error}). Nothing was changed."
    ))
}

/// `NaN`, `Infinity` and numbers beyond every size are not JSON, but who sends them meant a value: it is told
/// which field they stand in.
fn is_no_number(bytes: &[u8], error: &serde_json::Error) -> bool {
    let line_start = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let at = line_start + error.column().saturating_sub(1);
    let (before, rest) = bytes.split_at(at.min(bytes.len()));
    let is_word = ["NaN", "Infinity"].iter().any(|word| {
        rest.starts_with(word.as_bytes())
            || (before.ends_with(b"-") && rest.starts_with(word.as_bytes()))
    });
    is_word || error.to_string().starts_with("number out of range")
}

/// A value as a part of the configuration. Stricter than [`typed`]: serde would take a list for an object, field
/// by field in their order.
pub(crate) fn configured<T: DeserializeOwned + Serialize>(value: &Value) -> Result<T, Problem> {
    let typed: T = typed(value.clone())?;
    let understood = serde_json::to_value(&typed).map_err(|_| Problem::internal())?;
    match array_for_object(value, &understood) {
        Some(path) => Err(Problem::field(
            &path,
            "type",
            "must be an object, not a list",
        )),
        None => Ok(typed),
    }
}

/// An object as a type; what does not fit is told with the path of its field.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::field("", "type", "must be an object"));
    }
    let sent = value.clone();
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let message = error.into_inner().to_string();
        Problem::invalid(vec![field_error_in(&sent, path, &message)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up_after_ten_seconds() {
        let begin = tokio::time::Instant::now();
        let drip = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        let request = Request::new(Body::from_stream(drip));
        assert!(Sent::from_request(request, &()).await.is_err());
        assert_eq!(begin.elapsed().as_secs(), BODY_TIME.as_secs());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_field() {
        for (text, code, field) in [
            (r#"{"a": {"limit_a": NaN}}"#, "range", "a.limit_a"),
            ("{\n  \"limit_a\":\n -Infinity}", "range", "limit_a"),
            (
                r#"{"b": [{}, {"limit_a": -1e400}]}"#,
                "range",
                "b[1].limit_a",
            ),
            (
                r#"{"a": {"limit_a": 6, "b": 1, "limit_a": 7}}"#,
                "duplicate",
                "a.limit_a",
            ),
        ] {
            let told = format!("{:?}", parse(text.as_bytes()).unwrap_err());
            assert!(told.contains(&format!("field: \"{field}\"")), "{told}");
            assert!(told.contains(&format!("code: \"{code}\"")), "{told}");
        }
        for text in [
            r#"{"limit_a": Nothing}"#,
            "NaN",
            "{} {}",
            "",
            "{\"a\"",
            "[1",
        ] {
            let told = format!("{:?}", parse(text.as_bytes()).unwrap_err());
            assert!(told.contains("malformed"), "{text}: {told}");
        }
    }
}
