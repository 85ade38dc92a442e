//! One step of the follow test: given by the engine, followed by the charger, seen by the meter.

use serde::{Deserialize, Serialize};

use super::report::{StepKind, StepReport};
use super::{Setup, Sight};
use crate::event::ChargerStatus;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A charger that has not followed by then does not, in milliseconds: the slowest answer that counts, and the car's.
const FOLLOW_MS: u64 = 35_000;
/// A charger's word is waited for this much longer, in milliseconds: some report once a minute.
const REPORT_MS: u64 = 60_000;
/// A car needs longer to begin anew, in milliseconds.
const START_MS: u64 = 90_000;
/// What was reached is watched for this long, in milliseconds: a car comes up by about an ampere a second.
const HOLD_MS: u64 = 4_000;
/// The meter's reading must be this much younger than the charger's word, in milliseconds.
const METER_AFTER_MS: u64 = 1_000;
/// The meter's reading is not waited for longer than this, in milliseconds.
const METER_MS: u64 = 30_000;
/// A charger follows when it draws no more than this above what it was told.
const ABOVE: Milliamps = Milliamps(1_000);
/// A car that has come this near to what it was given has followed; cars stay a little below.
const BELOW: Milliamps = Milliamps(1_500);
/// A car that draws less than this does not charge.
const CHARGES: Milliamps = Milliamps(1_000);
/// A pause leaves no more than this: what meters in chargers show of nothing.
const NOTHING: Milliamps = Milliamps(500);
/// A smaller step is not looked for on the meter: houses move as much by themselves.
const VISIBLE: Milliamps = Milliamps::from_amps(2);
/// A line has moved with the charger when it moved by this share of the step, in percent.
pub(super) const MOVED_PERCENT: i64 = 60;

/// What the charger and the meter said at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub told: Option<Milliamps>,
    pub currents: Vec<Option<Milliamps>>,
    pub lines: PerPhase<Option<Milliamps>>,
}

impl Mark {
    pub(super) fn of(sight: &Sight<'_>) -> Self {
        // What it said before it was told says nothing of what it draws now.
        let holds = sight
            .changed_at
            .is_none_or(|told| sight.measured_at.is_some_and(|at| at > told));
        let currents = sight.currents.filter(|_| holds);
        Self {
            told: sight.setpoint,
            currents: currents.map(<[_]>::to_vec).unwrap_or_default(),
            lines: sight.lines,
        }
    }

    /// The largest of the currents that it says it draws.
    pub(super) fn draw(&self) -> Option<Milliamps> {
        self.currents.iter().copied().flatten().max()
    }

    /// Where it says nothing of its draw: what it was told.
    fn presumed(&self) -> Milliamps {
        self.draw().or(self.told).unwrap_or_default()
    }
}

/// How far each line has moved since.
pub(super) fn moved(before: &Mark, after: &Mark) -> PerPhase<Option<Milliamps>> {
    before
        .lines
        .zip_with(&after.lines, |from, to| Some(to? - from?))
}

/// Whether a line has moved by most of what was expected.
pub(super) fn has_moved(
    moved: &PerPhase<Option<Milliamps>>,
    expected: Milliamps,
    lines: &[Phase],
) -> bool {
    expected.abs() >= VISIBLE
        && lines.iter().any(|line| {
            moved.get(*line).is_some_and(|moved| {
                moved
                    .0
                    .saturating_mul(expected.0.signum())
                    .saturating_mul(100)
                    >= expected.0.abs().saturating_mul(MOVED_PERCENT)
            })
        })
}

/// A step under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    kind: StepKind,
    wanted: Milliamps,
    to: Milliamps,
    since: Instant,
    before: Mark,
    /// The most that the car was seen to draw in this test.
    top: Milliamps,
    /// What was seen last while it had what it was told.
    last: Option<Mark>,
    told_at: Option<Instant>,
    reported_at: Option<Instant>,
    metered_at: Option<Instant>,
}

/// What a look at a step gives.
pub(super) enum Look {
    /// It goes on; what is waited for.
    Going(String),
    /// The test cannot go on, and why.
    Impossible(String),
    /// It is done.
    Done(Box<StepReport>),
}

impl Step {
    pub(super) fn new(kind: StepKind, wanted: Milliamps, to: Milliamps, now: Instant) -> Self {
        Self {
            kind,
            wanted,
            to,
            since: now,
            before: Mark::default(),
            top: Milliamps::ZERO,
            last: None,
            told_at: None,
            reported_at: None,
            metered_at: None,
        }
    }

    /// With what is seen now as what was before, and the most that the car was seen to draw.
    pub(super) fn from(mut self, sight: &Sight<'_>, top: Milliamps) -> Self {
        self.before = Mark::of(sight);
        self.top = top;
        self
    }

