//! The OCPP central system: charge points connect here.

mod auth;
mod connection;
mod handshake;
mod identity;
mod roster;
mod serve;

pub(crate) use connection::Limits;
pub use handshake::Unmatched;
pub(crate) use handshake::router;
pub(crate) use roster::{Auth, KnownCharger, Roster};
pub use serve::ServeError;
pub(crate) use serve::serve;
