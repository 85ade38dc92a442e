//! What the registers of meters mean, as data.
//!
//! Input: OBIS codes (IEC 62056-6-1) with numbers. Output: the fields of a [`Telegram`]. Each table row is one fact
//! about a family of meters; a new meter is a new row.

use crate::{
    quantity::Quantity,
    telegram::{PhaseValues, Protocol, Telegram},
};

/// An OBIS code without its last group, which is 255 or absent on customer ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obis(pub u8, pub u8, pub u8, pub u8, pub u8);

/// A field of a telegram that a register fills. The numbers are phases, 0 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// Total active power drawn, W.
    ImportPower,
    /// Total active power fed in, W.
    ExportPower,
    /// Total active power, W, negative when fed in.
    SignedPower,
    /// Total reactive power drawn, var.
    ImportReactive,
    /// Total reactive power fed in, var.
    ExportReactive,
    /// Active power drawn of a phase, W.
    PhaseImport(usize),
    /// Active power fed in of a phase, W.
    PhaseExport(usize),
    /// Active power of a phase, W, negative when fed in.
    PhaseSigned(usize),
    /// Apparent power drawn of a phase, VA.
    PhaseApparent(usize),
    /// Current of a phase, A.
    Current(usize),
    /// Voltage of a phase, V.
    Voltage(usize),
    /// Energy drawn, Wh; of a tariff (1 to 8) or in total (0).
    ImportEnergy(u8),
    /// Energy fed in, Wh; of a tariff (1 to 8) or in total (0).
    ExportEnergy(u8),
}

/// The physical quantity of a register, which decides its unit and its usual scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// W
    Power,
    /// var
    Reactive,
    /// VA
    Apparent,
    /// A
    Current,
    /// V
    Voltage,
    /// Wh
    Energy,
}

use Register::{
    Current, ExportPower, ExportReactive, ImportPower, ImportReactive, PhaseApparent, PhaseExport,
    PhaseImport, PhaseSigned, SignedPower, Voltage,
};

/// OBIS group C of the instantaneous values (D = 7).
const INSTANTANEOUS: &[(u8, Register)] = &[
    (1, ImportPower),
    (2, ExportPower),
    (16, SignedPower),
    (3, ImportReactive),
    (4, ExportReactive),
    (21, PhaseImport(0)),
    (41, PhaseImport(1)),
    (61, PhaseImport(2)),
    (22, PhaseExport(0)),
    (42, PhaseExport(1)),
    (62, PhaseExport(2)),
    (36, PhaseSigned(0)),
    (56, PhaseSigned(1)),
    (76, PhaseSigned(2)),
    (31, Current(0)),
    (51, Current(1)),
    (71, Current(2)),
    (32, Voltage(0)),
    (52, Voltage(1)),
    (72, Voltage(2)),
];

const INSTANTANEOUS_VALUE: u8 = 7;
const TIME_INTEGRAL: u8 = 8;
/// Tariffs that are summed.
const TARIFFS: usize = 8;

impl Obis {
    /// From the six bytes of DLMS and SML.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[medium, channel], &[value, kind, tariff, _]) = bytes.split_first_chunk()? else {
            return None;
        };
        Some(Self(medium, channel, value, kind, tariff))
    }

    /// What the code fills. Electricity on channel 0 or 1 only: Swiss P1 meters send their totals on channel 1.
    #[must_use]
    pub fn register(self) -> Option<Register> {
        let Self(1, 0 | 1, c, d, e) = self else {
            return None;
        };
        match (c, d, e) {
            (_, INSTANTANEOUS_VALUE, 0 | 255) => INSTANTANEOUS
                .iter()
                .find(|(code, _)| *code == c)
                .map(|(_, register)| *register),
            (1, TIME_INTEGRAL, 0..=8) => Some(Register::ImportEnergy(e)),
            (2, TIME_INTEGRAL, 0..=8) => Some(Register::ExportEnergy(e)),
            _ => None,
        }
    }
}

impl Register {
    /// The quantity that the register holds.
    #[must_use]
    pub fn dimension(self) -> Dimension {
        match self {
            ImportPower | ExportPower | SignedPower | PhaseImport(_) | PhaseExport(_)
            | PhaseSigned(_) => Dimension::Power,
            ImportReactive | ExportReactive => Dimension::Reactive,
            PhaseApparent(_) => Dimension::Apparent,
            Current(_) => Dimension::Current,
            Voltage(_) => Dimension::Voltage,
            Self::ImportEnergy(_) | Self::ExportEnergy(_) => Dimension::Energy,
        }
    }
}

/// Units as text, in lower case: P1 writes `kVAr`, `kvar` and `kW` as each maker likes.
#[must_use]
pub fn unit(text: &str) -> Option<(Dimension, i8)> {
    let text = text.trim();
    // The longest unit has four letters.
    let mut lower = [0; 4];
    let lower = lower.get_mut(..text.len())?;
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    Some(match std::str::from_utf8(lower).ok()? {
        "w" => (Dimension::Power, 0),
        "kw" => (Dimension::Power, 3),
        "var" => (Dimension::Reactive, 0),
        "kvar" => (Dimension::Reactive, 3),
        "a" => (Dimension::Current, 0),
        "ka" => (Dimension::Current, 3),
        "ma" => (Dimension::Current, -3),
        "v" => (Dimension::Voltage, 0),
        "kv" => (Dimension::Voltage, 3),
        "wh" => (Dimension::Energy, 0),
        "kwh" => (Dimension::Energy, 3),
        _ => return None,
    })
}

