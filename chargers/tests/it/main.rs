//! The drivers against real sockets, on the loopback only.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall fail"
)]

mod central;
mod house;
mod ocpp201;
mod point;
mod relay;
mod shelly;
