//! The push decoder: bytes in, telegrams and rejections out.
//!
//! One buffer holds the newest bytes; each family's framer walks over it with its own cursor, so that a false start of
//! one family never holds up another. A frame whose checksum is right moves every cursor behind it: its bytes cannot be
//! part of anything else. Everything else is passed byte by byte (resynchronisation).

use crate::{
    cipher::{Cipher, Key},
    counters::FrameCounters,
    hdlc, mbus, p1, sml,
    telegram::{Protocol, Telegram},
    tic,
};
use std::fmt;

/// The longest telegram. The longest known valid one (Luxembourg, five texts of 2048 digits) has about 12 000 bytes.
pub const MAX_TELEGRAM: usize = 16 * 1024;
/// Bytes taken in at a time: with [`MAX_TELEGRAM`] it bounds the buffer at 17 KiB.
const SLICE: usize = 1024;
/// Bytes kept before the first cursor: framers look back at the header that may embed a ciphered telegram.
const LOOK_BACK: usize = 16;

/// Frames of one message that are kept for [`Decoder::push_raw`]. The longest known message of several has 1.2 KiB.
const MAX_PARTS: usize = 2 * 1024;

/// The buffer never grows above this. What a framer joins, decrypts or copies for a moment has less than 15 KiB, so that
/// a stream never holds more than 32 KiB.
const CAPACITY: usize = MAX_TELEGRAM + SLICE + LOOK_BACK;

/// What to expect in the stream.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One family alone; `None` tells them apart by their bytes.
    pub protocol: Option<Protocol>,
    /// Encryption key (GUEK).
    pub key: Option<Key>,
    /// Authentication key (GAK).
    pub auth_key: Option<Key>,
    /// The bytes are a capture, which may hold a ciphered telegram twice, or one without the tag that the authentication
    /// key is for. On a live line the one is a repetition, and the other may be anybody's.
    pub capture: bool,
    /// The frame counters that are known from before: what does not rise above them is refused.
    pub counters: FrameCounters,
}

/// Why bytes that looked like a telegram gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The checksum is wrong.
    Checksum,
    /// It ends in the middle: the next telegram begins inside, or the input ended.
    Cut,
    /// Longer than any known telegram.
    TooLong,
    /// The frame is right, its content cannot be read.
    Malformed,
    /// The frame is right and readable, and holds nothing that is known of a meter.
    Unknown,
    /// It should carry a checksum and has none.
    NoChecksum,
    /// The parity bits are wrong (7E1).
    Parity,
    /// A block or segment is missing in between.
    Gap,
    /// Ciphered, and no key is given.
    NeedsKey,
    /// Ciphered, and the key does not fit.
    WrongKey,
    /// Ciphered; the encryption key fits, the authentication key does not.
    WrongAuthKey,
    /// Ciphered without a tag on a live line, where an authentication key is given.
    NoTag,
    /// Ciphered, right, and its frame counter was used before by the same meter.
    Replayed,
    /// It is right by its checksum, and holds a value that no meter measures.
    Impossible,
    /// A network meter says itself that its values are old.
    Old,
    /// A network meter says itself that it cannot measure.
    Faulty,
}

impl Reason {
    /// A stable short code, for counters.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Cut => "cut",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown_content",
            Self::NoChecksum => "no_checksum",
            Self::Parity => "parity",
            Self::Gap => "gap",
            Self::NeedsKey => "needs_key",
            Self::WrongKey => "wrong_key",
            Self::WrongAuthKey => "wrong_auth_key",
            Self::NoTag => "no_tag",
            Self::Replayed => "replayed",
            Self::Impossible => "impossible",
            Self::Old => "old",
            Self::Faulty => "meter_fault",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checksum => "the checksum is wrong",
            Self::Cut => "cut off",
            Self::TooLong => "longer than any known telegram",
            Self::Malformed => "the frame is right, its content cannot be read",
            Self::Unknown => "the frame is right, but it is no known meter list",
            Self::NoChecksum => "the checksum is missing",
            Self::Parity => "the parity bits are wrong",
            Self::Gap => "a block in between is missing",
            Self::NeedsKey => "encrypted: needs the key",
            Self::WrongKey => "encrypted, and the key does not fit",
            Self::WrongAuthKey => "encrypted, and the authentication key does not fit",
            Self::NoTag => "encrypted without the tag that the authentication key is for",
            Self::Replayed => {
                "encrypted, and its frame counter is not above the last one of this meter: sent before, and sent again"
            }
            Self::Impossible => "a value that cannot be",
            Self::Old => "the device has heard nothing new of its meter",
            Self::Faulty => "the device reports that it cannot measure",
        })
    }
}

