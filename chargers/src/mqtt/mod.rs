//! Relays and chargers behind an MQTT broker (3.1.1), each described by a table of its topics.
//!
//! Inputs: the name of a profile, a broker and a topic. Outputs: an [`MqttDevice`] for the task of polled devices.
//!
//! Invariants: a command counts as taken when the broker has acknowledged it, and as obeyed when the device
//! tells so; a device that has not told its state for a while is not there; what the broker kept from before
//! (retained) is never news.

mod book;
mod client;
mod connection;
mod device;
mod profile;

pub(crate) use device::MqttDevice;
pub(crate) use profile::{names, profile};

#[cfg(test)]
mod tests;
