//! The memory of one stream is bounded, whatever comes: measured by counting what is allocated.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use headroom_codec::{Decoder, Options};
use headroom_encode::{
    AIDON, AUTH_KEY, KAMSTRUP, KEY, TITLE, arc, cipher, families, hdlc_segment, p1_body, seven_even,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What a stream may hold at any moment, what it gives included.
const MOST: usize = 32 * 1024;
/// Bytes of each hostile stream: several times what a decoder holds.
const LENGTH: usize = 64 * 1024;

/// A block of a general block transfer that never is the last one.
fn block(number: u16, data: &[u8]) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let length = u8::try_from(data.len()).unwrap();
    let block = [&[0xE0, 0x40, high, low, 0, 0, length][..], data].concat();
    hdlc_segment(&KAMSTRUP, &block, false)
}

fn mbus_segment(number: u8, data: &[u8]) -> Vec<u8> {
    let content = [&[0x53, 0xFF, number & 0x0F, 0x01, 0x67], data].concat();
    let length = u8::try_from(content.len()).unwrap();
    let sum = content
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [&[0x68, length, length, 0x68], &content[..], &[sum, 0x16]].concat()
}

/// A ciphered APDU that announces `length` bytes and never ends.
fn ciphered_head(length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [&[0xDB, 8][..], &TITLE, &[0x82, high, low, 0x30, 0, 0, 0, 1]].concat()
}

/// A valid telegram of P1 with so many bytes of texts.
fn long_p1(texts: usize) -> Vec<u8> {
    let line = format!("0-0:96.13.0({})\n", "3F".repeat(500));
    let text = p1_body(&format!(
        "HRM5\\LONG\n1-0:1.7.0(01.000*kW)\n{}",
        line.repeat(texts)
    ));
    let crc = arc(&text);
    [text, format!("{crc:04X}\r\n").into_bytes()].concat()
}

/// What waits for its end in every family at once: segments, blocks and M-Bus segments, each as long as may be.
fn all_waiting() -> Vec<u8> {
    let mut stream = Vec::new();
    for number in 1..20 {
        stream.extend(block(number, &[0x30; 200]));
    }
    for number in 0..15 {
        stream.extend(mbus_segment(number, &[0x30; 240]));
    }
    let segment = [&[0xE6, 0xE7, 0x00][..], &[0x30; 1900]].concat();
    stream.extend(hdlc_segment(&AIDON, &segment, true));
    stream.extend(hdlc_segment(&AIDON, &[0x30; 2000], true));
    stream
}

fn noise() -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut bytes = Vec::new();
    while bytes.len() < LENGTH {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_be_bytes());
    }
    bytes
}

/// The parts again and again, up to the length.
fn endless(start: &[u8], part: &[u8]) -> Vec<u8> {
    let mut stream = start.to_vec();
    while stream.len() < LENGTH {
        stream.extend(part);
    }
    stream
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let segment = hdlc_segment(&AIDON, &[0x30; 2000], true);
    let blocks: Vec<u8> = (1..1000)
        .flat_map(|number| block(number, &[0; 127]))
        .collect();
    let mbus: Vec<u8> = (0..16)
        .flat_map(|number| mbus_segment(number, &[0; 240]))
        .collect();
    let escapes = [0x1B, 0x1B, 0x1B, 0x1B, 0x1B, 0x1B, 0x1B, 0x1B];
    let sml = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1, 0x76];
    let p1 = b"/HRM5\\ENDLESS\r\n\r\n";
    vec![
        ("noise", noise()),
        ("p1 without end", endless(p1, b"0-0:96.13.0(3F3F)\r\n")),
        ("p1 in one line", endless(p1, b"0")),
        ("p1 of line feeds", endless(p1, b"\n")),
        ("p1 starts", endless(p1, p1)),
        ("p1 of the greatest length", endless(&[], &long_p1(15))),
        (
            "p1 7e1 without end",
            endless(&seven_even(p1), &seven_even(b"0-0:1.0.0(1)\r\n")),
        ),
        (
            "p1 7e1 of great length",
            endless(&[], &seven_even(&long_p1(11))),
        ),
        (
            "p1 ciphered, never ending",
            endless(&ciphered_head(u16::MAX), b"x"),
        ),
        ("p1 ciphered heads", ciphered_head(12_000).repeat(800)),
        (
            "p1 ciphered of great length",
            endless(&[], &cipher(&long_p1(11), 0x30, TITLE, 1)),
        ),
        ("hdlc segments without end", endless(&[], &segment)),
        (
            "hdlc heads",
            endless(&[], &[0x7E, 0xA7, 0xFF, 0x41, 0x08, 0x83, 0x13]),
        ),
        ("hdlc flags", endless(&[], &[0x7E])),
        ("hdlc blocks without end", endless(&blocks, &blocks)),
        ("mbus segments without end", endless(&[], &mbus)),
        ("mbus heads", endless(&[], &[0x68, 0xFA, 0xFA, 0x68, 0x53])),
        ("sml without end", endless(&sml, &[0x77, 1, 1, 1])),
        ("sml of escapes", endless(&sml[..8], &escapes)),
        ("sml starts", endless(&[], &sml)),
        ("tic without end", endless(b"\x02\nADCO", b"\nBASE 000 X\r")),
        ("tic starts", endless(&[], b"\x02\nADCO 01")),
        (
            "all waiting, then p1",
            endless(&all_waiting(), &long_p1(15)),
        ),
        (
            "all waiting, then p1 7e1",
            endless(&all_waiting(), &seven_even(&long_p1(11))),
        ),
        (
            "all waiting, then p1 ciphered",
            endless(&all_waiting(), &cipher(&long_p1(11), 0x30, TITLE, 1)),
        ),
        (
            "all waiting, then p1 ciphered with a wrong tag",
            endless(
                &all_waiting(),
                &[&ciphered_head(12_000)[..], &[b'x'; 12_000]].concat(),
            ),
        ),
        ("all waiting, again and again", endless(&[], &all_waiting())),
        (
            "every family",
            endless(
                &[],
                &families()
                    .iter()
                    .flat_map(|family| family.encode(&family.carries.values(&[Some(12_345_678)])))
                    .collect::<Vec<u8>>(),
            ),
        ),
    ]
}

#[test]
fn a_stream_holds_32_kib_at_most_whatever_comes() {
    let mut over = Vec::new();
    for (name, stream) in hostile() {
        let mut most = 0;
        for size in [7, 250, stream.len()] {
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            let mut decoder = Decoder::new(&Options {
                key: KEY.parse().ok(),
                auth_key: AUTH_KEY.parse().ok(),
                capture: true,
                ..Options::default()
            });
            for chunk in stream.chunks(size) {
                decoder.push_raw(chunk, |_, _| {});
            }
            drop(decoder.finish());
            most = most.max(HEAP.peak_usage() - before);
        }
        println!("{most:>6} bytes  {name}");
        if most > MOST {
            over.push(format!("{name}: {most} bytes"));
        }
    }
    assert!(over.is_empty(), "over {MOST} bytes: {over:?}");
}
