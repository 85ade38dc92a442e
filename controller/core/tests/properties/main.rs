//! What holds for every house, meter, charger and car: one property a test, each named after its invariant. A failing
//! seed prints the line that repeats it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adverse;
mod bad_configurations;
mod bad_readings;
mod checkpoints;
mod fairness;
mod grants;
mod house;
mod leases;
mod reconfigured;
mod renaming;
mod reports;
mod runner;
mod setup;
mod silence;
mod steps;
mod thermal;
mod wires;
