//! What a load draws: the worst that it may, the bounds of what it does, and what its reports teach.
//!
//! Invariant: [`Load::worst`] is never below what the load can draw from a line, as far as anybody
//! knows: the worst of what it was told, what may still be in force and what it says it draws.

use super::link::LinkEvent;
use super::{
    ANSWER_MAX_MS, CAR_MS, DEMAND_ROOM, Kind, LEASE_SLACK_MS, Load, REACTION_MS, REPORT_MAX_AGE_MS,
};
use crate::background::DrawBounds;
use crate::config::LeaseProof;
use crate::event::Outcome;
use crate::units::{Instant, Milliamps, Phase};

/// A load that has not reported since is no longer taken to be on its way, in milliseconds.
const CHANGE_MAX_MS: u64 = 30_000;
/// Time after which a load that draws more than it was told does not obey, in milliseconds.
pub(super) const OBEY_MS: u64 = 16_000;
/// Above what it was told by more than this, a load does not obey.
const STRAY: Milliamps = Milliamps(1_500);
/// Above what it was told by no more than this, a load follows.
const FOLLOW: Milliamps = Milliamps(500);
/// A report this old still tells what is drawn at the time of the meter's reading.
const REPORT_EXACT_MS: u64 = 500;
/// A report this old is the best guess of what is drawn when a line carries too much.
const REPORT_RECENT_MS: u64 = 2_000;
/// Drift down of a steady load between its reports.
const REPORT_DRIFT: Milliamps = Milliamps(500);
/// Below this a load that may draw is waiting to begin.
const IDLE: Milliamps = Milliamps(1_000);
/// A load takes less than it was given if it draws less by this…
const UNUSED: Milliamps = Milliamps(1_500);
/// …for this long, in milliseconds.
const UNUSED_MS: u64 = 60_000;

impl Load {
    /// The most that it may draw from each of its lines, as far as anybody knows.
    pub fn worst(&self, now: Instant) -> Milliamps {
        let told = self.current().max(self.unsettled.unwrap_or_default());
        let draw = self
            .draw()
            .filter(|_| self.has_recent_report(now))
            .unwrap_or_default();
        if self.link.is_unseen() {
            return if self.spec.proof == LeaseProof::Proven {
                self.spec.safe
            } else {
                self.spec.most
            };
        }
        if self.link.lost_since().is_some() {
            // Without a lease nothing is known of what it may do by itself.
            let holds = self
                .lease_until
                .is_some_and(|until| now < until.after_ms(LEASE_SLACK_MS));
            return if holds {
                told.max(self.draw().unwrap_or_default())
            } else if self.spec.proof == LeaseProof::Proven {
                self.spec.safe
            } else {
                self.spec.most.max(self.draw().unwrap_or_default())
            };
        }
        if self.link.straying_since().is_some() {
            return self.spec.most.max(draw);
        }
        told.max(draw)
    }

    /// Bounds of what it draws from each line now.
    pub fn draw_bounds(&self, now: Instant) -> DrawBounds {
        let worst = self.worst(now);
        let mut bounds = DrawBounds::default();
        let age = self.measured_at.map_or(u64::MAX, |at| now.since_ms(at));
        for &line in &self.spec.lines {
            let reported = self
                .reported(line)
                .filter(|_| self.link.is_connected() && age <= REPORT_MAX_AGE_MS);
            let (low, high) = reported.map_or((Milliamps::ZERO, worst), |reported| {
                self.around(reported, age, worst, now)
            });
            let high = high.max(low);
            let settled = self
                .changed_at
                .is_none_or(|at| now.since_ms(at) >= REACTION_MS);
            let recent = reported.filter(|_| settled || age <= REPORT_RECENT_MS);
            *bounds.low.get_mut(line) = low;
            *bounds.high.get_mut(line) = high;
            *bounds.likely.get_mut(line) = recent.map_or(high, |(_, reported)| reported.min(high));
        }
        bounds
    }

    /// What a report of this age says of the draw now.
    fn around(
        &self,
        (low, high): (Milliamps, Milliamps),
        age: u64,
        worst: Milliamps,
        now: Instant,
    ) -> (Milliamps, Milliamps) {
        let straying = self.link.straying_since().is_some();
        if !straying && (self.is_changing(now) || self.unsettled.is_some()) {
            return (low.min(self.current()), high.max(worst));
        }
        if age <= REPORT_EXACT_MS || straying {
            return (low, high);
        }
        let may_begin = high < IDLE && worst >= self.spec.least;
        // A car that takes less than it may and has not done so for long is still on its way up.
        let may_rise = self.demand_cap.is_none() && high + FOLLOW < self.current();
        // What a steady load may have drifted up counts as background: that is the safe side.
        let top = if may_begin || may_rise { worst } else { high };
        ((low - REPORT_DRIFT).max(Milliamps::ZERO), top)
    }

