//! A silent line ends what was half said: frames of two pushes are never joined.

use super::*;

/// The frames of one push in each way that a message is cut into frames.
fn ways(power: u32) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let mut apdu = kamstrup_apdu(3);
    let at = apdu
        .windows(4)
        .position(|four| four == 1468_u32.to_be_bytes())
        .unwrap();
    apdu[at..at + 4].copy_from_slice(&power.to_be_bytes());
    let cut = |bytes: Vec<u8>, head: [u8; 2]| {
        let second = bytes.windows(2).rposition(|pair| pair == head).unwrap();
        vec![bytes[..second - 4].to_vec(), bytes[second - 4..].to_vec()]
    };
    vec![
        ("segments", segments(&apdu, 120)),
        ("blocks", blocks(&apdu, 120)),
        ("m-bus", cut(mbus(&apdu, 120), [0x53, 0xFF])),
    ]
}

#[test]
fn frames_of_two_pushes_are_never_joined_over_a_pause() {
    for ((name, first), (_, second)) in ways(1).into_iter().zip(ways(2)) {
        assert_eq!(first.len(), 2, "{name}");
        let mut decoder = Decoder::new(&keys());
        decoder.push(&first[0]);
        decoder.pause();
        let found = outcomes(decoder.push(&second[1]));
        assert_eq!(found, [Some(Reason::Gap)], "{name}");
        // What comes next is read whole, and what a capture holds of it is its own.
        let mut held = Vec::new();
        let mut found = Vec::new();
        for part in &second {
            decoder.push_raw(part, |item, raw| {
                held.extend_from_slice(raw);
                found.push(item);
            });
        }
        assert_eq!(outcomes(found), [None], "{name}");
        let without_flags = |bytes: &[u8]| -> Vec<u8> {
            bytes.iter().copied().filter(|byte| *byte != 0x7E).collect()
        };
        assert_eq!(
            without_flags(&held),
            without_flags(&second.concat()),
            "{name}"
        );
    }
}

#[test]
fn a_pause_keeps_the_bytes_of_a_frame() {
    let streams = [
        kamstrup_list(3),
        p1(LINES),
        mbus(&kamstrup_apdu(3), 250),
        tic(
            false,
            &[("ADCO", None, "012345678910"), ("IINST", None, "012")],
        ),
        cipher(&p1(LINES), 0x30, TITLE, 1),
    ];
    for bytes in streams {
        for cut in 1..bytes.len() {
            let mut decoder = Decoder::new(&keys());
            let mut found = decoder.push(&bytes[..cut]);
            decoder.pause();
            found.extend(decoder.push(&bytes[cut..]));
            found.extend(decoder.finish());
            assert_eq!(outcomes(found), [None], "{bytes:02X?} at {cut}");
        }
    }
}

#[test]
fn a_row_of_bare_messages_goes_on_over_pauses() {
    let message = [&LLC[..], &kamstrup_apdu(3)].concat();
    let mut decoder = Decoder::new(&keys());
    let mut found = Vec::new();
    for _ in 0..4 {
        found.extend(decoder.push(&message));
        decoder.pause();
    }
    assert_eq!(outcomes(found), [None; 4]);
}

#[test]
fn a_gap_in_segments_ends_the_blocks_that_they_carry() {
    let apdu = kamstrup_apdu(3);
    let parts = blocks(&apdu, 120);
    // A segment of nothing known between the two blocks.
    let stray = hdlc_segment(&[0xCF, 0x02, 0x23, 0x03], &[0x55; 20], false);
    let stream = [&parts[0][..], &stray, &parts[1]].concat();
    assert!(telegrams(&stream).is_empty());
}
