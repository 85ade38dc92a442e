//! general-glo-ciphering with security suite 0, AES-128-GCM (IEC 62056-5-3, 9.2).
//!
//! `DB 08 <system title 8> <length> <SC> <FC 4> ciphertext [tag 12]`. Input: such an APDU and the keys. Output: the
//! plaintext, and whether its tag was checked. Without an authentication key a tag cannot be checked: then it is the
//! caller's reading of the plaintext that tells a wrong key.

use crate::{bytes::Bytes, decoder::Reason};
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

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// The keys of a stream.
#[derive(Debug)]
pub(crate) struct Cipher {
    key: Option<Key>,
    auth_key: Option<Key>,
}

/// A plaintext.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) bytes: Vec<u8>,
    pub(crate) authenticated: bool,
}

impl Cipher {
    pub(crate) fn new(key: Option<Key>, auth_key: Option<Key>) -> Self {
        Self { key, auth_key }
    }

    /// Opens a whole general-glo-ciphering APDU; `readable` tells by its beginning whether a plaintext can be right.
    pub(crate) fn open(&self, apdu: &[u8], readable: fn(&[u8]) -> bool) -> Result<Plain, Reason> {
        let (header, mut rest) = Header::read(apdu).ok_or(Reason::Malformed)?;
        let body = rest.take(header.content).ok_or(Reason::Malformed)?;
        if !header.is_ciphered() {
            return Err(Reason::Malformed);
        }
        let key = self.key.as_ref().ok_or(Reason::NeedsKey)?;
        let mut nonce = [0; 12];
        for (to, from) in nonce
            .iter_mut()
            .zip(header.title.iter().chain(&header.counter))
        {
            *to = *from;
        }
        if header.security & SC_AUTHENTICATED == 0 {
            return plain_ctr(key, &nonce, body, readable);
        }
        let (ciphertext, tag) = body
            .len()
            .checked_sub(TAG_LEN)
            .and_then(|cut| body.split_at_checked(cut))
            .ok_or(Reason::Malformed)?;
        let Some(auth_key) = &self.auth_key else {
            return plain_ctr(key, &nonce, ciphertext, readable);
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
        match opened {
            Ok(()) => Ok(Plain {
                bytes,
                authenticated: true,
            }),
            // The plaintext does not depend on the authentication key: it tells which of the two is wrong.
            Err(_) => Err(match plain_ctr(key, &nonce, ciphertext, readable) {
                Ok(_) => Reason::WrongAuthKey,
                Err(reason) => reason,
            }),
        }
    }
}

/// GCM without its tag is counter mode from 2 on (NIST SP 800-38D, 7.1).
fn plain_ctr(
    key: &Key,
    nonce: &[u8; 12],
    body: &[u8],
    readable: fn(&[u8]) -> bool,
) -> Result<Plain, Reason> {
    let mut counter = [0; 16];
    for (to, from) in counter.iter_mut().zip(nonce.iter().chain(&[0, 0, 0, 2])) {
        *to = *from;
    }
    let mut bytes = body.to_vec();
    Ctr::new(&key.0.into(), &counter.into()).apply_keystream(&mut bytes);
    if readable(&bytes) {
        Ok(Plain {
            bytes,
            authenticated: false,
        })
    } else {
        Err(Reason::WrongKey)
    }
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
    /// Encrypted, with or without a tag, by suite 0: all that customer ports use.
    pub(crate) fn is_ciphered(&self) -> bool {
        self.security & !SC_AUTHENTICATED == SC_ENCRYPTED
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
