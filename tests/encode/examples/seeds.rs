//! Writes one telegram of each family into a folder per protocol, where a fuzzer begins:
//! `cargo run -p headroom-encode --example seeds -- FOLDER`. The folder `auto` has all of them.
#![allow(
    clippy::unwrap_used,
    reason = "a tool of the tests: a panic is its failure"
)]

use headroom_encode::families;
use std::{env, fs, path::PathBuf};

fn main() {
    let folder = PathBuf::from(env::args_os().nth(1).expect("usage: seeds FOLDER"));
    // A little of everything, each field another.
    let wishes: Vec<Option<u32>> = (0..61).map(|n| Some(n * 1_234_567)).collect();
    for family in families() {
        let telegram = family.encode(&family.carries.values(&wishes));
        for protocol in [family.protocol, "auto"] {
            let folder = folder.join(protocol);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(family.name.replace(' ', "-")), &telegram).unwrap();
        }
    }
}
