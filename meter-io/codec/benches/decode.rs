//! How fast bytes become telegrams.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use divan::{Bencher, counter::BytesCount};
use headroom_codec::{Decoder, Options, Protocol};
use headroom_encode as encode;

fn main() {
    divan::main();
}

fn decode(bencher: Bencher<'_, '_>, telegram: &[u8], protocol: Option<Protocol>) {
    let stream = telegram.repeat(64);
    let options = Options {
        protocol,
        key: encode::KEY.parse().ok(),
        auth_key: encode::AUTH_KEY.parse().ok(),
    };
    let mut decoder = Decoder::new(&options);
    assert_eq!(decoder.push(&stream).len(), 64);
    bencher
        .counter(BytesCount::of_slice(&stream))
        .bench_local(|| decoder.push(&stream));
}

const P1: &str = "HRM5\\BENCH
    1-3:0.2.8(50)
    0-0:1.0.0(260115120010W)
    0-0:96.1.1(48454144524F4F4D31)
    1-0:1.8.1(000100.001*kWh)
    1-0:1.8.2(000200.002*kWh)
    1-0:1.7.0(02.870*kW)
    1-0:2.7.0(00.000*kW)
    1-0:32.7.0(230.4*V)
    1-0:52.7.0(231.4*V)
    1-0:72.7.0(229.4*V)
    1-0:31.7.0(004*A)
    1-0:51.7.0(007*A)
    1-0:71.7.0(001*A)";

#[divan::bench]
fn p1_detected(bencher: Bencher<'_, '_>) {
    decode(bencher, &encode::p1(P1), None);
}

#[divan::bench]
fn p1_named(bencher: Bencher<'_, '_>) {
    decode(bencher, &encode::p1(P1), Some(Protocol::P1));
}

#[divan::bench]
fn hdlc_detected(bencher: Bencher<'_, '_>) {
    decode(bencher, &encode::aidon_list_2(2077, 46, 61), None);
}

#[divan::bench]
fn hdlc_ciphered(bencher: Bencher<'_, '_>) {
    let apdu = encode::cipher(
        &encode::kamstrup_apdu(3),
        0x30,
        *b"HRM\x10\x20\x30\x40\x50",
        1,
    );
    decode(bencher, &encode::hdlc(&encode::KAMSTRUP, &apdu), None);
}

#[divan::bench]
fn noise(bencher: Bencher<'_, '_>) {
    let noise: Vec<u8> = (0..65_536_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let mut decoder = Decoder::new(&Options::default());
    bencher
        .counter(BytesCount::of_slice(&noise))
        .bench_local(|| decoder.push(&noise));
}
