//! A-XDR elements (IEC 62056-6-2, 4.1.5) and what stands around them in a data notification.

use crate::values::{Clock, steps};

pub const WATT: u8 = 27;
pub const VAR: u8 = 29;
pub const WATT_HOUR: u8 = 30;
pub const VAR_HOUR: u8 = 32;
pub const AMPERE: u8 = 33;
pub const VOLT: u8 = 35;

/// Tag of an array.
pub const ARRAY: u8 = 1;
/// Tag of a structure.
pub const STRUCTURE: u8 = 2;

/// data-notification with a date-time coded as given.
pub fn notification(date_time: &[u8], body: &[u8]) -> Vec<u8> {
    [&[0x0F, 0x40, 0, 0, 0], date_time, body].concat()
}

/// 15 January 2026, 12:00:10, no offset.
pub const CLOCK: [u8; 12] = [0x07, 0xEA, 1, 15, 4, 12, 0, 10, 0xFF, 0x80, 0x00, 0x00];

/// The date-time before a body as the standard codes it: length and twelve bytes, or absent.
pub fn plain_time(clock: Option<Clock>) -> Vec<u8> {
    match clock {
        Some(_) => [&[0x0C][..], &Clock::dlms(clock)].concat(),
        None => vec![0],
    }
}

/// The same with the tag of octets, as Kaifa codes it.
pub fn tagged_time(clock: Option<Clock>) -> Vec<u8> {
    match clock {
        Some(_) => time_octets(clock),
        None => vec![0],
    }
}

/// A clock as a value of a list.
pub fn time_octets(clock: Option<Clock>) -> Vec<u8> {
    [&[0x09, 0x0C][..], &Clock::dlms(clock)].concat()
}

pub fn obis(code: [u8; 5]) -> Vec<u8> {
    [&[0x09, 0x06][..], &code, &[0xFF]].concat()
}

pub fn octets(text: &str) -> Vec<u8> {
    [&[0x09, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

pub fn visible(text: &str) -> Vec<u8> {
    [&[0x0A, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

pub fn u32v(value: u32) -> Vec<u8> {
    [&[0x06][..], &value.to_be_bytes()].concat()
}

pub fn u16v(value: u16) -> Vec<u8> {
    [&[0x12][..], &value.to_be_bytes()].concat()
}

pub fn i16v(value: i16) -> Vec<u8> {
    [&[0x10][..], &value.to_be_bytes()].concat()
}

/// A measured value in steps, as u32.
pub(crate) fn long(value: Option<i64>, step: i64) -> Vec<u8> {
    u32v(u32::try_from(steps(value, step)).unwrap())
}

/// A measured value in steps, as u16.
pub(crate) fn short(value: Option<i64>, step: i64) -> Vec<u8> {
    u16v(u16::try_from(steps(value, step)).unwrap())
}

/// A measured value in steps, as i16.
pub(crate) fn signed(value: Option<i64>, step: i64) -> Vec<u8> {
    i16v(i16::try_from(steps(value, step)).unwrap())
}

pub fn sequence(tag: u8, items: &[Vec<u8>]) -> Vec<u8> {
    [
        &[tag, u8::try_from(items.len()).unwrap()],
        items.concat().as_slice(),
    ]
    .concat()
}

/// Scaler (a power of ten) and unit.
pub fn scale(scaler: i8, unit: u8) -> Vec<u8> {
    let scaler = scaler.to_be_bytes()[0];
    sequence(STRUCTURE, &[vec![0x0F, scaler], vec![0x16, unit]])
}

/// An item of Aidon's shape: code, value, scaler and unit.
pub fn item(code: [u8; 5], value: Vec<u8>, scaler: i8, unit: u8) -> Vec<u8> {
    sequence(STRUCTURE, &[obis(code), value, scale(scaler, unit)])
}

pub fn text_item(code: [u8; 5], text: &str) -> Vec<u8> {
    sequence(STRUCTURE, &[obis(code), visible(text)])
}

/// Group C of the currents of L1, L2 and L3.
pub(crate) const CURRENTS: [u8; 3] = [31, 51, 71];
/// Group C of the voltages of L1, L2 and L3.
pub(crate) const VOLTAGES: [u8; 3] = [32, 52, 72];
/// Group C of the powers drawn of L1, L2 and L3; those fed in are one more.
pub(crate) const PHASE_POWERS: [u8; 3] = [21, 41, 61];

/// The code of an instantaneous value.
pub(crate) fn now(c: u8) -> [u8; 5] {
    [1, 0, c, 7, 0]
}

/// The code of an energy.
pub(crate) fn counted(c: u8) -> [u8; 5] {
    [1, 0, c, 8, 0]
}
