//! OCPP-J sessions of a central system, as pure state machines.
//!
//! Purpose: everything about one connection with one charge point that is not a socket: frames,
//! the one outstanding call, time-outs, the set-up after boot, the charging profiles, and the
//! reading of what the charge point tells. Inputs: text frames, limits, the passing of time.
//! Outputs: text frames, reports, outcomes. Time is always an argument ([`Now`]); nothing here
//! reads a clock, opens a socket or spawns a task.
//!
//! Invariants: any bytes are accepted without panic and in bounded memory; what is read is read
//! tolerantly, what is written follows the schemas of OCPP 1.6 (edition 2), 2.0.1 and 2.1 to the
//! letter; without control nothing is ever sent but answers; a limit is always a lease.
//!
//! Layout: [`frame`], [`time`], `value`, `clock`, `calls` and `wear` know no version of OCPP; `v16`
//! holds the messages of 1.6 and the session that speaks them, `v201` those of 2.0.1; [`Session`] is
//! the one that was agreed upon, and [`Sessions`] are those of one connection, one for each connector. Another version is another such module.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod calls;
mod clock;
pub mod frame;
mod session;
mod sessions;
pub mod time;
mod types;
pub mod v16;
pub mod v201;
mod value;
mod wear;

pub use clock::{Clock, ClockOffset};
pub use session::{Learnt, Session, Version};
pub use sessions::Sessions;
pub use types::{
    Capabilities, Counters, Grade, Identity, LimitOutcome, LimitRequest, Note, Now, Operation,
    Output, Report, Settings, Status, Trigger,
};
pub use wear::WRITES_PER_DAY;
