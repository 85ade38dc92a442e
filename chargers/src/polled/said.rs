//! What was said in the log of one device: each kind once a minute.

use std::time::Duration;

use tokio::time::Instant;

/// A device that flaps is told of this often.
const EVERY: Duration = Duration::from_mins(1);

/// The kinds that can come again and again.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// It did not take an order.
    pub(super) refusal: Kind,
    /// It does not answer.
    pub(super) lost: Kind,
    /// It answers again.
    pub(super) back: Kind,
    /// It shows more than it was told.
    pub(super) correction: Kind,
}

/// When one of them was said last.
#[derive(Debug, Default)]
pub(super) struct Kind(Option<Instant>);

impl Kind {
    /// Whether it may be said now; then it counts as said.
    pub(super) fn now(&mut self) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_said_once_a_minute() {
        let mut said = Said::default();
        assert_eq!(
            [said.lost.now(), said.lost.now(), said.back.now()],
            [true, false, true]
        );
        tokio::time::advance(EVERY).await;
        assert_eq!([said.lost.now(), said.lost.now()], [true, false]);
    }
}
