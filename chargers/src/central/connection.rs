//! The task of one connection: a socket on one side, the pure sessions of its connectors on the other.
//!
//! Everything that can go wrong here ends this connection and no other: a message above the
//! limit, a flood, a peer that does not read, a panic. The end is always reported, with the fate
//! of every command that was handed over.

mod notes;

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::PoisonError, time::Duration};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket, close_code},
};
use futures_util::FutureExt as _;
use headroom_core::{
    event::{ChargerReport, ChargerStatus, Outcome},
    units::{Milliamps, WattHours},
};
use headroom_ocpp::{LimitOutcome, Now, Output, Report, Sessions, Status, WRITES_PER_DAY};
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Interval, sleep_until, timeout},
};
use tracing::{debug, info, warn};

use super::{
    roster::{Asked, Joined, Roster},
    said::Kind,
    trace::Direction,
};
use crate::{bucket::Bucket, message::DeviceEvent, wall::WallClock};

/// Limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Largest message of a charger of the house; long `GetConfiguration` answers exist.
    pub(crate) message_bytes: usize,
    /// Largest message of a charge point that nobody knows.
    pub(crate) unmatched_message_bytes: usize,
    /// Messages in a burst: what a charge point has kept during an outage.
    pub(crate) burst: u32,
    /// One more message is allowed each time this has passed.
    pub(crate) refill: Duration,
    /// Profiles that a charge point's memory is written with in a day.
    pub(crate) writes_per_day: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 256 * 1024,
            unmatched_message_bytes: 16 * 1024,
            burst: 500,
            refill: Duration::from_millis(25),
            writes_per_day: WRITES_PER_DAY,
        }
    }
}

/// How often the peer is pinged.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A peer that answers pings and has been silent for this long is gone.
const SILENT_WITH_PONGS: Duration = Duration::from_secs(50);
/// One that never answered a ping is gone after this; its heartbeat is due every minute.
const SILENT_WITHOUT_PONGS: Duration = Duration::from_mins(4);
/// A peer that does not take a frame within this does not read any more.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for the reply to the peer's close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It broke.
    Peer,
    /// The peer closed it, and waits for our close frame.
    Closed,
    /// The roster wants it closed. Without a close frame: some charge points never come back
    /// after one, and all do after a broken connection.
    Told,
    TooLarge,
    Flood,
    Silent,
    NotReading,
}

/// Runs a connection to its end.
pub(crate) async fn run(
    socket: WebSocket,
    joined: Joined,
    identity: String,
    roster: Roster,
    wall: WallClock,
    events: mpsc::Sender<DeviceEvent>,
    limits: Limits,
) {
    let (loads, version) = (joined.loads(), joined.version.subprotocol());
    if joined.said.may(
        Kind::Line("connected"),
        format_args!("{identity} connected: {loads:?}, {version}"),
    ) {
        info!(
            charge_point = identity,
            ?loads,
            version,
            "charge point connected"
        );
    }
    let started = Instant::now();
    let now = Now {
        monotonic: Duration::ZERO,
        wall: wall.now(),
    };
    let seats = joined.seats.iter();
    let seats = seats.map(|seat| (seat.settings.borrow().clone(), seat.learnt.clone()));
    let mut sessions = Sessions::new(joined.version, seats.collect(), random, now);
    sessions.set_writes_per_day(limits.writes_per_day);
    let last_commands = vec![None; joined.seats.len()];
    let mut connection = Connection {
        socket,
        joined,
        identity,
        roster,
        wall,
        events,
        sessions,
        started,
        messages: Bucket::new(limits.burst, limits.refill),
        ponged: false,
        mute: false,
        last_commands,
        asked: BTreeMap::new(),
        operations: 0,
    };
    // A panic is a mistake of ours that one charge point has found; the others go on.
    if let Ok(end) = AssertUnwindSafe(connection.serve()).catch_unwind().await {
        connection.close(end).await;
    } else {
        warn!(
            charge_point = connection.identity,
            "a connection failed and was dropped"
        );
    }
    connection.leave().await;
}

/// Random numbers for transaction ids, which nobody shall guess.
fn random() -> u32 {
    // Without the system's source of randomness nothing on this host works.
    getrandom::u32().unwrap_or(1)
}

