//! Smart Message Language, transport version 1 (BSI TR-03109-1, annex).
//!
//! `1B1B1B1B 01010101 … 1B1B1B1B 1A pad CRC`, in multiples of four bytes; an escape in the payload is doubled. The CRC
//! is X-25, or KERMIT on older Holley meters. Of the messages only the lists of values are of interest.

mod values;

use crate::{
    checksum,
    cipher::Cipher,
    decoder::{Reason, Step},
    telegram::Protocol,
};

const ESCAPE: [u8; 4] = [0x1B; 4];
const START: [u8; 8] = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1];
const END: u8 = 0x1A;
/// The longest known message has 700 bytes.
const MAX_LEN: usize = 4 * 1024;
/// Escape, end mark, pad count, CRC.
const TAIL: usize = 8;

#[derive(Debug)]
pub(crate) struct Framer;

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::Sml
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, _: &Cipher) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match window.iter().position(|byte| *byte == ESCAPE[0]) {
            Some(0) => {}
            Some(start) => return Step::Skip(start),
            None => return Step::Skip(window.len()),
        }
        let more = if end { Step::Skip(1) } else { Step::Need };
        if window.len() < START.len() {
            return if START.starts_with(window) {
                more
            } else {
                Step::Skip(1)
            };
        }
        if !window.starts_with(&START) {
            return Step::Skip(1);
        }
        let restart = window
            .windows(START.len())
            .skip(1)
            .position(|bytes| bytes == START);
        let Some((payload, tail_at)) = unescape(window) else {
            let given_up = (end || window.len() > MAX_LEN).then_some(window.len());
            let lost = restart.map(|start| start + 1).or(given_up);
            return lost.map_or(Step::Need, |len| Step::Lost(len, Reason::Cut));
        };
        let len = tail_at + TAIL;
        let Some(frame) = window.get(..len) else {
            return more;
        };
        if !checked(frame) {
            // A message that lost bytes swallows the one behind it: that one begins inside.
            let len = restart.map_or(len, |start| len.min(start + 1));
            return Step::Lost(len, Reason::Checksum);
        }
        let pad = frame.get(tail_at + 5).copied().map_or(0, usize::from);
        let content = payload
            .get(..payload.len().saturating_sub(pad))
            .unwrap_or_default();
        match values::read(content) {
            Ok(telegram) => Step::Telegram(len, Box::new(telegram)),
            Err(reason) => Step::Refused(len, reason),
        }
    }
}

/// The payload without doubled escapes, and where the closing escape begins.
fn unescape(window: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut payload = Vec::new();
    let mut at = START.len();
    while let Some(group) = window.get(at..at + 4) {
        if group == ESCAPE {
            let next = window.get(at + 4..at + 8)?;
            if next == ESCAPE {
                at += 4;
            } else if next.first() == Some(&END) {
                return Some((payload, at));
            } else {
                return None;
            }
        }
        payload.extend_from_slice(group);
        at += 4;
    }
    None
}

fn checked(frame: &[u8]) -> bool {
    frame.split_last_chunk().is_some_and(|(content, sum)| {
        let sum = u16::from_le_bytes(*sum);
        checksum::x25(content) == sum || checksum::kermit(content) == sum
    })
}