/// Bytes that were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The family that they looked like.
    pub protocol: Protocol,
    /// Why.
    pub reason: Reason,
    /// How many.
    pub bytes: usize,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all items are telegrams, and none costs an allocation"
)]
pub enum Item {
    /// A valid telegram.
    Telegram(Telegram),
    /// Something that looked like one.
    Rejected(Rejected),
}

/// What a framer says of the bytes at its cursor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// It needs more bytes to tell.
    Need,
    /// The first `n` bytes are nothing of this family.
    Skip(usize),
    /// The first `n` bytes are a frame with the right checksum, and part of a longer message.
    Frame(usize),
    /// The first `n` bytes are what may stand behind a frame: a line end, a flag. They vouch for nothing by themselves: the
    /// frame before may have been a wrong one, inside something that another family still waits for.
    Tail(usize),
    /// The first `n` bytes end a valid telegram, and what it says was put down.
    Telegram(usize),
    /// The first `n` bytes are lost.
    Lost(usize, Reason),
    /// The first `n` bytes look like a damaged frame. They are passed by one: the next frame may begin inside.
    Damaged(usize, Reason),
    /// The first `n` bytes are a frame with the right checksum, and give no telegram.
    Refused(usize, Reason),
}

/// What all families share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) cipher: Cipher,
    /// Where a telegram is put down: it is too large to be handed from one to the other.
    pub(crate) telegram: Telegram,
}

/// One family: looks at `stream[at..]`; may look back before `at`; `end` tells that nothing more will come.
pub(crate) trait Framer: fmt::Debug + Send {
    fn protocol(&self) -> Protocol;
    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step;

    /// Another family's frame has moved the cursor.
    fn moved(&mut self) {}

    /// The line was silent for longer than within one message: see [`Decoder::pause`].
    fn pause(&mut self) {}
}

/// What is known of the bytes behind those that are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// More may come.
    Flowing,
    /// There are none.
    Ended,
    /// There are, and they are another family's frame: what looked like the beginning of something longer was not. This
    /// is nothing to report, since its end might have come later.
    Misled,
}

/// A framer and where it stands in the stream.
#[derive(Debug)]
struct Walker {
    at: usize,
    /// It has said that it needs more.
    waits: bool,
    /// The frames so far of a message that is not complete.
    parts: Vec<u8>,
    framer: Box<dyn Framer>,
}

