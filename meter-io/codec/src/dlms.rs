//! From an APDU of DLMS/COSEM (IEC 62056-5-3) to a telegram: LLC header, block transfer, ciphering, notification.
//!
//! The frames (HDLC, M-Bus) are others' business; here begins what both carry.

mod data;
mod list;

use crate::{
    bytes::Bytes,
    cipher::{GLO_CIPHERING, Header, ber_length},
    decoder::{Desk, Reason},
    p1,
    profile::Gather,
    telegram::{Protocol, Telegram},
    time::MeterTime,
};
use data::{Data, Nodes};
pub(crate) use list::Private;
use std::ops::Range;

/// The longest APDU put together from segments or blocks. The longest one known has 1.2 KiB.
pub(crate) const MAX_APDU: usize = 2 * 1024;

/// Bytes between two frames of one message that do not end it: a glitch of the bus. The shortest frame has more.
pub(crate) const STRAY: usize = 16;

/// LLC header of a message from the meter.
pub(crate) const LLC: [u8; 3] = [0xE6, 0xE7, 0x00];
const DATA_NOTIFICATION: u8 = 0x0F;
const GENERAL_BLOCK_TRANSFER: u8 = 0xE0;
const P1_START: u8 = b'/';
const LAST_BLOCK: u8 = 0x80;
const DATE_TIME_LEN: usize = 12;

/// Blocks of a general block transfer that wait for the last one (IEC 62056-5-3, 9.3.13).
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    blocks: Vec<u8>,
    /// Number of the last block taken; 0 is none.
    number: u16,
}

impl Assembly {
    /// Reads one message. `false`: it is a block, and more follow.
    pub(crate) fn read(
        &mut self,
        message: &[u8],
        desk: &mut Desk,
        protocol: Protocol,
    ) -> Result<bool, Reason> {
        let apdu = message.strip_prefix(&LLC).unwrap_or(message);
        if apdu.first() != Some(&GENERAL_BLOCK_TRANSFER) {
            *self = Self::default();
            return read(apdu, desk, protocol).map(|()| true);
        }
        match self.block(apdu) {
            Ok(None) => Ok(false),
            Ok(Some(whole)) => {
                *self = Self::default();
                read(&whole, desk, protocol).map(|()| true)
            }
            Err(reason) => {
                *self = Self::default();
                Err(reason)
            }
        }
    }

    fn block(&mut self, apdu: &[u8]) -> Result<Option<Vec<u8>>, Reason> {
        let mut bytes = Bytes(apdu);
        let header: Option<[u8; 6]> = bytes.array();
        let Some([_, control, high, low, _, _]) = header else {
            return Err(Reason::Malformed);
        };
        let length = ber_length(&mut bytes).ok_or(Reason::Malformed)?;
        let content = bytes.take(length).ok_or(Reason::Malformed)?;
        let number = u16::from_be_bytes([high, low]);
        if number == 1 {
            *self = Self::default();
        }
        if number != self.number.wrapping_add(1) {
            return Err(Reason::Gap);
        }
        if self.blocks.len() + content.len() > MAX_APDU {
            return Err(Reason::TooLong);
        }
        self.number = number;
        self.blocks.extend_from_slice(content);
        Ok((control & LAST_BLOCK != 0).then(|| std::mem::take(&mut self.blocks)))
    }
}

/// Whether these bytes can begin an APDU.
pub(crate) fn begins(message: &[u8]) -> bool {
    message.first().is_some_and(|tag| {
        [
            DATA_NOTIFICATION,
            GENERAL_BLOCK_TRANSFER,
            GLO_CIPHERING,
            P1_START,
        ]
        .contains(tag)
    })
}

/// Whether a plaintext is a whole notification, or ASCII text that begins like P1.
pub(crate) fn is_readable(plain: &[u8]) -> bool {
    is_text(plain) || parse(plain, &mut Nodes::new()).is_some()
}

/// Whether a plaintext is ASCII text that begins like P1.
pub(crate) fn is_text(plain: &[u8]) -> bool {
    plain.first() == Some(&P1_START) && plain.is_ascii()
}

