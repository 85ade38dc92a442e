//! The checksums of meter ports, bit by bit: slow, and without the tables that the decoder uses.

fn reflected(polynomial: u16, start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ polynomial
            } else {
                crc >> 1
            }
        })
    })
}

/// CRC-16/ARC, of P1.
pub fn arc(bytes: &[u8]) -> u16 {
    reflected(0xA001, 0, bytes)
}

/// CRC-16/X-25, of HDLC, SML and some P1 meters.
pub fn x25(bytes: &[u8]) -> u16 {
    !reflected(0x8408, 0xFFFF, bytes)
}

/// CRC-16/KERMIT, of older SML meters.
pub fn kermit(bytes: &[u8]) -> u16 {
    reflected(0x8408, 0, bytes)
}

/// The same as SML meters send it: high byte first, where all other checksums go low byte first.
pub fn kermit_swapped(bytes: &[u8]) -> u16 {
    kermit(bytes).swap_bytes()
}

/// The sum of all bytes modulo 256, of M-Bus and TIC.
pub fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_values_hold() {
        assert_eq!(arc(b"123456789"), 0xBB3D);
        assert_eq!(x25(b"123456789"), 0x906E);
        assert_eq!(kermit(b"123456789"), 0x2189);
    }
}
