//! A-XDR data (IEC 62056-6-2, 4.1.5) by its type tags.
//!
//! A message becomes a row of nodes, each list before what is in it; texts and numbers stay where they stand. Depth and
//! number of elements are limited, so that hostile bytes cost little.

use super::{DATE_TIME_LEN, Extent};
use crate::{bytes::Bytes, telegram::Text};
use arrayvec::ArrayVec;

/// Nesting of real lists is at most four.
const MAX_DEPTH: u8 = 8;
/// The longest known list has 165 elements, structures counted.
const MAX_ELEMENTS: usize = 256;

/// Room for the elements of a message.
pub(super) type Nodes<'a> = ArrayVec<Node<'a>, MAX_ELEMENTS>;

/// One element; of a list its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node<'a> {
    Null,
    /// An array or a structure of so many elements; `nodes` counts all that is in it, and itself.
    List {
        count: usize,
        nodes: usize,
    },
    Octets(&'a [u8]),
    Text(&'a [u8]),
    /// Of one to eight bytes, the high one first.
    Number {
        bytes: &'a [u8],
        signed: bool,
    },
    Enum,
    /// A type that no meter value uses.
    Other,
}

/// One element with all that is in it: never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Data<'a>(pub(super) &'a [Node<'a>]);

impl<'a> Data<'a> {
    /// Reads one element that takes all the bytes.
    pub(super) fn read_whole<'b: 'a>(
        mut bytes: Bytes<'b>,
        nodes: &'a mut Nodes<'b>,
    ) -> Option<Self> {
        read(&mut bytes, MAX_DEPTH, nodes)?;
        bytes.is_empty().then_some(Self(nodes))
    }

    fn node(self) -> Option<Node<'a>> {
        self.0.first().copied()
    }

    /// Six octets: an OBIS code.
    pub(super) fn obis(self) -> Option<&'a [u8]> {
        match self.node()? {
            Node::Octets(bytes) if bytes.len() == 6 => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn list(self) -> Option<List<'a>> {
        match self.0.split_first()? {
            (Node::List { count, .. }, nodes) => Some(List {
                count: *count,
                nodes,
            }),
            _ => None,
        }
    }

    /// `None` too for one that no integer of the values holds.
    pub(super) fn number(self) -> Option<i64> {
        let Node::Number { bytes, signed } = self.node()? else {
            return None;
        };
        let negative = signed && bytes.first()? & 0x80 != 0;
        let fill = if negative { -1 } else { 0 };
        let number = bytes
            .iter()
            .fold(fill, |number: i64, byte| number << 8 | i64::from(*byte));
        ((number < 0) == negative).then_some(number)
    }

    /// The bytes of a number.
    pub(super) fn digits(self) -> Option<&'a [u8]> {
        match self.node()? {
            Node::Number { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// Octets or text.
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self.node()? {
            Node::Octets(bytes) | Node::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Octets or text as printable text.
    pub(super) fn text(self) -> Option<Text> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0');
        let printable = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        printable.then(|| Text::from(text).ok())?
    }

    pub(super) fn is_null(self) -> bool {
        self.node() == Some(Node::Null)
    }
}

/// An array or a structure.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'a> {
    count: usize,
    nodes: &'a [Node<'a>],
}

impl<'a> List<'a> {
    pub(super) fn len(self) -> usize {
        self.count
    }

    pub(super) fn items(self) -> Items<'a> {
        Items(self)
    }
}

/// The elements of a list that are left, in order.
#[derive(Debug, Clone)]
pub(super) struct Items<'a>(List<'a>);

impl<'a> Items<'a> {
    /// The next one, which stays the next one.
    pub(super) fn peek(&self) -> Option<Data<'a>> {
        self.clone().next()
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Data<'a>;

    fn next(&mut self) -> Option<Data<'a>> {
        let Self(List { count, nodes }) = self;
        let size = match nodes.first()? {
            Node::List { nodes, .. } => *nodes,
            _ => 1,
        };
        let (item, rest) = nodes.split_at_checked(size)?;
        (*count, *nodes) = (count.saturating_sub(1), rest);
        Some(Data(item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.count, Some(self.0.count))
    }
}

impl ExactSizeIterator for Items<'_> {}

