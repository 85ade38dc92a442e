//! `GET /decisions.csv`: the same decisions for a spreadsheet, one row for each command.

use std::fmt::Write;

use axum::extract::State;
use axum::response::Response;
use headroom_store::Decision;

use super::export::{Format, export};
use super::table;
use crate::app::Shared;
use crate::parquet::Cell;
use crate::problem::Problem;
use crate::query::Params;

pub(crate) async fn get(State(shared): State<Shared>, params: Params) -> Result<Response, Problem> {
    let kind = ("text/csv; charset=utf-8", "decisions.csv");
    export(shared, params, kind, Box::new(Csv)).await
}

struct Csv;

impl Format for Csv {
    fn head(&mut self) -> Vec<u8> {
        let mut text = String::new();
        let names = table::COLUMNS.iter().map(|column| column.name.to_owned());
        row(&mut text, names);
        text.into_bytes()
    }

    fn rows(&mut self, decisions: &[Decision]) -> Vec<u8> {
        let mut text = String::new();
        for cells in decisions.iter().flat_map(table::rows) {
            row(&mut text, cells.into_iter().map(cell));
        }
        text.into_bytes()
    }
}

fn cell(cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(it) => it.to_string(),
        Cell::Number(it) => it.to_string(),
        Cell::Float(it) => it.to_string(),
        Cell::Text(it) => it,
        Cell::Time(it) => format!("{it:.3}"),
    }
}

pub(super) fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    for (n, cell) in cells.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(&quoted(&cell));
    }
    text.push_str("\r\n");
}

/// RFC 4180; and what a spreadsheet would run as a formula gets an apostrophe before it. A number is none.
fn quoted(cell: &str) -> String {
    let formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\n', '\r', '\'']) {
        let mut quoted = String::with_capacity(cell.len() + 2);
        let written = write!(quoted, "\"{}\"", cell.replace('"', "\"\""));
        debug_assert!(written.is_ok(), "a String takes everything");
        quoted
    } else {
        cell
    }
}

/// The name of a plain enum variant, as the API writes it.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text_and_never_formulas() {
        for (cell, expected) in [
            ("plain", "plain"),
            ("-12.5", "-12.5"),
            ("-1+2", "\"'-1+2\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
