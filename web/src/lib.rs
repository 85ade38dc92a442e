//! The HTTP side of Headroom: the API under `/api/v1`, live events, health, and the page itself.
//!
//! Inputs: requests of people and programs; the state of the house as the loop publishes it. Outputs: answers,
//! changes of the configuration ([`ControlRequest`]), wishes for loads.
//!
//! Invariants
//! - The loop never waits for anything here: it publishes, and takes what is in a queue.
//! - Every route under `/api/v1` stands in one of the groups of `routes.rs`, each with the least role that it
//!   asks for; only `/setup` and `/login` ask for none.
//! - A change is checked, stored, told to the loop, and answered, in this order; what is wrong changes nothing.
//! - Errors are RFC 9457 problem documents with a stable `code`.
#![warn(missing_docs)]

mod api;
mod app;
pub mod apply;
mod body;
mod change;
pub mod demo;
mod files;
mod guard;
mod health;
mod identity;
pub mod notify;
mod origin;
mod packed;
mod parquet;
mod part;
mod plain;
mod plausible;
mod problem;
mod query;
mod routes;
mod serve;
mod shape;
pub mod status;
#[cfg(test)]
mod tests;
mod throttle;
pub mod tls;
mod trace;
mod unique;
mod upkeep;
mod words;

pub use api::accounts::{NAME_RULE, is_name};
pub use app::{
    App, ChargerTest, ControlRequest, Devices, Discovered, Measured, MeterCandidate, Operation,
    ReadingEvent, ServerEvent, TestRefused, Unmatched,
};
pub use health::Health;
pub use origin::is_host_name;
pub use part::part;
pub use plain::warn_of_clear;
pub use routes::router;
pub use serve::{serve, serve_until};
pub use shape::array_for_object;
pub use status::{MeterInfo, Status, StatusInputs};
pub use trace::{MeterTraced, OcppTraced};
pub use unique::Unique;
pub use upkeep::Upkeep;
