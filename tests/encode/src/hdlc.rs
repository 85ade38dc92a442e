//! HDLC frames (IEC 62056-46, type 3) and what they carry in pieces: segments, blocks.

use crate::checksum::x25;

/// Addresses and control of each maker.
pub const AIDON: [u8; 4] = [0x41, 0x08, 0x83, 0x13];
pub const KAIFA: [u8; 4] = [0x01, 0x02, 0x01, 0x10];
pub const KAMSTRUP: [u8; 3] = [0x2B, 0x21, 0x13];
pub const KAMSTRUP_CIPHERED: [u8; 3] = [0x41, 0x03, 0x13];
pub const LANDIS: [u8; 4] = [0xCE, 0xFF, 0x03, 0x13];
pub const ISKRA: [u8; 4] = [0xCF, 0x02, 0x23, 0x13];

/// Logical link control: a message of the meter.
pub const LLC: [u8; 3] = [0xE6, 0xE7, 0x00];

/// An HDLC frame; `header` holds addresses and control.
pub fn hdlc_segment(header: &[u8], info: &[u8], more: bool) -> Vec<u8> {
    let length = 2 + header.len() + 2 + info.len() + 2;
    assert!(length < 0x800, "the length has eleven bits");
    let format = 0xA000 | if more { 0x0800 } else { 0 } | u16::try_from(length).unwrap();
    let mut frame = format.to_be_bytes().to_vec();
    frame.extend(header);
    frame.extend(x25(&frame).to_le_bytes());
    frame.extend(info);
    frame.extend(x25(&frame).to_le_bytes());
    [&[0x7E], &frame[..], &[0x7E]].concat()
}

/// An APDU in one frame.
pub fn hdlc(header: &[u8], apdu: &[u8]) -> Vec<u8> {
    hdlc_segment(header, &[&LLC, apdu].concat(), false)
}

/// An APDU in segments of `size` bytes.
pub fn segments(apdu: &[u8], size: usize) -> Vec<Vec<u8>> {
    let message = [&LLC, apdu].concat();
    let last = message.chunks(size).count() - 1;
    message
        .chunks(size)
        .enumerate()
        .map(|(number, part)| hdlc_segment(&[0xCF, 0x02, 0x23, 0x03], part, number < last))
        .collect()
}

/// General block transfer in HDLC frames, `size` bytes of the APDU in each block.
pub fn blocks(apdu: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = apdu.chunks(size).count();
    apdu.chunks(size)
        .zip(1_u16..)
        .map(|(data, number)| {
            let control = 0x40 | if usize::from(number) == last { 0x80 } else { 0 };
            let [high, low] = number.to_be_bytes();
            let length: &[u8] = match u8::try_from(data.len()).unwrap() {
                short @ 0..=0x7F => &[short],
                long => &[0x81, long],
            };
            let block = [&[0xE0, control, high, low, 0, 0], length, data].concat();
            // Only the first block has the link header.
            if number == 1 {
                hdlc(&LANDIS, &block)
            } else {
                hdlc_segment(&LANDIS, &block, false)
            }
        })
        .collect()
}