/// Gathers registers into a telegram. A register that comes twice: the last one counts.
#[derive(Debug)]
pub(crate) struct Gather<'a> {
    telegram: &'a mut Telegram,
    import_tariffs: [Option<i64>; TARIFFS + 1],
    export_tariffs: [Option<i64>; TARIFFS + 1],
}

impl<'a> Gather<'a> {
    /// The telegram says nothing yet, whatever it said before.
    pub(crate) fn new(telegram: &'a mut Telegram, protocol: Protocol) -> Self {
        *telegram = Telegram::new(protocol);
        let none = [None; TARIFFS + 1];
        Self {
            telegram,
            import_tariffs: none,
            export_tariffs: none,
        }
    }

    /// The telegram so far, for what is not a register.
    pub(crate) fn telegram(&mut self) -> &mut Telegram {
        self.telegram
    }

    /// Takes one value, in the base unit. A value that no integer holds is left out.
    pub(crate) fn set(&mut self, register: Register, quantity: Quantity) {
        let Some(milli) = quantity.milli() else {
            return;
        };
        let telegram = &mut *self.telegram;
        match register {
            ImportPower => telegram.import_mw = Some(milli),
            ExportPower => telegram.export_mw = Some(milli),
            SignedPower => (telegram.import_mw, telegram.export_mw) = by_sign(milli),
            ImportReactive => telegram.import_mvar = Some(milli),
            ExportReactive => telegram.export_mvar = Some(milli),
            Register::ImportEnergy(tariff) => put(&mut self.import_tariffs, tariff, milli),
            Register::ExportEnergy(tariff) => put(&mut self.export_tariffs, tariff, milli),
            PhaseImport(phase) | PhaseExport(phase) | PhaseSigned(phase) | PhaseApparent(phase)
            | Current(phase) | Voltage(phase) => {
                if let Some(values) = telegram.phases.get_mut(phase) {
                    set_phase(values, register, milli, quantity.step_milli());
                }
            }
        }
    }

    /// The whole telegram.
    pub(crate) fn finish(self) -> &'a mut Telegram {
        self.telegram.energy_import_mwh = total(&self.import_tariffs);
        self.telegram.energy_export_mwh = total(&self.export_tariffs);
        self.telegram
    }
}

fn set_phase(values: &mut PhaseValues, register: Register, milli: i64, step: Option<i64>) {
    match register {
        PhaseImport(_) => values.import_mw = Some(milli),
        PhaseExport(_) => values.export_mw = Some(milli),
        PhaseSigned(_) => (values.import_mw, values.export_mw) = by_sign(milli),
        PhaseApparent(_) => values.apparent_mva = Some(milli),
        Current(_) => {
            // A magnitude: some three-wire meters send it with a meaningless sign.
            values.current_ma = milli.checked_abs();
            values.current_step_ma = step;
        }
        Voltage(_) => {
            values.voltage_mv = Some(milli);
            values.voltage_step_mv = step;
        }
        _ => {}
    }
}

fn by_sign(milli: i64) -> (Option<i64>, Option<i64>) {
    (Some(milli.max(0)), milli.min(0).checked_neg())
}

fn put(tariffs: &mut [Option<i64>; TARIFFS + 1], tariff: u8, milli: i64) {
    if let Some(slot) = tariffs.get_mut(usize::from(tariff)) {
        *slot = Some(milli);
    }
}

/// The meter's own total, else the sum of the tariffs.
fn total(tariffs: &[Option<i64>; TARIFFS + 1]) -> Option<i64> {
    let [total, each @ ..] = tariffs;
    total.or_else(|| {
        each.iter()
            .flatten()
            .try_fold(None, |sum: Option<i64>, milli| {
                sum.unwrap_or(0).checked_add(*milli).map(Some)
            })?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_are_totals_over_the_tariffs() {
        let milli = |milli| Quantity {
            mantissa: milli,
            exponent: -3,
        };
        let mut telegram = Telegram::new(Protocol::P1);
        let mut gather = Gather::new(&mut telegram, Protocol::P1);
        gather.set(Register::ImportEnergy(1), milli(7));
        gather.set(Register::ImportEnergy(2), milli(5));
        gather.set(Register::ImportEnergy(2), milli(6));
        assert_eq!(gather.telegram.energy_import_mwh, None);
        let telegram = gather.finish();
        assert_eq!(telegram.energy_import_mwh, Some(13));
        assert_eq!(telegram.energy_export_mwh, None);
    }

    #[test]
    fn codes_of_other_media_and_channels_fill_nothing() {
        assert_eq!(Obis(1, 0, 31, 7, 0).register(), Some(Current(0)));
        for obis in [
            Obis(0, 1, 31, 7, 0),
            Obis(1, 2, 31, 7, 0),
            Obis(1, 0, 31, 4, 0),
            Obis(1, 0, 31, 7, 1),
        ] {
            assert_eq!(obis.register(), None, "{obis:?}");
        }
    }
}
