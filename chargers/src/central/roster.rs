//! Who may connect, who is connected, and how a command finds its connection.
//!
//! The lock is held for look-ups only, never across a wait. A connection has a number; what a late
//! end of an old connection cleans up is its own entry or nothing.

mod entry;
mod unmatched;

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, StatusCode};
use headroom_ocpp::{
    Capabilities, Identity, Learnt, LimitOutcome, LimitRequest, Operation, Settings, Version,
};
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot, watch};
use tracing::info;

use self::unmatched::{MAX_UNMATCHED, unmatched_settings};
use super::{
    auth::Guard,
    handshake::Unmatched,
    pulse::{Mute, Pulse},
    refused::Refused,
    said::{Kind, Said},
    trace::{Direction, Trace, Traced},
};
use crate::{bucket::Bucket, once::OnceAMinute};

/// Connections of unknown charge points, all together.
const UNKNOWN_BURST: u32 = 60;
const UNKNOWN_REFILL: Duration = Duration::from_millis(200);
/// New unknown charge points that are logged in a burst, as when an electrician switches on a whole garage; then one each interval.
const NEWCOMERS_BURST: u32 = 20;
const NEWCOMERS_REFILL: Duration = Duration::from_mins(1);

/// How a charger proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    /// With this password; without one nobody gets in.
    Basic(Option<String>),
    None,
}

/// A charger as the central system needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownCharger {
    pub(crate) load: String,
    pub(crate) charge_point_id: String,
    pub(crate) auth: Auth,
    pub(crate) settings: Settings,
}

impl KnownCharger {
    /// The connector, whatever the charger is called.
    fn place(&self) -> String {
        format!("{}/{}", self.charge_point_id, self.settings.connector)
    }
}

/// Which side of the roster a connection is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// The chargers with these load ids, as they were configured at the time of these numbers: one for each connector.
    Known(Vec<(String, u64)>),
    Unmatched,
}

/// Why a connection is refused, for the charge point's log and for ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: &'static str,
}

/// The way to a connection's task.
#[derive(Debug)]
struct Live {
    number: u64,
    limit: watch::Sender<Option<LimitRequest>>,
    settings: watch::Sender<Settings>,
    asked: Queue,
    link: Link,
}

/// Something that is asked of a charger besides limits.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    /// What became of it; dropped if the connection ends before.
    pub(crate) answer: oneshot::Sender<LimitOutcome>,
}

/// What waits to be asked of one connector.
pub(crate) type Queue = Arc<Mutex<VecDeque<Asked>>>;

/// Operations that may wait for one connector: people wait for each.
const MAX_ASKED: usize = 4;

/// What the connectors of one connection have in common.
#[derive(Debug, Clone)]
struct Link {
    /// A limit or settings have come.
    wake: Arc<Notify>,
    close: watch::Sender<bool>,
    pulse: Pulse,
    said: Said,
}

/// A connection's end of it.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) number: u64,
    /// One for each connector that is controlled; at least one.
    pub(crate) seats: Vec<Seat>,
    /// Something has come to one of them.
    pub(crate) wake: Arc<Notify>,
    pub(crate) close: watch::Receiver<bool>,
    pub(super) pulse: Pulse,
    /// What was logged of this charge point lately, over all of its connections.
    pub(super) said: Said,
    /// What the two ends have agreed upon.
    pub(crate) version: Version,
}

/// One connector's part of it.
#[derive(Debug)]
pub(crate) struct Seat {
    /// `None`: the charge point is not adopted.
    pub(crate) load: Option<String>,
    pub(crate) limit: watch::Receiver<Option<LimitRequest>>,
    pub(crate) settings: watch::Receiver<Settings>,
    pub(crate) asked: Queue,
    pub(crate) learnt: Learnt,
}

#[derive(Debug)]
struct Entry {
    known: KnownCharger,
    epoch: u64,
    live: Option<Live>,
    learnt: Learnt,
    capabilities: Capabilities,
    reconnects: Bucket,
    /// Where it last proved itself from: guesses from elsewhere do not lock it out.
    proved_from: Option<IpAddr>,
    refused: Option<Refused>,
    /// That it was refused is logged once a minute.
    refusals: OnceAMinute,
    /// What its connections make us say.
    said: Said,
}

