//! All protocols at once, told apart by their bytes.
#![no_main]

#[path = "../../tests/stream/mod.rs"]
mod stream;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(what) = stream::check_any(None, bytes) {
        panic!("{what}");
    }
});
