//! The registry that the loop talks to.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use headroom_core::{
    config::{Charger, Driver, OcppAuth, SlowLoad},
    event::Outcome,
    units::Milliamps,
};
use headroom_ocpp::{Capabilities, LimitRequest, Settings, WRITES_PER_DAY};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::warn;

use crate::{
    central::{self, Auth, KnownCharger, Limits, Refused, Roster, ServeError, Unmatched},
    message::{DeviceCommand, DeviceEvent},
    shelly::{self, Client, Relay, SwitchRequest},
    wall::WallClock,
};

/// Terminals of a charger whose phases are not known.
const TERMINALS: usize = 3;

/// What can be set about the drivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSettings {
    /// How often relays are read back.
    pub poll_every: Duration,
    /// Time for one answer of a relay.
    pub relay_timeout: Duration,
    /// Nominal voltage in volts, for chargers that take limits in watts only.
    pub nominal_voltage_v: u32,
    /// How many charging profiles a charge point may be sent in a day, for its memory's sake.
    /// Reductions are sent all the same.
    pub writes_per_day: u32,
}

impl Default for DeviceSettings {
    fn default() -> Self {
        Self {
            poll_every: Duration::from_secs(5),
            relay_timeout: Duration::from_secs(3),
            nominal_voltage_v: 230,
            writes_per_day: WRITES_PER_DAY,
        }
    }
}

/// All devices of the house. Cheap to clone; the clones are one registry.
#[derive(Clone, Debug)]
pub struct Devices {
    settings: DeviceSettings,
    wall: WallClock,
    events: mpsc::Sender<DeviceEvent>,
    roster: Roster,
    relays: Arc<Mutex<HashMap<String, RunningRelay>>>,
}

#[derive(Debug)]
struct RunningRelay {
    driver: Driver,
    requests: watch::Sender<Option<SwitchRequest>>,
    task: JoinHandle<()>,
}

