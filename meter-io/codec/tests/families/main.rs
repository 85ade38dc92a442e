//! What each family's frames, ciphers and lists promise, one by one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bare;
mod frames;
mod linky;
mod lists;
mod pauses;
mod replay;

use headroom_codec::{Decoder, Item, Options, Protocol, Reason, Telegram};
use headroom_encode::{axdr::scale, *};

const OTHER: [u8; 8] = *b"HRM\x10\x20\x30\x40\x51";
const LINES: &str = "HRM5\\TEST-1
0-0:96.1.1(48454144524F4F4D31)
1-0:1.7.0(02.870*kW)
1-0:31.7.0(004.20*A)";

/// Of a live line.
fn keys() -> Options {
    Options {
        key: Some(KEY.parse().unwrap()),
        auth_key: Some(AUTH_KEY.parse().unwrap()),
        ..Options::default()
    }
}

fn items(options: &Options, bytes: &[u8]) -> Vec<Item> {
    let mut decoder = Decoder::new(options);
    let mut items = decoder.push(bytes);
    items.extend(decoder.finish());
    items
}

/// What a capture holds.
fn telegrams(bytes: &[u8]) -> Vec<Telegram> {
    let options = Options {
        capture: true,
        ..keys()
    };
    items(&options, bytes)
        .into_iter()
        .filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram),
            Item::Rejected(_) => None,
        })
        .collect()
}

fn only(bytes: &[u8]) -> Telegram {
    let mut found = telegrams(bytes);
    assert_eq!(found.len(), 1, "{:?}", items(&keys(), bytes));
    found.remove(0)
}

/// `None` for a telegram, else why there is none.
fn outcomes(items: Vec<Item>) -> Vec<Option<Reason>> {
    items
        .into_iter()
        .map(|item| match item {
            Item::Telegram(_) => None,
            Item::Rejected(rejected) => Some(rejected.reason),
        })
        .collect()
}

fn currents(telegram: &Telegram) -> [Option<i64>; 3] {
    telegram.phases.map(|phase| phase.current_ma)
}

fn voltages(telegram: &Telegram) -> [Option<i64>; 3] {
    telegram.phases.map(|phase| phase.voltage_mv)
}

fn framed(body: &[u8]) -> Telegram {
    only(&hdlc(&AIDON, &notification(&[0], body)))
}

fn structure(items: &[Vec<u8>]) -> Vec<u8> {
    sequence(2, items)
}

fn number(value: u64) -> Vec<u8> {
    [&[0x15][..], &value.to_be_bytes()].concat()
}

fn clock() -> Vec<u8> {
    [&[0x09, 0x0C][..], &CLOCK].concat()
}
