//! HDLC, block transfer and M-Bus: addresses, segments, gaps, checksums.

use super::*;

fn header(dst: &[u8], src: &[u8]) -> Vec<u8> {
    [dst, src, &[0x13]].concat()
}

#[test]
fn hdlc_addresses_have_one_two_or_four_bytes() {
    let whole = only(&kamstrup_list(3));
    let addresses: [&[u8]; 4] = [
        &[0x41],
        &[0xCE, 0xFF],
        &[0x02, 0x22, 0x44, 0x67],
        // Three bytes do not occur, and harm nothing.
        &[0x02, 0x22, 0x45],
    ];
    for dst in addresses {
        for src in addresses {
            assert_eq!(only(&hdlc(&header(dst, src), &kamstrup_apdu(3))), whole);
        }
    }
    let endless = header(&[0x02, 0x22, 0x44, 0x66, 0x68, 0x69], &[0x03]);
    assert!(telegrams(&hdlc(&endless, &kamstrup_apdu(3))).is_empty());
}

#[test]
fn hdlc_flags_may_be_shared_or_many() {
    let frame = kamstrup_list(3);
    let whole = only(&frame);
    let open = &frame[..frame.len() - 1];
    let shared = [open, open, &frame].concat();
    assert_eq!(telegrams(&shared), vec![whole.clone(); 3]);
    let many = [&[0x7E; 5][..], &frame, &[0x7E; 3], &frame, &[0x7E; 9]].concat();
    assert_eq!(telegrams(&many), vec![whole; 2]);
}

#[test]
fn both_hdlc_checksums_are_enforced() {
    let frame = kamstrup_list(3);
    for at in 0..frame.len() {
        let mut damaged = frame.clone();
        damaged[at] ^= 0x10;
        assert!(telegrams(&damaged).is_empty(), "byte {at}");
    }
    // A header that was changed and given a new FCS, but no new HCS.
    let mut forged = frame.clone();
    forged[3] ^= 0x10;
    let end = forged.len() - 3;
    let sum = x25(&forged[1..end]).to_le_bytes();
    forged[end..end + 2].copy_from_slice(&sum);
    assert_eq!(
        outcomes(items(&keys(), &forged)),
        [Some(Reason::Checksum)],
        "the FCS alone is not enough"
    );
}

#[test]
fn an_hdlc_frame_without_information_is_passed() {
    let mut empty = vec![0x7E, 0xA0, 0x07, 0x41, 0x03, 0x73];
    let sum = x25(&empty[1..]).to_le_bytes();
    empty.extend(sum);
    empty.push(0x7E);
    let mut decoder = Decoder::new(&keys());
    assert!(decoder.push(&empty).is_empty());
    assert_eq!(decoder.push(&kamstrup_list(3)).len(), 1);
    decoder.finish();
    assert_eq!(decoder.unexplained(), 0);
}

/// Frames of one message, and the message.
fn segmented() -> (Vec<Vec<u8>>, Telegram) {
    let parts = segments(&kamstrup_apdu(3), 60);
    assert!(parts.len() >= 3);
    let whole = only(&parts.concat());
    (parts, whole)
}

#[test]
fn a_lost_hdlc_segment_loses_its_message_only() {
    let (parts, whole) = segmented();
    for lost in 0..parts.len() {
        let mut left = parts.clone();
        left.remove(lost);
        let stream = [left.concat(), parts.concat()].concat();
        let found = items(&keys(), &stream);
        assert!(
            matches!(found.last(), Some(Item::Telegram(telegram)) if *telegram == whole),
            "segment {lost}: {found:?}"
        );
        assert_eq!(telegrams(&stream).len(), 1, "segment {lost}");
    }
    let tail = parts[1..].concat();
    assert!(outcomes(items(&keys(), &tail)).contains(&Some(Reason::Gap)));
}

