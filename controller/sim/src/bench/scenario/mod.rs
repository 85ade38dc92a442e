//! A scenario of the benchmark: a house with its meter, background, chargers, cars, slow loads and
//! faults, as a TOML file.
//!
//! What the controller is configured with has the shapes of the HTTP API ([`headroom_core::config`]);
//! the rest says what really stands there.

mod check;
mod load;

use headroom_core::config::{Charger, Site, SlowLoad};
use headroom_core::units::{Milliamps, Phase};
use serde::{Deserialize, Serialize};

use super::background::BackgroundSpec;

pub use self::load::ScenarioError;

/// A scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name; that of the file if it says none.
    #[serde(default)]
    pub name: String,
    /// What it is, in one line.
    pub title: String,
    /// Whether it counts in the mean of the household scenarios.
    #[serde(default)]
    pub household: bool,
    /// Virtual time, in hours; it begins at midnight.
    #[serde(default = "day")]
    pub duration_h: f64,
    /// How many seeds are run, from 1 on.
    #[serde(default = "ten")]
    pub seeds: u64,
    /// The house as the controller knows it.
    pub site: Site,
    /// The main meter.
    #[serde(default)]
    pub meter: MeterModel,
    /// The meters of circuits that have one of their own.
    #[serde(default)]
    pub circuit_meter: MeterModel,
    /// What the house draws besides chargers and slow loads.
    pub background: BackgroundSpec,
    /// The chargers as the controller knows them.
    pub chargers: Vec<Charger>,
    /// How chargers are reached.
    #[serde(default)]
    pub link: Link,
    /// What really stands at a charger, where it differs from what the controller knows.
    #[serde(default)]
    pub points: Vec<Point>,
    /// The cars; a charger without an entry has the common one.
    #[serde(default)]
    pub cars: Vec<Car>,
    /// When cars are there that do not say it themselves.
    #[serde(default = "usual_visits")]
    pub visits: Vec<Visit>,
    /// The slow loads as the controller knows them.
    #[serde(default)]
    pub slow_loads: Vec<SlowLoad>,
    /// The water tanks behind the slow loads; a slow load without an entry has the common one.
    #[serde(default)]
    pub tanks: Vec<Tank>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// The kind of a meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeterModel {
    /// Seconds between readings with currents.
    pub period_s: f64,
    /// Seconds from the measurement to the reading.
    pub latency_s: f64,
    /// Resolution of the currents, in amperes; they are cut, not rounded.
    pub current_step_a: Milliamps,
    /// Share of readings that are lost, 0 to 1.
    pub loss: f64,
    /// Most readings in a row that are lost; without it as chance has it.
    pub losses_in_a_row: Option<u32>,
    /// Seconds between readings of power alone; without it there are none.
    pub power_period_s: Option<f64>,
    /// What it says of the current of L2.
    pub l2: SecondLine,
}

impl Default for MeterModel {
    /// DSMR 5 at its quickest, with tenths of amperes.
    fn default() -> Self {
        Self {
            period_s: 1.0,
            latency_s: 0.3,
            current_step_a: Milliamps(100),
            loss: 0.0,
            losses_in_a_row: None,
            power_period_s: None,
            l2: SecondLine::Measured,
        }
    }
}

/// What a meter on a grid without neutral says of the current of L2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondLine {
    /// The current.
    #[default]
    Measured,
    /// Nothing.
    Missing,
    /// 0, whatever flows.
    Zero,
}

/// How a charger is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Seconds from a command to the pilot signal.
    pub latency_s: f64,
    /// Seconds from a command to its answer; without it the latency, at most 1 s.
    pub answer_s: Option<f64>,
    /// Seconds between reports.
    pub report_s: f64,
    /// Age of a report when it arrives, in seconds.
    pub report_age_s: f64,
    /// Whether reports tell the limit in force.
    pub reports_limit: bool,
}

impl Default for Link {
    /// A charger in the same house.
    fn default() -> Self {
        Self {
            latency_s: 1.0,
            answer_s: None,
            report_s: 5.0,
            report_age_s: 0.5,
            reports_limit: false,
        }
    }
}

/// What really stands at a charger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Which charger.
    pub at: String,
    /// The line at each of its terminals, where the controller does not know it or believes wrongly.
    #[serde(default)]
    pub terminals: Option<Vec<Phase>>,
    /// How it is reached.
    #[serde(default)]
    pub link: Option<Link>,
}

