//! The registry that the loop talks to.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use headroom_core::{
    config::{Charger, Driver, LeaseProof, OcppAuth, Secret, SlowLoad},
    event::Outcome,
    trial::Guard,
    units::Milliamps,
};
use headroom_ocpp::{
    Capabilities, Grade, LimitOutcome, LimitRequest, Operation, Settings, WRITES_PER_DAY,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tracing::warn;

use crate::{
    central::{
        self, Auth, KnownCharger, Limits, Mute, Refused, Roster, ServeError, TlsDoor, Traced,
        Unmatched,
    },
    discovery::{Discovery, Found},
    http,
    message::{DeviceCommand, DeviceEvent},
    modbus::{self, ModbusDevice},
    mqtt::{self, MqttDevice},
    polled::{Alone, Link, Order, Polled, PolledDevice, Shown, Told},
    shelly,
    wall::WallClock,
};

/// Terminals of a charger whose phases are not known.
const TERMINALS: usize = 3;

/// What can be set about the drivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSettings {
    /// How often devices that are asked are read back, where their profile does not say.
    pub poll_every: Duration,
    /// Time for one answer of a device that is asked.
    pub answer_within: Duration,
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
            answer_within: Duration::from_secs(3),
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
    polled: Arc<Mutex<HashMap<String, Running>>>,
    /// What devices that are asked have shown that they can do, before the start of the program, by [`place`].
    remembered: Arc<Mutex<BTreeMap<String, String>>>,
    discovery: Discovery,
}

/// A device that is asked and told, as it is configured.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    load: &'a str,
    driver: &'a Driver,
    /// Terminals of a charger; `None` is a slow load.
    terminals: Option<usize>,
    /// How many phases a charger surely has; 0 if that is not known.
    phases: u8,
    /// What is known of its falling back by the tests of it.
    lease: LeaseProof,
}

/// The task of such a device.
#[derive(Debug)]
struct Running {
    driver: Driver,
    terminals: Option<usize>,
    lease: LeaseProof,
    /// What its profile says that it can do, and what it has shown.
    shown: Shown,
    orders: watch::Sender<Option<Told>>,
    silence: watch::Sender<Alone>,
    task: JoinHandle<()>,
}

impl Running {
    fn is(&self, wanted: &Wanted<'_>) -> bool {
        self.driver == *wanted.driver && self.terminals == wanted.terminals
    }

    /// What it can do. That it falls back is proven by its cut test, or it has failed it.
    fn capabilities(&self) -> Capabilities {
        let shown = self.shown.get();
        let lease = match (shown.lease, self.lease) {
            (Grade::Claimed, LeaseProof::Proven) => Grade::Proven,
            (Grade::Claimed, LeaseProof::None) => Grade::NotThere,
            (lease, _) => lease,
        };
        Capabilities { lease, ..shown }
    }
}

