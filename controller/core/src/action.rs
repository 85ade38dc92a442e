//! What the engine wants done, and why: the output of [`crate::Engine::step`] in the shapes of
//! `headroom engine` (contract, section 3).

use serde::{Deserialize, Serialize};

use crate::snapshot::PhaseState;
use crate::units::{Instant, Milliamps, Phase};

/// What one step gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Actions {
    /// The time of the step.
    pub t_ms: Instant,
    /// Path in the state machine, for example `operating.curtailing`.
    pub state: &'static str,
    /// In observe mode: loads to which something new would have been told, by their ids. The snapshot's reason says what.
    #[serde(skip)]
    pub would_be: Vec<String>,
    /// What is to be done, in order: what lowers comes first.
    pub actions: Vec<Action>,
    /// The lines after this step.
    pub phases: Vec<PhaseState>,
    /// When the engine must be stepped again at the latest; later than `t_ms`.
    pub next_deadline_ms: Option<Instant>,
}

/// A numbered command to one device, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Number of the command; grows by one within a process.
    pub command: u64,
    /// What is to be done.
    #[serde(flatten)]
    pub what: Command,
    /// Whether this repeats the present value, to renew the lease.
    pub renewal: bool,
    /// Why.
    pub reason: Reason,
}

/// What a device is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// A charger's limit.
    SetLimit {
        /// Which charger.
        load: String,
        /// The limit per phase, in amperes; 0 pauses.
        limit_a: Milliamps,
        /// How many phases the charger shall use.
        phases: u8,
        /// How long the limit holds without renewal, in seconds.
        lease_s: u32,
    },
    /// A slow load's relay.
    Switch {
        /// Which slow load.
        load: String,
        /// Closed or open.
        on: bool,
    },
}

impl Command {
    /// The load that is told.
    pub fn load(&self) -> &str {
        match self {
            Self::SetLimit { load, .. } | Self::Switch { load, .. } => load,
        }
    }
}

/// The closed list of reasons; `docs/reasons.md` describes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The main fuse has no more to give.
    MainFuse,
    /// The fuse of a circuit has no more to give.
    Circuit,
    /// The cap on the power of the house binds.
    PowerLimit,
    /// The fuse would not bear a sudden step of the house beside more.
    Thermal,
    /// A load of higher priority goes first.
    Priority,
    /// Loads of the same priority share.
    FairShare,
    /// It is another load's turn.
    Rotation,
    /// A waiting time has not passed yet.
    Hysteresis,
    /// The newest reading is too old to give more.
    MeterStale,
    /// There is no reading.
    MeterLost,
    /// A charger cannot be reached and counts with its worst case.
    ChargerLost,
    /// A device does not do what it was told.
    NotObeying,
    /// A person wanted it so.
    User,
    /// The car takes no more.
    Demand,
    /// There is room again.
    Restored,
    /// The same again, so that it does not run out.
    Lease,
    /// The first readings are still to come.
    Starting,
    /// Nothing is commanded.
    Observe,
    /// The longest time off that was promised is over.
    MaxOff,
    /// What its current does shows on which lines it hangs.
    Learning,
    /// Nothing holds it back.
    Normal,
}

impl ReasonCode {
    /// Whether it says that a fuse, or the power cap, has no more to give.
    pub const fn is_about_a_fuse(self) -> bool {
        matches!(
            self,
            Self::MainFuse | Self::Circuit | Self::PowerLimit | Self::Thermal
        )
    }
}

/// What a load would have if one thing were otherwise: another load paused, or the house without its last peak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// The load that would be paused; left out: the peak of the house within the hold time would be forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<String>,
    /// What it would have, in amperes.
    pub current_a: Milliamps,
}

/// Why something is as it is. The text is made from the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Which reason.
    pub code: ReasonCode,
    /// The line that binds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The circuit that binds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// Another load that has to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<String>,
    /// What was measured where it binds, in amperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_a: Option<Milliamps>,
    /// The limit where it binds, in amperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<Milliamps>,
    /// What is left for the loads where it binds, in amperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_a: Option<Milliamps>,
    /// What the load had before, in amperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_a: Option<Milliamps>,
    /// What the load has now, in amperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_a: Option<Milliamps>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Instant>,
    /// What the load would have if one thing were otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterfactual: Option<Counterfactual>,
    /// The same as a sentence in English.
    pub text: String,
}
