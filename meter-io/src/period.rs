//! The period of a list, learnt from the times at which it came.

use std::time::Duration;
use tokio::time::Instant;

/// The median of five ignores a lost telegram and a hurried one.
const REMEMBERED: usize = 5;

/// Learns one list's period.
#[derive(Debug, Default, Clone)]
pub(crate) struct Period {
    last: Option<Instant>,
    gaps: Vec<Duration>,
}

impl Period {
    pub(crate) fn heard(&mut self, at: Instant) {
        if let Some(last) = self.last.replace(at) {
            self.gaps.push(at.saturating_duration_since(last));
            if self.gaps.len() > REMEMBERED {
                self.gaps.remove(0);
            }
        }
    }

    pub(crate) fn last(&self) -> Option<Instant> {
        self.last
    }

    /// In seconds; `None` before two telegrams.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let mut gaps = self.gaps.clone();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).map(Duration::as_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_telegram_does_not_change_the_period() {
        let mut period = Period::default();
        assert_eq!(period.seconds(), None);
        let start = Instant::now();
        for second in [0, 10, 20, 40, 50] {
            period.heard(start + Duration::from_secs(second));
        }
        assert_eq!(period.seconds(), Some(10.0));
    }
}
