//! The plain types that a session takes and gives, free of any version of OCPP.

use std::time::Duration;

use jiff::Timestamp;

/// The moment of an input: a monotonic time for time-outs, and the wall clock for time stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since any fixed point; never goes back.
    pub monotonic: Duration,
    /// The controller's idea of the time of day; may jump.
    pub wall: Timestamp,
}

/// What the central system knows about the charge point on the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether the charge point belongs to the house. One that does not is answered `Pending`.
    pub adopted: bool,
    /// Whether anything may be sent beside answers (false in observe mode).
    pub control: bool,
    /// The connector that is controlled, from 1.
    pub connector: u32,
    /// Number of terminals that carry current, 1 to 3.
    pub terminals: usize,
    /// The current of the base profile, in milliamperes: where the charge point falls without us.
    pub safe_ma: u32,
    /// Nominal voltage between phase and neutral, in volts, for charge points that only take watts.
    pub nominal_voltage_v: u32,
}

/// A limit for a charge point, always as a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitRequest {
    /// Comes back in [`Output::Outcome`].
    pub command: u64,
    /// Limit per phase in milliamperes; 0 pauses.
    pub limit_ma: u32,
    /// How many phases the charge point shall use, 1 to 3; 0 means not known.
    pub phases: u8,
    /// Seconds after which the charge point falls to `safe_ma` by itself.
    pub lease_s: u32,
    /// Where it falls to, in milliamperes.
    pub safe_ma: u32,
}

/// What became of a [`LimitRequest`] or of an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOutcome {
    /// The charge point said that it took the limit. That it obeys is for its current to show.
    Accepted,
    /// The charge point refused every form of the profile that was tried.
    Rejected,
    /// No answer, twice: whether the limit is in force is not known.
    Timeout,
}

/// The state of a connector, in the words of OCPP 1.6 section 7.7 (`ChargePointStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum Status {
    Available,
    Preparing,
    Charging,
    SuspendedEv,
    SuspendedEvse,
    Finishing,
    Reserved,
    Unavailable,
    Faulted,
    /// Not told yet, or a word that the standard does not know: connected, may draw.
    #[default]
    Unknown,
}

/// What is known about the charge point now. `None` is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// State of the controlled connector.
    pub status: Status,
    /// Current per terminal in milliamperes, in the charge point's own phase order.
    pub current_ma: Vec<Option<u32>>,
    /// The limit that the charge point says is in force (`Current.Offered`), in milliamperes.
    pub limit_ma: Option<u32>,
    /// The energy register in watt-hours.
    pub energy_wh: Option<u64>,
}

/// Who the charge point says it is, from its boot notification. Cut to 64 characters each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `chargePointVendor`.
    pub vendor: Option<String>,
    /// `chargePointModel`.
    pub model: Option<String>,
    /// `firmwareVersion`.
    pub firmware: Option<String>,
    /// `chargePointSerialNumber`, else `chargeBoxSerialNumber`.
    pub serial: Option<String>,
}

/// What may be asked of a charge point besides limits. Each is sent once, after every limit and
/// base, and its outcome told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Takes the connector into use or out of it.
    SetAvailability {
        /// Into use.
        operative: bool,
    },
    /// Restarts the charge point; `hard` without ending transactions first.
    Reset {
        /// At once.
        hard: bool,
    },
    /// Begins a transaction for a tag, which is cut to 20 characters.
    RemoteStart {
        /// The tag.
        id_tag: String,
    },
    /// Ends the transaction of the connector. Not for a pause: some do not start again.
    RemoteStop,
    /// Asks for a message.
    Trigger(Trigger),
    /// A vendor's own message.
    DataTransfer {
        /// Whose, at most 255 characters.
        vendor_id: String,
        /// Which, at most 50 characters.
        message_id: Option<String>,
        /// Its content.
        data: Option<String>,
    },
    /// Clears what an earlier central system may have left behind. The base stays, and is sent
    /// again after it.
    ClearForeignProfiles,
}

/// A message that a charge point may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum Trigger {
    BootNotification,
    StatusNotification,
    MeterValues,
    Heartbeat,
}

/// How sure it is that a charge point can do something.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Grade {
    /// Nothing was said or seen.
    #[default]
    Unknown,
    /// It said that it cannot, or every attempt was refused.
    NotThere,
    /// It said so.
    Claimed,
    /// It was seen to do it.
    Proven,
}

/// What a charge point can do, as far as it has said or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// It takes limits; proven when its current came down after one.
    pub limits: Grade,
    /// It falls to the safe current by itself; proven when it was seen to.
    pub lease: Grade,
    /// It tells which limit is in force (`GetCompositeSchedule`).
    pub composite_schedule: Grade,
    /// It sends messages when asked (`TriggerMessage`).
    pub triggers: Grade,
    /// It changes between one and three phases during a charge.
    pub phase_switching: Grade,
}

/// Terminals of a connector with three phases, and so how many it uses where it cannot change that.
const ALL_PHASES: u8 = 3;

