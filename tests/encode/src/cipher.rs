//! general-glo-ciphering with own keys (IEC 62056-5-3, 9.2).

use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
    aes::Aes128,
};

/// The encryption key of all test meters.
pub const KEY: &str = "000102030405060708090A0B0C0D0E0F";
/// The authentication key of all test meters.
pub const AUTH_KEY: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";
/// The system title of all test meters.
pub const TITLE: [u8; 8] = *b"HRM\x10\x20\x30\x40\x50";
/// Security control: encrypted and authenticated.
pub const TAGGED: u8 = 0x30;
/// Security control: encrypted alone.
pub const UNTAGGED: u8 = 0x20;

fn key_bytes(hex: &str) -> [u8; 16] {
    u128::from_str_radix(hex, 16).unwrap().to_be_bytes()
}

/// An APDU around a plaintext; `security` is [`TAGGED`] or [`UNTAGGED`].
pub fn cipher(plain: &[u8], security: u8, title: [u8; 8], counter: u32) -> Vec<u8> {
    let nonce: [u8; 12] = [&title[..], &counter.to_be_bytes()]
        .concat()
        .try_into()
        .unwrap();
    let associated = [&[security][..], &key_bytes(AUTH_KEY)].concat();
    let mut body = plain.to_vec();
    let tag = AesGcm::<Aes128, U12, U12>::new(&key_bytes(KEY).into())
        .encrypt_inout_detached(&nonce.into(), &associated, body.as_mut_slice().into())
        .unwrap();
    if security & 0x10 != 0 {
        body.extend_from_slice(&tag);
    }
    let length = u16::try_from(body.len() + 5).unwrap().to_be_bytes();
    [
        &[0xDB, 8],
        &title[..],
        &[0x82],
        &length,
        &[security],
        &counter.to_be_bytes(),
        &body,
    ]
    .concat()
}
