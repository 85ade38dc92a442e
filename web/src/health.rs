//! Whether the loop lives and the program is ready (`/healthz`, `/readyz`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A loop that has not stepped for this long does not guard the fuse any more.
const ALIVE: Duration = Duration::from_secs(10);

/// Told by the loop, asked by whoever watches.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    /// Milliseconds after `started` of the last completed step, plus one; 0: none yet.
    last_step: AtomicU64,
    ready: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            last_step: AtomicU64::new(0),
            ready: AtomicBool::new(false),
        }
    }
}

impl Health {
    /// The loop has completed a step. To be called by the loop and by nobody else.
    pub fn stepped(&self) {
        self.last_step.store(self.now_ms() + 1, Ordering::Relaxed);
    }

    /// Databases and listeners are up.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Whether the loop stepped within 10 s.
    pub fn is_alive(&self) -> bool {
        let last = self.last_step.load(Ordering::Relaxed);
        let alive_ms = u64::try_from(ALIVE.as_millis()).unwrap_or(u64::MAX);
        last > 0 && (self.now_ms() + 1).saturating_sub(last) <= alive_ms
    }

    /// Whether databases and listeners are up.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn alive_is_a_step_within_ten_seconds() {
        let health = Health::default();
        assert!(!health.is_alive());
        health.stepped();
        assert!(health.is_alive());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(health.is_alive());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!health.is_alive());
        health.stepped();
        assert!(health.is_alive());
    }
}
