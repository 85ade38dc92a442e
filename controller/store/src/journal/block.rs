//! Some hundred inputs in a row, in a dense form, and back: exactly as they were.
//!
//! A reading is what it differs from the one of the same meter before it; any other event is its JSON. Numbers grow slowly, so their differences
//! are short. All of it is packed as one text ([`super::pack`]), since one report of a charger is much like another.

use headroom_core::event::{PhaseReading, Reading};
use headroom_core::units::{Milliamps, Millivolts, Vars, Watts};

use super::pack::{self, put, take};

/// Lines that a reading in a block has at most; one with more stands in its JSON.
pub(super) const LINES: usize = 3;
/// Values of a line: current, voltage, power.
const OF_A_LINE: usize = 3;
/// All values of a reading: those of the lines, the total power, the reactive power.
const VALUES: usize = LINES * OF_A_LINE + 2;
/// An input that is no reading.
const EVENT: u64 = 0;
/// A reading of a meter, or of a shape, that has not been in the block yet.
const NEW_METER: u64 = 1;
/// From here on: a reading of the meter with this number, less this.
const KNOWN_METER: u64 = 2;

/// An input as the journal has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Input {
    pub(super) seq: i64,
    pub(super) t_ms: i64,
    pub(super) time_ms: i64,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Reading(Reading),
    /// Any other event, as JSON.
    Event(String),
}

/// What is there of a reading; its values are those of the last one.
#[derive(Debug, Default)]
struct Meter {
    lines: u64,
    /// Which lines are there, bit 0: L1.
    present: u64,
    /// Which values are there, in their order.
    has: u64,
    circuit: Option<String>,
    values: [i64; VALUES],
}

impl Meter {
    fn of(reading: &Reading) -> Self {
        let mut meter = Self {
            lines: reading.phases.len() as u64,
            circuit: reading.circuit.clone(),
            ..Self::default()
        };
        for (index, value) in values(reading).into_iter().enumerate() {
            meter.has |= u64::from(value.is_some()) << index;
        }
        for (index, line) in reading.phases.iter().enumerate() {
            meter.present |= u64::from(line.is_some()) << index;
        }
        meter
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.lines, self.present, self.has) == (other.lines, other.present, other.has)
            && self.circuit == other.circuit
    }

    fn reading(&self) -> Option<Reading> {
        let value = |index: usize| {
            let there = self.has & (1 << index) != 0;
            self.values.get(index).copied().filter(|_| there)
        };
        let lines = usize::try_from(self.lines)
            .ok()
            .filter(|lines| *lines <= LINES)?;
        let line = |index: usize| {
            let first = index * OF_A_LINE;
            (self.present & (1 << index) != 0).then(|| PhaseReading {
                current_a: value(first).map(Milliamps),
                voltage_v: value(first + 1).map(Millivolts),
                power_w: value(first + 2).map(Watts),
            })
        };
        Some(Reading {
            phases: (0..lines).map(line).collect(),
            power_w: value(VALUES - 2).map(Watts),
            reactive_var: value(VALUES - 1).map(Vars),
            circuit: self.circuit.clone(),
        })
    }
}

fn values(reading: &Reading) -> [Option<i64>; VALUES] {
    let mut values = [None; VALUES];
    for (line, place) in reading.phases.iter().zip(values.chunks_mut(OF_A_LINE)) {
        let line = line.unwrap_or_default();
        place.copy_from_slice(&[
            line.current_a.map(|it| it.0),
            line.voltage_v.map(|it| it.0),
            line.power_w.map(|it| it.0),
        ]);
    }
    if let Some(last) = values.last_chunk_mut::<2>() {
        *last = [
            reading.power_w.map(|it| it.0),
            reading.reactive_var.map(|it| it.0),
        ];
    }
    values
}

/// The block of some inputs, in their order; their times of day are told from `first_ms` on. None of the readings has more than [`LINES`] lines.
pub(super) fn write(inputs: &[Input], first_ms: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut meters: Vec<Meter> = Vec::new();
    let (mut seq, mut t_ms, mut time_ms) = (0_i64, 0_i64, first_ms);
    for input in inputs {
        put_signed(&mut bytes, input.seq.wrapping_sub(seq));
        let passed = input.t_ms.wrapping_sub(t_ms);
        put_signed(&mut bytes, passed);
        // Both clocks go alike, nearly always.
        put_signed(
            &mut bytes,
            input.time_ms.wrapping_sub(time_ms).wrapping_sub(passed),
        );
        (seq, t_ms, time_ms) = (input.seq, input.t_ms, input.time_ms);
        match &input.what {
            What::Event(text) => {
                put(&mut bytes, EVENT);
                put_text(&mut bytes, text);
            }
            What::Reading(reading) => {
                let new = Meter::of(reading);
                let known = meters.iter().position(|meter| meter.is_like(&new));
                if let Some(index) = known {
                    put(&mut bytes, index as u64 + KNOWN_METER);
                } else {
                    for number in [NEW_METER, new.lines, new.present, new.has] {
                        put(&mut bytes, number);
                    }
                    put(&mut bytes, u64::from(new.circuit.is_some()));
                    put_text(&mut bytes, new.circuit.as_deref().unwrap_or_default());
                    meters.push(new);
                }
                let meter = match known {
                    Some(index) => meters.get_mut(index),
                    None => meters.last_mut(),
                };
                let before = meter.into_iter().flat_map(|meter| meter.values.iter_mut());
                for (before, value) in before.zip(values(reading)) {
                    if let Some(value) = value {
                        put_signed(&mut bytes, value.wrapping_sub(*before));
                        *before = value;
                    }
                }
            }
        }
    }
    pack::pack(&bytes)
}

