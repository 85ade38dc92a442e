//! What in a list tells whose it is, for captures that are made anonymous.
//!
//! By code wherever a value stands behind one, by place in the lists without codes. Ids are texts mostly; some makers
//! send them as numbers.

use super::{described, name, tables};
use crate::{
    dlms::data::{Data, List},
    profile::Obis,
    time::MeterTime,
};
use tables::Slot;

/// A number without a code in a list that is not known is an id from here on: eight digits. What a house draws, and most
/// of what it has drawn, stays below.
const ID_NUMBER: u64 = 10_000_000;

/// What a value may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Private {
    /// Anything: long rows of digits in it are an id.
    Digits,
    /// The id of the meter, of its owner or of the delivery point, in whatever form.
    Id,
    /// The same as a number.
    Number,
    /// A type number, where some makers put an id.
    Model,
    /// A logical device name: three letters of the maker, then an id.
    DeviceName,
}

/// A value and what it may hold: the content alone, without type and length.
type Found<'a> = (Private, &'a [u8]);

/// The values of a list that may tell. Some stand twice: each mask of a value counts.
pub(crate) fn values(body: Data<'_>) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let Some(items) = body.list() else {
        return found;
    };
    if let Some(described) = described(items) {
        by_code(items, Loose::Plain, &mut found);
        for (code, value) in described {
            found.extend(held(kind(code), value));
        }
    } else if let Some(layout) = tables::layout(name(items), items) {
        by_code(items, Loose::Plain, &mut found);
        for (slot, item) in layout.slots.iter().zip(items.items()) {
            found.extend(match slot {
                Slot::Id => held(Private::Id, item),
                Slot::Model => held(Private::Model, item),
                Slot::Skip => loose(item),
                _ => None,
            });
        }
    } else {
        by_code(items, Loose::Doubtful, &mut found);
        found.extend(last(items));
    }
    found
}

/// What stands alone at the end is the meter's id.
fn last(items: List<'_>) -> Option<Found<'_>> {
    let mut tail = items.items().skip(items.len().checked_sub(2)?);
    let (before, last) = (tail.next()?, tail.next()?);
    let text = last.bytes()?;
    let alone = before.obis().is_none() && MeterTime::from_dlms(text).is_none();
    alone.then_some((Private::Id, text))
}

/// What a number without a code is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loose {
    /// Its place tells.
    Plain,
    /// Nobody knows: an id, if it is as long as one.
    Doubtful,
}

fn by_code<'a>(list: List<'a>, numbers: Loose, found: &mut Vec<Found<'a>>) {
    let mut items = list.items();
    while let Some(first) = items.next() {
        let value = items.peek().filter(|value| value.list().is_none());
        if let (Some(code), Some(value)) = (first.obis().and_then(Obis::from_bytes), value) {
            found.extend(held(kind(code), value));
            items.next();
        } else if let Some(text) = first.bytes() {
            found.push((Private::Digits, text));
        } else if let Some(inner) = first.list() {
            by_code(inner, numbers, found);
        } else if numbers == Loose::Doubtful {
            found.extend(loose(first));
        }
    }
}

/// A value behind a code or at the place of an id.
fn held(kind: Private, value: Data<'_>) -> Option<Found<'_>> {
    if let Some(text) = value.bytes() {
        return Some((kind, text));
    }
    let digits = value.digits().filter(|_| kind != Private::Digits)?;
    Some((Private::Number, digits))
}

fn loose(value: Data<'_>) -> Option<Found<'_>> {
    let digits = value.digits()?;
    let long = value
        .number()
        .is_none_or(|number| number.unsigned_abs() >= ID_NUMBER);
    long.then_some((Private::Number, digits))
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
