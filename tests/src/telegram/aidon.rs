//! Aidon's lists: an array of structures of OBIS code, value, and scaler with unit.

use super::{
    Values,
    hdlc::{self, Addresses, array, i16, obis, structure, u16, u32, visible},
    steps,
};

const ADDRESSES: Addresses = Addresses(&[0x41, 0x08, 0x83, 0x13]);
const INVOKE_ID: [u8; 4] = [0x40, 0, 0, 0];
/// No date and time in the notification's head.
const NO_TIME: [u8; 1] = [0x00];
const WATT: u8 = 27;
const VAR: u8 = 29;
const AMPERE: u8 = 33;
const VOLT: u8 = 35;

/// The model in lists 2.
pub const MODEL: &str = "6534";

/// List 1: the imported power alone.
pub fn list_1(values: &Values) -> Vec<u8> {
    wrap(&[power(1, values.import_w, WATT)])
}

/// List 2 of a three-phase meter with neutral: 13 items.
pub fn list_2(values: &Values) -> Vec<u8> {
    let text = |code, text: &str| structure(&[obis(code), visible(text)]);
    let mut items = vec![
        text([1, 1, 0, 2, 129, 255], "AIDON_V0001"),
        text([0, 0, 96, 1, 0, 255], &values.meter_id),
        text([0, 0, 96, 1, 7, 255], MODEL),
        power(1, values.import_w, WATT),
        power(2, values.export_w, WATT),
        power(3, values.import_var, VAR),
        power(4, values.export_var, VAR),
    ];
    for (code, current) in [31, 51, 71].into_iter().zip(values.current_ma) {
        items.push(scaled(code, i16(steps(current, 100)), 0xFF, AMPERE));
    }
    for (code, voltage) in [32, 52, 72].into_iter().zip(values.voltage_mv) {
        items.push(scaled(code, u16(steps(voltage, 100)), 0xFF, VOLT));
    }
    wrap(&items)
}

fn power(code: u8, value: u32, unit: u8) -> Vec<u8> {
    scaled(code, u32(value), 0, unit)
}

/// `scaler` is the power of ten as a byte: 0xFF is -1.
fn scaled(code: u8, value: Vec<u8>, scaler: u8, unit: u8) -> Vec<u8> {
    let scale = structure(&[vec![0x0F, scaler], vec![0x16, unit]]);
    structure(&[obis([1, 0, code, 7, 0, 255]), value, scale])
}

fn wrap(items: &[Vec<u8>]) -> Vec<u8> {
    hdlc::frame(
        ADDRESSES,
        &hdlc::notification(INVOKE_ID, &NO_TIME, &array(items)),
    )
}