impl Capabilities {
    /// Whether a connector with so many terminals uses all three whatever it is asked for: it said that it cannot change, and
    /// nothing of what may be `in_force` is on fewer. It is not told a number then; some refuse a profile for that alone.
    pub(crate) fn keeps_phases(
        self,
        terminals: usize,
        in_force: [Option<LimitRequest>; 2],
    ) -> bool {
        self.phase_switching == Grade::NotThere
            && terminals == usize::from(ALL_PHASES)
            && !in_force.iter().flatten().any(LimitRequest::is_on_fewer)
    }

    /// The request as such a connector does it: what is meant for one phase flows on all of them.
    pub(crate) fn as_done(
        self,
        request: LimitRequest,
        terminals: usize,
        in_force: [Option<LimitRequest>; 2],
    ) -> LimitRequest {
        let spreads = request.is_on_fewer() && self.keeps_phases(terminals, in_force);
        LimitRequest {
            phases: if spreads { ALL_PHASES } else { request.phases },
            ..request
        }
    }
}

impl LimitRequest {
    fn is_on_fewer(&self) -> bool {
        (1..ALL_PHASES).contains(&self.phases)
    }
}

/// Something worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A frame could not be used; nothing was changed by it.
    FrameIgnored(&'static str),
    /// A call of ours got no answer in time: its action.
    CallTimedOut(&'static str),
    /// A call of ours was refused: its action and what the charge point said (cut).
    CallRefused(&'static str, String),
    /// A charging profile was refused, and the next form of it is tried.
    ProfileFormRefused(&'static str),
    /// The base profile is in place.
    BaseInPlace,
    /// The base profile was refused or not answered: without the controller the charge point may
    /// charge with full power.
    BaseMissing,
    /// The charge point boots over and over; its boots are answered `Pending` for a while.
    BootLoop,
    /// The charge point cannot hold two periods, so leases run by `duration`.
    LeaseByDuration,
    /// Asking for the configuration was given up; the defaults are used.
    SetupGivenUp,
    /// An answer came to no call of ours: late, a second time, or to an unknown id.
    AnswerDropped,
    /// Peculiarities of this model are taken care of: their numbers in the table of quirks.
    Quirks(Vec<u8>),
    /// The charge point cannot be controlled: what it said (cut).
    NotControllable(String),
    /// No form of lease is taken: limits hold until they are changed, and nothing falls by itself.
    LeaseImpossible,
    /// The charge point's clock is off by so many seconds (its time minus ours); leases are
    /// written in its own clock.
    ClockOff(i64),
    /// So many profiles were written within a day: raises and renewals wait, reductions do not.
    WriteBudgetUsed(u32),
    /// It said yes to a limit and shows more, or its base, both in milliamperes: another form is
    /// tried if there is one.
    LimitIgnored {
        /// What it said yes to.
        limit_ma: u32,
        /// What it shows.
        shown_ma: u32,
    },
    /// It says that less than our limit is in force, both in milliamperes: somebody else limits
    /// it too. That is never answered by raising.
    ForeignLimit {
        /// Ours.
        limit_ma: u32,
        /// What is in force.
        shown_ma: u32,
    },
    /// The connection broke on a call before the boot: from now on its boot is waited for.
    EarlyCallBroke,
    /// It speaks another version of OCPP than the one that was agreed upon.
    OtherVersion,
    /// Another system limits the charge point: what it calls itself, such as `EMS` (cut).
    LimitedBy(String),
    /// So many profiles of other systems were cleared.
    ForeignProfilesCleared(u32),
    /// It was to use one phase, and has said that it cannot change: what is more than now is not sent.
    PhasesFixed,
}

/// What a session gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A text frame for the socket.
    Send(String),
    /// The present state; given on each change, and with every `MeterValues`.
    Report(Report),
    /// The fate of a limit, once for each request. A request that a newer one replaced before it
    /// was sent gets none; one that may not be sent is a time-out.
    Outcome {
        /// As in the request.
        command: u64,
        /// What became of it.
        outcome: LimitOutcome,
        /// When the profile was first sent.
        sent_at: Timestamp,
        /// When the answer came; `None` on a time-out.
        answered_at: Option<Timestamp>,
    },
    /// The fate of an [`Operation`], once.
    Operated {
        /// The number that it was given with.
        number: u64,
        /// What became of it.
        outcome: LimitOutcome,
    },
    /// More is known of what it can do.
    Capabilities(Capabilities),
    /// The boot notification told who it is.
    Identified(Identity),
    /// Something for the log.
    Note(Note),
}

/// Counts of what was dropped or went wrong, for diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames that were no OCPP-J frame.
    pub frames_ignored: u64,
    /// Answers to no call of ours, or to one that was answered or had timed out.
    pub answers_dropped: u64,
    /// Calls of ours without an answer in time.
    pub timeouts: u64,
    /// Charging profiles without an answer in time.
    pub profiles_unanswered: u64,
    /// Charging profiles sent, for the write budget of the charge point's memory.
    pub profiles_sent: u64,
}