/// Telegrams from a stream of bytes.
#[derive(Debug)]
pub struct Decoder {
    stream: Vec<u8>,
    walkers: Vec<Walker>,
    /// Index of the walker whose frame was the last right one: of those at the same byte it goes first, and the others
    /// need not look at what it takes.
    spoke: usize,
    desk: Desk,
    received: u64,
    explained: u64,
    /// Offset in the whole stream up to which bytes are accounted for or given up.
    explained_to: u64,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let all: [Box<dyn Framer>; 7] = [
            Box::new(hdlc::Framer::default()),
            // Before the clear ones: a ciphered one may begin with a clear line.
            Box::new(p1::CipheredFramer),
            Box::new(p1::Framer::default()),
            Box::new(mbus::Framer::default()),
            Box::new(sml::Framer),
            Box::new(tic::Framer),
            Box::new(hdlc::BareFramer::default()),
        ];
        Self {
            stream: Vec::with_capacity(CAPACITY),
            walkers: all
                .into_iter()
                .filter(|framer| {
                    options
                        .protocol
                        .is_none_or(|protocol| framer.protocol() == protocol)
                })
                .map(|framer| Walker {
                    at: 0,
                    waits: false,
                    parts: Vec::new(),
                    framer,
                })
                .collect(),
            spoke: 0,
            desk: Desk {
                cipher: Cipher::new(options),
                telegram: Telegram::new(Protocol::P1),
            },
            received: 0,
            explained: 0,
            explained_to: 0,
        }
    }

    /// Takes in bytes; gives what they completed, in order.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        self.push_raw(bytes, |item, _| items.push(item));
        items
    }

    /// The same, with the bytes of each item: all frames of a telegram, what was rejected.
    pub fn push_raw(&mut self, bytes: &[u8], mut each: impl FnMut(Item, &[u8])) {
        for slice in bytes.chunks(SLICE) {
            self.stream.extend_from_slice(slice);
            self.received += slice.len() as u64;
            self.scan(self.stream.len(), Mode::Flowing, &mut each);
            self.compact();
        }
    }

    /// The input has ended: what still waits for its last bytes is judged now. The decoder is then as new.
    pub fn finish(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        self.scan(self.stream.len(), Mode::Ended, &mut |item, _| {
            items.push(item);
        });
        self.reset();
        items
    }

    /// Another stream of the same meter begins: bytes that wait are dropped. What was learnt of the meter stays.
    pub fn reset(&mut self) {
        self.stream.clear();
        for walker in &mut self.walkers {
            walker.at = 0;
            walker.parts = Vec::new();
            walker.framer.moved();
        }
    }

    /// The line was silent for longer than within one message: half-joined messages are dropped (segments, blocks), so
    /// that frames of two messages are never joined. Bytes of a frame that is not complete are kept.
    pub fn pause(&mut self) {
        for walker in &mut self.walkers {
            walker.parts = Vec::new();
            walker.framer.pause();
        }
    }

    /// Bytes received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes received that were part of no telegram and of nothing that was reported as rejected.
    #[must_use]
    pub fn unexplained(&self) -> u64 {
        self.received.saturating_sub(self.explained)
    }

    /// Lets the framer that is furthest behind take a step, until all of them wait for more or stand at `limit`.
    fn scan(&mut self, limit: usize, mode: Mode, each: &mut dyn FnMut(Item, &[u8])) {
        let end = mode != Mode::Flowing;
        for walker in self.walkers.iter_mut().filter(|walker| walker.at < limit) {
            walker.waits = false;
        }
        while let Some(index) = self.furthest_behind(limit) {
            let Some(walker) = self.walkers.get_mut(index) else {
                return;
            };
            let at = walker.at;
            let protocol = walker.framer.protocol();
            let left = limit.saturating_sub(at);
            let seen = self.stream.get(..limit).unwrap_or_default();
            let step = walker.framer.scan(seen, at, end, &mut self.desk);
            let (passed, settled) = match step {
                // Nothing more will come, or the buffer is full: what waits here is not a telegram of this family.
                Step::Need if end || left >= MAX_TELEGRAM => (1, false),
                Step::Need => {
                    walker.waits = true;
                    continue;
                }
                Step::Skip(len) => (len, false),
                Step::Frame(len) => {
                    self.judge_before(at, each);
                    self.keep_part(index, at, len);
                    self.explain(at, len);
                    (len, true)
                }
                Step::Tail(len) => {
                    self.explain(at, len);
                    (len, false)
                }
                Step::Telegram(len) => {
                    let telegram = Item::Telegram(self.desk.telegram.clone());
                    self.judge_before(at, each);
                    let mut parts = self.take_parts(index);
                    if parts.is_empty() {
                        each(telegram, self.raw(at, len));
                    } else {
                        parts.extend_from_slice(self.raw(at, len));
                        each(telegram, &parts);
                    }
                    self.explain(at, len);
                    (len, true)
                }
                Step::Lost(bytes, reason)
                | Step::Damaged(bytes, reason)
                | Step::Refused(bytes, reason) => {
                    let settled = matches!(step, Step::Refused(..));
                    if settled {
                        self.judge_before(at, each);
                    }
                    if mode != Mode::Misled {
                        let lost = Rejected {
                            protocol,
                            reason,
                            bytes,
                        };
                        each(Item::Rejected(lost), self.raw(at, bytes));
                        self.explain(at, bytes);
                    }
                    self.take_parts(index);
                    let damaged = matches!(step, Step::Damaged(..));
                    (if damaged { 1 } else { bytes }, settled)
                }
            };
            // Every step gets further, whatever a framer says.
            let passed = passed.max(1);
            let behind = at.saturating_add(passed).min(limit);
            if let Some(walker) = self.walkers.get_mut(index) {
                walker.at = behind;
            }
            if settled {
                self.spoke = index;
                for walker in self.walkers.iter_mut().filter(|walker| walker.at < behind) {
                    walker.at = behind;
                    walker.waits = false;
                    walker.parts = Vec::new();
                    walker.framer.moved();
                }
            }
        }
    }

    /// A right frame begins at `limit`. A framer that still waits before it, behind a header that announces more than has
    /// come, was misled: before the frame moves it on, what lies inside of the announced is judged. Else it would depend
    /// on how the bytes arrive whether a telegram in there is found.
    fn judge_before(&mut self, limit: usize, each: &mut dyn FnMut(Item, &[u8])) {
        if self.walkers.iter().any(|walker| walker.at < limit) {
            self.scan(limit, Mode::Misled, each);
        }
    }

    /// Keeps a frame until its message is complete. What grows too long is dropped: its message is then given in part.
    fn keep_part(&mut self, index: usize, at: usize, len: usize) {
        let mut parts = self.take_parts(index);
        if parts.len() + len <= MAX_PARTS {
            parts.extend_from_slice(self.raw(at, len));
        }
        if let Some(walker) = self.walkers.get_mut(index) {
            walker.parts = parts;
        }
    }

    fn take_parts(&mut self, index: usize) -> Vec<u8> {
        let walker = self.walkers.get_mut(index);
        walker.map_or_else(Vec::new, |walker| std::mem::take(&mut walker.parts))
    }

    /// Of the walkers before `limit` that do not wait. A plain loop: it runs for every step, and is what noise costs most.
    fn furthest_behind(&self, limit: usize) -> Option<usize> {
        let mut least = limit;
        let mut found = None;
        for (index, walker) in self.walkers.iter().enumerate() {
            let first =
                walker.at < least || walker.at == least && least < limit && index == self.spoke;
            if first && !walker.waits {
                least = walker.at;
                found = Some(index);
            }
        }
        found
    }

    fn raw(&self, at: usize, len: usize) -> &[u8] {
        let rest = self.stream.get(at..).unwrap_or_default();
        rest.get(..len).unwrap_or(rest)
    }

    /// Bytes from `at` on are accounted for; bytes that were before are not counted twice.
    fn explain(&mut self, at: usize, len: usize) {
        let offset = self.received.saturating_sub(self.stream.len() as u64);
        let start = offset.saturating_add(at as u64);
        let end = start.saturating_add(len as u64);
        self.explained += end.saturating_sub(start.max(self.explained_to));
        self.explained_to = self.explained_to.max(end);
    }

    fn compact(&mut self) {
        let first = self
            .walkers
            .iter()
            .map(|walker| walker.at)
            .min()
            .unwrap_or_default();
        let drop = first.saturating_sub(LOOK_BACK);
        if drop > 0 {
            self.stream.drain(..drop);
            for walker in &mut self.walkers {
                walker.at -= drop;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_accepts_endless_input_in_bounded_memory() {
        let endless: [&[u8]; 7] = [
            b"/HRM5",
            b"/HRM5\r\n1-0:1.7.0(",
            &[0x7E, 0xA7, 0xFF],
            &[
                0xDB, 8, b'H', b'R', b'M', 0, 0, 0, 0, 0, 0x82, 0x3F, 0xFF, 0x30,
            ],
            &[0x68, 0xFA, 0xFA, 0x68, 0x53],
            &[0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1, 0x76],
            &[0x02, b'\n', b'A'],
        ];
        for start in endless {
            for filler in [start, b"0".as_slice(), b"\n!x".as_slice()] {
                let mut decoder = Decoder::new(&Options::default());
                decoder.push(start);
                for _ in 0..100 {
                    decoder.push(&filler.repeat(1000 / filler.len()));
                    assert!(
                        decoder.stream.capacity() <= CAPACITY,
                        "{start:?} {filler:?}"
                    );
                }
            }
        }
    }
}
