//! P1 telegrams (IEC 62056-21 mode D): free lines, and the profiles of countries.

pub mod countries;

use crate::{
    axdr::{CURRENTS, PHASE_POWERS, VOLTAGES},
    carries::{Carries, Clocks, Slot, may, must},
    checksum::{arc, x25},
    values::{Clock, Values, steps},
};
use std::fmt::Write as _;

/// What stands behind the `/` of the end-to-end tests' meter.
pub const MODEL: &str = "HRT5\\2HEADROOM-TEST";

/// One telegram of that meter, in the Swedish profile. The clock runs in winter time: 2026-01-15 12:00:00 plus
/// `second`.
pub fn telegram(values: &Values, second: u32) -> Vec<u8> {
    let part = |seconds: u32| u8::try_from(seconds % 60).unwrap();
    let clock = Clock {
        minute: part(second / 60),
        second: part(second),
        offset_min: Some(60),
        ..Clock::default()
    };
    let values = Values {
        clock: Some(clock),
        model: Some(MODEL.to_owned()),
        ..values.clone()
    };
    Profile {
        id: Some("0-0:96.1.1"),
        ..countries::SWEDEN
    }
    .telegram(&values)
}

/// How a number is written: digits in front of the point, behind it, and the unit.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    pub whole: usize,
    pub decimals: u32,
    pub unit: &'static str,
}

impl Number {
    /// Resolution, in thousandths of the base unit.
    fn step(self) -> i64 {
        let kilo = if self.unit.starts_with('k') { 3 } else { 0 };
        10_i64.pow(3 + kilo - self.decimals)
    }

    /// The greatest count of steps.
    fn most(self) -> i64 {
        10_i64.pow(u32::try_from(self.whole).unwrap() + self.decimals) - 1
    }

    fn must(self) -> Slot {
        must(self.step(), self.most())
    }

    fn may(self) -> Slot {
        may(self.step(), self.most())
    }

    fn text(self, value: Option<i64>, unit: &str) -> String {
        let (count, one) = (steps(value, self.step()), 10_i64.pow(self.decimals));
        let (front, behind) = (count / one, count % one);
        let (whole, decimals) = (self.whole, self.decimals as usize);
        if decimals == 0 {
            format!("({front:0whole$}*{unit})")
        } else {
            format!("({front:0whole$}.{behind:0decimals$}*{unit})")
        }
    }
}

/// What stands behind the `!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Arc,
    X25,
    Nothing,
}

/// How a country's meters write.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// What stands behind the `/`, but for two digits.
    pub header: &'static str,
    /// A line that names the version.
    pub version: Option<&'static str>,
    /// Code of the meter's number.
    pub id: Option<&'static str>,
    pub clock: Clocks,
    pub clock_form: ClockForm,
    /// Channel of the totals.
    pub channel: char,
    /// Total powers; none in Lithuania.
    pub power: Option<Number>,
    /// Reactive power: in total; or in total and of each phase, which is the Nordic habit.
    pub reactive: Reactive,
    pub current: Option<Number>,
    pub voltage: Option<Number>,
    pub phase_import: Option<Number>,
    pub phase_export: Option<Number>,
    pub energy: Option<Number>,
    /// Energies in two tariffs, else in total.
    pub tariffs: bool,
    pub ending: Ending,
    /// Seven data bits and even parity.
    pub seven_even: bool,
}

/// How the clock is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockForm {
    /// `260115120010W`.
    Season,
    /// `20260115 12:00:10`.
    Text,
    /// Time of day and date on lines of their own.
    Apart,
}

/// See [`Profile::reactive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reactive {
    None,
    Total,
    Phases,
}

impl Profile {
    /// A whole telegram.
    pub fn telegram(&self, values: &Values) -> Vec<u8> {
        let mut text = self.text(values);
        match self.ending {
            Ending::Nothing => {}
            Ending::Arc => write!(text, "{:04X}", arc(text.as_bytes())).unwrap(),
            Ending::X25 => write!(text, "{:04X}", x25(text.as_bytes())).unwrap(),
        }
        text += "\r\n";
        if self.seven_even {
            seven_even(text.as_bytes())
        } else {
            text.into_bytes()
        }
    }