impl Drop for Running {
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
            polled: Arc::default(),
            remembered: Arc::default(),
            discovery: Discovery::default(),
        }
    }

    /// The devices from now on. Differences take effect at once; what is not affected stays
    /// connected. Without `control` nothing is sent to chargers but answers; what is asked is only
    /// read, but for a lease from before that runs out.
    ///
    /// Must be called within a tokio runtime.
    pub fn configure(&self, chargers: &[Charger], slow_loads: &[SlowLoad], control: bool) {
        let known = chargers
            .iter()
            .filter_map(|charger| self.known_charger(charger, control));
        self.roster.configure(known.collect());
        let chargers = chargers.iter().filter_map(|charger| {
            Some(Wanted {
                load: &charger.id,
                driver: charger.driver.as_ref()?,
                terminals: Some(terminals(charger)),
                phases: phases(charger),
                lease: charger.lease,
            })
        });
        let slow_loads = slow_loads.iter().filter_map(|load| {
            Some(Wanted {
                load: &load.id,
                driver: load.driver.as_ref()?,
                terminals: None,
                phases: 0,
                lease: LeaseProof::Claimed,
            })
        });
        self.configure_polled(&chargers.chain(slow_loads).collect::<Vec<_>>());
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
        Some(KnownCharger {
            load: charger.id.clone(),
            charge_point_id: charge_point_id.clone(),
            auth,
            settings: Settings {
                adopted: true,
                control,
                connector: *connector,
                terminals: terminals(charger),
                safe_ma: unsigned(charger.safe_current_a),
                nominal_voltage_v: self.settings.nominal_voltage_v,
            },
        })
    }

    fn polled(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        // Every change under the lock is complete in itself.
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configure_polled(&self, wanted: &[Wanted<'_>]) {
        let mut polled = self.polled();
        polled.retain(|id, running| {
            wanted
                .iter()
                .any(|wanted| wanted.load == id && running.is(wanted))
        });
        for wanted in wanted {
            if let Some(running) = polled.get_mut(wanted.load) {
                running.lease = wanted.lease;
            }
            if !polled.contains_key(wanted.load)
                && let Some(running) = self.start_polled(wanted)
            {
                polled.insert(wanted.load.to_owned(), running);
            }
        }
    }

    /// Starts the task of a device that is asked and told; `None` for drivers of another kind, and
    /// for what cannot be reached as it is configured.
    fn start_polled(&self, wanted: &Wanted<'_>) -> Option<Running> {
        let within = self.settings.answer_within;
        let warn = |error: &dyn std::fmt::Display| {
            warn!(
                load = wanted.load,
                %error,
                "the device cannot be reached as it is configured"
            );
        };
        match wanted.driver {
            Driver::Ocpp { .. } => None,
            Driver::ShellyGen2 {
                host,
                channel,
                password,
                ..
            } => {
                let password = password.as_ref().map(|one| one.expose().to_owned());
                let client = shelly::Client::new(http_client()?, host, *channel, password, within)
                    .inspect_err(|error| warn(error))
                    .ok()?;
                Some(self.spawn(wanted, client))
            }
            Driver::Http {
                profile,
                host,
                params,
                password,
                ..
            } => {
                let password = password.as_ref().map(Secret::expose);
                let client = http_client()?;
                let device = http::device(client, profile, host, params, password, within)
                    .inspect_err(|error| warn(error))
                    .ok()?;
                Some(self.spawn(wanted, device))
            }
            Driver::Modbus {
                profile,
                address,
                unit,
            } => {
                let profile = modbus::profile(profile)
                    .filter(|profile| profile.is_charger() == wanted.terminals.is_some())
                    .or_else(|| no_profile(wanted.load, profile))?;
                let terminals = wanted.terminals.unwrap_or_default();
                let device = ModbusDevice::new(wanted.load, profile, address, *unit, terminals);
                Some(self.spawn(wanted, device))
            }
            Driver::Mqtt {
                profile,
                broker,
                topic,
            } => {
                let profile = mqtt::profile(profile)
                    .filter(|profile| profile.is_charger() == wanted.terminals.is_some())
                    .or_else(|| no_profile(wanted.load, profile))?;
                let device = MqttDevice::new(wanted.load, profile, broker, topic, wanted.terminals);
                Some(self.spawn(wanted, device))
            }
        }
    }

    fn spawn<D: PolledDevice>(&self, wanted: &Wanted<'_>, device: D) -> Running {
        let (orders, receiver) = watch::channel(None);
        let (silence, is_silent) = watch::channel(Alone::No);
        let claims = claims(&device, wanted.terminals.is_some());
        let sure = device.falls_by_itself().is_some();
        let shown = Shown::new(self.recall(wanted, claims, sure));
        shown.set_guard(device.guard());
        let link = Link {
            load: wanted.load.to_owned(),
            terminals: wanted.terminals,
            phases: wanted.phases,
            orders: receiver,
            silence: is_silent,
            shown: shown.clone(),
            events: self.events.clone(),
            wall: self.wall.clone(),
            poll_every: self.settings.poll_every,
        };
        Running {
            driver: wanted.driver.clone(),
            terminals: wanted.terminals,
            lease: wanted.lease,
            shown,
            orders,
            silence,
            task: tokio::spawn(Polled::new(device, link).run()),
        }
    }

    /// What it can do by its profile, and what it had shown before the start of the program. `sure`: its profile alone says
    /// whether it falls back.
    fn recall(&self, wanted: &Wanted<'_>, claims: Capabilities, sure: bool) -> Capabilities {
        let remembered = self.remembered.lock();
        let remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        let known = place(wanted.driver).and_then(|place| remembered.get(&place));
        let known: Capabilities = known
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        // One that refused a fail-safe has none until it takes one.
        let lease = match known.lease {
            Grade::NotThere if !sure => Grade::NotThere,
            _ => claims.lease,
        };
        Capabilities {
            lease,
            limits: claims.limits.max(known.limits),
            phase_switching: claims.phase_switching.max(known.phase_switching),
            ..claims
        }
    }

    /// Leaves one device alone that is asked and told, or none: nothing is written to it, renewed or corrected until another
    /// one is named. With it: whether it is not even asked, where a question would keep it awake. To be called after each step of a
    /// test. An OCPP charge point is left alone by sending it nothing.
    pub fn leave_alone(&self, load: Option<(&str, bool)>) {
        for (id, running) in self.polled().iter() {
            let wanted = match load {
                Some((load, true)) if load == id => Alone::Unasked,
                Some((load, false)) if load == id => Alone::Untold,
                _ => Alone::No,
            };
            running.silence.send_if_modified(|silent| {
                let changed = *silent != wanted;
                *silent = wanted;
                changed
            });
        }
    }

    fn order(&self, load: &str, command: u64, order: Order) -> bool {
        self.polled()
            .get(load)
            .is_some_and(|running| running.orders.send(Some(Told { command, order })).is_ok())
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
                let order = Order::Limit {
                    limit,
                    phases,
                    lease_s,
                    safe,
                };
                self.roster.send(&load, request) || self.order(&load, command, order)
            }
            DeviceCommand::Switch {
                command,
                load,
                on,
                lease_s,
                ..
            } => self.order(&load, command, Order::Switch { on, lease_s }),
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

    /// Serves the OCPP central system on a listener until the future is dropped, with TLS for those who want it while `tls` gives
    /// what it takes. Connections that are up live on; [`Devices::disconnect_all`] ends them.
    ///
    /// # Errors
    /// If the listener is no good.
    pub async fn serve(
        &self,
        listener: TcpListener,
        tls: TlsDoor,
    ) -> Result<Infallible, ServeError> {
        central::serve(listener, self.ocpp_router(), tls).await
    }

    /// Charge points that connected and are not adopted, at most 50.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        self.roster.unmatched()
    }

    /// What has announced itself in the house's network, at most 64, and whether it is being searched for more.
    /// Begins to search, for some minutes. Must be called within a tokio runtime.
    pub fn discovered(&self) -> (Vec<Found>, bool) {
        self.discovery.look()
    }

    /// What a device can do: of an OCPP charger as far as it has said or shown, of any other one as its profile says and as it has
    /// shown. `None` where there is no driver.
    pub fn capabilities(&self, load: &str) -> Option<Capabilities> {
        let polled = || self.polled().get(load).map(Running::capabilities);
        self.roster.capabilities(load).or_else(polled)
    }

    /// What is known of how a device falls back, for a test of it.
    pub fn guard(&self, load: &str) -> Guard {
        let guard = self.polled().get(load).map(|it| it.shown.guard());
        guard.unwrap_or_default()
    }

    /// Whether a device is known to keep what it was told when this program is gone.
    pub fn keeps_its_last_limit(&self, load: &str) -> bool {
        let polled = self.polled();
        polled
            .get(load)
            .is_some_and(|running| running.shown.get().lease == Grade::NotThere)
    }

    /// Asks something else than a limit of an OCPP charger; what became of it comes when the charge point answers, and nothing comes when
    /// the connection ends before. `None` if it is not connected, or is asked too much already.
    pub fn operate(
        &self,
        load: &str,
        operation: Operation,
    ) -> Option<oneshot::Receiver<LimitOutcome>> {
        self.roster.operate(load, operation)
    }

    /// What was learnt of charge points before the start of the program, as [`Devices::learnt`] gave it. To be called before
    /// the first configuration; what cannot be read is learnt anew.
    pub fn remember(&self, learnt: BTreeMap<String, String>) {
        let remembered = self.remembered.lock();
        *remembered.unwrap_or_else(PoisonError::into_inner) = learnt.clone();
        self.roster.remember(learnt);
    }

    /// What is worth keeping of each charger over a restart: what it can do, and which forms of a profile it takes.
    pub fn learnt(&self) -> BTreeMap<String, String> {
        let mut learnt = self.roster.learnt();
        let polled = self.polled();
        let chargers = polled.values().filter(|it| it.terminals.is_some());
        learnt.extend(chargers.filter_map(|running| {
            let text = serde_json::to_string(&running.shown.get()).ok()?;
            Some((place(&running.driver)?, text))
        }));
        learnt
    }

    /// Chargers whose charge points were refused for their password within the last quarter of an
    /// hour and have not got in since; at most one for each charger.
    pub fn refused(&self) -> Vec<Refused> {
        self.roster.refused()
    }

    /// Chargers whose charge points are connected, answer no limit and say nothing; at most one for each charger.
    pub fn mute(&self) -> Vec<Mute> {
        self.roster.mute()
    }

    /// The last messages of charge points and to them, oldest first, without secrets: for people who look for what is wrong.
    pub fn ocpp_trace(&self) -> Vec<Traced> {
        self.roster.traced()
    }

    /// Ends every charge point's connection, as at the end of the program. Their limits run out by
    /// themselves.
    pub fn disconnect_all(&self) {
        self.roster.close_all();
    }
}