    pub(super) const fn kind(&self) -> StepKind {
        self.kind
    }

    pub(super) const fn to(&self) -> Milliamps {
        self.to
    }

    pub(super) fn look(&mut self, sight: &Sight<'_>, setup: &Setup) -> Look {
        if self.to > Milliamps::ZERO && !has_car(sight.status) {
            return Look::Impossible(format!(
                "There is no car at {}: the test needs one that charges. Plug one in and begin again.",
                setup.title
            ));
        }
        let mark = Mark::of(sight);
        let Some(told_at) = self.told_at.or_else(|| self.is_given(sight, &mark)) else {
            return self.wait(sight, mark, setup);
        };
        self.told_at = Some(told_at);
        if sight.setpoint != Some(self.to) {
            let last = self.last.clone().unwrap_or_default();
            if sight.straying || last.draw().is_some_and(|draw| draw > self.to + ABOVE) {
                // The engine has had enough of it.
                return self.finish(&last, told_at, sight, setup);
            }
            return Look::Impossible(format!(
                "{} was given {} instead: {}",
                setup.title,
                sight.setpoint.unwrap_or_default(),
                sight.standing
            ));
        }
        self.last = Some(mark.clone());
        self.note(sight, &mark, told_at, setup);
        let followed = if self.says_draw(&mark) {
            self.reported_at
        } else {
            self.metered_at
        };
        let waited = sight.now.since_ms(told_at);
        let heard = sight.measured_at.is_some_and(|at| at > told_at);
        let patience = if heard || !self.says_draw(&mark) {
            0
        } else {
            REPORT_MS
        };
        let given_up = waited >= self.longest_ms().saturating_add(patience);
        let Some(followed) = followed else {
            if given_up {
                return self.finish(&mark, told_at, sight, setup);
            }
            return Look::Going(format!("Told {}: it has not followed yet.", self.to));
        };
        let held = sight.now.since_ms(followed);
        let metered = sight
            .lines_at
            .is_some_and(|at| at >= followed.after_ms(METER_AFTER_MS));
        if held < HOLD_MS || (!metered && held < METER_MS) {
            return Look::Going(format!("Told {}: it follows, and is watched.", self.to));
        }
        self.finish(&mark, told_at, sight, setup)
    }

    /// When the engine gave it this step; `None`: not yet.
    fn is_given(&mut self, sight: &Sight<'_>, mark: &Mark) -> Option<Instant> {
        if sight.setpoint != Some(self.to) {
            return None;
        }
        let changed = sight.changed_at.filter(|at| *at >= self.since);
        if changed.is_none() {
            // It had it already.
            self.before = mark.clone();
        }
        Some(changed.unwrap_or(sight.now))
    }

    fn wait(&mut self, sight: &Sight<'_>, mark: Mark, setup: &Setup) -> Look {
        if sight.straying {
            return Look::Done(Box::new(StepReport {
                reported_a: mark.currents.clone(),
                text: format!(
                    "It draws {} although it was told {}.",
                    mark.draw().unwrap_or_default(),
                    sight.setpoint.unwrap_or_default()
                ),
                ..StepReport::skipped(self.kind, self.wanted, self.to)
            }));
        }
        self.before = mark;
        if sight.now.since_ms(self.since) >= setup.patience_ms {
            return Look::Impossible(format!(
                "There was no room for {} within {} s: {}",
                self.to,
                setup.patience_ms / 1000,
                sight.standing
            ));
        }
        if sight.setpoint.is_some_and(|setpoint| setpoint > self.to) {
            return Look::Going(format!("Is told {} in a moment.", self.to));
        }
        Look::Going(format!(
            "Waits for room for {}: {}",
            self.to, sight.standing
        ))
    }

    /// Whether the charger says what it draws at all.
    fn says_draw(&self, mark: &Mark) -> bool {
        mark.draw().or_else(|| self.before.draw()).is_some()
    }

    fn expected(&self) -> Milliamps {
        self.to - self.before.presumed()
    }

    const fn longest_ms(&self) -> u64 {
        match self.kind {
            StepKind::Resume => START_MS,
            _ => FOLLOW_MS,
        }
    }

    /// Notes who has shown by now that it follows.
    fn note(&mut self, sight: &Sight<'_>, mark: &Mark, told_at: Instant, setup: &Setup) {
        let newer = |at: Option<Instant>| at.filter(|at| *at > told_at);
        if self.reported_at.is_none()
            && newer(sight.measured_at).is_some()
            && mark.draw().is_some_and(|draw| self.is_reached(draw))
        {
            self.reported_at = newer(sight.measured_at);
        }
        if self.metered_at.is_none()
            && let Some(at) = newer(sight.lines_at)
            && has_moved(&moved(&self.before, mark), self.expected(), &setup.judged)
        {
            self.metered_at = Some(at);
        }
    }

