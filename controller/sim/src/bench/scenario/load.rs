//! Reading a scenario, what makes one impossible, and what follows from it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use headroom_core::config::{Charger, Config, Grid, MAIN, Mode};
use headroom_core::units::{Milliamps, PerPhase, Phase};
use serde_json::Value;
use thiserror::Error;

use super::{Link, Scenario};
use crate::bench::background::{self, BackgroundSpec};

/// Longest file that is read, in bytes: a week of seconds as CSV is below.
const FILE_MAX: u64 = 64 << 20;

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the {what} {path}")]
    Read {
        /// What it is.
        what: &'static str,
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
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

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let wrong = |message: String| ScenarioError::Parse {
            name: name.to_owned(),
            message,
        };
        // By way of a plain value: the shapes of the API are read from JSON already, and a second reader of all of them would be
        // a fifth of a megabyte.
        let value: Value = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        // TOML has no null, and JSON no word for what is no finite number.
        if let Some(path) = null_in(&value) {
            let message = format!("{path}: must be a number, and neither nan nor inf");
            return Err(wrong(message));
        }
        let mut scenario: Self =
            serde_path_to_error::deserialize(value).map_err(|error| wrong(error.to_string()))?;
        if scenario.name.is_empty() {
            name.clone_into(&mut scenario.name);
        }
        // Nothing can be compared where nothing is commanded.
        scenario.site.mode = Mode::Control;
        scenario.check().map_err(|message| ScenarioError::Invalid {
            name: scenario.name.clone(),
            message,
        })?;
        Ok(scenario)
    }

    /// Reads a scenario from a file, and the file of its background if it names one.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let read = |what, path: &Path| {
            read_text(path).map_err(|source| ScenarioError::Read {
                what,
                path: path.display().to_string(),
                source,
            })
        };
        let text = read("scenario", path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut scenario = Self::parse(&name, &text)?;
        if let BackgroundSpec::Csv { file, rows } = &mut scenario.background {
            let beside = path.parent().unwrap_or(Path::new("")).join(&*file);
            let text = read("background", &beside)?;
            *rows = background::rows(&text).map_err(|message| ScenarioError::Invalid {
                name: scenario.name.clone(),
                message: format!("its background {}: {message}", beside.display()),
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

/// Where the first null stands.
fn null_in(value: &Value) -> Option<String> {
    let below = |name: &str, value: &Value| {
        null_in(value).map(|path| match path.as_str() {
            "" => name.to_owned(),
            inner if inner.starts_with('[') => format!("{name}{inner}"),
            inner => format!("{name}.{inner}"),
        })
    };
    match value {
        Value::Null => Some(String::new()),
        Value::Array(list) => {
            let mut places = list.iter().enumerate();
            places.find_map(|(index, value)| below(&format!("[{index}]"), value))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| below(name, value)),
        _ => None,
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(FILE_MAX + 1);
    file.read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= FILE_MAX) {
        Ok(text)
    } else {
        Err(io::Error::other("it is longer than 64 MiB"))
    }
}
