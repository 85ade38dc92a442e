//! Kaifa's Norwegian lists: a structure by position, without codes.

use super::{
    Values,
    hdlc::{self, Addresses, TIME, octets, structure, u32},
    steps,
};

const ADDRESSES: Addresses = Addresses(&[0x01, 0x02, 0x01, 0x10]);
const INVOKE_ID: [u8; 4] = [0x40, 0, 0, 0];

/// The model in lists 2.
pub const MODEL: &str = "MA304H4";

/// List 1: the imported power alone.
pub fn list_1(values: &Values) -> Vec<u8> {
    wrap(&[u32(values.import_w)])
}

/// List 2 of a three-phase meter: 13 items.
pub fn list_2(values: &Values) -> Vec<u8> {
    let mut items = vec![
        octets("KFM_001"),
        octets(&values.meter_id),
        octets(MODEL),
        u32(values.import_w),
        u32(values.export_w),
        u32(values.import_var),
        u32(values.export_var),
    ];
    items.extend(values.current_ma.map(u32));
    items.extend(values.voltage_mv.map(|voltage| u32(steps(voltage, 100))));
    wrap(&items)
}

fn wrap(items: &[Vec<u8>]) -> Vec<u8> {
    let time = [&[0x09, 0x0C][..], &TIME].concat();
    hdlc::frame(
        ADDRESSES,
        &hdlc::notification(INVOKE_ID, &time, &structure(items)),
    )
}
