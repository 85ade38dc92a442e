//! SML files as the meters of different makers write them. All meters, ids and values are invented.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use headroom_codec::{Decoder, Item, Options, Reason, Telegram};
use headroom_encode::{kermit_swapped, sml_entry, x25};

type Checksum = fn(&[u8]) -> u16;

const WATT: u8 = 27;
const WATT_HOUR: u8 = 30;
const POWER: [u8; 5] = [1, 0, 16, 7, 0];
const DRAWN: [u8; 5] = [1, 0, 1, 8, 0];
const FED_IN: [u8; 5] = [1, 0, 2, 8, 0];
const NONE: u8 = 0x01;
const SERVER: [u8; 10] = [0x0A, 0x01, b'H', b'R', b'M', 0, 1, 2, 3, 4];
const DZG: [u8; 10] = [0x0A, 0x01, b'D', b'Z', b'G', 0, 1, 2, 3, 4];

fn items(bytes: &[u8]) -> Vec<Item> {
    let mut decoder = Decoder::new(&Options::default());
    let mut items = decoder.push(bytes);
    items.extend(decoder.finish());
    items
}

fn only(bytes: &[u8]) -> Telegram {
    match items(bytes).as_slice() {
        [Item::Telegram(telegram)] => telegram.clone(),
        items => panic!("{items:?}"),
    }
}

fn refused(bytes: &[u8]) -> Reason {
    match items(bytes).as_slice() {
        [Item::Rejected(rejected)] => rejected.reason,
        items => panic!("{items:?}"),
    }
}

/// A message around a body, without its checksum and end.
fn message(tag: u16, body: &[u8]) -> Vec<u8> {
    let [high, low] = tag.to_be_bytes();
    [
        &[
            0x76, 0x05, 1, 2, 3, 4, 0x62, 0, 0x62, 0, 0x72, 0x63, high, low,
        ],
        body,
    ]
    .concat()
}

fn get_list(server: &[u8; 10], time: &[u8], entries: &[Vec<u8>]) -> Vec<u8> {
    let count = 0x70 | u8::try_from(entries.len()).unwrap();
    let body = [
        &[0x77, NONE, 0x0B][..],
        server,
        &[NONE],
        time,
        &[count],
        &entries.concat(),
        &[NONE, NONE],
    ];
    message(0x0701, &body.concat())
}

/// With the checksum in two bytes, or in one if that is asked for.
fn ended(message: &[u8], checksum: Checksum, bytes: usize) -> Vec<u8> {
    let [low, high] = checksum(message).to_le_bytes();
    let sum: &[u8] = match bytes {
        1 => &[0x62, high],
        _ => &[0x63, low, high],
    };
    [message, sum, &[0]].concat()
}

fn file(messages: &[Vec<u8>], checksum: Checksum) -> Vec<u8> {
    let mut content = messages.concat();
    let pad = (4 - content.len() % 4) % 4;
    content.extend(vec![0; pad]);
    let mut file = vec![0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1];
    for group in content.chunks(4) {
        file.extend(group);
        if group == [0x1B; 4] {
            file.extend(group);
        }
    }
    file.extend([0x1B, 0x1B, 0x1B, 0x1B, 0x1A, u8::try_from(pad).unwrap()]);
    file.extend(checksum(&file).to_le_bytes());
    file
}

/// Open, list and close, as every meter sends them.
fn whole(server: &[u8; 10], entries: &[Vec<u8>]) -> Vec<u8> {
    let open = message(0x0101, &[0x76, NONE, NONE, 0x02, 7, 0x02, 8, NONE, NONE]);
    let close = message(0x0201, &[0x71, NONE]);
    let time = [0x72, 0x62, 0x01, 0x65, 0, 1, 2, 3];
    let messages = [open, get_list(server, &time, entries), close];
    let messages = messages.map(|message| ended(&message, x25, 2));
    file(&messages, x25)
}

