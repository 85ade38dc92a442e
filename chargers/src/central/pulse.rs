//! What a connection hears of its peer: seen by its task, and by those who ask how it is.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A peer that has left so many calls in a row without an answer, and said nothing meanwhile, has a program that hangs
/// behind a websocket that lives: pings are answered without it.
const UNANSWERED_MAX: u64 = 3;

/// Cheap to clone; the clones are one.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Mutex<Beat>>);

#[derive(Debug)]
struct Beat {
    /// The last frame of any kind.
    frame: Instant,
    /// The last message.
    message: Instant,
    /// Calls that had been left without an answer by then.
    unanswered: u64,
    mute: bool,
}

/// A charger whose charge point is connected, answers no call and says nothing.
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
            mute: false,
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

    /// A message has come; so many calls had no answer until now.
    pub(super) fn message(&self, unanswered: u64) {
        let mut beat = self.beat();
        beat.message = Instant::now();
        beat.unanswered = unanswered;
        beat.mute = false;
    }

    /// So many calls had no answer until now. True when that makes it mute.
    pub(super) fn unanswered(&self, count: u64) -> bool {
        let mut beat = self.beat();
        let was = beat.mute;
        beat.mute |= count >= beat.unanswered.saturating_add(UNANSWERED_MAX);
        beat.mute && !was
    }

    /// Since when it is mute.
    pub(super) fn mute_since(&self) -> Option<Instant> {
        let beat = self.beat();
        beat.mute.then_some(beat.message)
    }
}

/// What happened, what is done to stay safe, and what to do.
impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: its charge point is connected, but says nothing and leaves calls without an answer. What it may draw \
             stays reserved; its last limit runs out by itself if its program still runs. Restart the charge point.",
            self.load
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn mute_is_who_leaves_calls_without_an_answer_and_says_nothing() {
        let pulse = Pulse::new();
        let begun = Instant::now();
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!pulse.unanswered(2));
        pulse.message(2);
        let spoke = Instant::now();
        assert!(!pulse.unanswered(4), "it has spoken since");
        tokio::time::advance(Duration::from_mins(1)).await;
        pulse.frame();
        assert_eq!(pulse.mute_since(), None);
        assert!(pulse.unanswered(5), "pings are no message");
        assert!(!pulse.unanswered(6), "told once");
        assert_eq!(pulse.mute_since(), Some(spoke));
        assert!(spoke > begun && pulse.last_frame() > spoke);
        pulse.message(6);
        assert_eq!(pulse.mute_since(), None);
    }
}
