//! One connection with one charging station that speaks OCPP 2.0.1 or 2.1.
//!
//! Inputs: [`Session::receive`] for text frames, [`Session::set_limit`] for limits,
//! [`Session::operate`] for anything else that is asked of the station, [`Session::configure`] for
//! changed settings, [`Session::tick`] for time; each with [`Now`]. Outputs: [`Session::poll`] until
//! it gives `None`, after every input. The caller must tick at [`Session::next_deadline`] at the
//! latest.
//!
//! What goes out first, when the line is free: after a boot the base profile; then the newest
//! limit; then a base that is due again; then what people ask for; then the set-up, the clearing of
//! what other systems have left, and the question for the station's own schedule. A limit that
//! waits behind any of the last breaks that call off: a reduction after [`REDUCTION_PATIENCE`],
//! another one after [`LIMIT_PATIENCE`]. A raise may be held for the sake of the memory; a reduction
//! never is.
//!
//! Nothing is sent before the station has shown that it is ready: by its boot, by any other call (a
//! station that only reconnects sends no boot), by refusing to be asked for its boot (it must, when
//! it was accepted before: F06.FR.17), or by [`BOOT_PATIENCE`] having passed.
//!
//! A station that does not know charging profiles is not controllable: that is told, every limit
//! is refused at once, and it is asked again after each boot and every [`BASE_RETRY_AFTER`].

mod answers;
mod calls;
mod deadlines;
mod learnt;
mod sending;
mod shared;
mod watch;

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

pub use self::learnt::Learnt;
use self::watch::Watch;
use super::{evse::Evse, setup::Setup};
use crate::{
    calls::CallLine,
    frame::{self, Frame},
    sessions::Part,
    types::{
        Capabilities, Counters, LimitOutcome, LimitRequest, Note, Now, Operation, Output, Settings,
    },
    v16::ladder::{BaseForm, Shape},
    wear::Urgency,
};

/// Time for an answer to `SetChargingProfile`; real ones take up to about a second.
pub const PROFILE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for an answer to any other call.
pub const CONFIGURATION_TIMEOUT: Duration = Duration::from_secs(30);
/// A call that is no profile and older than this gives way to a limit.
pub const LIMIT_PATIENCE: Duration = Duration::from_secs(3);
/// The same for a reduction. Slow ones answer within about a second.
pub const REDUCTION_PATIENCE: Duration = Duration::from_millis(1_500);
/// A station that has not sent its boot by then is asked for it.
pub const BOOT_TRIGGER_AFTER: Duration = Duration::from_secs(5);
/// Without a boot by then the station is taken as ready.
pub const BOOT_PATIENCE: Duration = Duration::from_mins(1);
/// A base that was refused in every form, or not answered, is tried again after this.
pub const BASE_RETRY_AFTER: Duration = Duration::from_mins(5);
/// A charging EVSE that is silent for this long is asked for its values.
pub const METER_SILENCE: Duration = Duration::from_secs(30);
/// Heartbeat interval given to stations, in seconds.
const HEARTBEAT_INTERVAL_S: u32 = 60;
/// More boots than this within [`BOOT_LOOP_WINDOW`] are a loop.
const BOOT_LOOP_COUNT: usize = 5;
const BOOT_LOOP_WINDOW: Duration = Duration::from_mins(1);
/// Operations that may wait; people do not click faster.
const MAX_OPERATIONS: usize = 16;
/// Profiles of other systems that are cleared after one boot.
const MAX_FOREIGN: usize = 20;

/// A limit that waits to be sent.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    request: LimitRequest,
    /// Set when an earlier attempt was sent.
    sent_at: Option<Timestamp>,
    attempt: u8,
    /// A lease restored after a boot: nobody asked, so nobody is told.
    restored: bool,
    /// How it was sent to end.
    shape: Shape,
    /// What it was beside what may be in force when it came.
    urgency: Urgency,
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
    Operation(u64),
    Setup,
    /// A profile of another system is cleared.
    Clear,
    /// The station is asked for its own schedule.
    Evidence,
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

/// How a silent EVSE is asked for its values: the first tells its state as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MeterTrigger {
    Transaction,
    Values,
    Refused,
}

