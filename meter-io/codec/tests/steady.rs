//! A stream in its steady state allocates nothing: what a telegram says stands in place.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use headroom_codec::{Decoder, Item, Options, Protocol};
use headroom_encode::{
    KAMSTRUP, aidon_list_2, hdlc, kaifa_list_2, kamstrup_apdu, mbus, p1, seven_even, sml,
    sml_entry, tic,
};
use peak_alloc::PeakAlloc;
use std::hint::black_box;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const LINES: &str = "HRM5\\STEADY
    0-0:1.0.0(260115120010W)
    0-0:96.1.1(48454144524F4F4D31)
    1-0:1.7.0(02.870*kW)
    1-0:32.7.0(230.4*V)
    1-0:31.7.0(004*A)";

/// One telegram of each family.
fn streams() -> Vec<(Protocol, &'static str, Vec<u8>)> {
    let entry = sml_entry([1, 0, 16, 7, 0], 27, -1, -5635);
    let groups = [
        ("ADCO", None, "012345678910"),
        ("IINST", None, "004"),
        ("PAPP", None, "00970"),
    ];
    vec![
        (Protocol::P1, "p1", p1(LINES)),
        (Protocol::Sml, "sml", sml(&[entry])),
        (Protocol::Hdlc, "aidon", aidon_list_2(2077, 46, 61)),
        (
            Protocol::Hdlc,
            "kaifa",
            kaifa_list_2(2_870, [4_302, 0, 3_905]),
        ),
        (
            Protocol::Hdlc,
            "kamstrup",
            hdlc(&KAMSTRUP, &kamstrup_apdu(3)),
        ),
        (Protocol::Mbus, "mbus", mbus(&kamstrup_apdu(3), 240)),
        (Protocol::Tic, "tic", tic(false, &groups)),
    ]
}

/// What the decoder adds to the heap at its highest, once it has heard a telegram of this kind.
fn adds(protocol: Option<Protocol>, name: &str, telegram: &[u8]) -> usize {
    let mut decoder = Decoder::new(&Options {
        protocol,
        ..Options::default()
    });
    let mut found = 0;
    let mut push = || {
        decoder.push_raw(telegram, |item, _| {
            found += u32::from(matches!(black_box(item), Item::Telegram(_)));
        });
    };
    push();
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    for _ in 0..8 {
        push();
    }
    let added = HEAP.peak_usage() - before;
    assert_eq!(found, 9, "{name}");
    added
}

#[test]
fn telegrams_of_a_stream_allocate_nothing() {
    for (protocol, name, telegram) in streams() {
        for named in [None, Some(protocol)] {
            assert_eq!(adds(named, name, &telegram), 0, "{name}, {named:?}");
        }
    }
    // The parity bits are taken off a copy: this test can see an allocation.
    assert!(adds(None, "7e1", &seven_even(&p1(LINES))) >= 100);
}
