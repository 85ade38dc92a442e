//! Sentences about what is found out: the phases of a charger, and what would be if one thing were otherwise.

use std::fmt::Write as _;

use super::change_words;
use crate::action::{Counterfactual, Reason, ReasonCode};
use crate::load::Load;
use crate::rotation::{Finding, TERMINALS};
use crate::units::{Milliamps, Phase};

impl Reason {
    /// Its phases are not known.
    pub fn map_unknown(load: &Load) -> Self {
        let mut text = format!(
            "The phases of {} are not known: it counts on all of them.",
            load.title()
        );
        let steps = load.rotation.evidence().steps();
        if steps > 0 {
            write!(text, " Seen so far in {}.", counted(steps)).ok();
        }
        let mut reason = Self::plain(ReasonCode::Learning, text);
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// What its current has shown of its phases.
    pub fn phases_found(load: &Load, found: &Finding) -> Self {
        let known: Vec<Phase> = found.lines.iter().copied().flatten().collect();
        let name = load.title();
        let mut text = match (&known[..], &found.now) {
            (all, _) if all.len() == TERMINALS => {
                format!(
                    "The terminals of {name} hang on {}, in this order",
                    listed(all)
                )
            }
            ([first], _) => format!("{name} hangs on {first} with its first terminal"),
            (_, Some(now)) => format!("{name} draws from {} only", listed(now)),
            (_, None) => format!("{name} hangs on {}", listed(&known)),
        };
        write!(text, ": seen in {}.", counted(found.steps)).ok();
        if let Some(now) = &found.now {
            write!(text, " Its car counts on {} only.", listed(now)).ok();
        }
        text.push_str(" Set its phases to settle it.");
        let mut reason = Self::plain(ReasonCode::Learning, text);
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// Lowered for a moment to see on which lines.
    pub fn trial(load: &Load, from: Milliamps, to: Milliamps) -> Self {
        let mut reason = Self::plain(
            ReasonCode::Learning,
            format!(
                "{} {} for a moment: the meter shows on which lines it hangs.",
                load.title(),
                change_words(load, from, to)
            ),
        )
        .change(from, to);
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// Adds what the load would have if one thing were otherwise. `other`: the load that would be paused.
    pub fn add_otherwise(&mut self, what: Counterfactual, other: Option<&Load>) {
        let condition = other.map_or_else(
            || "Without that peak of the house".to_owned(),
            |other| format!("With {} paused", other.title()),
        );
        // Writing to a text does not fail.
        write!(self.text, " {condition}: {}.", what.current_a).ok();
        self.counterfactual = Some(what);
    }
}

fn counted(steps: u16) -> String {
    match steps {
        1 => "1 step of its current".to_owned(),
        many => format!("{many} steps of its current"),
    }
}

/// Lines in words: `L1`, `L1 and L2`, `L2, L3 and L1`.
fn listed(lines: &[Phase]) -> String {
    match lines {
        [] => "no line".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(Phase::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}
