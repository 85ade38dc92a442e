//! One connection with one charge point that speaks OCPP 1.6.
//!
//! Inputs: [`Session::receive`] for text frames, [`Session::set_limit`] for limits,
//! [`Session::configure`] for changed settings, [`Session::tick`] for time; each with [`Now`].
//! Outputs: [`Session::poll`] until it gives `None`, after every input. The caller must tick at
//! [`Session::next_deadline`] at the latest.
//!
//! What goes out first, when the line is free: after a boot the base profile; then the newest
//! limit; then a base that is due again; then triggers; then the set-up. A limit that waits behind
//! a configuration call breaks that call off after [`LIMIT_PATIENCE`].
//!
//! Nothing is sent before the charge point has shown that it is ready: by its boot, by any other
//! call (a reconnection often has no boot), by refusing to be asked for its boot, or by
//! [`BOOT_PATIENCE`] having passed. Some drop the connection otherwise.

mod answers;
mod calls;
mod sending;

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

use super::{
    connector::Connector,
    ladder::{BaseForm, Ladder},
    setup::Setup,
};
use crate::{
    calls::CallLine,
    clock::Clock,
    frame::{self, Frame},
    types::{Counters, LimitOutcome, LimitRequest, Note, Now, Output, Settings},
};

/// Time for an answer to `SetChargingProfile`; real ones take up to about a second.
pub const PROFILE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for an answer to a configuration call or a trigger.
pub const CONFIGURATION_TIMEOUT: Duration = Duration::from_secs(30);
/// A configuration call that is older than this gives way to a limit.
pub const LIMIT_PATIENCE: Duration = Duration::from_secs(3);
/// A charge point that has not sent its boot by then is asked for it.
pub const BOOT_TRIGGER_AFTER: Duration = Duration::from_secs(5);
/// Without a boot by then the charge point is taken as ready.
pub const BOOT_PATIENCE: Duration = Duration::from_mins(1);
/// A base that was refused in every form, or not answered, is tried again after this.
pub const BASE_RETRY_AFTER: Duration = Duration::from_mins(5);
/// A charging connector that is silent for this long is asked for its meter values.
pub const METER_SILENCE: Duration = Duration::from_secs(30);
/// Heartbeat interval given to charge points, in seconds.
const HEARTBEAT_INTERVAL_S: u32 = 60;
/// More boots than this within [`BOOT_LOOP_WINDOW`] are a loop.
const BOOT_LOOP_COUNT: usize = 5;
const BOOT_LOOP_WINDOW: Duration = Duration::from_mins(1);
/// A lease with less left than this is not worth restoring after a boot, in seconds.
const RESTORE_MIN_S: i64 = 10;

/// What one connection has learnt that is worth keeping for the next one.
#[derive(Debug, Clone, Default)]
pub struct Learnt {
    ladder: Ladder,
    clock: Clock,
    transaction: Option<i32>,
    in_force: Option<InForce>,
}

#[derive(Debug, Clone, Copy)]
struct InForce {
    request: LimitRequest,
    until: Timestamp,
}

/// A limit that waits to be sent.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    request: LimitRequest,
    /// Set when an earlier attempt was sent.
    sent_at: Option<Timestamp>,
    attempt: u8,
    /// A lease restored after a boot: nobody asked, so nobody is told.
    restored: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Base {
        form: BaseForm,
        safe_ma: u32,
        attempt: u8,
    },
    Limit(Waiting),
    BootTrigger,
    MeterTrigger,
    Setup,
}

