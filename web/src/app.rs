//! What the web needs of the rest of the program.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use headroom_core::config::{Config, Driver, Meter, Secret};
use headroom_core::event::{Reading, UserCommand};
use headroom_core::trial::StepKind;
use headroom_core::units::Milliamps;
use headroom_core::validate::FieldError;
use headroom_store::{Alarm, Decision, Journal, StateDb};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};

use crate::demo::Demo;
use crate::health::Health;
use crate::identity::new_csrf_key;
use crate::notify::Notifier;
use crate::plain::PAGE_IN_CLEAR;
use crate::serve::Secure;
use crate::status::Status;
use crate::throttle::Throttle;
use crate::tls::Tls;
use crate::trace::{MeterTraced, OcppTraced};
use crate::upkeep::Upkeep;

/// Listeners to `GET /events` at the same time.
const LISTENERS: usize = 256;
/// Passwords hashed at the same time: each takes 19 MiB.
const HASHERS: usize = 1;

/// Everything that [`crate::router`] works with.
#[derive(Clone, Debug)]
pub struct App {
    /// Configuration, users, sessions, tokens.
    pub state: StateDb,
    /// Decisions, readings, alarms.
    pub journal: Journal,
    /// The house as it is, published by the loop.
    pub status: watch::Receiver<Arc<Status>>,
    /// What happens, published by the loop.
    pub events: broadcast::Sender<ServerEvent>,
    /// What the loop is told.
    pub control: mpsc::Sender<ControlRequest>,
    /// What the drivers know.
    pub devices: Arc<dyn Devices>,
    /// Whether the loop lives and the program is ready.
    pub health: Arc<Health>,
    /// Everybody is logged in as installer. Only for the demo on a loopback address.
    pub open_demo: bool,
    /// The switches of the simulated house, in the demo.
    pub demo: Option<Arc<dyn Demo>>,
    /// TLS, on or off.
    pub tls: Arc<Tls>,
    /// Sends test messages.
    pub notifier: Arc<dyn Notifier>,
    /// Host names under which the page may be asked for, besides addresses, `localhost` and `*.local`.
    pub host_names: Vec<String>,
    /// The source that the command line pins, as it may be shown; it is read instead of the stored one.
    pub pinned_meter: Option<String>,
    /// The password that `***` stands for in it.
    pub pinned_password: Option<Secret>,
    /// The version of the program.
    pub version: &'static str,
    /// Where the data are, and how the program starts anew.
    pub upkeep: Upkeep,
}

/// What the loop is told by people.
#[derive(Debug)]
pub enum ControlRequest {
    /// A new configuration. It is stored already.
    Configure(Box<Config>, Box<Meter>),
    /// A wish for a load.
    User(UserCommand),
    /// The follow test of a charger, and the cut test.
    Test {
        /// Its id.
        charger: String,
        /// Whether the cut test follows.
        cut: bool,
        /// The test as it begins, or why it cannot.
        answer: oneshot::Sender<Result<ChargerTest, TestRefused>>,
    },
    /// The end of a running test.
    EndTest {
        /// The charger.
        charger: String,
        /// Whether there was one.
        answer: oneshot::Sender<bool>,
    },
}

/// Why a test of a charger cannot begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestRefused {
    /// Another one runs; in words.
    Running(String),
    /// It cannot be now.
    Impossible {
        /// What it is about: a field of the request, or `test`.
        field: &'static str,
        /// Why, in words that go on behind the field.
        why: String,
    },
}

/// A test of a charger as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChargerTest {
    /// The charger.
    pub charger: String,
    /// `running`, `passed`, `failed` or `aborted`.
    pub state: &'static str,
    /// Whether the cut test is part of it.
    pub cut: bool,
    /// When it began.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub started: Timestamp,
    /// When it ended.
    #[serde(serialize_with = "headroom_store::times::maybe")]
    pub ended: Option<Timestamp>,
    /// The step, from 1.
    pub step: usize,
    /// How many there are.
    pub of: usize,
    /// What the step is.
    pub kind: StepKind,
    /// What is waited for, or what was found, in a sentence.
    pub text: String,
    /// What is seen of it now.
    pub measured: Measured,
}

/// What is seen of a charger in its test, in amperes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// What it has by its last command.
    pub told_a: Option<Milliamps>,
    /// What it says it draws, per terminal.
    pub reported_a: Option<Vec<Option<Milliamps>>>,
    /// What the house meter measures, less the other loads, per line.
    pub lines_a: Vec<Option<Milliamps>>,
}

/// What listeners are told as it happens. The status goes another way ([`App::status`]).
#[derive(Clone, Debug)]
pub enum ServerEvent {
    /// A decision.
    Decision(Arc<Decision>),
    /// A reading of a meter.
    Reading(Arc<ReadingEvent>),
    /// An alarm that began or ended.
    Alarm(Arc<Alarm>),
    /// What a test of a charger does.
    Test(Arc<ChargerTest>),
}

/// A reading as listeners get it: the engine's own shape, with the time of day.
#[derive(Clone, Debug, Serialize)]
pub struct ReadingEvent {
    /// When it came.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub time: Timestamp,
    /// What the meter said.
    #[serde(flatten)]
    pub reading: Reading,
}

