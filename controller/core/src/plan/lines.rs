//! Which loads count on which line: found anew when that changes, and the same from plan to plan until then.

use std::sync::Arc;

use super::Circuit;
use super::circuit::{feeds_at, place_of};
use crate::config::Grid;
use crate::load::Load;
use crate::units::Phase;

/// A line of a circuit with the loads that count on it: how often the current of each does.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Where its circuit stands, and the name of that.
    pub(super) circuit: usize,
    pub(super) id: Arc<str>,
    pub(super) phase: Phase,
    /// By the lines that each load uses as it was told…
    pub(super) draws: Arc<[u8]>,
    /// …by those that it may use as far as anybody knows…
    pub(super) may_draw: Arc<[u8]>,
    /// …and by how many phases it uses.
    pub(super) by_phases: Arc<ByPhases>,
}

/// How often the current of each load counts on a line…
#[derive(Clone, Debug)]
pub(super) struct ByPhases {
    /// …when it uses all of its phases…
    pub(super) all: Arc<[u8]>,
    /// …and when it uses one.
    pub(super) one: Arc<[u8]>,
}

/// The lines on which a load counts: as it was told, as far as anybody knows, on all of its phases, and on one. A bit for
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Uses {
    draws: u8,
    may_draw: u8,
    on_all: u8,
    on_one: u8,
}

impl Uses {
    fn of(load: &Load) -> Self {
        let bits = |lines: &[Phase]| lines.iter().fold(0, |bits, line| bits | bit(*line));
        Self {
            draws: bits(load.draws_from()),
            may_draw: bits(load.may_draw_from()),
            on_all: bits(load.lines()),
            on_one: bits(load.line_of_one()),
        }
    }
}

const fn bit(line: Phase) -> u8 {
    match line {
        Phase::L1 => 1,
        Phase::L2 => 2,
        Phase::L3 => 4,
    }
}

/// The lines of every circuit on which a load may count.
#[derive(Clone, Debug)]
pub struct Lines {
    uses: Vec<Uses>,
    lines: Vec<Line>,
}

impl Lines {
    /// Of these loads on these circuits. `before`: the same of the same configuration.
    pub fn of(before: Option<Self>, loads: &[Load], circuits: &[Circuit], grid: Grid) -> Self {
        let same = |before: &Self| before.uses.iter().copied().eq(loads.iter().map(Uses::of));
        if let Some(before) = before.filter(same) {
            return before;
        }
        let uses: Vec<Uses> = loads.iter().map(Uses::of).collect();
        let places = loads.iter().map(|it| place_of(circuits, &it.spec.circuit));
        let places: Vec<usize> = places.collect();
        let mut lines = Vec::new();
        for (index, circuit) in circuits.iter().enumerate() {
            let id: Arc<str> = circuit.id.as_str().into();
            for &phase in grid.phases() {
                let count = |bits: fn(&Uses) -> u8| -> Arc<[u8]> {
                    let counts = |(uses, place): (&Uses, &usize)| {
                        let there = bits(uses) & bit(phase) != 0;
                        u8::from(there && feeds_at(circuits, index, *place))
                    };
                    uses.iter().zip(&places).map(counts).collect()
                };
                let on_all = count(|uses| uses.on_all);
                if index > 0 && on_all.iter().all(|weight| *weight == 0) {
                    continue;
                }
                lines.push(Line {
                    circuit: index,
                    id: Arc::clone(&id),
                    phase,
                    draws: count(|uses| uses.draws),
                    may_draw: count(|uses| uses.may_draw),
                    by_phases: Arc::new(ByPhases {
                        one: count(|uses| uses.on_one),
                        all: on_all,
                    }),
                });
            }
        }
        Self { uses, lines }
    }

    /// The lines, those of the main circuit first.
    pub(super) fn all(&self) -> &[Line] {
        &self.lines
    }
}
