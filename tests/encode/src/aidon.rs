//! Lists in which each value has its code, scaler and unit: Aidon, and Landis+Gyr in Norway.

use crate::{
    axdr::{
        AMPERE, ARRAY, CURRENTS, PHASE_POWERS, VAR, VAR_HOUR, VOLT, VOLTAGES, WATT, WATT_HOUR,
        counted, item, long, notification, now, obis, sequence, short, signed, text_item,
        time_octets, u16v, u32v,
    },
    axdr::{STRUCTURE, i16v},
    carries::{Carries, Clocks, may, must},
    hdlc::{AIDON, hdlc},
    values::Values,
};

/// The model of a three-phase meter with neutral.
pub const MODEL: &str = "6534";

/// The wires of a house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// One phase.
    Single,
    /// Three phases without neutral: the current of L2 is not measured.
    ThreeWire,
    /// Three phases and neutral.
    FourWire,
}

impl Net {
    pub(crate) fn currents(self) -> &'static [usize] {
        match self {
            Self::Single => &[0],
            Self::ThreeWire => &[0, 2],
            Self::FourWire => &[0, 1, 2],
        }
    }

    pub(crate) fn voltages(self) -> &'static [usize] {
        match self {
            Self::Single => &[0],
            Self::ThreeWire | Self::FourWire => &[0, 1, 2],
        }
    }
}

/// A maker of this shape.
#[derive(Clone, Copy, Debug)]
pub struct Maker {
    /// The name of its lists.
    pub name: &'static str,
    /// How its models begin.
    pub model: &'static str,
    /// Power of ten of its currents.
    pub current_scaler: i8,
}

pub const AIDON_6500: Maker = Maker {
    name: "AIDON_V0001",
    model: "65",
    current_scaler: -1,
};

/// Landis+Gyr's Norwegian meters, in steps of 0.01 A.
pub const EMBRIQ: Maker = Maker {
    name: "EMBRIQ_V1_1",
    model: "ZMF1",
    current_scaler: -2,
};

const WATTS: i64 = 1000;
const TENTH: i64 = 100;
/// Energies come in steps of 10 Wh.
const ENERGY: i64 = 10_000;

impl Maker {
    fn current_step(&self) -> i64 {
        10_i64.pow(u32::from((self.current_scaler + 3).unsigned_abs()))
    }

    /// List 2, or with `hourly` list 3.
    pub fn list(&self, values: &Values, net: Net, hourly: bool) -> Vec<u8> {
        let mut items = vec![
            text_item([1, 1, 0, 2, 129], self.name),
            text_item([0, 0, 96, 1, 0], values.id()),
            text_item([0, 0, 96, 1, 7], values.model_or(MODEL)),
        ];
        items.extend(powers(values));
        for line in net.currents() {
            let value = signed(values.phases[*line].current_ma, self.current_step());
            items.push(item(
                now(CURRENTS[*line]),
                value,
                self.current_scaler,
                AMPERE,
            ));
        }
        items.extend(voltages(values, net.voltages()));
        if hourly {
            items.push(clock(values));
            items.extend(energies(values));
        }
        wrap(&items)
    }

    pub(crate) fn carries(&self, net: Net, hourly: bool) -> Carries {
        let step = self.current_step();
        let carries = Carries {
            id: Some(16),
            model: Some((self.model, "")),
            ..Carries::NOTHING
        }
        .powers(must(WATTS, u32::MAX.into()))
        .on(net.currents(), |slots| {
            slots.current = must(step, i16::MAX.into());
        })
        .on(net.voltages(), |slots| {
            slots.voltage = must(TENTH, u16::MAX.into());
        });
        if hourly {
            Carries {
                clock: Clocks::Offset,
                ..carries.energies(must(ENERGY, u32::MAX.into()))
            }
        } else {
            carries
        }
    }
}

/// List 1: the imported power alone.
pub fn list_1(values: &Values) -> Vec<u8> {
    wrap(&[power(1, values.import_mw, WATT)])
}

pub(crate) fn list_1_carries() -> Carries {
    Carries {
        import: must(WATTS, u32::MAX.into()),
        ..Carries::NOTHING
    }
}

