//! Telegrams without what tells whose they are, for captures that people send to others.
//!
//! Input: the bytes of one frame, as [`crate::Decoder::push_raw`] gives them. Output: the same frame with ids and texts
//! masked and its checksums made anew, so that it still decodes. Lengths stay. What cannot be masked gives nothing: a
//! ciphered telegram carries the meter's title, and its content is sealed.

use crate::{checksum, hdlc, parity, telegram::Protocol};

/// Digits in a row from this many on are an id, in binary families and in the first line of P1.
const ID_DIGITS: usize = 6;
/// P1: device names, equipment ids and text messages of any channel.
const P1_PRIVATE: [&[u8]; 3] = [b":42.0.0", b":96.1.", b":96.13."];
/// P1: the version of the Belgian data model, which is no id.
const P1_VERSION: &[u8] = b":96.1.4";
/// TIC: addresses of the meter and the delivery point, and messages.
const TIC_PRIVATE: [&[u8]; 5] = [b"ADCO", b"ADSC", b"PRM", b"MSG1", b"MSG2"];
/// Tag and title length of a ciphered APDU.
const CIPHERED: [u8; 2] = [0xDB, 8];

/// The frame made anonymous; `None` if this cannot be done.
#[must_use]
pub fn anonymous(protocol: Protocol, raw: &[u8]) -> Option<Vec<u8>> {
    match protocol {
        Protocol::P1 => p1(raw),
        Protocol::Hdlc => hdlc_frame(raw),
        Protocol::Mbus => mbus(raw),
        Protocol::Tic => tic(raw),
        // Server ids are binary and stand anywhere; network meters send no telegrams.
        Protocol::Sml
        | Protocol::Homewizard
        | Protocol::Amsreader
        | Protocol::Shelly
        | Protocol::Modbus => None,
    }
}

fn p1(raw: &[u8]) -> Option<Vec<u8>> {
    let text = parity::strip(raw)?;
    let mark = text.windows(2).rposition(|pair| pair == b"\n!")? + 1;
    let (body, trailer) = text.split_at_checked(mark + 1)?;
    let right = std::str::from_utf8(trailer)
        .ok()?
        .trim_matches(['\r', '\n', '\0']);
    let mut masked = Vec::with_capacity(raw.len());
    for (number, line) in body.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = if number == 0 {
            mask_runs(line)
        } else if is_private(line) {
            mask_values(line)
        } else {
            line.to_vec()
        };
        masked.extend(line);
    }
    if !right.is_empty() {
        let old = u16::from_str_radix(right, 16).ok()?;
        let crc = if checksum::x25(body) == old {
            checksum::x25(&masked)
        } else {
            checksum::arc(&masked)
        };
        masked.extend(format!("{crc:04X}").bytes());
    }
    masked.extend(b"\r\n");
    Some(masked)
}

fn is_private(line: &[u8]) -> bool {
    let holds = |code: &[u8]| line.windows(code.len()).any(|part| part == code);
    P1_PRIVATE.into_iter().any(holds) && !holds(P1_VERSION)
}

/// Letters and digits inside brackets become 0.
fn mask_values(line: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let mask = |byte: &u8| {
        match byte {
            b'(' => inside = true,
            b')' => inside = false,
            byte if inside && byte.is_ascii_alphanumeric() => return b'0',
            _ => {}
        }
        *byte
    };
    line.iter().map(mask).collect()
}

/// Long rows of digits become zeros.
fn mask_runs(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for run in bytes.chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit()) {
        let id = run.len() >= ID_DIGITS && run.first().is_some_and(u8::is_ascii_digit);
        masked.extend(run.iter().map(|byte| if id { b'0' } else { *byte }));
    }
    masked
}

fn is_ciphered(bytes: &[u8]) -> bool {
    bytes.windows(CIPHERED.len()).any(|pair| pair == CIPHERED)
}

/// The header has no id, so its checksum stays.
fn hdlc_frame(raw: &[u8]) -> Option<Vec<u8>> {
    if is_ciphered(raw) {
        return None;
    }
    let (flag, inner) = raw.split_first()?;
    let format = u16::from_be_bytes(*inner.first_chunk()?);
    let frame = inner.get(..usize::from(format & hdlc::LENGTH_MASK))?;
    let (content, _) = frame.split_last_chunk::<2>()?;
    let content = mask_runs(content);
    let sum = checksum::x25(&content).to_le_bytes();
    Some([&[*flag], content.as_slice(), &sum, &[*flag]].concat())
}

fn mbus(raw: &[u8]) -> Option<Vec<u8>> {
    if is_ciphered(raw) {
        return None;
    }
    let (head, rest) = raw.split_first_chunk::<4>()?;
    let (content, [_, stop]) = rest.split_last_chunk::<2>()?;
    let content = mask_runs(content);
    let sum = content
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    Some([head, content.as_slice(), &[sum, *stop]].concat())
}

fn tic(raw: &[u8]) -> Option<Vec<u8>> {
    let text = parity::strip(raw)?;
    let mut masked = Vec::with_capacity(text.len());
    for group in text.split_inclusive(|byte| *byte == b'\r') {
        let label = group
            .trim_ascii_start()
            .strip_prefix(&[2])
            .unwrap_or(group)
            .trim_ascii_start();
        if TIC_PRIVATE.into_iter().any(|name| label.starts_with(name)) {
            masked.extend(tic_group(group)?);
        } else {
            masked.extend(group);
        }
    }
    Some(masked)
}

/// The data becomes zeros; the checksum follows.
fn tic_group(group: &[u8]) -> Option<Vec<u8>> {
    let body = group.strip_suffix(b"\r")?;
    let start = body.iter().position(u8::is_ascii_uppercase)?;
    let (before, body) = body.split_at_checked(start)?;
    let (body, [separator, _]) = body.split_last_chunk::<2>()?;
    let label = body.iter().position(|byte| byte == separator)?;
    let (label, data) = body.split_at_checked(label + 1)?;
    let data: Vec<u8> = data
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                b'0'
            } else {
                *byte
            }
        })
        .collect();
    let mut counted = [label, &data].concat();
    if *separator == b'\t' {
        counted.push(*separator);
    }
    let sum = counted
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
        & 0x3F;
    Some([before, label, &data, &[*separator, sum + 0x20, b'\r']].concat())
}
