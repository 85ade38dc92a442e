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
use crate::event::{ChargerStatus, Outcome};
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A load that has not reported since is no longer taken to be on its way, in milliseconds.
pub(super) const CHANGE_MAX_MS: u64 = 30_000;
/// Time after which a load that draws more than it was told does not obey, in milliseconds.
pub(super) const OBEY_MS: u64 = 16_000;
/// Above what it was told by more than this, a load does not obey.
const STRAY: Milliamps = Milliamps(1_500);
/// Above what it was told by no more than this, a load follows.
const FOLLOW: Milliamps = Milliamps(500);
/// A report this old still tells what is drawn at the time of the meter's reading.
const REPORT_EXACT_MS: u64 = 500;
/// The newest reading of currents is no older than this while raises are allowed: the period of a slow meter.
const READING_AGE_MS: u64 = 10_000;
/// A report this old is the best guess of what is drawn when a line carries too much.
const REPORT_RECENT_MS: u64 = 2_000;
/// Drift down of a steady load between its reports.
const REPORT_DRIFT: Milliamps = Milliamps(500);
/// Below this a load that may draw is waiting to begin.
pub(super) const IDLE: Milliamps = Milliamps(1_000);
/// A load takes less than it was given if it draws less by this…
const UNUSED: Milliamps = Milliamps(1_500);
/// …for this long, in milliseconds.
const UNUSED_MS: u64 = 60_000;

