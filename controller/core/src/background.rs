//! The part of the measured current that no configured load draws, found by set membership.
//!
//! Meter and chargers are not read at the same instant. What a charger draws at the time of the meter's
//! reading is known only between bounds; the background is moved no further than these bounds force.
//! So a car that ramps up between two reports is not mistaken for the oven.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::learnt::House;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// Bounds of what the loads draw together from each line at the time of a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrawBounds {
    /// Not less than this.
    pub low: PerPhase<Milliamps>,
    /// Not more than this.
    pub high: PerPhase<Milliamps>,
    /// Not more than this, if none of those that say that they rest has begun without a word.
    pub stated: PerPhase<Milliamps>,
    /// Most likely this: the last word of each load, where it is recent.
    pub likely: PerPhase<Milliamps>,
    /// The longest time between the last two words of a load, in milliseconds.
    pub gap_ms: u64,
    /// A load that begins says so within this, in milliseconds.
    pub tells_within_ms: u64,
}

impl DrawBounds {
    /// Adds what another load draws.
    pub fn add(&mut self, other: &Self) {
        self.low = self.low.zip_with(&other.low, |a, b| a + b);
        self.high = self.high.zip_with(&other.high, |a, b| a + b);
        self.likely = self.likely.zip_with(&other.likely, |a, b| a + b);
        self.stated = self.stated.zip_with(&other.stated, |a, b| a + b);
        self.gap_ms = self.gap_ms.max(other.gap_ms);
        self.tells_within_ms = self.tells_within_ms.max(other.tells_within_ms);
    }
}

/// A line may carry this much more than is stated without anybody's having begun: noise and drift.
const UNSTATED: Milliamps = Milliamps(500);
/// The bounds may be this far apart for a reading to teach the highest background.
const CERTAIN: Milliamps = Milliamps::from_amps(2);
/// A step of the house may be spread over this many readings: a meter averages.
const STEP_READINGS: usize = 3;
/// A load that went up and down looks back this many hold times: an oven's thermostat comes again within minutes…
const PATIENT_HOLD: u64 = 5;
/// …and who is to change the number of its phases this many.
const LONG_HOLD: u64 = 10;
/// So many readings wait for the loads' reports on both sides of them…
const READINGS: usize = 32;
/// …and a peak is held for so many times the longest time between two reports, so that it does not leave before a
/// reading has been told from both sides…
const GAPS: u64 = 3;
/// …but no longer than this, in milliseconds.
const HOLD_MAX_MS: u64 = 300_000;
/// Peaks are kept in this many slots, so that memory does not grow with the meter's speed.
const HOLD_SLOTS: u64 = 60;

/// The background of one circuit, each line on its own: a reading may leave some out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Background {
    now: PerPhase<Option<Milliamps>>,
    likely: PerPhase<Milliamps>,
    highest: PerPhase<Milliamps>,
    /// The newest estimates that are certain, for steps.
    certain: PerPhase<VecDeque<Milliamps>>,
    largest_step: PerPhase<Milliamps>,
    /// The highest of the hold time…
    peaks: Peaks,
    /// …and of the longest one.
    long_peaks: Slots,
    hold_ms: u64,
    /// Since when a line carries more than house and loads are stated to draw, and the least of that: the house, or a load
    /// that has begun and not said so yet.
    unstated: PerPhase<Option<(Instant, Milliamps)>>,
    /// What the newest readings that were told from both sides showed of the house.
    confirmed: PerPhase<Option<Milliamps>>,
    /// The newest reading that tells a line.
    newest: Option<(Instant, PerPhase<Option<Milliamps>>)>,
    /// The newest readings, oldest first.
    readings: VecDeque<(Instant, PerPhase<Option<Milliamps>>)>,
}

/// The highest currents of a time that moves along. They are kept as slots, and found anew from these.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Slots", into = "Slots")]
struct Peaks {
    slots: Slots,
    /// The highest of each line, and the start of the last slot that has it.
    highest: PerPhase<Option<(Milliamps, Instant)>>,
}

