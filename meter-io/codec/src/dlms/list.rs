//! The lists that meters push, by their shape, into registers.
//!
//! Four shapes are known. Each value alone: a structure of OBIS code, value, and scaler with unit (Aidon, Iskra,
//! Landis+Gyr in Norway, Kaifa and Siemens in Tyrol). Flat: OBIS code, value, perhaps scaler with unit, OBIS code, value
//! (Kamstrup, Kaifa in Sweden and Lower Austria). By position, without codes (Kaifa in Norway, Iskra in Slovenia,
//! Landis+Gyr in Burgenland): a table row tells what stands where. With descriptors: an array of what follows, then the
//! values (Landis+Gyr E450).

mod private;
mod tables;

use super::Data;
use crate::{
    profile::{Gather, Obis, Register},
    quantity::Quantity,
    telegram::{Protocol, Telegram},
    time::MeterTime,
};
pub(crate) use private::Private;
pub(super) use private::texts;
use tables::{Slot, Vendor};

const CLOCK: Obis = Obis(0, 0, 1, 0, 0);

/// Reads the body of a notification. `None`: no known shape.
pub(super) fn read(
    body: &Data<'_>,
    time: Option<MeterTime>,
    protocol: Protocol,
) -> Option<Telegram> {
    let items = body.list()?;
    let mut telegram = Telegram::new(protocol);
    telegram.meter_time = time;
    let mut reader = Reader {
        gather: Gather::new(telegram),
        vendor: vendor(items),
        items: items.len(),
    };
    if let Some((descriptors, values)) = descriptors(items) {
        for (obis, value) in descriptors.into_iter().zip(values) {
            reader.value(obis, value, None);
        }
    } else if let Some(layout) = tables::layout(name(items), items) {
        reader.by_position(layout.slots, items);
    } else {
        reader.by_code(items);
    }
    reader.gather.telegram().list = reader.vendor.list(items.len());
    Some(reader.gather.finish())
}

struct Reader {
    gather: Gather,
    vendor: &'static Vendor,
    /// Length of the list.
    items: usize,
}

impl Reader {
    /// A list without codes: a table says what stands where.
    fn by_position(&mut self, slots: &[Slot], items: &[Data<'_>]) {
        for (slot, item) in slots.iter().zip(items) {
            match slot {
                Slot::Skip | Slot::Text => {}
                Slot::Id => self.gather.telegram().meter_id = item.text(),
                Slot::Model => self.gather.telegram().meter_model = item.text(),
                Slot::Clock => self.clock(item),
                Slot::Wide(register) | Slot::Short(register) | Slot::Any(register) => {
                    self.number(*register, item, None);
                }
            }
        }
    }

    /// Codes, each with its value and perhaps with scaler and unit, in structures or in a row. Absent phases are null. What
    /// stands alone is the clock, or at the end the meter's id.
    fn by_code(&mut self, items: &[Data<'_>]) {
        let mut rest = items;
        while let [first, tail @ ..] = rest {
            rest = tail;
            if let Some([code, value, scaler @ ..]) = first.list() {
                self.coded(code, value, scaler.first());
            } else if first.obis().is_some() {
                let [value, tail @ ..] = rest else { return };
                rest = tail;
                let scaler = tail.first().filter(|next| exponent(next).is_some());
                if scaler.is_some() {
                    rest = tail.get(1..).unwrap_or_default();
                }
                self.coded(first, value, scaler);
            } else if let Some(id) = first.text()
                && rest.is_empty()
                && items.len() > 1
            {
                self.gather.telegram().meter_id.get_or_insert(id);
            } else {
                self.clock(first);
            }
        }
    }

    fn coded(&mut self, code: &Data<'_>, value: &Data<'_>, scaler: Option<&Data<'_>>) {
        if let Some(obis) = code.obis().and_then(Obis::from_bytes) {
            self.value(obis, value, scaler);
        }
    }

    fn value(&mut self, obis: Obis, value: &Data<'_>, scaler: Option<&Data<'_>>) {
        if obis == CLOCK {
            self.clock(value);
        } else if let Some(register) = obis.register() {
            self.number(register, value, scaler.and_then(exponent));
        } else {
            let telegram = self.gather.telegram();
            match tables::identity(obis) {
                Some(tables::Identity::Id) => telegram.meter_id = value.text(),
                Some(tables::Identity::Model) => telegram.meter_model = value.text(),
                None => {}
            }
        }
    }

    fn clock(&mut self, value: &Data<'_>) {
        let telegram = self.gather.telegram();
        if telegram.meter_time.is_none() {
            telegram.meter_time = value.bytes().and_then(MeterTime::from_dlms);
        }
    }

    /// A value in the scale of its frame, else in that of its maker. Without either it is left out.
    fn number(&mut self, register: Register, value: &Data<'_>, exponent: Option<i8>) {
        let Some(mantissa) = value.number() else {
            return;
        };
        let model = self.gather.telegram().meter_model.as_deref();
        let exponent = exponent.or_else(|| {
            self.vendor
                .exponent(register.dimension(), mantissa, self.items, model)
        });
        if let Some(exponent) = exponent {
            self.gather.set(register, Quantity { mantissa, exponent });
        }
    }
}

/// Scaler and unit: the scaler.
fn exponent(data: &Data<'_>) -> Option<i8> {
    match data.list()? {
        [Data::Short(scaler), Data::Enum(_)] => i8::try_from(*scaler).ok(),
        _ => None,
    }
}

/// The list's name: the first text, which stands alone, behind a code, or in the first structure.
fn name<'a>(items: &[Data<'a>]) -> &'a [u8] {
    let first = match items {
        [Data::List(first), ..] => first.as_slice(),
        items => items,
    };
    let text = first.iter().take(2).find(|item| item.obis().is_none());
    text.and_then(Data::bytes).unwrap_or_default()
}

fn vendor(items: &[Data<'_>]) -> &'static Vendor {
    tables::vendor(name(items))
}

/// An array of push-object descriptors (class, OBIS code, attribute, index) before as many values.
fn descriptors<'a, 'b>(items: &'b [Data<'a>]) -> Option<(Vec<Obis>, &'b [Data<'a>])> {
    let (first, values) = items.split_first()?;
    let descriptors = first.list()?;
    let codes = descriptors
        .iter()
        .map(|descriptor| match descriptor.list()? {
            [Data::Short(_), code, Data::Short(_), ..] => Obis::from_bytes(code.obis()?),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    // The first descriptor may describe the array itself.
    let extra = codes.len().checked_sub(values.len())?;
    (extra <= 1 && !values.is_empty()).then(|| (codes.into_iter().skip(extra).collect(), values))
}
