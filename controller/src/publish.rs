//! What the loop shows: the status, the events, whether it lives.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use headroom_chargers::{Devices, Grade, OperationOutcome};
use headroom_core::Snapshot;
use headroom_core::config::{Config, Driver, Meter};
use headroom_core::event::Event;
use headroom_core::validate::FieldError;
use headroom_meter_io::MeterStatus;
use headroom_store::{Alarm, Decision, Journal, StateDb};
use headroom_web::tls::Tls;
use headroom_web::{
    App, ChargerTest, ControlRequest, Discovered, Health, MeterInfo, MeterTraced, OcppTraced,
    Operation, ReadingEvent, ServerEvent, Status, StatusInputs, Unmatched, Upkeep,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::meter::MeterTrace;
use crate::notify::Notifier;

/// Events that a slow listener may be behind before it is dropped.
const EVENTS: usize = 256;
/// The watchdog of systemd is told of a completed step at most this often.
const WATCHDOG_EVERY: Duration = Duration::from_secs(1);
/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to do where no meter is set.
pub(crate) const NO_METER: &str =
    "No meter is set: name its source on the page, with PUT /meter or with --meter.";

/// One step of the engine, to be shown.
pub(crate) struct Shown<'a> {
    /// The clock of the program.
    pub(crate) clock: &'a Clock,
    /// The event that was taken.
    pub(crate) event: &'a Event,
    /// The engine after it.
    pub(crate) snapshot: &'a Snapshot,
    /// The configuration in force.
    pub(crate) config: &'a Config,
    /// What the meter's source does.
    pub(crate) meter: Option<&'a MeterStatus>,
    /// The alarms of now.
    pub(crate) alarms: &'a [Alarm],
    /// Those that began or ended.
    pub(crate) changed: Vec<Alarm>,
    /// The decision, if one was made.
    pub(crate) decision: Option<Arc<Decision>>,
    /// What is new of the test of a charger.
    pub(crate) test: Option<ChargerTest>,
}

/// Where the loop shows what it does. Nothing here waits.
pub(crate) struct Publisher {
    status: watch::Sender<Arc<Status>>,
    events: broadcast::Sender<ServerEvent>,
    health: Arc<Health>,
    demo: bool,
    watchdog: Option<tokio::time::Instant>,
}

impl Publisher {
    pub(crate) fn new(clock: &Clock, demo: bool) -> Self {
        let empty = headroom_core::Engine::new(Config::default(), clock.now()).snapshot();
        let status = status(
            &Shown {
                clock,
                event: &Event::Tick(headroom_core::event::Tick {}),
                snapshot: &empty,
                config: &Config::default(),
                meter: None,
                alarms: &[],
                changed: Vec::new(),
                decision: None,
                test: None,
            },
            demo,
        );
        Self {
            status: watch::Sender::new(Arc::new(status)),
            events: broadcast::Sender::new(EVENTS),
            health: Arc::default(),
            demo,
            watchdog: None,
        }
    }

    /// What the web works with.
    pub(crate) fn app(
        &self,
        state: &StateDb,
        journal: &Journal,
        control: mpsc::Sender<ControlRequest>,
        (devices, meter, ocpp): (Devices, MeterTrace, SocketAddr),
        notifier: Notifier,
        upkeep: Upkeep,
    ) -> App {
        let host_names: Vec<String> = host_name().into_iter().collect();
        let tls = Tls::open(&upkeep.directory, &host_names);
        App {
            state: state.clone(),
            journal: journal.clone(),
            status: self.status.subscribe(),
            events: self.events.clone(),
            control,
            devices: Arc::new(Drivers(devices, meter, ocpp)),
            health: Arc::clone(&self.health),
            open_demo: false,
            demo: None,
            tls,
            notifier: Arc::new(notifier),
            host_names,
            pinned_meter: None,
            pinned_password: None,
            version: VERSION,
            upkeep,
        }
    }

    /// Whether databases and listeners are up.
    pub(crate) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Shows a completed step.
    pub(crate) fn show(&mut self, shown: Shown<'_>) {
        self.status
            .send_replace(Arc::new(status(&shown, self.demo)));
        // The page shows the main fuse; what a circuit's own meter says is in the journal.
        if let Event::Reading(reading) = shown.event
            && reading.circuit.is_none()
        {
            let time = shown.clock.wall_at(shown.snapshot.at);
            let reading = ReadingEvent {
                time,
                reading: reading.clone(),
            };
            self.tell(ServerEvent::Reading(Arc::new(reading)));
        }
        if let Some(decision) = shown.decision {
            self.tell(ServerEvent::Decision(decision));
        }
        for alarm in shown.changed {
            self.tell(ServerEvent::Alarm(Arc::new(alarm)));
        }
        if let Some(test) = shown.test {
            self.tell(ServerEvent::Test(Arc::new(test)));
        }
        self.health.stepped();
        self.feed_watchdog();
    }

    fn tell(&self, event: ServerEvent) {
        // Without listeners there is nobody to tell.
        drop(self.events.send(event));
    }

