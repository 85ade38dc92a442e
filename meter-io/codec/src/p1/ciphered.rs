//! Ciphered P1: a whole ASCII telegram inside one general-glo-ciphering APDU (Luxembourg, parts of Austria). What begins
//! with a clear line is [`super::untitled`]'s.

use super::{MAX_COPY, read_whole, untitled};
use crate::{
    cipher::Header,
    decoder::{Desk, Reason, Step},
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

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match memchr::memchr2(START[0], b'/', window) {
            Some(0) if window.first() == Some(&b'/') => {
                return untitled::scan(window, end, &desk.cipher);
            }
            Some(0) => {}
            start => return Step::Skip(start.unwrap_or(window.len())),
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
        if !header.is_ciphered() || header.content < MIN_CONTENT || header.content > MAX_COPY {
            return Step::Skip(1);
        }
        if content.len() < header.content {
            return if !end {
                Step::Need
            } else if title_is_text(window) {
                let len = whole_inside(window).unwrap_or(window.len());
                Step::Lost(len, Reason::Cut)
            } else {
                Step::Skip(1)
            };
        }
        let len = window.len() - content.len() + header.content;
        let apdu = window.get(..len).unwrap_or_default();
        // Nothing vouches for the length. If this one lost its end, the next one of the meter begins inside: then there is
        // nothing to open.
        if let Some(start) = restart(apdu) {
            return Step::Lost(start, Reason::Cut);
        }
        let Desk { cipher, telegram } = desk;
        let read = cipher
            .open(apdu, |plain| plain.first() == Some(&b'/'))
            .and_then(|plain| {
                read_whole(&plain.bytes, telegram)?;
                cipher.accept(&plain, telegram)
            });
        match read {
            Ok(()) => Step::Telegram(len),
            Err(Reason::Replayed) => Step::Refused(len, Reason::Replayed),
            // Two bytes of chance in noise are no telegram: what begins one is a title in letters.
            Err(_) if !title_is_text(window) => Step::Skip(1),
            // The next one may begin with the last bytes.
            Err(reason) => Step::Lost(inner_start(apdu).unwrap_or(len), reason),
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

/// Where the same title begins again.
fn restart(apdu: &[u8]) -> Option<usize> {
    let title = apdu.get(..TITLE_END)?;
    memchr::memmem::find(apdu.get(1..)?, title).map(|start| start + 1)
}

/// Where a telegram of the same title begins that is all there: of what never gets its end none needs a word of its own.
fn whole_inside(window: &[u8]) -> Option<usize> {
    let title = window.get(..TITLE_END)?;
    let starts = memchr::memmem::find_iter(window.get(1..)?, title).map(|start| start + 1);
    let mut starts = starts.filter(|start| {
        let header = window.get(*start..).and_then(Header::read);
        header.is_some_and(|(header, content)| content.len() >= header.content)
    });
    starts.next()
}

/// The same as [`restart`], or where its first bytes stand at the end.
fn inner_start(apdu: &[u8]) -> Option<usize> {
    restart(apdu).or_else(|| {
        let title = apdu.get(..TITLE_END)?;
        let from = apdu.len().saturating_sub(TITLE_END - 1).max(1);
        (from..apdu.len()).find(|start| {
            apdu.get(*start..)
                .is_some_and(|rest| title.starts_with(rest))
        })
    })
}
