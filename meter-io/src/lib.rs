//! Meter sources: from a port to readings.
//!
//! Purpose: open what a source names, keep it open, find its serial parameters, decode what it sends, and hand over the
//! newest reading. Input: a [`Source`] and [`Settings`]. Output: a [`Meter`] with readings and a status.
//!
//! Invariants: nothing queues, the newest reading wins; a reading with the total power alone never takes the place of one
//! with currents; a lost port is closed and opened again with growing pauses, for ever; a source that hangs or panics
//! harms only itself.

#![warn(missing_docs)]

mod backoff;
mod feed;
mod file;
mod link;
mod meter;
mod period;
mod reading;
mod serial;
mod slot;
mod source;
mod status;
mod task;
mod tcp;

pub use headroom_codec::{Item, Key, KeyError, Protocol, Rejected, Telegram, anonymous};
pub use meter::{Heard, Meter, Settings, start, start_tapped};
pub use reading::translate;
pub use serial::{Line, LineParity, serial_ports};
pub use slot::MeterReading;
pub use source::{Source, SourceError, SourceKind};
pub use status::MeterStatus;
