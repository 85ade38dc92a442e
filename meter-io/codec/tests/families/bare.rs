//! Messages without a frame.

use super::*;

fn message(power: u32) -> Vec<u8> {
    let items = [item([1, 0, 1, 7, 0], u32v(power), 0, 27)];
    [&LLC[..], &notification(&[0], &sequence(1, &items))].concat()
}

fn powers(telegrams: &[Telegram]) -> Vec<i64> {
    telegrams
        .iter()
        .map(|telegram| telegram.import_mw.unwrap() / 1000)
        .collect()
}

#[test]
fn one_message_alone_is_read_when_the_stream_ends() {
    let telegram = only(&message(1696));
    assert_eq!(telegram.protocol, Protocol::Hdlc);
    assert_eq!(
        (telegram.import_mw, telegram.list),
        (Some(1_696_000), Some(1))
    );
    let sealed = [&LLC[..], &cipher(&kamstrup_apdu(3), 0x30, TITLE, 5)].concat();
    let telegram = only(&sealed);
    assert!(telegram.encrypted && telegram.authenticated);
    assert_eq!(
        outcomes(items(&Options::default(), &sealed)),
        [Some(Reason::NeedsKey)]
    );
}

#[test]
fn messages_in_a_row_are_read_at_once_after_the_second() {
    let mut decoder = Decoder::new(&keys());
    assert!(decoder.push(&message(1)).is_empty(), "not yet proven");
    assert_eq!(decoder.push(&message(2)).len(), 2);
    for power in 3..9 {
        assert_eq!(decoder.push(&message(power)).len(), 1, "{power}");
    }
    let sealed = [&LLC[..], &cipher(&kamstrup_apdu(3), 0x30, TITLE, 5)].concat();
    assert_eq!(outcomes(decoder.push(&sealed)), [None]);
    assert_eq!(outcomes(decoder.push(&sealed)), [Some(Reason::Replayed)]);
    decoder.finish();
    assert_eq!(decoder.unexplained(), 0);
    let row: Vec<u8> = (1..9).flat_map(message).collect();
    for size in 1..=7 {
        let mut decoder = Decoder::new(&keys());
        let mut found = Vec::new();
        for chunk in row.chunks(size) {
            found.extend(decoder.push(chunk));
        }
        found.extend(decoder.finish());
        assert_eq!(found.len(), 8, "in chunks of {size}");
    }
}

#[test]
fn noise_before_and_between_costs_the_proof_only() {
    let mut stream = vec![0x55; 100];
    stream.extend((1..4).flat_map(message));
    stream.extend([0xE6, 0xE7, 0x00, 0x0F, 0x33]);
    stream.extend((4..8).flat_map(message));
    stream.extend([0x55; 3]);
    stream.extend(message(8));
    assert_eq!(
        powers(&telegrams(&stream)),
        [2, 3, 5, 6, 7],
        "the first one behind noise is not given"
    );
}

#[test]
fn nothing_is_taken_out_of_an_hdlc_frame() {
    for frame in [kamstrup_list(3), aidon_list_1(5), aidon_list_2(1, 2, 3)] {
        let start = frame.windows(3).position(|three| three == LLC).unwrap();
        let body = frame.len() - 3 - start;
        let whole = only(&frame);
        for end in start + body..frame.len() {
            // From any byte on, up to any byte behind the message, damaged before or behind it.
            for begin in 0..start {
                for damage in [0, 4, frame.len() - 2] {
                    let mut part = frame.clone();
                    part[damage] ^= 0x5A;
                    let part = &part[begin..end];
                    assert!(telegrams(part).is_empty(), "{begin}..{end}");
                    let stream = [part, &frame].concat();
                    assert_eq!(telegrams(&stream), std::slice::from_ref(&whole));
                }
            }
        }
    }
}

#[test]
fn bare_messages_that_nobody_knows_do_not_take_a_frame_that_waits() {
    let frame = hdlc(&AIDON, message(1).strip_prefix(&LLC).unwrap());
    let items = [item([1, 0, 99, 99, 99], u32v(1), 0, 27)];
    let unknown = [&LLC[..], &notification(&[0], &sequence(1, &items))].concat();
    let mut outer = hdlc(&AIDON, &[&frame[..], &unknown.repeat(4)].concat());
    // A header that is right and content that is not: the frame inside is found when the outer one has ended.
    let checksum = outer.len() - 2;
    outer[checksum] ^= 1;
    for size in [1, 7, outer.len()] {
        let mut decoder = Decoder::new(&keys());
        let mut found = Vec::new();
        for chunk in outer.chunks(size) {
            found.extend(decoder.push(chunk));
        }
        found.extend(decoder.finish());
        let read = found.iter().filter_map(|item| match item {
            Item::Telegram(telegram) => telegram.import_mw,
            Item::Rejected(_) => None,
        });
        assert_eq!(
            read.collect::<Vec<_>>(),
            [1000],
            "in chunks of {size}: {found:?}"
        );
    }
}

#[test]
fn a_cut_frame_before_another_makers_frame_is_no_message() {
    // The header of the second frame completes the values of the first, and its LLC header follows.
    let second = kaifa_list_2(228, [953, 44, 931]);
    let whole = only(&second);
    for first in [aidon_list_1(1696), aidon_list_2(1, 2, 3), kamstrup_list(3)] {
        for cut in 0..first.len() - 1 {
            let stream = [&first[..cut], &second].concat();
            for found in telegrams(&stream) {
                assert_eq!(found, whole, "cut at {cut}");
            }
            // The stream ends before the checksum of the second.
            let ended = &stream[..stream.len() - 3];
            assert!(telegrams(ended).is_empty(), "cut at {cut} and ended");
        }
    }
}

#[test]
fn an_unreadable_message_is_none() {
    let mut broken = message(5);
    let end = broken.len() - 1;
    for at in 3..=end {
        let mut bytes = message(5);
        bytes[at] = 0x99;
        for found in telegrams(&bytes) {
            assert!(!found.is_empty(), "byte {at}");
        }
    }
    broken.push(0);
    assert!(telegrams(&broken).is_empty(), "a byte too many");
    assert!(telegrams(&message(5)[..end]).is_empty(), "a byte too few");
    let unknown = [
        &LLC[..],
        &notification(&[0], &structure(&[u16v(1), u16v(2)])),
    ]
    .concat();
    assert_eq!(outcomes(items(&keys(), &unknown)), [Some(Reason::Unknown)]);
}
