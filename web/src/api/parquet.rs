//! `GET /decisions.parquet`: the columns of the CSV with their types, for notebooks and databases.

use axum::extract::State;
use axum::response::Response;
use headroom_store::Decision;

use super::export::{Format, export};
use super::table;
use crate::app::Shared;
use crate::parquet::Parquet;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn get(State(shared): State<Shared>, params: Params) -> Result<Response, Problem> {
    let kind = ("application/vnd.apache.parquet", "decisions.parquet");
    let (file, head) = Parquet::begin(table::COLUMNS);
    export(shared, params, kind, Box::new(Table { file, head })).await
}

struct Table {
    file: Parquet,
    head: &'static [u8],
}

impl Format for Table {
    fn head(&mut self) -> Vec<u8> {
        self.head.to_vec()
    }

    fn rows(&mut self, decisions: &[Decision]) -> Vec<u8> {
        let rows: Vec<_> = decisions.iter().flat_map(table::rows).collect();
        // A group of no rows is none.
        if rows.is_empty() {
            return Vec::new();
        }
        self.file.group(&rows)
    }

    fn end(&mut self) -> Vec<u8> {
        self.file.end()
    }
}