/// Where a device is, whatever it is called: what it has shown is kept under it. The names of charge points have no spaces.
fn place(driver: &Driver) -> Option<String> {
    match driver {
        Driver::Ocpp { .. } => None,
        Driver::ShellyGen2 { host, channel, .. } => Some(format!("shelly_gen2 {host} {channel}")),
        Driver::Http { profile, host, .. } => Some(format!("http {profile} {host}")),
        Driver::Modbus {
            profile,
            address,
            unit,
        } => Some(format!("modbus {profile} {address} {unit}")),
        Driver::Mqtt {
            profile,
            broker,
            topic,
        } => Some(format!("mqtt {profile} {broker} {topic}")),
    }
}

/// What a device can do by its profile: what it was never told it may refuse yet.
fn claims(device: &impl PolledDevice, charger: bool) -> Capabilities {
    let grade = |can: bool| if can { Grade::Claimed } else { Grade::NotThere };
    Capabilities {
        limits: grade(charger),
        lease: grade(device.falls_by_itself() != Some(false)),
        phase_switching: if device.switches_phases() {
            Grade::Claimed
        } else {
            Grade::Unknown
        },
        ..Capabilities::default()
    }
}

/// Milliamperes as OCPP has them; below nothing is nothing.
fn unsigned(current: Milliamps) -> u32 {
    u32::try_from(current.0.max(0)).unwrap_or(u32::MAX)
}