/// The peaks of slots of time that move along.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Slots {
    /// Start of a slot and the peaks within it, oldest first.
    slots: VecDeque<(Instant, PerPhase<Option<Milliamps>>)>,
}

impl From<Slots> for Peaks {
    fn from(slots: Slots) -> Self {
        let highest = PerPhase(Phase::ALL.map(|phase| slots.highest_since(phase, Instant(0))));
        Self { slots, highest }
    }
}

impl From<Peaks> for Slots {
    fn from(peaks: Peaks) -> Self {
        peaks.slots
    }
}

impl Peaks {
    fn add(&mut self, current: PerPhase<Option<Milliamps>>, hold_ms: u64, now: Instant) {
        let start = self.slots.add(current, hold_ms, now);
        let oldest = self.slots.slots.front().map_or(start, |(start, _)| *start);
        for phase in Phase::ALL {
            let known = self.highest.get(phase);
            let highest = if known.is_some_and(|(_, at)| at < oldest) {
                self.slots.highest_since(phase, oldest)
            } else {
                known.max(current.get(phase).map(|current| (current, start)))
            };
            *self.highest.get_mut(phase) = highest;
        }
    }
}

impl Slots {
    /// Says when the slot began that a current was taken into.
    fn add(&mut self, current: PerPhase<Option<Milliamps>>, hold_ms: u64, now: Instant) -> Instant {
        let slot_ms = (hold_ms / HOLD_SLOTS).max(1);
        let into = match self.slots.back_mut() {
            // Nothing is less than any current.
            Some((start, peak)) if now.since_ms(*start) < slot_ms => {
                *peak = peak.zip_with(&current, Ord::max);
                *start
            }
            _ => {
                self.slots.push_back((now, current));
                now
            }
        };
        while self
            .slots
            .front()
            .is_some_and(|(start, _)| now.since_ms(*start) > hold_ms)
        {
            self.slots.pop_front();
        }
        into
    }

    /// The highest of a line in the slots that begin no sooner than this, and the start of the last slot that has it.
    fn highest_since(&self, phase: Phase, since: Instant) -> Option<(Milliamps, Instant)> {
        let slots = self.slots.iter().filter(|(start, _)| *start >= since);
        slots
            .filter_map(|(start, peak)| peak.get(phase).map(|peak| (peak, *start)))
            .max()
    }
}

impl Background {
    /// Takes what the loads have said since the newest reading: what they still do not state by now was the house. Says
    /// whether that changes it.
    pub fn heed(
        &mut self,
        stated: &PerPhase<Milliamps>,
        tells_within_ms: u64,
        now: Instant,
    ) -> bool {
        let Some((at, lines)) = self.newest else {
            return false;
        };
        let known = self.now;
        for phase in Phase::ALL {
            if let (Some(measured), Some(before)) = (lines.get(phase), self.now.get(phase)) {
                let stated = measured - stated.get(phase);
                let next = self.heed_unstated(phase, before, stated, tells_within_ms, (at, now));
                *self.now.get_mut(phase) = Some(next);
            }
        }
        self.now != known
    }

