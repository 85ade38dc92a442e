//! What the web needs of the rest of the program.

use std::sync::Arc;

use headroom_core::config::{Config, Meter};
use headroom_core::event::{Reading, UserCommand};
use headroom_core::validate::FieldError;
use headroom_store::{Alarm, Decision, Journal, StateDb};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};

use crate::health::Health;
use crate::identity::new_csrf_key;
use crate::status::Status;
use crate::throttle::Throttle;

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
    /// Host names under which the page may be asked for, besides addresses, `localhost` and `*.local`.
    pub host_names: Vec<String>,
    /// The source that the command line pins, as it may be shown; it is read instead of the stored one.
    pub pinned_meter: Option<String>,
    /// The version of the program.
    pub version: &'static str,
}

/// What the loop is told by people.
#[derive(Clone, Debug)]
pub enum ControlRequest {
    /// A new configuration. It is stored already.
    Configure(Box<Config>, Box<Meter>),
    /// A wish for a load.
    User(UserCommand),
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
}

/// A reading as listeners get it: the engine's own shape, with the time of day.
#[derive(Clone, Debug, Serialize)]
pub struct ReadingEvent {
    /// When it came.
    pub time: Timestamp,
    /// What the meter said.
    #[serde(flatten)]
    pub reading: Reading,
}

/// What the drivers know and the page asks. Must answer at once, from memory.
pub trait Devices: Send + Sync + std::fmt::Debug {
    /// Charge points that connected and are not adopted.
    fn unmatched(&self) -> Vec<Unmatched>;

    /// Ports of this machine at which a meter may be, each by its most stable name. Reads folders: short, but on the disk.
    fn meter_ports(&self) -> Vec<String>;

    /// What is wrong with a configuration of the meter, and what would be right; its fields begin with `meter.`.
    fn check_meter(&self, meter: &Meter) -> Vec<FieldError>;
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
            demo_csrf: new_csrf_key(),
        })
    }
}
