//! SML files without ids, for captures that people send to others.
//!
//! Every octet string is masked but the names of the values: server ids, the ids among the values, keys, signatures and
//! transaction numbers. What is left of a server id are the maker's letters. The checksums of the messages and of the file
//! are made anew, of the kind that they had.

use super::{END, ESCAPE, START, Tail, element};
use crate::{bytes::Bytes, checksum};
use element::{Element, element as next};

/// A name of a value stands first in its entry, four lists deep: message, body, GetList.Res, list of values.
const ENTRY_DEPTH: usize = 4;
const MAX_DEPTH: usize = 10;
/// Shorter octet strings are no ids: the maker's letters.
const MIN_ID: usize = 4;
/// How far from its beginning a server id may name its maker.
const MAKER_WITHIN: usize = 3;
const MAKER_LEN: usize = 3;
/// Type-length field of a checksum of two bytes.
const CHECKSUM_FIELD: u8 = 0x63;

/// The file made anonymous; `None` if it cannot be read.
pub(crate) fn anonymous(raw: &[u8]) -> Option<Vec<u8>> {
    let tail = Tail::find(raw)?;
    let content = tail.content(raw);
    let (old, sum) = raw.split_last_chunk::<2>()?;
    // All messages have one kind, and mostly the file has the same. Two equal bytes alone would not tell their order.
    let (kind, mut masked) = KINDS
        .into_iter()
        .find_map(|kind| messages(&content, kind).map(|masked| (kind, masked)))?;
    let outer = [kind]
        .into_iter()
        .chain(KINDS)
        .find(|kind| kind(old) == *sum)?;
    let pad = (ESCAPE.len() - masked.len() % ESCAPE.len()) % ESCAPE.len();
    masked.resize(masked.len() + pad, 0);
    let mut file = START.to_vec();
    for group in masked.chunks(ESCAPE.len()) {
        file.extend_from_slice(group);
        if group == ESCAPE {
            file.extend_from_slice(group);
        }
    }
    file.extend(ESCAPE);
    file.extend([END, u8::try_from(pad).ok()?]);
    file.extend(outer(&file));
    Some(file)
}

/// All messages, masked. `None` if one of them has another kind of checksum.
fn messages(content: &[u8], kind: Kind) -> Option<Vec<u8>> {
    let mut masked = Vec::with_capacity(content.len());
    let mut bytes = Bytes(content);
    while !bytes.is_empty() {
        masked.extend(message(&mut bytes, kind)?);
    }
    Some(masked)
}

/// One message, masked, with its checksum in two bytes.
fn message(bytes: &mut Bytes<'_>, kind: Kind) -> Option<Vec<u8>> {
    let all = bytes.0;
    let mut masked = all.to_vec();
    let Element::List(fields) = next(bytes)? else {
        return None;
    };
    // The last two fields are the checksum and the end of the message.
    for _ in 0..fields.checked_sub(2)? {
        mask(bytes, all.len(), &mut masked, 1, false)?;
    }
    let len = all.len() - bytes.len();
    let Element::Number { value, .. } = next(bytes)? else {
        return None;
    };
    if bytes.u8() != Some(0) {
        return None;
    }
    if kind(all.get(..len)?) != u16::try_from(value).ok()?.to_be_bytes() {
        return None;
    }
    masked.truncate(len);
    let sum = kind(&masked);
    masked.push(CHECKSUM_FIELD);
    masked.extend(sum);
    masked.push(0);
    Some(masked)
}

/// A checksum as it is sent.
type Kind = fn(&[u8]) -> [u8; 2];

/// X-25 is sent low byte first; KERMIT high byte first, and some programs write it the other way.
const KINDS: [Kind; 3] = [
    |bytes| checksum::x25(bytes).to_le_bytes(),
    |bytes| checksum::kermit(bytes).to_be_bytes(),
    |bytes| checksum::kermit(bytes).to_le_bytes(),
];

/// Masks the element at the cursor with all that is in it. `name`: it names a value.
fn mask(
    bytes: &mut Bytes<'_>,
    total: usize,
    masked: &mut [u8],
    depth: usize,
    name: bool,
) -> Option<()> {
    match next(bytes)? {
        Element::List(count) if depth < MAX_DEPTH => {
            for index in 0..count {
                let name = depth == ENTRY_DEPTH && index == 0;
                mask(bytes, total, masked, depth + 1, name)?;
            }
        }
        Element::List(_) => return None,
        Element::Octets(content) if content.len() >= MIN_ID && !name => {
            let ends = total - bytes.len();
            let begins = ends - content.len() + maker(content);
            masked.get_mut(begins..ends)?.fill(0);
        }
        _ => {}
    }
    Some(())
}

/// Where the maker's letters end, if an id has them.
fn maker(id: &[u8]) -> usize {
    id.windows(MAKER_LEN)
        .take(MAKER_WITHIN)
        .position(|letters| letters.iter().all(u8::is_ascii_uppercase))
        .map_or(0, |at| at + MAKER_LEN)
}
