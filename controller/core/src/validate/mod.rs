//! Which configurations can be right. The one validation for the API, `apply` and the engine protocol.

mod loads;
mod site;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::config::Config;
use crate::units::{Milliamps, PerPhase};

pub use site::CIRCUITS_MAX;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field: `site.main_fuse.rating_a`, `chargers.ev1.max_current_a`.
    pub field: String,
    /// A stable code: `range`, `format`, `unknown`, `duplicate`, `conflict`, `required`.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Times for installers and of leases, in seconds (contract, sections 3 and 5).
const SECONDS: std::ops::RangeInclusive<u32> = 1..=3600;
/// Longest name, in characters.
const NAME_MAX: usize = 64;
/// Most chargers of one site.
pub const CHARGERS_MAX: usize = 512;
/// Most slow loads of one site.
pub const SLOW_LOADS_MAX: usize = 64;

struct Report {
    prefix: String,
    errors: Vec<FieldError>,
}

impl Report {
    fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            errors: Vec::new(),
        }
    }

    fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: format!("{}{field}", self.prefix),
            code,
            message: message.into(),
        });
    }

    fn range<T: PartialOrd + Copy>(
        &mut self,
        field: &str,
        value: T,
        range: &std::ops::RangeInclusive<T>,
        words: &str,
    ) {
        if !range.contains(&value) {
            self.add(field, "range", format!("must be {words}"));
        }
    }

    fn name(&mut self, value: &str) {
        if value.chars().count() > NAME_MAX || value.chars().any(char::is_control) {
            self.add(
                "name",
                "format",
                "must be at most 64 characters without control characters",
            );
        }
    }

    fn id(&mut self, value: &str) {
        if !is_id(value) {
            self.add("id", "format", "must be 1 to 32 of a-z, 0-9, _ and -");
        }
    }
}

/// Whether a text is an id: `[a-z0-9_-]{1,32}`.
pub fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

impl Config {
    /// Checks everything, each object alone and all together.
    ///
    /// `highest_background` is the highest background learnt so far, beside which the safe currents of
    /// all chargers must fit under the fuse.
    ///
    /// # Errors
    /// Every field that cannot be right.
    pub fn validate(&self, highest_background: PerPhase<Milliamps>) -> Result<(), Vec<FieldError>> {
        let mut errors = self.site.errors();
        let mut seen = BTreeSet::new();
        too_many("chargers", self.chargers.len(), CHARGERS_MAX, &mut errors);
        too_many(
            "slow_loads",
            self.slow_loads.len(),
            SLOW_LOADS_MAX,
            &mut errors,
        );
        for charger in &self.chargers {
            errors.extend(charger.errors(&self.site));
            duplicate("chargers", &charger.id, &mut seen, &mut errors);
        }
        for slow_load in &self.slow_loads {
            errors.extend(slow_load.errors(&self.site));
            duplicate("slow_loads", &slow_load.id, &mut seen, &mut errors);
        }
        if errors.is_empty() {
            errors.extend(self.safe_current_errors(highest_background));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// The safe currents of all chargers must fit under the fuse beside the learnt background.
    fn safe_current_errors(&self, background: PerPhase<Milliamps>) -> Option<FieldError> {
        let rating = self.site.main_fuse.rating_a.per_phase();
        let phase = *self.site.grid.phases().iter().find(|phase| {
            let safe: Milliamps = self
                .chargers
                .iter()
                .filter(|charger| charger.lines(self.site.grid).contains(phase))
                .map(|charger| charger.safe_current_a)
                .sum();
            safe > Milliamps::ZERO && safe + background.get(**phase) > rating.get(**phase)
        })?;
        let unconfirmed = self.chargers.iter().find(|charger| {
            charger.safe_current_a > Milliamps::ZERO
                && charger.lines(self.site.grid).contains(&phase)
                && !charger.accept_risk
        })?;
        let safe: Milliamps = self
            .chargers
            .iter()
            .filter(|charger| charger.lines(self.site.grid).contains(&phase))
            .map(|charger| charger.safe_current_a)
            .sum();
        Some(FieldError {
            field: format!("chargers.{}.safe_current_a", unconfirmed.id),
            code: "conflict",
            message: format!(
                "without the controller the chargers fall to {safe} together on {phase}; with the highest \
                 background seen there ({}) that is above the fuse of {}: lower the safe currents, or \
                 confirm with \"accept_risk\": true",
                background.get(phase),
                rating.get(phase)
            ),
        })
    }
}

fn too_many(field: &str, count: usize, most: usize, errors: &mut Vec<FieldError>) {
    if count > most {
        errors.push(FieldError {
            field: field.to_owned(),
            code: "range",
            message: format!("at most {most} of them"),
        });
    }
}

fn duplicate(kind: &str, id: &str, seen: &mut BTreeSet<String>, errors: &mut Vec<FieldError>) {
    if !seen.insert(id.to_owned()) {
        errors.push(FieldError {
            field: format!("{kind}.{id}.id"),
            code: "duplicate",
            message: format!("another load is called \"{id}\" already"),
        });
    }
}
