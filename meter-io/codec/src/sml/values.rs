//! The values of an SML file (BSI TR-03109-1, annex: SML).
//!
//! A file is a row of messages `76 id group abort body crc 00`. Of the bodies only GetList.Res is of interest: its list
//! holds entries of seven fields (name, status, time, unit, scaler, value, signature). What is not of interest is passed
//! by its length whatever its type: Holley meters send a time without the list around it.

use super::element::{Element, element, list, skip};
use crate::{
    bytes::Bytes,
    checksum,
    decoder::Reason,
    profile::{Dimension, Gather, Obis, Register},
    quantity::Quantity,
    telegram::{Protocol, Telegram, Text},
};

/// Fields of a message, of its body, of a GetList.Res and of an entry.
const MESSAGE: usize = 6;
const BODY: usize = 2;
const GET_LIST: usize = 7;
const ENTRY: usize = 7;
/// GetList.Res
const GET_LIST_TAG: i64 = 0x0701;

/// Codes that hold the meter's id: device identification and server id.
const IDS: [Obis; 2] = [Obis(1, 0, 96, 1, 0), Obis(1, 0, 0, 0, 9)];

pub(super) fn read(content: &[u8], telegram: &mut Telegram) -> Result<(), Reason> {
    let mut reader = Reader {
        gather: Gather::new(telegram, Protocol::Sml),
        wrapped: None,
        counts_export: false,
    };
    let mut bytes = Bytes(content);
    while !bytes.is_empty() {
        reader.message(&mut bytes)?;
    }
    let telegram = reader.finish();
    if telegram.is_empty() {
        Err(Reason::Unknown)
    } else {
        Ok(())
    }
}

struct Reader<'a> {
    gather: Gather<'a>,
    /// A total power that DZG's fault may have made of another one: see [`is_wrapped`].
    wrapped: Option<Quantity>,
    /// The meter has a register of what is fed in.
    counts_export: bool,
}

impl<'a> Reader<'a> {
    /// One message. Its own checksum is enforced beside that of the file.
    fn message(&mut self, bytes: &mut Bytes<'_>) -> Result<(), Reason> {
        let all = bytes.0;
        self.body(bytes).ok_or(Reason::Malformed)?;
        let len = all.len() - bytes.len();
        // A checksum below 256 may come in one byte.
        let Some(Element::Number { value: sum, .. }) = element(bytes) else {
            return Err(Reason::Malformed);
        };
        if bytes.u8() != Some(0) {
            return Err(Reason::Malformed);
        }
        let message = all.get(..len).unwrap_or_default();
        // The low byte of X-25 is sent first, so as a number of two bytes it is the high one. KERMIT is sent as a number.
        let x25 = checksum::x25(message).swap_bytes();
        if sum == i64::from(x25) || sum == i64::from(checksum::kermit(message)) {
            Ok(())
        } else {
            Err(Reason::Checksum)
        }
    }

    fn body(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        list(bytes, MESSAGE)?;
        for _transaction_group_abort in 0..3 {
            skip(bytes)?;
        }
        list(bytes, BODY)?;
        let Element::Number { value: tag, .. } = element(bytes)? else {
            return None;
        };
        if tag == GET_LIST_TAG {
            self.get_list(bytes)
        } else {
            skip(bytes)
        }
    }

    fn get_list(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        list(bytes, GET_LIST)?;
        skip(bytes)?;
        let server = match element(bytes)? {
            Element::Octets(server) => server,
            _ => &[],
        };
        for _list_name_time in 0..2 {
            skip(bytes)?;
        }
        let Element::List(count) = element(bytes)? else {
            return None;
        };
        for _ in 0..count {
            self.entry(bytes, server)?;
        }
        for _signature_time in 0..2 {
            skip(bytes)?;
        }
        Some(())
    }

    fn entry(&mut self, bytes: &mut Bytes<'_>, server: &[u8]) -> Option<()> {
        list(bytes, ENTRY)?;
        let name = element(bytes)?;
        for _status_time in 0..2 {
            skip(bytes)?;
        }
        let (unit, scaler) = (element(bytes)?, element(bytes)?);
        let value = element(bytes)?;
        if let Element::List(count) = value {
            for _ in 0..count {
                skip(bytes)?;
            }
        }
        skip(bytes)?;
        if let Element::Octets(name) = name
            && let Some(obis) = Obis::from_bytes(name)
        {
            self.take(obis, &unit, &scaler, &value, server);
        }
        Some(())
    }

    fn take(
        &mut self,
        obis: Obis,
        unit: &Element<'_>,
        scaler: &Element<'_>,
        value: &Element<'_>,
        server: &[u8],
    ) {
        match (unit, scaler, value) {
            (
                Element::Number { value: unit, .. },
                Element::Number { value: scaler, .. },
                Element::Number { value, width },
            ) => {
                let Some(register) = obis.register() else {
                    return;
                };
                let Ok(exponent) = i8::try_from(*scaler) else {
                    return;
                };
                if dimension(*unit) != Some(register.dimension()) {
                    return;
                }
                self.counts_export |= matches!(register, Register::ExportEnergy(_));
                let quantity = Quantity {
                    mantissa: *value,
                    exponent,
                };
                if register == Register::SignedPower && is_wrapped(quantity, *width, server) {
                    self.wrapped = Some(quantity);
                } else {
                    self.gather.set(register, quantity);
                }
            }
            (_, _, Element::Octets(id)) if IDS.contains(&obis) => {
                self.gather.telegram().meter_id = hex(id);
            }
            _ => {}
        }
    }

    /// A power that may be wrapped is 655.36 W more, if the meter counts nothing that is fed in. If it does, nobody can
    /// tell: then the telegram has no power.
    fn finish(mut self) -> &'a Telegram {
        if let Some(quantity) = self.wrapped
            && !self.counts_export
        {
            let mantissa = quantity.mantissa + (1 << 16);
            self.gather.set(
                Register::SignedPower,
                Quantity {
                    mantissa,
                    ..quantity
                },
            );
        }
        self.gather.finish()
    }
}

/// DZG's DVS74 sends 327.68 to 655.35 W as a signed number of 16 bits, which then reads as -327.68 to -0.01 W. Newer ones
/// do it right, and no serial number tells them apart: such a number of such a meter can mean both.
fn is_wrapped(quantity: Quantity, width: usize, server: &[u8]) -> bool {
    quantity.mantissa < 0
        && quantity.exponent == -2
        && width == 2
        && server.get(2..5) == Some(b"DZG")
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

/// `None`: more than any id has.
fn hex(bytes: &[u8]) -> Option<Text> {
    let mut text = Text::new();
    for half in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]) {
        let digit = char::from_digit(half.into(), 16)?;
        text.try_push(digit.to_ascii_uppercase()).ok()?;
    }
    Some(text)
}
