//! Anonymous captures decode to the same values, and nothing in them tells whose they are.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use headroom_codec::{
    Decoder, Item, Key, Options, PUBLIC_AUTH_KEY, PUBLIC_KEY, Protocol, Telegram, anonymous,
};
use headroom_encode::*;
use std::{env, fs, path::Path};

/// The meter's own keys, which are not those of captures.
const OWN_KEY: &str = "0F0E0D0C0B0A09080706050403020100";

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn options(key: Option<Key>, auth_key: Option<Key>) -> Options {
    Options {
        key,
        auth_key,
        capture: true,
        ..Options::default()
    }
}

fn public() -> Options {
    options(Some(key(PUBLIC_KEY)), Some(key(PUBLIC_AUTH_KEY)))
}

/// Telegrams, each with what its capture holds.
fn captured(options: &Options, bytes: &[u8]) -> Vec<(Telegram, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut take = |item, raw: &[u8]| {
        if let Item::Telegram(telegram) = item {
            let masked = anonymous(
                telegram.protocol,
                raw,
                options.key.as_ref(),
                options.auth_key.as_ref(),
            );
            found.push((telegram, masked));
        }
    };
    let mut decoder = Decoder::new(options);
    decoder.push_raw(bytes, &mut take);
    // What ends with the stream: a second one behind shows its end.
    if bytes.starts_with(&[0xE6]) {
        decoder.push_raw(bytes, take);
    }
    found
}

fn decode(options: &Options, bytes: &[u8]) -> Vec<Telegram> {
    let mut decoder = Decoder::new(options);
    let mut items = decoder.push(bytes);
    items.extend(decoder.finish());
    items
        .into_iter()
        .filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram),
            Item::Rejected(_) => None,
        })
        .collect()
}

