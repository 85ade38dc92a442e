//! `GET,POST /users`, `GET,POST /tokens`, `DELETE …/{name}`. For installers only.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use headroom_store::{Page, Role, Token, User};
use serde::Deserialize;
use serde_json::{Value, json};

use super::accounts::{check_name, check_password, hash};
use crate::app::Shared;
use crate::body::{Sent, typed};
use crate::identity::Who;
use crate::problem::Problem;
use crate::query::{Params, page};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    name: String,
    password: String,
    role: Role,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    role: Role,
}

pub(crate) async fn users(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<User>>, Problem> {
    page(params, shared.app.state.users().await?, |user| &user.name).map(Json)
}

pub(crate) async fn post_user(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<(StatusCode, Json<User>), Problem> {
    let NewUser {
        name,
        password,
        role,
    } = typed(value)?;
    check_name(&name)?;
    check_password(&password)?;
    let hash = hash(&shared, password).await?;
    let user = shared.app.state.create_user(&name, role, &hash).await?;
    tracing::info!(who = who.author(), user = name, "a user was made");
    Ok((StatusCode::CREATED, Json(user)))
}

pub(crate) async fn delete_user(
    State(shared): State<Shared>,
    who: Who,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    shared.app.state.delete_user(&name).await?;
    tracing::info!(who = who.author(), user = name, "a user was removed");
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn tokens(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Page<Token>>, Problem> {
    page(params, shared.app.state.tokens().await?, |token| {
        &token.name
    })
    .map(Json)
}

pub(crate) async fn post_token(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let NewToken { name, role } = typed(value)?;
    check_name(&name)?;
    let (token, secret) = shared.app.state.create_token(&name, role).await?;
    tracing::info!(who = who.author(), token = name, "a token was made");
    let answer = json!({"id": token.id, "name": token.name, "role": token.role, "secret": secret});
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(crate) async fn delete_token(
    State(shared): State<Shared>,
    who: Who,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    shared.app.state.delete_token(&name).await?;
    tracing::info!(who = who.author(), token = name, "a token was removed");
    Ok(StatusCode::NO_CONTENT)
}
