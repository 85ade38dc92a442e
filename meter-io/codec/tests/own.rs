//! Telegrams made here, for what captures do not show, and for machines without captures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use headroom_codec::{Decoder, Item, Options, Protocol, Reason, Telegram};
use headroom_encode::*;
use proptest::prelude::*;

const LINES: &str = "HRM5\\TEST-1
1-3:0.2.8(50)
0-0:1.0.0(260115120010W)
0-0:96.1.1(48454144524F4F4D31)
1-0:1.8.1(000100.001*kWh)
1-0:1.8.2(000200.002*kWh)
1-0:2.8.1(000000.000*kWh)
1-0:2.8.2(000000.000*kWh)
1-0:1.7.0(02.870*kW)
1-0:2.7.0(00.000*kW)
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
1-0:62.7.0(00.000*kW)";

const OLD_LINES: &str = "HRM5\\OLD-2
0-0:96.1.1(4F4C44)
1-0:1.7.0(0001.01*kW)
0-1:24.3.0(161107190000)(08)(60)(1)(0-1:24.2.1)(m3)
(00001.001)";

fn keys() -> Options {
    Options {
        protocol: None,
        key: Some(KEY.parse().unwrap()),
        auth_key: Some(AUTH_KEY.parse().unwrap()),
        capture: true,
        ..Options::default()
    }
}

/// Of a meter that sends no tags.
fn untagged_keys() -> Options {
    Options {
        auth_key: None,
        ..keys()
    }
}

fn items(options: &Options, bytes: &[u8]) -> Vec<Item> {
    let mut decoder = Decoder::new(options);
    let mut items = decoder.push(bytes);
    items.extend(decoder.finish());
    items
}

fn telegrams(bytes: &[u8]) -> Vec<Telegram> {
    items(&keys(), bytes)
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

fn reasons(options: &Options, bytes: &[u8]) -> Vec<Reason> {
    items(options, bytes)
        .into_iter()
        .map(|item| match item {
            Item::Rejected(rejected) => rejected.reason,
            Item::Telegram(telegram) => panic!("{telegram:?}"),
        })
        .collect()
}

fn currents(telegram: &Telegram) -> [Option<i64>; 3] {
    telegram.phases.map(|phase| phase.current_ma)
}

/// One telegram of each kind that a checksum or tag protects.
fn zoo() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("p1", p1(LINES)),
        ("p1 7e1", seven_even(&p1(LINES))),
        ("p1 ciphered", cipher(&p1(LINES), 0x30, TITLE, 7)),
        ("aidon 1", aidon_list_1(1696)),
        ("aidon 2", aidon_list_2(2077, 46, 61)),
        ("kaifa 1", kaifa_list_1(228)),
        ("kaifa 2", kaifa_list_2(228, [953, 44, 931])),
        ("kamstrup", kamstrup_list(3)),
        ("kamstrup one phase", kamstrup_list(1)),
        (
            "kamstrup ciphered",
            hdlc(&KAMSTRUP, &cipher(&kamstrup_apdu(3), 0x30, TITLE, 8)),
        ),
        (
            "blocks",
            blocks(&cipher(&kamstrup_apdu(3), 0x30, TITLE, 9), 100).concat(),
        ),
        ("segments", segments(&kamstrup_apdu(3), 60).concat()),
        ("mbus", mbus(&kamstrup_apdu(3), 100)),
        ("mbus one frame", mbus(&kamstrup_apdu(3), 250)),
        (
            "mbus ciphered",
            // Another meter: one that sends tags is not heard without them.
            mbus(
                &cipher(&kamstrup_apdu(3), 0x20, *b"HRM\x10\x20\x30\x40\x51", 10),
                240,
            ),
        ),
        (
            "sml",
            sml(&[
                sml_entry([1, 0, 16, 7, 0], 27, -1, -5635),
                sml_entry([1, 0, 31, 7, 0], 33, -2, 106),
            ]),
        ),
        (
            "tic",
            tic(
                false,
                &[
                    ("ADCO", None, "012345678910"),
                    ("IINST", None, "012"),
                    ("BASE", None, "000123456"),
                ],
            ),
        ),
        (
            "tic 7e1",
            seven_even(&tic(
                true,
                &[
                    ("ADSC", None, "012345678910"),
                    ("DATE", Some("H260115120010"), ""),
                    ("IRMS1", None, "001"),
                ],
            )),
        ),
    ]
}

