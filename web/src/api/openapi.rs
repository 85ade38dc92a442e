//! `GET /openapi.json`: the document of the API, as a test has made it and keeps it true.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::files::{ASK, answer};
use crate::packed;
use crate::problem::Problem;

pub(crate) async fn get(asked: HeaderMap) -> Result<Response, Problem> {
    let document = packed::find("openapi.json", &asked).ok_or_else(Problem::internal)?;
    Ok(answer(document, "application/json", ASK, &asked))
}
