//! Whether a telegram is of now, by the clock that its meter tells.
//!
//! A reader or gateway that hangs may send the telegrams that it has again and again, each with a right checksum. A clock
//! that stands still with all values, or that goes back, gives them away. Each list is judged for itself: the hourly list
//! of some meters carries the full hour while the others are ahead of it.

use crate::lists;
use headroom_codec::{MeterTime, Telegram};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// A telegram may be repeated for this long and this often: some readers send the last one of a slow meter each second,
/// and the slowest list with currents comes every 10 s.
const REPEATED_FOR: Duration = Duration::from_secs(20);
const REPEATED_TIMES: u32 = 5;
/// So many telegrams in a row that go on from an earlier time: the clock was set, or summer time has ended.
const SET_AFTER: u32 = 3;

/// Why a telegram is not of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    /// The clock and all values are what they were.
    Stands,
    /// The clock is behind that of a telegram before.
    Back,
}

/// The clocks of a meter's lists.
#[derive(Debug, Default)]
pub(crate) struct Clocks(BTreeMap<&'static str, Clock>);

impl Clocks {
    /// Judges a telegram. One without a clock is of now: nothing speaks against it.
    pub(crate) fn judge(&mut self, telegram: &Telegram, now: Instant) -> Result<(), Stale> {
        let Some(time) = telegram.meter_time else {
            return Ok(());
        };
        // Its counter says nothing of the house: it rises while all that the meter measures may stand still.
        let telegram = &Telegram {
            frame_counter: None,
            ..telegram.clone()
        };
        let clock = self.0.entry(lists::name(telegram)).or_default();
        if clock.given.is_some_and(|given| seconds(given, time) < 0) {
            if !clock.was_set(time, telegram) {
                return Err(Stale::Back);
            }
        } else if clock.same.too_long(telegram, now) {
            clock.behind = None;
            return Err(Stale::Stands);
        }
        clock.behind = None;
        clock.given = Some(time);
        Ok(())
    }
}

/// The clock of one list.
#[derive(Debug, Default)]
struct Clock {
    given: Option<MeterTime>,
    same: Repeats<Telegram>,
    /// The last telegram behind the one that was given, and how many have gone on so far.
    behind: Option<(MeterTime, Telegram, u32)>,
}

impl Clock {
    /// Telegrams behind the last one go on. A clock that stands while values move goes on too: some have no seconds.
    fn was_set(&mut self, time: MeterTime, telegram: &Telegram) -> bool {
        let count = match &self.behind {
            Some((last, _, _)) if seconds(*last, time) < 0 => 1,
            Some((_, same, count)) => count + u32::from(same != telegram),
            None => 1,
        };
        self.behind = Some((time, telegram.clone(), count));
        count >= SET_AFTER
    }
}

/// Seconds from one time to another. Where only one of them has an offset, both are taken as of the same zone.
fn seconds(from: MeterTime, to: MeterTime) -> i64 {
    let local = to.local().duration_since(from.local()).as_secs();
    let offsets = from.offset_min().zip(to.offset_min());
    let moved = offsets.map_or(0, |(from, to)| i64::from(to) - i64::from(from));
    local - moved * 60
}

/// How often and how long the same thing came.
#[derive(Debug)]
pub(crate) struct Repeats<T>(Option<(T, Instant, u32)>);

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Repeats<T> {
    /// Takes in what came; says whether it is the same for too long.
    pub(crate) fn too_long<B>(&mut self, it: &B, now: Instant) -> bool
    where
        B: ToOwned<Owned = T> + PartialEq<T> + ?Sized,
    {
        if let Some((last, since, times)) = &mut self.0
            && it == last
        {
            *times = times.saturating_add(1);
            return *times >= REPEATED_TIMES
                && now.saturating_duration_since(*since) >= REPEATED_FOR;
        }
        self.0 = Some((it.to_owned(), now, 0));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_codec::{Decoder, FrameCounter, Item, Options};

    /// A telegram with a clock, `092637W` or empty for none, and a power.
    fn telegram(clock: &str, watts: u32) -> Telegram {
        let clock = match clock {
            "" => String::new(),
            clock => format!("0-0:1.0.0(260115{clock})\r\n"),
        };
        let text = format!("/HRM5TEST\r\n\r\n{clock}1-0:1.7.0(00.{watts:03}*kW)\r\n!\r\n");
        match Decoder::new(&Options::default())
            .push(text.as_bytes())
            .pop()
        {
            Some(Item::Telegram(telegram)) => telegram,
            other => panic!("{other:?}"),
        }
    }

    /// Judges telegrams that come each `every` seconds: `.` taken, `s` stands still, `b` goes back.
    fn judged(every: u64, telegrams: &[(&str, u32)]) -> String {
        let mut clocks = Clocks::default();
        let start = Instant::now();
        let judge = |(number, (clock, watts)): (u64, &(&str, u32))| {
            let now = start + Duration::from_secs(every * number);
            match clocks.judge(&telegram(clock, *watts), now) {
                Ok(()) => '.',
                Err(Stale::Stands) => 's',
                Err(Stale::Back) => 'b',
            }
        };
        (0..).zip(telegrams).map(judge).collect()
    }

    #[test]
    fn clocks_in_order() {
        let on = [("120000W", 1), ("120001W", 1), ("120002W", 1)];
        assert_eq!(judged(10, &on), "...");
        assert_eq!(judged(10, &[("", 1); 9]), ".........", "no clock");
        let moves: Vec<_> = (0..40).map(|watts| ("120000W", watts)).collect();
        assert_eq!(judged(1, &moves), ".".repeat(40), "values move");
        let invalid = [("990000W", 1); 9];
        assert_eq!(judged(10, &invalid), ".........");
        // Summer time ends, and the telegram tells it.
        assert_eq!(judged(10, &[("025959S", 1), ("020009W", 1)]), "..");
    }

    #[test]
    fn a_clock_that_stands_with_all_values_is_old() {
        let mut still = vec![("120000W", 1); 25];
        still.extend([("120001W", 1), ("120001W", 2), ("120001W", 2)]);
        let expected = format!("{}sssss...", ".".repeat(20));
        assert_eq!(judged(1, &still), expected, "20 s");
        assert_eq!(judged(10, &[("120000W", 1); 7]), ".....ss", "5 telegrams");
    }

    #[test]
    fn a_frame_counter_that_rises_makes_no_telegram_new() {
        let start = Instant::now();
        let mut clocks = Clocks::default();
        let judged = (0..=20).map(|number| {
            let mut sealed = telegram("120000W", 1);
            sealed.frame_counter = Some(FrameCounter {
                title: *b"HRM\x10\x20\x30\x40\x50",
                counter: number,
            });
            clocks.judge(&sealed, start + Duration::from_secs(number.into()))
        });
        assert_eq!(judged.last(), Some(Err(Stale::Stands)));
    }

    #[test]
    fn a_clock_that_goes_back_is_old_until_it_goes_on() {
        let (a, b) = (("120000W", 1), ("120001W", 2));
        assert_eq!(judged(1, &[b, a, b, a, b]), ".b.b.", "two in turn");
        let turns = [b, a].repeat(15);
        assert!(
            judged(1, &turns).ends_with("sbsbsb"),
            "and they stand still"
        );
        assert_eq!(judged(1, &[b, a, a, a, a]), ".bbbb", "a single old one");
        let set = [b, ("110000W", 1), ("110001W", 1), ("110002W", 1)];
        assert_eq!(judged(1, &set), ".bb.", "it was set");
        let minutes = [b, ("110000W", 1), ("110000W", 2), ("110000W", 3)];
        assert_eq!(judged(1, &minutes), ".bb.", "it has no seconds");
    }

    #[test]
    fn each_list_has_its_own_clock() {
        let now = Instant::now();
        let mut clocks = Clocks::default();
        let mut hourly = telegram("120000W", 1);
        hourly.energy_import_mwh = Some(1);
        assert_eq!(clocks.judge(&telegram("120010W", 1), now), Ok(()));
        assert_eq!(clocks.judge(&hourly, now), Ok(()));
    }
}
