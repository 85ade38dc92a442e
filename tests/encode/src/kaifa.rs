//! Kaifa's lists: by position in Norway, with codes in Sweden and (in M-Bus frames) Austria.

use crate::{
    axdr::{
        AMPERE, CLOCK, CURRENTS, STRUCTURE, VAR_HOUR, VOLT, VOLTAGES, WATT, WATT_HOUR, counted,
        long, notification, now, obis, octets, plain_time, scale, sequence, short, tagged_time,
        time_octets, u32v,
    },
    carries::{Carries, Clocks, must},
    hdlc::{KAIFA, hdlc},
    values::Values,
};

/// The model of a three-phase meter with neutral.
pub const MODEL: &str = "MA304H4";
const NAME: &str = "KFM_001";

const WATTS: i64 = 1000;
const TENTH: i64 = 100;
const HUNDREDTH: i64 = 10;
/// Energies in Norway and Sweden: 1 Wh.
const ENERGY: i64 = 1000;

/// List 1: the imported power alone.
pub fn list_1(values: &Values) -> Vec<u8> {
    wrap(values, &[long(values.import_mw, WATTS)])
}

pub(crate) fn list_1_carries() -> Carries {
    Carries {
        clock: Clocks::Offset,
        import: must(WATTS, u32::MAX.into()),
        ..Carries::NOTHING
    }
}

/// List 2 of a three-phase meter: 13 items.
pub fn list_2(values: &Values) -> Vec<u8> {
    list(values, 3, false)
}

/// List 2 (9 or 13 items) or with `hourly` list 3 (14 or 18 items) of a meter with one or three phases.
pub fn list(values: &Values, phases: usize, hourly: bool) -> Vec<u8> {
    let mut items = vec![
        octets(NAME),
        octets(values.id()),
        octets(values.model_or(MODEL)),
    ];
    items.extend(powers(values));
    let phases = &values.phases[..phases];
    items.extend(phases.iter().map(|phase| long(phase.current_ma, 1)));
    items.extend(phases.iter().map(|phase| long(phase.voltage_mv, TENTH)));
    if hourly {
        items.push(time_octets(values.clock));
        items.extend(energies(values));
    }
    wrap(values, &items)
}

pub(crate) fn carries(phases: usize, hourly: bool) -> Carries {
    let lines: Vec<usize> = (0..phases).collect();
    let carries = Carries {
        id: Some(16),
        model: Some(("MA304H", "")),
        clock: Clocks::Offset,
        ..Carries::NOTHING
    }
    .powers(must(WATTS, u32::MAX.into()))
    .on(&lines, |slots| {
        slots.current = must(1, u32::MAX.into());
        slots.voltage = must(TENTH, u32::MAX.into());
    });
    if hourly {
        carries.energies(must(ENERGY, u32::MAX.into()))
    } else {
        carries
    }
}

/// The Swedish list: 36 items, codes and values by turns.
pub fn swedish(values: &Values) -> Vec<u8> {
    let mut items = Vec::new();
    let mut pair = |code, value| items.extend([obis(code), value]);
    pair([1, 0, 0, 2, 129], octets(NAME));
    pair([0, 0, 96, 1, 0], octets(values.id()));
    pair([0, 0, 96, 1, 7], octets(values.model_or(MODEL)));
    for (code, value) in (1..).zip(powers(values)) {
        pair(now(code), value);
    }
    for (code, phase) in CURRENTS.into_iter().zip(&values.phases) {
        pair(now(code), long(phase.current_ma, 1));
    }
    for (code, phase) in VOLTAGES.into_iter().zip(&values.phases) {
        pair(now(code), long(phase.voltage_mv, TENTH));
    }
    pair([0, 0, 1, 0, 0], time_octets(values.clock));
    for (code, value) in (1..).zip(energies(values)) {
        pair(counted(code), value);
    }
    wrap(values, &items)
}

/// The Austrian list as an APDU, 35 items: clock, then code, value, and scaler with unit by turns.
pub fn austrian(values: &Values) -> Vec<u8> {
    let mut items = vec![obis([0, 0, 1, 0, 0]), time_octets(values.clock)];
    let mut triple = |code, value, scaler, unit| {
        items.extend([obis(code), value, scale(scaler, unit)]);
    };
    let [import, export, ..] = powers(values);
    let [drawn, fed_in, ..] = energies(values);
    triple(counted(1), drawn, 0, WATT_HOUR);
    triple(counted(2), fed_in, 0, WATT_HOUR);
    triple(counted(3), u32v(0), 0, VAR_HOUR);
    triple(now(1), import, 0, WATT);
    triple(now(2), export, 0, WATT);
    for (code, phase) in VOLTAGES.into_iter().zip(&values.phases) {
        triple(now(code), short(phase.voltage_mv, TENTH), -1, VOLT);
    }
    for (code, phase) in CURRENTS.into_iter().zip(&values.phases) {
        triple(now(code), short(phase.current_ma, HUNDREDTH), -2, AMPERE);
    }
    notification(&plain_time(values.clock), &sequence(STRUCTURE, &items))
}

pub(crate) fn austrian_carries() -> Carries {
    let power = must(WATTS, u32::MAX.into());
    Carries {
        clock: Clocks::Offset,
        import: power,
        export: power,
        ..Carries::NOTHING
    }
    .energies(must(ENERGY, u32::MAX.into()))
    .on(&[0, 1, 2], |slots| {
        slots.current = must(HUNDREDTH, u16::MAX.into());
        slots.voltage = must(TENTH, u16::MAX.into());
    })
}

fn powers(values: &Values) -> [Vec<u8>; 4] {
    [
        values.import_mw,
        values.export_mw,
        values.import_mvar,
        values.export_mvar,
    ]
    .map(|value| long(value, WATTS))
}

fn energies(values: &Values) -> [Vec<u8>; 4] {
    [
        values.energy_import_mwh,
        values.energy_export_mwh,
        None,
        None,
    ]
    .map(|value| long(value, ENERGY))
}

fn wrap(values: &Values, items: &[Vec<u8>]) -> Vec<u8> {
    let body = sequence(STRUCTURE, items);
    hdlc(&KAIFA, &notification(&tagged_time(values.clock), &body))
}

fn tagged_clock() -> Vec<u8> {
    [&[0x09, 0x0C][..], &CLOCK].concat()
}

pub fn kaifa_list_1(power: u32) -> Vec<u8> {
    hdlc(
        &KAIFA,
        &notification(&tagged_clock(), &sequence(STRUCTURE, &[u32v(power)])),
    )
}

/// Kaifa's list of a meter that sends 0 V for L2.
pub fn kaifa_list_2(power: u32, currents_ma: [u32; 3]) -> Vec<u8> {
    let mut items = vec![octets(NAME), octets("6970630000000001"), octets("MA304H3E")];
    items.extend([power, 0, 0, 5].map(u32v));
    items.extend(currents_ma.map(u32v));
    items.extend([2389, 0, 2377].map(u32v));
    hdlc(
        &KAIFA,
        &notification(&tagged_clock(), &sequence(STRUCTURE, &items)),
    )
}
