//! Drivers for what Headroom throttles: chargers that connect over OCPP, relays that answer HTTP.
//!
//! Inputs: the configuration ([`Devices::configure`]) and commands ([`Devices::send`]). Outputs:
//! [`DeviceEvent`]s: reports in the core's own shape, and the fate of each command. One task per
//! device; no call from outside ever waits for a device.
//!
//! Invariants: a device that fails, hangs, lies or floods harms itself only; of several commands
//! for one device the newest counts, and nothing holds it up but the device itself; what is
//! switched on or raised falls back by itself when the renewals stop.

#![deny(clippy::indexing_slicing)]

mod bucket;
mod central;
mod check;
mod devices;
mod discovery;
mod http;
mod message;
mod modbus;
mod mqtt;
mod once;
mod polled;
mod shelly;
mod wall;

pub use central::{Direction, Mute, Refused, RefusedFor, ServeError, TlsDoor, Traced, Unmatched};
pub use check::profile_problem;
pub use devices::{DeviceSettings, Devices};
pub use discovery::{Discovery, Found, FoundKind};
pub use headroom_ocpp::{Capabilities, Grade, LimitOutcome as OperationOutcome, Operation};
pub use http::{
    Exchange, NOT_SAID, OnLoss, Param, Profile, ProfileError, ProfileKind, Safety, Trial,
    TrialError, Understood, names as http_profiles, shipped as http_profile,
    use_folder as use_http_profiles,
};
pub use message::{DeviceCommand, DeviceEvent};
pub use wall::WallClock;
