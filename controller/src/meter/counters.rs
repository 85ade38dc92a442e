//! The frame counters of ciphered meters, over a restart: what was sent before it is refused behind it too.
//!
//! They rise with each telegram and are written seldom, for a memory card bears some 100 000 writings. Behind a clean stop
//! nothing can be repeated; behind a power cut the telegrams of the last minutes can, until the meter itself is heard.

use headroom_meter_io::{FrameCounters, Key};
use headroom_store::{StateDb, StoreError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Under this name they are kept.
const LEARNT_COUNTERS: &str = "meter_counters";
/// Between two writings.
const WRITE_EVERY: Duration = Duration::from_mins(5);
/// How long a stop waits for the disk.
const LAST_WRITING: Duration = Duration::from_secs(2);

/// The highest counters, and what is on the disk of them.
pub(super) struct CounterMemory {
    state: StateDb,
    /// Tells the key: a meter with a new one may begin to count anew.
    key: Option<String>,
    known: FrameCounters,
    /// What is on the disk, or on its way.
    written: String,
    since: Option<Instant>,
}

impl CounterMemory {
    /// What cannot be read is begun anew.
    pub(super) async fn load(state: &StateDb) -> Self {
        let written = state.learnt(LEARNT_COUNTERS).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the meter's frame counters are not known any more"
            );
            None
        });
        let written = written.unwrap_or_default();
        let (key, known) = written.split_once(' ').unwrap_or_default();
        Self {
            state: state.clone(),
            key: (!key.is_empty()).then(|| key.to_owned()),
            known: known.parse().unwrap_or_default(),
            written,
            since: None,
        }
    }

    /// What a source needs to know.
    pub(super) fn known(&self) -> &FrameCounters {
        &self.known
    }

    /// Forgets all if the meter has another key now, or none.
    pub(super) fn of_key(&mut self, key: Option<&Key>) {
        let key = key.map(|key| {
            let check = key.check_value().map(|byte| format!("{byte:02X}"));
            check.concat()
        });
        if self.key != key {
            self.key = key;
            self.known = FrameCounters::default();
            self.since = None;
        }
    }

    /// Takes note of what the source has heard.
    pub(super) fn heard(&mut self, counters: &FrameCounters) {
        if self.known != *counters {
            self.known.clone_from(counters);
        }
    }

    /// Writes what has changed, if the last writing is long enough ago. The loop does not wait for the disk.
    pub(super) fn write_now_and_then(&mut self, now: Instant) {
        if let Some(text) = self.due(now) {
            let state = self.state.clone();
            tokio::spawn(async move { tell(state.learn(LEARNT_COUNTERS, &text).await) });
        }
    }

    /// Writes what has changed, at a stop.
    pub(super) async fn write_last(&self) {
        let Some(text) = self.changed() else { return };
        let writing = self.state.learn(LEARNT_COUNTERS, &text);
        if let Ok(written) = timeout(LAST_WRITING, writing).await {
            tell(written);
        } else {
            tracing::warn!("the disk does not answer: the meter's frame counters are not kept");
        }
    }

    /// What is to be written, if it is not what was written last.
    fn changed(&self) -> Option<String> {
        let key = self.key.as_deref().unwrap_or_default();
        let text = if self.known.is_empty() {
            String::new()
        } else {
            format!("{key} {}", self.known)
        };
        (text != self.written).then_some(text)
    }

    /// The same, if the last writing is long enough ago.
    fn due(&mut self, now: Instant) -> Option<String> {
        let early = |since| now.saturating_duration_since(since) < WRITE_EVERY;
        if self.since.is_some_and(early) {
            return None;
        }
        let text = self.changed()?;
        self.written.clone_from(&text);
        self.since = Some(now);
        Some(text)
    }
}

fn tell(written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the meter's frame counters are not kept"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frame_counters_are_written_seldom_and_belong_to_a_key() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let mut memory = CounterMemory::load(&state).await;
        let key: Key = "000102030405060708090A0B0C0D0E0F".parse().unwrap();
        memory.of_key(Some(&key));
        let start = Instant::now();
        let mut written = Vec::new();
        for second in 0..=900_u32 {
            let counters = format!("48524D1020304050/{second}");
            memory.heard(&counters.parse().unwrap());
            written.extend(memory.due(start + Duration::from_secs(second.into())));
        }
        let counters =
            |count: u32| format!("{} 48524D1020304050/{count}", memory.key.clone().unwrap());
        assert_eq!(written, [0, 300, 600, 900].map(counters));
        assert_eq!(memory.changed(), None);

        state.learn(LEARNT_COUNTERS, &written[3]).await.unwrap();
        let mut again = CounterMemory::load(&state).await;
        again.of_key(Some(&key));
        assert_eq!(again.known.to_string(), "48524D1020304050/900");
        let mut other = CounterMemory::load(&state).await;
        other.of_key("FF0102030405060708090A0B0C0D0E0F".parse().ok().as_ref());
        assert!(other.known.is_empty());
        assert_eq!(other.changed().as_deref(), Some(""), "and it is not kept");
    }
}
