//! What charge points can do and which profiles they take, over a restart: it is not searched for again, and what was
//! proven stays so.

use std::time::Duration;

use headroom_chargers::Devices;
use headroom_store::StateDb;
use tokio::{sync::watch, time::interval};

/// Under this name it is kept.
const LEARNT_CHARGERS: &str = "chargers";
/// How often it is looked at; written is only what has changed, which is seldom.
const LOOK_EVERY: Duration = Duration::from_mins(5);

/// What is on the disk of it.
pub(crate) struct ChargerMemory {
    state: StateDb,
    devices: Devices,
    written: String,
}

impl ChargerMemory {
    /// Gives the devices, which are not configured yet, what was learnt before. What cannot be read is learnt anew.
    pub(crate) async fn restore(state: &StateDb, devices: &Devices) -> Self {
        let written = state.learnt(LEARNT_CHARGERS).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was learnt of the chargers is not known any more");
            None
        });
        let written = written.unwrap_or_default();
        if !written.is_empty() {
            match serde_json::from_str(&written) {
                Ok(learnt) => devices.remember(learnt),
                Err(error) => {
                    tracing::warn!(%error, "what was learnt of the chargers cannot be read; it is learnt anew");
                }
            }
        }
        Self {
            state: state.clone(),
            devices: devices.clone(),
            written,
        }
    }

    /// Keeps what changes until the end, and at the end.
    pub(crate) async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        let mut look = interval(LOOK_EVERY);
        look.reset();
        loop {
            let stopped = tokio::select! {
                _ = stop.changed() => true,
                _ = look.tick() => false,
            };
            self.write().await;
            if stopped {
                return;
            }
        }
    }

    async fn write(&mut self) {
        let learnt = self.devices.learnt();
        let Ok(text) = serde_json::to_string(&learnt) else {
            return;
        };
        if learnt.is_empty() || text == self.written {
            return;
        }
        match self.state.learn(LEARNT_CHARGERS, &text).await {
            Ok(()) => self.written = text,
            Err(error) => {
                tracing::warn!(%error, "what was learnt of the chargers is not kept");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use headroom_chargers::{DeviceSettings, WallClock};
    use headroom_core::config::Charger;
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;

    fn devices() -> Devices {
        let (events, _) = mpsc::channel(1);
        let wall = WallClock::new(jiff::Timestamp::now);
        Devices::start(DeviceSettings::default(), wall, events)
    }

    fn configure(devices: &Devices) {
        let charger = json!({"id": "ev1", "name": "ev1", "max_current_a": 16,
            "driver": {"kind": "ocpp", "charge_point_id": "CP-1", "auth": "none"}});
        let charger: Charger = serde_json::from_value(charger).unwrap();
        devices.configure(&[charger], &[], true);
    }

    fn lease(devices: &Devices) -> String {
        format!("{:?}", devices.capabilities("ev1").unwrap().lease)
    }

    #[tokio::test]
    async fn what_was_proven_outlives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDb::open(directory.path()).await.unwrap();
        let proven = json!({"v16": {"capabilities": {"lease": "Proven"}}}).to_string();
        let kept = json!({"CP-1/1": proven}).to_string();
        state.learn(LEARNT_CHARGERS, &kept).await.unwrap();

        for _ in 0..2 {
            let devices = devices();
            let memory = ChargerMemory::restore(&state, &devices).await;
            configure(&devices);
            assert_eq!(lease(&devices), "Proven");
            let (stop, stopped) = watch::channel(false);
            stop.send_replace(true);
            // It stops at once, and writes what the next process begins with.
            memory.keep(stopped).await;
        }

        state.learn(LEARNT_CHARGERS, "{not json").await.unwrap();
        let devices = devices();
        drop(ChargerMemory::restore(&state, &devices).await);
        configure(&devices);
        assert_eq!(lease(&devices), "Unknown");
    }
}
