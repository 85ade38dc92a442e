//! P1 and its relatives: ASCII telegrams of IEC 62056-21 mode D.
//!
//! `/` + maker (three letters) + speed digit + identification, lines `A-B:C.D.E(value*unit)`, `!` + CRC. Input: the
//! stream at a cursor. Output: a telegram whose CRC-16/ARC over `/`…`!` is right (X-25 on Holley meters; none in
//! DSMR 2.2 and 3.0, whose parity bits count instead where they are there). `!` ends a telegram only directly behind a
//! line feed: the header may hold any character.

mod ciphered;
mod lines;
mod untitled;

pub(crate) use ciphered::Framer as CipheredFramer;

use crate::{
    checksum,
    decoder::{Desk, MAX_TELEGRAM, Reason, Step},
    parity,
    telegram::{Protocol, Telegram},
};
use memchr::{memchr, memchr2};

/// `/`, and the same with the even parity bit that a 7E1 line adds.
const START: [u8; 2] = [b'/', b'/' | 0x80];
/// What may stand behind the CRC.
const LINE_END: [u8; 3] = [b'\r', b'\n', 0];
/// Starts inside a failed telegram that are tried, the last ones first to arrive: a cut telegram holds one, noise few.
const RETRIES: usize = 8;

/// A damaged telegram fits the wrong kind of checksum once in 65 536 times. So many in a row that fit the other kind than
/// the one before tell that it was one of those.
const OTHERS: u8 = 3;

/// A telegram that must be copied to be read, since it is ciphered or has parity bits, may have this many bytes: copy
/// and buffer together stay within the bound of a stream. The longest one known has about 12 000.
const MAX_COPY: usize = 12 * 1024;

/// How telegrams end and which checksum they carry.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    /// A right CRC was seen: from then on it is required, and of the same kind.
    pinned: Option<Checksum>,
    /// Telegrams in a row that are right by the other kind.
    others: u8,
    /// Bytes behind the cursor that hold no end, so that they are not searched again.
    searched: usize,
    /// A telegram ended at the cursor: the line end behind it belongs to it.
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checksum {
    Arc,
    X25,
}

/// What stands behind `!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trailer {
    /// Not all there yet.
    Open,
    /// A line end at once.
    None,
    /// One to four hexadecimal digits.
    Crc(u16),
    /// Anything else.
    Broken,
}

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::P1
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        let line_end = window
            .iter()
            .take_while(|byte| LINE_END.contains(&(*byte & 0x7F)))
            .count();
        if self.closed && line_end > 0 {
            return Step::Tail(line_end);
        }
        let step = self.step(window, end, &mut desk.telegram);
        // A telegram that was refused has its line end too.
        self.closed = matches!(step, Step::Telegram(..) | Step::Lost(..));
        if !matches!(step, Step::Need) {
            self.searched = 0;
        }
        step
    }

    fn moved(&mut self) {
        self.searched = 0;
        self.closed = false;
    }
}

impl Framer {
    fn step(&mut self, window: &[u8], end: bool, telegram: &mut Telegram) -> Step {
        match memchr2(START[0], START[1], window) {
            Some(0) => {}
            start => return Step::Skip(start.unwrap_or(window.len())),
        }
        match is_header(window) {
            Some(true) => {}
            Some(false) => return Step::Skip(1),
            None => return Step::Need,
        }
        let Some(mark) = find_end(window, self.searched) else {
            self.searched = window.len();
            return if window.len() >= MAX_TELEGRAM {
                Step::Lost(last_start(window), Reason::TooLong)
            } else if end {
                Step::Lost(window.len(), Reason::Cut)
            } else {
                Step::Need
            };
        };
        let (trailer, len) = trailer(window, mark, end);
        if trailer == Trailer::Open {
            return Step::Need;
        }
        let text = window.get(..=mark).unwrap_or_default();
        match self.verify(text, trailer, telegram) {
            Ok(()) => Step::Telegram(len),
            Err(reason) => self
                .later_start(text, trailer, telegram)
                .map_or(Step::Lost(len, reason), |start| {
                    Step::Lost(start, Reason::Cut)
                }),
        }
    }

    /// A telegram that begins inside `text`, after one that was cut off.
    fn later_start(
        &mut self,
        text: &[u8],
        trailer: Trailer,
        telegram: &mut Telegram,
    ) -> Option<usize> {
        let starts = text.iter().enumerate().skip(1).rev();
        starts
            .filter(|(_, byte)| START.contains(byte))
            .map(|(start, _)| start)
            .filter(|start| text.get(*start..).and_then(is_header) == Some(true))
            .take(RETRIES)
            .find(|start| {
                text.get(*start..)
                    .is_some_and(|text| self.verify(text, trailer, telegram).is_ok())
            })
    }

