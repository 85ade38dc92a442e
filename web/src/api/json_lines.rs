//! `GET /decisions.jsonl`: the same decisions for a program, one JSON object on each line.

use axum::extract::State;
use axum::response::Response;
use headroom_store::Decision;

use super::csv::export;
use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn get(State(shared): State<Shared>, params: Params) -> Result<Response, Problem> {
    let kind = ("application/jsonl", "decisions.jsonl");
    export(shared, params, kind, "", line).await
}

/// As `GET /decisions` has it.
fn line(decision: &Decision) -> String {
    serde_json::to_string(decision).map_or_else(|_| String::new(), |line| line + "\n")
}
