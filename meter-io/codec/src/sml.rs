//! Smart Message Language, transport version 1 (BSI TR-03109-1, annex).
//!
//! `1B1B1B1B 01010101 … 1B1B1B1B 1A pad CRC`, in multiples of four bytes; an escape in the payload is doubled. The CRC
//! is X-25, or KERMIT on older Holley meters; every message inside has one more of its own, and both are enforced. Of the
//! messages only the lists of values are of interest.

mod element;
mod mask;
mod values;

pub(crate) use mask::anonymous;

use crate::{
    checksum,
    decoder::{Desk, Reason, Step},
    telegram::Protocol,
};
use memchr::{memchr, memmem};
use std::borrow::Cow;

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

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match memchr(ESCAPE[0], window) {
            Some(0) => {}
            start => return Step::Skip(start.unwrap_or(window.len())),
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
        let Some(tail) = Tail::find(window) else {
            let given_up = (end || window.len() > MAX_LEN).then_some(window.len());
            let lost = restart(window).or(given_up);
            return lost.map_or(Step::Need, |len| Step::Lost(len, Reason::Cut));
        };
        let len = tail.at + TAIL;
        let Some(frame) = window.get(..len) else {
            return more;
        };
        if !checked(frame) {
            // A message that lost bytes swallows the one behind it: that one begins inside.
            let len = restart(window).map_or(len, |start| len.min(start));
            return Step::Lost(len, Reason::Checksum);
        }
        match values::read(&tail.content(frame), &mut desk.telegram) {
            Ok(()) => Step::Telegram(len),
            Err(reason) => Step::Refused(len, reason),
        }
    }
}

/// Where a message ends.
struct Tail {
    /// Where the closing escape begins.
    at: usize,
    /// An escape in the payload is doubled.
    doubled: bool,
}

impl Tail {
    /// Escapes stand at multiples of four bytes. `None` if the end is not there yet.
    fn find(window: &[u8]) -> Option<Self> {
        let mut doubled = false;
        let mut at = START.len();
        loop {
            let hit = at + memchr(ESCAPE[0], window.get(at..)?)?;
            let group = hit - hit % ESCAPE.len();
            let behind = group + ESCAPE.len();
            at = behind;
            if window.get(group..behind)? != ESCAPE {
                continue;
            }
            let next = window.get(behind..behind + ESCAPE.len())?;
            if next == ESCAPE {
                doubled = true;
                at = behind + ESCAPE.len();
            } else if next.first() == Some(&END) {
                return Some(Self { at: group, doubled });
            } else {
                return None;
            }
        }
    }

    /// The payload of a whole message, without padding and with single escapes.
    fn content<'a>(&self, frame: &'a [u8]) -> Cow<'a, [u8]> {
        let pad = frame.get(self.at + 5).copied().map_or(0, usize::from);
        let payload = frame
            .get(START.len()..self.at.saturating_sub(pad))
            .unwrap_or_default();
        if !self.doubled {
            return Cow::Borrowed(payload);
        }
        let mut single = Vec::with_capacity(payload.len());
        let mut groups = payload.chunks(ESCAPE.len());
        while let Some(group) = groups.next() {
            single.extend_from_slice(group);
            if group == ESCAPE {
                groups.next();
            }
        }
        Cow::Owned(single)
    }
}

/// Where the next message begins inside this one.
fn restart(window: &[u8]) -> Option<usize> {
    memmem::find(window.get(1..)?, &START).map(|start| start + 1)
}

fn checked(frame: &[u8]) -> bool {
    frame.split_last_chunk().is_some_and(|(content, sum)| {
        // X-25 is sent with its low byte first, KERMIT with its high byte.
        checksum::x25(content) == u16::from_le_bytes(*sum)
            || checksum::kermit(content) == u16::from_be_bytes(*sum)
    })
}