/// The inputs of a block; `None` if it is damaged.
pub(super) fn read(block: &[u8], first_ms: i64) -> Option<Vec<Input>> {
    let bytes = pack::unpack(block)?;
    let mut rest = &bytes[..];
    let rest = &mut rest;
    let mut meters: Vec<Meter> = Vec::new();
    let mut inputs = Vec::new();
    let (mut seq, mut t_ms, mut time_ms) = (0_i64, 0_i64, first_ms);
    while !rest.is_empty() {
        seq = seq.wrapping_add(take_signed(rest)?);
        let passed = take_signed(rest)?;
        t_ms = t_ms.wrapping_add(passed);
        time_ms = time_ms
            .wrapping_add(passed)
            .wrapping_add(take_signed(rest)?);
        let kind = take(rest)?;
        let what = if kind == EVENT {
            What::Event(take_text(rest)?)
        } else {
            let index = if kind == NEW_METER {
                let (lines, present, has) = (take(rest)?, take(rest)?, take(rest)?);
                let named = take(rest)? != 0;
                let circuit = Some(take_text(rest)?).filter(|_| named);
                let values = [0; VALUES];
                meters.push(Meter {
                    lines,
                    present,
                    has,
                    circuit,
                    values,
                });
                meters.len() - 1
            } else {
                usize::try_from(kind - KNOWN_METER).ok()?
            };
            let meter = meters.get_mut(index)?;
            for index in 0..VALUES {
                if meter.has & (1 << index) != 0 {
                    let value = meter.values.get_mut(index)?;
                    *value = value.wrapping_add(take_signed(rest)?);
                }
            }
            What::Reading(meter.reading()?)
        };
        inputs.push(Input {
            seq,
            t_ms,
            time_ms,
            what,
        });
    }
    Some(inputs)
}

/// Small numbers of either sign are short.
fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(
        bytes,
        (number.wrapping_shl(1) ^ (number >> 63)).cast_unsigned(),
    );
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes)?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(n: i64, circuit: Option<&str>, missing: usize) -> Reading {
        let line = |index: usize| {
            (index != missing).then(|| PhaseReading {
                current_a: Some(Milliamps(n * 7 - 3_000)),
                voltage_v: (index != 1).then_some(Millivolts(230_000 + n)),
                power_w: None,
            })
        };
        Reading {
            phases: (0..3).map(line).collect(),
            power_w: (n % 3 != 0).then_some(Watts(-n)),
            reactive_var: None,
            circuit: circuit.map(str::to_owned),
        }
    }

    #[test]
    fn inputs_come_back_exactly() {
        let mut inputs = Vec::new();
        for n in 0..300_i64 {
            let what = match n % 7 {
                0 => What::Event(format!("{{\"type\":\"tick\",\"n\":{n}}}")),
                1 => What::Reading(Reading::default()),
                2 => What::Reading(reading(n, Some("garage"), 5)),
                3 => What::Reading(reading(n, Some(""), 1)),
                _ => What::Reading(reading(n, None, 5)),
            };
            // Numbers leave gaps, and the clock jumps.
            let (seq, time_ms) = (10 + n + n / 50, 1_700_000_000_000 - n * n * 1_000);
            inputs.push(Input {
                seq,
                t_ms: n * 999,
                time_ms,
                what,
            });
        }
        inputs.push(Input {
            seq: i64::MAX,
            t_ms: 0,
            time_ms: i64::MIN,
            what: What::Event("é".to_owned()),
        });
        assert_eq!(read(&write(&inputs, -7), -7).unwrap(), inputs);
        assert_eq!(read(&write(&[], 0), 0).unwrap(), []);
    }

    #[test]
    fn a_second_of_the_main_meter_is_a_few_bytes() {
        let inputs: Vec<_> = (0..240)
            .map(|n| Input {
                seq: n + 1,
                t_ms: n * 1000,
                time_ms: 1_700_000_000_000 + n * 1000,
                what: What::Reading(reading(n * 13 % 50, None, 5)),
            })
            .collect();
        let bytes = write(&inputs, 1_700_000_000_000).len();
        assert!(bytes < 240 * 20, "{bytes}");
    }

    #[test]
    fn damage_is_noticed_or_harmless() {
        let block = write(
            &[Input {
                seq: 1,
                t_ms: 2,
                time_ms: 3,
                what: What::Reading(reading(9, Some("x"), 5)),
            }],
            0,
        );
        for at in 0..block.len() {
            for value in 0..=255 {
                let mut bytes = block.clone();
                bytes[at] = value;
                drop(read(&bytes, 0));
            }
            drop(read(&block[..at], 0));
        }
    }
}
