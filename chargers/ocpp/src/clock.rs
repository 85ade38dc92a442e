//! The charge point's clock, measured on the time stamps of its messages.
//!
//! A lease is `Absolute`: the charge point reads its start in its own clock, so the start must be
//! written in that clock. A message can only be late (queueing, replays after an outage), never
//! early, and a stuck or replaying clock shows by stamps that do not agree with each other.
//! Therefore an offset counts once two stamps agree on it, and of several the largest counts. The
//! stamps of meter values tell when they were sampled, and some charge points send all of theirs
//! late: where only such stamps say that the clock is slow, by no more than values can be late,
//! nothing is made of it.
//!
//! The boot answer carries our time, so that after a boot the clock is taken as right until
//! stamps say otherwise. Stamps without a zone that are off by whole quarters of an hour are local
//! time: the clock is right but for the rest, and [`Clock::zone`] tells the zone. What the charge
//! point makes of a `Z` then shows by what it does; either way it errs towards its base. Any other
//! offset of such stamps is unknowable.

use jiff::{SignedDuration, Timestamp};

use crate::time::ReadTime;

/// Stamps that are remembered: enough to outvote a few replayed ones.
const REMEMBERED: usize = 4;
/// Two stamps agree when their offsets differ by no more: one second of cut fraction each side,
/// and some network. Less than the shortest sampling interval, so that replays do not agree.
const AGREE: SignedDuration = SignedDuration::from_secs(3);
/// Values can be so late: the slowest sampling interval is a minute.
const LATE: SignedDuration = SignedDuration::from_secs(90);
/// Zones are whole quarters of an hour…
const QUARTER_S: i64 = 15 * 60;
/// …and at most fourteen hours away.
const ZONE_MAX_S: i64 = 14 * 3_600;
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
    samples: Vec<Stamp>,
    booted: bool,
    last: Option<Timestamp>,
}

/// The zone of an offset that is one, but for a clock that is a little off.
fn zone_of(offset: SignedDuration) -> Option<SignedDuration> {
    let quarters = (offset.as_secs() + QUARTER_S / 2).div_euclid(QUARTER_S);
    let zone_s = quarters * QUARTER_S;
    let zone = SignedDuration::from_secs(zone_s);
    let near = (offset - zone).abs() <= TOLERATED;
    (near && zone_s.abs() <= ZONE_MAX_S && zone_s != 0).then_some(zone)
}

