//! The plant: a house in virtual time.
//!
//! Purpose: a house whose currents answer to what chargers and relays are told, for `headroom demo`,
//! for the benchmark and for tests. Inputs: a description ([`HouseSpec`]), a seed, the passing of
//! virtual time, commands to charge points and relays, faults. Outputs: what the meter, the charge
//! points and the relays would say.
//!
//! Invariants
//! - No clock, no I/O, no threads: the same description, seed and calls give the same values, bit for
//!   bit (only + − × ÷ and square roots are used).
//! - Time advances in ticks ([`TICK_MS`] unless the description says another); what is commanded between two ticks takes effect in the next.
//! - The plant knows nothing of the controller: it draws what its people and cars want, as far as the
//!   charge points and relays let them.
//!
//! It models grids with neutral (TN), three phases or one, and without (IT, three lines): [`current`].
#![warn(missing_docs)]

pub mod appliance;
pub mod bench;
pub mod car;
pub mod charge_point;
pub mod current;
pub mod demo;
pub mod heater;
pub mod house;
pub mod meter;
pub mod p1;
pub mod profile;
pub mod random;
mod voltage;

pub use appliance::ApplianceSpec;
pub use car::CarSpec;
pub use charge_point::{ChargePoint, ChargePointSpec, ConnectorStatus, Obedience};
pub use heater::{Heater, HeaterSpec};
pub use house::{House, HouseSpec, TICK_MS, UnknownDevice};
pub use meter::{MeterSample, MeterSpec};

/// Seconds of a number of milliseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "virtual time stays far below 2^53 ms"
)]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// Milliseconds of a number of seconds; what is not a time counts as none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn millis(s: f64) -> u64 {
    (s * 1000.0).clamp(0.0, 1e15).round() as u64
}
