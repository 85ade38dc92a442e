//! A token bucket: bursts are fine, floods are not.

use std::time::Duration;

use tokio::time::Instant;

/// Holds up to `burst` tokens and gets one back each `refill`.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    burst: u32,
    refill: Duration,
    tokens: u32,
    since: Instant,
}

impl Bucket {
    pub(crate) fn new(burst: u32, refill: Duration) -> Self {
        Self {
            burst,
            refill,
            tokens: burst,
            since: Instant::now(),
        }
    }

    /// Takes a token; false if there is none.
    pub(crate) fn take(&mut self) -> bool {
        self.fill();
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }

    /// Whether there is a token, without taking it.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.fill();
        self.tokens == 0
    }

    fn fill(&mut self) {
        let refill = self.refill.as_nanos().max(1);
        let gained = self.since.elapsed().as_nanos() / refill;
        if gained == 0 {
            return;
        }
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        self.tokens = self.tokens.saturating_add(gained).min(self.burst);
        self.since += self.refill.saturating_mul(gained);
        if self.tokens == self.burst {
            self.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_a_flood_does_not() {
        let mut bucket = Bucket::new(3, Duration::from_millis(100));
        assert_eq!(
            [bucket.take(), bucket.take(), bucket.take(), bucket.take()],
            [true, true, true, false]
        );
        tokio::time::advance(Duration::from_millis(150)).await;
        assert_eq!([bucket.take(), bucket.take()], [true, false]);
        tokio::time::advance(Duration::from_millis(50)).await;
        assert!(bucket.take(), "the half token from before counts");
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!((0..10).filter(|_| bucket.take()).count(), 3);
    }
}
