//! `POST /setup`, `/login`, `/logout`, `GET /session`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Extension, Json};
use headroom_store::{
    PASSWORD_CHARACTERS, Role, Session, StoreError, hash_password, verify_password,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{Inner, Shared};
use crate::body::{Sent, typed};
use crate::guard::same_origin_only;
use crate::identity::{By, COOKIE, Who, cookie, csrf_of_session};
use crate::problem::Problem;
use crate::serve::Secure;

/// Longest name of a user or token, in characters.
const NAME_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetUp {
    code: String,
    name: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    name: String,
    password: String,
}

/// The address that a request comes from.
#[derive(Debug)]
pub(crate) struct Peer(IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(
            peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip()),
        ))
    }
}

pub(crate) async fn set_up(
    State(shared): State<Shared>,
    Peer(peer): Peer,
    secure: Option<Extension<Secure>>,
    headers: HeaderMap,
    Sent(value): Sent,
) -> Result<impl IntoResponse, Problem> {
    same_origin_only(&headers)?;
    let SetUp {
        code,
        name,
        password,
    } = typed(value)?;
    check_name(&name)?;
    check_password(&password)?;
    begin_try(&shared, peer)?;
    let state = &shared.app.state;
    state.check_setup_code(&code).await?;
    let hash = hash(&shared, password).await?;
    state.set_up(&code, &name, &hash).await?;
    shared.throttle.succeed(peer);
    tracing::info!(user = name, "the first installer was made");
    let session = state.begin_session(&name, Timestamp::now()).await?;
    let begun = begun(&session, Role::Installer, secure.is_some());
    Ok((StatusCode::CREATED, begun))
}

pub(crate) async fn log_in(
    State(shared): State<Shared>,
    Peer(peer): Peer,
    secure: Option<Extension<Secure>>,
    headers: HeaderMap,
    Sent(value): Sent,
) -> Result<impl IntoResponse, Problem> {
    same_origin_only(&headers)?;
    let LogIn { name, password } = typed(value)?;
    let state = &shared.app.state;
    if !state.is_set_up().await? {
        return Err(Problem::setup_required());
    }
    begin_try(&shared, peer)?;
    let stored = state.password_hash(&name).await?;
    if !verify(&shared, password, stored).await? {
        tracing::warn!(%peer, "a wrong name or password");
        return Err(wrong_password());
    }
    shared.throttle.succeed(peer);
    let session = match state.begin_session(&name, Timestamp::now()).await {
        Ok(session) => session,
        // Removed at this very moment.
        Err(StoreError::Database(_)) if state.password_hash(&name).await?.is_none() => {
            return Err(wrong_password());
        }
        Err(error) => return Err(error.into()),
    };
    let user = state
        .session(&session.token, Timestamp::now())
        .await?
        .ok_or_else(wrong_password)?;
    Ok(begun(&session, user.role, secure.is_some()))
}

pub(crate) async fn log_out(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    if let Some(secret) = cookie(&headers) {
        shared.app.state.end_session(secret).await?;
    }
    let forget = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(header::SET_COOKIE, forget)]),
    ))
}

/// Who asks, and what to send with changes.
pub(crate) async fn session(State(shared): State<Shared>, who: Who) -> Json<Value> {
    Json(json!({
        "role": who.role,
        "name": who.name,
        "csrf": shared.csrf_of(&who),
        "demo": matches!(who.by, By::Demo),
    }))
}

/// A cookie that came over TLS never leaves it.
fn begun(session: &Session, role: Role, is_secure: bool) -> impl IntoResponse + use<> {
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}",
        session.token,
        session.lasts.as_secs(),
        if is_secure { "; Secure" } else { "" }
    );
    let answer = json!({"role": role, "csrf": csrf_of_session(&session.token)});
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Json(answer))
}

fn wrong_password() -> Problem {
    Problem::unauthenticated(
        "The name or the password is wrong. Who has forgotten it asks an installer for a new user, or runs \
         `headroom password reset` on the computer that Headroom runs on.",
    )
}

fn begin_try(shared: &Inner, peer: IpAddr) -> Result<(), Problem> {
    shared.throttle.begin(peer).map_err(|wait| {
        let seconds = wait.as_secs_f64().ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 300")]
        let seconds = seconds as u64;
        Problem::throttled(
            seconds,
            format!("There were too many wrong tries. Wait {seconds} s. The fuse is guarded all the same."),
        )
    })
}

/// What a name must be, to stand behind the name of its field.
pub const NAME_RULE: &str = "must be 1 to 64 characters without spaces around them";

/// Whether a text can be the name of a user or a token.
pub fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control)
}

pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    if is_name(name) {
        Ok(())
    } else {
        Err(Problem::field("name", "format", NAME_RULE))
    }
}

pub(crate) fn check_password(password: &str) -> Result<(), Problem> {
    if PASSWORD_CHARACTERS.contains(&password.chars().count()) {
        Ok(())
    } else {
        Err(Problem::field(
            "password",
            "range",
            "must have 12 to 128 characters; there is no other rule",
        ))
    }
}

/// Hashes a password where it blocks nobody, one at a time.
pub(crate) async fn hash(shared: &Inner, password: String) -> Result<String, Problem> {
    let _turn = shared
        .hashers
        .acquire()
        .await
        .map_err(|_| Problem::internal())?;
    let hash = tokio::task::spawn_blocking(move || hash_password(&password)).await;
    Ok(hash.map_err(|_| Problem::internal())??)
}

async fn verify(shared: &Inner, password: String, stored: Option<String>) -> Result<bool, Problem> {
    // Nobody has a longer one; and hashing it would cost as much as the sender likes.
    if password.chars().count() > *PASSWORD_CHARACTERS.end() {
        return Ok(false);
    }
    let _turn = shared
        .hashers
        .acquire()
        .await
        .map_err(|_| Problem::internal())?;
    let verify = move || verify_password(&password, stored.as_deref());
    tokio::task::spawn_blocking(verify)
        .await
        .map_err(|_| Problem::internal())
}
