//! Builds telegrams of every family with own ids and keys. Checksums are computed bit by bit here, so that the decoder's
//! tables are not checked against themselves.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a wrong telegram is a mistake of the test that asks for it"
)]

use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
    aes::Aes128,
};

pub const KEY: &str = "000102030405060708090A0B0C0D0E0F";
pub const AUTH_KEY: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";

fn reflected(polynomial: u16, start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ polynomial
            } else {
                crc >> 1
            }
        })
    })
}

pub fn arc(bytes: &[u8]) -> u16 {
    reflected(0xA001, 0, bytes)
}

pub fn x25(bytes: &[u8]) -> u16 {
    !reflected(0x8408, 0xFFFF, bytes)
}

/// A P1 telegram with its CRC.
pub fn p1(lines: &str) -> Vec<u8> {
    let text = p1_body(lines);
    let crc = arc(&text);
    [&text[..], format!("{crc:04X}\r\n").as_bytes()].concat()
}

/// A P1 telegram up to and with `!`. The first line is the header without `/`.
pub fn p1_body(lines: &str) -> Vec<u8> {
    let (header, values) = lines.trim().split_once('\n').unwrap();
    let mut text = format!("/{}\r\n\r\n", header.trim());
    for line in values.lines() {
        text += line.trim();
        text += "\r\n";
    }
    text.push('!');
    text.into_bytes()
}

/// Seven data bits and even parity, as an 8N1 reader sees them.
pub fn seven_even(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| {
            if byte.count_ones() % 2 == 1 {
                byte | 0x80
            } else {
                *byte
            }
        })
        .collect()
}

/// An HDLC frame; `header` holds addresses and control.
pub fn hdlc_segment(header: &[u8], info: &[u8], more: bool) -> Vec<u8> {
    let length = 2 + header.len() + 2 + info.len() + 2;
    let format = 0xA000 | if more { 0x0800 } else { 0 } | u16::try_from(length).unwrap();
    let mut frame = format.to_be_bytes().to_vec();
    frame.extend(header);
    frame.extend(x25(&frame).to_le_bytes());
    frame.extend(info);
    frame.extend(x25(&frame).to_le_bytes());
    [&[0x7E], &frame[..], &[0x7E]].concat()
}

pub fn hdlc(header: &[u8], apdu: &[u8]) -> Vec<u8> {
    hdlc_segment(header, &[&[0xE6, 0xE7, 0x00], apdu].concat(), false)
}

pub const AIDON: [u8; 4] = [0x41, 0x08, 0x83, 0x13];
pub const KAIFA: [u8; 4] = [0x01, 0x02, 0x01, 0x10];
pub const KAMSTRUP: [u8; 3] = [0x2B, 0x21, 0x13];

/// data-notification with a date-time coded as given.
pub fn notification(date_time: &[u8], body: &[u8]) -> Vec<u8> {
    [&[0x0F, 0x40, 0, 0, 0], date_time, body].concat()
}

/// 15 January 2026, 12:00:10, no offset.
pub const CLOCK: [u8; 12] = [0x07, 0xEA, 1, 15, 4, 12, 0, 10, 0xFF, 0x80, 0x00, 0x00];

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

pub fn sequence(tag: u8, items: &[Vec<u8>]) -> Vec<u8> {
    [
        &[tag, u8::try_from(items.len()).unwrap()],
        items.concat().as_slice(),
    ]
    .concat()
}

/// Aidon's item: code, value, scaler and unit.
pub fn item(code: [u8; 5], value: Vec<u8>, scaler: i8, unit: u8) -> Vec<u8> {
    let scale = sequence(2, &[vec![0x0F, scaler.to_be_bytes()[0]], vec![0x16, unit]]);
    sequence(2, &[obis(code), value, scale])
}

pub fn text_item(code: [u8; 5], text: &str) -> Vec<u8> {
    sequence(2, &[obis(code), visible(text)])
}

