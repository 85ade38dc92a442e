//! HDLC frames of DLMS meters (IEC 62056-46, frame type 3).
//!
//! `7E | A-format and length | dst | src | ctl | HCS | info | FCS | 7E`, no byte stuffing. Both checksums are enforced:
//! real captures hold damaged frames that would read as other registers. A header is judged as soon as its HCS is there,
//! so that a false start holds nothing up; whatever fails is passed by one byte, since the next frame may begin inside.

mod bare;

pub(crate) use bare::Framer as BareFramer;

use crate::{
    bytes::Bytes,
    checksum,
    decoder::{Desk, Reason, Step},
    dlms::{self, Assembly},
    telegram::Protocol,
};
use std::borrow::Cow;

pub(crate) const FLAG: u8 = 0x7E;
const FORMAT: u16 = 0xA000;
const FORMAT_MASK: u16 = 0xF000;
const SEGMENTED: u16 = 0x0800;
/// Bits of the format field that count the bytes between the flags.
const LENGTH_MASK: u16 = 0x07FF;
/// Addresses have up to four bytes; the lowest bit ends one.
const MAX_ADDRESS: usize = 4;
const CHECKSUM_LEN: usize = 2;

/// Joins segments and blocks, and gives what they say.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    segments: Option<Vec<u8>>,
    blocks: Assembly,
    /// The flag at the cursor closed a frame; it may open the next one too.
    closed: bool,
    /// Bytes of no frame since the last one.
    noise: usize,
}

/// What the header of a frame tells.
pub(crate) struct Frame {
    /// Bytes between the flags.
    pub(crate) length: usize,
    pub(crate) segmented: bool,
    /// Where the information begins, counted from the format field.
    pub(crate) info: usize,
}

impl Frame {
    /// The header of a frame whose format field stands first, if its checksum is right and it has information.
    pub(crate) fn read(inner: &[u8]) -> Option<Self> {
        match parse(inner) {
            Parsed::Right(frame) if frame.length > frame.info => Some(frame),
            _ => None,
        }
    }
}

enum Parsed {
    Open,
    Wrong,
    /// Wrong HCS, but a flag where the length says: this was a frame of so many bytes.
    Damaged(usize),
    Right(Frame),
}

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::Hdlc
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match memchr::memchr(FLAG, window) {
            Some(0) => {}
            start => {
                self.closed = false;
                let noise = start.unwrap_or(window.len());
                self.noise = self.noise.saturating_add(noise);
                if self.noise > dlms::STRAY {
                    self.drop_parts();
                }
                return Step::Skip(noise);
            }
        }
        let inner = window.get(1..).unwrap_or_default();
        let header = match parse(inner) {
            Parsed::Right(header) => header,
            Parsed::Open if !end => return Step::Need,
            Parsed::Open | Parsed::Wrong => return self.pass_flag(),
            Parsed::Damaged(bytes) => {
                self.closed = false;
                self.drop_parts();
                return Step::Damaged(bytes, Reason::Checksum);
            }
        };
        let whole = header.length + 2;
        let (Some(frame), Some(closing)) = (inner.get(..header.length), inner.get(header.length))
        else {
            return if end {
                Step::Damaged(window.len(), Reason::Cut)
            } else {
                Step::Need
            };
        };
        self.closed = *closing == FLAG && checked(frame);
        if !self.closed {
            self.drop_parts();
            return Step::Damaged(whole, Reason::Checksum);
        }
        let info = frame
            .get(header.info..header.length - CHECKSUM_LEN)
            .unwrap_or_default();
        self.noise = 0;
        // The closing flag may open the next frame.
        let len = whole - 1;
        if info.is_empty() {
            return Step::Frame(len);
        }
        match self.read(info, header.segmented, desk) {
            Ok(true) => Step::Telegram(len),
            Ok(false) => Step::Frame(len),
            Err(reason) => Step::Refused(len, reason),
        }
    }

    fn moved(&mut self) {
        self.closed = false;
        self.drop_parts();
    }

    fn pause(&mut self) {
        self.drop_parts();
    }
}

impl Framer {
    /// A frame of the message that waits is lost: what comes behind belongs to another one.
    fn drop_parts(&mut self) {
        self.segments = None;
        self.blocks = Assembly::default();
    }

    /// A flag that opens nothing: the end of the frame before, or noise.
    fn pass_flag(&mut self) -> Step {
        if std::mem::take(&mut self.closed) {
            Step::Tail(1)
        } else {
            Step::Skip(1)
        }
    }

    /// Whether the message is whole.
    fn read(&mut self, info: &[u8], segmented: bool, desk: &mut Desk) -> Result<bool, Reason> {
        match self.join(info, segmented) {
            Ok(Some(apdu)) => self.blocks.read(&apdu, desk, Protocol::Hdlc),
            Ok(None) => Ok(false),
            Err(reason) => {
                self.drop_parts();
                Err(reason)
            }
        }
    }

    /// Joins the segments of a message; the message is whole with the first frame that is not marked as segmented.
    fn join<'a>(
        &mut self,
        info: &'a [u8],
        segmented: bool,
    ) -> Result<Option<Cow<'a, [u8]>>, Reason> {
        // Only a first segment has the LLC header: what waited has lost its end, or this its beginning.
        let mut message = match self.segments.take() {
            Some(waiting) if !info.starts_with(&dlms::LLC) => waiting,
            None if !info.starts_with(&dlms::LLC) && !dlms::begins(info) => {
                return Err(Reason::Gap);
            }
            _ if !segmented => return Ok(Some(Cow::Borrowed(info))),
            _ => Vec::new(),
        };
        if message.len() + info.len() > dlms::MAX_APDU {
            return Err(Reason::TooLong);
        }
        message.extend_from_slice(info);
        if segmented {
            self.segments = Some(message);
            return Ok(None);
        }
        Ok(Some(Cow::Owned(message)))
    }
}

fn parse(inner: &[u8]) -> Parsed {
    let mut bytes = Bytes(inner);
    let Some(format) = bytes.array().map(u16::from_be_bytes) else {
        return match bytes.peek() {
            Some(first) if u16::from(first) << 8 & FORMAT_MASK != FORMAT => Parsed::Wrong,
            _ => Parsed::Open,
        };
    };
    if format & FORMAT_MASK != FORMAT {
        return Parsed::Wrong;
    }
    let length = usize::from(format & LENGTH_MASK);
    for _ in 0..2 {
        let mut count = 0;
        loop {
            let Some(byte) = bytes.u8() else {
                return Parsed::Open;
            };
            count += 1;
            if byte & 1 == 1 {
                break;
            }
            if count == MAX_ADDRESS {
                return Parsed::Wrong;
            }
        }
    }
    if bytes.take(1).is_none() {
        return Parsed::Open;
    }
    let checked_len = inner.len() - bytes.len();
    let info = checked_len + CHECKSUM_LEN;
    // A frame without information has one checksum alone, and nothing to say.
    if length < info || length > info && length < info + CHECKSUM_LEN {
        return Parsed::Wrong;
    }
    match inner.get(..info) {
        None => Parsed::Open,
        Some(header) if checked(header) => Parsed::Right(Frame {
            length,
            segmented: format & SEGMENTED != 0,
            info,
        }),
        Some(_) if inner.get(length) == Some(&FLAG) => Parsed::Damaged(length + 2),
        Some(_) => Parsed::Wrong,
    }
}

/// The last two bytes are the checksum of the others, low byte first.
fn checked(bytes: &[u8]) -> bool {
    bytes
        .split_last_chunk()
        .is_some_and(|(content, sum)| checksum::x25(content) == u16::from_le_bytes(*sum))
}
