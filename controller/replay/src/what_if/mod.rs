//! What would have been: the recorded house with another configuration, in virtual time.
//!
//! The house besides its loads is what the engine took it for while it was recorded; the cars' wishes are read from what they
//! drew while nobody held them back. Both go through the same engine in a closed loop with a simple plant, once with the
//! recorded configuration and once with the changed one, so that what the model itself does to the figures can be seen.
//!
//! Simplifications, as the documentation tells them: a car that was held back to its limit would have taken all that its
//! charger can give; it follows within a second; a load that was not there always wants its most; a time without readings is
//! left out; currents add up as numbers, so that three lines without neutral
//! cannot be asked about.

mod figures;
mod overrides;
mod plant;
mod recording;
mod wishes;

use headroom_core::config::Grid;
use headroom_core::validate::FieldError;
use headroom_store::{JournalReader, StoreError};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::judge::Range;
use figures::Figures;
use recording::{Recording, Version, has};

pub use figures::{LoadFigures, PhaseFigures, Side};

/// What would have been, beside what was.
#[derive(Clone, Debug, Serialize)]
pub struct WhatIf {
    /// The first reading that counts.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub from: Timestamp,
    /// The last one.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub to: Timestamp,
    /// Time that is compared, in seconds.
    pub covered_s: u64,
    /// Time within it that is left out, since nothing was recorded or the change cannot be made there, in seconds.
    pub left_out_s: u64,
    /// What to know when reading the figures.
    pub notes: Vec<String>,
    /// What was measured.
    pub recorded: Side,
    /// The recorded configuration in the model: how far it is from what was measured tells how good the model is.
    pub same: Side,
    /// The changed configuration in the model.
    pub changed: Side,
}

/// The code of a field that cannot be read as what it is; its message is serde's.
pub const UNREADABLE: &str = "unreadable";

/// Why nothing can be told.
#[derive(Debug)]
pub enum WhatIfError {
    /// The change cannot be right.
    Invalid(Vec<FieldError>),
    /// Nothing of this time was recorded.
    Nothing,
    /// More was recorded than is held in memory.
    TooLong,
    /// Currents between lines do not add up as numbers.
    Delta,
    /// The journal cannot be read.
    Store(StoreError),
}

impl From<StoreError> for WhatIfError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl std::fmt::Display for WhatIfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(errors) => {
                f.write_str("the change cannot be right:")?;
                errors
                    .iter()
                    .try_for_each(|error| write!(f, "\n  {} {}", error.field, error.message))
            }
            Self::Nothing => f.write_str("nothing of this time was recorded"),
            Self::TooLong => {
                f.write_str("that is too long a time to hold in memory: ask for less of it, some days at most")
            }
            Self::Delta => f.write_str(
                "currents between lines without neutral do not add up as numbers: what would have been cannot be told here",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WhatIfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// What was recorded, ready to be asked about. Taking it reads the journal; [`Asked::answer`] only reckons, for a while.
#[derive(Debug)]
pub struct Asked {
    recording: Recording,
    /// The change made to each configuration that was in force.
    changed: Vec<Version>,
    /// Which times are left out since the change cannot be made there.
    notes: Vec<String>,
}

/// A time in which the change cannot be made to the configuration.
fn left_out(from: Timestamp, to: Timestamp, errors: &[FieldError]) -> String {
    let errors = errors
        .iter()
        .map(|error| format!("{} {}", error.field, error.message));
    format!(
        "From {from:.0} to {to:.0} another configuration held, to which this cannot be done: {}. That time is left out.",
        errors.collect::<Vec<_>>().join("; ")
    )
}

impl Asked {
    /// Reads what was recorded in a time, of at most `readings` readings, and makes the change. A change is an object with
    /// `site`, whose fields replace those of the recorded one, `chargers` and `slow_loads`, which are all there are, each
    /// with the fields that are named and the recorded ones besides, and `priorities` as the API has them. The newest configuration
    /// of that time must bear it; the time of an earlier one that does not is left out, and a note tells so.
    ///
    /// # Errors
    /// When nothing can be told.
    pub async fn of(
        journal: &JournalReader,
        range: Range,
        readings: usize,
        change: &Value,
    ) -> Result<Self, WhatIfError> {
        let mut recording = Recording::of(journal, range, readings).await?;
        let background = recording.highest_background;
        let mut answers = overrides::apply_to_each(&recording.versions, background, change);
        // What is asked for is asked of the house as it is; the newest configuration must bear it.
        if let Some(Err(errors)) = answers.pop_if(|newest| newest.is_err()) {
            return Err(WhatIfError::Invalid(errors));
        }
        let mut refused = Vec::new();
        let mut notes = Vec::new();
        let mut changed = Vec::new();
        for (index, answer) in answers.into_iter().enumerate() {
            let Some(before) = recording.versions.get(index) else {
                break;
            };
            let mut after = before.clone();
            match answer {
                Ok(config) => after.config = config,
                // It goes on as it was there, so that what follows finds a house that lived, and counts nowhere.
                Err(errors) => {
                    after.left_out = true;
                    if let Some((from, to)) = recording.leave_out(index) {
                        notes.push(left_out(from, to, &errors));
                        refused.extend(errors);
                    }
                }
            }
            changed.push(after);
        }
        if !recording.counts() {
            return Err(WhatIfError::Invalid(refused));
        }
        let versions = &recording.versions;
        let grids = versions
            .iter()
            .chain(&changed)
            .map(|it| it.config.site.grid);
        let grids: Vec<Grid> = grids.collect();
        if grids
            .iter()
            .any(|grid| *grid == Grid::It3ph || Some(grid) != grids.first())
        {
            return Err(WhatIfError::Delta);
        }
        Ok(Self {
            recording,
            changed,
            notes,
        })
    }

    /// Reckons. It takes seconds for each day.
    pub fn answer(&self) -> WhatIf {
        let recording = &self.recording;
        let wishes = wishes::of(recording);
        let recorded = Figures::recorded(recording, &wishes);
        let same = plant::run(&recording.versions, recording, &wishes);
        let changed = plant::run(&self.changed, recording, &wishes);
        let mut notes = Vec::new();
        let reconfigured = recording.versions.len().saturating_sub(1);
        if reconfigured > 0 {
            let times = if reconfigured == 1 {
                "once".to_owned()
            } else {
                format!("{reconfigured} times")
            };
            notes.push(format!(
                "The configuration was changed {times} meanwhile: each holds for its own time here, with the change made to it.",
            ));
        }
        notes.extend(self.notes.iter().cloned());
        let counted = self.changed.iter().filter(|version| !version.left_out);
        let always = |id: &String| counted.clone().all(|it| has(&it.config, id));
        let (all_the_time, for_a_while): (Vec<_>, Vec<_>) = plant::loads(&self.changed)
            .into_iter()
            .filter(|id| !recording.knows(id))
            .partition(always);
        for (unknown, how_long) in [
            (all_the_time, "all the time here"),
            (for_a_while, "here as long as it was there"),
        ] {
            if !unknown.is_empty() {
                let unknown = unknown.join(", ");
                notes.push(format!(
                    "Nothing was recorded of {unknown}: it wants its most {how_long}.",
                ));
            }
        }
        WhatIf {
            from: recording.from,
            to: recording.to,
            covered_s: recording.covered_ms() / 1000,
            left_out_s: recording.left_out_ms() / 1000,
            notes,
            recorded,
            same,
            changed,
        }
    }
}
