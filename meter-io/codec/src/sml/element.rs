//! One element of SML by its type-length field: bits 6 to 4 are the type, bit 7 announces one more byte of length, the
//! low bits are the length with the field itself, or the count of a list.

use crate::bytes::Bytes;

/// Nesting of a real file is at most seven.
const MAX_DEPTH: u8 = 10;
/// Four bits each: a message has under 4096 bytes.
const MAX_FIELD: usize = 3;

/// What begins at a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element<'a> {
    /// Also what is left out: no octets.
    Octets(&'a [u8]),
    /// `width`: in how many bytes it was sent.
    Number { value: i64, width: usize },
    /// So many elements follow.
    List(usize),
    /// A truth value, a number that no integer holds, the end of a message.
    Other,
}

/// The element at the cursor; of a list its head alone. `None` if it is not all there.
pub(super) fn element<'a>(bytes: &mut Bytes<'a>) -> Option<Element<'a>> {
    let first = bytes.u8()?;
    let mut length = usize::from(first & 0x0F);
    let mut header = 1;
    let mut field = first;
    while field & 0x80 != 0 {
        field = bytes.u8()?;
        header += 1;
        if header > MAX_FIELD {
            return None;
        }
        length = length << 4 | usize::from(field & 0x0F);
    }
    if first == 0 {
        return Some(Element::Other);
    }
    if first & 0x70 == 0x70 {
        return Some(Element::List(length));
    }
    let content = bytes.take(length.checked_sub(header)?)?;
    Some(match first & 0x70 {
        0x00 => Element::Octets(content),
        0x50 => number(
            content,
            content.first().is_some_and(|byte| byte & 0x80 != 0),
        ),
        0x60 => number(content, false),
        _ => Element::Other,
    })
}

/// The head of a list of `count` elements.
pub(super) fn list(bytes: &mut Bytes<'_>, count: usize) -> Option<()> {
    (element(bytes)? == Element::List(count)).then_some(())
}

/// Passes an element with all that is in it.
pub(super) fn skip(bytes: &mut Bytes<'_>) -> Option<()> {
    skip_nested(bytes, MAX_DEPTH)
}

fn skip_nested(bytes: &mut Bytes<'_>, depth: u8) -> Option<()> {
    if let Element::List(count) = element(bytes)? {
        let depth = depth.checked_sub(1)?;
        for _ in 0..count {
            skip_nested(bytes, depth)?;
        }
    }
    Some(())
}

/// Big-endian of one to eight bytes; meters shorten numbers as they like.
fn number(content: &[u8], negative: bool) -> Element<'_> {
    let width = content.len();
    if width == 0 || width > 8 {
        return Element::Other;
    }
    let fill = if negative { -1 } else { 0 };
    let value = content
        .iter()
        .fold(fill, |value: i64, byte| value << 8 | i64::from(*byte));
    if negative == (value < 0) {
        Element::Number { value, width }
    } else {
        Element::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_widths_keep_their_sign() {
        for (bytes, value) in [
            (&[0x52, 0xFF][..], -1),
            (&[0x62, 0xFF], 255),
            (&[0x53, 0x80, 0x00], -32_768),
            (&[0x54, 0x01, 0x00, 0x00], 65_536),
            (&[0x59, 0x80, 0, 0, 0, 0, 0, 0, 0], i64::MIN),
            (&[0x69, 0x7F, 255, 255, 255, 255, 255, 255, 255], i64::MAX),
        ] {
            let width = bytes.len() - 1;
            assert_eq!(
                element(&mut Bytes(bytes)),
                Some(Element::Number { value, width })
            );
        }
        let huge = [0x69, 0x80, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(element(&mut Bytes(&huge)), Some(Element::Other));
    }

    #[test]
    fn hostile_nesting_and_lengths_end() {
        let nested = |depth| [vec![0x71; depth], vec![0x01]].concat();
        assert_eq!(skip(&mut Bytes(&nested(10))), Some(()));
        assert_eq!(skip(&mut Bytes(&nested(11))), None);
        assert_eq!(skip(&mut Bytes(&[0xFF, 0x8F, 0x8F, 0x0F])), None);
        assert_eq!(element(&mut Bytes(&[0x07, 1, 2])), None);
        assert_eq!(element(&mut Bytes(&[0x80, 0x00])), None);
    }
}