    /// Takes a reading; a line that it leaves out stays as it was.
    pub fn observe(
        &mut self,
        measured: PerPhase<Option<Milliamps>>,
        draw: &DrawBounds,
        hold_ms: u64,
        now: Instant,
    ) {
        let mut seen = PerPhase::default();
        for phase in Phase::ALL {
            let Some(measured) = measured.get(phase) else {
                continue;
            };
            let low = measured - draw.high.get(phase);
            let high = (measured - draw.low.get(phase)).max(low);
            // The first time the worst case counts.
            let before = self.now.get(phase).unwrap_or(high);
            let next = before.clamp(low, high).max(Milliamps::ZERO);
            let stated = measured - draw.stated.get(phase);
            let next = self.heed_unstated(phase, next, stated, draw.tells_within_ms, (now, now));
            *self.now.get_mut(phase) = Some(next);
            *seen.get_mut(phase) = Some(next);
            *self.likely.get_mut(phase) = (measured - draw.likely.get(phase)).max(Milliamps::ZERO);
            if high - low <= CERTAIN {
                let learnt = self.highest.get_mut(phase);
                *learnt = next.max(*learnt);
                self.learn_step(phase, next);
            } else {
                self.certain.get_mut(phase).clear();
            }
        }
        let told_ms = draw.gap_ms.saturating_mul(GAPS).min(HOLD_MAX_MS);
        self.hold_ms = hold_ms.max(told_ms);
        self.hold(seen, now);
        if Phase::ALL
            .iter()
            .any(|phase| measured.get(*phase).is_some())
        {
            self.newest = Some((now, measured));
        }
        self.readings.push_back((now, measured));
        if self.readings.len() > READINGS {
            self.readings.pop_front();
        }
    }

    /// A load that had begun would have said so by now: it was the house.
    fn heed_unstated(
        &mut self,
        phase: Phase,
        next: Milliamps,
        stated: Milliamps,
        tells_within_ms: u64,
        (measured_at, now): (Instant, Instant),
    ) -> Milliamps {
        let unstated = self.unstated.get_mut(phase);
        if stated <= next + UNSTATED {
            *unstated = None;
            return next;
        }
        let (since, least) = unstated.unwrap_or((measured_at, stated));
        let least = least.min(stated);
        *unstated = Some((since, least));
        if now.since_ms(since) >= tells_within_ms {
            next.max(least)
        } else {
            next
        }
    }

    fn hold(&mut self, seen: PerPhase<Option<Milliamps>>, now: Instant) {
        self.peaks.add(seen, self.hold_ms, now);
        let long_ms = self.hold_ms.saturating_mul(LONG_HOLD);
        self.long_peaks.add(seen, long_ms, now);
    }

    /// When the oldest reading was taken that waits for the loads' words.
    pub fn waits_for_words_since(&self) -> Option<Instant> {
        self.readings.front().map(|(at, _)| *at)
    }

    /// Whether more flows than is stated, and time tells whether it is the house.
    pub fn waits_for_a_beginning(&self) -> bool {
        Phase::ALL
            .iter()
            .any(|phase| self.unstated.get(*phase).is_some())
    }

    /// Takes what the loads drew at most between two instants, now that all of them have reported after the first and
    /// again after the second. What the readings in between show above that was the house, whatever was thought of
    /// it then: a load that stopped by itself was counted until it said so. Says whether it changes the background.
    pub fn confirm(
        &mut self,
        between: (Instant, Instant),
        high: &PerPhase<Milliamps>,
        now: Instant,
    ) -> bool {
        let (after, until) = between;
        let told = |(at, _): &&(Instant, PerPhase<_>)| *at > after && *at <= until;
        let house = self
            .readings
            .iter()
            .filter(told)
            .map(|(_, lines)| lines.zip_with(high, |line, high| line.map(|line| line - high)))
            .reduce(|a, b| a.zip_with(&b, Ord::max));
        let newest = self.readings.iter().rev().find(told);
        let newest = newest
            .map(|(_, lines)| lines.zip_with(high, |line, high| line.map(|line| line - high)));
        self.readings.retain(|(at, _)| *at > until);
        let (Some(house), Some(newest)) = (house, newest) else {
            return false;
        };
        let known = (self.now, self.highest);
        for phase in Phase::ALL {
            // A report may be older than it looks, so one of them may miss a car that began; two do not.
            let before = self.confirmed.get(phase);
            if let (Some(shown), Some(before), Some(now)) =
                (newest.get(phase), before, self.now.get(phase))
            {
                *self.now.get_mut(phase) = Some(now.max(shown.min(before)));
            }
        }
        self.confirmed = newest;
        for phase in Phase::ALL {
            if let Some(known) = house.get(phase) {
                let learnt = self.highest.get_mut(phase);
                *learnt = known.max(*learnt);
            }
        }
        self.hold(house, now);
        (self.now, self.highest) != known
    }