    /// Whether a draw is what was told.
    fn is_reached(&self, draw: Milliamps) -> bool {
        if self.to == Milliamps::ZERO {
            return draw <= NOTHING;
        }
        let from = self.before.presumed();
        let falls = from > self.to + ABOVE;
        let low_enough = draw <= self.to + ABOVE;
        low_enough
            && draw >= CHARGES
            && (falls || draw + BELOW >= self.to || self.takes_no_more(draw))
    }

    /// Whether a car draws as much as it was ever seen to.
    fn takes_no_more(&self, draw: Milliamps) -> bool {
        draw + ABOVE >= self.top.max(self.before.presumed())
    }

    fn finish(&self, mark: &Mark, told_at: Instant, sight: &Sight<'_>, setup: &Setup) -> Look {
        let draw = mark.draw();
        let from = self.before.presumed();
        let first = self.kind == StepKind::Limit && from < CHARGES;
        if first && draw.is_some_and(|draw| draw < CHARGES) {
            return Look::Impossible(format!(
                "{} was told {} and draws nothing: the test needs a car that charges. Plug one in that is not full, and \
                 begin again.",
                setup.title, self.to
            ));
        }
        let after = |at: Option<Instant>| at.map(|at| at.since_ms(told_at));
        let moves = self.expected().abs() >= VISIBLE;
        let [reported, metered] = [after(self.reported_at), after(self.metered_at)];
        let (follows, text) = self.judge(draw, sight.refused);
        Look::Done(Box::new(StepReport {
            kind: self.kind,
            wanted_a: self.wanted,
            told_a: self.to,
            from_a: from,
            waited_ms: told_at.since_ms(self.since),
            // Each of them has seen it by then at the latest.
            reaction_ms: reported
                .into_iter()
                .chain(metered)
                .min()
                .filter(|_| moves && follows),
            reported_after_ms: reported.filter(|_| moves),
            metered_after_ms: metered.filter(|_| moves),
            before_a: self.before.currents.clone(),
            reported_a: mark.currents.clone(),
            moved_a: moved(&self.before, mark).0.to_vec(),
            error_a: draw
                .filter(|draw| follows && *draw + BELOW >= self.to)
                .map(|draw| draw - self.to),
            follows,
            skipped: false,
            text,
        }))
    }

    /// Whether it follows, and what is to be said of it.
    fn judge(&self, draw: Option<Milliamps>, refused: bool) -> (bool, String) {
        let to = self.to;
        let capped = if self.wanted == to || self.kind != StepKind::Limit {
            String::new()
        } else {
            format!(" ({} is out of its range)", self.wanted)
        };
        let Some(draw) = draw else {
            let seen = self.metered_at.is_some() || self.expected().abs() < VISIBLE;
            let text = if seen {
                format!(
                    "The house meter shows that it follows {to}{capped}; it says nothing itself."
                )
            } else {
                format!(
                    "Neither the house meter nor the charger shows that it follows {to}{capped}."
                )
            };
            return (seen, text);
        };
        let said = if refused {
            "It refused the command"
        } else {
            "It said yes"
        };
        let from = self.before.presumed();
        if to == Milliamps::ZERO {
            let paused = draw <= NOTHING;
            let text = if paused {
                "It pauses.".to_owned()
            } else {
                format!("{said} and does not pause: it draws {draw}.")
            };
            return (paused, text);
        }
        if draw > to + ABOVE {
            let text = format!(
                "{said} and draws {draw} instead of {to}{capped}. Look in the charger's menu whether control from outside \
                 is allowed, and for its least current."
            );
            return (false, text);
        }
        if draw < CHARGES {
            return (false, format!("It draws nothing at {to}{capped}."));
        }
        if draw + BELOW >= to {
            return (true, format!("It draws {draw} at {to}{capped}."));
        }
        if draw > from + ABOVE || from > to || self.takes_no_more(draw) {
            return (
                true,
                format!("It draws {draw} at {to}{capped}: the car takes no more."),
            );
        }
        let text = format!("{said} and did not go up from {from} to {to}{capped}.");
        (false, text)
    }
}

/// Whether a car is there that may charge.
const fn has_car(status: ChargerStatus) -> bool {
    !matches!(
        status,
        ChargerStatus::Available
            | ChargerStatus::Finishing
            | ChargerStatus::Reserved
            | ChargerStatus::Unavailable
            | ChargerStatus::Faulted
    )
}
