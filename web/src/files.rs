//! The page, built into the program (`web/dist`; read from disk in debug builds).

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "dist"]
struct Page;

/// A year: the name of what it is for has a hash behind the question mark.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked for again each time.
const ASK: &str = "no-cache";

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
    let Some(file) = Page::get(name) else {
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
    let hash = file.metadata.sha256_hash();
    let tag = URL_SAFE_NO_PAD.encode(hash);
    let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) else {
        return Problem::internal().into_response();
    };
    let versioned = request
        .uri()
        .query()
        .is_some_and(|query| query.starts_with("v="));
    let keep = if versioned { FOR_EVER } else { ASK };
    let known = request.headers().get(header::IF_NONE_MATCH) == Some(&tag);
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(content_type(name)),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        (header::ETAG, tag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, file.data.into_owned()).into_response()
    }
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
