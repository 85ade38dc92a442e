//! The three 16-bit checksums of meter ports.

use crc::{CRC_16_ARC, CRC_16_IBM_SDLC, CRC_16_KERMIT, Crc, Table};

/// Sixteen tables take sixteen bytes in a step. Statics: a constant would be copied to where it is used.
type Sliced = Crc<u16, Table<16>>;

static ARC: Sliced = Sliced::new(&CRC_16_ARC);
static X25: Sliced = Sliced::new(&CRC_16_IBM_SDLC);
static KERMIT: Sliced = Sliced::new(&CRC_16_KERMIT);

/// CRC-16/ARC: the P1 telegram, from `/` to `!` inclusive.
pub(crate) fn arc(bytes: &[u8]) -> u16 {
    ARC.checksum(bytes)
}

/// CRC-16/ARC of bytes that come in pieces.
pub(crate) fn arc_of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> u16 {
    of(&ARC, pieces)
}

/// CRC-16/X-25: HDLC header and frame (ISO/IEC 13239), SML, and the P1 port of Holley meters.
pub(crate) fn x25(bytes: &[u8]) -> u16 {
    X25.checksum(bytes)
}

/// CRC-16/X-25 of bytes that come in pieces.
pub(crate) fn x25_of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> u16 {
    of(&X25, pieces)
}

/// CRC-16/KERMIT: SML of older Holley meters.
pub(crate) fn kermit(bytes: &[u8]) -> u16 {
    KERMIT.checksum(bytes)
}

fn of<'a>(crc: &'static Sliced, pieces: impl Iterator<Item = &'a [u8]>) -> u16 {
    let mut digest = crc.digest();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_values_hold() {
        assert_eq!(arc(b"123456789"), 0xBB3D);
        assert_eq!(x25(b"123456789"), 0x906E);
        assert_eq!(kermit(b"123456789"), 0x2189);
        let pieces = || b"123456789".chunks(4);
        assert_eq!((arc_of(pieces()), x25_of(pieces())), (0xBB3D, 0x906E));
    }
}