#[derive(Debug)]
struct UnmatchedEntry {
    info: Unmatched,
    live: Option<Live>,
}

#[derive(Debug)]
struct State {
    chargers: BTreeMap<String, Entry>,
    unmatched: Vec<UnmatchedEntry>,
    /// What was learnt before the start of the program, by [`KnownCharger::place`].
    remembered: BTreeMap<String, String>,
    guard: Guard,
    unknown: Bucket,
    /// Unknown charge points that are logged as new.
    newcomers: Bucket,
    /// What the connections of all unknown charge points make us say: anybody can make any number of them.
    strangers: Said,
    count: u64,
}

/// The roster; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Roster(Arc<Mutex<State>>, Trace);

impl Roster {
    pub(crate) fn new() -> Self {
        let state = State {
            chargers: BTreeMap::new(),
            unmatched: Vec::new(),
            remembered: BTreeMap::new(),
            guard: Guard::default(),
            unknown: Bucket::new(UNKNOWN_BURST, UNKNOWN_REFILL),
            newcomers: Bucket::new(NEWCOMERS_BURST, NEWCOMERS_REFILL),
            strangers: Said::default(),
            count: 0,
        };
        Self(Arc::new(Mutex::new(state)), Trace::default())
    }

    /// Keeps a message for people who look for what is wrong.
    pub(super) fn trace(&self, identity: &str, direction: Direction, text: &str, time: Timestamp) {
        self.1.add(identity, direction, text, time);
    }

