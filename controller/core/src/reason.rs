//! Reasons and their sentences. The sentence is made from the data, here and nowhere else.

mod learning;
mod trouble;

pub use trouble::Overload;

use std::fmt::{self, Write};
use std::sync::Arc;

use crate::action::{Reason, ReasonCode};
use crate::config::MAIN;
use crate::load::Load;
use crate::units::{Instant, Milliamps, Phase};

/// What is promised or measured may be above a limit by this, so that noise does not cut.
pub const DEADBAND: Milliamps = Milliamps(300);

/// Most sentences are no longer, in bytes.
const SENTENCE: usize = 192;

/// Whether more is measured than the limit, by more than noise.
pub fn is_overloaded(measured: Option<Milliamps>, limit: Milliamps) -> bool {
    measured.is_some_and(|measured| measured > limit + DEADBAND)
}

/// The line of a circuit, or the power of the house, that has no more to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The circuit.
    pub circuit: Arc<str>,
    /// The line; `None`: the cap on the power of the house.
    pub phase: Option<Phase>,
    /// What was measured there.
    pub measured: Option<Milliamps>,
    /// The limit there.
    pub limit: Milliamps,
    /// What it may carry in all: the limit, or less where the fuse would not bear a step of the house before
    /// the loads have answered.
    pub level: Milliamps,
    /// What is left there for all loads together.
    pub available: Milliamps,
    /// How much of that stays reserved for loads that cannot be relied upon.
    pub reserved: Milliamps,
    /// How much of that goes to what loads draw above what they were told.
    pub overdrawn: Milliamps,
}

impl Bound {
    fn code(&self) -> ReasonCode {
        let reserves = self.phase.is_some() && self.level < self.limit;
        if reserves && !self.is_overloaded() {
            ReasonCode::Thermal
        } else {
            self.limit_code()
        }
    }

    /// What the limit itself is.
    fn limit_code(&self) -> ReasonCode {
        match self.phase {
            None => ReasonCode::PowerLimit,
            Some(_) if is_main(&self.circuit) => ReasonCode::MainFuse,
            Some(_) => ReasonCode::Circuit,
        }
    }

    /// Whether more is measured there than the limit, by more than noise.
    pub fn is_overloaded(&self) -> bool {
        is_overloaded(self.measured, self.limit)
    }

    /// What it leaves for the loads, in words.
    const fn leaves(&self) -> Leaves<'_> {
        Leaves(self)
    }

    /// Where it is, in words.
    const fn place(&self) -> Place<'_> {
        Place(self)
    }
}

struct Leaves<'b>(&'b Bound);

impl fmt::Display for Leaves<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = self.0;
        let available = bound.available.max(Milliamps::ZERO);
        write!(f, "leaves {available} for the loads")?;
        if bound.reserved > Milliamps::ZERO {
            let reserved = bound.reserved;
            write!(
                f,
                ", {reserved} reserved for one that cannot be relied upon"
            )?;
        }
        if bound.overdrawn > Milliamps::ZERO {
            let overdrawn = bound.overdrawn;
            write!(f, ", {overdrawn} of them drawn above what was told")?;
        }
        if bound.level < bound.limit {
            let free = bound.limit - bound.level;
            write!(
                f,
                ", with {free} kept free so that the fuse bears a sudden step of the house"
            )?;
        }
        Ok(())
    }
}

struct Place<'b>(&'b Bound);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let circuit = &self.0.circuit;
        match self.0.phase {
            None => f.write_str("the power limit of the house"),
            Some(phase) if is_main(circuit) => write!(f, "{phase} of the main fuse"),
            Some(phase) => write!(f, "{phase} of circuit {circuit}"),
        }
    }
}

fn is_main(circuit: &str) -> bool {
    circuit == MAIN
}

