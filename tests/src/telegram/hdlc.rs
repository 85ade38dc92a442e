//! HDLC frames of type 3 (IEC 62056-46) around DLMS data notifications, and A-XDR elements for them.

use crc::{CRC_16_IBM_SDLC, Crc};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_SDLC);

/// Addresses and control byte of a maker.
#[derive(Clone, Copy, Debug)]
pub struct Addresses(pub &'static [u8]);

/// One frame around a body: LLC, notification header and A-XDR data.
pub fn frame(addresses: Addresses, body: &[u8]) -> Vec<u8> {
    // Format field, addresses and control, header checksum, body, frame checksum.
    let length = 2 + addresses.0.len() + 2 + body.len() + 2;
    let format = 0xA000 | u16::try_from(length).unwrap();
    assert!(length < 0x800, "the length field has 11 bits");
    let mut frame = format.to_be_bytes().to_vec();
    frame.extend_from_slice(addresses.0);
    frame.extend_from_slice(&CRC.checksum(&frame).to_le_bytes());
    frame.extend_from_slice(body);
    frame.extend_from_slice(&CRC.checksum(&frame).to_le_bytes());
    frame.insert(0, 0x7E);
    frame.push(0x7E);
    frame
}

/// LLC and the head of a data notification. `time` is what stands for the date and time.
pub fn notification(invoke_id: [u8; 4], time: &[u8], data: &[u8]) -> Vec<u8> {
    [&[0xE6, 0xE7, 0x00, 0x0F][..], &invoke_id, time, data].concat()
}

/// 2026-01-15 12:00:10, a Thursday, offset and status not given.
pub const TIME: [u8; 12] = [0x07, 0xEA, 1, 15, 4, 12, 0, 10, 0xFF, 0x80, 0x00, 0xFF];

pub(crate) fn obis(code: [u8; 6]) -> Vec<u8> {
    [&[0x09, 6][..], &code].concat()
}

pub(crate) fn visible(text: &str) -> Vec<u8> {
    [
        &[0x0A, u8::try_from(text.len()).unwrap()][..],
        text.as_bytes(),
    ]
    .concat()
}

pub(crate) fn octets(text: &str) -> Vec<u8> {
    [
        &[0x09, u8::try_from(text.len()).unwrap()][..],
        text.as_bytes(),
    ]
    .concat()
}

pub(crate) fn u32(value: u32) -> Vec<u8> {
    [&[0x06][..], &value.to_be_bytes()].concat()
}

pub(crate) fn u16(value: u32) -> Vec<u8> {
    [&[0x12][..], &u16::try_from(value).unwrap().to_be_bytes()].concat()
}

pub(crate) fn i16(value: u32) -> Vec<u8> {
    [&[0x10][..], &i16::try_from(value).unwrap().to_be_bytes()].concat()
}

pub(crate) fn structure(items: &[Vec<u8>]) -> Vec<u8> {
    list(0x02, items)
}

pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    list(0x01, items)
}

fn list(tag: u8, items: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![tag, u8::try_from(items.len()).unwrap()];
    bytes.extend(items.concat());
    bytes
}
