//! A-XDR data (IEC 62056-6-2, 4.1.5) by its type tags.
//!
//! Depth and number of elements are limited, so that hostile bytes cost little.

use super::{DATE_TIME_LEN, Extent};
use crate::bytes::Bytes;

/// Nesting of real lists is at most four.
const MAX_DEPTH: u8 = 8;
/// The longest known list has 165 elements, structures counted. At 24 bytes each they stay within a stream's memory.
const MAX_ELEMENTS: usize = 256;

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data<'a> {
    Null,
    /// An array or a structure.
    List(Vec<Data<'a>>),
    Octets(&'a [u8]),
    Text(&'a [u8]),
    Number(i64),
    /// A number of at most 16 bits: lists without codes are told apart by the widths of their values.
    Short(i64),
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
            Self::Number(number) | Self::Short(number) => Some(*number),
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
    Some(match bytes.u8()? {
        0x00 | 0xFF => Data::Null,
        0x01 | 0x02 => {
            let depth = depth.checked_sub(1)?;
            let count = length(bytes)?;
            if count > bytes.len() {
                return None;
            }
            // Taken from the budget before there is room made for them.
            *budget = budget.checked_sub(count)?;
            let mut items = Vec::with_capacity(count);
            for _ in 0..count {
                items.push(read(bytes, depth, budget)?);
            }
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
        0x0F => Data::Short(i8::from_be_bytes(bytes.array()?).into()),
        0x10 => Data::Short(i16::from_be_bytes(bytes.array()?).into()),
        0x11 => Data::Short(bytes.u8()?.into()),
        0x12 => Data::Short(u16::from_be_bytes(bytes.array()?).into()),
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

/// Passes over a data-notification: tag, invoke id, optional date-time, one element. It reads what [`read`] reads, and
/// tells an end that is not there yet from what can never become one.
pub(super) fn skip_notification(bytes: &mut Bytes<'_>) -> Result<(), Extent> {
    pass(bytes, 5)?;
    match tag(bytes)? {
        0x00 => {}
        0x0C | 0x19 => pass(bytes, DATE_TIME_LEN)?,
        0x09 if tag(bytes)? == 0x0C => pass(bytes, DATE_TIME_LEN)?,
        _ => return Err(Extent::Wrong),
    }
    let mut budget = MAX_ELEMENTS;
    skip(bytes, MAX_DEPTH, &mut budget)
}

fn skip(bytes: &mut Bytes<'_>, depth: u8, budget: &mut usize) -> Result<(), Extent> {
    *budget = budget.checked_sub(1).ok_or(Extent::Wrong)?;
    let count = match tag(bytes)? {
        0x00 | 0xFF => 0,
        0x01 | 0x02 => {
            let depth = depth.checked_sub(1).ok_or(Extent::Wrong)?;
            for _ in 0..skip_length(bytes)? {
                skip(bytes, depth, budget)?;
            }
            0
        }
        0x03 | 0x0D | 0x0F | 0x11 | 0x16 => 1,
        0x04 => skip_length(bytes)?.div_ceil(8),
        0x05 | 0x06 | 0x17 | 0x1B => 4,
        0x09 | 0x0A | 0x0C => skip_length(bytes)?,
        0x10 | 0x12 => 2,
        0x14 | 0x15 | 0x18 => 8,
        0x19 => DATE_TIME_LEN,
        0x1A => 5,
        _ => return Err(Extent::Wrong),
    };
    pass(bytes, count)
}

fn tag(bytes: &mut Bytes<'_>) -> Result<u8, Extent> {
    bytes.u8().ok_or(Extent::Open)
}

fn pass(bytes: &mut Bytes<'_>, count: usize) -> Result<(), Extent> {
    bytes.take(count).map(|_| ()).ok_or(Extent::Open)
}

fn skip_length(bytes: &mut Bytes<'_>) -> Result<usize, Extent> {
    match bytes.peek() {
        None => Err(Extent::Open),
        Some(0..=0x82) if bytes.peek() != Some(0x80) => length(bytes).ok_or(Extent::Open),
        Some(_) => Err(Extent::Wrong),
    }
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
            let data = Data::read_whole(Bytes(bytes)).unwrap();
            assert_eq!(data.number(), Some(value));
            assert_eq!(matches!(data, Data::Short(_)), bytes.len() <= 3);
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
