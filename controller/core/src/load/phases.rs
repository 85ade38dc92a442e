//! On how many of its phases a charger is used: three, or one where it can switch.
//!
//! A switch moves a contactor in the charger and makes the car begin anew, so it is rare: never sooner than
//! [`SWITCH_EVERY_MS`] after the last, and to one phase only after [`WAITS_MS`] of waiting. What was told is
//! believed only when it was seen: until a report shows current at the first terminal and none at the
//! others, the charger stays reserved on all of its lines.
//!
//! Invariant: [`Load::may_draw_from`] names every line that it can draw from, as far as anybody knows.

use serde::{Deserialize, Serialize};

use super::{Kind, LEASE_SLACK_MS, Load};
use crate::allocate::Use;
use crate::units::{Instant, Milliamps, Phase};

/// No switch sooner than this after the last, in milliseconds. Some chargers refuse to give current for
/// five minutes after one; others keep ten minutes between two of their own.
pub const SWITCH_EVERY_MS: u64 = 600_000;
/// One phase is used after all of them have had no room for this long, in milliseconds.
pub const WAITS_MS: u64 = 600_000;
/// A terminal with more than this is in use: what meters in chargers show of nothing is less.
const IN_USE: Milliamps = Milliamps(500);
/// A car that charges draws more than this.
const CHARGES: Milliamps = Milliamps::from_amps(1);
/// A charger that still uses its other terminals after this has not switched, in milliseconds. Pausing,
/// switching and beginning anew are done by then.
const SWITCHED_BY_MS: u64 = 60_000;

/// What is known of the lines that it draws from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Span {
    /// All of them.
    #[default]
    All,
    /// It was told one while it drew nothing, and has not been seen to draw since.
    Tried,
    /// It was seen to draw from one.
    One,
}

/// On how many phases a charger is used, and what it has shown of that.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct PhaseUse {
    told_one: bool,
    span: Span,
    switched_at: Option<Instant>,
    /// It was told one phase and went on using others.
    strays: bool,
    /// It was told one phase and has not taken that yet.
    #[serde(default)]
    asked: bool,
    /// Since when a car wants current.
    wants_since: Option<Instant>,
}

impl Load {
    /// How many phases it is told to use.
    pub const fn phases(&self) -> u8 {
        if self.phase_use.told_one {
            1
        } else {
            self.spec.phases
        }
    }

    /// Whether it is told to use one phase only.
    pub const fn is_told_one(&self) -> bool {
        self.phase_use.told_one
    }

    /// Whether it was told to use one phase, and was seen to.
    pub fn is_seen_on_one(&self) -> bool {
        self.phase_use.span == Span::One
    }

    /// The line that it draws from when it uses one phase: that of its first terminal; any, where that is
    /// not known.
    pub fn line_of_one(&self) -> &[Phase] {
        match self.map() {
            Some(map) if self.spec.switching => map.get(..1).unwrap_or(map),
            _ => self.lines(),
        }
    }

    /// The lines that it draws from by what it was told, unless it has shown something else: for lowering.
    pub fn draws_from(&self) -> &[Phase] {
        match self.phase_use.span {
            Span::All => self.lines(),
            Span::Tried | Span::One => self.line_of_one(),
        }
    }

    /// The lines that it can draw from as far as anybody knows: for everything that is given to others.
    pub fn may_draw_from(&self) -> &[Phase] {
        match self.phase_use.span {
            Span::All | Span::Tried => self.lines(),
            Span::One => self.line_of_one(),
        }
    }

    /// How it counts as it is now.
    pub fn present_use(&self) -> Use {
        match self.phase_use.span {
            Span::All => Use::All,
            Span::Tried | Span::One => Use::One,
        }
    }

    /// On how many phases it may be used from now on. `for_others`: another load waits for room that it
    /// would leave.
    pub fn possible_use(&self, for_others: bool, now: Instant) -> Use {
        let usage = &self.phase_use;
        let rests = usage
            .switched_at
            .is_some_and(|at| now.since_ms(at) < SWITCH_EVERY_MS);
        match (usage.told_one, rests) {
            _ if !self.spec.switching || usage.strays => Use::All,
            (true, true) => Use::One,
            (true, false) => Use::Either,
            (false, true) => Use::All,
            (false, false) => {
                let waits = self.waits_ms(now) >= WAITS_MS;
                let on = self.current() > Milliamps::ZERO;
                if waits || (on && for_others) {
                    Use::Either
                } else {
                    Use::All
                }
            }
        }
    }