struct Connection {
    socket: WebSocket,
    joined: Joined,
    identity: String,
    roster: Roster,
    wall: WallClock,
    events: mpsc::Sender<DeviceEvent>,
    sessions: Sessions,
    started: Instant,
    messages: Bucket,
    ponged: bool,
    mute: bool,
    /// The newest limit that each session was given.
    last_commands: Vec<Option<u64>>,
    /// Operations under way, by their numbers.
    asked: BTreeMap<u64, oneshot::Sender<LimitOutcome>>,
    operations: u64,
}

impl Connection {
    fn now(&self) -> Now {
        Now {
            monotonic: self.started.elapsed(),
            wall: self.wall.now(),
        }
    }

    async fn serve(&mut self) -> End {
        self.sessions.tick(self.now());
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.reset();
        loop {
            if let Err(end) = self.step(&mut ping).await {
                return end;
            }
        }
    }

    async fn step(&mut self, ping: &mut Interval) -> Result<(), End> {
        self.flush().await?;
        let deadline = self.sessions.next_deadline().map(|at| self.started + at);
        let silent_at = self.silent_at();
        // In this order: the end, then settings and limits, and the peer's own messages last, so that no flood of
        // them holds up a limit.
        tokio::select! {
            biased;
            _ = self.joined.close.changed() => return Err(End::Told),
            () = self.joined.wake.notified() => self.take_orders(),
            () = sleep_until(deadline.unwrap_or(silent_at)), if deadline.is_some() => {
                self.sessions.tick(self.now());
            }
            () = sleep_until(silent_at) => return Err(End::Silent),
            _ = ping.tick() => self.send(Message::Ping(Bytes::new())).await?,
            message = self.socket.recv() => self.take(message)?,
        }
        self.tell_mute();
        Ok(())
    }

    fn silent_at(&self) -> Instant {
        self.joined.pulse.last_frame()
            + if self.ponged {
                SILENT_WITH_PONGS
            } else {
                SILENT_WITHOUT_PONGS
            }
    }

    /// Tells when it has become mute. The connection stays: what it may draw is reserved for as long as nobody has
    /// seen it fall back, and whoever cannot answer need not be able to connect again.
    fn tell_mute(&mut self) {
        let pulse = &self.joined.pulse;
        pulse.unanswered(self.sessions.profiles_unanswered());
        let mute = pulse.mute_since().is_some();
        let begins = mute && !self.mute;
        self.mute = mute;
        let what = format_args!("{} is mute", self.identity);
        if begins && self.joined.said.may(Kind::Line("mute"), what) {
            warn!(
                charge_point = self.identity,
                "it answers pings, but no limit, and says nothing; its last limit runs out by itself if its program \
                 still runs. Restart the charge point"
            );
        }
    }

    /// What has come for the connectors: settings first, because a limit may be the first under them.
    fn take_orders(&mut self) {
        let now = self.now();
        let seats = self.joined.seats.iter_mut().zip(&mut self.last_commands);
        for (index, (seat, last)) in seats.enumerate() {
            if seat.settings.has_changed().unwrap_or_default() {
                let settings = seat.settings.borrow_and_update().clone();
                self.sessions.configure(index, settings, now);
            }
            let changed = seat.limit.has_changed().unwrap_or_default();
            if let (true, Some(request)) = (changed, *seat.limit.borrow_and_update()) {
                *last = Some(request.command);
                self.sessions.set_limit(index, request, now);
            }
            let mut queue = seat.asked.lock().unwrap_or_else(PoisonError::into_inner);
            for Asked { operation, answer } in queue.drain(..) {
                self.operations += 1;
                self.asked.insert(self.operations, answer);
                self.sessions
                    .operate(index, self.operations, &operation, now);
            }
        }
    }

