//! OCPP 2.0.1 (and the little of 2.1 that is used): messages, charging profiles, set-up and session.
//!
//! Only the messages differ from 1.6: how a form of profile is found, how a connector's values are
//! kept and how meter values are read is the same, and taken from there.

mod evidence;
mod evse;
mod incoming;
mod meter_values;
mod outgoing;
mod profile;
#[cfg(test)]
pub(crate) mod schema_tests;
pub mod session;
#[cfg(test)]
mod session_tests;
mod setup;
