//! Telegrams without what tells whose they are, for captures that people send to others.
//!
//! Input: the bytes of one telegram with all its frames, as [`crate::Decoder::push_raw`] gives them. Output: the same
//! telegram with ids and texts masked and its checksums made anew, so that it still decodes. What was ciphered is opened
//! with the keys, masked, and ciphered anew with keys that everybody knows ([`crate::PUBLIC_KEY`],
//! [`crate::PUBLIC_AUTH_KEY`]); without the keys it gives nothing, since nobody can say what is in it. What cannot be masked
//! gives nothing either.

mod frames;
mod lines;
mod lists;
mod text;

use crate::{
    cipher::{self, Cipher, Key},
    decoder::Options,
    dlms, sml,
    telegram::Protocol,
};

/// Digits in a row from this many on are an id, in the texts of lists and in the first line of P1.
const ID_DIGITS: usize = 6;
/// Tag of a ciphered APDU.
const CIPHERED: u8 = 0xDB;
/// The telegram made anonymous; `None` if this cannot be done. The keys are those that opened it; one in clear needs none.
#[must_use]
pub fn anonymous(
    protocol: Protocol,
    raw: &[u8],
    key: Option<&Key>,
    auth_key: Option<&Key>,
) -> Option<Vec<u8>> {
    let options = &Options {
        key: key.cloned(),
        auth_key: auth_key.cloned(),
        ..Options::default()
    };
    match protocol {
        Protocol::P1 if raw.first() == Some(&CIPHERED) => {
            reseal(raw, options, |plain| plain.first() == Some(&b'/'), text::p1)
        }
        Protocol::P1 => text::p1(raw).map(text::ended),
        Protocol::Hdlc => frames::hdlc(raw, options),
        Protocol::Mbus => frames::mbus(raw, options),
        Protocol::Sml => sml::anonymous(raw),
        Protocol::Tic => text::tic(raw),
        // Network meters send no telegrams.
        Protocol::Homewizard | Protocol::Amsreader | Protocol::Shelly | Protocol::Modbus => None,
    }
}

/// A whole APDU with its ids masked; its length stays.
fn apdu(bytes: &[u8], options: &Options) -> Option<Vec<u8>> {
    if bytes.first() == Some(&CIPHERED) {
        return reseal(bytes, options, dlms::is_readable, content);
    }
    dlms::is_readable(bytes).then(|| content(bytes))?
}

/// A notification, or an ASCII telegram in the same frames.
fn content(plain: &[u8]) -> Option<Vec<u8>> {
    if dlms::is_text(plain) {
        text::p1(plain)
    } else {
        lists::notification(plain)
    }
}

/// Opens, masks and ciphers anew.
fn reseal(
    sealed: &[u8],
    options: &Options,
    readable: fn(&[u8]) -> bool,
    mask: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let plain = Cipher::new(options).open(sealed, readable).ok()?;
    cipher::seal(sealed, &mask(&plain.bytes)?)
}
