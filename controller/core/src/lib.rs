//! The decision core of Headroom: pure, deterministic, without clock or I/O.
//!
//! Events go in with the time as an argument, actions come out with their reasons as data. The same
//! core runs in `headroom run`, `demo`, `engine`, `simulate` and `replay`.
//!
//! Invariants
//! - The same events give the same actions, byte for byte.
//! - Currents are integers of milliamperes. Floating point lives in [`fuse`] and at the edge where
//!   numbers are read from and written to text ([`units`]), nowhere else.
//! - [`Engine::step`] never fails and never blocks; what is wrong with an event is told beforehand by
//!   [`Engine::check`].
#![warn(missing_docs)]
#![deny(clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::float_arithmetic))]

pub mod action;
pub mod allocate;
pub mod background;
pub mod config;
pub mod engine;
pub mod event;
pub mod fuse;
pub mod identity;
pub mod it;
pub mod learnt;
pub mod load;
pub mod login;
pub mod meter;
pub mod plan;
pub mod reason;
pub mod rotation;
pub mod snapshot;
pub mod supervisor;
pub mod trial;
pub mod units;
pub mod validate;

pub use action::{Action, Actions, Command, Reason, ReasonCode};
pub use config::Config;
pub use engine::{Checkpoint, Engine};
pub use event::{Event, EventError};
pub use learnt::Learnt;
pub use snapshot::Snapshot;
pub use units::{Instant, Milliamps, Millivolts, PerPhase, Phase, Watts};
