//! Wired M-Bus long frames (EN 13757-2).

use crate::checksum;

/// M-Bus frames of up to `size` bytes of data each. 252 bytes and the five of addressing are 257, which the length
/// byte shows as 1.
pub fn mbus(apdu: &[u8], size: usize) -> Vec<u8> {
    let last = apdu.chunks(size).count() - 1;
    apdu.chunks(size)
        .enumerate()
        .flat_map(|(number, data)| {
            let info = u8::try_from(number).unwrap() | if number == last { 0x10 } else { 0 };
            let content = [&[0x53, 0xFF, info, 0x01, 0x67], data].concat();
            let length = u8::try_from(content.len() & 0xFF).unwrap();
            let sum = checksum::sum(&content);
            [&[0x68, length, length, 0x68], &content[..], &[sum, 0x16]].concat()
        })
        .collect()
}
