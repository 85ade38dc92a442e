//! `GET,PUT /tls`, `GET /ca.crt`, and the way from plain HTTP to TLS.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::Shared;
use crate::body::{Sent, typed};
use crate::identity::Who;
use crate::problem::Problem;
use crate::serve::Secure;
use crate::tls::{TlsSettings, TlsView};

/// What is answered over plain HTTP all the same: for probes, and for who does not trust the authority yet.
const PLAIN: [&str; 3] = ["/healthz", "/readyz", "/ca.crt"];

pub(crate) async fn get(State(shared): State<Shared>) -> Json<TlsView> {
    Json(shared.app.tls.view())
}

/// In force at once: new connections are made in the new way.
pub(crate) async fn put(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<Json<TlsView>, Problem> {
    let settings: TlsSettings = typed(value)?;
    let errors = settings.check();
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let tls = Arc::clone(&shared.app.tls);
    let set = tokio::task::spawn_blocking(move || tls.set(settings)).await;
    match set {
        Ok(Ok(())) => {
            tracing::info!(who = who.author(), "TLS was set");
            Ok(Json(shared.app.tls.view()))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "TLS was not set");
            Err(Problem::unavailable(format!(
                "Nothing was changed, and the page is reached as before: {error}."
            )))
        }
        Err(_) => Err(Problem::internal()),
    }
}

pub(crate) async fn authority(State(shared): State<Shared>) -> Result<Response, Problem> {
    let pem = shared.app.tls.authority().ok_or_else(|| {
        Problem::not_found(
            "There is no authority yet: PUT /tls with the mode self_signed makes one.",
        )
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"headroom-ca.crt\"",
        ),
    ];
    Ok((headers, pem).into_response())
}

/// While TLS is on, plain HTTP leads there (308: with the same method and body).
pub(crate) async fn redirect(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let is_secure = request.extensions().get::<Secure>().is_some();
    let path = request.uri().path();
    if is_secure || PLAIN.contains(&path) || shared.app.tls.acceptor().is_none() {
        return next.run(request).await;
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
    let rest = request
        .uri()
        .path_and_query()
        .map_or("/", |rest| rest.as_str());
    let target = HeaderValue::try_from(format!("https://{}{rest}", host.unwrap_or_default()));
    match target {
        Ok(target) => {
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, target)]).into_response()
        }
        Err(_) => {
            Problem::malformed("The address cannot be read. Ask over https://.").into_response()
        }
    }
}
