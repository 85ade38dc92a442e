//! The times between readings, and what is usual of them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// So many are remembered: half of them may be odd.
const REMEMBERED: usize = 9;

/// The last times between readings, in milliseconds, with their median, which is asked for much more often than it changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "VecDeque<u64>", into = "VecDeque<u64>")]
pub(super) struct Intervals {
    last: VecDeque<u64>,
    median: Option<u64>,
}

impl Intervals {
    pub(super) fn remember(&mut self, ms: u64) {
        self.last.push_back(ms);
        if self.last.len() > REMEMBERED {
            self.last.pop_front();
        }
        self.median = median(&self.last);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// `None`: there was none yet.
    pub(super) const fn median(&self) -> Option<u64> {
        self.median
    }
}

fn median(intervals: &VecDeque<u64>) -> Option<u64> {
    let mut sorted: Vec<u64> = intervals.iter().copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

impl From<VecDeque<u64>> for Intervals {
    fn from(last: VecDeque<u64>) -> Self {
        let median = median(&last);
        Self { last, median }
    }
}

impl From<Intervals> for VecDeque<u64> {
    fn from(intervals: Intervals) -> Self {
        intervals.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_last_ones_also_after_a_restart() {
        let mut intervals = Intervals::default();
        assert_eq!(intervals.median(), None);
        for ms in [1000, 1000, 9000, 1010, 1020] {
            intervals.remember(ms);
        }
        assert_eq!(intervals.median(), Some(1010));
        let written = serde_json::to_string(&intervals).unwrap();
        assert_eq!(written, "[1000,1000,9000,1010,1020]");
        let read: Intervals = serde_json::from_str(&written).unwrap();
        assert_eq!(read.median(), Some(1010));
        for _ in 0..REMEMBERED {
            intervals.remember(10_000);
        }
        assert_eq!(intervals.median(), Some(10_000));
        intervals.clear();
        assert_eq!(intervals.median(), None);
    }
}
