//! The stream decoder of SML alone.
#![no_main]

#[path = "../../tests/stream/mod.rs"]
mod stream;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(what) = stream::check_any(Some(headroom_codec::Protocol::Sml), bytes) {
        panic!("{what}");
    }
});