    /// How long it has been without current although a car wants some; 0 for one that has some.
    pub fn waits_ms(&self, now: Instant) -> u64 {
        let wants = self.phase_use.wants_since;
        wants.map_or(0, |since| self.off_ms(now).min(now.since_ms(since)))
    }

    /// When it may be switched at the earliest, if a waiting time still runs.
    pub fn switches_at(&self, now: Instant) -> Option<Instant> {
        let usage = &self.phase_use;
        let rested = usage.switched_at.map(|at| at.after_ms(SWITCH_EVERY_MS));
        let off = now.0.saturating_sub(self.off_ms(now));
        let waited = usage
            .wants_since
            .filter(|_| !usage.told_one && self.off_since.is_some())
            .map(|since| Instant(since.0.max(off)).after_ms(WAITS_MS));
        let at = rested.max(waited)?;
        (self.spec.switching && !usage.strays && at > now).then_some(at)
    }

    /// Notes whether a car wants current.
    pub(super) fn note_wants(&mut self, wants: bool, now: Instant) {
        let since = self.phase_use.wants_since;
        self.phase_use.wants_since = wants.then(|| since.unwrap_or(now));
    }

    /// Books on how many phases it is told to be used.
    pub(super) fn note_phases(&mut self, one: bool, now: Instant) {
        let idle = self.current() == Milliamps::ZERO && self.unsettled.is_none();
        let drawn = self.draw().filter(|_| self.has_recent_report(now));
        let idle = idle && drawn.is_some_and(|draw| draw <= IN_USE);
        let usage = &mut self.phase_use;
        if one != usage.told_one {
            usage.switched_at = Some(now);
            usage.span = Span::All;
        }
        usage.asked = one && (usage.asked || !usage.told_one);
        usage.told_one = one;
        if one && idle && usage.span == Span::All {
            usage.span = Span::Tried;
        }
    }

    /// It took what it was told.
    pub(super) const fn take_phases(&mut self) {
        self.phase_use.asked = false;
    }

    /// It refused what it was told. Where that was to go to one phase it stays on all of them, as it was, and
    /// is asked again when it has rested; `false`: it was something else.
    pub(super) const fn refuse_phases(&mut self, now: Instant) -> bool {
        let usage = &mut self.phase_use;
        if !usage.asked {
            return false;
        }
        usage.asked = false;
        usage.told_one = false;
        usage.span = Span::All;
        usage.switched_at = Some(now);
        true
    }

    /// What its report shows of the phases that it uses.
    pub(super) fn watch_phases(&mut self, now: Instant) {
        let untold = self.spec.switching && self.setpoint.is_none();
        if !self.phase_use.told_one && !untold {
            return;
        }
        let known: Option<Vec<Milliamps>> = self
            .measured
            .as_ref()
            .and_then(|entries| entries.iter().copied().collect());
        let Some([first, others @ ..]) = known.as_deref() else {
            return;
        };
        let Some(most) = others.iter().max() else {
            return;
        };
        let usage = &mut self.phase_use;
        if *most > IN_USE {
            usage.span = Span::All;
            usage.strays |= usage
                .switched_at
                .is_some_and(|at| now.since_ms(at) >= SWITCHED_BY_MS);
        } else if *first > CHARGES {
            usage.span = Span::One;
            // Somebody before has told it so; it is not switched under a car that charges.
            usage.told_one = true;
        }
    }

    /// What it uses by itself is not known any more: its lease has run out, or it was away.
    pub(super) fn forget_span(&mut self) {
        self.phase_use.span = Span::All;
    }

    /// A lost charger keeps to what it was told until its lease has run out.
    pub(super) fn settle_phases(&mut self, now: Instant) {
        let over = self
            .lease_until
            .is_none_or(|until| now >= until.after_ms(LEASE_SLACK_MS));
        if self.link.lost_since().is_some() && over {
            self.forget_span();
        }
    }

    /// Takes over whether it can switch at all.
    pub(super) fn reconfigure_phases(&mut self) {
        if !self.spec.switching || self.spec.kind == Kind::SlowLoad {
            self.phase_use = PhaseUse {
                wants_since: self.phase_use.wants_since,
                ..PhaseUse::default()
            };
        }
        self.forget_span();
    }
}