fn read<'a>(bytes: &mut Bytes<'a>, depth: u8, nodes: &mut Nodes<'a>) -> Option<()> {
    let node = match bytes.u8()? {
        0x00 | 0xFF => Node::Null,
        0x01 | 0x02 => {
            let depth = depth.checked_sub(1)?;
            let count = length(bytes)?;
            let head = nodes.len();
            nodes.try_push(Node::Null).ok()?;
            for _ in 0..count {
                read(bytes, depth, nodes)?;
            }
            let size = nodes.len() - head;
            *nodes.get_mut(head)? = Node::List { count, nodes: size };
            return Some(());
        }
        0x03 | 0x0D => bytes.take(1).map(|_| Node::Other)?,
        0x04 => {
            let bits = length(bytes)?;
            bytes.take(bits.div_ceil(8)).map(|_| Node::Other)?
        }
        0x05 => number(bytes, 4, true)?,
        0x06 => number(bytes, 4, false)?,
        0x09 => {
            let count = length(bytes)?;
            Node::Octets(bytes.take(count)?)
        }
        0x0A | 0x0C => {
            let count = length(bytes)?;
            Node::Text(bytes.take(count)?)
        }
        0x0F => number(bytes, 1, true)?,
        0x10 => number(bytes, 2, true)?,
        0x11 => number(bytes, 1, false)?,
        0x12 => number(bytes, 2, false)?,
        0x14 => number(bytes, 8, true)?,
        0x15 => number(bytes, 8, false)?,
        0x16 => bytes.take(1).map(|_| Node::Enum)?,
        0x17 | 0x1B => bytes.take(4).map(|_| Node::Other)?,
        0x18 => bytes.take(8).map(|_| Node::Other)?,
        0x19 => Node::Octets(bytes.take(DATE_TIME_LEN)?),
        0x1A => bytes.take(5).map(|_| Node::Other)?,
        _ => return None,
    };
    nodes.try_push(node).ok()
}

fn number<'a>(bytes: &mut Bytes<'a>, width: usize, signed: bool) -> Option<Node<'a>> {
    let bytes = bytes.take(width)?;
    Some(Node::Number { bytes, signed })
}

/// Passes over a data-notification: tag, invoke id, optional date-time, one element. It
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
            (&[0x05, 0xFF, 0xFF, 0xFF, 0xFE][..], Some(-2)),
            (&[0x06, 0xFF, 0xFF, 0xFF, 0xFE], Some(4_294_967_294)),
            (&[0x0F, 0xFE], Some(-2)),
            (&[0x10, 0xFF, 0xFE], Some(-2)),
            (&[0x11, 0xFE], Some(254)),
            (&[0x12, 0xFF, 0xFE], Some(65_534)),
            (&[0x14, 255, 255, 255, 255, 255, 255, 255, 0xFE], Some(-2)),
            (&[0x15, 0, 0, 0, 1, 0, 0, 0, 0], Some(1 << 32)),
            (&[0x15, 0x80, 0, 0, 0, 0, 0, 0, 0], None),
        ] {
            let mut nodes = Nodes::new();
            let data = Data::read_whole(Bytes(bytes), &mut nodes).unwrap();
            assert_eq!(data.number(), value, "{bytes:X?}");
            assert_eq!(data.digits(), bytes.get(1..));
        }
    }

    #[test]
    fn lists_hold_what_is_in_them() {
        let bytes = [2, 3, 2, 2, 0x11, 1, 0x16, 7, 0, 1, 0];
        let mut nodes = Nodes::new();
        let data = Data::read_whole(Bytes(&bytes), &mut nodes).unwrap();
        let mut items = data.list().unwrap().items();
        assert_eq!(items.len(), 3);
        let inner: Vec<_> = items.next().unwrap().list().unwrap().items().collect();
        assert_eq!(
            (inner.len(), inner[0].number(), inner[1].0),
            (2, Some(1), &[Node::Enum][..])
        );
        assert!(items.next().unwrap().is_null());
        assert_eq!(items.next().unwrap().list().unwrap().items().count(), 0);
        assert!(items.next().is_none());
    }

    #[test]
    fn hostile_nesting_and_counts_end() {
        let read = |bytes: &[u8]| Data::read_whole(Bytes(bytes), &mut Nodes::new()).is_some();
        assert!(!read(&[0x02, 0x01].repeat(100)));
        let many = |count: u16| {
            let [high, low] = count.to_be_bytes();
            let mut many = vec![0x01, 0x82, high, low];
            many.resize(4 + usize::from(count), 0);
            many
        };
        assert!(read(&many(255)));
        assert!(!read(&many(256)));
        assert!(!read(&many(u16::MAX)));
    }
}
