//! The cut test: nothing is said to the charger until it has fallen to its safe current by itself.
//!
//! Some count the time since the last command, some since any word, and some have a time of their own that is shorter than
//! the lease. A charger that any question would keep awake is not asked at all: it says nothing of its draw then, and the
//! house meter alone shows the fall.

use serde::{Deserialize, Serialize};

use super::report::CutReport;
use super::step::{Mark, has_moved, moved};
use super::{Setup, Sight};
use crate::event::ChargerStatus;
use crate::units::{Instant, Milliamps, Phase};

/// A charger and its car are given this long after the lease's end, in milliseconds: ten seconds of slack as everywhere,
/// and the car's five (IEC 61851-1).
const SLACK_MS: u64 = 15_000;
/// A report is waited for this much longer, in milliseconds: some come once a minute.
const REPORT_MS: u64 = 60_000;
/// A fall this long before the lease's end may be the car's own doing, in milliseconds…
const EARLY_MS: u64 = 10_000;
/// …but no more than this share of the lease.
const EARLY_SHARE: u64 = 4;
/// A fall is watched for this long, in milliseconds.
const HOLD_MS: u64 = 3_000;
/// A charger is at its safe current when it draws no more than this above it.
const AT_SAFE: Milliamps = Milliamps(1_000);

/// A cut test under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cut {
    told: Milliamps,
    before: Mark,
    /// What it said that it was limited to.
    #[serde(default)]
    limit: Option<Milliamps>,
    since: Instant,
    fell: Option<(Instant, Witness)>,
}

/// Who has shown the fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Witness {
    Report,
    Meter,
}

/// What a look at it gives.
pub(super) enum Look {
    /// It goes on; what is waited for.
    Going(String),
    /// Nothing can be said, and why.
    Unclear(String),
    /// It is done.
    Done(CutReport),
}

impl Cut {
    pub(super) const fn new(told: Milliamps, before: Mark, sight: &Sight<'_>) -> Self {
        Self {
            told,
            before,
            limit: sight.limit,
            since: sight.now,
            fell: None,
        }
    }

    /// What it was told last.
    pub(super) const fn told(&self) -> Milliamps {
        self.told
    }

    pub(super) fn look(&mut self, sight: &Sight<'_>, setup: &Setup) -> Look {
        let mark = Mark::of(sight);
        let renewed = sight.lease_until.unwrap_or(self.since);
        let unasked = self.is_unasked(sight, &mark);
        // Its time may have begun with the last question.
        let ends = if unasked {
            renewed.max(self.since.after_s(setup.lease_s))
        } else {
            renewed
        };
        if sight.setpoint != Some(self.told) {
            return Look::Unclear(format!("It was told something else: {}", sight.standing));
        }
        if matches!(
            sight.status,
            ChargerStatus::Available | ChargerStatus::Finishing | ChargerStatus::Faulted
        ) {
            return Look::Unclear(
                "The car left, or ended its charge, before the lease was over.".to_owned(),
            );
        }
        let reported = sight
            .measured_at
            .filter(|at| *at > self.since)
            .zip(mark.draw().filter(|_| sight.connected));
        // A car that went up again has not fallen.
        if matches!(self.fell, Some((_, Witness::Report)))
            && reported.is_some_and(|(_, draw)| draw > setup.safe + AT_SAFE)
        {
            self.fell = None;
        }
        if self.fell.is_none() {
            self.fell = self.has_fallen(sight, &mark, reported, setup);
        }
        if let Some((at, witness)) = self.fell {
            return self.judge(at, witness, &mark, (renewed, ends), sight, setup);
        }
        let due = ends.after_ms(SLACK_MS);
        let told_since = reported.is_some_and(|(at, _)| at >= due);
        let silent = self.before.draw().is_some() && !told_since && !unasked;
        let patience = if silent { REPORT_MS } else { 0 };
        if sight.now < due.after_ms(patience) {
            let left = ends.since_ms(sight.now) / 1000;
            return Look::Going(match left {
                0 => "Nothing was renewed: it must be at its safe current by now.".to_owned(),
                s => format!("Nothing is renewed: its limit runs out in {s} s."),
            });
        }
        let draws = mark.draw().filter(|_| sight.connected).map_or_else(
            || "neither it nor the house meter has shown that it fell".to_owned(),
            |draw| format!("it still draws {draw}"),
        );
        Look::Done(CutReport {
            passed: false,
            lease_s: setup.lease_s,
            safe_current_a: setup.safe,
            fell_after_ms: None,
            late_ms: None,
            seen_by: None,
            text: format!(
                "{} does not fall to its safe current of {} by itself: {} s after its limit ran out {draws}. When the \
                 controller is gone, nothing holds it back.",
                setup.title,
                setup.safe,
                sight.now.since_ms(ends) / 1000
            ),
        })
    }

