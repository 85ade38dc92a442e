//! Masks of DLMS lists: what stands under the codes and at the places of ids, in whatever form.

use super::text;
use crate::dlms::{self, Private};

/// Letters of the maker that open a logical device name.
const MAKER_LEN: usize = 3;
/// How known type numbers begin, and how long they are at most: a longer text is an id under the code of one.
const MODELS: [(&[u8], usize); 8] = [
    // Kamstrup.
    (b"68", 18),
    // Aidon.
    (b"65", 4),
    (b"75", 4),
    // Kaifa.
    (b"MA1", 9),
    (b"MA3", 9),
    // Landis+Gyr.
    (b"ZM", 9),
    (b"E4", 5),
    // Iskra.
    (b"AM5", 9),
];
/// The ends of Kamstrup's type numbers, which tell the step of its energies.
const MODEL_ENDS: [&[u8]; 2] = [b"040", b"090"];

/// A notification with its ids masked, all lengths kept; `None` if it is none.
pub(super) fn notification(plain: &[u8]) -> Option<Vec<u8>> {
    let mut masked = plain.to_vec();
    for (place, kind) in dlms::private(plain)? {
        let part = masked.get_mut(place)?;
        let cover = match kind {
            Private::Digits => text::runs(part),
            Private::Id => zeros(part),
            Private::Number => vec![0; part.len()],
            Private::Model => model(part),
            Private::DeviceName => device_name(part),
        };
        part.copy_from_slice(&cover);
    }
    Some(masked)
}

/// Zeros as digits in place of a text, as bytes in place of anything else.
fn zeros(id: &[u8]) -> Vec<u8> {
    let is_text = id.iter().all(|byte| matches!(byte, 0 | b' '..=b'~'));
    id.iter()
        .map(|byte| if is_text && *byte != 0 { b'0' } else { 0 })
        .collect()
}

fn model(text: &[u8]) -> Vec<u8> {
    let known = MODELS
        .iter()
        .any(|(begins, most)| text.starts_with(begins) && text.len() <= *most);
    if known && text.is_ascii() {
        return text.to_vec();
    }
    let mut masked = zeros(text);
    if let Some(end) = MODEL_ENDS.into_iter().find(|end| text.ends_with(end)) {
        masked.truncate(text.len() - end.len());
        masked.extend(end);
    }
    masked
}

fn device_name(text: &[u8]) -> Vec<u8> {
    match text.split_at_checked(MAKER_LEN) {
        Some((maker, id)) if maker.iter().all(u8::is_ascii_uppercase) => {
            [maker, &zeros(id)].concat()
        }
        _ => zeros(text),
    }
}