    /// Checks `/`…`!` against what follows, and reads it.
    fn verify(
        &mut self,
        raw: &[u8],
        trailer: Trailer,
        telegram: &mut Telegram,
    ) -> Result<(), Reason> {
        if parity::has_parity(raw) && raw.len() > MAX_COPY {
            return Err(Reason::TooLong);
        }
        let text = parity::strip(raw).ok_or(Reason::Parity)?;
        match trailer {
            Trailer::Crc(crc) => {
                let checksum = matching(&text, crc).ok_or(Reason::Checksum)?;
                lines::read(&text, false, telegram)?;
                self.pin(checksum)
            }
            Trailer::None if self.pinned.is_none() => lines::read(&text, true, telegram),
            Trailer::None => Err(Reason::NoChecksum),
            Trailer::Open | Trailer::Broken => Err(Reason::Checksum),
        }
    }

    /// Whether a telegram that is right by `checksum` counts.
    fn pin(&mut self, checksum: Checksum) -> Result<(), Reason> {
        if self.pinned.is_some_and(|pinned| pinned != checksum) {
            self.others += 1;
            if self.others < OTHERS {
                return Err(Reason::Checksum);
            }
        }
        self.others = 0;
        self.pinned = Some(checksum);
        Ok(())
    }
}

/// Which checksum `crc` is. Text that was copied or went through a text-mode bridge has lost its carriage returns:
/// it is right if its checksum is right with them.
fn matching(text: &[u8], crc: u16) -> Option<Checksum> {
    let copied = memchr(b'\r', text).is_none();
    let lines = || {
        text.split_inclusive(|byte| *byte == b'\n')
            .flat_map(|line| match line.strip_suffix(b"\n") {
                Some(line) => [line, b"\r\n"],
                None => [line, b""],
            })
    };
    if checksum::arc(text) == crc || copied && checksum::arc_of(lines()) == crc {
        return Some(Checksum::Arc);
    }
    let x25 = checksum::x25(text) == crc || copied && checksum::x25_of(lines()) == crc;
    x25.then_some(Checksum::X25)
}

/// `/ABC5`: `None` while it is too short to tell.
fn is_header(window: &[u8]) -> Option<bool> {
    let plain = |index: usize| window.get(index).map(|byte| byte & 0x7F);
    for index in 1..4 {
        if !plain(index)?.is_ascii_alphabetic() {
            return Some(false);
        }
    }
    Some(plain(4)?.is_ascii_digit())
}

/// Where `!` stands directly behind a line feed. Both have even parity as they are.
fn find_end(window: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let mark = at + memchr(b'!', window.get(at..)?)?;
        if window.get(..mark)?.ends_with(b"\n") {
            return Some(mark);
        }
        at = mark + 1;
    }
}

/// Length up to the last possible start, or all of it: what comes before has grown too long without an end.
fn last_start(window: &[u8]) -> usize {
    let starts = window.iter().enumerate().skip(1).rev();
    starts
        .filter(|(_, byte)| START.contains(byte))
        .map(|(start, _)| start)
        .find(|start| window.get(*start..).and_then(is_header) != Some(false))
        .unwrap_or(window.len())
}

/// Reads behind `!` at `mark`; the length counts from the cursor to the trailer's end.
fn trailer(window: &[u8], mark: usize, end: bool) -> (Trailer, usize) {
    let mut crc: u16 = 0;
    let mut digits = 0;
    let behind = window.get(mark + 1..).unwrap_or_default();
    for byte in behind.iter().map(|byte| byte & 0x7F) {
        let value = char::from(byte)
            .to_digit(16)
            .and_then(|value| u16::try_from(value).ok());
        match (byte, value) {
            (b'\r' | b'\n' | 0, _) if digits == 0 => return (Trailer::None, mark + 2),
            (b'\r' | b'\n' | 0, _) => return (Trailer::Crc(crc), mark + 1 + digits),
            (_, Some(value)) => {
                crc = crc << 4 | value;
                digits += 1;
                if digits == 4 {
                    return (Trailer::Crc(crc), mark + 1 + digits);
                }
            }
            _ => return (Trailer::Broken, mark + 1),
        }
    }
    match (end, digits) {
        (false, _) => (Trailer::Open, 0),
        (true, 0) => (Trailer::None, mark + 1),
        (true, _) => (Trailer::Crc(crc), mark + 1 + digits),
    }
}

/// Reads a decrypted telegram, which must be whole, right by its own CRC, and all there is.
pub(crate) fn read_whole(text: &[u8], telegram: &mut Telegram) -> Result<(), Reason> {
    let mark = find_end(text, 0).ok_or(Reason::Malformed)?;
    let (trailer, len) = trailer(text, mark, true);
    let rest = text.get(len..).unwrap_or_default();
    if !rest.iter().all(|byte| LINE_END.contains(byte)) {
        return Err(Reason::Malformed);
    }
    let body = text.get(..=mark).unwrap_or_default();
    Framer::default().verify(body, trailer, telegram)
}
