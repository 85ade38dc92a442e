//! Wired M-Bus long frames with DLMS inside (EN 13757-2 and -3), as Austrian and Polish customer ports push them.
//!
//! `68 L L 68 | C A CI STSAP DTSAP data | CS 16`. An APDU longer than a frame is cut into segments: the low bits of CI
//! count them, bit 4 marks the last.

use crate::{
    decoder::{Desk, Reason, Step},
    dlms::{self, Assembly},
    telegram::Protocol,
};
use std::borrow::Cow;

const START: u8 = 0x68;
const STOP: u8 = 0x16;
/// Send user data, with either frame count bit.
const CONTROL: [u8; 2] = [0x53, 0x73];
const LAST_SEGMENT: u8 = 0x10;
pub(crate) const SEQUENCE: u8 = 0x0F;
/// Bits of CI that are set in other kinds of M-Bus frames only.
const FOREIGN: u8 = 0xE0;
/// Start, length twice, start.
pub(crate) const HEAD: usize = 4;
/// Checksum and stop.
pub(crate) const TAIL: usize = 2;
/// C, A, CI, STSAP, DTSAP.
pub(crate) const ADDRESSING: usize = 5;

/// Joins segments.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    segments: Vec<u8>,
    next: u8,
    blocks: Assembly,
    /// Bytes of no frame since the last one.
    noise: usize,
}

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::Mbus
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match find_start(window) {
            Some(0) => {}
            start => {
                let noise = start.unwrap_or(window.len());
                self.interrupted(noise);
                return Step::Skip(noise);
            }
        }
        let more = if end { Step::Skip(1) } else { Step::Need };
        let &[_, length, again, start, ref rest @ ..] = window else {
            return more;
        };
        if length != again || start != START {
            return Step::Skip(1);
        }
        let length = frame_length(length);
        match rest.first() {
            None => return more,
            Some(control) if !CONTROL.contains(control) => return Step::Skip(1),
            Some(_) => {}
        }
        let (Some(content), Some(&[sum, stop])) =
            (rest.get(..length), rest.get(length..length + TAIL))
        else {
            return more;
        };
        let right = content
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
            == sum;
        let &[_, _, info, _, _, ref data @ ..] = content else {
            return Step::Skip(1);
        };
        if stop != STOP {
            return Step::Skip(1);
        }
        if !right {
            self.drop_segments();
            return Step::Damaged(HEAD + length + TAIL, Reason::Checksum);
        }
        self.noise = 0;
        let len = HEAD + length + TAIL;
        let read = self.join(info, data).and_then(|apdu| match apdu {
            Some(apdu) => self.blocks.read(&apdu, desk, Protocol::Mbus),
            None => Ok(false),
        });
        match read {
            Ok(true) => Step::Telegram(len),
            Ok(false) => Step::Frame(len),
            Err(reason) => Step::Refused(len, reason),
        }
    }

    fn moved(&mut self) {
        self.drop_segments();
    }

    fn pause(&mut self) {
        self.drop_segments();
    }
}

/// Where two start bytes stand as in a head: the first alone is the letter h, which text is full of.
fn find_start(window: &[u8]) -> Option<usize> {
    memchr::memchr_iter(START, window)
        .find(|at| window.get(at + HEAD - 1).is_none_or(|byte| *byte == START))
}

/// Sagemcom sends the low byte of 257: a length that could not hold the addressing means 256 more.
pub(crate) fn frame_length(length: u8) -> usize {
    let length = usize::from(length);
    if length < ADDRESSING {
        length + 256
    } else {
        length
    }
}

impl Framer {
    fn drop_segments(&mut self) {
        self.segments.clear();
        self.next = 0;
        self.blocks = Assembly::default();
    }

    /// Noise inside a message may have been a frame of it: what comes behind belongs to another one.
    fn interrupted(&mut self, noise: usize) {
        self.noise = self.noise.saturating_add(noise);
        if self.noise > dlms::STRAY {
            self.drop_segments();
        }
    }

    fn join<'a>(&mut self, info: u8, data: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Reason> {
        if info & FOREIGN != 0 {
            return Err(Reason::Unknown);
        }
        let number = info & SEQUENCE;
        if number == 0 {
            self.segments.clear();
            self.next = 0;
        }
        if number != self.next || self.segments.len() + data.len() > dlms::MAX_APDU {
            self.drop_segments();
            return Err(if number == 0 {
                Reason::TooLong
            } else {
                Reason::Gap
            });
        }
        if number == 0 && info & LAST_SEGMENT != 0 {
            return Ok(Some(Cow::Borrowed(data)));
        }
        self.segments.extend_from_slice(data);
        if info & LAST_SEGMENT == 0 {
            self.next = (number + 1) & SEQUENCE;
            return Ok(None);
        }
        self.next = 0;
        Ok(Some(Cow::Owned(std::mem::take(&mut self.segments))))
    }
}
