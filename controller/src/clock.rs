//! The one clock of the program: monotonic milliseconds for the core, and the time of day for people.
//!
//! Only this module reads the system's clocks. In the demo time runs faster for house and controller
//! alike; everywhere else its speed is 1.

use std::time::Duration;

use headroom_core::Instant;
use jiff::{SignedDuration, Timestamp};
use tokio::time;

/// A clock that may run faster than real time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: time::Instant,
    wall: Timestamp,
    origin_ms: u64,
    speed: f64,
}

impl Clock {
    /// Starts now, at the present time of day, with milliseconds counted from `origin_ms`. `speed` is how
    /// many times as fast as real time it runs.
    pub(crate) fn new(speed: f64, origin_ms: u64) -> Self {
        let speed = if speed.is_finite() {
            speed.clamp(0.01, 1000.0)
        } else {
            1.0
        };
        Self {
            started: time::Instant::now(),
            wall: Timestamp::now(),
            origin_ms,
            speed,
        }
    }

    /// Real time, with milliseconds counted from 1970, so that they go on over a restart.
    pub(crate) fn service() -> Self {
        Self::new(
            1.0,
            u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0),
        )
    }

    /// The core's time at a moment.
    pub(crate) fn at(&self, moment: time::Instant) -> Instant {
        let since = moment
            .saturating_duration_since(self.started)
            .mul_f64(self.speed);
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
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

    /// How long a time of this clock takes.
    pub(crate) fn real(&self, duration: Duration) -> Duration {
        duration.div_f64(self.speed)
    }

    /// The real moment of a core's time.
    pub(crate) fn moment(&self, at: Instant) -> time::Instant {
        // A millisecond later, so that the time has surely come.
        let since = Duration::from_millis(at.0.saturating_sub(self.origin_ms).saturating_add(1));
        self.started + self.real(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_a_second_at_sixty_times_the_speed() {
        let clock = Clock::new(60.0, 0);
        let later = clock.started + Duration::from_millis(500);
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
}