    fn has_fallen(
        &self,
        sight: &Sight<'_>,
        mark: &Mark,
        reported: Option<(Instant, Milliamps)>,
        setup: &Setup,
    ) -> Option<(Instant, Witness)> {
        if let Some((at, draw)) = reported {
            return (draw <= setup.safe + AT_SAFE).then_some((at, Witness::Report));
        }
        let at = sight.lines_at.filter(|at| *at > self.since)?;
        let says_nothing =
            self.before.draw().is_none() || !sight.connected || self.is_unasked(sight, mark);
        (says_nothing && self.meter_shows(mark, setup)).then_some((at, Witness::Meter))
    }

    /// Whether it is there and says nothing of its draw any more, because it is not asked.
    fn is_unasked(&self, sight: &Sight<'_>, mark: &Mark) -> bool {
        sight.connected && self.before.draw().is_some() && mark.draw().is_none()
    }

    /// Whether it says itself that it has gone to its safe current: a car that stops changes no limit.
    fn says_safe(&self, sight: &Sight<'_>, setup: &Setup) -> bool {
        let safe = |limit: Option<Milliamps>| limit.is_some_and(|it| it <= setup.safe + AT_SAFE);
        safe(sight.limit) && !safe(self.limit) && sight.status != ChargerStatus::SuspendedEv
    }

    /// Whether a line has come down by what the charger must.
    fn meter_shows(&self, mark: &Mark, setup: &Setup) -> bool {
        let from = self.before.draw().unwrap_or(self.told);
        has_moved(&moved(&self.before, mark), setup.safe - from, &setup.judged)
    }

    fn judge(
        &self,
        at: Instant,
        witness: Witness,
        mark: &Mark,
        (renewed, ends): (Instant, Instant),
        sight: &Sight<'_>,
        setup: &Setup,
    ) -> Look {
        let lease_ms = u64::from(setup.lease_s).saturating_mul(1000);
        let early = EARLY_MS.min(lease_ms / EARLY_SHARE);
        let before_end = renewed.since_ms(at);
        // One with a time of its own, which was wound up more often than its lease was renewed, falls sooner.
        if before_end > early && !self.says_safe(sight, setup) {
            return Look::Unclear(format!(
                "Its current fell {} s before its limit ran out: the car may have stopped by itself. Begin again.",
                before_end / 1000
            ));
        }
        let metered = sight
            .lines_at
            .is_some_and(|read| read >= at.after_ms(HOLD_MS));
        let waited = sight.now.since_ms(at);
        if waited < HOLD_MS || (!metered && waited < SLACK_MS) {
            return Look::Going("It fell; it is watched for a moment.".to_owned());
        }
        let lines: &[Phase] = &setup.judged;
        let known = lines.iter().any(|line| mark.lines.get(*line).is_some());
        if witness == Witness::Report && known && !self.meter_shows(mark, setup) {
            return Look::Unclear(
                "It says that it fell, and the house meter does not show it: something else in the house may have gone \
                 on. Begin again in a quieter moment."
                    .to_owned(),
            );
        }
        let late = at.since_ms(ends);
        Look::Done(CutReport {
            passed: true,
            lease_s: setup.lease_s,
            safe_current_a: setup.safe,
            fell_after_ms: Some(at.since_ms(self.since)),
            late_ms: Some(late),
            seen_by: Some(
                match witness {
                    Witness::Report => "report",
                    Witness::Meter => "meter",
                }
                .to_owned(),
            ),
            text: if before_end > early {
                format!(
                    "{} fell to its safe current of {} by itself {} s after it heard the last of us.",
                    setup.title,
                    setup.safe,
                    at.since_ms(self.since) / 1000
                )
            } else {
                format!(
                    "{} fell to its safe current of {} by itself when its limit of {} s ran out.",
                    setup.title, setup.safe, setup.lease_s
                )
            },
        })
    }
}
