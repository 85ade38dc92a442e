//! Devices under test, with their events.

use std::{net::SocketAddr, time::Duration};

use headroom_chargers::{DeviceCommand, DeviceEvent, DeviceSettings, Devices, TlsDoor, WallClock};
use headroom_core::{
    config::{Charger, SlowLoad},
    event::{ChargerReport, Outcome, SlowLoadReport},
    units::Milliamps,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

/// Longest wait for something that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    pub(crate) devices: Devices,
    pub(crate) ocpp: SocketAddr,
    events: mpsc::Receiver<DeviceEvent>,
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::start_with(Box::new(|| None)).await
    }

    /// With TLS, if the door is open.
    pub(crate) async fn start_with(tls: TlsDoor) -> Self {
        let (sender, events) = mpsc::channel(1_000);
        let settings = DeviceSettings {
            poll_every: Duration::from_millis(50),
            answer_within: Duration::from_millis(500),
            ..Default::default()
        };
        let devices = Devices::start(settings, WallClock::system(), sender);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ocpp = listener.local_addr().unwrap();
        let server = devices.clone();
        tokio::spawn(async move { server.serve(listener, tls).await });
        Self {
            devices,
            ocpp,
            events,
        }
    }

    pub(crate) async fn with_chargers(chargers: &[Charger]) -> Self {
        let house = Self::start().await;
        house.devices.configure(chargers, &[], true);
        house
    }

    pub(crate) async fn event(&mut self) -> DeviceEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event in time")
            .unwrap()
    }

    /// The next outcome.
    pub(crate) async fn outcome(&mut self) -> (u64, Outcome) {
        loop {
            if let DeviceEvent::Outcome {
                command,
                outcome,
                sent_at,
                acknowledged_at,
            } = self.event().await
            {
                assert!(acknowledged_at.is_none_or(|at| at >= sent_at));
                return (command, outcome);
            }
        }
    }

    /// The next charger report that fits.
    pub(crate) async fn charger(&mut self, fits: impl Fn(&ChargerReport) -> bool) -> ChargerReport {
        loop {
            match self.event().await {
                DeviceEvent::Charger(report) if fits(&report) => return report,
                _ => {}
            }
        }
    }

    /// The next slow load report that fits.
    pub(crate) async fn slow_load(
        &mut self,
        fits: impl Fn(&SlowLoadReport) -> bool,
    ) -> SlowLoadReport {
        loop {
            match self.event().await {
                DeviceEvent::SlowLoad(report) if fits(&report) => return report,
                _ => {}
            }
        }
    }

    /// What has come so far, without waiting.
    pub(crate) fn so_far(&mut self) -> Vec<DeviceEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    pub(crate) fn limit(&self, command: u64, load: &str, ampere: i64) {
        self.devices.send(DeviceCommand::SetLimit {
            command,
            load: load.to_owned(),
            limit: Milliamps::from_amps(ampere),
            phases: 3,
            lease_s: 120,
            safe: Milliamps::from_amps(6),
            renewal: false,
        });
    }

    pub(crate) fn switch(&self, command: u64, load: &str, on: bool) {
        self.devices.send(DeviceCommand::Switch {
            command,
            load: load.to_owned(),
            on,
            lease_s: 90,
            renewal: false,
        });
    }
}

/// A charger with a password, or without authentication.
pub(crate) fn charger(id: &str, charge_point_id: &str, password: Option<&str>) -> Charger {
    let driver = match password {
        Some(password) => json!({"kind": "ocpp", "charge_point_id": charge_point_id,
            "auth": "basic", "password": password}),
        None => json!({"kind": "ocpp", "charge_point_id": charge_point_id, "auth": "none"}),
    };
    parse(json!({"id": id, "name": id, "driver": driver, "safe_current_a": 6}))
}

pub(crate) fn slow_load(id: &str, host: &str, password: Option<&str>) -> SlowLoad {
    let mut driver = json!({"kind": "shelly_gen2", "host": host, "channel": 0});
    if let Some(password) = password {
        driver["password"] = json!(password);
    }
    parse(json!({"id": id, "name": id, "driver": driver, "rated_w": 2000}))
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}
