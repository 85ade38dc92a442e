//! Chargers and relays behind Modbus TCP, each described by a table of its registers.
//!
//! Inputs: the name of a profile, an address and a unit. Outputs: a [`ModbusDevice`] for the task of polled
//! devices. A charger that falls back by itself is set to the lease, or its own times are read and told; one that does
//! not is told so.

mod device;
mod link;
mod profile;
mod register;
mod station;

pub(crate) use device::ModbusDevice;
pub(crate) use link::with_port;
pub(crate) use profile::{names, profile};

#[cfg(test)]
mod tests;
