//! Text of the journal in a dense form, and back.
//!
//! What is written over and over in the journal's JSON stands in a list of words that is part of the program; a text is
//! what it has in common with these words and with what came before in itself, and the rest as it is (LZ77). The first byte tells which
//! words: they are never changed, only a new list is added.

use std::sync::LazyLock;

/// The words of the first form.
const WORDS: &[u8] = include_bytes!("pack/words_1.txt");
/// The first byte of the first form.
const FORM: u8 = 1;
/// Shorter pieces cost more than they save.
const SHORTEST: usize = 4;
/// The longest piece: its length is told in seven bits.
const LONGEST: usize = SHORTEST + 0x7f;
/// Bytes that are told as they are, at a time.
const MOST_PLAIN: usize = 0x80;
/// Places that are tried for the longest piece.
const TRIES: usize = 24;
/// A text that would be longer is damaged: the longest configuration is far below.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Pieces of four bytes fall into this many places, as a power of two.
const HASH_BITS: u32 = 13;

/// Where pieces of four bytes stand.
#[derive(Clone)]
struct Places {
    newest: Vec<Option<u32>>,
    before: Vec<Option<u32>>,
}

/// The words are looked through once.
static OF_WORDS: LazyLock<Places> = LazyLock::new(|| {
    let mut places = Places {
        newest: vec![None; 1 << HASH_BITS],
        before: Vec::new(),
    };
    for at in 0..WORDS.len() {
        places.add(WORDS, at);
    }
    places
});

impl Places {
    fn hash(text: &[u8], at: usize) -> Option<usize> {
        let piece = text.get(at..at + SHORTEST)?.first_chunk::<SHORTEST>()?;
        let mixed = u32::from_le_bytes(*piece).wrapping_mul(2_654_435_761);
        usize::try_from(mixed >> (u32::BITS - HASH_BITS)).ok()
    }

    fn add(&mut self, text: &[u8], at: usize) {
        let place = Self::hash(text, at).and_then(|hash| self.newest.get_mut(hash));
        let before = place.and_then(|place| std::mem::replace(place, u32::try_from(at).ok()));
        self.before.push(before);
    }

    /// The longest piece before `at` that stands there again: where, and how long.
    fn longest(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        let mut place = *self.newest.get(Self::hash(text, at)?)?;
        let mut best = None;
        let most = LONGEST.min(text.len() - at);
        for _ in 0..TRIES {
            let Some(here) = place.and_then(|place| usize::try_from(place).ok()) else {
                break;
            };
            let pairs = text.iter().skip(here).zip(text.iter().skip(at).take(most));
            let length = pairs.take_while(|(one, other)| one == other).count();
            if length >= SHORTEST && best.is_none_or(|(_, longest)| length > longest) {
                best = Some((here, length));
            }
            if length == most {
                break;
            }
            place = self.before.get(here).copied().flatten();
        }
        best
    }
}

/// The dense form of some bytes.
pub(super) fn pack(plain: &[u8]) -> Vec<u8> {
    let text = [WORDS, plain].concat();
    let mut places = OF_WORDS.clone();
    let mut packed = vec![FORM];
    let (mut at, mut told) = (WORDS.len(), WORDS.len());
    while at < text.len() {
        let Some((place, length)) = places.longest(&text, at) else {
            places.add(&text, at);
            at += 1;
            continue;
        };
        tell(&mut packed, text.get(told..at).unwrap_or_default());
        packed.push(0x80 | u8::try_from(length - SHORTEST).unwrap_or(0x7f));
        put(&mut packed, (at - place) as u64);
        for _ in 0..length {
            places.add(&text, at);
            at += 1;
        }
        told = at;
    }
    tell(&mut packed, text.get(told..).unwrap_or_default());
    packed
}

fn tell(packed: &mut Vec<u8>, plain: &[u8]) {
    for piece in plain.chunks(MOST_PLAIN) {
        packed.push(u8::try_from(piece.len() - 1).unwrap_or_default());
        packed.extend_from_slice(piece);
    }
}

/// What was packed; `None` if it is damaged or of a form that is not known.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (&FORM, mut rest) = packed.split_first()? else {
        return None;
    };
    let mut text = WORDS.to_vec();
    while let Some((&head, after)) = rest.split_first() {
        rest = after;
        let length = usize::from(head & 0x7f);
        if head < 0x80 {
            let (plain, after) = rest.split_at_checked(length + 1)?;
            text.extend_from_slice(plain);
            rest = after;
        } else {
            let back = usize::try_from(take(&mut rest)?)
                .ok()
                .filter(|back| *back > 0)?;
            let place = text.len().checked_sub(back)?;
            // Byte for byte: a piece may reach into itself.
            for at in place..place + length + SHORTEST {
                text.push(*text.get(at)?);
            }
        }
        if text.len() > MOST_BYTES {
            return None;
        }
    }
    Some(text.split_off(WORDS.len()))
}

/// A number in as few bytes as it needs (LEB128).
pub(super) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// The next number; `None` if there is none.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    #[test]
    fn whatever_is_packed_comes_back() {
        let mut state = 1;
        let mut texts = vec![Vec::new(), vec![0], WORDS.to_vec(), vec![b'x'; 100_000]];
        for length in 1..400 {
            // Few letters: pieces of all lengths stand there again.
            texts.push(
                (0..length)
                    .map(|_| b"ab\x00\xff"[usize::try_from(dice(&mut state) % 4).unwrap()])
                    .collect(),
            );
            texts.push(
                (0..length)
                    .map(|_| u8::try_from(dice(&mut state) & 0xff).unwrap())
                    .collect(),
            );
        }
        for text in texts {
            assert_eq!(unpack(&pack(&text)).as_deref(), Some(&text[..]));
        }
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(take(&mut &bytes[..]), Some(number));
        }
    }

    #[test]
    fn damage_is_noticed_or_harmless() {
        let packed = pack(br#"{"type":"charger","id":"ev1","connected":true,"status":"charging"}"#);
        let mut state = 7;
        for _ in 0..20_000 {
            let mut bytes = packed.clone();
            let at = usize::try_from(dice(&mut state)).unwrap() % bytes.len();
            bytes[at] = u8::try_from(dice(&mut state) & 0xff).unwrap();
            bytes.truncate(usize::try_from(dice(&mut state)).unwrap() % (bytes.len() + 1));
            let text = unpack(&bytes);
            assert!(text.is_none_or(|text| text.len() <= MOST_BYTES));
        }
        assert_eq!(unpack(&[]), None);
        assert_eq!(unpack(&[FORM + 1, 0, b'x']), None);
    }

    #[test]
    fn what_the_journal_writes_becomes_short() {
        let report = br#"{"type":"charger","id":"bay-7","connected":true,"status":"charging","current_a":[9.7,9.8,9.6],"limit_a":null,"energy_kwh":3.2}"#;
        let packed = pack(report).len();
        assert!(packed * 2 < report.len(), "{packed} of {}", report.len());
    }

    /// Rows of earlier versions are packed with them: another list of words is another form.
    #[test]
    fn the_words_of_the_first_form_never_change() {
        use sha2::{Digest, Sha256};
        let sum = Sha256::digest(WORDS);
        let begin = u64::from_be_bytes(*sum.first_chunk().unwrap());
        assert_eq!(begin, 0xf13b_a70c_3afe_e706);
    }
}
