//! The charge point's clock, measured on the time stamps of its messages.
//!
//! A lease is `Absolute`: the charge point reads its start in its own clock, so the start must be
//! written in that clock. A message can only be late (queueing, replays after an outage), never
//! early, and a stuck or replaying clock shows by stamps that do not agree with each other.
//! Therefore an offset counts once two stamps agree on it, and of several the largest counts.
//!
//! The boot answer carries our time, so that after a boot the clock is taken as right until
//! stamps say otherwise. Without a zone a stamp that is off tells nothing about what the charge
//! point makes of a `Z`: then the offset is unknowable.

use jiff::{SignedDuration, Timestamp};

use crate::time::ReadTime;

/// Stamps that are remembered: enough to outvote a few replayed ones.
const REMEMBERED: usize = 4;
/// Two stamps agree when their offsets differ by no more: one second of cut fraction each side,
/// and some network. Less than the shortest sampling interval, so that replays do not agree.
const AGREE: SignedDuration = SignedDuration::from_secs(3);
/// An offset below this needs no care.
const TOLERATED: SignedDuration = SignedDuration::from_secs(10);

/// What is known of the charge point's clock: its time minus ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockOffset {
    /// Nothing speaks against a right clock, or the boot answer has set it.
    Assumed,
    /// Measured by two stamps that agree.
    Measured(SignedDuration),
    /// Stamps contradict each other, or lack their zone and are off.
    Unknowable,
}

/// The measurement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    recent: Vec<Stamp>,
    booted: bool,
    last: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    offset: SignedDuration,
    zoned: bool,
}

impl Clock {
    /// The boot answer has told the charge point our time: earlier stamps tell nothing more.
    pub fn set_by_boot(&mut self) {
        *self = Self {
            booted: true,
            ..Self::default()
        };
    }

    /// A message with a stamp came in.
    pub fn observe(&mut self, stamp: ReadTime, received: Timestamp) {
        if self.last == Some(stamp.at) {
            // The same stamp again measures nothing: several messages may share one moment, and
            // a stopped clock would agree with itself.
            return;
        }
        self.last = Some(stamp.at);
        if self.recent.len() == REMEMBERED {
            self.recent.remove(0);
        }
        let offset = stamp.at.duration_since(received);
        self.recent.push(Stamp {
            offset,
            zoned: stamp.zoned,
        });
    }

    /// What is known now.
    pub fn offset(&self) -> ClockOffset {
        let agreed = self
            .recent
            .iter()
            .enumerate()
            .filter(|(index, stamp)| {
                self.recent.iter().enumerate().any(|(other, peer)| {
                    other != *index && (peer.offset - stamp.offset).abs() <= AGREE
                })
            })
            .map(|(_, stamp)| *stamp)
            .max_by_key(|stamp| stamp.offset);
        match agreed {
            Some(stamp) if stamp.zoned || stamp.offset.abs() <= TOLERATED => {
                ClockOffset::Measured(stamp.offset)
            }
            None if self.booted || self.recent.len() < REMEMBERED => ClockOffset::Assumed,
            Some(_) | None => ClockOffset::Unknowable,
        }
    }

    /// The charge point's own time now, as far as it is known.
    pub fn charger_time(&self, wall: Timestamp) -> Option<Timestamp> {
        match self.offset() {
            ClockOffset::Assumed => Some(wall),
            ClockOffset::Measured(offset) => wall.checked_add(offset).ok(),
            ClockOffset::Unknowable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// `(received, stamp)` in seconds.
    fn observe(booted: bool, zoned: bool, messages: &[(i64, i64)]) -> ClockOffset {
        let mut clock = Clock::default();
        if booted {
            clock.set_by_boot();
        }
        for (received, stamp) in messages {
            clock.observe(
                ReadTime {
                    at: at(*stamp),
                    zoned,
                },
                at(*received),
            );
        }
        clock.offset()
    }

    #[test]
    fn an_offset_counts_when_two_stamps_agree() {
        type Case<'a> = (&'a str, bool, bool, &'a [(i64, i64)], ClockOffset);
        let measured = |seconds| ClockOffset::Measured(SignedDuration::from_secs(seconds));
        let cases: [Case<'_>; 11] = [
            ("nothing known", false, true, &[], ClockOffset::Assumed),
            ("one stamp", true, true, &[(0, -300)], ClockOffset::Assumed),
            (
                "slow by 5 min",
                true,
                true,
                &[(0, -300), (5, -295)],
                measured(-300),
            ),
            (
                "fast by 5 min",
                true,
                true,
                &[(0, 300), (5, 304)],
                measured(300),
            ),
            ("right", true, true, &[(0, 0), (10, 9)], measured(0)),
            (
                "replay after boot",
                true,
                true,
                &[(0, -90), (0, -80), (0, -70)],
                ClockOffset::Assumed,
            ),
            (
                "replay, then live",
                true,
                true,
                &[(0, -90), (0, -80), (1, 1), (11, 10)],
                measured(0),
            ),
            (
                "stopped clock",
                true,
                true,
                &[(0, -90), (1, -90), (9, -90)],
                ClockOffset::Assumed,
            ),
            (
                "local time, no zone",
                false,
                false,
                &[(0, 3600), (5, 3605)],
                ClockOffset::Unknowable,
            ),
            ("utc, no zone", false, false, &[(0, 1), (5, 6)], measured(1)),
            (
                "jumps about",
                false,
                true,
                &[(0, 100), (1, 900), (2, 5), (3, -400)],
                ClockOffset::Unknowable,
            ),
        ];
        for (name, booted, zoned, messages, want) in cases {
            assert_eq!(observe(booted, zoned, messages), want, "{name}");
        }
    }

    #[test]
    fn a_boot_forgets_the_old_clock() {
        let mut clock = Clock::default();
        let old = |second| ReadTime {
            at: Timestamp::from_second(second).unwrap(),
            zoned: true,
        };
        clock.observe(old(5), at(0));
        clock.observe(old(10), at(5));
        assert!(
            matches!(clock.offset(), ClockOffset::Measured(_)),
            "1970 is measurable"
        );
        clock.set_by_boot();
        assert_eq!(clock.offset(), ClockOffset::Assumed);
    }
}
