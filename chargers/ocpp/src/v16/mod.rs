//! OCPP 1.6 (JSON): messages, charging profiles, set-up and session.

pub(crate) mod composite;
pub(crate) mod connector;
mod incoming;
pub(crate) mod ladder;
pub(crate) mod meter_values;
mod outgoing;
pub(crate) mod profile;
mod quirks;
pub mod session;
#[cfg(test)]
mod session_tests;
mod setup;
