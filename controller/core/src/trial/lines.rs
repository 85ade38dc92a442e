//! Which lines moved with the charger, over all steps together: one step of the house among them decides nothing.

use super::report::StepReport;
use super::{Setup, step::MOVED_PERCENT};
use crate::units::{Milliamps, Phase};

/// A line that moved by less than this share of the charger's steps did not move with it, in percent.
const STILL_PERCENT: i64 = 40;

/// What was found of the phases.
pub(super) struct Phases {
    /// The lines that moved with it; `None`: it cannot be told.
    pub found: Option<Vec<Phase>>,
    /// The lines that should have; `None`: its phases are not known.
    pub expected: Option<Vec<Phase>>,
}

impl Phases {
    pub(super) fn of(steps: &[StepReport], setup: &Setup) -> Self {
        Self {
            found: found(steps, setup),
            expected: expected(steps, setup),
        }
    }

    /// Whether they are as configured; `None`: it cannot be told.
    pub(super) fn agree(&self) -> Option<bool> {
        let found = self.found.as_ref()?;
        if found.is_empty() {
            // Whatever its phases are, the meter must show it.
            return Some(false);
        }
        self.expected.as_ref().map(|expected| found == expected)
    }
}

/// How far its own current moved in a step: as it says, or as it was told.
fn own(step: &StepReport) -> Milliamps {
    let most = |entries: &[Option<Milliamps>]| entries.iter().copied().flatten().max();
    match (most(&step.before_a), most(&step.reported_a)) {
        (Some(before), Some(after)) => after - before,
        _ => step.told_a - step.from_a,
    }
}

/// The share of its own steps that something moved by, in percent; `None`: it did not move enough to tell.
fn share(pairs: impl Iterator<Item = (Milliamps, Milliamps)>) -> Option<i64> {
    /// Two steps of 3 A, in mA².
    const ENOUGH: i64 = 18_000_000;
    let (mut product, mut square) = (0_i64, 0_i64);
    for (moved, own) in pairs {
        product = product.saturating_add(moved.0.saturating_mul(own.0));
        square = square.saturating_add(own.0.saturating_mul(own.0));
    }
    (square >= ENOUGH).then(|| product.saturating_mul(100).div_euclid(square))
}

fn found(steps: &[StepReport], setup: &Setup) -> Option<Vec<Phase>> {
    let mut lines = Vec::new();
    for line in &setup.judged {
        let pairs = steps
            .iter()
            .filter(|step| !step.skipped)
            .filter_map(|step| {
                let moved = step.moved_a.get(line.index()).copied().flatten()?;
                Some((moved, own(step)))
            });
        let share = share(pairs)?;
        if share >= MOVED_PERCENT {
            lines.push(*line);
        } else if share > STILL_PERCENT {
            return None;
        }
    }
    (!setup.judged.is_empty()).then_some(lines)
}

/// The lines of the terminals that moved, by the charger's own word.
fn expected(steps: &[StepReport], setup: &Setup) -> Option<Vec<Phase>> {
    let map = setup.map.as_ref()?;
    let mut lines = Vec::new();
    for (terminal, line) in map.iter().enumerate() {
        let pairs = steps
            .iter()
            .filter(|step| !step.skipped)
            .filter_map(|step| {
                let at = |entries: &[Option<Milliamps>]| entries.get(terminal).copied().flatten();
                let moved = at(&step.reported_a)? - at(&step.before_a)?;
                Some((moved, own(step)))
            });
        // Without its word: all of them.
        if share(pairs).is_none_or(|share| share >= MOVED_PERCENT) {
            lines.push(*line);
        }
    }
    lines.sort_unstable();
    lines.dedup();
    Some(lines)
}
