//! Builds telegrams of every family with own ids and keys, for tests.
//!
//! Input: [`Values`], what a meter measures. Output: bytes as the meter would send them. [`families`] lists every kind
//! with what it can carry ([`Carries`]). Checksums are computed bit by bit here, so that the decoder's tables are not
//! checked against themselves; nothing of the decoder is used.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    clippy::large_types_passed_by_value,
    reason = "a wrong telegram is a mistake of the test that asks for it"
)]

pub mod aidon;
pub mod axdr;
mod carries;
pub mod checksum;
pub mod cipher;
mod families;
pub mod hdlc;
pub mod iskra;
pub mod kaifa;
pub mod kamstrup;
pub mod landis;
pub mod mbus;
pub mod p1;
pub mod sml;
pub mod tic;
mod values;

pub use aidon::{aidon_list_1, aidon_list_2};
pub use axdr::{
    CLOCK, i16v, item, notification, obis, octets, sequence, text_item, u16v, u32v, visible,
};
pub use carries::{Carries, Clocks, PhaseSlots, Range, Slot};
pub use checksum::{arc, kermit, kermit_swapped, x25};
pub use cipher::{AUTH_KEY, KEY, TITLE, cipher};
pub use families::{Family, Security, families};
pub use hdlc::{AIDON, KAIFA, KAMSTRUP, LLC, blocks, hdlc, hdlc_segment, segments};
pub use kaifa::{kaifa_list_1, kaifa_list_2};
pub use kamstrup::{kamstrup_apdu, kamstrup_list};
pub use mbus::mbus;
pub use p1::{p1, p1_body, seven_even};
pub use sml::{sml, sml_checked, sml_entry};
pub use tic::tic;
pub use values::{Clock, Phase, Values};
