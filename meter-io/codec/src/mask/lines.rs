//! Masks of the lines of P1.

use super::text::runs;

/// Groups C and D of ids and texts of any medium and channel: device names, equipment ids, delivery points, messages; the
/// meter's address and number in the lists of electricity meters. C, then D, or any D.
const PRIVATE: [(&str, Option<&str>); 7] = [
    ("42", Some("0")),
    ("96", Some("1")),
    ("96", Some("2")),
    ("96", Some("13")),
    ("97", None),
    ("0", Some("0")),
    ("C", None),
];
/// The same where they stand inside another line's values.
const INSIDE: [&[u8]; 3] = [b":42.0.0", b":96.1.", b":96.13."];
/// The version of the Belgian data model, which is no id, and the most digits that it has.
const VERSION: &[u8] = b"0-0:96.1.4(";
const VERSION_DIGITS: usize = 6;

/// `/`, the maker's letters and the speed.
const MAKER_LEN: usize = 5;
/// A word of the first line with a digit and at least so many letters and digits is a serial number.
const SERIAL_LEN: usize = 6;
/// How the models in first lines begin.
const MODELS: [&[u8]; 6] = [b"2M55", b"2MT3", b"CX2000", b"LGBBFF", b"LGBBFG", b"LGF"];

/// The lines of a telegram from `/` to `!`, with their ids masked.
pub(super) fn masked(body: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(body.len());
    let mut private = false;
    for (number, line) in body.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number == 0 {
            masked.extend(header(line));
            continue;
        }
        // The value may stand on a line of its own, behind that of its code.
        let coded = is_private(line);
        private = coded.unwrap_or(private);
        if private {
            masked.extend(values(line, coded.is_none()));
        } else {
            masked.extend(line);
        }
    }
    masked
}

/// Serial numbers in the first line become zeros, behind the model that some of them begin with.
fn header(line: &[u8]) -> Vec<u8> {
    let (maker, rest) = line.split_at(MAKER_LEN.min(line.len()));
    let mut masked = maker.to_vec();
    let is_word = u8::is_ascii_alphanumeric;
    for word in rest.chunk_by(|left, right| is_word(left) == is_word(right)) {
        let model = MODELS.into_iter().find(|model| word.starts_with(model));
        let (model, serial) = word.split_at(model.map_or(0, <[u8]>::len));
        masked.extend(model);
        if serial.len() >= SERIAL_LEN
            && serial.first().is_some_and(is_word)
            && serial.iter().any(u8::is_ascii_digit)
        {
            masked.extend(serial.iter().map(|_| b'0'));
        } else {
            masked.extend(runs(serial));
        }
    }
    masked
}

/// `None`: the line has no code.
fn is_private(line: &[u8]) -> Option<bool> {
    let end = line.iter().position(|byte| *byte == b'(');
    let head = line.get(..end.unwrap_or(line.len()))?;
    let head: Vec<u8> = head.iter().copied().filter(u8::is_ascii_graphic).collect();
    let head = std::str::from_utf8(&head).ok()?;
    let code = head.split_once(':').map_or(head, |(_, code)| code);
    let mut groups = code.split(['.', '*']).map(|group| {
        let plain = group.trim_start_matches('0');
        if plain.is_empty() && !group.is_empty() {
            "0"
        } else {
            plain
        }
    });
    let (c, d) = (groups.next()?, groups.next()?);
    if line.strip_prefix(VERSION).is_some_and(is_version) {
        return Some(false);
    }
    let listed = PRIVATE
        .iter()
        .any(|(code, kind)| c == *code && kind.is_none_or(|kind| d == kind));
    let holds = |code: &[u8]| line.windows(code.len()).any(|part| part == code);
    Some(listed || INSIDE.into_iter().any(holds))
}

/// A few digits in brackets, and nothing behind.
fn is_version(value: &[u8]) -> bool {
    value
        .trim_ascii_end()
        .strip_suffix(b")")
        .is_some_and(|digits| {
            digits.len() <= VERSION_DIGITS && digits.iter().all(u8::is_ascii_digit)
        })
}

/// Letters and digits become 0: those in brackets, or all of a line that has neither code nor brackets.
fn values(line: &[u8], codeless: bool) -> Vec<u8> {
    let mut inside = codeless && !line.contains(&b'(');
    let mask = |byte: &u8| {
        match byte {
            b'(' => inside = true,
            b')' => inside = false,
            byte if inside && byte.is_ascii_alphanumeric() => return b'0',
            _ => {}
        }
        *byte
    };
    line.iter().map(mask).collect()
}