#[test]
fn a_telegram_reads_as_the_contract_shows_it() {
    assert_eq!(
        serde_json::to_string(&only(&p1(LINES))).unwrap(),
        "{\"protocol\":\"p1\",\"meter_id\":\"48454144524F4F4D31\",\"meter_model\":\"HRM5\\\\TEST-1\",\
         \"meter_time\":\"2026-01-15T12:00:10+01:00\",\"import_w\":2870.0,\"export_w\":0.0,\"import_var\":null,\
         \"export_var\":null,\"phases\":[\
         {\"phase\":\"l1\",\"current_a\":4.0,\"current_step_a\":1.0,\"voltage_v\":230.4,\"import_w\":912.0,\"export_w\":0.0},\
         {\"phase\":\"l2\",\"current_a\":7.0,\"current_step_a\":1.0,\"voltage_v\":231.4,\"import_w\":1700.0,\"export_w\":0.0},\
         {\"phase\":\"l3\",\"current_a\":1.0,\"current_step_a\":1.0,\"voltage_v\":229.4,\"import_w\":258.0,\"export_w\":0.0}],\
         \"energy_import_kwh\":300.003,\"energy_export_kwh\":0.0,\"list\":null,\"encrypted\":false,\"authenticated\":false}"
    );
}

#[test]
fn p1_is_read_with_every_known_habit_of_its_lines() {
    let plain = only(&p1(LINES));
    let text = String::from_utf8(p1(LINES)).unwrap();
    assert_eq!(only(&seven_even(&p1(LINES))), plain);
    assert_eq!(
        only(text.replace("\r\n", "\n").as_bytes()),
        plain,
        "copied text"
    );
    assert_eq!(
        only(text.trim_end().as_bytes()),
        plain,
        "no line end behind the CRC"
    );
    assert_eq!(
        only(format!("{}\0", text.trim_end()).as_bytes()),
        plain,
        "NUL behind the CRC"
    );
    let lower = text
        .split_once('!')
        .map(|(body, crc)| format!("{body}!{}", crc.to_lowercase()));
    assert_eq!(only(lower.unwrap().as_bytes()), plain, "lower-case CRC");
    let x25_text = p1_body(LINES);
    let crc = x25(&x25_text);
    assert_eq!(
        only(&[&x25_text[..], format!("{crc:04X}\r\n").as_bytes()].concat()),
        plain,
        "X-25"
    );
}

