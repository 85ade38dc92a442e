//! What comes again and again is said once a minute.

use std::time::Duration;

use tokio::time::Instant;

/// What flaps, or is flooded, is told of this often.
pub(crate) const EVERY: Duration = Duration::from_mins(1);

/// When it was said last.
#[derive(Debug, Default)]
pub(crate) struct OnceAMinute(Option<Instant>);

impl OnceAMinute {
    /// Whether it may be said now; then it counts as said.
    pub(crate) fn now(&mut self) -> bool {
        let now = Instant::now();
        let may = self
            .0
            .is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
        if may {
            self.0 = Some(now);
        }
        may
    }
}
