//! general-glo-ciphering with security suite 0, AES-128-GCM (IEC 62056-5-3, 9.2).
//!
//! `DB 08 <system title 8> <length> <SC> <FC 4> ciphertext [tag 12]`. Input: such an APDU and the keys. Output: the
//! plaintext, and whether its tag was checked. Without an authentication key a tag cannot be checked: then it is the
//! caller's reading of the plaintext that tells a wrong key.

use crate::{
    bytes::Bytes,
    counters::{FrameCounter, FrameCounters},
    decoder::{Options, Reason},
    telegram::Telegram,
};
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
    aes::Aes128,
};
use ctr::cipher::{KeyIvInit, StreamCipher};
use std::{fmt, str::FromStr};

type Gcm = AesGcm<Aes128, U12, U12>;
type Ctr = ctr::Ctr32BE<Aes128>;

/// Tag of general-glo-ciphering.
pub(crate) const GLO_CIPHERING: u8 = 0xDB;
const TAG_LEN: usize = 12;
/// Security control: authenticated, encrypted; the low bits name the suite, 0 here.
const SC_AUTHENTICATED: u8 = 0x10;
const SC_ENCRYPTED: u8 = 0x20;

/// The encryption key of anonymous captures, which everybody knows, as it is written.
pub const PUBLIC_KEY: &str = "000102030405060708090A0B0C0D0E0F";
/// The authentication key of anonymous captures, which everybody knows, as it is written.
pub const PUBLIC_AUTH_KEY: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";

/// A 128-bit key. It never shows in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// Text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 32 hexadecimal digits (16 bytes), as the grid company gives it; this has {digits}{odd}",
        odd = if *.foreign { " characters, some of them no hexadecimal digit" } else { "" })]
pub struct KeyError {
    digits: usize,
    foreign: bool,
}

impl FromStr for Key {
    type Err = KeyError;

    /// Blanks, colons and dashes between digits are allowed: keys are pasted from letters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<char> = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != ':' && *c != '-')
            .collect();
        let values: Vec<u8> = digits
            .iter()
            .filter_map(|c| c.to_digit(16).and_then(|value| u8::try_from(value).ok()))
            .collect();
        let error = KeyError {
            digits: digits.len(),
            foreign: values.len() != digits.len(),
        };
        if error.foreign || values.len() != 32 {
            return Err(error);
        }
        let mut key = [0; 16];
        for (byte, pair) in key.iter_mut().zip(values.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |sum, digit| sum << 4 | digit);
        }
        Ok(Self(key))
    }
}

impl Key {
    /// Its 32 digits in capitals, for a device that takes it as a token.
    #[must_use]
    pub fn digits(&self) -> String {
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xF])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .map(|digit| digit.to_ascii_uppercase())
            .collect()
    }
}

impl Key {
    /// Three bytes that tell keys apart and do not tell the key: a block of ones under it, cut off (ANSI X9.24-1 takes one
    /// of zeros, which would tell a part of what authenticates).
    #[must_use]
    pub fn check_value(&self) -> [u8; 3] {
        let mut check = [0; 3];
        Ctr::new(&self.0.into(), &[0xFF; 16].into()).apply_keystream(&mut check);
        check
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// The keys of a stream, and the frame counters that were seen in it.
#[derive(Debug)]
pub(crate) struct Cipher {
    key: Option<Key>,
    auth_key: Option<Key>,
    capture: bool,
    seen: FrameCounters,
}

/// A plaintext.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) bytes: Vec<u8>,
    authenticated: bool,
    counter: FrameCounter,
}

impl Cipher {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            key: options.key.clone(),
            auth_key: options.auth_key.clone(),
            capture: options.capture,
            seen: options.counters.clone(),
        }
    }

    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Takes note of a plaintext that could be read. With an authentication key each needs a tag from the first one on, or
    /// whoever takes it away could change the values. Its frame counter must be above the last one of its title; a replaced meter has another
    /// title and begins anew.
    ///
    /// Only what was read counts: without a tag a damaged counter would shut out all that follow.
    pub(crate) fn accept(&mut self, plain: &Plain, telegram: &mut Telegram) -> Result<(), Reason> {
        if self.auth_key.is_some() && !plain.authenticated && !self.capture {
            return Err(Reason::NoTag);
        }
        let FrameCounter { title, counter } = plain.counter;
        let last = self.seen.of(title);
        if last.is_some_and(|last| counter < last || counter == last && !self.capture) {
            return Err(Reason::Replayed);
        }
        self.seen.heard(plain.counter);
        telegram.encrypted = true;
        telegram.authenticated = plain.authenticated;
        telegram.frame_counter = Some(plain.counter);
        Ok(())
    }

    /// Opens a whole general-glo-ciphering APDU; `readable` tells by its beginning whether a plaintext can be right.
    pub(crate) fn open(&self, apdu: &[u8], readable: fn(&[u8]) -> bool) -> Result<Plain, Reason> {
        let (header, mut rest) = Header::read(apdu).ok_or(Reason::Malformed)?;
        let body = rest.take(header.content).ok_or(Reason::Malformed)?;
        if !header.is_ciphered() {
            return Err(Reason::Malformed);
        }
        let key = self.key.as_ref().ok_or(Reason::NeedsKey)?;
        let nonce = header.nonce();
        let plain = |bytes, authenticated| Plain {
            bytes,
            authenticated,
            counter: FrameCounter {
                title: header.title,
                counter: u32::from_be_bytes(header.counter),
            },
        };
        if header.security & SC_AUTHENTICATED == 0 {
            return plain_ctr(key, &nonce, body, readable).map(|bytes| plain(bytes, false));
        }
        let (ciphertext, tag) = body
            .len()
            .checked_sub(TAG_LEN)
            .and_then(|cut| body.split_at_checked(cut))
            .ok_or(Reason::Malformed)?;
        let Some(auth_key) = &self.auth_key else {
            return plain_ctr(key, &nonce, ciphertext, readable).map(|bytes| plain(bytes, false));
        };
        let mut associated = vec![header.security];
        associated.extend_from_slice(&auth_key.0);
        let mut bytes = ciphertext.to_vec();
        let tag = tag.try_into().map_err(|_| Reason::Malformed)?;
        let opened = Gcm::new(&key.0.into()).decrypt_inout_detached(
            &nonce.into(),
            &associated,
            bytes.as_mut_slice().into(),
            tag,
        );
        if opened.is_ok() {
            return Ok(plain(bytes, true));
        }
        // Two copies would not fit into what a stream may hold.
        drop(bytes);
        // The plaintext does not depend on the authentication key: it tells which of the two is wrong.
        Err(match plain_ctr(key, &nonce, ciphertext, readable) {
            Ok(_) => Reason::WrongAuthKey,
            Err(reason) => reason,
        })
    }
}

