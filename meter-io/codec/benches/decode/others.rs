//! The crates of others on the same bytes: checksums verified, every object read into a number.

use divan::black_box;
use sml_rs::{SmlReader, parser::complete::File, parser::streaming::Parser};

/// How many telegrams `dsmr5` reads; `None` if it fails at one. Objects that it does not know are left out.
pub(crate) fn dsmr5(stream: &[u8]) -> Option<usize> {
    let bytes = stream.iter().map(|byte| Ok::<u8, ()>(*byte));
    let mut count = 0;
    for readout in dsmr5::Reader::new(bytes) {
        let readout = readout.ok()?;
        let telegram = readout.to_telegram().ok()?;
        for object in telegram.objects() {
            match object {
                Ok(object) => {
                    black_box(&object);
                }
                Err(dsmr5::Error::UnknownObis) => {}
                Err(_) => return None,
            }
        }
        count += 1;
    }
    Some(count)
}

/// How many files `sml-rs` reads with its allocating parser; `None` if it fails at one.
pub(crate) fn sml_complete(stream: &[u8]) -> Option<usize> {
    let mut reader = SmlReader::with_vec_buffer().from_slice(stream);
    let mut count = 0;
    while let Some(file) = reader.next::<File<'_>>() {
        black_box(&file.ok()?);
        count += 1;
    }
    Some(count)
}

/// The same with the parser that allocates nothing.
pub(crate) fn sml_streaming(stream: &[u8]) -> Option<usize> {
    let mut reader = SmlReader::with_static_buffer::<8192>().from_slice(stream);
    let mut count = 0;
    while let Some(parser) = reader.next::<Parser<'_>>() {
        for event in parser.ok()? {
            black_box(&event.ok()?);
        }
        count += 1;
    }
    Some(count)
}
