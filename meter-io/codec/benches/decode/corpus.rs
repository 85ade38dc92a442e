//! What is decoded: own telegrams, and captures where the folder with them is at hand.

use crate::others;
use headroom_codec::Protocol;
use headroom_encode::{self as encode, TITLE};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// How often a telegram is repeated in a stream.
pub(crate) const REPEATS: usize = 64;

/// As a three-phase DSMR 5 meter with a gas meter sends it, in the form that `dsmr5` reads too.
pub(crate) const P1: &str = "HRM5\\BENCH
    1-3:0.2.8(50)
    0-0:1.0.0(260115120010W)
    0-0:96.1.1(48454144524F4F4D31)
    1-0:1.8.1(000100.001*kWh)
    1-0:1.8.2(000200.002*kWh)
    1-0:2.8.1(000000.000*kWh)
    1-0:2.8.2(000000.000*kWh)
    0-0:96.14.0(0002)
    1-0:1.7.0(02.870*kW)
    1-0:2.7.0(00.000*kW)
    0-0:96.7.21(00009)
    0-0:96.7.9(00007)
    1-0:99.97.0(1)(0-0:96.7.19)(190326095015W)(0000002014*s)
    1-0:32.32.0(00003)
    1-0:52.32.0(00002)
    1-0:72.32.0(00002)
    1-0:32.36.0(00000)
    1-0:52.36.0(00000)
    1-0:72.36.0(00000)
    0-0:96.13.0()
    1-0:32.7.0(230.4*V)
    1-0:52.7.0(231.4*V)
    1-0:72.7.0(229.4*V)
    1-0:31.7.0(004*A)
    1-0:51.7.0(007*A)
    1-0:71.7.0(001*A)
    1-0:21.7.0(00.912*kW)
    1-0:41.7.0(01.700*kW)
    1-0:61.7.0(00.258*kW)
    1-0:22.7.0(00.000*kW)
    1-0:42.7.0(00.000*kW)
    1-0:62.7.0(00.000*kW)
    0-1:24.1.0(003)
    0-1:96.1.0(48454144524F4F4D32)
    0-1:24.2.1(260115120005W)(00123.456*m3)";

/// The same without what Headroom does not read: counters, texts, tariff, gas. All others are numbers for both.
pub(crate) fn p1_common() -> Vec<u8> {
    const PASSED: [&str; 5] = [
        "0-0:96.7.",
        "0-0:96.13.",
        "0-0:96.14.",
        "1-0:99.97.",
        "0-1:",
    ];
    let lines: Vec<&str> = P1
        .lines()
        .filter(|line| {
            let line = line.trim();
            !PASSED.iter().any(|code| line.starts_with(code))
                && !line.contains(".32.0(")
                && !line.contains(".36.0(")
        })
        .collect();
    encode::p1(&lines.join("\n"))
}

pub(crate) fn hdlc() -> Vec<u8> {
    encode::aidon_list_2(2077, 46, 61)
}

pub(crate) fn mbus() -> Vec<u8> {
    encode::mbus(&encode::kamstrup_apdu(3), 240)
}

pub(crate) fn sml() -> Vec<u8> {
    encode::sml(&[
        encode::sml_entry([1, 0, 1, 8, 0], 30, -1, 20_431_047),
        encode::sml_entry([1, 0, 2, 8, 0], 30, -1, 431_047),
        encode::sml_entry([1, 0, 16, 7, 0], 27, -1, -5635),
        encode::sml_entry([1, 0, 31, 7, 0], 33, -2, 106),
        encode::sml_entry([1, 0, 51, 7, 0], 33, -2, 174),
        encode::sml_entry([1, 0, 71, 7, 0], 33, -2, 91),
        encode::sml_entry([1, 0, 32, 7, 0], 35, -1, 2304),
        encode::sml_entry([1, 0, 52, 7, 0], 35, -1, 2314),
        encode::sml_entry([1, 0, 72, 7, 0], 35, -1, 2294),
    ])
}

pub(crate) fn tic() -> Vec<u8> {
    encode::tic(
        true,
        &[
            ("ADSC", None, "012345678910"),
            ("DATE", Some("E260715120010"), ""),
            ("EAST", None, "003519702"),
            ("IRMS1", None, "001"),
            ("IRMS2", None, "002"),
            ("IRMS3", None, "003"),
            ("URMS1", None, "242"),
            ("URMS2", None, "241"),
            ("URMS3", None, "240"),
        ],
    )
}

pub(crate) fn p1_ciphered(counter: u32) -> Vec<u8> {
    encode::cipher(&encode::p1(P1), 0x30, TITLE, counter)
}

pub(crate) fn hdlc_ciphered(counter: u32) -> Vec<u8> {
    let apdu = encode::cipher(&encode::kamstrup_apdu(3), 0x30, TITLE, counter);
    encode::hdlc(&encode::KAMSTRUP, &apdu)
}

pub(crate) fn noise() -> Vec<u8> {
    (0..65_536_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

/// The captures of a family that the other crate reads to the last object, one behind the other.
pub(crate) fn captures(protocol: Protocol) -> Option<(usize, Vec<u8>)> {
    let folder = env::var_os("HEADROOM_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/telegrams"),
        PathBuf::from,
    );
    let index = fs::read(folder.join("index.json")).ok()?;
    let index: serde_json::Value = serde_json::from_slice(&index).ok()?;
    let mut stream = Vec::new();
    let mut count = 0;
    for entry in index.as_array()? {
        if entry["protocol"] != protocol.name() || entry["valid"] != true {
            continue;
        }
        let name = entry["file"].as_str()?;
        let raw = fs::read(folder.join(name)).ok()?;
        let bytes = if name.contains(".hex") {
            from_hex(&raw)
        } else {
            raw
        };
        let read = match protocol {
            Protocol::Sml => others::sml_complete(&bytes),
            _ => others::dsmr5(&bytes),
        };
        if read == Some(1) {
            stream.extend(bytes);
            count += 1;
        }
    }
    (count > 0).then_some((count, stream))
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u32> = text
        .iter()
        .filter_map(|c| char::from(*c).to_digit(16))
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
        .collect()
}