    fn feed_watchdog(&mut self) {
        let now = tokio::time::Instant::now();
        if self
            .watchdog
            .is_none_or(|last| now - last >= WATCHDOG_EVERY)
        {
            self.watchdog = Some(now);
            // Only systemd asks for this; without it there is nothing to tell.
            drop(sd_notify::notify(&[sd_notify::NotifyState::Watchdog]));
        }
    }
}

/// The name of this computer, under which people on its network may ask for the page.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_lowercase()).filter(|name| !name.is_empty())
}

/// What is said of a meter that nobody has named.
fn no_meter() -> MeterInfo {
    MeterInfo {
        text: Some(NO_METER.to_owned()),
        ..MeterInfo::default()
    }
}

fn status(shown: &Shown<'_>, demo: bool) -> Status {
    let meter = shown.meter.map_or_else(no_meter, |meter| MeterInfo {
        protocol: meter.protocol.map(|protocol| protocol.to_string()),
        meter_id: meter.meter_id.clone(),
        model: meter.meter_model.clone(),
        source: Some(meter.source.clone()),
        serial: meter.serial.clone(),
        text: Some(meter.text.clone()),
        rejected: meter
            .rejected
            .iter()
            .map(|(reason, count)| ((*reason).to_owned(), *count))
            .collect(),
    });
    Status::new(&StatusInputs {
        snapshot: shown.snapshot,
        config: shown.config,
        mode: shown.config.site.mode,
        meter: &meter,
        alarms: shown.alarms,
        now: shown.snapshot.at,
        time_of: &|at| shown.clock.wall_at(at),
        version: VERSION,
        demo,
    })
}

fn grade_word(grade: Grade) -> &'static str {
    match grade {
        Grade::Unknown => "unknown",
        Grade::NotThere => "not_there",
        Grade::Claimed => "claimed",
        Grade::Proven => "proven",
    }
}

/// What the page asks of the drivers.
#[derive(Debug)]
struct Drivers(Devices, MeterTrace, SocketAddr);

impl headroom_web::Devices for Drivers {
    fn unmatched(&self) -> Vec<Unmatched> {
        self.0
            .unmatched()
            .into_iter()
            .map(|unmatched| Unmatched {
                charge_point_id: unmatched.charge_point_id,
                vendor: unmatched.vendor,
                model: unmatched.model,
                firmware: unmatched.firmware,
                since: unmatched.since,
                remote: unmatched.remote,
                connected: unmatched.connected,
            })
            .collect()
    }

    fn ocpp_listen(&self) -> Option<SocketAddr> {
        Some(self.2)
    }

    fn discovered(&self) -> (Vec<Discovered>, bool) {
        let (found, searching) = self.0.discovered();
        let found = found.into_iter().map(|found| Discovered {
            kind: found.kind.as_str(),
            name: found.name,
            host: found.host,
            host_name: found.host_name,
            driver: found.driver,
            source: found.source,
            already_configured: false,
        });
        (found.collect(), searching)
    }

    fn meter_ports(&self) -> Vec<String> {
        let ports = headroom_meter_io::serial_ports().into_iter();
        ports.map(|port| port.display().to_string()).collect()
    }

    fn check_meter(&self, meter: &Meter) -> Vec<FieldError> {
        crate::meter::check(meter)
    }

    fn check_profile(&self, driver: &Driver, charger: bool) -> Option<String> {
        headroom_chargers::profile_problem(driver, charger)
    }

    fn capabilities(&self, load: &str) -> Option<BTreeMap<&'static str, String>> {
        let what = self.0.capabilities(load)?;
        let grades = [
            ("limits", what.limits),
            ("lease", what.lease),
            ("composite_schedule", what.composite_schedule),
            ("triggers", what.triggers),
            ("phase_switching", what.phase_switching),
        ];
        let words = grades.map(|(name, grade)| (name, grade_word(grade).to_owned()));
        Some(words.into_iter().collect())
    }

    fn operate(&self, load: &str, operation: Operation) -> Option<oneshot::Receiver<&'static str>> {
        let operation = match operation {
            Operation::SetAvailability { operative } => {
                headroom_chargers::Operation::SetAvailability { operative }
            }
            Operation::Reset { hard } => headroom_chargers::Operation::Reset { hard },
            Operation::Start { id_tag } => headroom_chargers::Operation::RemoteStart { id_tag },
            Operation::Stop => headroom_chargers::Operation::RemoteStop,
        };
        let outcome = self.0.operate(load, operation)?;
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let word = match outcome.await {
                Ok(OperationOutcome::Accepted) => "accepted",
                Ok(OperationOutcome::Rejected) => "rejected",
                Ok(OperationOutcome::Timeout) | Err(_) => "timeout",
            };
            if answer.send(word).is_err() {
                tracing::debug!(word, "who asked for an operation is gone");
            }
        });
        Some(answered)
    }

    fn ocpp_trace(&self) -> Vec<OcppTraced> {
        let traced = self.0.ocpp_trace().into_iter();
        let traced = traced.map(|it| OcppTraced {
            charger: it.load,
            charge_point: it.charge_point_id,
            time: it.time,
            direction: it.direction.as_str(),
            message: it.message,
        });
        traced.collect()
    }

    fn meter_trace(&self) -> Vec<MeterTraced> {
        self.1.all()
    }
}