#[test]
fn a_slash_in_the_header_and_units_of_all_sizes_are_read() {
    let telegram = only(&p1("HRM5/D545-METER
        1-0:1.7.0(000000286*W)
        1-0:31.7.0 (0000.005*kA)
        1-0:32.7.0*255(0000.242*kV)
        1-0:3.7.0(0001.279*kVAr)
        1-1:2.7.0(0.100*kW)
        1,0:2.7.0(9.999*kW)
        1-0:51.7.0(999*kW)"));
    assert_eq!(telegram.meter_model.as_deref(), Some("HRM5/D545-METER"));
    assert_eq!(telegram.import_mw, Some(286_000));
    assert_eq!(telegram.export_mw, Some(100_000));
    assert_eq!(telegram.import_mvar, Some(1_279_000));
    let [first, second, _] = telegram.phases;
    assert_eq!(
        (first.current_ma, first.current_step_ma),
        (Some(5000), Some(1000))
    );
    assert_eq!(first.voltage_mv, Some(242_000));
    assert!(second.is_empty(), "a current in kW is none");
}

#[test]
fn a_telegram_without_checksum_is_valid_only_where_there_is_none() {
    let bare = |lines: &str| [&p1_body(lines)[..], b"\r\n"].concat();
    let telegram = only(&bare(OLD_LINES));
    assert_eq!(
        (
            telegram.import_mw,
            telegram
                .phases
                .iter()
                .all(headroom_codec::PhaseValues::is_empty)
        ),
        (Some(1_010_000), true)
    );
    assert_eq!(reasons(&keys(), &bare(LINES)), [Reason::NoChecksum]);
    assert_eq!(
        reasons(&keys(), &bare(&OLD_LINES.replace("1-0:1.7.0", "1-0:1.7;0"))),
        [Reason::Malformed]
    );
    // Once a stream has shown its checksum, it is required.
    let found = items(&keys(), &[p1(LINES), bare(OLD_LINES)].concat());
    assert!(
        matches!(found.as_slice(), [Item::Telegram(_), Item::Rejected(rejected)] if rejected.reason == Reason::NoChecksum)
    );
    // Parity guards it on its way.
    let mut damaged = seven_even(&bare(OLD_LINES));
    assert_eq!(only(&damaged).import_mw, Some(1_010_000));
    let digit = damaged.iter().position(|byte| byte & 0x7F == b'7').unwrap();
    damaged[digit] ^= 2;
    assert_eq!(reasons(&keys(), &damaged), [Reason::Parity]);
}

#[test]
fn the_longest_texts_are_read() {
    let text = format!(
        "{LINES}\n{}",
        format!("0-0:96.13.0({})\n", "3F".repeat(1024)).repeat(5)
    );
    let telegram = p1(&text);
    assert!(telegram.len() > 10_000);
    assert_eq!(only(&telegram).import_mw, Some(2_870_000));
}

#[test]
fn a_telegram_that_never_ends_is_given_up() {
    let endless = format!("{}{}", "/HRM5\r\n\r\n", "0-0:96.13.0(3F)\r\n".repeat(4000));
    let stream = [endless.as_bytes(), &p1(LINES)].concat();
    assert_eq!(telegrams(&stream).len(), 1);
    assert!(items(&keys(), &stream).iter().any(
        |item| matches!(item, Item::Rejected(rejected) if rejected.reason == Reason::TooLong)
    ));
}

#[test]
fn aidon_currents_are_magnitudes_and_a_missing_phase_stays_missing() {
    let telegram = only(&aidon_list_2(2077, -46, 61));
    assert_eq!(currents(&telegram), [Some(4600), None, Some(6100)]);
    assert_eq!(telegram.phases[1].voltage_mv, Some(235_900));
    assert_eq!(
        (telegram.list, telegram.meter_model.as_deref()),
        (Some(2), Some("6525"))
    );
    let power = only(&aidon_list_1(1696));
    assert_eq!(
        (power.list, power.import_mw, power.export_mw),
        (Some(1), Some(1_696_000), None)
    );
    assert!(!power.has_currents());
}

#[test]
fn kaifa_is_read_by_position() {
    let telegram = only(&kaifa_list_2(228, [953, 44, 931]));
    assert_eq!(currents(&telegram), [Some(953), Some(44), Some(931)]);
    assert_eq!(telegram.phases[0].voltage_mv, Some(238_900));
    assert_eq!(
        telegram.meter_time.unwrap().to_string(),
        "2026-01-15T12:00:10"
    );
    assert_eq!(only(&kaifa_list_1(228)).list, Some(1));
}

#[test]
fn kamstrup_nulls_are_missing_phases() {
    assert_eq!(
        currents(&only(&kamstrup_list(3))),
        [Some(5640), Some(2020), Some(5110)]
    );
    let single = only(&kamstrup_list(1));
    assert_eq!(currents(&single), [Some(5640), None, None]);
    assert!(single.phases[1].is_empty());
}

#[test]
fn segments_and_blocks_are_joined_and_gaps_rejected() {
    let whole = only(&kamstrup_list(3));
    let parts = segments(&kamstrup_apdu(3), 60);
    assert_eq!(only(&parts.concat()), whole);
    let mut parts = blocks(&kamstrup_apdu(3), 60);
    assert_eq!(only(&parts.concat()), whole);
    parts.remove(1);
    assert!(telegrams(&parts.concat()).is_empty());
    assert!(reasons(&keys(), &parts.concat()).contains(&Reason::Gap));
    let bytes = mbus(&kamstrup_apdu(3), 60);
    assert_eq!(currents(&only(&bytes)), currents(&whole));
}

#[test]
fn an_mbus_length_that_overflowed_is_understood() {
    let long = mbus(&[kamstrup_apdu(3), vec![0; 300]].concat(), 252);
    assert_eq!(long[1], 1, "257 in one byte");
    // The padding is no list; that the frame was read shows in the reason.
    assert!(reasons(&keys(), &long).contains(&Reason::Malformed));
}

#[test]
fn ciphers_tell_which_key_is_wrong() {
    let wrong = || Some("FF0102030405060708090A0B0C0D0E0F".parse().unwrap());
    let ciphered = [
        cipher(&p1(LINES), 0x30, TITLE, 1),
        hdlc(&KAMSTRUP, &cipher(&kamstrup_apdu(3), 0x30, TITLE, 2)),
    ];
    for bytes in ciphered {
        let telegram = only(&bytes);
        assert!(telegram.encrypted && telegram.authenticated);
        assert_eq!(reasons(&Options::default(), &bytes), [Reason::NeedsKey]);
        assert_eq!(
            reasons(
                &Options {
                    key: wrong(),
                    ..keys()
                },
                &bytes
            ),
            [Reason::WrongKey]
        );
        assert_eq!(
            reasons(
                &Options {
                    key: wrong(),
                    auth_key: None,
                    ..keys()
                },
                &bytes
            ),
            [Reason::WrongKey]
        );
        assert_eq!(
            reasons(
                &Options {
                    auth_key: wrong(),
                    ..keys()
                },
                &bytes
            ),
            [Reason::WrongAuthKey]
        );
        let open = items(&untagged_keys(), &bytes);
        assert!(
            matches!(open.as_slice(), [Item::Telegram(telegram)] if telegram.encrypted && !telegram.authenticated)
        );
    }
    let untagged = mbus(&cipher(&kamstrup_apdu(3), 0x20, TITLE, 3), 240);
    let telegram = only(&untagged);
    assert!(telegram.encrypted && !telegram.authenticated);
    assert_eq!(
        reasons(
            &Options {
                key: wrong(),
                ..keys()
            },
            &untagged
        ),
        [Reason::WrongKey]
    );
}

#[test]
fn sml_and_tic_give_what_they_have() {
    let telegram = only(&sml(&[
        sml_entry([1, 0, 16, 7, 0], 27, -1, -5635),
        sml_entry([1, 0, 71, 7, 0], 33, -2, 91),
        sml_entry([1, 0, 1, 8, 0], 30, -1, 20_431_047),
    ]));
    assert_eq!(
        (telegram.import_mw, telegram.export_mw),
        (Some(0), Some(563_500))
    );
    assert_eq!(currents(&telegram), [None, None, Some(910)]);
    assert_eq!(telegram.energy_import_mwh, Some(2_043_104_700));
    let telegram = only(&tic(
        true,
        &[
            ("ADSC", None, "012345678910"),
            ("DATE", Some("E260715120010"), ""),
            ("EAST", None, "003519702"),
            ("IRMS1", None, "001"),
            ("IRMS2", None, "002"),
            ("URMS1", None, "242"),
        ],
    ));
    assert_eq!(currents(&telegram), [Some(1000), Some(2000), None]);
    assert_eq!(
        telegram.meter_time.unwrap().to_string(),
        "2026-07-15T12:00:10+02:00"
    );
    assert_eq!(
        (telegram.energy_import_mwh, telegram.import_mw),
        (Some(3_519_702_000), None)
    );
}

#[test]
fn every_family_is_told_by_its_bytes_alone() {
    let all: Vec<u8> = zoo().into_iter().flat_map(|(_, bytes)| bytes).collect();
    for (name, bytes) in zoo() {
        assert_eq!(telegrams(&bytes).len(), 1, "{name}");
    }
    let mut decoder = Decoder::new(&keys());
    for (name, bytes) in zoo() {
        let found = decoder.push(&bytes);
        assert!(
            matches!(found.as_slice(), [Item::Telegram(_)]),
            "{name} behind the others: {found:?}"
        );
    }
    assert_eq!(telegrams(&all).len(), zoo().len());
}

#[test]
fn a_frame_of_another_family_does_not_blind_the_search_for_an_end() {
    // A false start of P1 waits, a frame moves it on, and a telegram shorter than the frame follows at once.
    let mut decoder = Decoder::new(&keys());
    assert!(decoder.push(b"/HRM5 waits for its end").is_empty());
    assert_eq!(decoder.push(&mbus(&kamstrup_apdu(3), 250)).len(), 1);
    assert_eq!(decoder.push(&p1("HRM5S\n1-0:1.7.0(01.000*kW)")).len(), 1);
}

#[test]
fn every_byte_is_accounted_for_once() {
    for (name, bytes) in zoo() {
        let mut decoder = Decoder::new(&keys());
        decoder.push(&[&bytes[..], &bytes].concat());
        decoder.finish();
        assert_eq!(decoder.unexplained(), 0, "{name}");
    }
    let mut damaged = aidon_list_2(1, 2, 3);
    damaged[100] ^= 1;
    let mut decoder = Decoder::new(&keys());
    let found = decoder.push(&[b"noise".as_slice(), &damaged, &aidon_list_1(5)].concat());
    decoder.finish();
    let bytes = damaged.len();
    assert!(
        matches!(found.first(), Some(Item::Rejected(lost)) if lost.bytes == bytes),
        "{found:?}"
    );
    assert_eq!((found.len(), decoder.unexplained()), (2, 5));
    // A telegram that is refused has its line end too.
    let mut wrong = p1("HRM5TEST\n1-0:1.7.0(02.870*kW)");
    wrong[20] ^= 1;
    let mut decoder = Decoder::new(&keys());
    decoder.push(&wrong.repeat(3));
    decoder.finish();
    assert_eq!(decoder.unexplained(), 0);
}

#[test]
fn what_was_cut_never_harms_what_follows() {
    for (name, bytes) in zoo() {
        let whole = only(&bytes);
        for cut in 0..bytes.len() {
            let found = telegrams(&[&bytes[..cut], &bytes].concat());
            assert!(
                found.last() == Some(&whole) && found.iter().all(|other| *other == whole),
                "{name} cut at {cut}"
            );
        }
    }
}

#[test]
fn a_flipped_bit_never_gives_another_telegram() {
    for (name, bytes) in zoo() {
        let whole = only(&bytes);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            for found in telegrams(&damaged) {
                assert_eq!(found, whole, "{name}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_never_harms_the_next_telegram() {
    for (name, bytes) in zoo() {
        let whole = only(&bytes);
        for byte in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[byte] ^= 1 << (byte % 8);
            let found = telegrams(&[damaged, bytes.clone()].concat());
            assert_eq!(found.last(), Some(&whole), "{name}, byte {byte}");
        }
    }
}

fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    // Noise alone hardly ever gets past a first byte: pieces of telegrams make the deep paths run.
    let pieces: Vec<Vec<u8>> = zoo().into_iter().map(|(_, bytes)| bytes).collect();
    let piece = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(move |(which, from, to)| {
            let piece = &pieces[which.index(pieces.len())];
            let (from, to) = (from.index(piece.len()), to.index(piece.len() + 1));
            piece[from.min(to)..to.max(from)].to_vec()
        });
    prop::collection::vec(
        prop_oneof![piece, prop::collection::vec(any::<u8>(), 0..200)],
        0..12,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_panic(bytes in any_stream(), size in 1_usize..600) {
        for protocol in [None].into_iter().chain(Protocol::ALL.map(Some)) {
            let mut decoder = Decoder::new(&Options { protocol, ..keys() });
            for chunk in bytes.chunks(size) {
                decoder.push(chunk);
            }
            decoder.finish();
            prop_assert!(decoder.unexplained() <= decoder.received());
        }
    }

    #[test]
    fn a_whole_telegram_behind_any_bytes_is_found(bytes in any_stream(), which in any::<prop::sample::Index>()) {
        let zoo = zoo();
        let (name, telegram) = &zoo[which.index(zoo.len())];
        // Three of them, since the bytes before may announce a length that swallows some.
        let stream = [bytes, telegram.repeat(3)].concat();
        prop_assert!(telegrams(&stream).contains(&only(telegram)), "{}", name);
    }
}