    /// What the house added within a few readings. It grows only: what happened once may happen again.
    fn learn_step(&mut self, phase: Phase, estimate: Milliamps) {
        let certain = self.certain.get_mut(phase);
        if let Some(lowest) = certain.iter().min() {
            let learnt = self.largest_step.get_mut(phase);
            *learnt = (estimate - *lowest).max(*learnt);
        }
        certain.push_back(estimate);
        if certain.len() >= STEP_READINGS {
            certain.pop_front();
        }
    }

    /// The newest estimate of a line.
    pub fn now(&self, phase: Phase) -> Option<Milliamps> {
        self.now.get(phase)
    }

    /// The newest estimate for a line that carries too much: no lower than the last word of the loads
    /// makes it, so that one cut is enough.
    pub fn when_overloaded(&self, phase: Phase) -> Option<Milliamps> {
        self.now(phase).map(|now| now.max(self.likely.get(phase)))
    }

    /// The highest of a line within the hold time.
    pub fn held(&self, phase: Phase) -> Option<Milliamps> {
        self.peaks.highest.get(phase).map(|(highest, _)| highest)
    }

    /// The highest of a line within the [`PATIENT_HOLD`] hold times before now.
    pub fn held_patient(&self, phase: Phase, now: Instant) -> Option<Milliamps> {
        self.patient_peak(phase, now).map(|(highest, _)| highest)
    }

    fn patient_peak(&self, phase: Phase, now: Instant) -> Option<(Milliamps, Instant)> {
        let since = Instant(now.0.saturating_sub(self.patient_ms()));
        self.long_peaks.highest_since(phase, since)
    }

    const fn patient_ms(&self) -> u64 {
        self.hold_ms.saturating_mul(PATIENT_HOLD)
    }

    /// The highest of a line within [`LONG_HOLD`] hold times.
    pub fn held_long(&self, phase: Phase) -> Option<Milliamps> {
        let peak = self.long_peaks.highest_since(phase, Instant(0));
        peak.map(|(highest, _)| highest)
    }

    /// When the highest of a line leaves the hold time.
    pub fn held_until(&self, phase: Phase) -> Option<Instant> {
        let (_, start) = self.peaks.highest.get(phase)?;
        Some(start.after_ms(self.hold_ms))
    }

    /// When the highest of a line leaves the [`PATIENT_HOLD`] hold times before now.
    pub fn held_patient_until(&self, phase: Phase, now: Instant) -> Option<Instant> {
        let (_, start) = self.patient_peak(phase, now)?;
        Some(start.after_ms(self.patient_ms()))
    }

    /// The highest of a line that is known in any way: learnt, held, or now.
    pub fn worst(&self, phase: Phase) -> Milliamps {
        let known = [self.held(phase), self.when_overloaded(phase)];
        known
            .into_iter()
            .flatten()
            .fold(self.highest.get(phase), Ord::max)
    }

    /// The highest of a line that was seen to flow: learnt, held, or now.
    pub fn highest_seen(&self, phase: Phase) -> Milliamps {
        let seen = [self.held(phase), self.now(phase)].into_iter().flatten();
        seen.fold(self.highest.get(phase), Ord::max)
    }

    /// The largest step that the house was seen to take.
    pub fn largest_step(&self, phase: Phase) -> Milliamps {
        self.largest_step.get(phase)
    }

    /// What is to be kept of it.
    pub const fn learnt(&self) -> House {
        House {
            highest_a: self.highest.0,
            largest_step_a: self.largest_step.0,
        }
    }

    /// Takes over what was kept; what it has learnt itself since may be more.
    pub fn restore(&mut self, kept: &House) {
        self.highest = self.highest.zip_with(&PerPhase(kept.highest_a), Ord::max);
        let step = PerPhase(kept.largest_step_a);
        self.largest_step = self.largest_step.zip_with(&step, Ord::max);
    }