/// What may be asked of an OCPP charger besides limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To be in use, or out of it.
    SetAvailability {
        /// In use.
        operative: bool,
    },
    /// To start anew.
    Reset {
        /// At once, without ending a session first.
        hard: bool,
    },
    /// To begin a session.
    Start {
        /// For whom: 1 to 20 letters, digits and signs.
        id_tag: String,
    },
    /// To end the session.
    Stop,
}

impl Operation {
    /// What it is, without for whom: the tag of a person is a secret.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetAvailability { operative: true } => "in use",
            Self::SetAvailability { operative: false } => "out of use",
            Self::Reset { hard: true } => "hard reset",
            Self::Reset { hard: false } => "soft reset",
            Self::Start { .. } => "start",
            Self::Stop => "stop",
        }
    }
}

/// What the drivers know and the page asks. Must answer at once, from memory.
pub trait Devices: Send + Sync + std::fmt::Debug {
    /// Charge points that connected and are not adopted.
    fn unmatched(&self) -> Vec<Unmatched>;

    /// What has announced itself in the house's network, and whether it is being searched for more. Begins to search.
    fn discovered(&self) -> (Vec<Discovered>, bool);

    /// Ports of this machine at which a meter may be, each by its most stable name. Reads folders: short, but on the disk.
    fn meter_ports(&self) -> Vec<String>;

    /// What is wrong with a configuration of the meter, and what would be right; its fields begin with `meter.`.
    fn check_meter(&self, meter: &Meter) -> Vec<FieldError>;

    /// What is wrong with the profile that a driver names, and which there are; `None` if nothing is. `charger`: it is
    /// for a charger, else for a slow load.
    fn check_profile(&self, driver: &Driver, charger: bool) -> Option<String>;

    /// What a charger can do, as far as it has said or shown: words by their names, for diagnostics.
    fn capabilities(&self, load: &str) -> Option<BTreeMap<&'static str, String>> {
        // Nothing is known where nothing is asked.
        let _ = load;
        None
    }

    /// Asks something of an OCPP charger. What became of it comes later: `accepted`, `rejected` or `timeout`; nothing if the
    /// connection ends before. `None`: it is not connected, or is asked too much already.
    fn operate(&self, load: &str, operation: Operation) -> Option<oneshot::Receiver<&'static str>> {
        let _ = (load, operation);
        None
    }

    /// Where charge points connect to: address and port, as they are bound.
    fn ocpp_listen(&self) -> Option<SocketAddr> {
        None
    }

    /// The last messages of charge points and to them, oldest first, without secrets.
    fn ocpp_trace(&self) -> Vec<OcppTraced> {
        Vec::new()
    }

    /// The last telegrams of the meter, oldest first, without what tells whose it is.
    fn meter_trace(&self) -> Vec<MeterTraced> {
        Vec::new()
    }
}

/// Somewhere a meter may be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeterCandidate {
    /// As `PUT /meter` takes it.
    pub source: String,
    /// Whether it is read now.
    pub in_use: bool,
    /// What is heard there, in a sentence; only of the one that is read.
    pub text: Option<String>,
}

/// A device that announced itself in the house's network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Discovered {
    /// `charger`, `relay` or `meter`.
    pub kind: &'static str,
    /// Its name, as it says, cut and cleaned.
    pub name: String,
    /// Its address, maybe with a port.
    pub host: String,
    /// Its host name, if it has told one.
    pub host_name: Option<String>,
    /// The driver that fits it, as `POST /chargers` and `POST /slow-loads` take it; `null` for a meter.
    pub driver: Option<Driver>,
    /// The source that fits a meter, as `PUT /meter` takes it.
    pub source: Option<String>,
    /// Whether something that is configured is reached there.
    pub already_configured: bool,
}

/// A charge point that connected and is not adopted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unmatched {
    /// Its identity.
    pub charge_point_id: String,
    /// Who made it, as it says.
    pub vendor: Option<String>,
    /// What it is, as it says.
    pub model: Option<String>,
    /// Its firmware, as it says.
    pub firmware: Option<String>,
    /// When it first connected.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub since: Timestamp,
    /// The address it connected from.
    pub remote: Option<String>,
    /// Whether it is connected now.
    pub connected: bool,
}

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) throttle: Throttle,
    pub(crate) hashers: Semaphore,
    pub(crate) listeners: Arc<Semaphore>,
    /// Somebody came from another computer over plain HTTP with what proves who they are.
    pub(crate) page_in_clear: AtomicBool,
    /// For the demo, in which there is no session to make it from.
    pub(crate) demo_csrf: String,
}

pub(crate) type Shared = Arc<Inner>;

impl Inner {
    pub(crate) fn new(app: App) -> Shared {
        Arc::new(Self {
            app,
            throttle: Throttle::default(),
            hashers: Semaphore::new(HASHERS),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            page_in_clear: AtomicBool::new(false),
            demo_csrf: new_csrf_key(),
        })
    }

    /// Notes that a secret of the page came in clear if it did, and says so in the log the first time.
    pub(crate) fn note_clear(&self, extensions: &Extensions) {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let from_elsewhere = peer.is_some_and(|peer| !peer.0.ip().to_canonical().is_loopback());
        let in_clear = from_elsewhere && extensions.get::<Secure>().is_none();
        if in_clear && !self.page_in_clear.swap(true, Ordering::Relaxed) {
            tracing::warn!("{PAGE_IN_CLEAR}");
        }
    }
}
