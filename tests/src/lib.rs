//! What the end-to-end tests share: the real binary, a meter on a pseudo-terminal, a house, charge points.
//!
//! Nothing here is a copy of the product: telegrams are written by encoders of their own, the charge points
//! use other people's libraries, and the product is only reached through its binary, its ports and its files.
//!
//! Invariants: every wait has a deadline; every process that was started is killed when its handle is dropped,
//! by its own id; only loopback addresses are used.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::duration_suboptimal_units,
    reason = "test support: a panic is the failure of the test that called"
)]

pub mod api;
pub mod broker;
pub mod certificates;
pub mod charge_point;
pub mod controller;
pub mod demo;
pub mod engine;
pub mod events;
pub mod goe;
pub mod house;
pub mod http_meter;
pub mod http_server;
pub mod listener;
pub mod mail_server;
pub mod modbus_meter;
pub mod mqtt_relay;
pub mod network_meter;
pub mod network_serial;
pub mod own_telegrams;
pub mod peer;
pub mod process;
pub mod program;
pub mod pty;
pub mod relay;
pub mod serial_pair;
pub mod timed_charger;
pub mod tls_front;
pub mod tools;
pub mod wait;

pub use headroom_encode as telegram;
