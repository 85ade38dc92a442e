//! One connection with one charge point that speaks OCPP 1.6.
//!
//! Inputs: [`Session::receive`] for text frames, [`Session::set_limit`] for limits,
//! [`Session::operate`] for what people want besides, [`Session::configure`] for changed settings,
//! [`Session::tick`] for time; each with [`Now`]. Outputs: [`Session::poll`] until it gives `None`,
//! after every input. The caller must tick at [`Session::next_deadline`] at the latest.
//!
//! What goes out first, when the line is free: after a boot the base profile; then the newest
//! limit; then a base that is due again; then operations; then triggers; then the set-up; last the
//! question what is in force. A limit that waits behind a call that is no profile breaks that call
//! off: a reduction after [`REDUCTION_PATIENCE`], another one after [`LIMIT_PATIENCE`]. A raise may
//! have to wait, or is not sent at all, for the sake of the charge point's memory; a reduction
//! never.
//!
//! Nothing is sent before the charge point has shown that it is ready: by its boot, by any other
//! call (a reconnection often has no boot), by refusing to be asked for its boot, or by
//! [`BOOT_PATIENCE`] having passed. Some drop the connection otherwise; of those the boot itself is
//! waited for, and then for [`BOOT_FIRST_PATIENCE`] only, because a limit may wait.

mod answers;
mod calls;
mod deadlines;
mod evidence;
mod learnt;
mod limits;
mod operations;
mod queue;
mod sending;
mod shared;

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

pub use self::learnt::Learnt;
use self::{evidence::Watch, learnt::EarlyCalls, limits::Gate, operations::Todo};
use super::{connector::Connector, ladder::BaseForm, quirks::Quirks, setup::Setup};
use crate::{
    calls::CallLine,
    frame::{self, Frame},
    sessions::Part,
    types::{Capabilities, Counters, LimitOutcome, LimitRequest, Note, Now, Output, Settings},
    wear::WRITES_PER_DAY,
};

/// Time for an answer to `SetChargingProfile`; real ones take up to about a second.
pub const PROFILE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for an answer to a configuration call, a trigger or an operation.
pub const CONFIGURATION_TIMEOUT: Duration = Duration::from_secs(30);
/// A call that is no profile and older than this gives way to a limit.
pub const LIMIT_PATIENCE: Duration = Duration::from_secs(3);
/// The same for a reduction. Slow ones answer within about a second.
pub const REDUCTION_PATIENCE: Duration = Duration::from_millis(1_500);
/// A charge point that has not sent its boot by then is asked for it.
pub const BOOT_TRIGGER_AFTER: Duration = Duration::from_secs(5);
/// Without a boot by then the charge point is taken as ready.
pub const BOOT_PATIENCE: Duration = Duration::from_mins(1);
/// One that breaks the connection on an early call, and speaks, is taken as ready after this.
pub const BOOT_FIRST_PATIENCE: Duration = Duration::from_secs(15);
/// A base that was refused in every form, or not answered, is tried again after this. So is one
/// that does not know profiles at all.
pub const BASE_RETRY_AFTER: Duration = Duration::from_mins(5);
/// A charging connector that is silent for this long is asked for its meter values.
pub const METER_SILENCE: Duration = Duration::from_secs(30);
/// A connection that breaks this soon after an early call was broken by it.
const EARLY_BREAK: Duration = Duration::from_secs(3);
/// Heartbeat interval given to charge points, in seconds.
const HEARTBEAT_INTERVAL_S: u32 = 60;
/// More boots than this within [`BOOT_LOOP_WINDOW`] are a loop.
const BOOT_LOOP_COUNT: usize = 5;
const BOOT_LOOP_WINDOW: Duration = Duration::from_mins(1);
/// Answers that are held back at once.
const MAX_DELAYED: usize = 4;

