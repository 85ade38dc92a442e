//! The three 16-bit checksums of meter ports.

use crc::{CRC_16_ARC, CRC_16_IBM_SDLC, CRC_16_KERMIT, Crc, Table};

const ARC: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_ARC);
const X25: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_IBM_SDLC);
const KERMIT: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_KERMIT);

/// CRC-16/ARC: the P1 telegram, from `/` to `!` inclusive.
pub(crate) fn arc(bytes: &[u8]) -> u16 {
    ARC.checksum(bytes)
}

/// CRC-16/X-25: HDLC header and frame (ISO/IEC 13239), SML, and the P1 port of Holley meters.
pub(crate) fn x25(bytes: &[u8]) -> u16 {
    X25.checksum(bytes)
}

/// CRC-16/KERMIT: SML of older Holley meters.
pub(crate) fn kermit(bytes: &[u8]) -> u16 {
    KERMIT.checksum(bytes)
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
