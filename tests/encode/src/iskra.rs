//! Iskra AM550: by position in Slovenia, with codes and scalers in segments in Serbia.

use crate::{
    axdr::{
        AMPERE, ARRAY, CURRENTS, STRUCTURE, VOLT, VOLTAGES, WATT, WATT_HOUR, counted, item, long,
        notification, now, obis, octets, plain_time, sequence, short,
    },
    carries::{Carries, Clocks, between, must},
    hdlc::{ISKRA, hdlc, segments},
    values::Values,
};

/// How the name of the lists begins.
const NAME: &str = "ISK5-AM550";

const WATTS: i64 = 1000;
const TENTH: i64 = 100;
const HUNDREDTH: i64 = 10;
const ENERGY: i64 = 1000;
/// Bytes of a segment.
const SEGMENT: usize = 150;

/// The list of Ljubljana, 18 items.
pub fn list_18(values: &Values) -> Vec<u8> {
    let mut items = vec![octets(NAME), octets(values.id())];
    items.extend(powers(values));
    items.extend(voltages(values));
    items.extend(currents(values));
    items.extend(values.phases.map(|phase| long(phase.import_mw, WATTS)));
    items.extend(values.phases.map(|phase| long(phase.export_mw, WATTS)));
    wrap(values, &items)
}

/// The list of Celje, 12 items.
pub fn list_12(values: &Values) -> Vec<u8> {
    let mut items = vec![octets(NAME), octets(values.id())];
    items.extend(voltages(values));
    items.extend(currents(values));
    items.extend(powers(values));
    wrap(values, &items)
}

pub(crate) fn carries(phase_powers: bool) -> Carries {
    let power = must(WATTS, u32::MAX.into());
    Carries {
        id: Some(8),
        clock: Clocks::Offset,
        ..Carries::NOTHING
    }
    .powers(power)
    .on(&[0, 1, 2], |slots| {
        slots.current = must(HUNDREDTH, u16::MAX.into());
        // Below 60 V the list could be one of whole volts, above 600 V one of hundredths.
        slots.voltage = between(TENTH, 600, 5999);
        if phase_powers {
            slots.import = power;
            slots.export = power;
        }
    })
}

/// The Serbian list, in segments.
pub fn serbian(values: &Values) -> Vec<u8> {
    let text = |code, text: &str| sequence(STRUCTURE, &[obis(code), octets(text)]);
    let mut items = vec![
        text([0, 0, 96, 1, 0], values.id()),
        text([0, 0, 96, 1, 1], values.model_or("160456")),
        item(now(1), long(values.import_mw, WATTS), 0, WATT),
        item(now(2), long(values.export_mw, WATTS), 0, WATT),
        item(
            counted(1),
            long(values.energy_import_mwh, ENERGY),
            0,
            WATT_HOUR,
        ),
        item(
            counted(2),
            long(values.energy_export_mwh, ENERGY),
            0,
            WATT_HOUR,
        ),
    ];
    for (code, value) in VOLTAGES.into_iter().zip(voltages(values)) {
        items.push(item(now(code), value, -1, VOLT));
    }
    for (code, value) in CURRENTS.into_iter().zip(currents(values)) {
        items.push(item(now(code), value, -2, AMPERE));
    }
    let body = sequence(ARRAY, &items);
    segments(&notification(&plain_time(values.clock), &body), SEGMENT).concat()
}

pub(crate) fn serbian_carries() -> Carries {
    let power = must(WATTS, u32::MAX.into());
    Carries {
        id: Some(8),
        model: Some(("1604", "")),
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

fn voltages(values: &Values) -> [Vec<u8>; 3] {
    values.phases.map(|phase| short(phase.voltage_mv, TENTH))
}

fn currents(values: &Values) -> [Vec<u8>; 3] {
    values
        .phases
        .map(|phase| short(phase.current_ma, HUNDREDTH))
}

fn wrap(values: &Values, items: &[Vec<u8>]) -> Vec<u8> {
    let body = sequence(STRUCTURE, items);
    hdlc(&ISKRA, &notification(&plain_time(values.clock), &body))
}