impl Reason {
    /// A reason of which nothing but the code and the sentence is known.
    pub fn plain(code: ReasonCode, text: impl Into<String>) -> Self {
        Self {
            code,
            phase: None,
            circuit: None,
            load: None,
            measured_a: None,
            limit_a: None,
            available_a: None,
            from_a: None,
            to_a: None,
            until_ms: None,
            counterfactual: None,
            text: text.into(),
        }
    }

    /// Before the first good readings.
    pub fn starting() -> Self {
        Self::plain(
            ReasonCode::Starting,
            "Waiting for the first readings of the meter: nothing is raised until they come, and a charger keeps what it has until its lease runs out or the meter counts as lost.",
        )
    }

    /// Everything has what it can use.
    pub fn normal() -> Self {
        Self::plain(ReasonCode::Normal, "Every load has what it can use.")
    }

    /// It has what it can use.
    pub fn satisfied(load: &Load) -> Self {
        Self::plain(
            ReasonCode::Normal,
            format!("{} has what it can use.", load.title()),
        )
    }

    /// Nothing is commanded.
    pub fn observe() -> Self {
        Self::plain(
            ReasonCode::Observe,
            "Observe only: Headroom reads and shows, and commands nothing.",
        )
    }

    fn change(mut self, from: Milliamps, to: Milliamps) -> Self {
        self.from_a = Some(from);
        self.to_a = Some(to);
        self
    }

    fn at(mut self, bound: &Bound) -> Self {
        self.phase = bound.phase;
        self.circuit = Some(bound.circuit.to_string());
        self.measured_a = bound.measured;
        self.limit_a = Some(bound.limit);
        self.available_a = Some(bound.available);
        self
    }