/// Where the draw of a load goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Motion {
    Rising,
    Falling,
    Steady,
}

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
            // Without a lease nothing is known of what it may do by itself, nor of one that did not obey.
            let obeyed = self.strays_to == Milliamps::ZERO;
            let holds = self
                .lease_until
                .is_some_and(|until| now < until.after_ms(LEASE_SLACK_MS));
            return if holds && obeyed {
                told.max(self.draw().unwrap_or_default())
            } else if obeyed && self.spec.proof == LeaseProof::Proven {
                self.spec.safe
            } else {
                self.spec.most.max(self.draw().unwrap_or_default())
            };
        }
        if self.link.straying_since().is_some() {
            return self.spec.most.max(draw);
        }
        told.max(draw).max(self.says_more(now))
    }

    /// What one that does not obey draws at most by its own word, if that is not old and tells all of its terminals.
    pub fn strays_at(&self, now: Instant) -> Option<Milliamps> {
        let strays = self.link.is_connected() && self.link.straying_since().is_some();
        let told = self.measured.as_ref()?.iter().all(Option::is_some);
        let draw = self.draw()?;
        (strays && told && self.has_recent_report(now)).then(|| self.strays_to.max(draw))
    }

    /// Whether it draws the same from each of the lines that it is on, and these are known.
    pub fn is_balanced(&self) -> bool {
        let entries = self.measured.iter().flatten().copied().flatten();
        let (least, most) = (entries.clone().min(), entries.max());
        let same = least
            .zip(most)
            .is_some_and(|(least, most)| most - least <= FOLLOW);
        same && self.map().is_some()
    }

    /// Whether its word that it draws this is from before it came down: the lines have fallen as they had to since it was
    /// told less, and its word may be as late as its answer.
    fn is_old_news(&self, draw: Milliamps, now: Instant) -> bool {
        let since = self.changed_at.map_or(0, |at| now.since_ms(at));
        let fallen = self
            .left_to_fall()
            .is_some_and(|left| left <= self.current());
        fallen && draw <= self.told_before + STRAY && since < CHANGE_MAX_MS
    }

    /// What it says that it is limited to, where that is more than it was told and it has had the time to take that.
    fn says_more(&self, now: Instant) -> Milliamps {
        let since = self.changed_at.map_or(0, |at| now.since_ms(at));
        let said = self.reported_limit.filter(|_| since >= self.slow_ms());
        said.map_or(Milliamps::ZERO, |limit| limit.min(self.spec.most))
    }

    /// The most that it may draw from each line.
    pub fn worst_by_line(&self, now: Instant) -> PerPhase<Milliamps> {
        let worst = self.worst(now);
        let mut lines = PerPhase::default();
        for &line in self.may_draw_from() {
            *lines.get_mut(line) = worst;
        }
        lines
    }

    /// Bounds of what it draws from each line now.
    pub fn draw_bounds(&self, now: Instant) -> DrawBounds {
        let worst = self.worst(now);
        let gap = self.told_between();
        let mut bounds = DrawBounds {
            gap_ms: gap.map_or(0, |(from, to, _)| to.since_ms(from)),
            tells_within_ms: self.answer_ms(),
            ..DrawBounds::default()
        };
        let age = self.measured_at.map_or(u64::MAX, |at| now.since_ms(at));
        let heard = self.link.is_connected() && age <= REPORT_MAX_AGE_MS;
        let settled = self
            .changed_at
            .is_none_or(|at| now.since_ms(at) >= REACTION_MS);
        let recent = settled || age <= REPORT_RECENT_MS;
        let rests = self.says_that_it_rests(now);
        let has_obeyed = self.has_obeyed_by_now(now);
        let (risen, left_to_fall) = (self.risen(), self.left_to_fall());
        for &line in self.may_draw_from() {
            let reported = self.reported(line).filter(|_| heard);
            let (low, high) = reported.map_or((Milliamps::ZERO, worst), |reported| {
                self.around(reported, age, worst, now)
            });
            let high = high.max(low);
            let said = |counts: bool| reported.filter(|_| counts).map(|(_, most)| most);
            *bounds.low.get_mut(line) = low;
            *bounds.high.get_mut(line) = high;
            *bounds.stated.get_mut(line) = said(rests).unwrap_or(high);
            let likely = said(recent).map_or(high, |most| (most + risen).min(high));
            // Its report may be older than the fall that the meter has shown.
            let most = if has_obeyed {
                Some(self.current())
            } else {
                left_to_fall
            };
            *bounds.likely.get_mut(line) = most.map_or(likely, |most| likely.min(most.max(low)));
        }
        bounds
    }

    /// What it said last that it draws from a line, and no more than it was told, for its word may be older than that; the
    /// most that it may draw, where it has said nothing for long.
    pub fn said(&self, line: Phase, now: Instant) -> Milliamps {
        let age = self.measured_at.map_or(u64::MAX, |at| now.since_ms(at));
        let heard = self.link.is_connected() && age <= REPORT_MAX_AGE_MS;
        let Some((_, most)) = self.reported(line).filter(|_| heard) else {
            return self.worst(now);
        };
        if self.link.straying_since().is_some() {
            most
        } else {
            most.min(self.current())
        }
    }

    /// The most that it drew from each line at the time of the newest reading, if it has not begun without a word.
    pub fn stated_at_reading(&self, now: Instant) -> PerPhase<Milliamps> {
        if self.idle_then && self.says_that_it_rests(now) {
            PerPhase::default()
        } else {
            self.high_then
        }
    }

    /// Whether it draws nothing and says that it will not before it says so: its state is sent when it changes (OCPP 1.6,
    /// 4.9; 2.0.1, G01 and E02), what it draws only now and then.
    fn says_that_it_rests(&self, now: Instant) -> bool {
        use ChargerStatus as S;
        let idle = self.draw().is_some_and(|draw| draw < IDLE);
        let rests = !matches!(self.status, S::Charging | S::Unknown);
        let raised = self.raised_at.map_or(u64::MAX, |at| now.since_ms(at));
        self.spec.kind == Kind::Charger && idle && rests && raised >= self.reaction_ms()
    }

    /// Whether what it was told last must be in force: accepted long enough ago, and not a word since.
    fn has_obeyed_by_now(&self, now: Instant) -> bool {
        let accepted = self.outcome == Some(Outcome::Accepted);
        let long_ago = |at: Instant| now.since_ms(at) >= self.reaction_ms();
        let silent = self.measured_at < self.changed_at;
        accepted && silent && self.changed_at.is_some_and(long_ago)
    }

    /// Whether its last two words tell what it drew, but not of this time.
    pub fn has_yet_to_tell_of(&self, since: Instant) -> bool {
        self.measured_at.is_some_and(|at| at < since) && self.told_between().is_some()
    }

    /// From when until when its last two words tell what it drew, and the most of it on each line. `None`: they do not.
    pub fn told_between(&self) -> Option<(Instant, Instant, PerPhase<Milliamps>)> {
        let (before, after) = (self.measured_before.as_ref()?, self.measured.as_ref()?);
        let between = self.measured_before_at.zip(self.measured_at);
        let (from, to) = between.filter(|_| self.link.is_connected())?;
        let mut most = PerPhase::default();
        for &line in self.may_draw_from() {
            let (_, first) = self.reported_in(before, line)?;
            let (_, second) = self.reported_in(after, line)?;
            *most.get_mut(line) = first.max(second);
        }
        Some((from, to, most))
    }

    /// Takes what the lines carry while it draws no more than `high`. Where they have fallen by as much as it was to come
    /// down, it has.
    pub fn see_lines(&mut self, lines: &PerPhase<Option<Milliamps>>, high: PerPhase<Milliamps>) {
        self.high_then = high;
        self.idle_then = self.draw().is_some_and(|draw| draw < IDLE);
        self.lines_now = *lines;
        self.lines_high = self.lines_high.zip_with(lines, Ord::max);
        if self.unsettled.is_none() {
            return;
        }
        let fall = |line: &Phase| {
            let fall = self.lines_high.get(*line).zip(lines.get(*line));
            fall.map_or(Milliamps::ZERO, |(high, now)| high - now)
        };
        let least = self.draws_from().iter().map(fall).min();
        self.fallen = self.fallen.max(least.unwrap_or_default());
    }

    /// What it draws at most, by how far the lines have fallen since the last change; `None`: they have not.
    pub(super) fn left_to_fall(&self) -> Option<Milliamps> {
        let told = self.current();
        let left = (self.falls_from - self.fallen).max(told);
        let left = if left <= told + FOLLOW { told } else { left };
        (self.unsettled.is_some() && self.fallen > FOLLOW).then_some(left)
    }

    /// What a report of this age says of the draw now.
    fn around(
        &self,
        (low, high): (Milliamps, Milliamps),
        age: u64,
        worst: Milliamps,
        now: Instant,
    ) -> (Milliamps, Milliamps) {
        // A car of one phase on three terminals does not begin on the others. In a test the lines are in question.
        let charges = self.draw().unwrap_or_default() + FOLLOW >= self.spec.least;
        let in_question = self.spec.switching || self.wishes.test.is_some();
        if high < IDLE && charges && !in_question {
            return (Milliamps::ZERO, high);
        }
        let straying = self.link.straying_since().is_some();
        if !straying && (self.is_changing(now) || self.unsettled.is_some()) {
            // It goes on counting in full, but no house is made smaller by it.
            let since = self.changed_at.map_or(0, |at| now.since_ms(at));
            let accepted = self.outcome == Some(Outcome::Accepted);
            let top = if self.has_obeyed_by_now(now) && since >= REACTION_MS {
                self.current()
            } else if accepted && since >= self.reaction_ms().max(REACTION_MS) {
                high.max(self.current())
            } else {
                high.max(worst)
            };
            return (low.min(self.current()), top.max(low));
        }
        if straying {
            return (low, high);
        }
        // The report may be from before the meter's reading or after it: a load in motion is in between, unless it had the
        // time to get where it was told to go and says that it is there.
        let before = self.draw_before().unwrap_or(high);
        match self.motion() {
            Motion::Rising if !self.has_long_arrived(now) => return (low.min(before), worst),
            Motion::Falling if !self.has_long_arrived(now) => return (low, high.max(before)),
            Motion::Steady if age <= REPORT_EXACT_MS => return (low, high),
            Motion::Rising | Motion::Falling | Motion::Steady => {}
        }
        // Who draws from one line does not begin on another by itself: a car of one phase on three terminals.
        let idle = self.draw().is_none_or(|draw| draw < IDLE);
        let may_begin = idle && worst >= self.spec.least;
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

    /// Whether it draws what it was told, and had got there before any reading that counts was taken.
    fn has_long_arrived(&self, now: Instant) -> bool {
        let long_ago = |at: Instant| now.since_ms(at) >= REACTION_MS + READING_AGE_MS;
        let there =
            |draw: Milliamps| draw <= self.current() + FOLLOW && self.current() <= draw + FOLLOW;
        self.changed_at.is_none_or(long_ago) && self.draw().is_some_and(there)
    }

    /// The largest of the currents that its word before the newest one told.
    fn draw_before(&self) -> Option<Milliamps> {
        let entries = self.measured_before.as_ref()?;
        entries.iter().copied().flatten().max()
    }

    /// Where its draw goes, by its last two words.
    fn motion(&self) -> Motion {
        match self.draw_before().zip(self.draw()) {
            Some((before, draw)) if draw > before + FOLLOW => Motion::Rising,
            Some((before, draw)) if draw + FOLLOW < before => Motion::Falling,
            _ => Motion::Steady,
        }
    }

    /// How far a load on its way up has come since its report: half as far as between its last two.
    fn risen(&self) -> Milliamps {
        match self.draw_before().zip(self.draw()) {
            Some((before, draw)) if self.motion() == Motion::Rising => {
                Milliamps((draw - before).0 / 2)
            }
            _ => Milliamps::ZERO,
        }
    }

    /// How long it may draw more than it was told because it is slow, as slow as it was seen to be.
    pub(super) const fn slow_ms(&self) -> u64 {
        OBEY_MS + self.answers_after_ms
    }

    /// Whether it draws more than it was told because it is slow. Telling it less would not make it faster:
    /// the others make room for what it draws.
    pub fn is_late(&self, now: Instant) -> bool {
        let since = self.changed_at.map_or(0, |at| now.since_ms(at));
        (REACTION_MS..self.slow_ms()).contains(&since) && self.excess(now) > Milliamps::ZERO
    }

    /// Whether it was told less a moment ago and draws more than that, by more than one that follows: so it is said. What
    /// counts for it is asked of [`Load::is_late`].
    pub fn has_yet_to_fall(&self, now: Instant) -> bool {
        self.is_late(now) && self.unsettled.is_some() && self.excess(now) > FOLLOW
    }

    /// What it draws above what it was told for longer than it is slow: it is told so much less.
    pub fn overdraw(&self, now: Instant) -> Milliamps {
        let since = self.changed_at.map_or(0, |at| now.since_ms(at));
        let old_news = self.draw().is_some_and(|draw| self.is_old_news(draw, now));
        if since >= self.slow_ms() && !old_news {
            self.excess(now)
        } else {
            Milliamps::ZERO
        }
    }

    fn excess(&self, now: Instant) -> Milliamps {
        let draw = self.draw().filter(|_| self.has_recent_report(now));
        draw.map_or(Milliamps::ZERO, |draw| {
            (draw - self.current()).max(Milliamps::ZERO)
        })
    }

    /// The least and the most that the last report says of a line.
    fn reported(&self, line: Phase) -> Option<(Milliamps, Milliamps)> {
        self.reported_in(self.measured.as_ref()?, line)
    }

    fn reported_in(
        &self,
        entries: &[Option<Milliamps>],
        line: Phase,
    ) -> Option<(Milliamps, Milliamps)> {
        if let Some(map) = self.map()
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
        let low = if known.len() < self.lines().len() {
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
        let said = std::mem::replace(&mut self.reported_limit, limit);
        let differs = self.measured != measured;
        // The same again within a moment is the same word: a state and the currents come as two reports.
        let moved = self.moved_at.map_or(u64::MAX, |at| now.since_ms(at));
        if differs || moved >= REPORT_RECENT_MS {
            // A word from long ago tells nothing of where its draw goes.
            let recent = self.has_recent_report(now);
            let last = std::mem::replace(&mut self.measured, measured);
            self.measured_before = last.filter(|_| recent);
            self.measured_before_at = self.measured_at;
        }
        if differs {
            self.moved_at = Some(now);
        }
        if self.measured.is_some() {
            self.measured_at = Some(now);
        }
        self.learn_within(before, said, now);
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
        // Who refused to come down has not, though its car takes less by itself.
        let refused = matches!(self.outcome, Some(Outcome::Rejected | Outcome::Timeout));
        if within && (confirmed || (came_down && !refused)) {
            self.unsettled = None;
        }
        if draw > setpoint + STRAY {
            let mut since = *self.above_since.get_or_insert(now);
            // One that has come down to what it was told before has its time for the newest command.
            if draw <= self.told_before + STRAY {
                since = since.max(self.changed_at.unwrap_or(since));
            }
            if now.since_ms(since) >= OBEY_MS && !self.is_old_news(draw, now) {
                self.link.handle(LinkEvent::Strays(now));
            }
            if self.link.straying_since().is_some() {
                self.strays_to = self.strays_to.max(draw);
            }
        } else {
            self.above_since = None;
            self.strays_to = Milliamps::ZERO;
            self.link.handle(LinkEvent::Follows);
        }
        if within && confirmed {
            self.followed = Some(true);
        }
        self.learn_demand(draw, setpoint, now);
    }

    /// A load that draws, or says that it is limited to, what only the newest command makes it has answered by now.
    fn learn_within(&mut self, before: Option<Milliamps>, said: Option<Milliamps>, now: Instant) {
        let (Some(from), Some(setpoint), Some(changed)) =
            (self.follows_from, self.setpoint, self.changed_at)
        else {
            return;
        };
        let draw = self.draw();
        let rose = setpoint > from && draw.is_some_and(|draw| draw > from + FOLLOW);
        let fell = before.is_some_and(|before| before > setpoint + FOLLOW)
            && draw.is_some_and(|draw| draw <= setpoint + FOLLOW);
        let says =
            self.reported_limit == Some(setpoint) && said.is_some() && said != Some(setpoint);
        if rose || fell || says {
            self.note_answered_within(now.since_ms(changed));
        }
    }

    /// Its answer takes no longer than this.
    pub(super) fn note_answered_within(&mut self, ms: u64) {
        self.answers_within_ms = Some(self.answers_within_ms.map_or(ms, |within| within.min(ms)));
        self.follows_from = None;
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
