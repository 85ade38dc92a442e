//! Who is ahead, in one line for each set of bytes.

use crate::{corpus, options, others, telegrams};
use headroom_codec::{Decoder, Protocol};
use headroom_encode as encode;
use std::time::{Duration, Instant};

/// How long each contender runs.
const RUN: Duration = Duration::from_millis(300);

pub(crate) fn print() {
    println!(
        "\nThe same bytes, checksums verified, every object that each knows read into a number:"
    );
    let own = corpus::p1_common().repeat(corpus::REPEATS);
    let name = "P1, own telegrams of what both know";
    compare(name, Protocol::P1, corpus::REPEATS, &own);
    let own = encode::p1(corpus::P1).repeat(corpus::REPEATS);
    compare("P1, own telegrams", Protocol::P1, corpus::REPEATS, &own);
    let own = corpus::sml().repeat(corpus::REPEATS);
    compare("SML, own telegrams", Protocol::Sml, corpus::REPEATS, &own);
    for protocol in [Protocol::P1, Protocol::Sml] {
        match corpus::captures(protocol) {
            Some((count, stream)) => {
                let name = format!("{protocol}, {count} captures");
                let stream = stream.repeat(corpus::REPEATS);
                compare(&name, protocol, count * corpus::REPEATS, &stream);
            }
            None => println!("{protocol}: no captures at hand"),
        }
    }
}

fn compare(name: &str, protocol: Protocol, count: usize, stream: &[u8]) {
    let ours = |named: Option<Protocol>| {
        let mut decoder = Decoder::new(&options(named));
        speed(stream, || {
            assert_eq!(telegrams(&mut decoder, stream), count, "{name}");
        })
    };
    let (named, detected) = (ours(Some(protocol)), ours(None));
    println!("{name}: Headroom {named:.0} MB/s named, {detected:.0} MB/s detected");
    let theirs = |other: fn(&[u8]) -> Option<usize>| {
        speed(stream, || assert_eq!(other(stream), Some(count), "{name}"))
    };
    let others = if protocol == Protocol::P1 {
        vec![("dsmr5", theirs(others::dsmr5))]
    } else {
        vec![
            ("sml-rs, complete parser", theirs(others::sml_complete)),
            ("sml-rs, streaming parser", theirs(others::sml_streaming)),
        ]
    };
    for (other, speed) in others {
        let word = if named.min(detected) > speed {
            "Headroom is ahead"
        } else if named > speed {
            "Headroom is ahead when named, behind when it detects"
        } else {
            "Headroom is BEHIND"
        };
        println!(
            "    {other} {speed:.0} MB/s: {word}, factor {:.2} named, {:.2} detected",
            named / speed,
            detected / speed
        );
    }
}

/// MB/s of the fastest run: what the machine's other work took away is not the decoder's.
fn speed(stream: &[u8], mut run: impl FnMut()) -> f64 {
    run();
    let begin = Instant::now();
    let mut best = Duration::MAX;
    while begin.elapsed() < RUN {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    stream.len() as f64 / best.as_secs_f64() / 1e6
}
