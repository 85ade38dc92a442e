//! Sentences about what is wrong: the meter, a load that does not answer or obey, a line that carries too much.

use super::{Bound, capital, is_main};
use crate::action::{Reason, ReasonCode};
use crate::load::Load;
use crate::units::{Milliamps, Phase};

/// What is done in observe mode, whatever is wrong.
const NOTHING_COMMANDED: &str = "Nothing is commanded: Headroom only observes.";

/// Why a line is not relieved by a command.
#[derive(Clone, Copy, Debug)]
pub enum Overload<'a> {
    /// A load was told, and has not answered yet.
    Falling,
    /// The loads may draw it, by what they say; it is not certain.
    Unsure,
    /// A load does not obey.
    Stray(&'a Load),
    /// No load draws anything there.
    House,
}

impl Reason {
    /// The newest reading is too old, or says the same for too long. `commands`: whether commands are given.
    pub fn stale(frozen: bool, commands: bool) -> Self {
        let what = if frozen {
            "The meter says the same in every value: it is not believed."
        } else {
            "The newest reading of the meter is too old."
        };
        let done = if commands {
            "Nothing is raised, and the loads are lowered to what fits beside the highest background seen."
        } else {
            NOTHING_COMMANDED
        };
        let advice = if frozen {
            "Check the meter's connection."
        } else {
            "Check the meter's cable."
        };
        Self::plain(ReasonCode::MeterStale, format!("{what} {done} {advice}"))
    }

    /// There is no reading. `commands`: whether commands are given.
    pub fn lost(commands: bool) -> Self {
        let done = if commands {
            "Chargers are told their safe current and slow loads to go off; who cannot be reached goes there when \
             its lease runs out, if it can."
        } else {
            NOTHING_COMMANDED
        };
        Self::plain(
            ReasonCode::MeterLost,
            format!(
                "Nothing is heard of the meter. {done} Check the meter's cable and that its port is opened."
            ),
        )
    }

    /// A line is missing. `rebuilt`: it is made from what the meter says besides.
    pub fn partial(rebuilt: bool) -> Self {
        let text = if rebuilt {
            "The meter leaves out the current of a line. It is rebuilt from the other lines, the voltages and the power."
        } else {
            "The meter leaves out the current of a line. What is missing counts with its worst case."
        };
        Self::plain(ReasonCode::MeterStale, text)
    }

    /// Nothing was heard of it since it is known here, and that is not long ago.
    pub fn unseen(load: &Load, counted: Milliamps) -> Self {
        let mut reason = Self::plain(
            ReasonCode::ChargerLost,
            format!(
                "Nothing has been heard of {} yet: {counted} stay reserved for it.",
                load.title()
            ),
        );
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// It was told less a moment ago, and still draws more than that.
    pub fn unheeded(load: &Load, counted: Milliamps) -> Self {
        let mut reason = Self::plain(
            ReasonCode::NotObeying,
            format!(
                "{} was told {} and has not been seen to follow yet: {counted} count for it.",
                load.title(),
                load.current()
            ),
        );
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// It cannot be reached.
    pub fn unreachable(load: &Load, counted: Milliamps) -> Self {
        let mut reason = Self::plain(
            ReasonCode::ChargerLost,
            format!(
                "{} cannot be reached: {counted} stay reserved for it. Check its power and its network.",
                load.title()
            ),
        );
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// It does not do what it was told.
    pub fn not_obeying(load: &Load) -> Self {
        let draw = load.draw().unwrap_or_default();
        let mut reason = Self::plain(
            ReasonCode::NotObeying,
            format!(
                "{} draws {draw} although it was told {}: that and what it may add are counted for it, and others get \
                 less. Check that the charger allows control from outside.",
                load.title(),
                load.current()
            ),
        );
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// It refuses its commands or does not answer them.
    pub fn refusing(load: &Load) -> Self {
        let mut reason = Self::plain(
            ReasonCode::NotObeying,
            format!(
                "{} refuses its commands or does not answer: the worst that it may draw is counted. Check \
                 that it allows control from outside.",
                load.title()
            ),
        );
        reason.load = Some(load.spec.id.clone());
        reason
    }

    /// A line carries too much, and nothing is left to be lowered.
    pub fn overloaded(bound: &Bound, why: &Overload<'_>) -> Self {
        let what = match why {
            Overload::Falling => "what was lowered is on its way down".to_owned(),
            Overload::Unsure => "it is being found out which of the loads draws it".to_owned(),
            Overload::Stray(load) => format!(
                "{} does not do what it is told: switch it off by hand",
                load.title()
            ),
            Overload::House => "no load is left that could be lowered".to_owned(),
        };
        let text = format!(
            "{} carries {} of {}, and {what}.",
            capital(&bound.place().to_string()),
            bound.measured.unwrap_or_default(),
            bound.limit
        );
        let mut reason = Self::plain(bound.code(), text).at(bound);
        if let Overload::Stray(load) = why {
            reason.code = ReasonCode::NotObeying;
            reason.load = Some(load.spec.id.clone());
        }
        reason
    }

    /// A line carries too much for a while already.
    pub fn overload_lasts(
        circuit: &str,
        phase: Phase,
        measured: Milliamps,
        limit: Milliamps,
    ) -> Self {
        let place = if is_main(circuit) {
            format!("{phase} of the main fuse")
        } else {
            format!("{phase} of circuit {circuit}")
        };
        let text = format!(
            "{place} carries {measured} of {limit} for more than half a minute. Switch something off by hand, before the fuse does."
        );
        let mut reason = Self::plain(ReasonCode::MainFuse, text);
        (reason.phase, reason.circuit) = (Some(phase), Some(circuit.to_owned()));
        reason
    }
}
