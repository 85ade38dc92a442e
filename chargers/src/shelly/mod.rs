//! Relays of the Shelly family, second generation and later, over their HTTP RPC.

mod client;
mod digest;
mod relay;

pub(crate) use client::Client;
