//! Masks of DLMS messages in their frames.
//!
//! The payload of all frames of a message is taken together, masked, and put back in the same places: an id may stand
//! across two frames. Lengths and headers stay; the checksums of the frames follow.

use crate::{bytes::Bytes, checksum, cipher::ber_length, decoder::Options, dlms, hdlc, mbus};
use std::ops::Range;

/// Tag, control, block number, acknowledged number.
const BLOCK_HEAD: usize = 6;
const GENERAL_BLOCK_TRANSFER: u8 = 0xE0;

/// Where the payload and the frames of the last message in some bytes are.
#[derive(Default)]
struct Message {
    begins: usize,
    payload: Vec<Range<usize>>,
    frames: Vec<Range<usize>>,
}

impl Message {
    fn restart(&mut self, begins: usize) {
        *self = Self {
            begins,
            ..Self::default()
        };
    }

    /// The bytes from the message's beginning on, its payload masked and its frames completed by `sum`.
    fn masked(
        &self,
        raw: &[u8],
        options: &Options,
        sum: fn(&mut [u8]) -> Option<()>,
    ) -> Option<Vec<u8>> {
        let mut apdu = Vec::new();
        for place in &self.payload {
            apdu.extend_from_slice(raw.get(place.clone())?);
        }
        let masked = super::apdu(&apdu, options)?;
        let mut rest = Bytes(&masked);
        let mut out = raw.to_vec();
        for place in &self.payload {
            out.get_mut(place.clone())?
                .copy_from_slice(rest.take(place.len())?);
        }
        for frame in &self.frames {
            sum(out.get_mut(frame.clone())?)?;
        }
        rest.is_empty()
            .then(|| out.get(self.begins..).map(<[u8]>::to_vec))?
    }
}

/// A message in HDLC frames, or bare behind its LLC header.
pub(super) fn hdlc(raw: &[u8], options: &Options) -> Option<Vec<u8>> {
    if let Some(apdu) = raw.strip_prefix(&dlms::LLC) {
        return Some([&dlms::LLC, super::apdu(apdu, options)?.as_slice()].concat());
    }
    let mut message = Message::default();
    let mut at = 0;
    let mut segmented = false;
    while at < raw.len() {
        // A flag that closes one frame may open the next.
        let begins = at + 1;
        let Some(frame) = hdlc::Frame::read(raw.get(begins..)?) else {
            at += 1;
            continue;
        };
        let ends = begins + frame.length;
        let info = begins + frame.info..ends.checked_sub(2)?;
        let bytes = raw.get(info.clone())?;
        let llc = bytes.starts_with(&dlms::LLC);
        let start = info.start + if llc { dlms::LLC.len() } else { 0 };
        if llc {
            message.restart(at);
        }
        let payload = if segmented && !llc {
            start..info.end
        } else {
            block(raw, start..info.end)?
        };
        message.payload.push(payload);
        message.frames.push(begins..ends);
        segmented = frame.segmented;
        at = ends;
    }
    let mut masked = message.masked(raw, options, |frame| {
        let (content, sum) = frame.split_last_chunk_mut::<2>()?;
        *sum = checksum::x25(content).to_le_bytes();
        Some(())
    })?;
    // The decoder leaves the closing flag to the next frame. The checksum may end like a flag.
    if message.frames.last()?.end == raw.len() {
        masked.push(hdlc::FLAG);
    }
    Some(masked)
}

/// The data of a block, or all of what is none.
fn block(raw: &[u8], place: Range<usize>) -> Option<Range<usize>> {
    let bytes = raw.get(place.clone())?;
    if bytes.first() != Some(&GENERAL_BLOCK_TRANSFER) {
        return Some(place);
    }
    let mut rest = Bytes(bytes);
    rest.take(BLOCK_HEAD)?;
    let length = ber_length(&mut rest)?;
    let start = place.end - rest.len();
    Some(start..start.checked_add(length)?)
}

/// A message in wired M-Bus frames.
pub(super) fn mbus(raw: &[u8], options: &Options) -> Option<Vec<u8>> {
    let mut message = Message::default();
    let mut at = 0;
    while at < raw.len() {
        let begins = at + mbus::HEAD;
        let &[_, length, ..] = raw.get(at..)? else {
            return None;
        };
        let ends = begins + mbus::frame_length(length);
        let info = *raw.get(begins + 2)?;
        if info & mbus::SEQUENCE == 0 {
            message.restart(at);
        }
        let payload = begins + mbus::ADDRESSING..ends;
        let whole = block(raw, payload)?;
        message.payload.push(whole);
        message.frames.push(begins..ends + 1);
        at = ends + mbus::TAIL;
    }
    message.masked(raw, options, |frame| {
        let (sum, content) = frame.split_last_mut()?;
        *sum = content
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        Some(())
    })
}
