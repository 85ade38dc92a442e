//! Landis+Gyr E450: an array that describes what follows, then the values.

use crate::{
    axdr::{
        ARRAY, CURRENTS, STRUCTURE, VOLTAGES, counted, long, notification, now, obis, octets,
        plain_time, sequence, short, u16v,
    },
    carries::{Carries, Clocks, between, must},
    values::Values,
};

const WATTS: i64 = 1000;
const VOLTS: i64 = 1000;
const HUNDREDTH: i64 = 10;
const ENERGY: i64 = 1000;

/// Classes of described objects (IEC 62056-6-2): register, data, push setup.
const REGISTER: u16 = 3;
const DATA: u16 = 1;
const PUSH_SETUP: u16 = 40;

fn descriptor(class: u16, code: [u8; 5]) -> Vec<u8> {
    sequence(
        STRUCTURE,
        &[u16v(class), obis(code), vec![0x0F, 2], u16v(0)],
    )
}

/// The list as an APDU: voltages and currents, powers, energies, the meter's number.
pub fn apdu(values: &Values) -> Vec<u8> {
    // The first one describes the array itself.
    let mut descriptors = vec![descriptor(PUSH_SETUP, [0, 8, 25, 9, 0])];
    let mut sent = Vec::new();
    let mut push = |class, code, value| {
        descriptors.push(descriptor(class, code));
        sent.push(value);
    };
    for (code, phase) in VOLTAGES.into_iter().zip(&values.phases) {
        push(REGISTER, now(code), short(phase.voltage_mv, VOLTS));
    }
    for (code, phase) in CURRENTS.into_iter().zip(&values.phases) {
        push(REGISTER, now(code), short(phase.current_ma, HUNDREDTH));
    }
    push(REGISTER, now(1), long(values.import_mw, WATTS));
    push(REGISTER, now(2), long(values.export_mw, WATTS));
    push(REGISTER, counted(1), long(values.energy_import_mwh, ENERGY));
    push(REGISTER, counted(2), long(values.energy_export_mwh, ENERGY));
    push(DATA, [0, 0, 96, 1, 0], octets(values.id()));
    let mut items = vec![sequence(ARRAY, &descriptors)];
    items.extend(sent);
    notification(&plain_time(values.clock), &sequence(STRUCTURE, &items))
}

pub(crate) fn carries() -> Carries {
    let power = must(WATTS, u32::MAX.into());
    Carries {
        id: Some(16),
        clock: Clocks::Offset,
        import: power,
        export: power,
        ..Carries::NOTHING
    }
    .energies(must(ENERGY, u32::MAX.into()))
    .on(&[0, 1, 2], |slots| {
        slots.current = must(HUNDREDTH, u16::MAX.into());
        // The same list may count tenths of a volt: only voltages of a house tell which.
        slots.voltage = between(VOLTS, 100, 300);
    })
}
