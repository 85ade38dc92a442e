//! The values of an SML file: entries of seven fields (name, status, time, unit, scaler, value, signature).

use crate::{
    bytes::Bytes,
    decoder::Reason,
    profile::{Dimension, Gather, Obis},
    quantity::Quantity,
    telegram::{Protocol, Telegram},
};

/// Nesting of a real file is at most seven.
const MAX_DEPTH: u8 = 10;
/// A real file has under 300 elements.
const MAX_ELEMENTS: usize = 600;

enum Sml<'a> {
    Octets(&'a [u8]),
    Number(i64),
    List(Vec<Sml<'a>>),
    Other,
}

/// Codes that hold the meter's id: device identification and server id.
const IDS: [Obis; 2] = [Obis(1, 0, 96, 1, 0), Obis(1, 0, 0, 0, 9)];

pub(super) fn read(content: &[u8]) -> Result<Telegram, Reason> {
    let mut bytes = Bytes(content);
    let mut budget = MAX_ELEMENTS;
    let mut gather = Gather::new(Telegram::new(Protocol::Sml));
    while !bytes.is_empty() {
        let message = element(&mut bytes, MAX_DEPTH, &mut budget).ok_or(Reason::Malformed)?;
        collect(&message, &mut gather);
    }
    let telegram = gather.finish();
    if telegram.is_empty() {
        Err(Reason::Unknown)
    } else {
        Ok(telegram)
    }
}

fn collect(item: &Sml<'_>, gather: &mut Gather) {
    let Sml::List(items) = item else { return };
    if let [Sml::Octets(name), _, _, unit, scaler, value, _] = items.as_slice()
        && let Some(obis) = Obis::from_bytes(name)
    {
        match (unit, scaler, value) {
            (Sml::Number(unit), Sml::Number(scaler), Sml::Number(mantissa)) => {
                if let Some(register) = obis.register()
                    && dimension(*unit) == Some(register.dimension())
                    && let Ok(exponent) = i8::try_from(*scaler)
                {
                    gather.set(
                        register,
                        Quantity {
                            mantissa: *mantissa,
                            exponent,
                        },
                    );
                }
            }
            (_, _, Sml::Octets(id)) if IDS.contains(&obis) => {
                gather.telegram().meter_id = Some(hex(id));
            }
            _ => {}
        }
        return;
    }
    for item in items {
        collect(item, gather);
    }
}

/// DLMS unit codes (IEC 62056-6-2, table 4).
fn dimension(unit: i64) -> Option<Dimension> {
    Some(match unit {
        27 => Dimension::Power,
        29 => Dimension::Reactive,
        30 => Dimension::Energy,
        33 => Dimension::Current,
        35 => Dimension::Voltage,
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0F)]);
    digits.map(|digit| digit.to_ascii_uppercase()).collect()
}

/// One element by its type-length field: bits 6 to 4 the type, bit 7 one more byte of length.
fn element<'a>(bytes: &mut Bytes<'a>, depth: u8, budget: &mut usize) -> Option<Sml<'a>> {
    *budget = budget.checked_sub(1)?;
    let first = bytes.u8()?;
    let mut length = usize::from(first & 0x0F);
    let mut header = 1;
    let mut field = first;
    while field & 0x80 != 0 {
        field = bytes.u8()?;
        header += 1;
        if header > 3 {
            return None;
        }
        length = length << 4 | usize::from(field & 0x0F);
    }
    if first == 0 {
        return Some(Sml::Other);
    }
    if first & 0x70 == 0x70 {
        let depth = depth.checked_sub(1)?;
        if length > *budget {
            return None;
        }
        return (0..length)
            .map(|_| element(bytes, depth, budget))
            .collect::<Option<_>>()
            .map(Sml::List);
    }
    let content = bytes.take(length.checked_sub(header)?)?;
    Some(match first & 0x70 {
        0x00 => Sml::Octets(content),
        0x50 => number(
            content,
            content.first().is_some_and(|byte| byte & 0x80 != 0),
        )
        .map_or(Sml::Other, Sml::Number),
        0x60 => number(content, false).map_or(Sml::Other, Sml::Number),
        _ => Sml::Other,
    })
}

/// Big-endian of one to eight bytes; meters shorten numbers as they like.
fn number(content: &[u8], negative: bool) -> Option<i64> {
    if content.is_empty() || content.len() > 8 {
        return None;
    }
    let mut wide = [if negative { 0xFF } else { 0 }; 8];
    for (to, from) in wide.iter_mut().rev().zip(content.iter().rev()) {
        *to = *from;
    }
    let value = i64::from_be_bytes(wide);
    (negative == (value < 0)).then_some(value)
}
