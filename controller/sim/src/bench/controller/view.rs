//! What the simple controllers know: the newest reading, the newest reports, and what they told.

use headroom_core::action::Command;
use headroom_core::config::Grid;
use headroom_core::event::{ChargerStatus, Event};
use headroom_core::units::{Instant, Milliamps, PerPhase, Phase};

use super::Order;
use crate::bench::scenario::Scenario;

/// They have no lease: what they told holds for ever.
const FOR_EVER_S: u32 = 10_000_000;

/// A charger as a simple controller knows it.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) id: String,
    pub(super) class: u32,
    pub(super) lines: Vec<Phase>,
    /// Rows of the limits that it counts on: 0 to 2 the lines, then three for each circuit.
    pub(super) rows: Vec<usize>,
    pub(super) least_a: f64,
    pub(super) most_a: f64,
    /// A car is there.
    pub(super) plugged: bool,
    /// What it draws on each of its phases.
    pub(super) amps: f64,
    /// What it was told.
    pub(super) told: f64,
}

/// The house as a simple controller knows it.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) rating: PerPhase<f64>,
    pub(super) circuits: Vec<PerPhase<f64>>,
    pub(super) points: Vec<Point>,
    pub(super) lines: Option<PerPhase<f64>>,
    pub(super) read_at: Instant,
    delta: bool,
    phases: u8,
    number: u64,
}

impl View {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let grid = scenario.site.grid;
        let delta = grid == Grid::It3ph;
        let circuits = &scenario.site.circuits;
        let points = scenario
            .chargers
            .iter()
            .map(|charger| {
                let lines = charger
                    .phases
                    .clone()
                    .unwrap_or_else(|| grid.phases().to_vec());
                let mut rows: Vec<usize> = lines.iter().map(|line| line.index()).collect();
                for id in scenario.path_of(charger.circuit.as_deref()) {
                    let place = circuits.iter().position(|circuit| circuit.id == id);
                    rows.extend(
                        lines
                            .iter()
                            .filter_map(|line| Some(3 + 3 * place? + line.index())),
                    );
                }
                Point {
                    id: charger.id.clone(),
                    class: charger.priority,
                    rows,
                    lines,
                    least_a: charger.min_current_a.to_f64(),
                    most_a: charger.max_current_a.to_f64(),
                    plugged: false,
                    amps: 0.0,
                    told: 0.0,
                }
            })
            .collect();
        Self {
            rating: scenario.rating(),
            circuits: circuits
                .iter()
                .map(|circuit| circuit.rating_a.per_phase().map(Milliamps::to_f64))
                .collect(),
            points,
            lines: None,
            read_at: Instant(0),
            delta,
            phases: 3,
            number: 0,
        }
    }

    /// Takes an event in. Returns whether it is a reading of the main meter with currents.
    pub(super) fn take(&mut self, event: &Event, now: Instant) -> bool {
        match event {
            Event::Reading(reading) if reading.circuit.is_none() => {
                let amps = |line: usize| {
                    let phase = reading.phases.get(line).copied().flatten();
                    phase
                        .and_then(|phase| phase.current_a)
                        .map(Milliamps::to_f64)
                };
                let Some(l1) = amps(0) else {
                    return false;
                };
                let l3 = amps(2).unwrap_or_default();
                // A second line that is not told, or told as nothing, is at most the sum of the others.
                let l2 = amps(1)
                    .filter(|l2| !self.delta || *l2 > 0.0)
                    .unwrap_or(if self.delta { l1 + l3 } else { 0.0 });
                self.lines = Some(PerPhase([l1, l2, l3]));
                self.read_at = now;
                true
            }
            Event::Charger(report) => {
                let point = self.points.iter_mut().find(|point| point.id == report.id);
                if let Some(point) = point.filter(|_| report.connected) {
                    point.plugged = !matches!(
                        report.status,
                        ChargerStatus::Available | ChargerStatus::Unavailable
                    );
                    let amps = report.current_a.iter().flatten().flatten().max();
                    point.amps = amps.map_or(point.told, |amps| amps.to_f64());
                }
                false
            }
            _ => false,
        }
    }

    /// Tells a charger whole amperes, or nothing below its least; says nothing when that is no change.
    pub(super) fn tell(&mut self, index: usize, amps: f64) -> Option<Order> {
        let (phases, number) = (self.phases, self.number + 1);
        let point = self.points.get_mut(index)?;
        let whole = (amps + 1e-6).floor().min(point.most_a);
        let limit = if whole < point.least_a { 0.0 } else { whole };
        if (limit - point.told).abs() < 0.5 {
            return None;
        }
        point.told = limit;
        self.number = number;
        Some(Order {
            number,
            what: Command::SetLimit {
                load: point.id.clone(),
                limit_a: Milliamps::from_f64(limit).unwrap_or_default(),
                phases,
                lease_s: FOR_EVER_S,
            },
        })
    }

    /// The highest of the lines over its rating: what is left on the worst line, in amperes.
    pub(super) fn left_on_worst_line(&self) -> f64 {
        let Some(lines) = self.lines else {
            return f64::NEG_INFINITY;
        };
        let left = self.rating.zip_with(&lines, |rating, amps| rating - amps);
        left.0.into_iter().fold(f64::INFINITY, f64::min)
    }

    /// What flows besides the cars on each line, as numbers.
    pub(super) fn background(&self) -> Option<PerPhase<f64>> {
        let mut background = self.lines?;
        for point in &self.points {
            for line in &point.lines {
                *background.get_mut(*line) -= point.amps;
            }
        }
        Some(background.map(|amps| amps.max(0.0)))
    }

    /// Room on every row beside a background.
    pub(super) fn room(&self, background: PerPhase<f64>) -> Vec<f64> {
        let lines = self
            .rating
            .zip_with(&background, |rating, amps| rating - amps);
        lines
            .0
            .into_iter()
            .chain(self.circuits.iter().flat_map(|circuit| circuit.0))
            .collect()
    }
}
