//! OCPP 1.6 (JSON): messages, charging profiles, set-up and session.

mod connector;
mod incoming;
mod ladder;
mod meter_values;
mod outgoing;
mod profile;
pub mod session;
#[cfg(test)]
mod session_tests;
mod setup;
