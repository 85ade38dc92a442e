//! The one clock of the program: monotonic milliseconds for the core, and the time of day for people.
//!
//! Only this module reads the system's clocks. In the demo time runs faster for house and controller
//! alike, and a visitor may change how fast; everywhere else its speed is 1.
//!
//! Invariant: a later moment never has an earlier time, also across a change of the speed.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use headroom_core::Instant;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time;

/// A clock that may run faster than real time. Copies are the same clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall: Timestamp,
    origin_ms: u64,
    pace: &'static RwLock<Pace>,
    changed: &'static Notify,
}

/// How time runs since the speed was set last.
#[derive(Clone, Copy, Debug)]
struct Pace {
    since: time::Instant,
    /// What had passed until then, in the clock's time.
    passed: Duration,
    speed: f64,
}

impl Pace {
    /// What has passed until a moment, in the clock's time. Moments before the last change of the speed count as that.
    fn at(&self, moment: time::Instant) -> Duration {
        let since = moment.saturating_duration_since(self.since);
        self.passed.saturating_add(since.mul_f64(self.speed))
    }
}

impl Clock {
    /// Starts now, at the present time of day, with milliseconds counted from `origin_ms`. `speed` is how
    /// many times as fast as real time it runs.
    pub(crate) fn new(speed: f64, origin_ms: u64) -> Self {
        let pace = Pace {
            since: time::Instant::now(),
            passed: Duration::ZERO,
            speed: possible(speed),
        };
        Self {
            wall: Timestamp::now(),
            origin_ms,
            // A program has one clock, as long as it lives.
            pace: Box::leak(Box::new(RwLock::new(pace))),
            changed: Box::leak(Box::default()),
        }
    }

    /// Real time, with milliseconds counted from 1970, so that they go on over a restart.
    pub(crate) fn service() -> Self {
        Self::new(
            1.0,
            u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0),
        )
    }

    fn pace(&self) -> Pace {
        *self.pace.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many times as fast as real time it runs.
    pub(crate) fn speed(&self) -> f64 {
        self.pace().speed
    }

    /// From now on it runs at another speed; what has passed stays as it was.
    pub(crate) fn set_speed(&self, speed: f64) {
        let mut pace = self.pace.write().unwrap_or_else(PoisonError::into_inner);
        let now = time::Instant::now();
        *pace = Pace {
            since: now,
            passed: pace.at(now),
            speed: possible(speed),
        };
        drop(pace);
        self.changed.notify_one();
    }

    /// Waits until the speed is set anew: a moment that was worked out before may come earlier now. For one waiter.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The core's time at a moment.
    pub(crate) fn at(&self, moment: time::Instant) -> Instant {
        let ms = u64::try_from(self.pace().at(moment).as_millis()).unwrap_or(u64::MAX);
        Instant(self.origin_ms.saturating_add(ms))
    }

    /// The core's time now.
    pub(crate) fn now(&self) -> Instant {
        self.at(time::Instant::now())
    }

    /// The time of day at a core's time.
    pub(crate) fn wall_at(&self, at: Instant) -> Timestamp {
        let ms = i64::try_from(at.0.saturating_sub(self.origin_ms)).unwrap_or(i64::MAX);
        self.wall
            .checked_add(SignedDuration::from_millis(ms))
            .unwrap_or(Timestamp::MAX)
    }

    /// The time of day.
    pub(crate) fn wall(&self) -> Timestamp {
        self.wall_at(self.now())
    }

    /// How long a time of this clock takes, at the present speed.
    pub(crate) fn real(&self, duration: Duration) -> Duration {
        duration.div_f64(self.pace().speed)
    }

    /// The real moment of a core's time, at the present speed.
    pub(crate) fn moment(&self, at: Instant) -> time::Instant {
        // A millisecond later, so that the time has surely come.
        let wanted = Duration::from_millis(at.0.saturating_sub(self.origin_ms).saturating_add(1));
        let pace = self.pace();
        pace.since + wanted.saturating_sub(pace.passed).div_f64(pace.speed)
    }
}

/// What is no speed is the real one.
fn possible(speed: f64) -> f64 {
    if speed.is_finite() {
        speed.clamp(0.01, 1000.0)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_a_second_at_sixty_times_the_speed() {
        let clock = Clock::new(60.0, 0);
        let later = clock.pace().since + Duration::from_millis(500);
        assert_eq!(clock.at(later), Instant(30_000));
        assert_eq!(
            clock.real(Duration::from_secs(6)),
            Duration::from_millis(100)
        );
        let wall = clock
            .wall_at(Instant(30_000))
            .duration_since(clock.wall_at(Instant(0)));
        assert_eq!(wall, SignedDuration::from_secs(30));
    }

    #[test]
    fn the_moment_of_a_time_is_not_before_it() {
        for speed in [1.0, 7.0, 60.0] {
            let clock = Clock::new(speed, 1_000_000);
            for ms in [1_000_000, 1_000_001, 1_123_457] {
                assert!(clock.at(clock.moment(Instant(ms))) >= Instant(ms));
            }
        }
    }

    #[test]
    fn a_speed_that_is_none_is_the_real_one() {
        for speed in [f64::NAN, f64::INFINITY, 1.0] {
            let clock = Clock::new(speed, 0);
            assert_eq!(clock.real(Duration::from_secs(1)), Duration::from_secs(1));
        }
    }

    /// Also of a change that came while nobody waited.
    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_of_another_speed() {
        let clock = Clock::new(1.0, 0);
        let copy = clock;
        copy.set_speed(60.0);
        let soon = Duration::from_millis(1);
        assert!(time::timeout(soon, clock.changed()).await.is_ok());
        assert!(time::timeout(soon, clock.changed()).await.is_err());
        let waiting = tokio::spawn(async move { clock.changed().await });
        tokio::task::yield_now().await;
        copy.set_speed(1.0);
        assert!(time::timeout(soon, waiting).await.is_ok());
    }

    /// Through every change of the speed no time is earlier than one before it, and nothing is left out.
    #[tokio::test(start_paused = true)]
    async fn time_goes_on_when_the_speed_changes() {
        let clock = Clock::new(60.0, 1000);
        let before = time::Instant::now();
        let mut last = clock.now();
        let mut expected = 1000;
        let passed = [600_000, 10_000, 600_000, 70_000];
        for (speed, ms) in [1.0, 60.0, 7.0, 1.0].into_iter().zip(passed) {
            time::advance(Duration::from_secs(10)).await;
            expected += ms;
            assert_eq!(clock.now(), Instant(expected));
            clock.set_speed(speed);
            assert_eq!(clock.now(), Instant(expected), "speed {speed}");
            assert!(clock.at(before) >= last, "also a moment of before");
            last = clock.now();
            let wake = clock.moment(Instant(expected + 60_000));
            assert!(clock.at(wake) >= Instant(expected + 60_000));
            assert_eq!(clock.moment(Instant(0)), time::Instant::now());
        }
    }
}
