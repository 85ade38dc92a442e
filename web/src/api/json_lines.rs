//! `GET /decisions.jsonl`: the same decisions for a program, one JSON object on each line.

use axum::extract::State;
use axum::response::Response;
use headroom_store::Decision;

use super::export::{Format, export};
use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn get(State(shared): State<Shared>, params: Params) -> Result<Response, Problem> {
    let kind = ("application/jsonl", "decisions.jsonl");
    export(shared, params, kind, Box::new(JsonLines)).await
}

struct JsonLines;

impl Format for JsonLines {
    /// As `GET /decisions` has them.
    fn rows(&mut self, decisions: &[Decision]) -> Vec<u8> {
        let line = |decision| {
            serde_json::to_string(decision).map_or_else(|_| String::new(), |line| line + "\n")
        };
        decisions.iter().map(line).collect::<String>().into_bytes()
    }
}
