//! How often a device was written, and whether it may be written again.

use std::time::Duration;

use tokio::time::Instant;

use super::Pace;

const DAY: Duration = Duration::from_hours(24);

/// The writes of one device. Reductions are counted too, but never asked for.
#[derive(Debug, Default)]
pub(super) struct Wear {
    last: Option<Instant>,
    since: Option<Instant>,
    writes: u32,
    warned: bool,
}

impl Wear {
    /// The device was written.
    pub(super) fn wrote(&mut self, now: Instant) {
        self.turn_day(now);
        self.last = Some(now);
        self.writes = self.writes.saturating_add(1);
    }

    /// When it was written last.
    pub(super) const fn last(&self) -> Option<Instant> {
        self.last
    }

    /// When it may be written again, if it must wait for the gap.
    pub(super) fn gap_until(&self, pace: Pace, now: Instant) -> Option<Instant> {
        let until = self.last? + pace.gap;
        (until > now).then_some(until)
    }

    /// Whether the day's budget is used up.
    pub(super) fn is_used_up(&mut self, pace: Pace, now: Instant) -> bool {
        self.turn_day(now);
        pace.writes_per_day
            .is_some_and(|budget| self.writes >= budget)
    }

    /// True once a day.
    pub(super) const fn warn_now(&mut self) -> bool {
        let first = !self.warned;
        self.warned = true;
        first
    }

    fn turn_day(&mut self, now: Instant) {
        let begun = *self.since.get_or_insert(now);
        if now.saturating_duration_since(begun) >= DAY {
            self.since = Some(now);
            self.writes = 0;
            self.warned = false;
        }
    }
}
