//! Decisions as rows and columns: one row for each command, and one for a decision without any.

use headroom_core::Command;
use headroom_store::Decision;

use super::csv::word;
use crate::parquet::{Cell, Column, Kind};

const fn needed(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        optional: false,
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        optional: true,
    }
}

/// The columns, of the decision first, then of its command.
pub(super) const COLUMNS: &[Column] = &[
    needed("id", Kind::Number),
    needed("time", Kind::Time),
    needed("state", Kind::Text),
    needed("reason_code", Kind::Text),
    needed("reason", Kind::Text),
    column("command", Kind::Number),
    column("load", Kind::Text),
    column("limit_a", Kind::Float),
    column("on", Kind::Bool),
    column("phases", Kind::Number),
    column("renewal", Kind::Bool),
    column("action_code", Kind::Text),
    column("action_reason", Kind::Text),
    column("outcome", Kind::Text),
    column("sent_at", Kind::Time),
    column("acknowledged_at", Kind::Time),
    column("seen_at", Kind::Time),
];

/// The rows of a decision.
pub(super) fn rows(decision: &Decision) -> Vec<Vec<Cell>> {
    let head = [
        Cell::Number(decision.id),
        Cell::Time(decision.time),
        Cell::Text(decision.state.clone()),
        Cell::Text(word(&decision.reason.code)),
        Cell::Text(decision.reason.text.clone()),
    ];
    if decision.actions.is_empty() {
        let mut row = head.to_vec();
        row.resize(COLUMNS.len(), Cell::Empty);
        return vec![row];
    }
    let time = |time: Option<jiff::Timestamp>| time.map_or(Cell::Empty, Cell::Time);
    let row = |sent: &headroom_store::DecisionAction| {
        let action = &sent.action;
        let (limit, on, phases) = match &action.what {
            Command::SetLimit {
                limit_a, phases, ..
            } => (
                Cell::Float(limit_a.to_f64()),
                Cell::Empty,
                Cell::Number(i64::from(*phases)),
            ),
            Command::Switch { on, .. } => (Cell::Empty, Cell::Bool(*on), Cell::Empty),
        };
        let mut row = head.to_vec();
        row.extend([
            Cell::Number(i64::try_from(action.command).unwrap_or(i64::MAX)),
            Cell::Text(action.what.load().to_owned()),
            limit,
            on,
            phases,
            Cell::Bool(action.renewal),
            Cell::Text(word(&action.reason.code)),
            Cell::Text(action.reason.text.clone()),
            Cell::Text(
                sent.outcome
                    .as_ref()
                    .map_or_else(|| "pending".to_owned(), word),
            ),
            time(sent.sent_at),
            time(sent.acknowledged_at),
            time(sent.seen_at),
        ]);
        row
    };
    decision.actions.iter().map(row).collect()
}