fn terminals(charger: &Charger) -> usize {
    charger
        .phases
        .as_ref()
        .map_or(TERMINALS, |phases| phases.len().clamp(1, TERMINALS))
}

/// How many phases a charger uses without being switched. With fewer than three terminals it depends on the grid.
fn phases(charger: &Charger) -> u8 {
    match &charger.phases {
        Some(phases) if phases.len() == TERMINALS => 3,
        _ => 0,
    }
}

/// Says that there is no such profile for such a device.
fn no_profile<T>(load: &str, profile: &str) -> Option<T> {
    warn!(load, profile, "there is no such profile for such a device");
    None
}

/// A client for one device.
fn http_client() -> Option<reqwest::Client> {
    http::http_client()
        .inspect_err(|error| warn!(%error, "no HTTP client; devices cannot be reached"))
        .ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn one_that_refused_a_fail_safe_has_none_after_a_restart_either() {
        let (events, _heard) = mpsc::channel(8);
        let wall = WallClock::system();
        let devices = Devices::start(DeviceSettings::default(), wall, events);
        let keba = |id: &str, unit: u8| -> Charger {
            let driver = json!({"kind": "modbus", "profile": "keba", "address": "127.0.0.1:9", "unit": unit});
            serde_json::from_value(json!({"id": id, "driver": driver})).unwrap()
        };
        let learnt = BTreeMap::from([(
            "modbus keba 127.0.0.1:9 1".to_owned(),
            r#"{"lease": "NotThere"}"#.to_owned(),
        )]);
        devices.remember(learnt);
        devices.configure(&[keba("ev1", 1), keba("ev2", 2)], &[], true);
        assert!(devices.keeps_its_last_limit("ev1"));
        assert!(!devices.keeps_its_last_limit("ev2"));
        assert!(devices.guard("ev2").unasked);
        assert_eq!(devices.guard("ev9"), Guard::default());
    }
}
