//! Smart Message Language, transport version 1 (BSI TR-03109-1).

use crate::{
    axdr::{AMPERE, CURRENTS, VOLT, VOLTAGES, WATT, WATT_HOUR, counted, now},
    carries::{Carries, may},
    checksum::x25,
    values::{Values, steps},
};

const ESCAPE: [u8; 4] = [0x1B; 4];
const TENTH: i64 = 100;
const HUNDREDTH: i64 = 10;

/// Group C of the signed powers of L1, L2 and L3.
const SIGNED: [u8; 3] = [36, 56, 76];
/// Group C of the signed total power.
const SIGNED_TOTAL: u8 = 16;

/// The entries for some values; what is missing is left out.
pub fn entries(values: &Values) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    if let Some(id) = &values.meter_id {
        entries.push(id_entry(id));
    }
    let mut push = |code, unit, scaler, value: Option<i64>, step| {
        if value.is_some() {
            let value = i32::try_from(steps(value, step)).unwrap();
            entries.push(sml_entry(code, unit, scaler, value));
        }
    };
    let net = |import: Option<i64>, export: Option<i64>| Some(import? - export?);
    let total = net(values.import_mw, values.export_mw);
    push(now(SIGNED_TOTAL), WATT, -1, total, TENTH);
    for (code, phase) in SIGNED.into_iter().zip(&values.phases) {
        let power = net(phase.import_mw, phase.export_mw);
        push(now(code), WATT, -1, power, TENTH);
    }
    for (code, phase) in CURRENTS.into_iter().zip(&values.phases) {
        push(now(code), AMPERE, -2, phase.current_ma, HUNDREDTH);
    }
    for (code, phase) in VOLTAGES.into_iter().zip(&values.phases) {
        push(now(code), VOLT, -1, phase.voltage_mv, TENTH);
    }
    let energies = [values.energy_import_mwh, values.energy_export_mwh];
    for (code, energy) in (1..).zip(energies) {
        push(counted(code), WATT_HOUR, -1, energy, TENTH);
    }
    entries
}

pub(crate) fn carries() -> Carries {
    let power = may(TENTH, i32::MAX.into());
    Carries {
        id: Some(20),
        import: power,
        signed: true,
        ..Carries::NOTHING
    }
    .energies(may(TENTH, i32::MAX.into()))
    .on(&[0, 1, 2], |slots| {
        slots.import = power;
        slots.current = may(HUNDREDTH, i32::MAX.into());
        slots.voltage = may(TENTH, i32::MAX.into());
    })
}

/// The entry of the meter's number, an even count of hexadecimal digits.
fn id_entry(digits: &str) -> Vec<u8> {
    let octets: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let length = u8::try_from(octets.len() + 1).unwrap();
    assert!(length < 16, "the length has four bits");
    [
        &[0x77, 0x07, 1, 0, 96, 1, 0, 0xFF, 1, 1, 1, 1, length][..],
        &octets,
        &[1],
    ]
    .concat()
}

/// An SML value entry.
pub fn sml_entry(code: [u8; 5], unit: u8, scaler: i8, value: i32) -> Vec<u8> {
    let scaler = scaler.to_be_bytes()[0];
    [
        &[0x77, 0x07][..],
        &code,
        &[0xFF, 0x01, 0x01, 0x62, unit, 0x52, scaler, 0x55],
        &value.to_be_bytes(),
        &[0x01],
    ]
    .concat()
}

/// An SML file with one list of values.
pub fn sml(entries: &[Vec<u8>]) -> Vec<u8> {
    sml_checked(entries, x25)
}

/// The same with a checksum of choice: older Holley meters send KERMIT.
pub fn sml_checked(entries: &[Vec<u8>], checksum: fn(&[u8]) -> u16) -> Vec<u8> {
    // A length above 15 goes on in a second byte.
    let count = u8::try_from(entries.len()).unwrap();
    let head: &[u8] = match count {
        0..=15 => &[0x70 | count],
        _ => &[0xF0 | count >> 4, count & 0x0F],
    };
    let body = [
        &[0x77, 0x01, 0x03, 0xAA, 0xBB, 0x01, 0x01][..],
        head,
        &entries.concat(),
        &[0x01, 0x01],
    ]
    .concat();
    sml_file(&body, checksum)
}

/// An SML file with one `GetList.Res` of any content.
pub fn sml_file(body: &[u8], checksum: fn(&[u8]) -> u16) -> Vec<u8> {
    let mut message = [
        &[
            0x76, 0x02, 0x01, 0x62, 0x00, 0x62, 0x00, 0x72, 0x63, 0x07, 0x01,
        ][..],
        body,
    ]
    .concat();
    // The message has a checksum of its own.
    let [low, high] = checksum(&message).to_le_bytes();
    message.extend([0x63, low, high, 0x00]);
    let pad = (4 - message.len() % 4) % 4;
    let content = [message.as_slice(), &vec![0; pad]].concat();
    let mut file = [&ESCAPE[..], &[1; 4]].concat();
    for group in content.chunks(4) {
        if group == ESCAPE {
            file.extend(ESCAPE);
        }
        file.extend(group);
    }
    file.extend(ESCAPE);
    file.extend([0x1A, u8::try_from(pad).unwrap()]);
    file.extend(checksum(&file).to_le_bytes());
    file
}
