//! P1 telegrams in the Swedish profile: IEC 62056-21 mode D with CRC-16/ARC, currents in steps of 0.1 A.

use std::fmt::Write as _;

use crc::{CRC_16_ARC, Crc};

use super::{Values, steps};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// What stands behind the `/`.
pub const MODEL: &str = "HRT5\\2HEADROOM-TEST";

/// One telegram. The clock runs in winter time: 2026-01-15 12:00:00 plus `second`.
pub fn telegram(values: &Values, second: u32) -> Vec<u8> {
    let mut text = format!("/{MODEL}\r\n\r\n");
    let mut line = |code: &str, value: String| {
        write!(text, "{code}({value})\r\n").unwrap();
    };
    let (minute, second) = (second / 60 % 60, second % 60);
    line("0-0:1.0.0", format!("26011512{minute:02}{second:02}W"));
    line("0-0:96.1.1", values.meter_id.clone());
    line("1-0:1.8.0", "00012345.678*kWh".to_owned());
    line("1-0:2.8.0", "00000001.500*kWh".to_owned());
    for (code, milli, unit) in [
        ("1-0:1.7.0", values.import_w, "kW"),
        ("1-0:2.7.0", values.export_w, "kW"),
        ("1-0:3.7.0", values.import_var, "kvar"),
        ("1-0:4.7.0", values.export_var, "kvar"),
    ] {
        line(
            code,
            format!("{:04}.{:03}*{unit}", milli / 1000, milli % 1000),
        );
    }
    for (code, voltage) in ["1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0"]
        .iter()
        .zip(values.voltage_mv)
    {
        let tenths = steps(voltage, 100);
        line(code, format!("{:03}.{}*V", tenths / 10, tenths % 10));
    }
    for (code, current) in ["1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0"]
        .iter()
        .zip(values.current_ma)
    {
        let tenths = steps(current, 100);
        line(code, format!("{:03}.{}*A", tenths / 10, tenths % 10));
    }
    text.push('!');
    let crc = CRC.checksum(text.as_bytes());
    write!(text, "{crc:04X}\r\n").unwrap();
    text.into_bytes()
}
