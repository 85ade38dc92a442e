//! The body of the fuzz targets on bytes that are made here: it runs always, and without a nightly compiler.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod stream;

use headroom_codec::Protocol;
use headroom_encode::{AIDON, Values, aidon, families, hdlc};
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use stream::check_any;

/// Streams tried of each protocol.
const CASES: u32 = 500;

/// Noise alone hardly ever gets past a first byte: pieces of telegrams with damaged bytes make the deep paths run.
fn any_stream(protocol: Option<Protocol>) -> impl Strategy<Value = Vec<u8>> {
    let wishes: Vec<Option<u32>> = (0..61).map(|n| Some(n * 1_234_567)).collect();
    let pieces: Vec<Vec<u8>> = families()
        .iter()
        .filter(|family| protocol.is_none_or(|protocol| family.protocol == protocol.name()))
        .map(|family| family.encode(&family.carries.values(&wishes)))
        .collect();
    let ends = (any::<Index>(), any::<Index>(), any::<bool>());
    let damage = prop::collection::vec((any::<Index>(), any::<u8>()), 0..3);
    let piece = (any::<Index>(), ends, damage).prop_map(move |(which, ends, damage)| {
        let piece = &pieces[which.index(pieces.len())];
        let (from, to, whole) = (ends.0.index(piece.len()), ends.1.index(piece.len()), ends.2);
        let mut piece = if whole {
            piece.clone()
        } else {
            piece[from.min(to)..=from.max(to)].to_vec()
        };
        for (at, byte) in damage {
            let at = at.index(piece.len());
            piece[at] = byte;
        }
        piece
    });
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let parts = prop::collection::vec(prop_oneof![3 => piece, 1 => noise], 0..8);
    // The last byte chooses what becomes of the others.
    (parts, any::<u8>()).prop_map(|(mut parts, way)| {
        parts.push(vec![way]);
        parts.concat()
    })
}

fn check(protocol: Option<Protocol>) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&any_stream(protocol), |bytes| {
        check_any(protocol, &bytes).map_err(TestCaseError::fail)
    });
    if let Err(TestError::Fail(reason, bytes)) = result {
        panic!("{protocol:?}: {reason}\n  with {bytes:02x?}");
    }
}

#[test]
fn any_bytes_hold_what_must_hold() {
    check(None);
}

#[test]
fn any_bytes_hold_what_must_hold_in_each_protocol() {
    for protocol in Protocol::ALL {
        check(Some(protocol));
    }
}

/// A header whose checksum is right by chance announces a long frame; what arrives in its place is a telegram, and behind
/// it something of another family: a text that nothing vouches for, a small right frame. Those once took the telegram
/// away, if the announced end was not there yet.
#[test]
fn another_family_takes_no_telegram_out_of_a_frame_that_is_not_over() {
    let telegram = aidon::list_2(&Values::default());
    // The last block of a message that has no others.
    let gap = headroom_encode::mbus(&[0; 20], 200);
    for behind in [&b"/HRM5\r\n!\r\n"[..], &gap] {
        let inside = [&telegram[..], behind, &[0; 100]].concat();
        let mut frame = hdlc(&AIDON, &inside);
        // The closing flag: the announced frame is none.
        let last = frame.len() - 1;
        frame[last] = 0;
        let as_it_is = [frame, vec![0]].concat();
        check_any(None, &as_it_is).unwrap();
    }
}
