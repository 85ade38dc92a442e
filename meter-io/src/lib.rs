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
mod clock;
mod damage;
mod feed;
mod file;
mod hearing;
mod http;
mod impossible;
mod link;
mod lists;
mod meter;
mod modbus;
mod mqtt;
mod period;
mod ratio;
mod reading;
mod serial;
mod slot;
mod source;
mod status;
mod task;
mod tcp;
mod words;

pub use headroom_codec::{
    FrameCounters, Item, Key, KeyError, PUBLIC_AUTH_KEY, PUBLIC_KEY, Protocol, Rejected, Telegram,
    anonymous,
};
pub use impossible::Impossible;
pub use meter::{Heard, Meter, Settings, start, start_tapped};
pub use reading::{Place, Translator};
pub use serial::{Line, LineError, LineParity, serial_ports};
pub use slot::MeterReading;
pub use source::{
    Authority, HttpKind, HttpMeter, Login, ModbusMeter, ModbusWay, MqttTopic, Source, SourceError,
    SourceKind, Trust,
};
pub use status::{ListStatus, MeterStatus};
