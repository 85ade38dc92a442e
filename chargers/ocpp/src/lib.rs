//! OCPP-J sessions of a central system, as pure state machines.
//!
//! Purpose: everything about one connection with one charge point that is not a socket: frames,
//! the one outstanding call, time-outs, the set-up after boot, the charging profiles, and the
//! reading of what the charge point tells. Inputs: text frames, limits, the passing of time.
//! Outputs: text frames, reports, outcomes. Time is always an argument ([`Now`]); nothing here
//! reads a clock, opens a socket or spawns a task.
//!
//! Invariants: any bytes are accepted without panic and in bounded memory; what is read is read
//! tolerantly, what is written follows the schemas of OCPP 1.6 (edition 2) to the letter; without
//! control nothing is ever sent but answers; a limit is always a lease.
//!
//! Layout: [`frame`], [`time`], `value`, `clock` and `calls` know no version of OCPP; `v16` holds
//! the messages of 1.6 and the session that speaks them. Another version is another such module.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod calls;
mod clock;
pub mod frame;
pub mod time;
mod types;
pub mod v16;
mod value;

pub use clock::{Clock, ClockOffset};
pub use types::{
    Counters, Identity, LimitOutcome, LimitRequest, Note, Now, Output, Report, Settings, Status,
};
pub use v16::session::{Learnt, Session};
