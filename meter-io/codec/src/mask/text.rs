//! Masks of the families in text: P1 and Linky.

use super::{ID_DIGITS, lines};
use crate::{checksum, parity};

/// TIC: addresses of the meter and the delivery point, and messages.
const TIC_PRIVATE: [&[u8]; 5] = [b"ADCO", b"ADSC", b"PRM", b"MSG1", b"MSG2"];

/// A P1 telegram. What stands behind its CRC stays.
pub(super) fn p1(raw: &[u8]) -> Option<Vec<u8>> {
    let text = parity::strip(raw)?;
    let mark = text.windows(2).rposition(|pair| pair == b"\n!")? + 1;
    let (body, trailer) = text.split_at_checked(mark + 1)?;
    let digits = trailer.iter().take_while(|c| c.is_ascii_hexdigit()).count();
    let (crc, rest) = trailer.split_at_checked(digits)?;
    let crc = std::str::from_utf8(crc).ok()?;
    let mut masked = lines::masked(body);
    if !crc.is_empty() {
        let old = u16::from_str_radix(crc, 16).ok()?;
        let crc = if checksum::x25(body) == old {
            checksum::x25(&masked)
        } else {
            checksum::arc(&masked)
        };
        masked.extend(format!("{crc:04X}").bytes());
    }
    masked.extend(rest);
    Some(masked)
}

/// With a line end behind it, which is no part of a telegram.
pub(super) fn ended(mut masked: Vec<u8>) -> Vec<u8> {
    while masked.pop_if(|last| b"\r\n".contains(last)).is_some() {}
    masked.extend(b"\r\n");
    masked
}

/// Long rows of digits become zeros.
pub(super) fn runs(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for run in bytes.chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit()) {
        let id = run.len() >= ID_DIGITS && run.first().is_some_and(u8::is_ascii_digit);
        masked.extend(run.iter().map(|byte| if id { b'0' } else { *byte }));
    }
    masked
}

/// A TIC frame.
pub(super) fn tic(raw: &[u8]) -> Option<Vec<u8>> {
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