/// A car.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Car {
    /// Its charger.
    pub at: String,
    /// Phases of its onboard charger.
    #[serde(default = "three")]
    pub phases: u8,
    /// Most that it takes per phase, in amperes; without it as much as its charger gives.
    #[serde(default)]
    pub max_current_a: Option<f64>,
    /// Least that it takes, in amperes.
    #[serde(default = "six")]
    pub min_current_a: f64,
    /// Active over apparent power.
    #[serde(default = "nearly_one")]
    pub power_factor: f64,
    /// When it is there; without it as the scenario says.
    #[serde(default)]
    pub visits: Option<Vec<Visit>>,
    /// When it takes nothing though it could, from and until seconds after midnight.
    #[serde(default)]
    pub rests_s: Vec<(f64, f64)>,
}

/// A stay of a car.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// Hour of arrival.
    pub from_h: f64,
    /// Hour of departure.
    pub to_h: f64,
    /// Energy wanted from the grid, in kWh; without it more than can be had.
    #[serde(default)]
    pub kwh: Option<f64>,
    /// Arrival and departure are this much earlier or later, in minutes, as chance has it.
    #[serde(default)]
    pub jitter_min: f64,
}

/// A water tank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tank {
    /// Its slow load.
    pub at: String,
    /// In litres.
    #[serde(default = "tank_litres")]
    pub volume_l: f64,
    /// Temperature at the beginning, in °C.
    #[serde(default = "tank_start")]
    pub start_c: f64,
    /// The thermostat opens at this temperature, in °C.
    #[serde(default = "tank_setpoint")]
    pub setpoint_c: f64,
    /// Colder water than this is not comfortable, in °C.
    #[serde(default = "tank_comfort")]
    pub comfort_c: f64,
    /// Hot water drawn at a time, in litres.
    #[serde(default = "tank_draw")]
    pub draw_l: f64,
    /// Shortest and longest time between draws, in seconds.
    #[serde(default = "tank_draws")]
    pub draw_every_s: (f64, f64),
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// From then on the charger offers this current whatever it is told, and says yes to everything.
    Stuck {
        /// Which charger.
        charger: String,
        /// When.
        at_h: f64,
        /// What it offers, in amperes.
        current_a: f64,
    },
    /// The charger cannot be reached; it keeps its limit until its lease has run out.
    Dead {
        /// Which charger.
        charger: String,
        /// When.
        at_h: f64,
        /// For how long, in seconds.
        for_s: f64,
        /// Seconds until the link is known to be gone.
        #[serde(default = "ten_s")]
        noticed_after_s: f64,
    },
    /// The controller is gone and begins anew without memory.
    Restart {
        /// When.
        at_h: f64,
        /// For how long it is gone, in seconds.
        for_s: f64,
    },
    /// No reading comes.
    MeterGap {
        /// When.
        at_h: f64,
        /// For how long, in seconds.
        for_s: f64,
    },
    /// The meter says the same again and again.
    MeterFrozen {
        /// When.
        at_h: f64,
        /// For how long, in seconds.
        for_s: f64,
    },
}

impl Tank {
    /// The common one, behind a slow load.
    pub(in crate::bench) fn common(at: &str) -> Self {
        Self {
            at: at.to_owned(),
            volume_l: tank_litres(),
            start_c: tank_start(),
            setpoint_c: tank_setpoint(),
            comfort_c: tank_comfort(),
            draw_l: tank_draw(),
            draw_every_s: tank_draws(),
        }
    }
}

fn day() -> f64 {
    24.0
}
fn ten() -> u64 {
    10
}
fn ten_s() -> f64 {
    10.0
}
fn three() -> u8 {
    3
}
fn six() -> f64 {
    6.0
}
fn nearly_one() -> f64 {
    0.99
}
fn tank_litres() -> f64 {
    200.0
}
fn tank_start() -> f64 {
    65.0
}
fn tank_setpoint() -> f64 {
    70.0
}
fn tank_comfort() -> f64 {
    45.0
}
fn tank_draw() -> f64 {
    25.0
}
fn tank_draws() -> (f64, f64) {
    (3600.0, 10_800.0)
}

/// Home for the night, away for the day.
fn usual_visits() -> Vec<Visit> {
    let visit = |from_h, to_h| Visit {
        from_h,
        to_h,
        kwh: None,
        jitter_min: 30.0,
    };
    vec![visit(0.0, 7.5), visit(17.0, 48.0)]
}
