//! Ciphered P1 of Elgama meters at Stoen (Poland): a clear first line, then a ciphered body without a system title.
//!
//! `/EGM5… CR LF CR LF 00 82 <length 2> <SC> <FC 4> ciphertext [tag 12] ! CRC`. The title that the nonce needs is not in
//! the telegram, and how the meter fills it is not published: eight zeros were tried by owners with the key that they were
//! given, and neither a tag nor a text came out. In the published captures the frame counter is 0 as well. So such a
//! telegram is recognised and refused with what is known of it, instead of being read as a damaged one in clear.

use super::{MAX_COPY, is_header};
use crate::{
    cipher::{Cipher, is_ciphered},
    decoder::{Reason, Step},
};

/// The longest first line with its line ends. Known ones have 12 bytes.
const MAX_LINE: usize = 64;
const BLANK_LINE: &[u8] = b"\r\n\r\n";
/// An empty title and a length of two bytes.
const START: [u8; 2] = [0x00, 0x82];
/// The start, the length, security control.
const HEAD: usize = 5;
/// Security control and frame counter count in the length.
const MIN_CONTENT: usize = 5;
/// `!` and the CRC.
const TRAILER: usize = 5;

/// Looks at a window that begins with `/`.
pub(super) fn scan(window: &[u8], end: bool, cipher: &Cipher) -> Step {
    let more = if end { Step::Skip(1) } else { Step::Need };
    if is_header(window) == Some(false) {
        return Step::Skip(1);
    }
    let line = window.get(..MAX_LINE).unwrap_or(window);
    let Some(blank) = line
        .windows(BLANK_LINE.len())
        .position(|bytes| bytes == BLANK_LINE)
    else {
        return if window.len() < MAX_LINE {
            more
        } else {
            Step::Skip(1)
        };
    };
    let begins = blank + BLANK_LINE.len();
    let body = window.get(begins..).unwrap_or_default();
    let &[empty, form, high, low, security, ref rest @ ..] = body else {
        return if body.starts_with(&START) || START.starts_with(body) {
            more
        } else {
            Step::Skip(1)
        };
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if [empty, form] != START
        || !is_ciphered(security)
        || !(MIN_CONTENT..=MAX_COPY).contains(&length)
    {
        return Step::Skip(1);
    }
    let Some(trailer) = rest.get(length - 1..length - 1 + TRAILER) else {
        return more;
    };
    match trailer.split_first() {
        Some((b'!', crc)) if crc.iter().all(u8::is_ascii_hexdigit) => {
            let reason = if cipher.has_key() {
                Reason::Unknown
            } else {
                Reason::NeedsKey
            };
            Step::Refused(begins + HEAD + length - 1 + TRAILER, reason)
        }
        _ => Step::Skip(1),
    }
}
