//! The contract's table: which path leads where, and who may.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, patch, post, put};
use headroom_store::Role;
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::{
    accounts, alarms, backup, charger_operations, charger_test, chargers, csv, decisions, demo,
    diagnostics, discovery, energy, events, json_lines, loads, metrics, notifications, openapi,
    parquet, people, priorities, readings, site, slow_loads, tls, versions, what_if,
};
use crate::app::{App, Inner, Shared};
use crate::problem::Problem;
use crate::query::no_params;
use crate::{files, guard, origin};

/// Everything that is answered over HTTP.
pub fn router(app: App) -> Router {
    let shared = Inner::new(app);
    let guarded = |router: Router<Shared>, role| {
        router.route_layer(from_fn_with_state(
            (Shared::clone(&shared), role),
            guard::require,
        ))
    };
    let api = open()
        .merge(guarded(viewer(), Role::Viewer))
        .merge(guarded(user(), Role::User))
        .merge(guarded(installer(), Role::Installer));
    let metrics = Router::new().route("/metrics", get(metrics::get));
    Router::new()
        .nest("/api/v1", api)
        .merge(guarded(metrics, Role::Viewer))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/ca.crt", get(tls::authority))
        .fallback(files::serve)
        .method_not_allowed_fallback(files::method_not_allowed)
        .layer(from_fn_with_state(Shared::clone(&shared), tls::redirect))
        .layer(from_fn_with_state(
            Shared::clone(&shared),
            origin::check_host,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(Problem::internal())
        }))
        .layer(from_fn(guard::headers))
        .with_state(shared)
}

/// For everybody.
fn open() -> Router<Shared> {
    let plain = Router::new()
        .route("/setup", post(accounts::set_up))
        .route("/login", post(accounts::log_in));
    unasked(plain)
}

/// Reading, and ending one's own session.
fn viewer() -> Router<Shared> {
    let plain = Router::new()
        .route("/session", get(accounts::session))
        .route("/logout", post(accounts::log_out))
        .route("/openapi.json", get(openapi::get))
        .route("/status", get(site::status))
        .route("/site", get(site::get_site))
        .route("/meter", get(site::get_meter))
        .route("/chargers/{id}", get(chargers::get))
        .route("/chargers/{id}/report", get(charger_test::report))
        .route("/slow-loads/{id}", get(slow_loads::get))
        .route("/priorities", get(priorities::get))
        .route("/decisions/{id}", get(decisions::get))
        .route("/demo", get(demo::get))
        .route("/tls", get(tls::get))
        .route("/what-if", post(what_if::post));
    let asked = Router::new()
        .route("/chargers", get(chargers::list))
        .route("/meter/candidates", get(site::meter_candidates))
        .route("/chargers/unmatched", get(chargers::unmatched))
        .route("/reports", get(charger_test::reports))
        .route("/slow-loads", get(slow_loads::list))
        .route("/discovery", get(discovery::get))
        .route("/decisions", get(decisions::list))
        .route("/decisions.csv", get(csv::get))
        .route("/decisions.jsonl", get(json_lines::get))
        .route("/decisions.parquet", get(parquet::get))
        .route("/readings", get(readings::list))
        .route("/energy", get(energy::list))
        .route("/energy.csv", get(energy::csv))
        .route("/alarms", get(alarms::list))
        .route("/config/versions", get(versions::list))
        .route("/diagnostics", get(diagnostics::get))
        .route("/events", get(events::get));
    unasked(plain).merge(asked)
}

/// Priorities, wishes for loads, and the switches of the demo.
fn user() -> Router<Shared> {
    let plain = Router::new()
        .route("/priorities", put(priorities::put))
        .route("/demo", patch(demo::patch))
        .route("/demo/cars", post(demo::post_car))
        .route("/chargers/{id}/start", post(charger_operations::start))
        .route("/chargers/{id}/stop", post(charger_operations::stop))
        .route("/loads/{id}/{verb}", post(loads::post));
    unasked(plain)
}

/// Everything else.
fn installer() -> Router<Shared> {
    let plain = Router::new()
        .route("/site", put(site::put_site))
        .route("/meter", put(site::put_meter))
        .route("/chargers", post(chargers::post))
        .route(
            "/chargers/{id}",
            delete(chargers::delete).patch(chargers::patch),
        )
        .route(
            "/chargers/{id}/availability",
            post(charger_operations::availability),
        )
        .route("/chargers/{id}/reset", post(charger_operations::reset))
        .route(
            "/chargers/{id}/test",
            post(charger_test::post).delete(charger_test::delete),
        )
        .route("/slow-loads", post(slow_loads::post))
        .route(
            "/slow-loads/{id}",
            delete(slow_loads::delete).patch(slow_loads::patch),
        )
        .route("/config/versions/{n}/restore", post(versions::restore))
        .route(
            "/notifications",
            get(notifications::get).put(notifications::put),
        )
        .route("/notifications/test", post(notifications::test))
        .route("/tls", put(tls::put))
        .route("/backup", post(backup::backup))
        .route("/restore", post(backup::restore))
        .route("/users", post(people::post_user))
        .route("/users/{name}", delete(people::delete_user))
        .route("/tokens", post(people::post_token))
        .route("/tokens/{name}", delete(people::delete_token));
    let asked = Router::new()
        .route("/users", get(people::users))
        .route("/tokens", get(people::tokens));
    unasked(plain).merge(asked)
}

/// Calls that take no parameters behind a question mark: one that is not known is told, as everywhere.
fn unasked(router: Router<Shared>) -> Router<Shared> {
    router.route_layer(from_fn(no_params))
}

async fn healthz(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    if shared.app.health.is_alive() {
        Ok("ok\n")
    } else {
        Err(Problem::unavailable(
            "The loop that guards the fuse has not stepped for 10 s; chargers fall to their safe currents by \
             themselves. Restart Headroom.",
        ))
    }
}

async fn readyz(State(shared): State<Shared>) -> Result<(StatusCode, &'static str), Problem> {
    if shared.app.health.is_ready() {
        Ok((StatusCode::OK, "ready\n"))
    } else {
        Err(Problem::unavailable(
            "Headroom is starting: databases or listeners are not up yet.",
        ))
    }
}