/// A limit that waits to be sent.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    request: LimitRequest,
    /// Set when an earlier attempt was sent.
    sent_at: Option<Timestamp>,
    attempt: u8,
    /// A lease that is sent again by ourselves: nobody asked, so nobody is told.
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
    Operation {
        number: Option<u64>,
        clears: bool,
    },
    BootTrigger,
    MeterTrigger,
    Setup,
    Composite,
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
    writes_per_day: u32,
    random: Box<dyn FnMut() -> u32 + Send>,
    line: CallLine<Kind>,
    line_since: Duration,
    part: Part,
    outputs: VecDeque<Output>,
    /// Answers that are held back, with their time.
    delayed: VecDeque<(Duration, String)>,
    counters: Counters,
    connected_at: Duration,
    /// The time of the last input.
    seen: Duration,
    heard: Heard,
    boots: VecDeque<Duration>,
    boot_trigger: BootTrigger,
    base: Base,
    base_attempt: u8,
    waiting: Option<Waiting>,
    gate: Gate,
    todo: VecDeque<Todo>,
    setup: Setup,
    setup_done_once: bool,
    learnt: Learnt,
    quirks: Quirks,
    told: Capabilities,
    connector: Connector,
    watch: Watch,
    meter_asked_at: Option<Duration>,
    meter_trigger_refused: bool,
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
        let quirks = learnt.identity.as_ref().map(Quirks::of).unwrap_or_default();
        Self {
            line: CallLine::new(salt),
            line_since: now.monotonic,
            part: Part::default(),
            outputs: VecDeque::new(),
            delayed: VecDeque::new(),
            counters: Counters::default(),
            connected_at: now.monotonic,
            seen: now.monotonic,
            heard: Heard::Nothing,
            boots: VecDeque::new(),
            boot_trigger: BootTrigger::NotSent,
            base: if learnt.base_ma == Some(settings.safe_ma) {
                Base::InPlace
            } else {
                Base::First
            },
            base_attempt: 0,
            waiting: None,
            gate: Gate::Open,
            todo: VecDeque::new(),
            setup: Setup::default(),
            setup_done_once: false,
            told: learnt.capabilities,
            writes_per_day: WRITES_PER_DAY,
            learnt,
            quirks,
            connector: Connector::new(settings.connector, settings.terminals),
            watch: Watch::default(),
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

    /// What the charge point can do, as far as it has said or shown.
    pub fn capabilities(&self) -> Capabilities {
        self.learnt.capabilities
    }

    /// How many profiles the charge point may be sent in a day, reductions not counted out but
    /// never held up. Without a word: [`WRITES_PER_DAY`]; what the model bears if that is less.
    pub fn set_writes_per_day(&mut self, writes: u32) {
        self.writes_per_day = writes;
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
            self.drop_operations();
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
        let young = now.monotonic < self.line_since + EARLY_BREAK;
        let under_way = self.line.timed_out(Duration::MAX, &mut self.counters);
        let early = under_way.is_some() && young && self.heard < Heard::Boot;
        if early && self.learnt.broke_early() {
            self.note(Note::EarlyCallBroke);
        }
        let waiting = self.waiting.take();
        match under_way {
            Some(Kind::Limit(limit)) => {
                self.learnt.leave_in_doubt(limit.request);
                self.outcome(limit, LimitOutcome::Timeout, now);
            }
            Some(Kind::Operation {
                number: Some(number),
                ..
            }) => self.operated(Some(number), LimitOutcome::Timeout),
            _ => {}
        }
        if let Some(limit) = waiting {
            self.outcome(limit, LimitOutcome::Timeout, now);
        }
        self.drop_operations();
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
                match self.line.answered(&id, &mut self.counters) {
                    Some(kind) => {
                        self.bore_a_call();
                        self.answered(kind, &payload, now);
                    }
                    None => self.note(Note::AnswerDropped),
                }
            }
            Ok(Frame::Error {
                id,
                code,
                description,
            }) => match self.line.answered(&id, &mut self.counters) {
                Some(kind) => self.failed(kind, &code, &description, now),
                None => self.note(Note::AnswerDropped),
            },
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

    fn bore_a_call(&mut self) {
        if self.heard < Heard::Boot {
            self.learnt.early_calls = EarlyCalls::Borne;
        }
    }

    fn advance(&mut self, now: Now) {
        self.seen = now.monotonic;
        self.connector.expire(now.monotonic);
        self.release_answers(now);
        if let Some(kind) = self.line.timed_out(now.monotonic, &mut self.counters) {
            self.timed_out(kind, now);
        }
        self.renew_gate(now);
        self.break_off_for_limit(now);
        if self.may_send() && self.line.is_free() && !self.part.held {
            self.send_next(now);
        }
        // What has never taken a profile may give all that it can.
        let takes_none = self.may_send() && !self.learnt.took_profile;
        let at_base = self.base == Base::InPlace || self.learnt.in_force.is_some();
        self.connector.set_unlimited(takes_none && !at_base);
        if let Some(report) = self.connector.take_report() {
            self.outputs.push_back(Output::Report(report));
        }
        if self.told != self.learnt.capabilities {
            self.told = self.learnt.capabilities;
            self.outputs.push_back(Output::Capabilities(self.told));
        }
    }

    /// Answers that were held back go out when their time has come.
    fn release_answers(&mut self, now: Now) {
        while let Some((_, text)) = self.delayed.pop_front_if(|(at, _)| *at <= now.monotonic) {
            self.outputs.push_back(Output::Send(text));
        }
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }
}