/// An entry whose value has 16 bits.
fn short_entry(code: [u8; 5], unit: u8, scaler: i8, value: i16) -> Vec<u8> {
    let mut entry = sml_entry(code, unit, scaler, 0);
    entry.truncate(entry.len() - 6);
    entry.push(0x53);
    entry.extend(value.to_be_bytes());
    entry.push(NONE);
    entry
}

#[test]
fn the_sign_of_the_total_is_its_direction() {
    for (watt, import, export) in [(5635, 563_500, 0), (-5635, 0, 563_500), (0, 0, 0)] {
        let telegram = only(&whole(&SERVER, &[sml_entry(POWER, WATT, -1, watt)]));
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(import), Some(export))
        );
    }
}

#[test]
fn a_register_in_a_foreign_unit_fills_nothing() {
    let telegram = only(&whole(
        &SERVER,
        &[
            sml_entry(POWER, WATT_HOUR, -1, 99),
            sml_entry(DRAWN, WATT_HOUR, -1, 1234),
        ],
    ));
    assert_eq!(telegram.import_mw, None);
    assert_eq!(telegram.energy_import_mwh, Some(123_400));
}

#[test]
fn both_checksums_are_enforced_and_may_be_kermit() {
    let list = get_list(&SERVER, &[NONE], &[sml_entry(POWER, WATT, -1, 5000)]);
    for outer in [x25 as Checksum, kermit_swapped] {
        for inner in [x25 as Checksum, kermit_swapped] {
            let bytes = file(&[ended(&list, inner, 2)], outer);
            assert_eq!(only(&bytes).import_mw, Some(500_000));
        }
        // A message that was damaged before the file's checksum was made.
        let mut damaged = ended(&list, x25, 2);
        let value = damaged.len() - 8;
        damaged[value] ^= 1;
        assert_eq!(refused(&file(&[damaged], outer)), Reason::Checksum);
    }
    let mut damaged = file(&[ended(&list, x25, 2)], x25);
    damaged[40] ^= 1;
    assert_eq!(refused(&damaged), Reason::Checksum);
}

#[test]
fn a_checksum_below_256_may_come_in_one_byte() {
    let list = (0..10_000)
        .map(|watt| get_list(&SERVER, &[NONE], &[sml_entry(POWER, WATT, 0, watt)]))
        .find(|list| x25(list).to_le_bytes()[0] == 0)
        .unwrap();
    let (short, long) = (ended(&list, x25, 1), ended(&list, x25, 2));
    assert_eq!(short.len() + 1, long.len());
    assert_eq!(
        only(&file(std::slice::from_ref(&short), x25)),
        only(&file(&[long], x25))
    );
    let mut wrong = short;
    let sum = wrong.len() - 2;
    wrong[sum] ^= 1;
    assert_eq!(refused(&file(&[wrong], x25)), Reason::Checksum);
}

#[test]
fn a_time_may_lack_its_list() {
    for time in [
        &[NONE][..],
        &[0x72, 0x62, 0x01, 0x65, 0, 1, 2, 3],
        &[0x65, 0, 1, 2, 3],
        &[
            0x72, 0x62, 0x03, 0x73, 0x65, 0, 1, 2, 3, 0x53, 0, 60, 0x53, 0, 0,
        ],
    ] {
        let list = get_list(&SERVER, time, &[sml_entry(POWER, WATT, 0, 42)]);
        let telegram = only(&file(&[ended(&list, x25, 2)], x25));
        assert_eq!(telegram.import_mw, Some(42_000), "{time:?}");
    }
}

#[test]
fn a_doubled_escape_is_one_in_the_value() {
    let value = 0x1B1B_1B1B;
    let mut doubled = 0;
    for filler in 0..4 {
        // Octets of different length move the value to each place in a group of four.
        let id = [
            &[
                0x77,
                0x07,
                1,
                0,
                96,
                1,
                0,
                0xFF,
                NONE,
                NONE,
                NONE,
                NONE,
                3 + filler,
            ][..],
            &vec![0x31; usize::from(filler) + 2],
            &[NONE],
        ]
        .concat();
        let bytes = whole(&SERVER, &[id, sml_entry(DRAWN, WATT_HOUR, -1, value)]);
        doubled += usize::from(bytes.windows(8).any(|window| window == [0x1B; 8]));
        let telegram = only(&bytes);
        assert_eq!(
            telegram.energy_import_mwh,
            Some(i64::from(value) * 100),
            "{filler}"
        );
    }
    assert_eq!(doubled, 1);
}