fn remember(stamps: &mut Vec<Stamp>, stamp: Stamp) {
    if stamps.len() == REMEMBERED {
        stamps.remove(0);
    }
    stamps.push(stamp);
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

    /// A message came in, with a stamp of when it was sent.
    pub fn observe(&mut self, stamp: ReadTime, received: Timestamp) {
        if let Some(stamp) = self.news(stamp, received) {
            remember(&mut self.recent, stamp);
        }
    }

    /// Values came in, with a stamp of when they were sampled.
    pub fn observe_sample(&mut self, stamp: ReadTime, received: Timestamp) {
        if let Some(stamp) = self.news(stamp, received) {
            remember(&mut self.samples, stamp);
        }
    }

    /// The same stamp again measures nothing: several messages may share one moment, and a stopped
    /// clock would agree with itself.
    fn news(&mut self, stamp: ReadTime, received: Timestamp) -> Option<Stamp> {
        (self.last.replace(stamp.at) != Some(stamp.at)).then(|| Stamp {
            offset: stamp.at.duration_since(received),
            zoned: stamp.zoned,
        })
    }

    /// What is known now.
    pub fn offset(&self) -> ClockOffset {
        let firm = Self::agreed(&self.recent, &[&self.recent, &self.samples]);
        let sampled = Self::agreed(&self.samples, &[&self.samples]);
        let known = firm.map_or(SignedDuration::ZERO, |stamp| stamp.offset);
        let late = |stamp: &Stamp| {
            let behind = known - stamp.offset;
            (firm.is_some() || self.booted) && behind >= SignedDuration::ZERO && behind <= LATE
        };
        let agreed = match sampled.filter(|stamp| !late(stamp)) {
            // Beyond what can be late the clock itself has moved.
            Some(stamp) => Some(stamp),
            None => firm,
        };
        let stamps = self.recent.len() + self.samples.len();
        match agreed {
            Some(stamp) if stamp.zoned || stamp.offset.abs() <= TOLERATED => {
                ClockOffset::Measured(stamp.offset)
            }
            Some(stamp) if let Some(zone) = zone_of(stamp.offset) => {
                ClockOffset::Measured(stamp.offset - zone)
            }
            None if self.booted || stamps < REMEMBERED => ClockOffset::Assumed,
            Some(_) | None => ClockOffset::Unknowable,
        }
    }

    /// The zone whose local time its stamps tell without saying so: local time minus UTC.
    pub fn zone(&self) -> Option<SignedDuration> {
        let newest = self.recent.last().or(self.samples.last())?;
        let silent = !newest.zoned && newest.offset.abs() > TOLERATED;
        silent.then(|| zone_of(newest.offset)).flatten()
    }

    /// The largest offset of `stamps` that another one of `peers` agrees with.
    fn agreed(stamps: &[Stamp], peers: &[&Vec<Stamp>]) -> Option<Stamp> {
        let agree = |one: &Stamp| {
            let others = peers.iter().copied().flatten();
            let close = others.filter(|other| (other.offset - one.offset).abs() <= AGREE);
            // It agrees with itself.
            close.count() >= 2
        };
        let agreed = stamps.iter().filter(|stamp| agree(stamp));
        agreed.max_by_key(|stamp| stamp.offset).copied()
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
        let cases: [Case<'_>; 12] = [
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
                &[(0, 3602), (5, 3607)],
                measured(2),
            ),
            (
                "no zone, and no local time",
                false,
                false,
                &[(0, 1234), (5, 1239)],
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
    fn samples_that_come_late_do_not_make_the_clock_slow() {
        type Case<'a> = (
            &'a str,
            bool,
            &'a [(i64, i64)],
            &'a [(i64, i64)],
            ClockOffset,
        );
        let measured = |seconds| ClockOffset::Measured(SignedDuration::from_secs(seconds));
        let cases: [Case<'_>; 6] = [
            (
                "late",
                true,
                &[],
                &[(5, -15), (10, -10)],
                ClockOffset::Assumed,
            ),
            (
                "late beside right stamps",
                false,
                &[(0, 0), (2, 2)],
                &[(5, -15), (10, -10)],
                measured(0),
            ),
            (
                "late beside one slow stamp",
                true,
                &[(0, -20)],
                &[(5, -15), (10, -10)],
                measured(-20),
            ),
            (
                "slow by minutes",
                true,
                &[],
                &[(5, -295), (10, -290)],
                measured(-300),
            ),
            (
                "set back since",
                false,
                &[(0, 0), (2, 2)],
                &[(5, -295), (10, -290)],
                measured(-300),
            ),
            (
                "fast",
                true,
                &[(0, 0), (2, 2)],
                &[(5, 35), (10, 40)],
                measured(30),
            ),
        ];
        for (name, booted, sent, sampled, want) in cases {
            let mut clock = Clock::default();
            if booted {
                clock.set_by_boot();
            }
            let read = |stamp| ReadTime {
                at: at(stamp),
                zoned: true,
            };
            for (received, stamp) in sent {
                clock.observe(read(*stamp), at(*received));
            }
            for (received, stamp) in sampled {
                clock.observe_sample(read(*stamp), at(*received));
            }
            assert_eq!(clock.offset(), want, "{name}");
        }
    }

    #[test]
    fn the_zone_of_local_time() {
        // Offset and zone in seconds.
        let cases = [
            (7_200, Some(7_200)),
            (7_208, Some(7_200)),
            (-16_205, Some(-16_200)),
            (20_700, Some(20_700)),
            (7_250, None),
            (3, None),
            (60_000, None),
        ];
        for (offset, want) in cases {
            let mut clock = Clock::default();
            clock.observe(
                ReadTime {
                    at: at(offset),
                    zoned: false,
                },
                at(0),
            );
            assert_eq!(clock.zone().map(|zone| zone.as_secs()), want, "{offset}");
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
