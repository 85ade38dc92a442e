//! The drivers against real sockets, on the loopback only.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on shall fail"
)]

mod central;
mod house;
mod log;
mod ocpp201;
mod phases;
mod point;
mod relay;
mod shelly;
mod tls;
