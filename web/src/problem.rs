//! Errors as the API tells them: RFC 9457 problem documents with a stable `code` (contract, section 5).
//!
//! The detail says what happened, what stayed safe, and what to do.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headroom_core::validate::FieldError;
use headroom_store::StoreError;
use serde_json::{Map, Value, json};

/// What those who wanted a change must know.
const UNCHANGED: &str = "Nothing was changed.";
/// The first words of messages that go on behind the name of their field.
const VERBS: [&str; 7] = ["must", "cannot", "is", "are", "has", "lacks", "stands"];

/// An error as it is answered.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    pub(crate) fn setup_required() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "setup_required",
            "Nobody has set Headroom up yet. Use the set-up code that it prints when it starts.",
        )
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn csrf(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "csrf", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(crate) fn exists(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "exists", detail)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The request is larger than 1 MiB. Nothing was changed. Send less at a time.",
        )
    }

    pub(crate) fn too_large_for(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub(crate) fn throttled(seconds: u64, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "throttled", detail);
        problem.retry_after_s = Some(seconds.max(1));
        problem
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Headroom failed at this request; the loop that guards the fuse is not touched by it. See the log.",
        )
    }

    /// Values of a change that cannot be right. There is at least one.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::question(errors);
        problem.detail = format!("{UNCHANGED} {}", problem.detail);
        problem
    }

    /// Parameters of a read that cannot be right. There is at least one.
    pub(crate) fn question(errors: Vec<FieldError>) -> Self {
        let what: Vec<_> = errors.iter().map(words).collect();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", what.join(" "));
        problem.errors = errors;
        problem
    }

    /// One parameter of a read that cannot be right.
    pub(crate) fn parameter(name: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::question(vec![FieldError {
            field: name.to_owned(),
            code,
            message: message.into(),
        }])
    }

    /// Says that nothing was changed, where a change was wanted.
    #[must_use]
    pub(crate) fn to(mut self, method: &Method) -> Self {
        if !method.is_safe() {
            self.detail = format!("{} {UNCHANGED}", self.detail);
        }
        self
    }

    /// One value that cannot be right.
    pub(crate) fn field(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            field: field.to_owned(),
            code,
            message: message.into(),
        }])
    }

    /// Paths of fields as the sender wrote them: without what leads to the object that was sent.
    #[must_use]
    pub(crate) fn relative_to(mut self, prefix: &str) -> Self {
        if self.errors.is_empty() {
            return self;
        }
        for error in &mut self.errors {
            if let Some(rest) = error.field.strip_prefix(prefix) {
                error.field = rest.to_owned();
            }
        }
        Self::invalid(self.errors)
    }
}

/// Most messages go on behind the name of their field; a sentence of its own stands behind a colon.
fn words(error: &FieldError) -> String {
    let FieldError { field, message, .. } = error;
    let name = if field.is_empty() {
        "The request"
    } else {
        field
    };
    let first = message.split([' ', ':']).next().unwrap_or_default();
    if VERBS.contains(&first) {
        format!("{name} {message}.")
    } else {
        format!("{name}: {message}.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("type".to_owned(), "about:blank".into());
        body.insert("title".to_owned(), self.status.canonical_reason().into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("code".to_owned(), self.code.into());
        body.insert("detail".to_owned(), self.detail.into());
        if !self.errors.is_empty() {
            let error = |error: &FieldError| json!({"field": error.field, "code": error.code, "message": error.message});
            let errors: Vec<Value> = self.errors.iter().map(error).collect();
            body.insert("errors".to_owned(), errors.into());
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists => Self::exists(
                "There is one of that name already; nothing was changed. Choose another name.",
            ),
            StoreError::NotFound => {
                Self::not_found("There is none of that name; nothing was changed.")
            }
            StoreError::TooMany => {
                Self::field("name", "range", "is one too many: remove another first")
            }
            StoreError::LastInstaller => Self::field(
                "name",
                "conflict",
                "is the last installer, without whom nobody could configure the house: make another first",
            ),
            StoreError::AlreadySetUp => {
                Self::exists("The set-up has been done already; nothing was changed. Log in.")
            }
            StoreError::WrongCode => Self::unauthenticated(
                "The set-up code is another one. Headroom prints it when it starts; see its output or its log.",
            ),
            error => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
                Self::unavailable(format!(
                    "Nothing was changed, and the fuse is guarded all the same: {error}."
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    const DOCUMENT: &str = include_str!("../../docs/errors/README.md");

    /// The first text behind each `new(` of a problem, in all sources.
    fn codes_in(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes_in(&path, found);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for call in ["Problem::new(", "Self::new("] {
                for piece in source.split(call).skip(1) {
                    let code = piece.trim_start().strip_prefix("StatusCode::");
                    if let Some(code) = code.and_then(|rest| rest.split('"').nth(1)) {
                        found.insert(code.to_owned());
                    }
                }
            }
        }
    }

    #[test]
    fn every_code_has_its_section() {
        let mut codes = BTreeSet::new();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        codes_in(&sources, &mut codes);
        assert!(codes.len() >= 14, "{codes:?}");
        codes.extend(crate::tests::FIELD_CODES.map(str::to_owned));
        for code in codes {
            let is_there = DOCUMENT.lines().any(|line| line == format!("## {code}"));
            assert!(is_there, "docs/errors/README.md lacks the section {code}");
        }
    }

    #[test]
    fn a_message_reads_well_behind_the_name_of_its_field() {
        for (field, message, sentence) in [
            ("margin_a", "must be above 0", "margin_a must be above 0."),
            ("", "must be an object", "The request must be an object."),
            (
                "source",
                "there is no source serail:",
                "source: there is no source serail:.",
            ),
            (
                "circuits.a.id",
                "another circuit has this id",
                "circuits.a.id: another circuit has this id.",
            ),
        ] {
            let error = FieldError {
                field: field.to_owned(),
                code: "format",
                message: message.to_owned(),
            };
            assert_eq!(words(&error), sentence);
        }
    }
}
