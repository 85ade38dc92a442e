//! From the bytes of a meter's customer port to telegrams.
//!
//! Purpose: one push decoder, [`Decoder`], for the families of ports that houses have: P1 in ASCII (IEC 62056-21
//! mode D), DLMS lists in HDLC frames (IEC 62056-46) or wired M-Bus frames, SML and Linky TIC, in clear or ciphered
//! (AES-128-GCM, general-glo-ciphering).
//!
//! Input: bytes in pieces of any size, from any moment on. Output: [`Telegram`]s with integer values and their
//! resolution, and [`Rejected`] notes that say what was dropped and why.
//!
//! Invariants: no input makes it panic; memory is bounded (see [`MAX_TELEGRAM`]); bytes that fail their checksum never
//! become a telegram; no clock, file or socket is touched. A new meter is a row in [`profile`]'s tables; a new family is
//! one more framer beside the others.

#![warn(missing_docs)]

mod bytes;
mod checksum;
mod cipher;
mod counters;
mod decoder;
mod dlms;
mod hdlc;
pub mod json;
mod mask;
mod mbus;
pub mod modbus;
mod p1;
mod parity;
pub mod profile;
mod quantity;
mod sml;
mod telegram;
mod tic;
mod time;

pub use cipher::{Key, KeyError, PUBLIC_AUTH_KEY, PUBLIC_KEY};
pub use counters::{FrameCounter, FrameCounters, NoFrameCounters};
pub use decoder::{Decoder, Item, MAX_TELEGRAM, Options, Reason, Rejected};
pub use mask::anonymous;
pub use quantity::Quantity;
pub use telegram::{PhaseValues, Protocol, Telegram, Text, UnknownProtocol};
pub use time::MeterTime;
