//! Meters with Modbus registers (Modbus Application Protocol V1.1b3), as data.
//!
//! Input: the name of a [`Profile`], and the registers that its blocks ask for. Output: a [`Telegram`]. What a meter
//! marks as not available is missing; what cannot be a meter's value is an error, for a profile of another meter reads
//! numbers out of anything. A new meter is a new row in `meters`.

mod meters;

use crate::{
    decoder::Reason,
    profile::{Dimension, Gather, Register},
    quantity::Quantity,
    telegram::{Protocol, Telegram, Text},
};

/// A meter, or several with the same registers.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// As written in a source.
    pub name: &'static str,
    /// The meters, for people.
    pub model: &'static str,
    /// How the registers are read.
    pub function: Function,
    /// What is read, one request each.
    pub blocks: &'static [Block],
    fields: &'static [Field],
}

/// The function that reads the registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// 03, read holding registers.
    Holding,
    /// 04, read input registers.
    Input,
}

/// Registers that one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first one, counted from 0 as on the wire.
    pub start: u16,
    /// How many.
    pub count: u16,
}

/// One value.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    address: u16,
    /// Reactive power is signed in all of them: `ImportReactive` stands for both directions.
    fills: Register,
    form: Form,
    /// The power of ten between the register and the base unit.
    exponent: i8,
}

/// How a value lies in its registers; the high byte of each comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// IEEE 754, 32 bits.
    Float,
    /// 32 bits with a sign, the low register first.
    SwappedSigned,
    /// 32 bits with a sign.
    Signed,
    /// 32 bits.
    Unsigned,
    /// 64 bits.
    Long,
}

/// No register of a house holds more, whatever its unit: 10^9 kWh are the energy of a power station.
const FLOAT_MAX: f32 = 1e9;
/// Integers that are read as floats come out as numbers like 1e-41. A meter sends 0, or something that it can measure.
const FLOAT_MIN: f32 = 1e-6;
/// Line to neutral, in millivolt; meters for houses end at 300 V, those behind voltage transformers send more.
const VOLTAGE_MAX_MV: i64 = 50_000_000;
/// A meter answers because it is fed by a phase. With none of them live these are not its voltages.
const LIVE_MV: i64 = 50_000;
/// In milliampere; behind current transformers.
const CURRENT_MAX_MA: i64 = 10_000_000;
/// In milliwatt or millivar: 10 MW is no house.
const POWER_MAX_MW: i64 = 10_000_000_000;

impl Profile {
    /// All of them.
    pub const ALL: &'static [Self] = meters::ALL;

    /// The profile of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }

    /// Reads the answers to the blocks, in their order.
    pub fn telegram(&self, answers: &[Vec<u16>]) -> Result<Telegram, Reason> {
        let sizes = self.blocks.iter().map(|block| usize::from(block.count));
        if !sizes.eq(answers.iter().map(Vec::len)) {
            return Err(Reason::Malformed);
        }
        let mut telegram = Telegram::new(Protocol::Modbus);
        let mut gather = Gather::new(&mut telegram, Protocol::Modbus);
        gather.telegram().meter_model = Text::from(self.model).ok();
        for field in self.fields {
            let registers = self.registers(field, answers).ok_or(Reason::Malformed)?;
            if let Some(value) = field.value(registers)? {
                set(&mut gather, field.fills, value)?;
            }
        }
        gather.finish();
        let mut voltages = telegram.phases.iter().filter_map(|phase| phase.voltage_mv);
        if telegram.is_empty() || voltages.all(|voltage| voltage < LIVE_MV) {
            return Err(Reason::Unknown);
        }
        Ok(telegram)
    }

    fn registers<'a>(&self, field: &Field, answers: &'a [Vec<u16>]) -> Option<&'a [u16]> {
        self.blocks.iter().zip(answers).find_map(|(block, answer)| {
            let from = usize::from(field.address.checked_sub(block.start)?);
            answer.get(from..from + field.form.registers())
        })
    }
}

impl Form {
    fn registers(self) -> usize {
        if self == Self::Long { 4 } else { 2 }
    }
}

impl Field {
    /// `None`: the meter says that it has no such value.
    fn value(&self, registers: &[u16]) -> Result<Option<Quantity>, Reason> {
        let bits = |registers: &[u16]| {
            let each = registers.iter();
            each.fold(0_u64, |bits, register| bits << 16 | u64::from(*register))
        };
        let low = |bits: u64| u32::try_from(bits).map_err(|_| Reason::Malformed);
        let mantissa = match self.form {
            Form::Float => return self.float(f32::from_bits(low(bits(registers))?)),
            Form::SwappedSigned | Form::Signed => {
                let swapped: Vec<u16> = registers.iter().rev().copied().collect();
                let ordered = if self.form == Form::Signed {
                    registers
                } else {
                    &swapped
                };
                let value = low(bits(ordered))?.cast_signed();
                (value != i32::MAX).then(|| i64::from(value))
            }
            Form::Unsigned => {
                let value = low(bits(registers))?;
                (value != u32::MAX).then(|| i64::from(value))
            }
            Form::Long => match bits(registers) {
                u64::MAX => None,
                value => Some(i64::try_from(value).map_err(|_| Reason::Malformed)?),
            },
        };
        Ok(mantissa.map(|mantissa| Quantity {
            mantissa,
            exponent: self.exponent,
        }))
    }

    fn float(&self, value: f32) -> Result<Option<Quantity>, Reason> {
        if value.is_nan() {
            return Ok(None);
        }
        if value != 0.0 && !(FLOAT_MIN..FLOAT_MAX).contains(&value.abs()) {
            return Err(Reason::Malformed);
        }
        // Three digits are what is kept of a value in its base unit.
        let quantity = Quantity::parse(&format!("{value:.3}"));
        let quantity = quantity.and_then(|quantity| quantity.shifted(self.exponent));
        quantity.map(Some).ok_or(Reason::Malformed)
    }
}

/// Takes a value that can be true.
fn set(gather: &mut Gather<'_>, fills: Register, value: Quantity) -> Result<(), Reason> {
    let milli = value.milli().ok_or(Reason::Malformed)?;
    let possible = match fills.dimension() {
        Dimension::Voltage => (0..=VOLTAGE_MAX_MV).contains(&milli),
        Dimension::Current => milli.unsigned_abs() <= CURRENT_MAX_MA.unsigned_abs(),
        Dimension::Energy => milli >= 0,
        _ => milli.unsigned_abs() <= POWER_MAX_MW.unsigned_abs(),
    };
    if !possible {
        return Err(Reason::Malformed);
    }
    if fills == Register::ImportReactive {
        let directed = |mantissa| Quantity { mantissa, ..value };
        let fed_in = value.mantissa.min(0).saturating_neg();
        gather.set(Register::ImportReactive, directed(value.mantissa.max(0)));
        gather.set(Register::ExportReactive, directed(fed_in));
    } else {
        gather.set(fills, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