impl Kind {
    const fn is_profile(self) -> bool {
        matches!(self, Self::Base { .. } | Self::Limit(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// Not yet sent since the boot: goes before everything.
    First,
    /// To be sent, after limits.
    Due,
    InPlace,
    /// Refused or not answered.
    RetryAt(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BootTrigger {
    NotSent,
    Sent,
    Refused,
}

/// What the charge point has said on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Nothing,
    /// A call, but no boot: it was running before the connection.
    Call,
    Boot,
}

/// The session.
pub struct Session {
    settings: Settings,
    random: Box<dyn FnMut() -> u32 + Send>,
    line: CallLine<Kind>,
    line_since: Duration,
    outputs: VecDeque<Output>,
    counters: Counters,
    connected_at: Duration,
    heard: Heard,
    boots: VecDeque<Duration>,
    boot_trigger: BootTrigger,
    base: Base,
    base_attempt: u8,
    waiting: Option<Waiting>,
    setup: Setup,
    setup_done_once: bool,
    learnt: Learnt,
    last_start: Option<(Start, i32)>,
    connector: Connector,
    meter_asked_at: Option<Duration>,
    meter_trigger_refused: bool,
}

/// What tells a repeated `StartTransaction` from a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    connector: Option<u32>,
    energy_wh: Option<u64>,
    at: Option<Timestamp>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.settings)
            .field("line", &self.line)
            .field("base", &self.base)
            .field("waiting", &self.waiting)
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A connection that has just been made. `random` gives transaction ids (and the ids of calls
    /// their start), which must not be guessable.
    pub fn new(
        settings: Settings,
        learnt: Learnt,
        mut random: Box<dyn FnMut() -> u32 + Send>,
        now: Now,
    ) -> Self {
        let salt = random();
        Self {
            line: CallLine::new(salt),
            line_since: now.monotonic,
            outputs: VecDeque::new(),
            counters: Counters::default(),
            connected_at: now.monotonic,
            heard: Heard::Nothing,
            boots: VecDeque::new(),
            boot_trigger: BootTrigger::NotSent,
            base: Base::First,
            base_attempt: 0,
            waiting: None,
            setup: Setup::default(),
            setup_done_once: false,
            learnt,
            last_start: None,
            connector: Connector::new(settings.connector, settings.terminals),
            meter_asked_at: None,
            meter_trigger_refused: false,
            settings,
            random,
        }
    }

    /// What is worth keeping for the next connection with the same charge point.
    pub fn learnt(&self) -> Learnt {
        self.learnt.clone()
    }

    /// Counts for diagnosis.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The next output; call until `None` after every input.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Changed settings; in force at once.
    pub fn configure(&mut self, settings: Settings, now: Now) {
        let before = std::mem::replace(&mut self.settings, settings);
        let settings = &self.settings;
        if before.terminals != settings.terminals || before.connector != settings.connector {
            self.connector = Connector::new(settings.connector, settings.terminals);
        }
        if !settings.control {
            if let Some(limit) = self.waiting.take() {
                self.outcome(limit, LimitOutcome::Timeout, now);
            }
            self.setup.stop();
        } else if !before.control {
            self.base = Base::First;
            self.setup_done_once = false;
        } else if before.safe_ma != settings.safe_ma || before.connector != settings.connector {
            self.base = Base::Due;
        }
        self.advance(now);
    }

    /// Gives a limit. It replaces one that waits. Where nothing may be sent it is not kept for
    /// later, when it would be old: its outcome is a time-out.
    pub fn set_limit(&mut self, request: LimitRequest, now: Now) {
        let limit = Waiting {
            request,
            sent_at: None,
            attempt: 1,
            restored: false,
        };
        if !self.may_send() {
            self.outcome(limit, LimitOutcome::Timeout, now);
            return;
        }
        if request.safe_ma != self.settings.safe_ma {
            self.settings.safe_ma = request.safe_ma;
            if self.base == Base::InPlace {
                self.base = Base::Due;
            }
        }
        self.waiting = Some(limit);
        self.advance(now);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) {
        self.advance(now);
    }

    /// The connection has ended: what was under way or waited has no answer and gets none.
    pub fn closed(&mut self, now: Now) {
        let under_way = self.line.timed_out(Duration::MAX, &mut self.counters);
        let waiting = self.waiting.take();
        if let Some(Kind::Limit(limit)) = under_way {
            self.outcome(limit, LimitOutcome::Timeout, now);
        }
        if let Some(limit) = waiting {
            self.outcome(limit, LimitOutcome::Timeout, now);
        }
    }

    /// A text frame has come. Any text is taken.
    pub fn receive(&mut self, text: &str, now: Now) {
        match frame::read(text) {
            Ok(Frame::Call {
                id,
                action,
                payload,
            }) => self.call(&id, &action, &payload, now),
            Ok(Frame::Result { id, payload }) => {
                if let Some(kind) = self.line.answered(&id, &mut self.counters) {
                    self.answered(kind, &payload, now);
                }
            }
            Ok(Frame::Error {
                id,
                code,
                description,
            }) => {
                if let Some(kind) = self.line.answered(&id, &mut self.counters) {
                    let why = format!("{code} {description}");
                    self.refused(kind, why.chars().take(120).collect(), now);
                }
            }
            Err(error) => {
                self.counters.frames_ignored += 1;
                self.note(Note::FrameIgnored(match error {
                    frame::FrameError::NotJson => "not valid JSON",
                    frame::FrameError::NotAFrame => "not an OCPP-J array",
                    frame::FrameError::UnknownType => "unknown message type",
                }));
            }
        }
        self.advance(now);
    }

    /// When [`Session::tick`] must be called at the latest.
    pub fn next_deadline(&self) -> Option<Duration> {
        let mut earliest = self.connector.expiry();
        let mut consider = |deadline: Option<Duration>| {
            earliest = [earliest, deadline].into_iter().flatten().min();
        };
        if let Some(kind) = self.line.kind() {
            consider(self.line.deadline());
            if self.waiting.is_some() && !kind.is_profile() {
                consider(Some(self.line_since + LIMIT_PATIENCE));
            }
        } else if self.may_send() {
            if self.heard < Heard::Boot && self.boot_trigger == BootTrigger::NotSent {
                consider(Some(self.connected_at + BOOT_TRIGGER_AFTER));
            }
            if !self.setup_done_once {
                consider(Some(self.connected_at + BOOT_PATIENCE));
            }
            if let Base::RetryAt(at) = self.base {
                consider(Some(at));
            }
            consider(self.meter_trigger_at());
        }
        earliest
    }

    fn advance(&mut self, now: Now) {
        self.connector.expire(now.monotonic);
        if let Some(kind) = self.line.timed_out(now.monotonic, &mut self.counters) {
            self.timed_out(kind, now);
        }
        self.break_off_for_limit(now);
        if self.may_send() && self.line.is_free() {
            self.send_next(now);
        }
        if let Some(report) = self.connector.take_report() {
            self.outputs.push_back(Output::Report(report));
        }
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }
}
