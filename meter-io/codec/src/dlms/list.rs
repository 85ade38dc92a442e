//! The lists that meters push, by their shape, into registers.
//!
//! Four shapes are known. Each value alone: a structure of OBIS code, value, and scaler with unit (Aidon, Iskra,
//! Landis+Gyr in Norway, Kaifa and Siemens in Tyrol). Flat: OBIS code, value, perhaps scaler with unit, OBIS code, value
//! (Kamstrup, Kaifa in Sweden and Lower Austria). By position, without codes (Kaifa in Norway, Iskra in Slovenia,
//! Landis+Gyr in Burgenland): a table row tells what stands where. With descriptors: an array of what follows, then the
//! values (Landis+Gyr E450).

mod private;
mod tables;

use super::data::{Data, List, Node};
use crate::{
    profile::{Gather, Obis, Register},
    quantity::Quantity,
    time::MeterTime,
};
pub(crate) use private::Private;
pub(super) use private::values;
use tables::{Slot, Vendor};

const CLOCK: Obis = Obis(0, 0, 1, 0, 0);

/// Reads the body of a notification. `None`: no known shape.
pub(super) fn read(body: Data<'_>, time: Option<MeterTime>, mut gather: Gather<'_>) -> Option<()> {
    let items = body.list()?;
    gather.telegram().meter_time = time;
    let mut reader = Reader {
        gather,
        vendor: vendor(items),
        items: items.len(),
    };
    if let Some(described) = described(items) {
        for (obis, value) in described {
            reader.value(obis, value, None);
        }
    } else if let Some(layout) = tables::layout(name(items), items) {
        reader.by_position(layout.slots, items);
    } else {
        reader.by_code(items);
    }
    reader.gather.telegram().list = reader.vendor.list(items.len());
    reader.gather.finish();
    Some(())
}

struct Reader<'a> {
    gather: Gather<'a>,
    vendor: &'static Vendor,
    /// Length of the list.
    items: usize,
}

impl Reader<'_> {
    /// A list without codes: a table says what stands where.
    fn by_position(&mut self, slots: &[Slot], items: List<'_>) {
        for (slot, item) in slots.iter().zip(items.items()) {
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
    fn by_code(&mut self, items: List<'_>) {
        let mut rest = items.items();
        while let Some(first) = rest.next() {
            if let Some(inner) = first.list().filter(|inner| inner.len() > 1) {
                let mut inner = inner.items();
                if let (Some(code), Some(value)) = (inner.next(), inner.next()) {
                    self.coded(code, value, inner.next());
                }
            } else if first.obis().is_some() {
                let Some(value) = rest.next() else { return };
                let scaler = rest.peek().filter(|next| exponent(*next).is_some());
                if scaler.is_some() {
                    rest.next();
                }
                self.coded(first, value, scaler);
            } else if let Some(id) = first.text()
                && rest.len() == 0
                && items.len() > 1
            {
                self.gather.telegram().meter_id.get_or_insert(id);
            } else {
                self.clock(first);
            }
        }
    }

    fn coded(&mut self, code: Data<'_>, value: Data<'_>, scaler: Option<Data<'_>>) {
        if let Some(obis) = code.obis().and_then(Obis::from_bytes) {
            self.value(obis, value, scaler);
        }
    }

    fn value(&mut self, obis: Obis, value: Data<'_>, scaler: Option<Data<'_>>) {
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

    fn clock(&mut self, value: Data<'_>) {
        let telegram = self.gather.telegram();
        if telegram.meter_time.is_none() {
            telegram.meter_time = value.bytes().and_then(MeterTime::from_dlms);
        }
    }

    /// A value in the scale of its frame, else in that of its maker. Without either it is left out.
    fn number(&mut self, register: Register, value: Data<'_>, exponent: Option<i8>) {
        let Some(mantissa) = value.number() else {
            return;
        };
        let exponent = exponent.or_else(|| {
            let model = self.gather.telegram().meter_model.as_deref();
            self.vendor
                .exponent(register.dimension(), mantissa, self.items, model)
        });
        if let Some(exponent) = exponent {
            self.gather.set(register, Quantity { mantissa, exponent });
        }
    }
}

/// Scaler and unit: the scaler.
fn exponent(data: Data<'_>) -> Option<i8> {
    match data.0 {
        [Node::List { .. }, scaler, Node::Enum] => {
            i8::try_from(Data(std::slice::from_ref(scaler)).number()?).ok()
        }
        _ => None,
    }
}

/// The list's name: the first text, which stands alone, behind a code, or in the first structure.
fn name(items: List<'_>) -> &[u8] {
    let inner = items.items().next().and_then(Data::list);
    let mut first = inner.unwrap_or(items).items().take(2);
    let text = first.find(|item| item.obis().is_none());
    text.and_then(Data::bytes).unwrap_or_default()
}

fn vendor(items: List<'_>) -> &'static Vendor {
    tables::vendor(name(items))
}

/// The values behind an array of as many push-object descriptors (class, OBIS code, attribute, index), with their codes.
fn described(items: List<'_>) -> Option<impl Iterator<Item = (Obis, Data<'_>)>> {
    let mut values = items.items();
    let descriptors = values.next()?.list()?;
    let codes = descriptors.items().map(|descriptor| match descriptor.0 {
        [
            Node::List { .. },
            Node::Number { .. },
            Node::Octets(code),
            Node::Number { .. },
            ..,
        ] => Obis::from_bytes(code),
        _ => None,
    });
    // The first descriptor may describe the array itself.
    let extra = descriptors.len().checked_sub(values.len())?;
    let all = extra <= 1 && values.len() > 0 && codes.clone().all(|code| code.is_some());
    all.then(|| codes.flatten().skip(extra).zip(values))
}
