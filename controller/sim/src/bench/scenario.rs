//! A scenario of the benchmark: a house with its meter, background, chargers, cars, slow loads and
//! faults, as a TOML file.
//!
//! What the controller is configured with has the shapes of the HTTP API ([`headroom_core::config`]);
//! the rest says what really stands there.

use std::path::Path;

use headroom_core::config::{Charger, Config, Grid, MAIN, Mode, Site, SlowLoad};
use headroom_core::units::{Milliamps, PerPhase, Phase};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::background::BackgroundSpec;

/// Longest scenario, in hours: a month.
const HOURS_MAX: f64 = 744.0;
/// Most seeds of one run.
const SEEDS_MAX: u64 = 1000;

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario {path}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a field that no scenario has.
    #[error("the scenario {name} is not right: {message}")]
    Parse {
        /// Which scenario.
        name: String,
        /// What is wrong and where.
        message: String,
    },
    /// A value that cannot be.
    #[error("the scenario {name}: {message}")]
    Invalid {
        /// Which scenario.
        name: String,
        /// What is wrong and what would be right.
        message: String,
    },
}

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

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Parse {
            name: name.to_owned(),
            message: error.to_string(),
        })?;
        if scenario.name.is_empty() {
            name.clone_into(&mut scenario.name);
        }
        // Nothing can be compared where nothing is commanded.
        scenario.site.mode = Mode::Control;
        scenario.validate()?;
        Ok(scenario)
    }

    /// Reads a scenario from a file, and the file of its background if it names one.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| ScenarioError::Read {
                path: path.display().to_string(),
                source,
            })
        };
        let text = read(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut scenario = Self::parse(&name, &text)?;
        if let BackgroundSpec::Csv { file, rows } = &mut scenario.background {
            let beside = path.parent().unwrap_or(Path::new("")).join(&*file);
            *rows = super::background::rows(&read(&beside)?).map_err(|message| {
                ScenarioError::Invalid {
                    name: beside.display().to_string(),
                    message,
                }
            })?;
        }
        Ok(scenario)
    }

    /// What the controller is configured with.
    pub fn config(&self) -> Config {
        Config {
            site: self.site.clone(),
            chargers: self.chargers.clone(),
            slow_loads: self.slow_loads.clone(),
        }
    }

    /// Whether loads hang between lines.
    pub fn is_delta(&self) -> bool {
        self.site.grid == Grid::It3ph
    }

    /// Duration in whole seconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "validated to lie within a month"
    )]
    pub fn seconds(&self) -> u64 {
        (self.duration_h * 3600.0).round() as u64
    }

    /// Rating of the main fuse on each line.
    pub fn rating(&self) -> PerPhase<f64> {
        self.site
            .main_fuse
            .rating_a
            .per_phase()
            .map(Milliamps::to_f64)
    }

    /// The line at each terminal of a charger, as it really is.
    pub fn terminals(&self, charger: &Charger) -> Vec<Phase> {
        let point = self.points.iter().find(|point| point.at == charger.id);
        point
            .and_then(|point| point.terminals.clone())
            .or_else(|| charger.phases.clone())
            .unwrap_or_else(|| self.site.grid.phases().to_vec())
    }

    /// How a charger is reached.
    pub fn link(&self, charger: &str) -> &Link {
        self.points
            .iter()
            .find(|point| point.at == charger)
            .and_then(|point| point.link.as_ref())
            .unwrap_or(&self.link)
    }

    fn validate(&self) -> Result<(), ScenarioError> {
        let invalid = |message: String| {
            Err(ScenarioError::Invalid {
                name: self.name.clone(),
                message,
            })
        };
        if !(self.duration_h > 0.0 && self.duration_h <= HOURS_MAX) {
            return invalid(format!("duration_h must be above 0 and at most {HOURS_MAX}"));
        }
        if !(1..=SEEDS_MAX).contains(&self.seeds) {
            return invalid(format!("seeds must be 1 to {SEEDS_MAX}"));
        }
        if let Err(errors) = self.config().validate(PerPhase::default()) {
            let words: Vec<String> = errors
                .iter()
                .map(|error| format!("{} {}", error.field, error.message))
                .collect();
            return invalid(words.join("; "));
        }
        for meter in [&self.meter, &self.circuit_meter] {
            if !(0.1..=3600.0).contains(&meter.period_s)
                || !(0.0..=60.0).contains(&meter.latency_s)
                || !(0.0..=1.0).contains(&meter.loss)
            {
                return invalid(
                    "a meter has a period_s of 0.1 to 3600, a latency_s of 0 to 60 and a loss of 0 to 1"
                        .to_owned(),
                );
            }
        }
        let chargers = self.chargers.iter().map(|charger| charger.id.as_str());
        let named = self
            .cars
            .iter()
            .map(|car| &car.at)
            .chain(self.points.iter().map(|point| &point.at))
            .chain(self.faults.iter().filter_map(Fault::charger));
        for name in named {
            if !chargers.clone().any(|id| id == name) {
                return invalid(format!("there is no charger \"{name}\""));
            }
        }
        for tank in &self.tanks {
            if !self.slow_loads.iter().any(|load| load.id == tank.at) {
                return invalid(format!("there is no slow load \"{}\"", tank.at));
            }
        }
        self.background.validate().or_else(invalid)
    }

    /// The circuits between a load and the main fuse, that itself left out.
    pub fn path_of(&self, circuit: Option<&str>) -> Vec<&str> {
        let mut path = Vec::new();
        let mut at = circuit.unwrap_or(MAIN);
        // Validated: no ring, so that this ends.
        while let Some(found) = self.site.circuits.iter().find(|one| one.id == at) {
            path.push(found.id.as_str());
            at = &found.parent;
        }
        path
    }
}

impl Tank {
    /// The common one, behind a slow load.
    pub(super) fn common(at: &str) -> Self {
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

impl Fault {
    fn charger(&self) -> Option<&String> {
        match self {
            Self::Stuck { charger, .. } | Self::Dead { charger, .. } => Some(charger),
            Self::Restart { .. } | Self::MeterGap { .. } | Self::MeterFrozen { .. } => None,
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
