//! A-XDR data (IEC 62056-6-2, 4.1.5) by its type tags.
//!
//! Depth and number of elements are limited, so that hostile bytes cost little.

use crate::bytes::Bytes;

/// Nesting of real lists is at most four.
const MAX_DEPTH: u8 = 8;
/// The longest known list has 165 elements, structures counted.
const MAX_ELEMENTS: usize = 512;

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data<'a> {
    Null,
    /// An array or a structure.
    List(Vec<Data<'a>>),
    Octets(&'a [u8]),
    Text(&'a [u8]),
    Number(i64),
    Enum(u8),
    /// A type that no meter value uses.
    Other,
}

impl<'a> Data<'a> {
    /// Reads one element that takes all the bytes.
    pub(super) fn read_whole(mut bytes: Bytes<'a>) -> Option<Self> {
        let mut budget = MAX_ELEMENTS;
        let data = read(&mut bytes, MAX_DEPTH, &mut budget)?;
        bytes.is_empty().then_some(data)
    }

    /// Six octets: an OBIS code.
    pub(super) fn obis(&self) -> Option<&'a [u8]> {
        match self {
            Self::Octets(bytes) if bytes.len() == 6 => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Data<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Octets or text.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Octets(bytes) | Self::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Octets or text as printable text.
    pub(super) fn text(&self) -> Option<String> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0');
        let printable = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        printable.then(|| text.to_owned())
    }
}

fn read<'a>(bytes: &mut Bytes<'a>, depth: u8, budget: &mut usize) -> Option<Data<'a>> {
    *budget = budget.checked_sub(1)?;
    Some(match bytes.u8()? {
        0x00 | 0xFF => Data::Null,
        0x01 | 0x02 => {
            let depth = depth.checked_sub(1)?;
            let count = length(bytes)?;
            if count > bytes.len() || count > *budget {
                return None;
            }
            let items = (0..count)
                .map(|_| read(bytes, depth, budget))
                .collect::<Option<_>>()?;
            Data::List(items)
        }
        0x03 | 0x0D => bytes.take(1).map(|_| Data::Other)?,
        0x04 => {
            let bits = length(bytes)?;
            bytes.take(bits.div_ceil(8)).map(|_| Data::Other)?
        }
        0x05 => Data::Number(i32::from_be_bytes(bytes.array()?).into()),
        0x06 => Data::Number(u32::from_be_bytes(bytes.array()?).into()),
        0x09 => {
            let count = length(bytes)?;
            Data::Octets(bytes.take(count)?)
        }
        0x0A | 0x0C => {
            let count = length(bytes)?;
            Data::Text(bytes.take(count)?)
        }
        0x0F => Data::Number(i8::from_be_bytes(bytes.array()?).into()),
        0x10 => Data::Number(i16::from_be_bytes(bytes.array()?).into()),
        0x11 => Data::Number(bytes.u8()?.into()),
        0x12 => Data::Number(u16::from_be_bytes(bytes.array()?).into()),
        0x14 => Data::Number(i64::from_be_bytes(bytes.array()?)),
        0x15 => Data::Number(i64::try_from(u64::from_be_bytes(bytes.array()?)).ok()?),
        0x16 => Data::Enum(bytes.u8()?),
        0x17 | 0x1B => bytes.take(4).map(|_| Data::Other)?,
        0x18 => bytes.take(8).map(|_| Data::Other)?,
        0x19 => Data::Octets(bytes.take(12)?),
        0x1A => bytes.take(5).map(|_| Data::Other)?,
        _ => return None,
    })
}

/// A count or length: one byte, or `81 xx`, or `82 xx xx`.
fn length(bytes: &mut Bytes<'_>) -> Option<usize> {
    crate::cipher::ber_length(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_type_reads_with_its_sign() {
        for (bytes, value) in [
            (&[0x05, 0xFF, 0xFF, 0xFF, 0xFE][..], -2),
            (&[0x06, 0xFF, 0xFF, 0xFF, 0xFE], 4_294_967_294),
            (&[0x0F, 0xFE], -2),
            (&[0x10, 0xFF, 0xFE], -2),
            (&[0x11, 0xFE], 254),
            (&[0x12, 0xFF, 0xFE], 65_534),
            (&[0x15, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
        ] {
            assert_eq!(Data::read_whole(Bytes(bytes)), Some(Data::Number(value)));
        }
    }

    #[test]
    fn hostile_nesting_and_counts_end() {
        assert_eq!(Data::read_whole(Bytes(&[0x02, 0x01].repeat(100))), None);
        let mut many = vec![0x01, 0x82, 0xFF, 0xFF];
        many.resize(65539, 0);
        assert_eq!(Data::read_whole(Bytes(&many)), None);
    }
}
