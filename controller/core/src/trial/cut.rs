//! The cut test: nothing is said to the charger until it has fallen to its safe current by itself.
//!
//! Some count the time since the last command, some since any word, and some have a time of their own that is shorter than
//! the lease. A charger that any question would keep awake is not asked until the house meter has shown the fall; then it is
//! asked once whether its car still charges.
//!
//! In doubt nothing is proven: a car may be full, somebody may press a button, a load of the house may be switched off.

use serde::{Deserialize, Serialize};

use super::report::CutReport;
use super::step::{MOVED_PERCENT, Mark, has_moved, moved};
use super::{Setup, Sight};
use crate::event::ChargerStatus;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

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
/// Where the meter alone shows it, it is watched for longer, in milliseconds…
const METER_HOLD_MS: u64 = 6_000;
/// …and this many readings must show it, one after the other.
const METER_READINGS: u32 = 4;
/// On the meter a line has come down with the charger when it has by at least this share of what it must, in percent…
const FALL_LEAST_PERCENT: i64 = 75;
/// …and by no more than this: a car that stops takes more away.
const FALL_MOST_PERCENT: i64 = 140;
/// An answer to the one question is waited for this long, in milliseconds.
const ASK_MS: u64 = 15_000;
/// What falls at a time of its own was told something at least this share of that time ago, in percent: drivers write three
/// times within it.
const OWN_PERCENT: u64 = 66;
/// A charger's own time is known in whole seconds, in milliseconds.
const OWN_SLACK_MS: u64 = 1_000;
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
    /// How far each line must come down; `None`: it shows nothing.
    #[serde(default)]
    falls: PerPhase<Option<Milliamps>>,
    /// The last reading that showed the fall, and how many did, one after the other.
    #[serde(default)]
    shown: Option<(Instant, u32)>,
    /// When one that was not asked was asked again.
    #[serde(default)]
    asked: Option<Instant>,
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
    pub(super) const fn new(
        told: Milliamps,
        before: Mark,
        falls: PerPhase<Option<Milliamps>>,
        sight: &Sight<'_>,
    ) -> Self {
        Self {
            told,
            before,
            limit: sight.limit,
            since: sight.now,
            fell: None,
            falls,
            shown: None,
            asked: None,
        }
    }

    /// What it was told last.
    pub(super) const fn told(&self) -> Milliamps {
        self.told
    }

    /// Whether it may be asked, though nothing is told to it.
    pub(super) const fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn look(&mut self, sight: &Sight<'_>, setup: &Setup) -> Look {
        let mark = Mark::of(sight);
        let renewed = sight.lease_until.unwrap_or(self.since);
        let unasked = setup.guard.unasked;
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
            .filter(|at| *at > self.since && !unasked)
            .zip(mark.draw().filter(|_| sight.connected));
        // The one question may wake it: what it does from then on is no part of its fall.
        if self.asked.is_none() {
            self.watch(sight, &mark, reported, setup);
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
        if let Some(doubt) = self.doubt(told_since, &mark, sight, setup) {
            return Look::Unclear(doubt.to_owned());
        }
        let draws = mark.draw().filter(|_| told_since).map_or_else(
            || "the house meter has not shown that it fell".to_owned(),
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

    /// Notes a fall, and that there is none any more.
    fn watch(
        &mut self,
        sight: &Sight<'_>,
        mark: &Mark,
        reported: Option<(Instant, Milliamps)>,
        setup: &Setup,
    ) {
        if let Some((at, draw)) = reported {
            let before = self.fell.filter(|(_, witness)| *witness == Witness::Report);
            let fell = before.unwrap_or((at, Witness::Report));
            // A car that went up again has not fallen.
            self.fell = (draw <= setup.safe + AT_SAFE).then_some(fell);
            return;
        }
        let read = sight.lines_at.filter(|at| *at > self.since);
        let Some(at) = read.filter(|_| self.is_seen_by_meter(sight, setup)) else {
            return;
        };
        if !self.lines_fell(mark) {
            (self.fell, self.shown) = (None, None);
            return;
        }
        self.fell = self.fell.or(Some((at, Witness::Meter)));
        self.shown = match self.shown {
            Some((last, times)) if at > last => Some((at, times.saturating_add(1))),
            Some(shown) => Some(shown),
            None => Some((at, 1)),
        };
    }

    /// Whether the meter alone judges it: it says nothing of its draw by its kind, or must not be asked.
    fn is_seen_by_meter(&self, sight: &Sight<'_>, setup: &Setup) -> bool {
        sight.connected && (setup.guard.unasked || self.before.draw().is_none())
    }

    /// Whether each of its lines has come down by about what it must.
    fn lines_fell(&self, mark: &Mark) -> bool {
        self.has_lines()
            && self.each_line(mark, |fell, must| {
                let fell = fell.0.saturating_mul(100);
                fell >= must.0.saturating_mul(FALL_LEAST_PERCENT)
                    && fell <= must.0.saturating_mul(FALL_MOST_PERCENT)
            })
    }

    /// Whether the meter can show its fall.
    fn has_lines(&self) -> bool {
        self.falls.0.iter().any(Option::is_some)
    }

    /// Whether this is so of how far each of its lines fell, and how far it must.
    fn each_line(&self, mark: &Mark, is: impl Fn(Milliamps, Milliamps) -> bool) -> bool {
        let moved = moved(&self.before, mark);
        Phase::ALL.into_iter().all(|line| {
            let Some(must) = self.falls.get(line) else {
                return true;
            };
            moved
                .get(line)
                .is_some_and(|moved| is(Milliamps::ZERO - moved, must))
        })
    }

    /// Why it cannot be said that it did not fall.
    fn doubt(
        &self,
        told_since: bool,
        mark: &Mark,
        sight: &Sight<'_>,
        setup: &Setup,
    ) -> Option<&'static str> {
        if told_since {
            return None;
        }
        if !self.is_seen_by_meter(sight, setup) {
            return Some(
                "It does not say any more what it draws, or its link broke: nobody can tell whether it fell. Begin again.",
            );
        }
        if !self.has_lines() {
            return Some(
                "It does not say what it draws, and the house meter cannot show its fall.",
            );
        }
        let still = |fell: Milliamps, must: Milliamps| {
            fell.0.saturating_mul(100) < must.0.saturating_mul(MOVED_PERCENT)
        };
        (!self.each_line(mark, still)).then_some(
            "The house meter shows something else than its fall: the car may have stopped by itself, or something else in \
             the house may have gone on or off. Begin again in a quieter moment.",
        )
    }

    /// Whether it says itself that it has gone to its safe current, and said before that it had more: a car that stops changes
    /// no limit.
    fn says_safe(&self, sight: &Sight<'_>, setup: &Setup) -> bool {
        let most = setup.safe + AT_SAFE;
        sight.limit.is_some_and(|now| now <= most)
            && self.limit.is_some_and(|before| before > most)
            && sight.status != ChargerStatus::SuspendedEv
    }

    /// Whether it fell by its own word, near the time of its own that its driver knows.
    fn is_own_time(&self, at: Instant, sight: &Sight<'_>, setup: &Setup) -> bool {
        let fell_ms = at.since_ms(self.since);
        setup.guard.own_s.is_some_and(|own_s| {
            let own_ms = u64::from(own_s).saturating_mul(1000);
            let soonest = (own_ms / 100)
                .saturating_mul(OWN_PERCENT)
                .saturating_sub(OWN_SLACK_MS);
            fell_ms >= soonest && fell_ms <= own_ms.saturating_add(SLACK_MS)
        }) && self.says_safe(sight, setup)
    }

    /// Whether a line has come down by what the charger must.
    fn meter_shows(&self, mark: &Mark, setup: &Setup) -> bool {
        let from = self.before.draw().unwrap_or(self.told);
        has_moved(&moved(&self.before, mark), setup.safe - from, &setup.judged)
    }

    /// Whether the fall has been watched for long enough.
    fn is_watched(&self, at: Instant, witness: Witness, sight: &Sight<'_>) -> bool {
        let waited = sight.now.since_ms(at);
        match witness {
            Witness::Report => {
                let metered = sight
                    .lines_at
                    .is_some_and(|read| read >= at.after_ms(HOLD_MS));
                waited >= HOLD_MS && (metered || waited >= SLACK_MS)
            }
            Witness::Meter => {
                let readings = self.shown.map_or(0, |(_, times)| times);
                waited >= METER_HOLD_MS && readings >= METER_READINGS
            }
        }
    }

    /// Asks one that was not asked; `None` once it has answered that it is at its safe current.
    fn ask(&mut self, mark: &Mark, sight: &Sight<'_>, setup: &Setup) -> Option<Look> {
        let going =
            || Look::Going("It fell; it is asked whether the car still charges.".to_owned());
        let Some(asked) = self.asked else {
            self.asked = Some(sight.now);
            return Some(going());
        };
        let answered = sight.connected && sight.measured_at.is_some_and(|at| at > asked);
        if !answered && sight.now.since_ms(asked) < ASK_MS {
            return Some(going());
        }
        let most = setup.safe + AT_SAFE;
        let charges = matches!(
            sight.status,
            ChargerStatus::Charging | ChargerStatus::SuspendedEvse
        );
        let why = if !answered {
            "The house meter shows its fall, and it does not answer whether its car still charges."
        } else if !charges {
            "The house meter shows its fall, and it does not say that it held its car back: the car may have stopped by itself."
        } else if mark.draw().is_none_or(|draw| draw > most)
            || sight.limit.is_some_and(|limit| limit > most)
        {
            "The house meter shows its fall, and it says that it gives more: something else in the house may have gone off."
        } else {
            return None;
        };
        Some(Look::Unclear(format!("{why} Begin again.")))
    }

    fn judge(
        &mut self,
        at: Instant,
        witness: Witness,
        mark: &Mark,
        (renewed, ends): (Instant, Instant),
        sight: &Sight<'_>,
        setup: &Setup,
    ) -> Look {
        if self.asked.is_none() && !self.is_watched(at, witness, sight) {
            return Look::Going("It fell; it is watched for a moment.".to_owned());
        }
        let lease_ms = u64::from(setup.lease_s).saturating_mul(1000);
        let early = EARLY_MS.min(lease_ms / EARLY_SHARE);
        let before_end = renewed.since_ms(at);
        // One with a time of its own, which was wound up more often than its lease was renewed, falls sooner.
        if before_end > early && !self.is_own_time(at, sight, setup) {
            return Look::Unclear(format!(
                "Its current fell {} s before its limit ran out: the car may have stopped by itself, or somebody stopped it. \
                 Begin again.",
                before_end / 1000
            ));
        }
        if setup.guard.unasked
            && let Some(look) = self.ask(mark, sight, setup)
        {
            return look;
        }
        if sight.status == ChargerStatus::SuspendedEv {
            return Look::Unclear(
                "It says that its car does not want any current: the car may have stopped by itself. Begin again."
                    .to_owned(),
            );
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