    fn take(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let message = match message {
            None => return Err(End::Peer),
            Some(Ok(message)) => message,
            Some(Err(error)) if is_too_large(&error) => return Err(End::TooLarge),
            Some(Err(error)) => {
                debug!(charge_point = self.identity, %error, "the connection broke");
                return Err(End::Peer);
            }
        };
        // Any frame shows that the peer lives.
        self.joined.pulse.frame();
        if !self.messages.take() {
            return Err(End::Flood);
        }
        match message {
            Message::Text(text) => {
                let now = self.now();
                self.roster
                    .trace(&self.identity, Direction::In, text.as_str(), now.wall);
                self.sessions.receive(text.as_str(), now);
                self.joined.pulse.message();
            }
            Message::Binary(_) => {
                debug!(charge_point = self.identity, "a binary frame was ignored");
            }
            Message::Pong(_) => self.ponged = true,
            Message::Ping(_) => {}
            Message::Close(_) => return Err(End::Closed),
        }
        Ok(())
    }

    /// Sends and reports what the session has to say.
    async fn flush(&mut self) -> Result<(), End> {
        while let Some((seat, output)) = self.sessions.poll() {
            let load = self.joined.load(seat);
            match output {
                Output::Send(text) => {
                    let wall = self.wall.now();
                    self.roster
                        .trace(&self.identity, Direction::Out, &text, wall);
                    self.send(Message::text(text)).await?;
                }
                Output::Report(report) => self.report(load, report).await,
                Output::Outcome {
                    command,
                    outcome,
                    sent_at,
                    answered_at,
                } => {
                    let outcome = translate_outcome(outcome);
                    self.outcome(command, outcome, sent_at, answered_at).await;
                }
                Output::Identified(told) => {
                    let who = (&told.vendor, &told.model, &told.firmware);
                    if self.joined.said.may(
                        Kind::Line("booted"),
                        format_args!("{} booted: {who:?}", self.identity),
                    ) {
                        info!(
                            charge_point = self.identity,
                            vendor = told.vendor,
                            model = told.model,
                            firmware = told.firmware,
                            "charge point booted"
                        );
                    }
                    if load.is_none() {
                        self.roster.identified(&self.identity, &told);
                    }
                }
                Output::Note(note) => self.note(&note),
                Output::Operated { number, outcome } => {
                    info!(
                        charge_point = self.identity,
                        number,
                        ?outcome,
                        "an operation ended"
                    );
                    if let Some(answer) = self.asked.remove(&number)
                        && answer.send(outcome).is_err()
                    {
                        debug!(number, "nobody waits for it any more");
                    }
                }
                Output::Capabilities(what) => {
                    let kind = Kind::Capabilities(seat, what);
                    if self.joined.said.may(
                        kind,
                        format_args!("what {} can do: {load:?}, {what:?}", self.identity),
                    ) {
                        info!(
                            charge_point = self.identity,
                            load,
                            ?what,
                            "what the charge point can do"
                        );
                    }
                    if let Some(load) = load {
                        let learnt = self.sessions.learnt(seat);
                        self.roster.can(&load, what, learnt);
                    }
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Peer),
            Err(_) => Err(End::NotReading),
        }
    }

    async fn report(&mut self, load: Option<String>, report: Report) {
        let Some(load) = load else {
            return;
        };
        let current_a = report.current_ma.iter().any(Option::is_some).then(|| {
            report
                .current_ma
                .iter()
                .map(|ma| ma.map(milliamps))
                .collect()
        });
        self.emit(DeviceEvent::Charger(ChargerReport {
            id: load,
            connected: true,
            status: translate_status(report.status),
            current_a,
            limit_a: report.limit_ma.map(milliamps),
            energy_kwh: report.energy_wh.map(watt_hours),
        }))
        .await;
    }

    async fn outcome(
        &mut self,
        command: u64,
        outcome: Outcome,
        sent_at: Timestamp,
        acknowledged_at: Option<Timestamp>,
    ) {
        let event = DeviceEvent::Outcome {
            command,
            outcome,
            sent_at,
            acknowledged_at,
        };
        self.emit(event).await;
    }

    async fn emit(&mut self, event: DeviceEvent) {
        // The receiver is gone only when the program ends.
        drop(self.events.send(event).await);
    }

    async fn close(&mut self, end: End) {
        let kind = Kind::Line(match end {
            End::TooLarge => "too large",
            End::Flood => "flood",
            End::Peer | End::Closed | End::Told | End::Silent | End::NotReading => "ended",
        });
        let said = self.joined.said.may(
            kind,
            format_args!("connection of {} ended: {end:?}", self.identity),
        );
        let frame = match end {
            End::TooLarge => {
                if said {
                    warn!(
                        charge_point = self.identity,
                        "closed the connection: a message is above the size limit; its last \
                         limit runs out by itself"
                    );
                }
                Some((close_code::SIZE, "message too large"))
            }
            End::Flood => {
                if said {
                    warn!(
                        charge_point = self.identity,
                        "closed the connection: too many messages; it may connect again"
                    );
                }
                Some((close_code::POLICY, "too many messages"))
            }
            End::Peer | End::Closed | End::Told | End::Silent | End::NotReading => {
                if said {
                    info!(charge_point = self.identity, ?end, "connection ended");
                }
                None
            }
        };
        if end == End::Closed {
            // Reading on sends the reply that the websocket library has prepared; some charge
            // points do not come back without it.
            drop(timeout(CLOSE_TIMEOUT, self.socket.recv()).await);
        }
        if let Some((code, reason)) = frame {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            if self.send(Message::Close(Some(frame))).await.is_err() {
                debug!(
                    charge_point = self.identity,
                    "it was gone before the close frame"
                );
            }
        }
    }

    /// Tells what is to be told at the end: the fate of commands, and that the link is gone.
    async fn leave(mut self) {
        let now = self.now();
        self.sessions.closed(now);
        let learnt = |seat| self.sessions.learnt(seat);
        let alone = self.roster.leave(&self.joined, &self.identity, learnt);
        while let Some((_, output)) = self.sessions.poll() {
            if let Output::Outcome {
                command,
                outcome,
                sent_at,
                answered_at,
            } = output
            {
                self.outcome(command, translate_outcome(outcome), sent_at, answered_at)
                    .await;
            }
        }
        // Handed over, and never seen by the session.
        let seats = self.joined.seats.iter().zip(&self.last_commands);
        let unseen = seats.filter_map(|(seat, last)| {
            let command = seat.limit.borrow().as_ref()?.command;
            (Some(command) != *last).then_some(command)
        });
        for command in unseen.collect::<Vec<_>>() {
            self.outcome(command, Outcome::Timeout, now.wall, None)
                .await;
        }
        for load in alone {
            self.emit(DeviceEvent::Charger(disconnected(load))).await;
        }
    }
}

impl Joined {
    fn load(&self, seat: usize) -> Option<String> {
        self.seats.get(seat)?.load.clone()
    }