/// Without what a capture does not tell.
fn values(telegram: &Telegram) -> Telegram {
    Telegram {
        meter_id: None,
        meter_model: None,
        // A tag that was not checked for want of the key is made anew, and can be.
        authenticated: false,
        frame_counter: None,
        ..telegram.clone()
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

const SECRET: &str = "7359992890000001";

fn list(extra: usize) -> Vec<u8> {
    let mut items = vec![
        visible("Kamstrup_V0001"),
        obis([1, 1, 0, 0, 5]),
        visible(SECRET),
        obis([1, 1, 96, 1, 1]),
        visible("6841121HR000000040"),
    ];
    items.extend([obis([1, 1, 1, 7, 0]), u32v(1468)]);
    items.extend([obis([1, 1, 31, 7, 0]), u32v(564)]);
    items.extend([obis([1, 1, 1, 8, 0]), u32v(12_345_678)]);
    for _ in 0..extra {
        items.extend([obis([1, 1, 33, 7, 0]), u16v(98)]);
    }
    notification(&[0], &sequence(2, &items))
}

fn text() -> Vec<u8> {
    p1(&format!(
        "HRM5\\{SECRET}\n0-0:96.1.1({SECRET})\n0-0:42.0.0({SECRET})\n1-0:1.7.0(02.870*kW)\n0-1:96.1.0({SECRET})"
    ))
}

fn sealed(plain: &[u8], security: u8) -> Vec<u8> {
    cipher(plain, security, *b"HRM\x07\x35\x99\x92\x89", 5)
}

fn zoo() -> Vec<(&'static str, Vec<u8>)> {
    let llc: [u8; 3] = [0xE6, 0xE7, 0x00];
    vec![
        ("p1", text()),
        ("hdlc", hdlc(&KAMSTRUP, &list(0))),
        ("bare", [&llc[..], &list(0)].concat()),
        ("mbus", mbus(&list(0), 250)),
        ("text in mbus", mbus(&text(), 100)),
    ]
    .into_iter()
    // Cut at every place: the id stands across two frames in some.
    .chain((30..60).map(|size| ("segments", segments(&list(0), size).concat())))
    .chain((30..60).map(|size| ("blocks", blocks(&list(0), size).concat())))
    .chain((30..60).map(|size| ("mbus in parts", mbus(&list(0), size))))
    .collect()
}

fn sealed_zoo() -> Vec<(&'static str, Vec<u8>)> {
    [0x20, 0x30]
        .into_iter()
        .flat_map(|security| {
            let apdu = sealed(&list(20), security);
            vec![
                ("p1", sealed(&text(), security)),
                ("hdlc", hdlc(&KAMSTRUP, &apdu)),
                ("segments", segments(&apdu, 100).concat()),
                ("blocks", blocks(&apdu, 100).concat()),
                ("mbus", mbus(&apdu, 250)),
                ("p1 in hdlc", hdlc(&KAMSTRUP, &sealed(&text(), security))),
            ]
        })
        .collect()
}

#[test]
fn captures_in_clear_decode_to_the_same_without_the_id() {
    for (name, bytes) in zoo() {
        // Some frames cut the id in two.
        let cut = ["segments", "blocks", "mbus in parts", "text in mbus"].contains(&name);
        assert!(cut || holds(&bytes, SECRET.as_bytes()), "{name}");
        let found = captured(&Options::default(), &bytes);
        let (telegram, masked) = &found[0];
        let masked = masked.as_ref().unwrap_or_else(|| panic!("{name}"));
        let again = decode(&Options::default(), masked);
        assert_eq!(again.len(), 1, "{name}");
        assert_eq!(values(&again[0]), values(telegram), "{name}");
        let zeros = "0".repeat(SECRET.len());
        assert_eq!(again[0].meter_id.as_deref(), Some(zeros.as_str()), "{name}");
        for digits in SECRET
            .as_bytes()
            .windows(6)
            .filter(|part| !part.ends_with(b"0000"))
        {
            assert!(!holds(masked, digits), "{name}: {masked:02X?}");
        }
        if telegram.protocol != Protocol::P1 && !name.starts_with("text") {
            assert_eq!(again[0].meter_model, telegram.meter_model, "{name}");
        }
    }
}

#[test]
fn ciphered_captures_are_ciphered_anew_with_keys_that_everybody_knows() {
    // The encoder's keys are the public ones: that the meter's own are not needed shows in the title and in the tag.
    let keys = options(Some(key(KEY)), Some(key(AUTH_KEY)));
    for (name, bytes) in sealed_zoo() {
        let title = b"\x07\x35\x99\x92\x89";
        assert!(holds(&bytes, title), "{name}");
        let found = captured(&keys, &bytes);
        let (telegram, masked) = &found[0];
        let masked = masked.as_ref().unwrap_or_else(|| panic!("{name}"));
        assert!(!holds(masked, title), "{name}");
        assert!(holds(masked, b"HRM\0\0\0\0\0"), "{name}");
        let again = decode(&public(), masked);
        assert_eq!(again.len(), 1, "{name}");
        assert_eq!(values(&again[0]), values(telegram), "{name}");
        assert_eq!(again[0].authenticated, telegram.authenticated, "{name}");
        let id = again[0].meter_id.unwrap();
        assert!(id.bytes().all(|byte| byte == b'0'), "{name}: {id}");
    }
}

#[test]
fn a_ciphered_telegram_gives_nothing_without_its_key() {
    for (name, bytes) in sealed_zoo() {
        let protocol = decode(&public(), &bytes)[0].protocol;
        for (own, auth) in [
            (None, None),
            (Some(key(OWN_KEY)), None),
            (Some(key(OWN_KEY)), Some(key(AUTH_KEY))),
        ] {
            let masked = anonymous(protocol, &bytes, own.as_ref(), auth.as_ref());
            assert_eq!(masked, None, "{name}");
        }
    }
}

/// Type-length field and octets.
fn octet(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() + 1;
    if length < 16 {
        return [&[u8::try_from(length).unwrap()], bytes].concat();
    }
    // Two bytes of type-length field.
    let length = length + 1;
    let field = [
        0x80 | u8::try_from(length >> 4).unwrap(),
        u8::try_from(length & 15).unwrap(),
    ];
    [&field[..], bytes].concat()
}

/// A checksum as it is sent.
type Sum = fn(&[u8]) -> [u8; 2];

fn low_first(bytes: &[u8]) -> [u8; 2] {
    x25(bytes).to_le_bytes()
}

/// A file of three messages with what real meters send: open, list, close.
fn sml_file(checksum: Sum, server: &[u8], signature: &[u8]) -> Vec<u8> {
    let message = |group: u8, tag: u16, body: Vec<u8>| {
        let mut message = [
            &[0x76][..],
            &octet(b"\x11\x22\x33\x44\x55"),
            &[0x62, group, 0x62, 0x00, 0x72, 0x63],
            &tag.to_be_bytes(),
            &body,
        ]
        .concat();
        let sum = checksum(&message);
        // A high byte of 0 may be left out.
        if sum[0] == 0 {
            message.extend([0x62, sum[1]]);
        } else {
            message.extend([0x63, sum[0], sum[1]]);
        }
        message.push(0);
        message
    };
    let id = [
        &[0x77][..],
        &octet(b"\x01\x00\x60\x01\x00\xFF"),
        &[1, 1, 1, 1],
        &octet(server),
        &[1],
    ];
    let maker = [
        &[0x77][..],
        &octet(b"\x81\x81\xC7\x82\x03\xFF"),
        &[1, 1, 1, 1],
        &octet(b"EMH"),
        &[1],
    ];
    let entries = [
        maker.concat(),
        id.concat(),
        sml_entry([1, 0, 16, 7, 0], 27, -1, -5635),
        sml_entry([1, 0, 1, 8, 0], 30, -1, 20_431_047),
    ];
    let list = [
        &[0x77, 0x01][..],
        &octet(server),
        &octet(b"\x01\x00\x62\x0A\xFF\xFF"),
        &[0x72, 0x62, 0x01, 0x65, 0x00, 0x01, 0x02, 0x03],
        &[0x74],
        &entries.concat(),
        &octet(signature),
        &[0x01],
    ]
    .concat();
    let open = [
        &[0x76, 0x01, 0x01][..],
        &octet(b"\x99\x88\x77\x66"),
        &octet(server),
        &[0x01, 0x01],
    ]
    .concat();
    let mut content = message(0, 0x0101, open);
    content.extend(message(1, 0x0701, list));
    content.extend(message(2, 0x0201, vec![0x71, 0x01]));
    let pad = (4 - content.len() % 4) % 4;
    content.resize(content.len() + pad, 0);
    let mut file = vec![0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1];
    for group in content.chunks(4) {
        file.extend(group);
        if group == [0x1B; 4] {
            file.extend(group);
        }
    }
    file.extend([0x1B, 0x1B, 0x1B, 0x1B, 0x1A, u8::try_from(pad).unwrap()]);
    file.extend(checksum(&file));
    file
}

#[test]
fn sml_files_lose_their_ids_and_keep_their_values() {
    let kinds: [Sum; 2] = [low_first, |bytes| kermit(bytes).to_be_bytes()];
    for checksum in kinds {
        for last in 0..=255 {
            // Many ids, so that each form of a checksum comes once, and escapes in a signature.
            let server = [0x0A, 0x01, b'E', b'M', b'H', 0x00, 0x07, 0x35, 0x99, last];
            let signature = [[0x1B; 40], [0x07; 40]].concat();
            let file = sml_file(checksum, &server, &signature);
            let found = captured(&Options::default(), &file);
            let (telegram, masked) = &found[0];
            let masked = masked.as_ref().unwrap();
            let again = decode(&Options::default(), masked);
            assert_eq!(again.len(), 1);
            assert_eq!(values(&again[0]), values(telegram));
            assert_eq!(again[0].meter_id.as_deref(), Some("0A01454D480000000000"));
            for secret in [
                &[0x07, 0x35, 0x99][..],
                &[0x07; 4],
                &[0x1B; 9],
                b"\x11\x22\x33\x44",
                b"\x99\x88\x77\x66",
            ] {
                assert!(
                    holds(&file, secret) && !holds(masked, secret),
                    "{secret:02X?}"
                );
            }
            assert!(holds(masked, b"EMH"));
        }
    }
}

#[test]
fn what_is_cut_or_damaged_gives_nothing_and_never_panics() {
    let clear = zoo()
        .into_iter()
        .chain([("sml", sml_file(low_first, &[9; 10], &[7; 20]))]);
    for (name, bytes) in clear.chain(sealed_zoo()) {
        let telegram = decode(&public(), &bytes).remove(0);
        for cut in 0..bytes.len() {
            let part = &bytes[..cut];
            let masked = anonymous(
                telegram.protocol,
                part,
                Some(&key(KEY)),
                Some(&key(AUTH_KEY)),
            );
            for found in decode(&public(), &masked.unwrap_or_default()) {
                assert_eq!(values(&found), values(&telegram), "{name} cut at {cut}");
            }
            let mut damaged = bytes.clone();
            damaged[cut] ^= 0x40;
            drop(anonymous(
                telegram.protocol,
                &damaged,
                Some(&key(KEY)),
                Some(&key(AUTH_KEY)),
            ));
        }
    }
}

/// An id as text, as hexadecimal digits of its text in either case, and as bytes of two digits each.
fn forms(id: &[u8]) -> Vec<Vec<u8>> {
    let hex: Vec<String> = id.iter().map(|byte| format!("{byte:02X}")).collect();
    let hex = hex.concat();
    let mut forms = vec![
        id.to_vec(),
        hex.to_lowercase().into_bytes(),
        hex.into_bytes(),
    ];
    let digits: Option<Vec<u32>> = id
        .iter()
        .map(|byte| char::from(*byte).to_digit(16))
        .collect();
    if let Some(digits) = digits {
        let pairs = digits.chunks_exact(2);
        forms.push(
            pairs
                .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
                .collect(),
        );
    }
    forms
}

/// The telegram decodes to the same values, and no form of an id is left of it.
fn hides(name: &str, bytes: &[u8], ids: &[&[u8]]) -> Telegram {
    let found = captured(&Options::default(), bytes);
    let (telegram, masked) = &found[0];
    let masked = masked.as_ref().unwrap_or_else(|| panic!("{name}: none"));
    let shown = String::from_utf8_lossy(masked);
    for id in ids {
        assert!(forms(id).iter().any(|form| holds(bytes, form)), "{name}");
        for form in forms(id) {
            assert!(!holds(masked, &form), "{name}: {shown} {masked:02X?}");
        }
    }
    let mut again = decode(&Options::default(), masked);
    assert_eq!(again.len(), 1, "{name}: {shown}");
    assert_eq!(values(&again[0]), values(telegram), "{name}: {shown}");
    again.remove(0)
}

#[test]
fn ids_of_every_code_of_p1_are_hidden() {
    let secret = "1HRM0099541287";
    let lines = [
        format!("1-0:0.0.0({secret})"),
        format!("1-0:0.0.0*255({secret})"),
        format!("1-1:0.0.0({secret})"),
        format!("1-0:0.0.9*255({secret})"),
        format!("0-0:C.1.0({secret})"),
        format!("0-0:96.2.0({secret})"),
        format!("0-0:97.1.0({secret})"),
        format!("0-0:97.1.1({secret})"),
        format!("0-0:96.1.0*255({secret})"),
        format!("0-0:96.01.1({secret})"),
        format!("00-000:096.01.001({secret})"),
        format!("0-0 :96.1.1({secret})"),
        format!("0-1:96.1.45({secret})"),
        format!("0-0:96.1.4({secret})"),
        format!("0-0:96.1.1({secret}:96.1.4)"),
        format!("0-0:96.1.1\n({secret})"),
        format!("0-0:96.1.1(0)({secret})\n\n({secret})"),
        format!("0-0:42.0.0({secret})"),
        format!("0-0:96.13.1({secret})"),
    ];
    for line in lines {
        let text = format!("HRM5\\TEST\n{line}\n1-0:1.7.0(02.870*kW)\n1-0:31.7.0(004*A)");
        hides(&line, &p1(&text), &[secret.as_bytes()]);
    }
    // A code stays where its value stands on the next line.
    let text = p1(&format!(
        "HRM5\\TEST\n0-0:96.1.1\n({secret})\n1-0:1.7.0(02.870*kW)"
    ));
    let masked = captured(&Options::default(), &text)[0].1.clone().unwrap();
    assert!(holds(&masked, b"\n0-0:96.1.1\r\n(00000000000000)\r\n"));
    // What is no id stays.
    let text = p1(
        "HRM5\\TEST\n0-0:96.1.4(50217)\n1-3:0.2.8(50)\n0-0:1.0.0(260115120010W)\n0-0:96.14.0(0002)\n1-0:1.7.0(02.870*kW)",
    );
    let masked = captured(&Options::default(), &text)[0].1.clone().unwrap();
    assert_eq!(masked.trim_ascii_end(), text.trim_ascii_end());
}

#[test]
fn serial_numbers_in_the_first_line_are_hidden_and_models_stay() {
    for (header, serial, shown) in [
        (
            "KMP5 KA6U00A166C297D12",
            "KA6U00A166C297D12",
            "KMP5 00000000000000000",
        ),
        ("EMH5\\@01LZQJL0013F", "01LZQJL0013F", "EMH5\\@000000000000"),
        ("XMX5LGBBFG1009077331", "1009077331", "XMX5LGBBFG0000000000"),
        (
            "XMX5LGF0010441234567",
            "0010441234567",
            "XMX5LGF0000000000000",
        ),
        ("LGF5E360_7735991A", "7735991A", "LGF5E360_00000000"),
    ] {
        let text = p1(&format!("{header}\n1-0:1.7.0(02.870*kW)"));
        let telegram = hides(header, &text, &[serial.as_bytes()]);
        assert_eq!(telegram.meter_model.as_deref(), Some(shown));
    }
    for header in [
        "NES5:83335-3E",
        "ISK5\\2M550T-1012",
        "ISk5\\2MT382-1004",
        "Ene5\\SAGEMCOM CX2000-",
        "Ene5\\T211 ESMR 5.0",
        "ADN9 6534",
        "KFM5KAIFA-METER",
        "LGF5E360",
        "HLY5/D545-METER",
    ] {
        let text = p1(&format!("{header}\n1-0:1.7.0(02.870*kW)"));
        let telegram = hides(header, &text, &[]);
        assert_eq!(telegram.meter_model.as_deref(), Some(header));
    }
}

#[test]
fn ids_of_every_kind_in_lists_are_hidden_by_their_codes() {
    let ids: [&[u8]; 6] = [
        b"E0F1A2B3C4D5E6F7",
        b"12345-67890-1234",
        b"HRM7",
        &[0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF],
        &[0x73, 0x59, 0x99, 0x28],
        b"0735999289",
    ];
    let codes = [
        [0, 0, 96, 1, 0],
        [0, 0, 96, 1, 1],
        [0, 0, 96, 1, 7],
        [0, 0, 96, 1, 2],
        [0, 1, 96, 1, 0],
        [0, 0, 42, 0, 0],
        [1, 1, 0, 0, 5],
        [1, 0, 0, 0, 0],
    ];
    for id in ids {
        for code in codes {
            let id_value = |tag: u8| [&[tag, u8::try_from(id.len()).unwrap()], id].concat();
            for tag in [9, 10] {
                let pair = sequence(2, &[obis(code), id_value(tag)]);
                let nested = sequence(
                    1,
                    &[
                        text_item([1, 1, 0, 2, 129], "AIDON_V0001"),
                        pair,
                        item([1, 0, 1, 7, 0], u32v(966), 0, 27),
                    ],
                );
                let flat = sequence(
                    2,
                    &[
                        visible("Kamstrup_V0001"),
                        obis(code),
                        id_value(tag),
                        obis([1, 1, 1, 7, 0]),
                        u32v(1468),
                    ],
                );
                for list in [nested, flat] {
                    let bytes = hdlc(&KAMSTRUP, &notification(&[0], &list));
                    hides(&format!("{code:?} {id:02X?}"), &bytes, &[id]);
                }
            }
        }
        // By their place.
        let id_value = [&[9, u8::try_from(id.len()).unwrap()], id].concat();
        let mut items = vec![octets("KFM_001"), id_value.clone(), octets("MA304H4")];
        items.extend([446, 0, 0, 5, 1616, 914, 950, 2387, 2378, 2377].map(u32v));
        let bytes = hdlc(&KAMSTRUP, &notification(&[0], &sequence(2, &items)));
        let telegram = hides("kaifa", &bytes, &[id]);
        assert_eq!(telegram.meter_model.as_deref(), Some("MA304H4"));
        // At the end, alone.
        let items = [obis([1, 0, 1, 7, 0]), u32v(966), id_value];
        let bytes = hdlc(&KAMSTRUP, &notification(&[0], &sequence(2, &items)));
        if id.is_ascii() {
            hides("last", &bytes, &[id]);
        }
    }
}

/// A number by its type tag.
fn tagged(tag: u8, digits: &[u8]) -> Vec<u8> {
    [&[tag], digits].concat()
}

#[test]
fn ids_that_are_numbers_are_hidden_and_other_numbers_stay() {
    let wide = [0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF];
    for (tag, id) in [
        (0x05, &wide[..4]),
        (0x06, &wide[..4]),
        (0x06, b"1234"),
        (0x14, &wide[..]),
        (0x15, &wide[..]),
        (0x15, &[0xFF, 0xEE, 0xDD, 0xCC, 0xBB, 0xAA, 0x99, 0x88]),
    ] {
        let power = item([1, 0, 1, 7, 0], u32v(0x7FFF_FFF0), -6, 27);
        let energy = [obis([1, 0, 1, 8, 0]), u32v(412_345_678)];
        for code in [[0, 0, 96, 1, 0], [0, 0, 42, 0, 0], [1, 1, 0, 0, 5]] {
            let pair = sequence(2, &[obis(code), tagged(tag, id)]);
            let nested = sequence(1, &[pair, power.clone()]);
            let mut flat = vec![obis(code), tagged(tag, id)];
            flat.extend(energy.clone());
            for list in [nested, sequence(2, &flat)] {
                let bytes = hdlc(&KAMSTRUP, &notification(&[0], &list));
                hides(&format!("{code:?} {id:02X?}"), &bytes, &[id]);
            }
        }
        // Of a list without codes that is not known, long numbers.
        let mut unknown = vec![visible("NEW_V1"), tagged(tag, id)];
        unknown.extend([u32v(9_999_999), energy[0].clone(), energy[1].clone()]);
        let bytes = hdlc(&KAMSTRUP, &notification(&[0], &sequence(2, &unknown)));
        hides("unknown", &bytes, &[id]);
        let masked = captured(&Options::default(), &bytes)[0].1.clone().unwrap();
        assert!(holds(&masked, &u32v(9_999_999)), "a short one stays");
    }
}

#[test]
fn a_device_name_keeps_its_maker_and_a_number_beside_a_type_code_keeps_nothing() {
    let name = [b"LGZ".as_slice(), &[0x10, 0x30, 0x78, 0x41, 0x04]].concat();
    let name = [&[9, u8::try_from(name.len()).unwrap()], &name[..]].concat();
    let items = [
        sequence(2, &[obis([0, 0, 96, 1, 1]), u32v(0x7F00_0000)]),
        sequence(2, &[obis([0, 0, 96, 1, 0]), visible(SECRET)]),
        sequence(2, &[obis([0, 0, 42, 0, 0]), name]),
        item([1, 0, 1, 7, 0], u32v(100), 0, 27),
    ];
    let bytes = hdlc(&KAMSTRUP, &notification(&[0], &sequence(1, &items)));
    hides(
        "both",
        &bytes,
        &[SECRET.as_bytes(), &[0x10, 0x30, 0x78, 0x41, 0x04]],
    );
    let masked = captured(&Options::default(), &bytes)[0].1.clone().unwrap();
    assert!(holds(&masked, b"LGZ\0\0\0\0\0"));
}

/// Real telegrams, where the folder with them is at hand: see the tests of the captures.
#[test]
fn every_capture_can_be_made_anonymous() {
    let folder = env::var_os("HEADROOM_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/telegrams"),
        Into::into,
    );
    let Ok(index) = fs::read(folder.join("index.json")) else {
        assert_ne!(env::var("HEADROOM_REQUIRE_CORPUS").as_deref(), Ok("1"));
        println!("skipped: no telegrams in {}", folder.display());
        return;
    };
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let mut count = 0;
    for entry in index.as_array().unwrap() {
        let name = entry["file"].as_str().unwrap();
        let raw = fs::read(folder.join(name)).unwrap();
        let bytes = if Path::new(name)
            .extension()
            .is_some_and(|kind| kind == "hex")
        {
            let digits: Vec<u32> = raw
                .iter()
                .filter_map(|c| char::from(*c).to_digit(16))
                .collect();
            digits
                .chunks_exact(2)
                .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
                .collect()
        } else {
            raw
        };
        let given = |field: &str| entry[field].as_str().map(key);
        for (telegram, masked) in captured(&options(given("key"), given("auth_key")), &bytes) {
            let masked = masked.unwrap_or_else(|| panic!("{name}: not masked"));
            let again = decode(&public(), &masked);
            assert_eq!(again.len(), 1, "{name}: {masked:02X?}");
            assert_eq!(values(&again[0]), values(&telegram), "{name}");
            if let Some(id) = telegram
                .meter_id
                .filter(|id| id.bytes().any(|byte| byte != b'0'))
            {
                assert!(!holds(&masked, id.as_bytes()), "{name}: {id}");
                assert_ne!(again[0].meter_id.as_deref(), Some(id.as_str()), "{name}");
            }
            count += 1;
        }
    }
    println!("{count} captured telegrams made anonymous");
}
