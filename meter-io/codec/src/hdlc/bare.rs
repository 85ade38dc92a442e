//! Messages of DLMS meters without a frame around: `E6 E7 00` and the APDU, as bridges hand them on that have taken the
//! frames away.
//!
//! No checksum vouches for such bytes, and every HDLC frame holds the same inside. So a message counts only where nothing
//! else can be around it: it begins the stream, or stands right behind another whole one, and the next one follows at once
//! or the stream ends. One that begins elsewhere proves a row and is not given itself: it may be a frame that lost its
//! end, and took the header of the next one for its last value. In a proven row a message is given as soon as it is whole.

use crate::{
    decoder::{Desk, Reason, Step},
    dlms::{self, Extent, LLC},
    telegram::Protocol,
};

/// Where the messages of a row stand.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    /// The cursor stands right behind a message.
    follows: bool,
    /// A row of messages was seen, and no other family's frame since.
    proven: bool,
}

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::Hdlc
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        let more = if end { Step::Skip(1) } else { Step::Need };
        match memchr::memchr(LLC[0], window) {
            Some(0) => {}
            start => {
                self.follows = false;
                return Step::Skip(start.unwrap_or(window.len()));
            }
        }
        if LLC.starts_with(window) {
            return more;
        }
        let extent = window
            .strip_prefix(&LLC)
            .map_or(Extent::Wrong, dlms::extent);
        let len = match extent {
            Extent::Open if window.len() <= dlms::MAX_APDU => return more,
            Extent::Open | Extent::Wrong => return self.pass(),
            Extent::Whole(len) => LLC.len() + len,
        };
        let apdu = window.get(LLC.len()..len).unwrap_or_default();
        let behind = window.get(len..).unwrap_or_default();
        // The buffer keeps bytes before the cursor once it has dropped some: 0 is the stream's beginning.
        let in_row = at == 0 || self.follows;
        if !(in_row && self.proven) {
            if behind.len() < LLC.len() && LLC.starts_with(behind) && !end {
                return Step::Need;
            }
            let ends_alone = at == 0 && end && behind.is_empty();
            if !behind.starts_with(&LLC) && !ends_alone {
                return self.pass();
            }
            if !in_row {
                self.follows = true;
                return Step::Skip(len);
            }
            self.proven = true;
        }
        self.follows = true;
        match dlms::read(apdu, desk, Protocol::Hdlc) {
            Ok(()) => Step::Telegram(len),
            Err(reason) if end && reason != Reason::Malformed => Step::Refused(len, reason),
            // No checksum says that it is one at all: a frame that waits around it is not given up for it.
            Err(reason) => Step::Lost(len, reason),
        }
    }

    fn moved(&mut self) {
        *self = Self::default();
    }
}

impl Framer {
    fn pass(&mut self) -> Step {
        self.follows = false;
        Step::Skip(1)
    }
}
