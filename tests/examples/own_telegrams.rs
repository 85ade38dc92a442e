//! Writes telegrams of every family that the test encoder knows into a folder, with an `index.json` that lists them, for
//! programs of others: `cargo run -p headroom-tests --example own_telegrams -- FOLDER`.

use std::{env, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: own_telegrams FOLDER");
        return ExitCode::FAILURE;
    };
    headroom_tests::own_telegrams::write(Path::new(&folder));
    ExitCode::SUCCESS
}