/// How far an APDU reaches that nothing else delimits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Its end is not there yet.
    Open,
    /// It is none.
    Wrong,
    /// So many bytes.
    Whole(usize),
}

/// Finds the end of a notification or a ciphered APDU by its own lengths and type tags.
pub(crate) fn extent(apdu: &[u8]) -> Extent {
    match apdu.first() {
        None => Extent::Open,
        Some(&GLO_CIPHERING) => ciphered_extent(apdu),
        Some(&DATA_NOTIFICATION) => {
            let mut bytes = Bytes(apdu);
            match data::skip_notification(&mut bytes) {
                Ok(()) => Extent::Whole(apdu.len() - bytes.len()),
                Err(stop) => stop,
            }
        }
        Some(_) => Extent::Wrong,
    }
}

fn ciphered_extent(apdu: &[u8]) -> Extent {
    match Header::read(apdu) {
        None if apdu.len() < Header::MAX_LEN => Extent::Open,
        Some((header, rest)) if header.is_ciphered() && header.content <= MAX_APDU => {
            let begins = apdu.len() - rest.len();
            if rest.len() < header.content {
                Extent::Open
            } else {
                Extent::Whole(begins + header.content)
            }
        }
        _ => Extent::Wrong,
    }
}

/// Reads a whole APDU, in clear or ciphered.
pub(crate) fn read(apdu: &[u8], desk: &mut Desk, protocol: Protocol) -> Result<(), Reason> {
    let Desk { cipher, telegram } = desk;
    if apdu.first() != Some(&GLO_CIPHERING) {
        return content(apdu, protocol, telegram);
    }
    let plain = cipher.open(apdu, is_readable)?;
    content(&plain.bytes, protocol, telegram)?;
    cipher.accept(&plain, telegram)
}

/// A notification, or the ASCII telegram that some Polish and Austrian meters put into the same frames.
fn content(plain: &[u8], protocol: Protocol, telegram: &mut Telegram) -> Result<(), Reason> {
    if plain.first() != Some(&P1_START) {
        return notification(plain, protocol, telegram);
    }
    p1::read_whole(plain, telegram)?;
    telegram.protocol = protocol;
    Ok(())
}

fn notification(apdu: &[u8], protocol: Protocol, telegram: &mut Telegram) -> Result<(), Reason> {
    let mut nodes = Nodes::new();
    let (time, body) = parse(apdu, &mut nodes).ok_or(Reason::Malformed)?;
    list::read(body, time, Gather::new(telegram, protocol)).ok_or(Reason::Unknown)?;
    if telegram.is_empty() {
        Err(Reason::Unknown)
    } else {
        Ok(())
    }
}

/// Where a whole notification in clear holds values that may tell of the owner, and what each may tell.
pub(crate) fn private(apdu: &[u8]) -> Option<Vec<(Range<usize>, Private)>> {
    let mut nodes = Nodes::new();
    let (_, body) = parse(apdu, &mut nodes)?;
    let begins = apdu.as_ptr().addr();
    list::values(body)
        .into_iter()
        .map(|(kind, value)| {
            // Each value is a part of these bytes.
            let start = value.as_ptr().addr().checked_sub(begins)?;
            Some((start..start + value.len(), kind))
        })
        .collect()
}

/// data-notification: tag, invoke id (4), optional date-time, body to the last byte.
fn parse<'a, 'b>(
    apdu: &'b [u8],
    nodes: &'a mut Nodes<'b>,
) -> Option<(Option<MeterTime>, Data<'a>)> {
    let mut bytes = Bytes(apdu);
    if bytes.u8()? != DATA_NOTIFICATION {
        return None;
    }
    bytes.take(4)?;
    // Absent; or 12 bytes, coded with or without tags as each maker understood the standard.
    let time = match bytes.u8()? {
        0x00 => None,
        0x0C | 0x19 => Some(bytes.take(DATE_TIME_LEN)?),
        0x09 if bytes.u8()? == 0x0C => Some(bytes.take(DATE_TIME_LEN)?),
        _ => return None,
    };
    let body = Data::read_whole(bytes, nodes)?;
    Some((time.and_then(MeterTime::from_dlms), body))
}
