//! When the engine is kept in the journal: what a replay can begin with.
//!
//! At the start, after each configuration, each hour, and as soon as rows are missing: what comes after a gap can be
//! judged again from there on.

use headroom_core::{Engine, Instant};
use headroom_store::Journal;
use jiff::Timestamp;

/// From one checkpoint to the next at most, in milliseconds: a replay begins at most this long before what is asked
/// for, and a day of them takes less room than its readings by far.
const EVERY_MS: u64 = 3_600_000;

/// When the engine was kept last.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    taken: Option<Instant>,
    gaps: u64,
}

impl Checkpoints {
    /// Keeps the engine if it is time, or if somebody says that it is.
    pub(crate) fn keep(&mut self, engine: &Engine, journal: &Journal, now: bool, time: Timestamp) {
        let (at, gaps) = (engine.now(), journal.gaps());
        let due = self
            .taken
            .is_none_or(|taken| at.since_ms(taken) >= EVERY_MS);
        // A journal that is behind takes none: it would be one more record that is missing.
        if (now || due || gaps != self.gaps) && journal.has_room() {
            journal.checkpoint(time, at, engine.checkpoint());
            self.taken = Some(at);
            self.gaps = gaps;
        }
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::event::{Event, Tick};
    use headroom_core::{Config, Instant};
    use headroom_store::{CheckpointMark, Retention};

    use super::*;

    #[tokio::test]
    async fn the_engine_is_kept_at_the_start_each_hour_and_when_it_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let start = Timestamp::now();
        let journal = Journal::open(directory.path(), "0.1.0", start, Retention::default()).await;
        let mut engine = Engine::new(Config::default(), Instant(0));
        let mut checkpoints = Checkpoints::default();
        for minute in 1..=150 {
            let (at, tick) = (Instant(minute * 60_000), Event::Tick(Tick {}));
            journal.event(start, at, tick.clone());
            engine.step(tick, at);
            checkpoints.keep(&engine, &journal, minute == 100, start);
        }
        let reader = journal.reader().await.unwrap();
        let marks = reader.checkpoints(journal.run()).await.unwrap();
        let after: Vec<_> = marks
            .iter()
            .map(|CheckpointMark { seq, .. }| *seq)
            .collect();
        assert_eq!(after, [1, 61, 100]);
    }

    #[tokio::test]
    async fn after_a_gap_the_engine_is_kept_as_soon_as_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        let start = Timestamp::now();
        let journal = Journal::open(directory.path(), "0.1.0", start, Retention::default()).await;
        let mut engine = Engine::new(Config::default(), Instant(0));
        let mut checkpoints = Checkpoints::default();
        // The writer has no turn until somebody waits: the queue fills.
        let mut tell = |ms| {
            let (at, tick) = (Instant(ms), Event::Tick(Tick {}));
            let seq = journal.event(start, at, tick.clone());
            engine.step(tick, at);
            checkpoints.keep(&engine, &journal, false, start);
            seq
        };
        let mut ms = 1;
        tell(ms);
        while journal.dropped() == 0 {
            ms += 1;
            tell(ms);
        }
        let (first, dropped) = (tell(ms + 1) - 1, journal.dropped());
        assert_eq!(dropped, 2, "the checkpoint itself is not dropped");
        journal.reader().await.unwrap();
        while !journal.has_room() {
            tokio::task::yield_now().await;
        }
        let after = tell(ms + 2);
        let reader = journal.reader().await.unwrap();
        let marks = reader.checkpoints(journal.run()).await.unwrap();
        let kept: Vec<_> = marks
            .iter()
            .map(|CheckpointMark { seq, .. }| *seq)
            .collect();
        assert_eq!(
            kept,
            [1, after],
            "input {first} was the first that is missing"
        );
    }
}
