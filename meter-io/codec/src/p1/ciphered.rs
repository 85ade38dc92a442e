//! Ciphered P1: a whole ASCII telegram inside one general-glo-ciphering APDU (Luxembourg, parts of Austria).

use super::read_whole;
use crate::{
    cipher::{Cipher, Header},
    decoder::{MAX_TELEGRAM, Reason, Step},
    telegram::Protocol,
};

/// Tag and title length that begin the APDU.
const START: [u8; 2] = [0xDB, 8];
/// Tag, title length and title.
const TITLE_END: usize = 10;
/// Longest header: tag, title, three bytes of length, security control, frame counter.
const MAX_HEADER: usize = 18;
/// The shortest telegram worth opening: a false start in noise is passed at once.
const MIN_CONTENT: usize = 64;

#[derive(Debug)]
pub(crate) struct Framer;

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::P1
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, cipher: &Cipher) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match window.iter().position(|byte| *byte == START[0]) {
            Some(0) => {}
            Some(start) => return Step::Skip(start),
            None => return Step::Skip(window.len()),
        }
        if !START.starts_with(window.get(..2).unwrap_or(window))
            || embedded(stream.get(..at).unwrap_or_default())
        {
            return Step::Skip(1);
        }
        let Some((header, content)) = Header::read(window) else {
            return if window.len() >= MAX_HEADER || end {
                Step::Skip(1)
            } else {
                Step::Need
            };
        };
        if !header.is_ciphered()
            || header.content < MIN_CONTENT
            || header.content > MAX_TELEGRAM - MAX_HEADER
        {
            return Step::Skip(1);
        }
        if content.len() < header.content {
            return if !end {
                Step::Need
            } else if title_is_text(window) {
                let len = inner_start(window).unwrap_or(window.len());
                Step::Lost(len, Reason::Cut)
            } else {
                Step::Skip(1)
            };
        }
        let len = window.len() - content.len() + header.content;
        let apdu = window.get(..len).unwrap_or_default();
        let read = cipher
            .open(apdu, |plain| plain.first() == Some(&b'/'))
            .and_then(|plain| {
                let mut telegram = read_whole(&plain.bytes)?;
                telegram.encrypted = true;
                telegram.authenticated = plain.authenticated;
                Ok(telegram)
            });
        match read {
            Ok(telegram) => Step::Telegram(len, Box::new(telegram)),
            // Two bytes of chance in noise are no telegram: what begins one is a title in letters.
            Err(_) if !title_is_text(window) => Step::Skip(1),
            // Nothing vouches for the length. If this one lost its end, the next one of the meter begins inside.
            Err(reason) => {
                let start = inner_start(apdu);
                let whole = start.is_some_and(|start| start + TITLE_END <= len);
                let reason = if whole { Reason::Cut } else { reason };
                Step::Lost(start.unwrap_or(len), reason)
            }
        }
    }
}

/// The maker's three letters open every system title (IEC 62056-5-3, 4.3.4).
fn title_is_text(window: &[u8]) -> bool {
    window
        .get(2..5)
        .is_some_and(|maker| maker.iter().all(u8::is_ascii_alphabetic))
}

/// Whether an HDLC, M-Bus or block-transfer header stands before: then the APDU is that family's.
fn embedded(before: &[u8]) -> bool {
    matches!(
        before,
        [.., 0xE6, 0xE7, 0x00]
            | [.., 0x00 | 0x10, 0x01, 0x67]
            // Block 1, nothing acknowledged, one byte of length.
            | [.., 0xE0, _, 0x00, 0x01, 0x00, 0x00, _]
    )
}

/// Where the same title begins again, perhaps with its first bytes only, at the end.
fn inner_start(apdu: &[u8]) -> Option<usize> {
    let title = apdu.get(..TITLE_END)?;
    (1..apdu.len()).find(|start| {
        let rest = apdu.get(*start..).unwrap_or_default();
        rest.starts_with(title) || title.starts_with(rest)
    })
}