impl Drop for RunningRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Devices {
    /// A registry without devices. `wall` is what charge points are told as the time; `events` is
    /// where news go, and a full channel holds up the device that wants to tell, nobody else.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(
        settings: DeviceSettings,
        wall: WallClock,
        events: mpsc::Sender<DeviceEvent>,
    ) -> Self {
        Self {
            settings,
            wall,
            events,
            roster: Roster::new(),
            relays: Arc::new(Mutex::new(HashMap::new())),
        }
    }

    /// The devices from now on. Differences take effect at once; what is not affected stays
    /// connected. Without `control` nothing is sent to chargers but answers, and relays are only
    /// read. A device with a driver of another kind is left alone.
    ///
    /// Must be called within a tokio runtime.
    pub fn configure(&self, chargers: &[Charger], slow_loads: &[SlowLoad], control: bool) {
        let known = chargers
            .iter()
            .filter_map(|charger| self.known_charger(charger, control));
        self.roster.configure(known.collect());
        self.configure_relays(slow_loads);
    }

    fn known_charger(&self, charger: &Charger, control: bool) -> Option<KnownCharger> {
        let Some(Driver::Ocpp {
            charge_point_id,
            connector,
            auth,
            password,
            ..
        }) = &charger.driver
        else {
            return None;
        };
        let auth = match auth {
            OcppAuth::Basic => Auth::Basic(password.as_ref().map(|p| p.expose().to_owned())),
            OcppAuth::None => Auth::None,
        };
        let terminals = charger
            .phases
            .as_ref()
            .map_or(TERMINALS, |phases| phases.len().clamp(1, TERMINALS));
        Some(KnownCharger {
            load: charger.id.clone(),
            charge_point_id: charge_point_id.clone(),
            auth,
            settings: Settings {
                adopted: true,
                control,
                connector: *connector,
                terminals,
                safe_ma: unsigned(charger.safe_current_a),
                nominal_voltage_v: self.settings.nominal_voltage_v,
            },
        })
    }

    fn relays(&self) -> MutexGuard<'_, HashMap<String, RunningRelay>> {
        // Every change under the lock is complete in itself.
        self.relays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configure_relays(&self, slow_loads: &[SlowLoad]) {
        let mut relays = self.relays();
        relays.retain(|id, running| {
            slow_loads
                .iter()
                .any(|load| load.id == *id && load.driver.as_ref() == Some(&running.driver))
        });
        for load in slow_loads {
            if !relays.contains_key(&load.id)
                && let Some(running) = self.start_relay(load)
            {
                relays.insert(load.id.clone(), running);
            }
        }
    }

    fn start_relay(&self, load: &SlowLoad) -> Option<RunningRelay> {
        let driver = load.driver.clone()?;
        let Driver::ShellyGen2 {
            host,
            channel,
            password,
            ..
        } = &driver
        else {
            return None;
        };
        let password = password
            .as_ref()
            .map(|password| password.expose().to_owned());
        let http = shelly::http_client()
            .inspect_err(|error| warn!(%error, "no HTTP client; relays cannot be reached"))
            .ok()?;
        let client = Client::new(http, host, *channel, password, self.settings.relay_timeout)
            .inspect_err(|error| warn!(load = load.id, %error, "the relay cannot be reached"))
            .ok()?;
        let (requests, receiver) = watch::channel(None);
        let relay = Relay {
            load: load.id.clone(),
            client,
            requests: receiver,
            events: self.events.clone(),
            wall: self.wall.clone(),
            poll_every: self.settings.poll_every,
        };
        Some(RunningRelay {
            driver,
            requests,
            task: tokio::spawn(relay.run()),
        })
    }

    /// Hands a command to its device and returns at once. A newer command replaces one that was
    /// not sent yet. For a device that is not connected or not known the outcome is a time-out.
    pub fn send(&self, command: DeviceCommand) {
        let number = command.command();
        let sent = match command {
            DeviceCommand::SetLimit {
                command,
                load,
                limit,
                phases,
                lease_s,
                safe,
                ..
            } => {
                let request = LimitRequest {
                    command,
                    limit_ma: unsigned(limit),
                    phases,
                    lease_s,
                    safe_ma: unsigned(safe),
                };
                self.roster.send(&load, request)
            }
            DeviceCommand::Switch {
                command,
                load,
                on,
                lease_s,
                ..
            } => {
                let request = SwitchRequest {
                    command,
                    on,
                    lease_s,
                };
                let relays = self.relays();
                relays
                    .get(&load)
                    .is_some_and(|relay| relay.requests.send(Some(request)).is_ok())
            }
        };
        if !sent {
            let event = DeviceEvent::Outcome {
                command: number,
                outcome: Outcome::Timeout,
                sent_at: self.wall.now(),
                acknowledged_at: None,
            };
            if self.events.try_send(event).is_err() {
                warn!(
                    command = number,
                    "the queue of events is full; an outcome is lost"
                );
            }
        }
    }

    /// The OCPP central system as a router: every path is a charge point's.
    pub fn ocpp_router(&self) -> Router {
        let limits = Limits {
            writes_per_day: self.settings.writes_per_day,
            ..Limits::default()
        };
        central::router(
            self.roster.clone(),
            self.wall.clone(),
            self.events.clone(),
            limits,
        )
    }

    /// Serves the OCPP central system on a listener until the future is dropped. Connections that
    /// are up live on; [`Devices::disconnect_all`] ends them.
    ///
    /// # Errors
    /// If the listener is no good.
    pub async fn serve(&self, listener: TcpListener) -> Result<Infallible, ServeError> {
        central::serve(listener, self.ocpp_router()).await
    }

    /// Charge points that connected and are not adopted, at most 50.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        self.roster.unmatched()
    }

    /// What an OCPP charger can do, as far as it has said or shown since the start of the program;
    /// `None` for any other device.
    pub fn capabilities(&self, load: &str) -> Option<Capabilities> {
        self.roster.capabilities(load)
    }

    /// Chargers whose charge points were refused for their password within the last quarter of an
    /// hour and have not got in since; at most one for each charger.
    pub fn refused(&self) -> Vec<Refused> {
        self.roster.refused()
    }

    /// Ends every charge point's connection, as at the end of the program. Their limits run out by
    /// themselves.
    pub fn disconnect_all(&self) {
        self.roster.close_all();
    }
}

/// Milliamperes as OCPP has them; below nothing is nothing.
fn unsigned(current: Milliamps) -> u32 {
    u32::try_from(current.0.max(0)).unwrap_or(u32::MAX)
}
