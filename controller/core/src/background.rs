//! The part of the measured current that no configured load draws, found by set membership.
//!
//! Meter and chargers are not read at the same instant. What a charger draws at the time of the meter's
//! reading is known only between bounds; the background is moved no further than these bounds force.
//! So a car that ramps up between two reports is not mistaken for the oven.

use std::collections::VecDeque;

use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// Bounds of what the loads draw together from each line at the time of a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrawBounds {
    /// Not less than this.
    pub low: PerPhase<Milliamps>,
    /// Not more than this.
    pub high: PerPhase<Milliamps>,
    /// Most likely this: the last word of each load, where it is recent.
    pub likely: PerPhase<Milliamps>,
}

impl DrawBounds {
    /// Adds what another load draws.
    pub fn add(&mut self, other: &Self) {
        self.low = self.low.zip_with(&other.low, |a, b| a + b);
        self.high = self.high.zip_with(&other.high, |a, b| a + b);
        self.likely = self.likely.zip_with(&other.likely, |a, b| a + b);
    }
}

/// The bounds may be this far apart for a reading to teach the highest background.
const CERTAIN: Milliamps = Milliamps::from_amps(2);
/// Peaks are kept in this many slots, so that memory does not grow with the meter's speed.
const HOLD_SLOTS: u64 = 60;

/// The background of one circuit.
#[derive(Clone, Debug, Default)]
pub struct Background {
    now: Option<PerPhase<Milliamps>>,
    likely: PerPhase<Milliamps>,
    highest: PerPhase<Milliamps>,
    /// Start of a slot and the peaks within it, oldest first.
    peaks: VecDeque<(Instant, PerPhase<Milliamps>)>,
}

impl Background {
    /// Takes a reading; `measured` has a value for every line that counts.
    pub fn observe(
        &mut self,
        measured: PerPhase<Milliamps>,
        draw: &DrawBounds,
        hold_ms: u64,
        now: Instant,
    ) {
        let lowest = measured.zip_with(&draw.high, |i, high| i - high);
        let highest = measured.zip_with(&draw.low, |i, low| i - low);
        let next = match self.now {
            // The first time the worst case counts.
            None => highest,
            Some(before) => PerPhase(Phase::ALL.map(|phase| {
                let low = lowest.get(phase);
                before.get(phase).clamp(low, highest.get(phase).max(low))
            })),
        };
        let next = next.map(|current| current.max(Milliamps::ZERO));
        self.now = Some(next);
        self.likely =
            measured.zip_with(&draw.likely, |i, likely| (i - likely).max(Milliamps::ZERO));
        for phase in Phase::ALL {
            if highest.get(phase) - lowest.get(phase) <= CERTAIN {
                let learnt = self.highest.get_mut(phase);
                *learnt = next.get(phase).max(*learnt);
            }
        }
        self.hold(next, hold_ms, now);
    }

    fn hold(&mut self, current: PerPhase<Milliamps>, hold_ms: u64, now: Instant) {
        let slot_ms = (hold_ms / HOLD_SLOTS).max(1);
        match self.peaks.back_mut() {
            Some((start, peak)) if now.since_ms(*start) < slot_ms => {
                *peak = peak.zip_with(&current, Ord::max);
            }
            _ => self.peaks.push_back((now, current)),
        }
        while self
            .peaks
            .front()
            .is_some_and(|(start, _)| now.since_ms(*start) > hold_ms)
        {
            self.peaks.pop_front();
        }
    }

    /// The newest estimate.
    pub const fn now(&self) -> Option<PerPhase<Milliamps>> {
        self.now
    }

    /// The newest estimate for a line that carries too much: no lower than the last word of the loads
    /// makes it, so that one cut is enough.
    pub fn when_overloaded(&self, phase: Phase) -> Option<Milliamps> {
        self.now
            .map(|now| now.get(phase).max(self.likely.get(phase)))
    }

    /// The highest of the hold time.
    pub fn held(&self) -> Option<PerPhase<Milliamps>> {
        self.peaks
            .iter()
            .map(|(_, peak)| *peak)
            .reduce(|a, b| a.zip_with(&b, Ord::max))
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
            likely: PerPhase::all(Milliamps(high)),
        }
    }

    fn observe(background: &mut Background, i: i64, low: i64, high: i64, s: u64) -> i64 {
        let measured = PerPhase::all(Milliamps(i));
        background.observe(measured, &bounds(low, high), 60_000, Instant(s * 1000));
        background.now().unwrap().get(Phase::L1).0
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
        assert_eq!(background.held().unwrap().get(Phase::L1), Milliamps(20_000));
        observe(&mut background, 3_000, 0, 0, 61);
        assert_eq!(background.held().unwrap().get(Phase::L1), Milliamps(3_000));
        assert_eq!(background.highest().get(Phase::L1), Milliamps(20_000));
    }
}