/// Aidon's list of a three-wire meter: no current of L2; L1 may be negative.
pub fn aidon_list_2(power: u32, l1: i16, l3: i16) -> Vec<u8> {
    let items = [
        text_item([1, 1, 0, 2, 129], "AIDON_V0001"),
        text_item([0, 0, 96, 1, 0], "1000000000000001"),
        text_item([0, 0, 96, 1, 7], "6525"),
        item([1, 0, 1, 7, 0], u32v(power), 0, 27),
        item([1, 0, 2, 7, 0], u32v(0), 0, 27),
        item([1, 0, 3, 7, 0], u32v(0), 0, 29),
        item([1, 0, 4, 7, 0], u32v(86), 0, 29),
        item([1, 0, 31, 7, 0], i16v(l1), -1, 33),
        item([1, 0, 71, 7, 0], i16v(l3), -1, 33),
        item([1, 0, 32, 7, 0], u16v(2376), -1, 35),
        item([1, 0, 52, 7, 0], u16v(2359), -1, 35),
        item([1, 0, 72, 7, 0], u16v(2365), -1, 35),
    ];
    hdlc(&AIDON, &notification(&[0], &sequence(1, &items)))
}

pub fn aidon_list_1(power: u32) -> Vec<u8> {
    let items = [item([1, 0, 1, 7, 0], u32v(power), 0, 27)];
    hdlc(&AIDON, &notification(&[0], &sequence(1, &items)))
}

fn tagged_clock() -> Vec<u8> {
    [&[0x09, 0x0C][..], &CLOCK].concat()
}

pub fn kaifa_list_1(power: u32) -> Vec<u8> {
    hdlc(
        &KAIFA,
        &notification(&tagged_clock(), &sequence(2, &[u32v(power)])),
    )
}

/// Kaifa's list of a meter that sends 0 V for L2.
pub fn kaifa_list_2(power: u32, currents_ma: [u32; 3]) -> Vec<u8> {
    let mut items = vec![
        octets("KFM_001"),
        octets("6970630000000001"),
        octets("MA304H3E"),
    ];
    items.extend([power, 0, 0, 5].map(u32v));
    items.extend(currents_ma.map(u32v));
    items.extend([2389, 0, 2377].map(u32v));
    hdlc(&KAIFA, &notification(&tagged_clock(), &sequence(2, &items)))
}

/// Kamstrup's list; `phases` below three are null, as single-phase meters send them.
pub fn kamstrup_list(phases: usize) -> Vec<u8> {
    hdlc(&KAMSTRUP, &kamstrup_apdu(phases))
}

pub fn kamstrup_apdu(phases: usize) -> Vec<u8> {
    let mut items = vec![visible("Kamstrup_V0001")];
    let mut pair = |code: [u8; 5], value: Option<Vec<u8>>| match value {
        Some(value) => items.extend([obis(code), value]),
        None => items.extend([vec![0], vec![0]]),
    };
    pair([1, 1, 0, 0, 5], Some(visible("5700000000000001")));
    pair([1, 1, 96, 1, 1], Some(visible("6841121BN243101040")));
    pair([1, 1, 1, 7, 0], Some(u32v(1468)));
    pair([1, 1, 2, 7, 0], Some(u32v(0)));
    pair([1, 1, 3, 7, 0], Some(u32v(0)));
    pair([1, 1, 4, 7, 0], Some(u32v(462)));
    for (index, (code, value)) in [(31, 564), (51, 202), (71, 511)].into_iter().enumerate() {
        pair([1, 1, code, 7, 0], (index < phases).then(|| u32v(value)));
    }
    for (index, (code, value)) in [(32, 232), (52, 228), (72, 233)].into_iter().enumerate() {
        pair([1, 1, code, 7, 0], (index < phases).then(|| u16v(value)));
    }
    notification(&[&[0x0C][..], &CLOCK].concat(), &sequence(2, &items))
}

fn key_bytes(hex: &str) -> [u8; 16] {
    u128::from_str_radix(hex, 16).unwrap().to_be_bytes()
}