    /// The last messages of the charge points, oldest first, without secrets.
    pub(crate) fn traced(&self) -> Vec<Traced> {
        let loads: BTreeMap<String, String> = {
            let state = self.lock();
            let entries = state.chargers.values().rev();
            let pairs = entries.map(|it| (it.known.charge_point_id.clone(), it.known.load.clone()));
            pairs.collect()
        };
        self.1.all(|identity| loads.get(identity).cloned())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chargers of the house from now on. Connections that are not affected stay.
    pub(crate) fn configure(&self, chargers: Vec<KnownCharger>) {
        let mut state = self.lock();
        let mut before = std::mem::take(&mut state.chargers);
        let mut new = Vec::new();
        for known in chargers {
            let entry = match before.remove(&known.load) {
                Some(entry) if entry.same_access(&known) => {
                    if let Some(live) = &entry.live {
                        live.settings.send_if_modified(|settings| {
                            let changed = *settings != known.settings;
                            settings.clone_from(&known.settings);
                            changed
                        });
                        live.link.wake.notify_one();
                    }
                    Entry { known, ..entry }
                }
                other => {
                    if let Some(live) = other.and_then(|entry| entry.live) {
                        live.close("its access was changed", &known.charge_point_id);
                    }
                    state.count += 1;
                    new.push(known.charge_point_id.clone());
                    let text = state.remembered.get(&known.place()).cloned();
                    let mut entry = Entry::new(known, state.count);
                    entry.learnt = text.as_deref().map(Learnt::of_text).unwrap_or_default();
                    entry.capabilities = entry.learnt.capabilities();
                    entry
                }
            };
            state.adopt(&entry.known.charge_point_id);
            state.chargers.insert(entry.known.load.clone(), entry);
        }
        for (_, entry) in before {
            if let Some(live) = entry.live {
                live.close("it was removed", &entry.known.charge_point_id);
            }
        }
        for entry in state.chargers.values() {
            let id = &entry.known.charge_point_id;
            if let (Some(live), true) = (&entry.live, new.contains(id)) {
                live.close("another of its connectors was added", id);
            }
        }
    }

    /// Whether a connection may be made.
    pub(crate) fn admit(
        &self,
        identity: &str,
        headers: &HeaderMap,
        remote: IpAddr,
        now: Timestamp,
    ) -> Result<Role, Refusal> {
        let mut state = self.lock();
        let State {
            chargers,
            unmatched,
            guard,
            unknown,
            ..
        } = &mut *state;
        let mut entries: Vec<&mut Entry> = chargers
            .values_mut()
            .filter(|entry| entry.known.charge_point_id == identity)
            .collect();
        if entries.is_empty() {
            let listed = unmatched
                .iter()
                .any(|entry| entry.info.charge_point_id == identity);
            let full = unmatched
                .iter()
                .filter(|entry| entry.live.is_some())
                .count();
            if !unknown.take() || (!listed && full >= MAX_UNMATCHED) {
                return Err(Refusal {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    message: "too many unknown charge points are connecting; try again later",
                });
            }
            return Ok(Role::Unmatched);
        }
        // Each connector has its own password in the configuration; those that the charge point proves are served.
        let throttled = guard.is_throttled(remote, identity);
        let mut refusal = None;
        let mut seats = Vec::new();
        for entry in &mut entries {
            match entry.may_enter(headers, remote, throttled, now) {
                Ok(()) => seats.push((entry.known.load.clone(), entry.epoch)),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        if seats.is_empty()
            && let Some(refusal) = refusal
        {
            if refusal.status == StatusCode::UNAUTHORIZED {
                guard.failed(remote, identity);
            }
            return Err(refusal);
        }
        if !entries.iter_mut().any(|entry| entry.reconnects.take()) {
            return Err(Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: "this charge point reconnects too often; try again later",
            });
        }
        Ok(Role::Known(seats))
    }

    /// Enters a connection that is up. `None` if the configuration has changed meanwhile: then the
    /// charge point shall come again.
    pub(crate) fn join(
        &self,
        role: &Role,
        identity: &str,
        remote: Option<SocketAddr>,
        since: Timestamp,
    ) -> Option<Joined> {
        let mut state = self.lock();
        state.count += 1;
        let number = state.count;
        match role {
            Role::Known(loads) => {
                let said = loads.first().and_then(|(load, _)| state.chargers.get(load));
                let said = said.map(|entry| entry.said.clone()).unwrap_or_default();
                let (link, mut joined) = connect(number, said);
                for (load, epoch) in loads {
                    let entry = state
                        .chargers
                        .get_mut(load)
                        .filter(|entry| entry.epoch == *epoch)?;
                    let (live, mut seat) = link.seat(number, entry.known.settings.clone());
                    seat.load = Some(load.clone());
                    seat.learnt = entry.learnt.clone();
                    joined.seats.push(seat);
                    if let Some(old) = entry.live.replace(live)
                        && old.number != number
                    {
                        old.close(
                            "a new connection of the same charge point replaces it",
                            identity,
                        );
                    }
                }
                Some(joined)
            }
            Role::Unmatched => {
                if state
                    .chargers
                    .values()
                    .any(|entry| entry.known.charge_point_id == identity)
                {
                    return None;
                }
                let (link, mut joined) = connect(number, state.strangers.clone());
                let (live, seat) = link.seat(number, unmatched_settings());
                joined.seats.push(seat);
                state.list_unmatched(identity, remote, since, live);
                Some(joined)
            }
        }
    }

    /// A connection has ended, with what it learnt of each connector. Gives the chargers that are without one now.
    pub(crate) fn leave(
        &self,
        joined: &Joined,
        identity: &str,
        learnt: impl Fn(usize) -> Learnt,
    ) -> Vec<String> {
        let mut state = self.lock();
        let mut alone = Vec::new();
        for (index, seat) in joined.seats.iter().enumerate() {
            let Some(load) = &seat.load else {
                state.leave_unmatched(identity, joined.number);
                continue;
            };
            let Some(entry) = state.chargers.get_mut(load) else {
                continue;
            };
            match &entry.live {
                Some(live) if live.number == joined.number => {
                    entry.live = None;
                    entry.learnt = learnt(index);
                    alone.push(load.clone());
                }
                Some(_) => {}
                None => alone.push(load.clone()),
            }
        }
        alone
    }

    /// Hands a limit to the charger's connection. False if it is not connected.
    pub(crate) fn send(&self, load: &str, request: LimitRequest) -> bool {
        let state = self.lock();
        let live = state
            .chargers
            .get(load)
            .and_then(|entry| entry.live.as_ref());
        live.is_some_and(|live| {
            let taken = live.limit.send(Some(request)).is_ok();
            live.link.wake.notify_one();
            taken
        })
    }

    /// Asks something of a charger. `None` if it is not connected, or has as much to do as may wait.
    pub(crate) fn operate(
        &self,
        load: &str,
        operation: Operation,
    ) -> Option<oneshot::Receiver<LimitOutcome>> {
        let state = self.lock();
        let live = state.chargers.get(load)?.live.as_ref()?;
        let mut queue = live.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= MAX_ASKED {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        queue.push_back(Asked { operation, answer });
        live.link.wake.notify_one();
        Some(answered)
    }

    /// More is known of what a charger can do.
    pub(crate) fn can(&self, load: &str, what: Capabilities, learnt: Learnt) {
        if let Some(entry) = self.lock().chargers.get_mut(load) {
            entry.capabilities = what;
            entry.learnt = learnt;
        }
    }

    /// What was learnt before the start of the program; for chargers that are configured from now on.
    pub(crate) fn remember(&self, learnt: BTreeMap<String, String>) {
        self.lock().remembered = learnt;
    }

    /// What is worth keeping of each charger of now.
    pub(crate) fn learnt(&self) -> BTreeMap<String, String> {
        let state = self.lock();
        let entries = state.chargers.values();
        entries
            .map(|entry| (entry.known.place(), entry.learnt.text()))
            .collect()
    }

    /// What a charger can do, as far as it has said or shown; `None` without such a charger.
    pub(crate) fn capabilities(&self, load: &str) -> Option<Capabilities> {
        let state = self.lock();
        state.chargers.get(load).map(|entry| entry.capabilities)
    }

    /// An unmatched charge point told who it is.
    pub(crate) fn identified(&self, identity: &str, told: &Identity) {
        let mut state = self.lock();
        let mut entries = state.unmatched.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.info.charge_point_id == identity) {
            entry.info.vendor.clone_from(&told.vendor);
            entry.info.model.clone_from(&told.model);
            entry.info.firmware.clone_from(&told.firmware);
        }
    }

    pub(crate) fn unmatched(&self) -> Vec<Unmatched> {
        self.lock()
            .unmatched
            .iter()
            .map(|entry| Unmatched {
                connected: entry.live.is_some(),
                ..entry.info.clone()
            })
            .collect()
    }

    /// Chargers whose charge points are refused.
    pub(crate) fn refused(&self) -> Vec<Refused> {
        let state = self.lock();
        let entries = state.chargers.values();
        let refused = entries.filter_map(|entry| entry.refused.clone());
        refused.filter(Refused::is_fresh).collect()
    }

    /// Chargers whose charge points are connected and mute.
    pub(crate) fn mute(&self) -> Vec<Mute> {
        let state = self.lock();
        let mute = state.chargers.values().filter_map(|entry| {
            let since = entry.live.as_ref()?.link.pulse.mute_since()?;
            let load = entry.known.load.clone();
            Some(Mute { load, since })
        });
        mute.collect()
    }

    /// Closes every connection.
    pub(crate) fn close_all(&self) {
        let state = self.lock();
        let known = state
            .chargers
            .values()
            .filter_map(|entry| entry.live.as_ref());
        for live in known.chain(
            state
                .unmatched
                .iter()
                .filter_map(|entry| entry.live.as_ref()),
        ) {
            live.link.close.send_replace(true);
        }
    }
}

impl Live {
    fn silence(&self) -> Duration {
        self.link.pulse.silence()
    }

    fn close(&self, why: &'static str, charge_point: &str) {
        let what = format_args!("closing a connection of {charge_point}: {why}");
        if self.link.said.may(Kind::Line(why), what) {
            info!(charge_point, "closing a connection: {why}");
        }
        self.link.close.send_replace(true);
    }
}

/// The two ends of a connection without connectors.
fn connect(number: u64, said: Said) -> (Link, Joined) {
    let (close, close_end) = watch::channel(false);
    let link = Link {
        wake: Arc::new(Notify::new()),
        close,
        pulse: Pulse::new(),
        said,
    };
    let joined = Joined {
        number,
        seats: Vec::new(),
        wake: Arc::clone(&link.wake),
        close: close_end,
        pulse: link.pulse.clone(),
        said: link.said.clone(),
        version: Version::V16,
    };
    (link, joined)
}

impl Link {
    fn seat(&self, number: u64, settings: Settings) -> (Live, Seat) {
        let (limit, limit_end) = watch::channel(None);
        let (settings, settings_end) = watch::channel(settings);
        let asked = Queue::default();
        let live = Live {
            number,
            limit,
            settings,
            asked: Arc::clone(&asked),
            link: self.clone(),
        };
        let seat = Seat {
            load: None,
            limit: limit_end,
            settings: settings_end,
            asked,
            learnt: Learnt::default(),
        };
        (live, seat)
    }
}
