//! What a connection hears of its peer: seen by its task, and by those who ask how it is.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A peer that answers pings, but left so many limits in a row without an answer…
const UNANSWERED_MAX: u64 = 3;
/// …and has said nothing for so long, has a program that hangs behind a websocket that lives.
const MUTE_AFTER: Duration = Duration::from_secs(30);

/// Cheap to clone; the clones are one.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Mutex<Beat>>);

#[derive(Debug)]
struct Beat {
    /// The last frame of any kind.
    frame: Instant,
    /// The last message.
    message: Instant,
    /// Limits that have had no answer until now, and until the last message.
    unanswered: u64,
    unanswered_before: u64,
    /// When the first of those since the last message was given up.
    missed: Option<Instant>,
}

/// A charger whose charge point is connected, answers no limit and says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Id of the charger.
    pub load: String,
    /// Its last message.
    pub since: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(Beat {
            frame: now,
            message: now,
            unanswered: 0,
            unanswered_before: 0,
            missed: None,
        })))
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        // Every change under the lock is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame of any kind has come: the peer lives.
    pub(super) fn frame(&self) {
        self.beat().frame = Instant::now();
    }

    /// When the last one came.
    pub(super) fn last_frame(&self) -> Instant {
        self.beat().frame
    }

    /// How long ago that is.
    pub(super) fn silence(&self) -> Duration {
        self.last_frame().elapsed()
    }

    /// A message has come.
    pub(super) fn message(&self) {
        let mut beat = self.beat();
        beat.message = Instant::now();
        beat.unanswered_before = beat.unanswered;
        beat.missed = None;
    }

    /// So many limits have had no answer until now.
    pub(super) fn unanswered(&self, count: u64) {
        let mut beat = self.beat();
        if count > beat.unanswered {
            beat.missed.get_or_insert_with(Instant::now);
        }
        beat.unanswered = count;
    }

    /// Since when it is mute. A peer of which not even a frame has come since is not: its connection is broken, and will be
    /// noticed.
    pub(super) fn mute_since(&self) -> Option<Instant> {
        let beat = self.beat();
        let lives = beat.missed.is_some_and(|missed| beat.frame > missed);
        let misses = beat.unanswered.saturating_sub(beat.unanswered_before);
        let mute = lives && misses >= UNANSWERED_MAX && beat.message.elapsed() >= MUTE_AFTER;
        mute.then_some(beat.message)
    }
}

/// What happened, what is done to stay safe, and what to do.
impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: its charge point answers pings, but no limit, and says nothing. What it may draw stays reserved; its \
             last limit runs out by itself if its program still runs. Restart the charge point.",
            self.load
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn mute_is_who_answers_pings_and_no_limit_and_says_nothing() {
        let pulse = Pulse::new();
        let begun = Instant::now();
        pass(100).await;
        pulse.unanswered(2);
        pulse.frame();
        pulse.message();
        let spoke = Instant::now();
        assert_eq!((spoke - begun).as_secs(), 100);
        pass(20).await;
        pulse.unanswered(4);
        pass(60).await;
        pulse.frame();
        assert_eq!(pulse.mute_since(), None, "two since it spoke");
        pulse.unanswered(5);
        assert_eq!(pulse.mute_since(), Some(spoke));
        pulse.message();
        assert_eq!(pulse.mute_since(), None, "it speaks again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_and_a_busy_charge_point_are_not_mute() {
        let broken = Pulse::new();
        let busy = Pulse::new();
        for count in 1..=3 {
            pass(5).await;
            broken.unanswered(count);
            busy.unanswered(count);
            busy.frame();
        }
        assert_eq!(busy.mute_since(), None, "for 15 s only");
        pass(20).await;
        assert_eq!(broken.mute_since(), None, "no pong came");
        assert!(busy.mute_since().is_some());
    }
}
