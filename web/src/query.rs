//! Parameters after the question mark, with the same care as bodies.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use headroom_core::validate::FieldError;
use headroom_store::Page;
use jiff::Timestamp;

use crate::problem::Problem;

/// Rows of a page when nobody says how many.
const LIMIT: u16 = 50;
const LIMITS: std::ops::RangeInclusive<u16> = 1..=500;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Params {
    given: BTreeMap<String, String>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable =
            || Problem::malformed("What stands behind the question mark cannot be read.");
        if !parts.uri.query().is_none_or(is_escaped) {
            return Err(unreadable());
        }
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable())?;
        let mut params = Self {
            given: BTreeMap::new(),
            errors: Vec::new(),
        };
        for (name, value) in pairs.0 {
            if params.given.insert(name.clone(), value).is_some() {
                params.error(&name, "duplicate", "stands there twice");
            }
        }
        Ok(params)
    }
}

/// Whether each percent sign is followed by the two digits of a byte: others would be taken as they stand, and be looked for.
fn is_escaped(query: &str) -> bool {
    query.split('%').skip(1).all(|after| {
        let byte = after.as_bytes().first_chunk::<2>();
        byte.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Lets requests through whose path stands alone.
pub(crate) async fn no_params(params: Params, request: Request, next: Next) -> Response {
    match params.finish() {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.to(request.method()).into_response(),
    }
}

impl Params {
    fn error(&mut self, field: &str, code: &'static str, message: &str) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            code,
            message: message.to_owned(),
        });
    }

    /// A text, if it is there.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name)
    }

    /// A time, if it is there.
    pub(crate) fn time(&mut self, name: &str) -> Option<Timestamp> {
        // A plus sign that nobody escaped has become a space.
        let text = self.given.remove(name)?.replace(' ', "+");
        let time = text.parse().ok();
        if time.is_none() {
            self.error(
                name,
                "format",
                "must be a time such as 2026-01-15T11:00:00Z",
            );
        }
        time
    }

    /// `true` or `false`; not there is `false`.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.given.remove(name).as_deref() {
            Some("true" | "1") => true,
            None | Some("false" | "0") => false,
            Some(_) => {
                self.error(name, "format", "must be true or false");
                false
            }
        }
    }

    /// A whole number within a range, if it is there.
    pub(crate) fn number<T>(&mut self, name: &str, range: &std::ops::RangeInclusive<T>) -> Option<T>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let number = self
            .given
            .remove(name)?
            .parse()
            .ok()
            .filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!(
                "must be a whole number from {} to {}",
                range.start(),
                range.end()
            );
            self.error(name, "range", &message);
        }
        number
    }

    /// How many rows a page has.
    pub(crate) fn limit(&mut self) -> u16 {
        self.number("limit", &LIMITS).unwrap_or(LIMIT)
    }

    /// Where the page before ended, when rows are numbered.
    pub(crate) fn cursor(&mut self) -> Option<i64> {
        self.number("cursor", &(0..=i64::MAX))
    }

    /// Nothing else may stand there, and what stood there must have been right.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.error(&name, "unknown", "is not known here");
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::question(self.errors))
        }
    }
}

/// A page of a list that is in memory; the cursor is the id of the last item.
pub(crate) fn page<T>(
    mut params: Params,
    items: Vec<T>,
    id: impl Fn(&T) -> &str,
) -> Result<Page<T>, Problem> {
    let limit = usize::from(params.limit());
    let cursor = params.text("cursor");
    params.finish()?;
    let skip = match cursor {
        None => 0,
        Some(cursor) => match items.iter().position(|item| id(item) == cursor) {
            Some(index) => index + 1,
            None => {
                return Err(Problem::parameter(
                    "cursor",
                    "unknown",
                    "is of no item that is there",
                ));
            }
        },
    };
    let more = items.len().saturating_sub(skip) > limit;
    let items: Vec<T> = items.into_iter().skip(skip).take(limit).collect();
    let next = items
        .last()
        .filter(|_| more)
        .map(|item| id(item).to_owned());
    Ok(Page { items, next })
}