/// List 2 of a three-phase meter with neutral: 13 items.
pub fn list_2(values: &Values) -> Vec<u8> {
    AIDON_6500.list(values, Net::FourWire, false)
}

/// The Swedish list of 27 items: powers of each phase, no number of the meter. A phase that is missing is left out.
pub fn swedish(values: &Values) -> Vec<u8> {
    let mut items = vec![clock(values)];
    items.extend(powers(values));
    for (code, phase) in CURRENTS.into_iter().zip(&values.phases) {
        if phase.current_ma.is_some() {
            items.push(item(now(code), signed(phase.current_ma, TENTH), -1, AMPERE));
        }
    }
    let present: Vec<usize> = (0..3)
        .filter(|line| values.phases[*line].voltage_mv.is_some())
        .collect();
    items.extend(voltages(values, &present));
    for (code, phase) in PHASE_POWERS.into_iter().zip(&values.phases) {
        items.push(power(code, phase.import_mw, WATT));
        items.push(power(code + 1, phase.export_mw, WATT));
        items.push(power(code + 2, None, VAR));
        items.push(power(code + 3, None, VAR));
    }
    items.extend(energies(values));
    wrap(&items)
}

pub(crate) fn swedish_carries() -> Carries {
    let power = must(WATTS, u32::MAX.into());
    Carries {
        clock: Clocks::Offset,
        ..Carries::NOTHING
    }
    .powers(power)
    .energies(must(ENERGY, u32::MAX.into()))
    .on(&[0, 1, 2], |slots| {
        slots.current = may(TENTH, i16::MAX.into());
        slots.voltage = may(TENTH, u16::MAX.into());
        slots.import = power;
        slots.export = power;
    })
}

fn power(code: u8, value: Option<i64>, unit: u8) -> Vec<u8> {
    item(now(code), long(value, WATTS), 0, unit)
}

fn powers(values: &Values) -> [Vec<u8>; 4] {
    [
        power(1, values.import_mw, WATT),
        power(2, values.export_mw, WATT),
        power(3, values.import_mvar, VAR),
        power(4, values.export_mvar, VAR),
    ]
}

fn voltages(values: &Values, lines: &[usize]) -> Vec<Vec<u8>> {
    lines
        .iter()
        .map(|line| {
            let value = short(values.phases[*line].voltage_mv, TENTH);
            item(now(VOLTAGES[*line]), value, -1, VOLT)
        })
        .collect()
}

fn clock(values: &Values) -> Vec<u8> {
    sequence(
        STRUCTURE,
        &[obis([0, 0, 1, 0, 0]), time_octets(values.clock)],
    )
}

fn energies(values: &Values) -> [Vec<u8>; 4] {
    let energy = |code, value, unit| item(counted(code), long(value, ENERGY), 1, unit);
    [
        energy(1, values.energy_import_mwh, WATT_HOUR),
        energy(2, values.energy_export_mwh, WATT_HOUR),
        energy(3, None, VAR_HOUR),
        energy(4, None, VAR_HOUR),
    ]
}

fn wrap(items: &[Vec<u8>]) -> Vec<u8> {
    hdlc(&AIDON, &notification(&[0], &sequence(ARRAY, items)))
}

/// Aidon's list of a three-wire meter: no current of L2; L1 may be negative.
pub fn aidon_list_2(power: u32, l1: i16, l3: i16) -> Vec<u8> {
    let items = [
        text_item([1, 1, 0, 2, 129], "AIDON_V0001"),
        text_item([0, 0, 96, 1, 0], "1000000000000001"),
        text_item([0, 0, 96, 1, 7], "6525"),
        item(now(1), u32v(power), 0, WATT),
        item(now(2), u32v(0), 0, WATT),
        item(now(3), u32v(0), 0, VAR),
        item(now(4), u32v(86), 0, VAR),
        item(now(31), i16v(l1), -1, AMPERE),
        item(now(71), i16v(l3), -1, AMPERE),
        item(now(32), u16v(2376), -1, VOLT),
        item(now(52), u16v(2359), -1, VOLT),
        item(now(72), u16v(2365), -1, VOLT),
    ];
    wrap(&items)
}

pub fn aidon_list_1(power: u32) -> Vec<u8> {
    wrap(&[item(now(1), u32v(power), 0, WATT)])
}
