//! What may happen: the input of [`crate::Engine::step`], in the shapes of `headroom engine`
//! (contract, section 3).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::Config;
use crate::units::{Milliamps, Millivolts, Vars, WattHours, Watts};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A new configuration, in force at once.
    Configure(Box<Config>),
    /// A reading of the main meter, or of a circuit's own.
    Reading(Reading),
    /// A report of a charger.
    Charger(ChargerReport),
    /// A report of a slow load.
    SlowLoad(SlowLoadReport),
    /// What became of a command.
    Result(CommandResult),
    /// Nothing but time has passed.
    Tick(Tick),
    /// A person wants something.
    Command(UserCommandEvent),
}

/// Nothing but time has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tick {}

/// What a meter says at one moment. What it does not say is `None`, never 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// One entry on a one-phase grid, else three.
    pub phases: Vec<Option<PhaseReading>>,
    /// Total active power, in watts; import is positive.
    #[serde(default)]
    pub power_w: Option<Watts>,
    /// Total reactive power, in var; import is positive.
    #[serde(default)]
    pub reactive_var: Option<Vars>,
    /// The circuit whose own meter this is; `None`: the main meter.
    #[serde(default)]
    pub circuit: Option<String>,
}

/// What a meter says of one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseReading {
    /// RMS current, a magnitude, in amperes.
    #[serde(default)]
    pub current_a: Option<Milliamps>,
    /// Voltage, in volts.
    #[serde(default)]
    pub voltage_v: Option<Millivolts>,
    /// Active power, in watts; import is positive.
    #[serde(default)]
    pub power_w: Option<Watts>,
}

/// State of a connector (OCPP 1.6, `ChargePointStatus`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargerStatus {
    /// No car.
    Available,
    /// A car, not charging yet.
    Preparing,
    /// Energy flows, or may.
    Charging,
    /// The car does not want.
    SuspendedEv,
    /// The charger does not offer.
    SuspendedEvse,
    /// The session is over, the car still there.
    Finishing,
    /// Kept for somebody.
    Reserved,
    /// Out of use.
    Unavailable,
    /// Broken.
    Faulted,
    /// Not known: a car may be there and may draw.
    #[default]
    Unknown,
}

/// What a charger says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargerReport {
    /// Which one.
    pub id: String,
    /// The link between us and the charger (not the cable to the car).
    pub connected: bool,
    /// State of its connector.
    #[serde(default)]
    pub status: ChargerStatus,
    /// Current at each terminal in its own order, in amperes; `None` if it does not say.
    #[serde(default)]
    pub current_a: Option<Vec<Option<Milliamps>>>,
    /// The limit that it says is in force, in amperes.
    #[serde(default)]
    pub limit_a: Option<Milliamps>,
    /// Energy of this session or its register, in kWh.
    #[serde(default)]
    pub energy_kwh: Option<WattHours>,
}

/// What a slow load says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowLoadReport {
    /// Which one.
    pub id: String,
    /// The link between us and the device.
    pub connected: bool,
    /// Whether its relay is closed; `None` if it does not say.
    #[serde(default)]
    pub on: Option<bool>,
    /// What it draws, in watts; `None` if it does not say.
    #[serde(default)]
    pub power_w: Option<Watts>,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandResult {
    /// Its number.
    pub command: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The device said yes. Whether it does so is another question.
    Accepted,
    /// The device said no.
    Rejected,
    /// The device said nothing: it may have taken the command or not.
    Timeout,
}

/// A person's wish, as an event carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserCommandEvent {
    /// The wish.
    pub command: UserCommand,
}

/// Shortest and longest time that a person's wish may hold, in seconds.
pub const USER_COMMAND_S: std::ops::RangeInclusive<u32> = 1..=86_400;

/// A person's wish. It never gives more than the fuse allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum UserCommand {
    /// Nothing for this load.
    Pause {
        /// Which load.
        load: String,
        /// For how long, in seconds.
        for_s: u32,
    },
    /// No more than this for this load.
    Limit {
        /// Which load.
        load: String,
        /// The ceiling, in amperes.
        limit_a: Milliamps,
        /// For how long, in seconds.
        for_s: u32,
    },
    /// This load in the highest class of priority.
    Boost {
        /// Which load.
        load: String,
        /// For how long, in seconds.
        for_s: u32,
    },
    /// The end of all wishes for this load.
    Resume {
        /// Which load.
        load: String,
        /// Accepted and without meaning, as every wish has it.
        #[serde(default)]
        for_s: Option<u32>,
    },
    /// The follow test of this charger, and the cut test.
    Test {
        /// Which charger.
        load: String,
        /// Whether the cut test follows.
        #[serde(default = "default_cut")]
        cut: bool,
        /// What its driver knows of how it falls back.
        #[serde(default)]
        guard: crate::trial::Guard,
    },
    /// The end of a running test of this charger.
    EndTest {
        /// Which charger.
        load: String,
        /// Nobody wanted its end: the charger is another one from now on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reconfigured: bool,
    },
    /// Ceilings for everything; protection stays.
    Manual {
        /// The ceiling of each load, in amperes; a load that is left out keeps none.
        ceiling_a: std::collections::BTreeMap<String, Milliamps>,
        /// For how long, in seconds.
        for_s: u32,
    },
}

const fn default_cut() -> bool {
    true
}

/// Why an event cannot be. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EventError {
    /// A charger, slow load or circuit that is not configured.
    #[error("there is no {kind} with the id \"{id}\"")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A result for a command that was never given.
    #[error("command {0} was never given")]
    UnknownCommand(u64),
    /// A value that no meter, device or person can mean.
    #[error("{field}: {message}")]
    Impossible {
        /// Where it stands.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// Time went back.
    #[error("time went back from {from} ms to {to} ms")]
    TimeWentBack {
        /// The time of the event before.
        from: u64,
        /// The time of this event.
        to: u64,
    },
    /// The configuration cannot be right.
    #[error("the configuration cannot be right: {0}")]
    Configuration(String),
}

impl EventError {
    /// A stable code, as the engine protocol prints it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "not_found",
            Self::UnknownCommand(_) => "unknown_command",
            Self::Impossible { .. } => "impossible",
            Self::TimeWentBack { .. } => "time_went_back",
            Self::Configuration(_) => "invalid",
        }
    }
}
