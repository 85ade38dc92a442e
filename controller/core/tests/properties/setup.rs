//! A random house: what the properties hold for.

use headroom_core::Config;
use headroom_core::config::{Characteristic, Curve, Grid};
use headroom_core::units::Phase;
use proptest::prelude::*;
use serde_json::json;

use crate::adverse::ratings;

/// A charger, its link and its car.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// The line of each terminal.
    pub(crate) terminals: Vec<Phase>,
    /// What the car takes at most, in amperes.
    pub(crate) wants_a: i64,
    pub(crate) max_a: i64,
    pub(crate) safe_a: i64,
    pub(crate) priority: u32,
    pub(crate) lease_s: u64,
    /// From a command to the pilot.
    pub(crate) latency_ms: u64,
    pub(crate) report_s: u64,
    /// When the first report comes.
    pub(crate) skew_s: u64,
    /// Age of a report when it arrives.
    pub(crate) age_ms: u64,
    /// From the pilot to the car.
    pub(crate) car_ms: u64,
    /// From current being offered to current being drawn, when it was off.
    pub(crate) start_s: u64,
    /// When the car comes.
    pub(crate) comes_s: u64,
    /// How far its current lags, in degrees.
    pub(crate) lags: f64,
}

/// A house.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) grid: Grid,
    pub(crate) rating_a: i64,
    pub(crate) characteristic: Characteristic,
    pub(crate) curve: Curve,
    pub(crate) largest_step_a: Option<i64>,
    pub(crate) period_ms: u64,
    pub(crate) meter_latency_ms: u64,
    /// Chance that a reading is lost; never two in a row.
    pub(crate) loss: f64,
    pub(crate) points: Vec<Point>,
    /// What the house draws: on a line, or between it and the next one where there is no neutral; in amperes.
    pub(crate) base_a: [f64; 3],
    pub(crate) lags: f64,
    pub(crate) noise_a: f64,
    pub(crate) seed: u64,
}

impl Setup {
    pub(crate) fn config(&self) -> Config {
        let chargers: Vec<_> = self
            .points
            .iter()
            .enumerate()
            .map(|(index, point)| {
                json!({
                    "id": id(index), "phases": point.terminals, "max_current_a": point.max_a,
                    "safe_current_a": point.safe_a, "lease_s": point.lease_s, "priority": point.priority,
                    "accept_risk": true
                })
            })
            .collect();
        let config: Config = serde_json::from_value(json!({
            "site": {
                "mode": "control", "grid": self.grid, "largest_step_a": self.largest_step_a,
                "main_fuse": {
                    "rating_a": self.rating_a, "characteristic": self.characteristic, "curve": self.curve
                }
            },
            "chargers": chargers, "slow_loads": []
        }))
        .unwrap();
        config.validate(headroom_core::PerPhase::default()).unwrap();
        config
    }

    /// The longest time from a step of the house to the car's answer: the sample, one that is lost, both ways, the car,
    /// and the plant's own second.
    pub(crate) fn reaction_s(&self) -> u64 {
        let slowest = self.points.iter().map(|point| point.latency_ms).max();
        let ms = 2 * self.period_ms + self.meter_latency_ms + slowest.unwrap_or(0);
        ms.div_ceil(1000) + 5 + 1
    }

    /// The largest step that the promise is about.
    pub(crate) fn step_a(&self) -> i64 {
        let usual = if self.rating_a < 35 { 10 } else { 16 };
        self.largest_step_a.unwrap_or(usual)
    }

    /// Renames the lines: each becomes the one that `names` has in its place.
    pub(crate) fn renamed(&self, names: [Phase; 3]) -> Self {
        let mut renamed = self.clone();
        for point in &mut renamed.points {
            for line in &mut point.terminals {
                *line = names[line.index()];
            }
        }
        for (line, name) in Phase::ALL.into_iter().zip(names) {
            renamed.base_a[name.index()] = self.base_a[line.index()];
        }
        renamed
    }
}

/// Name of a charger.
pub(crate) fn id(index: usize) -> String {
    format!("ev{index}")
}

fn wires(grid: Grid) -> Vec<Vec<Phase>> {
    use Phase::{L1, L2, L3};
    match grid {
        Grid::Tn1ph => vec![vec![L1]],
        Grid::It3ph => vec![vec![L1, L2], vec![L2, L3], vec![L3, L1], vec![L1, L2, L3]],
        Grid::Tn3ph => vec![
            vec![L1, L2, L3],
            vec![L2, L3, L1],
            vec![L1],
            vec![L2],
            vec![L3],
        ],
    }
}

/// Latencies of commands go up to this, in milliseconds.
pub(crate) const LATENCY_MAX_MS: u64 = 10_000;

fn point(grid: Grid) -> impl Strategy<Value = Point> {
    let car = (
        prop::sample::select(wires(grid)),
        6_i64..33,
        10_i64..33,
        1_u32..3,
        0.0_f64..18.0,
    );
    let link = (
        200..=LATENCY_MAX_MS,
        1_u64..31,
        0_u64..31,
        0_u64..5_000,
        500_u64..3_000,
        0_u64..21,
    );
    (car, link).prop_map(
        |(
            (terminals, wants_a, max_a, priority, lags),
            (latency_ms, report_s, skew_s, age_ms, car_ms, start_s),
        )| {
            Point {
                terminals,
                wants_a,
                max_a,
                safe_a: 0,
                priority,
                lease_s: 120,
                latency_ms,
                report_s,
                skew_s,
                age_ms,
                car_ms,
                start_s,
                comes_s: 0,
                lags,
            }
        },
    )
}

/// Houses of a grid with some chargers; `lags` bounds how far the house's current lags, in degrees.
pub(crate) fn houses(
    grid: Grid,
    chargers: std::ops::Range<usize>,
    lags: f64,
) -> impl Strategy<Value = Setup> {
    let device = prop::sample::select(vec![
        (Characteristic::Gg, Curve::Standard),
        (Characteristic::Gg, Curve::Standard),
        (Characteristic::B, Curve::Standard),
        (Characteristic::C, Curve::Band),
    ]);
    let fuse = (
        prop::sample::select(ratings()),
        device,
        prop::sample::select(vec![None, None, Some(5_i64)]),
    );
    let meter = (
        prop::sample::select(vec![1_000_u64, 1_000, 2_000, 5_000, 10_000]),
        100_u64..2_000,
        prop::sample::select(vec![0.0, 0.02, 0.1]),
    );
    let house = (prop::array::uniform3(0.0_f64..4.0), 0.0..lags, any::<u64>());
    (
        fuse,
        meter,
        house,
        prop::collection::vec(point(grid), chargers),
    )
        .prop_map(
            move |(
                (rating_a, (characteristic, curve), largest_step_a),
                (period_ms, meter_latency_ms, loss),
                (base_a, lags, seed),
                points,
            )| {
                Setup {
                    grid,
                    rating_a,
                    characteristic,
                    curve,
                    largest_step_a,
                    period_ms,
                    meter_latency_ms,
                    loss,
                    points,
                    base_a,
                    lags,
                    noise_a: 0.1,
                    seed,
                }
            },
        )
}

/// Houses of any grid.
pub(crate) fn any_houses(chargers: std::ops::Range<usize>) -> impl Strategy<Value = Setup> {
    prop::sample::select(vec![Grid::Tn3ph, Grid::Tn3ph, Grid::It3ph, Grid::Tn1ph])
        .prop_flat_map(move |grid| houses(grid, chargers.clone(), 30.0))
}