/// GCM without its tag is counter mode from 2 on (NIST SP 800-38D, 7.1).
fn plain_ctr(
    key: &Key,
    nonce: &[u8; 12],
    body: &[u8],
    readable: fn(&[u8]) -> bool,
) -> Result<Vec<u8>, Reason> {
    let mut counter = [0; 16];
    for (to, from) in counter.iter_mut().zip(nonce.iter().chain(&[0, 0, 0, 2])) {
        *to = *from;
    }
    let mut bytes = body.to_vec();
    Ctr::new(&key.0.into(), &counter.into()).apply_keystream(&mut bytes);
    if readable(&bytes) {
        Ok(bytes)
    } else {
        Err(Reason::WrongKey)
    }
}

/// The maker's letters, which open a system title; the rest of it is the meter's own.
const MAKER_LEN: usize = 3;

/// Puts another plaintext of the same length into a ciphered APDU, under the public keys and a title that only names the
/// maker. Security control and frame counter stay.
pub(crate) fn seal(apdu: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let (mut header, rest) = Header::read(apdu)?;
    let head = apdu.get(..apdu.len() - rest.len())?;
    header.title.get_mut(MAKER_LEN..)?.fill(0);
    let mut sealed = head.to_vec();
    // Behind the tag and the title's length.
    sealed
        .get_mut(2..2 + header.title.len())?
        .copy_from_slice(&header.title);
    let (key, auth_key): (Key, Key) = (PUBLIC_KEY.parse().ok()?, PUBLIC_AUTH_KEY.parse().ok()?);
    let mut associated = vec![header.security];
    associated.extend_from_slice(&auth_key.0);
    let mut bytes = plain.to_vec();
    let tag = Gcm::new(&key.0.into())
        .encrypt_inout_detached(
            &header.nonce().into(),
            &associated,
            bytes.as_mut_slice().into(),
        )
        .ok()?;
    sealed.extend(bytes);
    if header.security & SC_AUTHENTICATED != 0 {
        sealed.extend_from_slice(&tag);
    }
    (sealed.len() == head.len() + header.content).then_some(sealed)
}

/// Encrypted, with or without a tag, by suite 0: all that customer ports use.
pub(crate) fn is_ciphered(security: u8) -> bool {
    security & !SC_AUTHENTICATED == SC_ENCRYPTED
}

/// What stands before the ciphertext.
#[derive(Debug)]
pub(crate) struct Header {
    title: [u8; 8],
    security: u8,
    counter: [u8; 4],
    /// Bytes of ciphertext and tag that follow.
    pub(crate) content: usize,
}

impl Header {
    /// Tag, title with its length, three bytes of length, security control, frame counter.
    pub(crate) const MAX_LEN: usize = 18;

    /// System title, then frame counter.
    fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(self.title.iter().chain(&self.counter)) {
            *to = *from;
        }
        nonce
    }

    /// See [`is_ciphered`].
    pub(crate) fn is_ciphered(&self) -> bool {
        is_ciphered(self.security)
    }

    /// The header and what follows it, or `None` if this is none or not complete.
    pub(crate) fn read(apdu: &[u8]) -> Option<(Self, Bytes<'_>)> {
        let mut bytes = Bytes(apdu);
        if bytes.array()? != [GLO_CIPHERING, 8] {
            return None;
        }
        let title = bytes.array()?;
        let length = ber_length(&mut bytes)?;
        let security = bytes.u8()?;
        let counter = bytes.array()?;
        Some((
            Self {
                title,
                security,
                counter,
                content: length.checked_sub(5)?,
            },
            bytes,
        ))
    }
}

/// A BER length of up to two bytes of value.
pub(crate) fn ber_length(bytes: &mut Bytes<'_>) -> Option<usize> {
    match bytes.u8()? {
        short @ 0..=0x7F => Some(usize::from(short)),
        0x81 => bytes.u8().map(usize::from),
        0x82 => bytes
            .array()
            .map(|pair| usize::from(u16::from_be_bytes(pair))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_paste_them() {
        let key: Key = "00112233 44556677 8899AABB ccddeeff".parse().unwrap();
        assert_eq!(
            key,
            "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
                .parse()
                .unwrap()
        );
        assert_eq!(format!("{key:?}"), "Key(***)");
        assert_eq!(key.digits(), "00112233445566778899AABBCCDDEEFF");
        for text in [
            "",
            "0011",
            "zz112233445566778899AABBCCDDEEFF",
            "00112233445566778899AABBCCDDEEFF0",
        ] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}