#[test]
fn dzgs_wrapped_power_is_corrected_only_where_nothing_is_fed_in() {
    let power = |watt| short_entry(POWER, WATT, -2, watt);
    let drawn = sml_entry(DRAWN, WATT_HOUR, -1, 100);
    let fed_in = sml_entry(FED_IN, WATT_HOUR, -1, 0);
    // 500.00 W as 16 bits with a sign read as -155.36 W.
    let one_way = only(&whole(&DZG, &[drawn.clone(), power(-15_536)]));
    assert_eq!(
        (one_way.import_mw, one_way.export_mw),
        (Some(500_000), Some(0))
    );
    for entries in [
        [power(-15_536), drawn.clone(), fed_in.clone()],
        [drawn.clone(), fed_in.clone(), power(-15_536)],
    ] {
        let two_way = only(&whole(&DZG, &entries));
        assert_eq!((two_way.import_mw, two_way.export_mw), (None, None));
        assert_eq!(two_way.energy_export_mwh, Some(0));
    }
    let positive = only(&whole(
        &DZG,
        &[drawn.clone(), fed_in.clone(), power(30_000)],
    ));
    assert_eq!(positive.import_mw, Some(300_000));
    let wide = sml_entry(POWER, WATT, -2, -15_536);
    let wide = only(&whole(&DZG, &[drawn.clone(), fed_in.clone(), wide]));
    assert_eq!(wide.export_mw, Some(155_360), "not of 16 bits");
    let other = only(&whole(&SERVER, &[drawn, fed_in, power(-15_536)]));
    assert_eq!(other.export_mw, Some(155_360), "another maker");
}

#[test]
fn a_file_that_lost_bytes_costs_only_itself() {
    let bytes = whole(&SERVER, &[sml_entry(POWER, WATT, 0, 42)]);
    let expected = only(&bytes);
    for lost in 0..bytes.len() {
        let damaged = [&bytes[..lost], &bytes[lost + 1..]].concat();
        let found = items(&[damaged, bytes.clone()].concat());
        assert_eq!(
            found.last(),
            Some(&Item::Telegram(expected.clone())),
            "byte {lost}"
        );
    }
}

#[test]
fn messages_that_are_no_list_are_passed_and_broken_ones_refused() {
    let open = ended(
        &message(0x0101, &[0x76, NONE, NONE, 2, 7, 2, 8, NONE, NONE]),
        x25,
        2,
    );
    assert_eq!(
        refused(&file(std::slice::from_ref(&open), x25)),
        Reason::Unknown
    );
    let list = get_list(&SERVER, &[NONE], &[sml_entry(POWER, WATT, 0, 42)]);
    let whole = ended(&list, x25, 2);
    for broken in [
        // Six fields are announced, five follow.
        ended(&[0x76, NONE, NONE, NONE, 0x71, NONE], x25, 2),
        // A list that never ends.
        ended(
            &message(0x0701, &[0x77, NONE, NONE, NONE, NONE, 0xF1, 0x00]),
            x25,
            2,
        ),
        // Nesting without end.
        ended(&message(0x0301, &[0x71; 60]), x25, 2),
        vec![0x55, 1, 2, 3, 4],
        // Seven fields are announced.
        ended(&[&[0x77], &list[1..]].concat(), x25, 2),
        // No end behind the checksum.
        [&whole[..whole.len() - 1], &[0x01]].concat(),
    ] {
        let bytes = file(&[open.clone(), broken], x25);
        assert_eq!(refused(&bytes), Reason::Malformed);
    }
}
