//! Text of a 7E1 line that was read as 8N1: both have ten bits per character, and bit 7 is then the parity bit.

use std::borrow::Cow;

/// The text without parity bits. The first byte tells whether there are any: it is of odd parity without them, in both
/// families that use this (`/` of P1 and STX of TIC). `None` if a byte has the wrong parity.
pub(crate) fn strip(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !has_parity(raw) {
        return Some(Cow::Borrowed(raw));
    }
    is_even(raw).then(|| Cow::Owned(raw.iter().map(|byte| byte & 0x7F).collect()))
}

/// Whether the text carries parity bits, as its first byte tells.
pub(crate) fn has_parity(raw: &[u8]) -> bool {
    raw.first().is_some_and(|first| !first.is_ascii())
}

/// Whether every byte has even parity.
pub(crate) fn is_even(raw: &[u8]) -> bool {
    raw.iter().all(|byte| byte.count_ones() % 2 == 0)
}
