//! The engine seen from outside, for the page and the API: a copy, taken after a step.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::action::Reason;
use crate::event::ChargerStatus;
use crate::units::{Instant, Milliamps, PerPhase, Phase, Watts};

/// Where a line's current comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The meter said it.
    Measured,
    /// It follows from what the meter said of the other lines.
    Rebuilt,
    /// Not known: the worst that can be.
    WorstCase,
}

/// One line as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseState {
    /// Which line.
    pub phase: Phase,
    /// Current through the main fuse, in amperes.
    pub measured_a: Option<Milliamps>,
    /// The part of it that no configured load draws, in amperes.
    pub background_a: Option<Milliamps>,
    /// `limit_a` less `measured_a`, in amperes.
    pub headroom_a: Option<Milliamps>,
    /// Rating of the main fuse less the margin, in amperes.
    pub limit_a: Milliamps,
    /// Thermal state as a share of the value at which the fastest legal device may open.
    pub thermal: Option<f64>,
    /// Where `measured_a` comes from.
    pub source: Source,
}

/// The whole engine as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Instant,
    /// Path in the state machine.
    pub state: &'static str,
    /// Why the state is what it is.
    pub reason: Reason,
    /// The lines.
    pub phases: Vec<PhaseState>,
    /// The main meter.
    pub meter: MeterSnapshot,
    /// Chargers and slow loads, in the order of the configuration.
    pub loads: Vec<Arc<LoadSnapshot>>,
    /// What is wrong now.
    pub alarms: Vec<Alarm>,
    /// Highest background learnt, per line.
    pub highest_background: PerPhase<Milliamps>,
}

impl Snapshot {
    /// Takes over the loads that are as they were: many snapshots wait to be written, and most loads of a large site do not
    /// change from one to the next.
    pub fn share_loads(&mut self, before: &Self) {
        for (load, before) in self.loads.iter_mut().zip(&before.loads) {
            if load == before {
                *load = Arc::clone(before);
            }
        }
    }
}

/// How good the main meter's word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterState {
    /// No reading yet.
    Waiting,
    /// Fresh.
    Ok,
    /// Fresh, but a line is missing.
    Partial,
    /// Too old to give more, or frozen.
    Stale,
    /// None for too long.
    Lost,
}

/// The main meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterSnapshot {
    /// How good its word is.
    pub state: MeterState,
    /// When the newest reading came that counts.
    pub last: Option<Instant>,
    /// Learnt time between readings with currents, in milliseconds.
    pub period_ms: Option<u64>,
}

/// One load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSnapshot {
    /// Its id.
    pub id: String,
    /// The link to it; `None`: it has not been heard of yet.
    pub connected: Option<bool>,
    /// Why it has what it has.
    pub reason: Reason,
    /// What people want of it now.
    pub wishes: Vec<Wish>,
    /// What only one kind of load has.
    pub detail: LoadDetail,
}

/// What somebody wants of a load, until its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What is wanted.
    pub kind: WishKind,
    /// When it ends.
    pub until: Instant,
}

/// What can be wanted of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishKind {
    /// Nothing for it.
    Pause,
    /// No more than this for it, in amperes.
    Limit(Milliamps),
    /// Highest class for it.
    Boost,
}

/// What only one kind of load has.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadDetail {
    /// A charger.
    Charger {
        /// State of its connector.
        status: ChargerStatus,
        /// What it was told last, in amperes; `None`: nothing yet.
        setpoint: Option<Milliamps>,
        /// What it says it draws, per terminal.
        measured: Option<Vec<Option<Milliamps>>>,
        /// What it last said yes to, in amperes.
        acknowledged: Option<Milliamps>,
        /// When its lease runs out.
        lease_until: Option<Instant>,
        /// Does it do what it was told; `None`: not known yet.
        following: Option<bool>,
    },
    /// A slow load.
    SlowLoad {
        /// Whether its relay is closed, as it says or else as it was told.
        on: Option<bool>,
        /// What it says it draws.
        power: Option<Watts>,
        /// Does it do what it was told; `None`: not known yet.
        following: Option<bool>,
    },
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// A stable code; those about the meter begin with `meter_`.
    pub code: String,
    /// The load that it is about.
    pub load: Option<String>,
    /// Since when.
    pub since: Instant,
    /// What happened, what was done, what to do.
    pub text: String,
}