/// What the station has said on this connection.
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
    /// OCPP 2.1, which knows more fields.
    is_21: bool,
    random: Box<dyn FnMut() -> u32 + Send>,
    line: CallLine<Kind>,
    line_since: Duration,
    part: Part,
    outputs: VecDeque<Output>,
    counters: Counters,
    connected_at: Duration,
    heard: Heard,
    boots: VecDeque<Duration>,
    boot_trigger: BootTrigger,
    base: Base,
    base_attempt: u8,
    /// It knows no charging profiles.
    absent: bool,
    waiting: Option<Waiting>,
    operations: VecDeque<(u64, Operation)>,
    setup: Setup,
    setup_done_once: bool,
    learnt: Learnt,
    told_capabilities: Capabilities,
    evse: Evse,
    meter_asked_at: Option<Duration>,
    meter_trigger: MeterTrigger,
    /// Profiles of others that are to be cleared.
    foreign: VecDeque<i64>,
    cleared: u32,
    watch: Watch,
    /// The last moment at which time passed.
    seen: Duration,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.settings)
            .field("line", &self.line)
            .field("base", &self.base)
            .field("waiting", &self.waiting)
            .field("evse", &self.evse)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A connection that has just been made. `random` gives the ids of calls their start and marks
    /// what the station sends because of a call of ours.
    pub fn new(
        settings: Settings,
        is_21: bool,
        learnt: Learnt,
        mut random: Box<dyn FnMut() -> u32 + Send>,
        now: Now,
    ) -> Self {
        let salt = random();
        Self {
            is_21,
            line: CallLine::new(salt),
            line_since: now.monotonic,
            part: Part::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            connected_at: now.monotonic,
            heard: Heard::Nothing,
            boots: VecDeque::new(),
            boot_trigger: BootTrigger::NotSent,
            base: Base::First,
            base_attempt: 0,
            absent: false,
            waiting: None,
            operations: VecDeque::new(),
            setup: Setup::default(),
            setup_done_once: false,
            told_capabilities: learnt.capabilities,
            learnt,
            evse: Evse::new(settings.connector, settings.terminals),
            meter_asked_at: None,
            meter_trigger: MeterTrigger::Transaction,
            foreign: VecDeque::new(),
            cleared: 0,
            watch: Watch::default(),
            seen: now.monotonic,
            settings,
            random,
        }
    }

    /// What is worth keeping for the next connection with the same station.
    pub fn learnt(&self) -> Learnt {
        self.learnt.clone()
    }

    /// Counts for diagnosis.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What the station can do, as far as it has said or shown.
    pub fn capabilities(&self) -> Capabilities {
        self.learnt.capabilities
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
            self.evse = Evse::new(settings.connector, settings.terminals);
        }
        if !settings.control {
            if let Some(limit) = self.waiting.take() {
                self.outcome(limit, LimitOutcome::Timeout, now);
            }
            self.give_up_operations();
            self.foreign.clear();
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
    /// later, when it would be old: its outcome is a time-out. A station that cannot be controlled
    /// has refused it.
    pub fn set_limit(&mut self, request: LimitRequest, now: Now) {
        let done = self.as_done(request, now);
        let limit = Waiting {
            request,
            sent_at: None,
            attempt: 1,
            restored: false,
            shape: Shape::Lease,
            urgency: self.learnt.urgency(done, self.settings.safe_ma, now.wall),
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
        if self.absent {
            self.waiting = None;
            self.outcome(limit, LimitOutcome::Rejected, now);
        } else {
            self.waiting = Some(limit);
        }
        self.advance(now);
    }

    /// Asks something else of the station, after every limit. Its outcome comes once, with
    /// `number`: rejected at once where it cannot be sent, or where too many wait already.
    pub fn operate(&mut self, number: u64, operation: &Operation, now: Now) {
        if !self.may_send() || self.operations.len() >= MAX_OPERATIONS {
            self.operated(number, LimitOutcome::Rejected);
            return;
        }
        self.operations.push_back((number, operation.clone()));
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
        match under_way {
            Some(Kind::Limit(limit)) => self.outcome(limit, LimitOutcome::Timeout, now),
            Some(Kind::Operation(number)) => self.operated(number, LimitOutcome::Timeout),
            _ => {}
        }
        if let Some(limit) = waiting {
            self.outcome(limit, LimitOutcome::Timeout, now);
        }
        self.give_up_operations();
    }

    fn give_up_operations(&mut self) {
        while let Some((number, _)) = self.operations.pop_front() {
            self.operated(number, LimitOutcome::Timeout);
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
                } else {
                    self.note(Note::AnswerDropped);
                }
            }
            Ok(Frame::Error {
                id,
                code,
                description,
            }) => {
                if let Some(kind) = self.line.answered(&id, &mut self.counters) {
                    let why = format!("{code} {description}");
                    self.refused(kind, &why, now);
                } else {
                    self.note(Note::AnswerDropped);
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

    fn advance(&mut self, now: Now) {
        self.seen = now.monotonic;
        self.evse.values_mut().expire(now.monotonic);
        if let Some(kind) = self.line.timed_out(now.monotonic, &mut self.counters) {
            self.timed_out(kind, now);
        }
        self.break_off_for_limit(now);
        // What cannot be sent ends at once and leaves the line to the next.
        let may = self.may_send() && !self.part.held;
        while may && self.line.is_free() && self.send_next(now) {}
        if self.learnt.capabilities != self.told_capabilities {
            self.told_capabilities = self.learnt.capabilities;
            let capabilities = Output::Capabilities(self.learnt.capabilities);
            self.outputs.push_back(capabilities);
        }
        if let Some(report) = self.evse.values_mut().take_report() {
            self.outputs.push_back(Output::Report(report));
        }
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }
}