    /// The next change at the earliest then.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until_ms = Some(until);
        self
    }

    /// Lowered because the fuse has no more to give.
    pub fn cut(load: &Load, bound: &Bound, from: Milliamps, to: Milliamps) -> Self {
        let carries = bound.measured.map_or_else(String::new, |measured| {
            format!(" carries {measured} of {} and", bound.limit)
        });
        let text = format!(
            "{}{carries} {}: {} {}.",
            capital(&bound.place().to_string()),
            bound.leaves(),
            load.title(),
            change_words(load, from, to)
        );
        Self::plain(bound.code(), text).at(bound).change(from, to)
    }

    /// Has less than it can use because the fuse has no more to give.
    pub fn held(load: &Load, bound: &Bound) -> Self {
        let text = sentence(format_args!(
            "{} has {} of {}: {} {}.",
            load.title(),
            load.current(),
            load.spec.most,
            bound.place(),
            bound.leaves()
        ));
        Self::plain(bound.code(), text).at(bound)
    }

    /// Has nothing because the fuse does not give enough. `needs`: what it would take of it to start. `keeper`: who has most
    /// of what it gives.
    pub fn waits(load: &Load, bound: &Bound, needs: Milliamps, keeper: Option<&Load>) -> Self {
        // What would be enough is not to be had because another one has it.
        let enough = bound.available - bound.reserved >= needs;
        let taken = keeper.filter(|_| enough).map_or_else(String::new, |other| {
            format!(", and {} keeps what it has", other.title())
        });
        let text = format!(
            "{} waits: {} {}{taken}, and it needs {needs}.",
            load.title(),
            bound.place(),
            bound.leaves()
        );
        Self::plain(bound.code(), text).at(bound)
    }

    /// Has nothing, and never will: what it takes to start is more than a fuse ever gives.
    pub fn never(load: &Load, bound: &Bound, needs: Milliamps) -> Self {
        let check = match bound.phase {
            Some(_) => "the rating of the fuse",
            None => "that limit",
        };
        let text = format!(
            "{} stays off: it needs {needs} at least, and {} never gives more than {}. Check its settings and {check}.",
            load.title(),
            bound.place(),
            bound.limit
        );
        Self::plain(bound.limit_code(), text).at(bound)
    }

    /// Lowered, or kept low, so that another load gets its share.
    pub fn shared(load: &Load, other: &Load, from: Milliamps, to: Milliamps) -> Self {
        let first = other.wishes.boost.is_some() || other.spec.priority > load.spec.priority;
        let (code, why) = if first {
            (ReasonCode::Priority, "goes first")
        } else {
            (ReasonCode::FairShare, "shares")
        };
        let text = format!(
            "{} {why}: {} {}.",
            other.title(),
            load.title(),
            change_words(load, from, to)
        );
        let mut reason = Self::plain(code, text).change(from, to);
        reason.load = Some(other.spec.id.clone());
        reason
    }

    /// Has less than it can use because another load goes first, or it is the other's turn.
    pub fn behind(load: &Load, rival: &Load, bound: &Bound, has: Milliamps) -> Self {
        let (code, why) = if rival.spec.priority > load.spec.priority {
            (ReasonCode::Priority, "goes first")
        } else {
            (ReasonCode::Rotation, "has its turn")
        };
        let text = format!(
            "{} {why}: {} {}, and {} has {has}.",
            rival.title(),
            bound.place(),
            bound.leaves(),
            load.title()
        );
        let mut reason = Self::plain(code, text).at(bound);
        reason.load = Some(rival.spec.id.clone());
        reason
    }

    /// Lowered to what it takes.
    pub fn demand(load: &Load, from: Milliamps, to: Milliamps) -> Self {
        let text = if to == load.spec.safe {
            format!("{} does not charge now: it is at {to}.", load.title())
        } else {
            format!(
                "{} takes no more: {}.",
                load.title(),
                change_words(load, from, to)
            )
        };
        Self::plain(ReasonCode::Demand, text).change(from, to)
    }

    /// Lowered because its configuration allows no more.
    pub fn configured(load: &Load, from: Milliamps, to: Milliamps) -> Self {
        let words = change_words(load, from, to);
        let text = format!(
            "Its configuration allows no more: {} {words}.",
            load.title()
        );
        Self::plain(ReasonCode::User, text).change(from, to)
    }

    /// Stops before it goes from one phase to all of them.
    pub fn widens(load: &Load, from: Milliamps) -> Self {
        let text = format!(
            "{} is not used on one phase any more, and on {} it would draw where nothing was kept for it: it stops, and \
             starts again when there is room.",
            load.title(),
            load.spec.phases
        );
        Self::plain(ReasonCode::Hysteresis, text).change(from, Milliamps::ZERO)
    }

    /// Asks for nothing.
    pub fn idle(load: &Load) -> Self {
        Self::plain(
            ReasonCode::Demand,
            format!("{} does not want to charge now.", load.title()),
        )
    }

    /// As a person wanted it.
    pub fn user(load: &Load, from: Milliamps, to: Milliamps, until: Instant) -> Self {
        let who = if load.wishes.test.is_some() {
            "Its test wants it so"
        } else {
            "A person wanted it so"
        };
        let text = format!("{who}: {} {}.", load.title(), change_words(load, from, to));
        Self::plain(ReasonCode::User, text)
            .change(from, to)
            .until(until)
    }

    /// Raised, since there is room.
    pub fn restored(load: &Load, from: Milliamps, to: Milliamps) -> Self {
        let text = format!(
            "There is room: {} {}.",
            load.title(),
            change_words(load, from, to)
        );
        Self::plain(ReasonCode::Restored, text).change(from, to)
    }

    /// On again because its longest time off is over.
    pub fn promised(load: &Load, from: Milliamps, to: Milliamps) -> Self {
        let text = format!(
            "{} was off for as long as was promised: it goes on.",
            load.title()
        );
        Self::plain(ReasonCode::MaxOff, text).change(from, to)
    }

    /// Waits for a time to pass.
    pub fn waiting(load: &Load, what: &str, until: Instant) -> Self {
        Self::plain(
            ReasonCode::Hysteresis,
            format!("{} could get more; {what}.", load.title()),
        )
        .until(until)
    }

    /// Waits until another load has been seen to give way.
    pub fn waiting_for(load: &Load, other: Option<&Load>) -> Self {
        let who = other.map_or("another load", Load::title);
        let mut reason = Self::plain(
            ReasonCode::Hysteresis,
            format!(
                "{} gets more as soon as {who} has been seen to give way.",
                load.title()
            ),
        );
        reason.load = other.map(|other| other.spec.id.clone());
        reason
    }

    /// Was told something a moment ago and follows: it counts with what it draws until its reports agree.
    pub fn settling(load: &Load) -> Self {
        Self::plain(
            ReasonCode::Hysteresis,
            format!(
                "{} was told {} a moment ago; it may get more when it has settled there.",
                load.title(),
                load.current()
            ),
        )
    }

    /// The same again, so that it does not run out.
    pub fn lease(load: &Load) -> Self {
        Self::plain(
            ReasonCode::Lease,
            format!("{} keeps {}.", load.title(), load.current()),
        )
    }

    /// What would be done, if commands were given.
    #[must_use]
    pub fn would_be(&self) -> Self {
        Self {
            text: format!(
                "Observe only, nothing is commanded. In control: {}",
                self.text
            ),
            ..self.clone()
        }
    }

    /// Lowered for one of the reasons about the meter.
    #[must_use]
    pub fn because(&self, load: &Load, from: Milliamps, to: Milliamps) -> Self {
        let first = self.text.split_inclusive('.').next().unwrap_or_default();
        let text = format!("{first} {} {}.", load.title(), change_words(load, from, to));
        Self::plain(self.code, text).change(from, to)
    }

    /// Ceilings that a person has set are in force.
    pub fn manual(until: Instant) -> Self {
        Self::plain(
            ReasonCode::User,
            "A person has set ceilings for the loads. The fuse is guarded all the same.",
        )
        .until(until)
    }

    /// There would be room for a little more, but it went up and down, and the house needed it not long ago.
    pub fn patience(load: &Load, bound: &Bound, until: Instant) -> Self {
        let text = format!(
            "{} could get a little more, but it was lowered twice not long ago, and {} was fuller since. It is raised when that has \
             not come again for a while, or as soon as there is room for much more.",
            load.title(),
            bound.place()
        );
        Self::plain(ReasonCode::Hysteresis, text)
            .at(bound)
            .until(until)
    }

    /// There is room now, but the house needed it a short time ago.
    pub fn peak(load: &Load, bound: &Bound, until: Instant) -> Self {
        let mut text = format!(
            "{} could get more; {} was fuller within the hold time, and may be again.",
            load.title(),
            bound.place()
        );
        if bound.level < bound.limit {
            text.push_str(" Some is kept free so that the fuse bears a sudden step of the house.");
        }
        Self::plain(ReasonCode::Hysteresis, text)
            .at(bound)
            .until(until)
    }
}

/// A long sentence that is made often: in one piece of memory.
fn sentence(words: fmt::Arguments<'_>) -> String {
    let mut text = String::with_capacity(SENTENCE);
    // Writing to a text does not fail.
    text.write_fmt(words).ok();
    text
}

/// What happens to a load, in words.
fn change_words(load: &Load, from: Milliamps, to: Milliamps) -> String {
    use crate::load::Kind;
    match load.spec.kind {
        Kind::SlowLoad if to > Milliamps::ZERO => "goes on".to_owned(),
        Kind::SlowLoad => "goes off".to_owned(),
        Kind::Charger if to == from && to == Milliamps::ZERO => "stays paused".to_owned(),
        Kind::Charger if to == from => format!("stays at {to}"),
        Kind::Charger if to == Milliamps::ZERO => format!("pauses (had {from})"),
        Kind::Charger if from == Milliamps::ZERO => format!("gets {to}"),
        Kind::Charger => format!("goes from {from} to {to}"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