#[test]
fn segments_of_two_messages_never_make_one() {
    let apdu = |power: u32| {
        let mut apdu = kamstrup_apdu(3);
        let at = apdu
            .windows(4)
            .position(|four| four == 1468_u32.to_be_bytes());
        let at = at.unwrap();
        apdu[at..at + 4].copy_from_slice(&power.to_be_bytes());
        apdu
    };
    let noise = [0x55; 40];
    let (first, second) = (segments(&apdu(1), 60), segments(&apdu(2), 60));
    let mut mixed = first[0].clone();
    mixed.extend(noise);
    mixed.extend(second[1..].concat());
    assert!(telegrams(&mixed).is_empty(), "hdlc");
    let frames = |power| -> Vec<Vec<u8>> {
        let bytes = mbus(&apdu(power), 120);
        let cut = bytes
            .windows(2)
            .rposition(|pair| pair == [0x53, 0xFF])
            .unwrap()
            - 4;
        vec![bytes[..cut].to_vec(), bytes[cut..].to_vec()]
    };
    let whole = frames(1).concat();
    assert_eq!(telegrams(&whole).len(), 1);
    let mixed = [&frames(1)[0][..], &noise, &frames(2)[1]].concat();
    assert!(telegrams(&mixed).is_empty(), "mbus");
    // A glitch of the bus is not a lost frame.
    let glitch = [&frames(1)[0][..], &[0x00], &frames(1)[1]].concat();
    assert_eq!(telegrams(&glitch).len(), 1);
    for size in 1..5 {
        let mut decoder = Decoder::new(&keys());
        for part in mixed.chunks(size) {
            let found = outcomes(decoder.push(part));
            assert!(!found.contains(&None), "in chunks of {size}");
        }
    }
}

#[test]
fn blocks_count_from_one_without_a_gap() {
    let parts = blocks(&kamstrup_apdu(3), 80);
    assert_eq!(parts.len(), 3);
    let whole = only(&parts.concat());
    for lost in 0..3 {
        let mut left = parts.clone();
        left.remove(lost);
        let stream = [left.concat(), parts.concat()].concat();
        assert_eq!(telegrams(&stream), std::slice::from_ref(&whole), "{lost}");
    }
    let swapped = [&parts[0][..], &parts[2], &parts[1]].concat();
    assert!(telegrams(&swapped).is_empty());
    assert_eq!(
        outcomes(items(&keys(), &swapped)),
        [Some(Reason::Gap), Some(Reason::Gap)]
    );
}

#[test]
fn the_window_of_a_block_does_not_matter() {
    let whole = only(&blocks(&kamstrup_apdu(3), 80).concat());
    for window in [0x00, 0x01, 0x3F] {
        let apdu = kamstrup_apdu(3);
        let block = |number: u8, data: &[u8]| {
            let last = if number == 3 { 0x80 } else { 0 };
            let head = [0xE0, last | 0x40 | window, 0, number, 0, 0];
            let length = u8::try_from(data.len()).unwrap();
            [&head[..], &[0x81, length], data].concat()
        };
        let parts = [
            hdlc(&[0xCE, 0xFF, 0x03, 0x13], &block(1, &apdu[..80])),
            hdlc_segment(&[0xCE, 0xFF, 0x03, 0x13], &block(2, &apdu[80..160]), false),
            hdlc_segment(&[0xCE, 0xFF, 0x03, 0x13], &block(3, &apdu[160..]), false),
        ];
        assert_eq!(only(&parts.concat()), whole, "window {window}");
    }
}

fn mbus_frame(control: u8, info: u8, data: &[u8]) -> Vec<u8> {
    let content = [&[control, 0xFF, info, 0x01, 0x67], data].concat();
    let length = u8::try_from(content.len() & 0xFF).unwrap();
    let sum = content
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [&[0x68, length, length, 0x68], &content[..], &[sum, 0x16]].concat()
}

