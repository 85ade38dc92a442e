//! The page, built into the program (`web/dist`; [`crate::packed`]).

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::packed::{self, File};
use crate::problem::Problem;

/// A year: the name of what it is for has a hash behind the question mark.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked for again each time.
pub(crate) const ASK: &str = "no-cache";

/// What a browser gets for a path that is none. Without styles: the policy of the page allows none inside.
const NO_SUCH_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Headroom: not found</title>\
    <h1>There is no such page</h1><p><a href=\"/\">Go to Headroom's page</a></p></html>";

/// Whether a person in a browser asks, and no program.
fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Serves a file of the page; everything else is not found.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Problem::not_found(format!(
            "There is nothing at {path}. Check the path, and the version of Headroom."
        ))
        .into_response();
    }
    let name = path.trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    let Some(file) = packed::find(&format!("dist/{name}"), request.headers()) else {
        let text = format!("There is no page at {path}. The page is at /.");
        return if wants_html(&request) {
            (StatusCode::NOT_FOUND, Html(NO_SUCH_PAGE)).into_response()
        } else {
            Problem::not_found(text).into_response()
        };
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return method_not_allowed(request.method().clone()).await;
    }
    let versioned = request
        .uri()
        .query()
        .is_some_and(|query| query.starts_with("v="));
    let keep = if versioned { FOR_EVER } else { ASK };
    answer(file, content_type(name), keep, request.headers())
}

/// A file, or that it is still the same.
pub(crate) fn answer(
    file: File,
    content_type: &'static str,
    keep: &'static str,
    asked: &HeaderMap,
) -> Response {
    let known = asked.get(header::IF_NONE_MATCH) == Some(&file.tag);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::ETAG, file.tag),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let mut response = (headers, Bytes::from_owner(file.bytes)).into_response();
    if file.is_gzip {
        let gzip = HeaderValue::from_static("gzip");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, gzip);
    }
    response
}

/// A path that is there, asked in a way that it does not know.
pub(crate) async fn method_not_allowed(method: Method) -> Response {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("This path does not know {method}; the header Allow tells what it knows."),
    )
    .to(&method)
    .into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