    /// The highest ever learnt.
    pub const fn highest(&self) -> PerPhase<Milliamps> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(low: i64, high: i64) -> DrawBounds {
        DrawBounds {
            low: PerPhase::all(Milliamps(low)),
            high: PerPhase::all(Milliamps(high)),
            stated: PerPhase::all(Milliamps(high)),
            likely: PerPhase::all(Milliamps(high)),
            ..DrawBounds::default()
        }
    }

    fn observe(background: &mut Background, i: i64, low: i64, high: i64, s: u64) -> i64 {
        let measured = PerPhase::all(Some(Milliamps(i)));
        background.observe(measured, &bounds(low, high), 60_000, Instant(s * 1000));
        background.now(Phase::L1).unwrap().0
    }

    #[test]
    fn a_ramping_car_is_not_mistaken_for_the_house() {
        let mut background = Background::default();
        assert_eq!(observe(&mut background, 5_000, 0, 0, 0), 5_000);
        // Granted 16 A, not yet reported: the meter sees the car first.
        assert_eq!(observe(&mut background, 13_000, 0, 16_000, 1), 5_000);
        assert_eq!(observe(&mut background, 21_000, 16_000, 16_000, 2), 5_000);
    }

    #[test]
    fn a_step_of_the_house_is_seen_at_once_beside_a_steady_car() {
        let mut background = Background::default();
        observe(&mut background, 15_000, 10_000, 10_000, 0);
        assert_eq!(observe(&mut background, 25_000, 10_000, 10_000, 1), 15_000);
    }

    #[test]
    fn the_first_reading_counts_with_its_worst_case() {
        let mut background = Background::default();
        assert_eq!(observe(&mut background, 20_000, 0, 16_000, 0), 20_000);
    }

    #[test]
    fn peaks_are_held_and_let_go() {
        let mut background = Background::default();
        observe(&mut background, 20_000, 0, 0, 0);
        observe(&mut background, 3_000, 0, 0, 30);
        assert_eq!(background.held(Phase::L1), Some(Milliamps(20_000)));
        observe(&mut background, 3_000, 0, 0, 61);
        assert_eq!(background.held(Phase::L1), Some(Milliamps(3_000)));
        assert_eq!(background.highest().get(Phase::L1), Milliamps(20_000));
    }

    proptest::proptest! {
        #[test]
        fn the_highest_of_the_slots_is_kept_as_it_would_be_found_anew(
            readings in proptest::collection::vec((0..5_000_u64, 0..4_i64, 1..3_u64), 1..200),
        ) {
            let (mut peaks, mut now) = (Peaks::default(), Instant(0));
            for (wait_ms, current, hold) in readings {
                now = now.after_ms(wait_ms);
                let lines = PerPhase([Some(Milliamps(current)), None, (current > 1).then_some(Milliamps(-current))]);
                peaks.add(lines, hold * 10_000, now);
                proptest::prop_assert_eq!(peaks.highest, Peaks::from(peaks.slots.clone()).highest);
            }
        }
    }

    #[test]
    fn the_largest_step_is_learnt_across_readings_that_average() {
        let mut background = Background::default();
        for (s, current) in [2_000, 2_000, 7_000, 12_000, 12_000, 3_000, 3_000]
            .into_iter()
            .enumerate()
        {
            observe(&mut background, current, 0, 0, s as u64);
        }
        assert_eq!(background.largest_step(Phase::L1), Milliamps(10_000));
    }

    #[test]
    fn what_a_car_may_have_done_teaches_no_step() {
        let mut background = Background::default();
        observe(&mut background, 2_000, 0, 0, 0);
        observe(&mut background, 20_000, 0, 16_000, 1);
        observe(&mut background, 20_000, 16_000, 16_000, 2);
        assert_eq!(background.largest_step(Phase::L1), Milliamps(0));
    }
}
