//! What goes to devices and what comes from them.

use headroom_core::{
    event::{ChargerReport, Outcome, SlowLoadReport},
    units::Milliamps,
};
use jiff::Timestamp;

/// A command for one device. A newer one for the same device replaces one that was not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceCommand {
    /// A charger's limit, as a lease.
    SetLimit {
        /// Number of the command; comes back in [`DeviceEvent::Outcome`].
        command: u64,
        /// Id of the charger.
        load: String,
        /// Limit per phase; 0 pauses.
        limit: Milliamps,
        /// How many phases the charger shall use; 0 if that is not known.
        phases: u8,
        /// Seconds after which the charger falls to `safe`.
        lease_s: u32,
        /// Where it falls to.
        safe: Milliamps,
        /// Whether this repeats the present limit.
        renewal: bool,
    },
    /// A slow load's relay.
    Switch {
        /// Number of the command; comes back in [`DeviceEvent::Outcome`].
        command: u64,
        /// Id of the slow load.
        load: String,
        /// Closed or open.
        on: bool,
        /// Seconds after which a closed relay opens by itself.
        lease_s: u32,
        /// Whether this repeats the present state.
        renewal: bool,
    },
}

impl DeviceCommand {
    /// Number of the command.
    pub const fn command(&self) -> u64 {
        match self {
            Self::SetLimit { command, .. } | Self::Switch { command, .. } => *command,
        }
    }

    /// Id of the device.
    pub fn load(&self) -> &str {
        match self {
            Self::SetLimit { load, .. } | Self::Switch { load, .. } => load,
        }
    }
}

/// News from the devices.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceEvent {
    /// State of a charger: on each change, with every message of meter values, and when the
    /// connection comes or goes.
    Charger(ChargerReport),
    /// State of a slow load: on each change and with every poll.
    SlowLoad(SlowLoadReport),
    /// The fate of a command, once. A command that was replaced before it was sent gets none.
    Outcome {
        /// Number of the command.
        command: u64,
        /// What became of it; a device that is not connected is a time-out.
        outcome: Outcome,
        /// When it was first sent.
        sent_at: Timestamp,
        /// When the device answered; `None` on a time-out.
        acknowledged_at: Option<Timestamp>,
    },
}
