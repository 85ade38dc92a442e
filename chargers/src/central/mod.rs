//! The OCPP central system: charge points connect here.

mod auth;
mod connection;
mod handshake;
mod identity;
mod places;
mod pulse;
mod refused;
mod roster;
mod said;
mod serve;
mod trace;

pub(crate) use connection::Limits;
pub use handshake::Unmatched;
pub(crate) use handshake::router;
pub use pulse::Mute;
pub use refused::{Refused, RefusedFor};
pub(crate) use roster::{Auth, KnownCharger, Roster};
pub(crate) use serve::serve;
pub use serve::{ServeError, TlsDoor};
pub use trace::{Direction, Traced};
