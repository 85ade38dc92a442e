//! How often a charge point's memory is written, and when a raise has to wait.
//!
//! Each profile is a write to flash, which bears some ten thousands to a hundred thousand of them.
//! So there is a budget a day. It never holds up a reduction: when it is used up, what would raise
//! the charge point or keep it raised waits, and it falls to its safe current by itself. A raise
//! that was refused waits longer each time: some charge points refuse what comes too often.

use jiff::{SignedDuration, Timestamp};

/// Profiles a day. A lease of two minutes that is renewed at half-life all day makes 1440.
pub const WRITES_PER_DAY: u32 = 2_000;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// After the first refusal of a raise the next one waits so long, in seconds; then twice as long.
const FIRST_HOLD_S: i64 = 60;
/// At most so long, in seconds.
const LONGEST_HOLD_S: i64 = 3_600;
/// Doublings from the first hold to beyond the longest.
const MAX_DOUBLINGS: u32 = 6;

/// What a limit is beside what may be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Less, or on fewer phases.
    Reduction,
    /// The same again.
    Renewal,
    /// More.
    Raise,
}

/// The writes of one charge point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wear {
    since: Option<Timestamp>,
    writes: u32,
    told: bool,
    last: Option<Timestamp>,
    refusals: u32,
    hold_until: Option<Timestamp>,
}

impl Wear {
    /// A profile went out.
    pub(crate) fn wrote(&mut self, wall: Timestamp) {
        self.turn_day(wall);
        self.writes = self.writes.saturating_add(1);
    }

    /// The profile was a limit, not a base.
    pub(crate) fn limited(&mut self, wall: Timestamp) {
        self.last = Some(wall);
    }

    fn turn_day(&mut self, wall: Timestamp) {
        let begun = *self.since.get_or_insert(wall);
        let age = wall.duration_since(begun);
        if age >= DAY || age < SignedDuration::ZERO {
            self.since = Some(wall);
            self.writes = 0;
            self.told = false;
        }
    }

    /// Whether the day's budget is used up.
    pub(crate) fn is_used_up(&mut self, budget: u32, wall: Timestamp) -> bool {
        self.turn_day(wall);
        self.writes >= budget
    }

    /// The number of writes, once a day.
    pub(crate) fn tell(&mut self) -> Option<u32> {
        let first = !self.told;
        self.told = true;
        first.then_some(self.writes)
    }

    /// A raise was refused.
    pub(crate) fn raise_refused(&mut self, wall: Timestamp) {
        let doublings = self.refusals.min(MAX_DOUBLINGS);
        let hold_s = (FIRST_HOLD_S << doublings).min(LONGEST_HOLD_S);
        self.refusals = self.refusals.saturating_add(1);
        self.hold_until = wall.checked_add(SignedDuration::from_secs(hold_s)).ok();
    }

    /// A limit was taken.
    pub(crate) fn accepted(&mut self) {
        self.refusals = 0;
        self.hold_until = None;
    }

    /// Whether raises wait because the last ones were refused.
    pub(crate) fn holds_raises(&self, wall: Timestamp) -> bool {
        self.hold_until.is_some_and(|until| {
            let left = until.duration_since(wall);
            left.is_positive() && left <= SignedDuration::from_secs(LONGEST_HOLD_S)
        })
    }

    /// How long a raise has to wait after the last limit, where the model wants so.
    pub(crate) fn raise_wait(&self, every_s: u32, wall: Timestamp) -> SignedDuration {
        let every = SignedDuration::from_secs(i64::from(every_s));
        self.last.map_or(SignedDuration::ZERO, |last| {
            // A clock that jumped back makes nobody wait for long.
            (every - wall.duration_since(last)).clamp(SignedDuration::ZERO, every)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_budget_lasts_a_day_and_is_told_once() {
        let mut wear = Wear::default();
        for second in 0..3 {
            assert!(!wear.is_used_up(3, at(second)));
            wear.wrote(at(second));
        }
        assert!(wear.is_used_up(3, at(4)));
        assert_eq!((wear.tell(), wear.tell()), (Some(3), None));
        assert!(wear.is_used_up(3, at(86_399)));
        assert!(!wear.is_used_up(3, at(86_400)));
        wear.wrote(at(86_400));
        assert_eq!(wear.tell(), Some(1));
        assert!(!wear.is_used_up(2, at(-5)), "a clock that jumped back");
    }

    #[test]
    fn refused_raises_wait_twice_as_long_each_time() {
        let mut wear = Wear::default();
        assert!(!wear.holds_raises(at(0)));
        let mut waits = Vec::new();
        for _ in 0..9 {
            wear.raise_refused(at(0));
            waits.push(
                (0..5_000)
                    .find(|second| !wear.holds_raises(at(*second)))
                    .unwrap(),
            );
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
        wear.accepted();
        assert!(!wear.holds_raises(at(0)));
    }

    #[test]
    fn raises_keep_their_distance() {
        let mut wear = Wear::default();
        assert_eq!(wear.raise_wait(10, at(0)), SignedDuration::ZERO);
        wear.limited(at(0));
        for (now, want) in [(0, 10), (4, 6), (10, 0), (99, 0), (-50, 10)] {
            assert_eq!(wear.raise_wait(10, at(now)).as_secs(), want, "{now}");
        }
    }
}