#[test]
fn mbus_segments_count_from_zero_with_either_control_byte() {
    let apdu = cipher(&kamstrup_apdu(3), 0x20, TITLE, 1);
    let (first, second) = apdu.split_at(200);
    for control in [0x53, 0x73] {
        let head = mbus_frame(control, 0x00, first);
        let tail = mbus_frame(control, 0x11, second);
        assert_eq!(telegrams(&[&head[..], &tail].concat()).len(), 1);
        assert!(telegrams(&tail).is_empty());
        let again = mbus_frame(control, 0x10, second);
        assert!(
            telegrams(&[&head[..], &again].concat()).is_empty(),
            "not counted on"
        );
        let skipped = mbus_frame(control, 0x12, second);
        assert!(
            telegrams(&[&head[..], &skipped].concat()).is_empty(),
            "one is missing"
        );
    }
    let other = [
        mbus_frame(0x08, 0x00, first),
        mbus_frame(0x08, 0x11, second),
    ]
    .concat();
    assert!(telegrams(&other).is_empty(), "another kind of frame");
}

#[test]
fn an_mbus_length_of_257_in_one_byte_is_read_over_two_telegrams() {
    let list = [kamstrup_apdu(3), Vec::new()].concat();
    // Long enough for 252 bytes in the first telegram.
    let items: Vec<Vec<u8>> = (0..12)
        .flat_map(|_| [obis([1, 0, 32, 7, 0]), u16v(230)])
        .chain([
            obis([1, 0, 31, 7, 0]),
            u16v(420),
            obis([1, 0, 1, 7, 0]),
            u32v(966),
        ])
        .chain([visible(&"0".repeat(90))])
        .collect();
    let apdu = cipher(&notification(&[0], &structure(&items)), 0x20, TITLE, 1);
    assert!(apdu.len() > 252 && list.len() < 252);
    let (first, second) = apdu.split_at(252);
    let bytes = [
        mbus_frame(0x53, 0x00, first),
        mbus_frame(0x53, 0x11, second),
    ]
    .concat();
    assert_eq!(bytes[1..3], [1, 1]);
    let telegram = only(&bytes);
    assert_eq!(currents(&telegram), [Some(4200), None, None]);
    assert_eq!(telegram.import_mw, Some(966_000));
}

#[test]
fn an_ascii_telegram_may_stand_inside_dlms_frames() {
    let clear = only(&p1(LINES));
    let sealed = cipher(&p1(LINES), 0x30, TITLE, 1);
    for (bytes, encrypted) in [
        (hdlc(&KAMSTRUP, &p1(LINES)), false),
        (hdlc(&KAMSTRUP, &sealed), true),
        (mbus(&p1(LINES), 100), false),
        (mbus(&cipher(&p1(LINES), 0x20, TITLE, 1), 100), true),
        (blocks(&sealed, 100).concat(), true),
    ] {
        let telegram = only(&bytes);
        assert_ne!(telegram.protocol, Protocol::P1);
        assert_eq!(telegram.encrypted, encrypted);
        assert_eq!(
            (telegram.phases, &telegram.meter_id),
            (clear.phases, &clear.meter_id)
        );
    }
    let mut broken = p1(LINES);
    broken[40] ^= 1;
    assert!(
        telegrams(&hdlc(&KAMSTRUP, &broken)).is_empty(),
        "its own checksum counts"
    );
}

#[test]
fn a_ciphered_body_behind_a_clear_line_is_recognised() {
    let body = cipher(&p1(LINES), 0x30, TITLE, 1);
    // Without tag and title.
    let body = [&[0x00], &body[10..]].concat();
    let telegram = [b"/EGM5G35\r\n\r\n".as_slice(), &body, b"!1A2B\r\n"].concat();
    let none = Options::default();
    assert_eq!(outcomes(items(&none, &telegram)), [Some(Reason::NeedsKey)]);
    assert_eq!(
        outcomes(items(&keys(), &telegram)),
        [Some(Reason::Unknown)],
        "its nonce is not known"
    );
    // What follows is read.
    let stream = [&telegram[..], &p1(LINES)].concat();
    assert_eq!(
        outcomes(items(&none, &stream)),
        [Some(Reason::NeedsKey), None]
    );
}