    /// The telegram up to and with `!`.
    fn text(&self, values: &Values) -> String {
        let mut text = format!("/{}\r\n\r\n", values.model_or(self.header));
        let mut line = |code: &str, value: &str| write!(text, "{code}{value}\r\n").unwrap();
        if let Some(version) = self.version {
            line(version, "");
        }
        if let (true, Some(clock)) = (self.clock != Clocks::None, values.clock) {
            let digits = clock.digits();
            let (date, time) = digits.split_at(6);
            match self.clock_form {
                ClockForm::Season => {
                    let winter = clock.offset_min == Some(60);
                    let season = if winter { 'W' } else { 'S' };
                    line("0-0:1.0.0", &format!("({digits}{season})"));
                }
                ClockForm::Text => {
                    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
                    line("0-0:1.0.0", &format!("(20{date} {hour}:{minute}:{second})"));
                }
                ClockForm::Apart => {
                    line("1-0:0.9.1", &format!("({time})"));
                    line("1-0:0.9.2", &format!("({date})"));
                }
            }
        }
        if let (Some(code), Some(id)) = (self.id, &values.meter_id) {
            line(code, &format!("({id})"));
        }
        let channel = self.channel;
        if let Some(number) = self.energy {
            let energies = [values.energy_import_mwh, values.energy_export_mwh];
            for (c, energy) in (1..).zip(energies) {
                let mut counted = |tariff: u8, energy| {
                    line(
                        &format!("1-{channel}:{c}.8.{tariff}"),
                        &number.text(energy, number.unit),
                    );
                };
                match energy {
                    None => {}
                    Some(_) if !self.tariffs => counted(0, energy),
                    Some(energy) => {
                        let first = energy / 3 / number.step() * number.step();
                        counted(1, Some(first));
                        counted(2, Some(energy - first));
                    }
                }
            }
        }
        let mut now = |channel: char, code: u8, number: Option<Number>, unit: &str, value| {
            if let (Some(number), Some(_)) = (number, value) {
                line(
                    &format!("1-{channel}:{code}.7.0"),
                    &number.text(value, unit),
                );
            }
        };
        let watt = self.power.map_or("", |number| number.unit);
        now(channel, 1, self.power, watt, values.import_mw);
        now(channel, 2, self.power, watt, values.export_mw);
        let var = if watt.starts_with('k') { "kvar" } else { "var" };
        if self.reactive != Reactive::None {
            now(channel, 3, self.power, var, values.import_mvar);
            now(channel, 4, self.power, var, values.export_mvar);
        }
        for (index, phase) in values.phases.iter().enumerate() {
            let power = PHASE_POWERS[index];
            let unit = |number: Option<Number>| number.map_or("", |number| number.unit);
            let mut of_phase = |code, number, value| now('0', code, number, unit(number), value);
            of_phase(VOLTAGES[index], self.voltage, phase.voltage_mv);
            of_phase(CURRENTS[index], self.current, phase.current_ma);
            of_phase(power, self.phase_import, phase.import_mw);
            of_phase(power + 1, self.phase_export, phase.export_mw);
            if self.reactive == Reactive::Phases {
                now('0', power + 2, self.power, var, Some(0));
                now('0', power + 3, self.power, var, Some(0));
            }
        }
        text.push('!');
        text
    }

    pub(crate) fn carries(&self) -> Carries {
        let may = |number: Option<Number>| number.and_then(Number::may);
        let reactive = if self.reactive == Reactive::None {
            None
        } else {
            may(self.power)
        };
        Carries {
            id: self.id.map(|_| 18),
            model: Some((self.header, "")),
            clock: self.clock,
            import: self.power.and_then(Number::must),
            export: may(self.power),
            import_var: reactive,
            export_var: reactive,
            energy_import: may(self.energy),
            energy_export: may(self.energy),
            ..Carries::NOTHING
        }
        .on(&[0, 1, 2], |slots| {
            slots.current = may(self.current);
            slots.voltage = may(self.voltage);
            if self.ending == Ending::Nothing {
                // Where no checksum vouches for them, only values of a house are believed.
                slots.current = slots.current.map(|range| range.up_to(200_000));
                slots.voltage = slots
                    .voltage
                    .map(|range| range.from(180_000).up_to(260_000));
            }
            slots.import = may(self.phase_import);
            slots.export = may(self.phase_export);
        })
        // Without a total there is the current of L1 at least.
        .on(&[0], |slots| {
            if self.power.is_none() {
                slots.current = self.current.and_then(Number::must);
            }
        })
    }
}

/// A P1 telegram with its CRC.
pub fn p1(lines: &str) -> Vec<u8> {
    let text = p1_body(lines);
    let crc = arc(&text);
    [&text[..], format!("{crc:04X}\r\n").as_bytes()].concat()
}

/// A P1 telegram up to and with `!`. The first line is the header without `/`.
pub fn p1_body(lines: &str) -> Vec<u8> {
    let (header, values) = lines.trim().split_once('\n').unwrap();
    let mut text = format!("/{}\r\n\r\n", header.trim());
    for line in values.lines() {
        text += line.trim();
        text += "\r\n";
    }
    text.push('!');
    text.into_bytes()
}

/// Seven data bits and even parity, as an 8N1 reader sees them.
pub fn seven_even(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| {
            if byte.count_ones() % 2 == 1 {
                byte | 0x80
            } else {
                *byte
            }
        })
        .collect()
}
