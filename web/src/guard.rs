//! The guards before the handlers: role, CSRF, and the headers of every answer.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use headroom_store::{Role, same_secret};

use crate::app::Shared;
use crate::identity::{By, Who};
use crate::origin::is_same_origin;
use crate::problem::Problem;

/// No script, style or connection but our own; the page has nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Lets through whoever has at least the role; handlers get [`Who`].
pub(crate) async fn require(
    State((shared, role)): State<(Shared, Role)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&shared, role, request.method(), request.headers()).await {
        Ok(who) => {
            if matches!(who.by, By::Token | By::Session { .. }) {
                shared.note_clear(request.extensions());
            }
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    shared: &Shared,
    role: Role,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Who, Problem> {
    let who = shared.identify(method, headers).await?;
    if is_change(method) {
        check_change(shared, &who, headers)?;
    }
    if who.role < role {
        return Err(Problem::forbidden(format!(
            "This needs the role {}, and yours is {}.",
            role.as_str(),
            who.role.as_str()
        ))
        .to(method));
    }
    Ok(who)
}

/// Changes by cookie must prove that our own page makes them.
fn check_change(shared: &Shared, who: &Who, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(who.by, By::Token) {
        return Ok(());
    }
    same_origin_only(headers)?;
    if let By::Session { .. } = who.by {
        let given = headers
            .get("x-csrf-token")
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        if !same_secret(given, shared.csrf_of(who).as_bytes()) {
            return Err(Problem::csrf(
                "The X-CSRF-Token of this session is missing or wrong; nothing was changed. GET /api/v1/session \
                 tells it.",
            ));
        }
    }
    Ok(())
}

/// Refuses what a page of somebody else makes a browser send.
pub(crate) fn same_origin_only(headers: &HeaderMap) -> Result<(), Problem> {
    if is_same_origin(headers) {
        Ok(())
    } else {
        Err(Problem::csrf(
            "The request comes from another page. Nothing was changed.",
        ))
    }
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only a route outside of every group could lack it.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}

/// Headers of every answer. What a handler has set stays.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
