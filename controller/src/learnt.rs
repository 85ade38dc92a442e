//! What the engine has learnt of the house, over a restart: a new process promises no less than the one before.

use std::time::Duration;

use headroom_core::{Engine, Learnt};
use headroom_store::{StateDb, StoreError};
use tokio::time::{Instant, timeout};

/// Under this name it is kept.
pub(crate) const LEARNT_HOUSE: &str = "house";
/// Between two writings: a memory card bears some 100 000 of them.
const WRITE_EVERY: Duration = Duration::from_mins(15);
/// How long a stop waits for the disk.
const LAST_WRITING: Duration = Duration::from_secs(2);

/// What was learnt, and what is on the disk of it.
pub(crate) struct EngineMemory {
    state: StateDb,
    kept: Learnt,
    written: String,
    since: Option<Instant>,
}

impl EngineMemory {
    /// What cannot be read is learnt anew.
    pub(crate) async fn load(state: &StateDb) -> Self {
        let written = state.learnt(LEARNT_HOUSE).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what was learnt of the house is not known any more"
            );
            None
        });
        let written = written.unwrap_or_default();
        let kept = if written.is_empty() {
            Learnt::default()
        } else {
            serde_json::from_str(&written).unwrap_or_else(|error| {
                tracing::warn!(%error, "what was learnt of the house cannot be read; it is learnt anew");
                Learnt::default()
            })
        };
        Self {
            state: state.clone(),
            kept,
            written,
            since: None,
        }
    }

    /// Gives the engine, which is configured, what the process before has learnt.
    pub(crate) fn restore(&self, engine: &mut Engine) {
        engine.restore(&self.kept);
    }

    /// Writes what has changed, if the last writing is long enough ago. The loop does not wait for the disk.
    pub(crate) fn write_now_and_then(&mut self, engine: &Engine, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) < WRITE_EVERY {
            return;
        }
        self.since = Some(now);
        if let Some(text) = self.changed(engine) {
            self.written.clone_from(&text);
            let state = self.state.clone();
            tokio::spawn(async move { tell(state.learn(LEARNT_HOUSE, &text).await) });
        }
    }

    /// Writes what has changed, at a stop.
    pub(crate) async fn write_last(&self, engine: &Engine) {
        let Some(text) = self.changed(engine) else {
            return;
        };
        let writing = self.state.learn(LEARNT_HOUSE, &text);
        if let Ok(written) = timeout(LAST_WRITING, writing).await {
            tell(written);
        } else {
            tracing::warn!("the disk does not answer: what was learnt of the house is not kept");
        }
    }

    fn changed(&self, engine: &Engine) -> Option<String> {
        let text = serde_json::to_string(&engine.learnt()).ok()?;
        (text != self.written).then_some(text)
    }
}

fn tell(written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what was learnt of the house is not kept"
        );
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::Config;
    use headroom_core::event::Event;
    use headroom_core::units::Instant as Time;
    use serde_json::json;

    use super::*;

    fn engine() -> Engine {
        let site = json!({"site": {"main_fuse": {"rating_a": 25}, "mode": "control"}});
        let config: Config = serde_json::from_value(site).unwrap();
        Engine::new(config, Time(0))
    }

    fn read(engine: &mut Engine, s: u64, amps: f64) {
        let line = json!({"current_a": amps, "voltage_v": 230.1});
        let reading = json!({"type": "reading", "phases": [line, line, line]});
        let event: Event = serde_json::from_value(reading).unwrap();
        engine.step(event, Time(s * 1000));
    }

    #[tokio::test]
    async fn what_was_learnt_outlives_a_restart_and_is_written_seldom() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let mut memory = EngineMemory::load(&state).await;
        let mut before = engine();
        memory.restore(&mut before);
        let begin = Instant::now();
        for s in 1..=20 {
            read(&mut before, s, if s < 10 { 2.0 } else { 15.5 });
            memory.write_now_and_then(&before, begin + Duration::from_secs(s));
        }
        assert_eq!(memory.written, "", "not each second");
        memory.write_last(&before).await;

        let memory = EngineMemory::load(&state).await;
        let mut after = engine();
        memory.restore(&mut after);
        assert_eq!(after.learnt(), before.learnt());
        let kept = after.learnt().circuits["main"];
        let step = headroom_core::Milliamps(13_500);
        assert_eq!(kept.largest_step_a, [step; 3], "13.5 A");
        // It grows only.
        read(&mut after, 1, 1.0);
        assert_eq!(after.learnt().circuits["main"], kept);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_learnt_anew() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        state.learn(LEARNT_HOUSE, "{not json").await.unwrap();
        let memory = EngineMemory::load(&state).await;
        assert_eq!(memory.kept, Learnt::default());
    }
}