/// general-glo-ciphering; security control 0x30 with a tag, 0x20 without.
pub fn cipher(plain: &[u8], security: u8, title: [u8; 8], counter: u32) -> Vec<u8> {
    let nonce: [u8; 12] = [&title[..], &counter.to_be_bytes()]
        .concat()
        .try_into()
        .unwrap();
    let associated = [&[security][..], &key_bytes(AUTH_KEY)].concat();
    let mut body = plain.to_vec();
    let tag = AesGcm::<Aes128, U12, U12>::new(&key_bytes(KEY).into())
        .encrypt_inout_detached(&nonce.into(), &associated, body.as_mut_slice().into())
        .unwrap();
    if security & 0x10 != 0 {
        body.extend_from_slice(&tag);
    }
    let length = u16::try_from(body.len() + 5).unwrap().to_be_bytes();
    [
        &[0xDB, 8],
        &title[..],
        &[0x82],
        &length,
        &[security],
        &counter.to_be_bytes(),
        &body,
    ]
    .concat()
}

/// M-Bus frames of up to `size` bytes of data each.
pub fn mbus(apdu: &[u8], size: usize) -> Vec<u8> {
    let last = apdu.chunks(size).count() - 1;
    apdu.chunks(size)
        .enumerate()
        .flat_map(|(number, data)| {
            let info = u8::try_from(number).unwrap() | if number == last { 0x10 } else { 0 };
            let content = [&[0x53, 0xFF, info, 0x01, 0x67], data].concat();
            let length = u8::try_from(content.len() & 0xFF).unwrap();
            let sum = content
                .iter()
                .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            [&[0x68, length, length, 0x68], &content[..], &[sum, 0x16]].concat()
        })
        .collect()
}

/// General block transfer in HDLC frames, `size` bytes of the APDU in each block.
pub fn blocks(apdu: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = apdu.chunks(size).count();
    apdu.chunks(size)
        .zip(1_u16..)
        .map(|(data, number)| {
            let control = 0x40 | if usize::from(number) == last { 0x80 } else { 0 };
            let [high, low] = number.to_be_bytes();
            let length = u8::try_from(data.len()).unwrap();
            let block = [&[0xE0, control, high, low, 0, 0, length], data].concat();
            if number == 1 {
                hdlc(&[0xCE, 0xFF, 0x03, 0x13], &block)
            } else {
                hdlc_segment(&[0xCE, 0xFF, 0x03, 0x13], &block, false)
            }
        })
        .collect()
}

/// An SML value entry.
pub fn sml_entry(code: [u8; 5], unit: u8, scaler: i8, value: i32) -> Vec<u8> {
    let scaler = scaler.to_be_bytes()[0];
    [
        &[0x77, 0x07][..],
        &code,
        &[0xFF, 0x01, 0x01, 0x62, unit, 0x52, scaler, 0x55],
        &value.to_be_bytes(),
        &[0x01],
    ]
    .concat()
}

/// An SML file with one list of values.
pub fn sml(entries: &[Vec<u8>]) -> Vec<u8> {
    let count = u8::try_from(entries.len()).unwrap();
    let list = [
        &[0x77, 0x01, 0x03, 0xAA, 0xBB, 0x01, 0x01, 0x70 | count],
        entries.concat().as_slice(),
        &[0x01, 0x01],
    ]
    .concat();
    let message = [
        &[
            0x76, 0x02, 0x01, 0x62, 0x00, 0x62, 0x00, 0x72, 0x63, 0x07, 0x01,
        ],
        list.as_slice(),
        &[0x63, 0x00, 0x00, 0x00],
    ]
    .concat();
    let pad = (4 - message.len() % 4) % 4;
    let mut file = [
        &[0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1],
        message.as_slice(),
        &vec![0; pad],
    ]
    .concat();
    file.extend([0x1B, 0x1B, 0x1B, 0x1B, 0x1A, u8::try_from(pad).unwrap()]);
    file.extend(x25(&file).to_le_bytes());
    file
}

/// A TIC frame: label, optional time stamp, data.
pub fn tic(standard: bool, groups: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let separator = if standard { '\t' } else { ' ' };
    let mut frame = vec![0x02];
    for (label, stamp, data) in groups {
        let mut text = format!("{label}{separator}");
        if let Some(stamp) = stamp {
            text += stamp;
            text.push(separator);
        }
        text += data;
        let mut counted = text.clone().into_bytes();
        if standard {
            counted.push(b'\t');
        }
        let sum = counted
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
            & 0x3F;
        frame.push(b'\n');
        frame.extend(text.bytes());
        frame.push(separator as u8);
        frame.push(sum + 0x20);
        frame.push(b'\r');
    }
    frame.push(0x03);
    frame
}