    /// Whether it may be on its way to what it was told last: it has not had the time, or has not
    /// reported since.
    fn is_changing(&self, now: Instant) -> bool {
        self.changed_at.is_some_and(|at| {
            let reported = self
                .measured_at
                .is_some_and(|report| report.since_ms(at) >= REACTION_MS);
            let since = now.since_ms(at);
            since < REACTION_MS || (!reported && since < CHANGE_MAX_MS)
        })
    }

    /// What it draws above what it was told, although it has had the time to follow.
    pub fn overdraw(&self, now: Instant) -> Milliamps {
        let late = self
            .changed_at
            .is_some_and(|at| now.since_ms(at) >= REACTION_MS);
        let draw = self.draw().filter(|_| late && self.has_recent_report(now));
        draw.map_or(Milliamps::ZERO, |draw| {
            (draw - self.current()).max(Milliamps::ZERO)
        })
    }

    /// The least and the most that the last report says of a line.
    fn reported(&self, line: Phase) -> Option<(Milliamps, Milliamps)> {
        let entries = self.measured.as_ref()?;
        if let Some(map) = &self.spec.map
            && map.len() == entries.len()
        {
            let at = map.iter().position(|phase| *phase == line)?;
            let current = entries.get(at).copied().flatten()?;
            return Some((current, current));
        }
        // Which entry is this line's is not known: any of them.
        let known: Option<Vec<Milliamps>> = entries.iter().copied().collect();
        let known = known?;
        let high = known.iter().copied().max()?;
        let low = if known.len() < self.spec.lines.len() {
            Milliamps::ZERO
        } else {
            known.iter().copied().min()?
        };
        Some((low, high))
    }

    /// Takes what it says it draws, and judges whether it follows.
    pub(super) fn take_measurement(
        &mut self,
        measured: Option<Vec<Option<Milliamps>>>,
        limit: Option<Milliamps>,
        now: Instant,
    ) {
        let before = self.draw();
        self.reported_limit = limit;
        self.measured = measured;
        if self.measured.is_some() {
            self.measured_at = Some(now);
        }
        let Some(setpoint) = self.setpoint else {
            return;
        };
        let confirmed = limit == Some(setpoint) || self.outcome == Some(Outcome::Accepted);
        let Some(draw) = self.draw() else {
            if limit == Some(setpoint) {
                self.unsettled = None;
                self.followed = Some(true);
            }
            return;
        };
        let within = draw <= setpoint + FOLLOW;
        if !within && self.unsettled.is_some() {
            self.learn_answer(now);
        }
        let came_down = before.is_some_and(|before| before > setpoint + FOLLOW) && within;
        if within && (confirmed || came_down) {
            self.unsettled = None;
        }
        if draw > setpoint + STRAY {
            let since = *self.above_since.get_or_insert(now);
            if now.since_ms(since) >= OBEY_MS {
                self.link.handle(LinkEvent::Strays(now));
            }
        } else {
            self.above_since = None;
            self.link.handle(LinkEvent::Follows);
        }
        if within && confirmed {
            self.followed = Some(true);
        }
        self.learn_demand(draw, setpoint, now);
    }

    /// A load that has not come down yet needs at least so long. One that does not obey at all teaches nothing.
    fn learn_answer(&mut self, now: Instant) {
        let since = self.changed_at.map_or(0, |at| now.since_ms(at));
        if since < OBEY_MS {
            let answer = since.saturating_sub(CAR_MS).min(ANSWER_MAX_MS);
            self.answers_after_ms = self.answers_after_ms.max(answer);
        }
    }

    /// A car that takes less than it is given for a minute is given that much, and one ampere more.
    fn learn_demand(&mut self, draw: Milliamps, setpoint: Milliamps, now: Instant) {
        if self.spec.kind != Kind::Charger || setpoint == Milliamps::ZERO {
            self.unused_since = None;
            return;
        }
        if draw + FOLLOW >= setpoint {
            self.demand_cap = None;
            self.unused_since = None;
        } else if draw + UNUSED <= setpoint {
            let since = *self.unused_since.get_or_insert(now);
            if now.since_ms(since) >= UNUSED_MS {
                self.demand_cap = Some((draw + DEMAND_ROOM).floor_to_amps().max(self.spec.least));
            }
        } else {
            self.unused_since = None;
        }
    }
}
