//! Kamstrup's list A: a flat structure of OBIS codes and values, 25 items, without scalers.

use super::{
    Values,
    hdlc::{self, Addresses, TIME, obis, structure, u16, u32, visible},
    steps,
};

const ADDRESSES: Addresses = Addresses(&[0x2B, 0x21, 0x13]);
const INVOKE_ID: [u8; 4] = [0; 4];

/// The model in the list.
pub const MODEL: &str = "6841131HR000000001";

/// List A of a three-phase meter.
pub fn list_a(values: &Values) -> Vec<u8> {
    let mut items = vec![visible("Kamstrup_V0001")];
    let mut pair = |code: [u8; 4], value: Vec<u8>| {
        let [c, d, e, f] = code;
        items.push(obis([1, 1, c, d, e, f]));
        items.push(value);
    };
    pair([0, 0, 5, 255], visible(&values.meter_id));
    pair([96, 1, 1, 255], visible(MODEL));
    pair([1, 7, 0, 255], u32(values.import_w));
    pair([2, 7, 0, 255], u32(values.export_w));
    pair([3, 7, 0, 255], u32(values.import_var));
    pair([4, 7, 0, 255], u32(values.export_var));
    for (code, current) in [31, 51, 71].into_iter().zip(values.current_ma) {
        pair([code, 7, 0, 255], u32(steps(current, 10)));
    }
    for (code, voltage) in [32, 52, 72].into_iter().zip(values.voltage_mv) {
        pair([code, 7, 0, 255], u16(steps(voltage, 1000)));
    }
    let time = [&[0x0C][..], &TIME].concat();
    hdlc::frame(
        ADDRESSES,
        &hdlc::notification(INVOKE_ID, &time, &structure(&items)),
    )
}