    fn loads(&self) -> Vec<&str> {
        let seats = self.seats.iter();
        seats.filter_map(|seat| seat.load.as_deref()).collect()
    }
}

/// The report of a charger without a connection.
pub(crate) fn disconnected(load: String) -> ChargerReport {
    ChargerReport {
        id: load,
        connected: false,
        status: ChargerStatus::Unknown,
        current_a: None,
        limit_a: None,
        energy_kwh: None,
    }
}

/// The websocket library tells the reason in words only.
fn is_too_large(error: &axum::Error) -> bool {
    error.to_string().contains("too long")
}

fn milliamps(ma: u32) -> Milliamps {
    Milliamps(i64::from(ma))
}

fn watt_hours(wh: u64) -> WattHours {
    WattHours(i64::try_from(wh).unwrap_or(i64::MAX))
}

const fn translate_outcome(outcome: LimitOutcome) -> Outcome {
    match outcome {
        LimitOutcome::Accepted => Outcome::Accepted,
        LimitOutcome::Rejected => Outcome::Rejected,
        LimitOutcome::Timeout => Outcome::Timeout,
    }
}

const fn translate_status(status: Status) -> ChargerStatus {
    match status {
        Status::Available => ChargerStatus::Available,
        Status::Preparing => ChargerStatus::Preparing,
        Status::Charging => ChargerStatus::Charging,
        Status::SuspendedEv => ChargerStatus::SuspendedEv,
        Status::SuspendedEvse => ChargerStatus::SuspendedEvse,
        Status::Finishing => ChargerStatus::Finishing,
        Status::Reserved => ChargerStatus::Reserved,
        Status::Unavailable => ChargerStatus::Unavailable,
        Status::Faulted => ChargerStatus::Faulted,
        Status::Unknown => ChargerStatus::Unknown,
    }
}
