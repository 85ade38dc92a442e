//! How fast bytes become telegrams, beside the crates `dsmr5` and `sml-rs` on the same bytes.
//!
//! First divan's table, by family: MB/s of streams, and allocations of one telegram. Then a summary that says who is
//! ahead. It is printed, not asserted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking"
)]

mod corpus;
mod others;
mod summary;

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};
use headroom_codec::{Decoder, Item, Options, Protocol};
use headroom_encode as encode;

/// Its bookkeeping costs those who allocate a little: in the comparison that is Headroom.
#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
    if !std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        summary::print();
    }
}

fn options(protocol: Option<Protocol>) -> Options {
    Options {
        protocol,
        key: encode::KEY.parse().ok(),
        auth_key: encode::AUTH_KEY.parse().ok(),
        capture: true,
        ..Options::default()
    }
}

/// How many telegrams `stream` holds. What they say is read by then.
fn telegrams(decoder: &mut Decoder, stream: &[u8]) -> usize {
    let mut found = 0;
    decoder.push_raw(stream, |item, _| {
        if let Item::Telegram(telegram) = item {
            black_box(&telegram);
            found += 1;
        }
    });
    found
}

/// Detected, or named.
const MODES: [&str; 2] = ["detected", "named"];

fn stream(bencher: Bencher<'_, '_>, telegram: &[u8], protocol: Protocol, mode: &str) {
    let stream = telegram.repeat(corpus::REPEATS);
    let mut decoder = Decoder::new(&options((mode == "named").then_some(protocol)));
    assert_eq!(telegrams(&mut decoder, &stream), corpus::REPEATS);
    bencher
        .counter(BytesCount::of_slice(&stream))
        .bench_local(|| telegrams(&mut decoder, &stream));
}

#[divan::bench(args = MODES)]
fn p1(bencher: Bencher<'_, '_>, mode: &str) {
    stream(bencher, &encode::p1(corpus::P1), Protocol::P1, mode);
}

#[divan::bench(args = MODES)]
fn hdlc(bencher: Bencher<'_, '_>, mode: &str) {
    stream(bencher, &corpus::hdlc(), Protocol::Hdlc, mode);
}

#[divan::bench(args = MODES)]
fn mbus(bencher: Bencher<'_, '_>, mode: &str) {
    stream(bencher, &corpus::mbus(), Protocol::Mbus, mode);
}

#[divan::bench(args = MODES)]
fn sml(bencher: Bencher<'_, '_>, mode: &str) {
    stream(bencher, &corpus::sml(), Protocol::Sml, mode);
}

#[divan::bench(args = MODES)]
fn tic(bencher: Bencher<'_, '_>, mode: &str) {
    stream(bencher, &corpus::tic(), Protocol::Tic, mode);
}

/// Ciphered telegrams, each with the next frame counter: a meter's counter never stands still.
fn ciphered_stream(
    bencher: Bencher<'_, '_>,
    protocol: Protocol,
    mode: &str,
    telegram: fn(u32) -> Vec<u8>,
) {
    let stream: Vec<u8> = (1..=64).flat_map(telegram).collect();
    let options = options((mode == "named").then_some(protocol));
    bencher
        .counter(BytesCount::of_slice(&stream))
        .with_inputs(|| Decoder::new(&options))
        .bench_local_values(|mut decoder| {
            assert_eq!(telegrams(&mut decoder, &stream), 64);
            decoder
        });
}

#[divan::bench(args = MODES)]
fn p1_ciphered(bencher: Bencher<'_, '_>, mode: &str) {
    ciphered_stream(bencher, Protocol::P1, mode, corpus::p1_ciphered);
}

#[divan::bench(args = MODES)]
fn hdlc_ciphered(bencher: Bencher<'_, '_>, mode: &str) {
    ciphered_stream(bencher, Protocol::Hdlc, mode, corpus::hdlc_ciphered);
}

#[divan::bench]
fn noise(bencher: Bencher<'_, '_>) {
    let noise = corpus::noise();
    let mut decoder = Decoder::new(&Options::default());
    bencher
        .counter(BytesCount::of_slice(&noise))
        .bench_local(|| telegrams(&mut decoder, &noise));
}

/// What one telegram allocates: see divan's columns.
mod allocations {
    use super::{Bencher, Decoder, corpus, encode, options, others, telegrams};

    fn one(bencher: Bencher<'_, '_>, telegram: &[u8]) {
        let mut decoder = Decoder::new(&options(None));
        telegrams(&mut decoder, telegram);
        bencher.bench_local(|| telegrams(&mut decoder, telegram));
    }

    #[divan::bench]
    fn p1(bencher: Bencher<'_, '_>) {
        one(bencher, &encode::p1(corpus::P1));
    }

    #[divan::bench]
    fn p1_by_dsmr5(bencher: Bencher<'_, '_>) {
        let telegram = encode::p1(corpus::P1);
        bencher.bench_local(|| others::dsmr5(&telegram));
    }

    #[divan::bench]
    fn hdlc(bencher: Bencher<'_, '_>) {
        one(bencher, &corpus::hdlc());
    }

    #[divan::bench]
    fn mbus(bencher: Bencher<'_, '_>) {
        one(bencher, &corpus::mbus());
    }

    #[divan::bench]
    fn sml(bencher: Bencher<'_, '_>) {
        one(bencher, &corpus::sml());
    }

    #[divan::bench]
    fn sml_by_sml_rs_complete(bencher: Bencher<'_, '_>) {
        let telegram = corpus::sml();
        bencher.bench_local(|| others::sml_complete(&telegram));
    }

    #[divan::bench]
    fn sml_by_sml_rs_streaming(bencher: Bencher<'_, '_>) {
        let telegram = corpus::sml();
        bencher.bench_local(|| others::sml_streaming(&telegram));
    }

    #[divan::bench]
    fn tic(bencher: Bencher<'_, '_>) {
        one(bencher, &corpus::tic());
    }
}
