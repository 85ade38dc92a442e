//! Which texts of a list tell whose it is, for captures that are made anonymous.
//!
//! By code wherever a value stands behind one, by place in the lists without codes. Numbers are none of it.

use super::{descriptors, name, tables};
use crate::{dlms::Data, profile::Obis, time::MeterTime};
use tables::Slot;

/// What a text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Private {
    /// Anything: long rows of digits in it are an id.
    Digits,
    /// The id of the meter, of its owner or of the delivery point, in whatever form.
    Id,
    /// A type number, where some makers put an id.
    Model,
    /// A logical device name: three letters of the maker, then an id.
    DeviceName,
}

/// The texts and octets of a list. Some stand twice: each mask of a text counts.
pub(crate) fn texts<'a>(body: &Data<'a>) -> Vec<(Private, &'a [u8])> {
    let mut found = Vec::new();
    by_code(body, &mut found);
    let items = body.list().unwrap_or_default();
    if let Some((codes, values)) = descriptors(items) {
        for (code, value) in codes.into_iter().zip(values) {
            found.extend(value.bytes().map(|text| (kind(code), text)));
        }
    } else if let Some(layout) = tables::layout(name(items), items) {
        for (slot, item) in layout.slots.iter().zip(items) {
            let kind = match slot {
                Slot::Id => Private::Id,
                Slot::Model => Private::Model,
                _ => continue,
            };
            found.extend(item.bytes().map(|text| (kind, text)));
        }
    } else if let [.., before, last] = items
        && before.obis().is_none()
        && let Some(text) = last.bytes()
        && MeterTime::from_dlms(text).is_none()
    {
        // What stands alone at the end is the meter's id.
        found.push((Private::Id, text));
    }
    found
}

fn by_code<'a>(data: &Data<'a>, found: &mut Vec<(Private, &'a [u8])>) {
    let mut items = data.list().unwrap_or_default();
    while let [first, rest @ ..] = items {
        items = rest;
        let code = first.obis().and_then(Obis::from_bytes);
        if let (Some(code), [value, rest @ ..]) = (code, rest)
            && let Some(text) = value.bytes()
        {
            found.push((kind(code), text));
            items = rest;
        } else if let Some(text) = first.bytes() {
            found.push((Private::Digits, text));
        } else {
            by_code(first, found);
        }
    }
}

/// What the value of a code may hold (IEC 62056-6-1, 7.2: abstract and electricity ids).
fn kind(code: Obis) -> Private {
    match code {
        Obis(0, 0, 96, 1, 1 | 7) | Obis(1, 1, 96, 1, 1) => Private::Model,
        Obis(0, _, 42, 0, 0) => Private::DeviceName,
        Obis(0 | 1, _, 96, 1 | 2 | 13, _) | Obis(0, _, 97, _, _) | Obis(0 | 1, _, 0, 0, _) => {
            Private::Id
        }
        _ => Private::Digits,
    }
}
