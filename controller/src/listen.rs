//! `headroom listen`: what a live source gives, for trouble-shooting.
//!
//! Input: a meter source. Output: one JSON line per telegram on standard output; what is heard, the line parameters, and
//! what was rejected, on standard error. It runs until it is interrupted, or until a replayed file is over. Exit 0 when at
//! least one telegram was valid, 2 when none, 1 when the source cannot be.

use clap::Args;
use headroom_meter_io::{Heard, Item, Key, MeterStatus, Settings, Source, anonymous, start_tapped};
use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};
use tokio::sync::mpsc;

const NONE_VALID: u8 = 2;
const WRONG_USAGE: u8 = 1;
/// A burst of a replayed file or a network reader; a serial line gives one item at a time.
const QUEUE: usize = 1024;

/// Show what a meter source gives
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Where the meter is: serial port, TCP address or captured file
    #[arg(value_name = "serial:PORT | tcp://HOST:PORT | file:PATH")]
    source: String,
    /// Encryption key, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    key: Option<Key>,
    /// Authentication key, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    auth_key: Option<Key>,
    /// Write what is heard, without ids and with new checksums, to this file
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: ListenArgs) -> ExitCode {
    let source = match Source::parse(&args.source) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("headroom listen: {error}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let capture = match args.capture.as_deref().map(File::create_new).transpose() {
        Ok(capture) => capture,
        Err(error) => {
            let name = args.capture.unwrap_or_default();
            eprintln!("headroom listen: {}: {error}", name.display());
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let settings = Settings {
        key: args.key,
        auth_key: args.auth_key,
        ..Settings::default()
    };
    let mut shown = Shown {
        capture,
        valid: 0,
        sealed: 0,
    };
    if let Err(error) = listen(source, settings, &mut shown).await
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("headroom listen: {error}");
    }
    if shown.sealed > 0 {
        eprintln!(
            "not in the capture: {} messages that cannot be made anonymous (ciphered, SML, or in several frames)",
            shown.sealed
        );
    }
    if shown.valid > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NONE_VALID)
    }
}

async fn listen(source: Source, settings: Settings, shown: &mut Shown) -> io::Result<()> {
    let (tap, mut queue) = mpsc::channel(QUEUE);
    let meter = start_tapped(source, settings, tap);
    let mut status = meter.status();
    let mut told = String::new();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            biased;
            _ = &mut interrupted => break,
            Some(heard) = queue.recv() => shown.show(&heard)?,
            Ok(()) = status.changed() => {
                let status = status.borrow_and_update().clone();
                tell(&status, &mut told);
                if status.ended {
                    break;
                }
            }
            else => break,
        }
    }
    while let Ok(heard) = queue.try_recv() {
        shown.show(&heard)?;
    }
    Ok(())
}

/// What was shown, and where it is kept.
struct Shown {
    capture: Option<File>,
    valid: u64,
    /// Messages that could not be made anonymous.
    sealed: u64,
}

impl Shown {
    fn show(&mut self, heard: &Heard) -> io::Result<()> {
        match &heard.item {
            Item::Telegram(telegram) => {
                self.valid += 1;
                let mut output = io::stdout().lock();
                serde_json::to_writer(&mut output, telegram)?;
                output.write_all(b"\n")?;
                output.flush()?;
                if let Some(capture) = &mut self.capture {
                    match anonymous(telegram.protocol, &heard.raw) {
                        Some(masked) => capture.write_all(&masked)?,
                        None => self.sealed += 1,
                    }
                }
                Ok(())
            }
            Item::Rejected(lost) => {
                eprintln!(
                    "rejected: {}, {} bytes: {}",
                    lost.protocol, lost.bytes, lost.reason
                );
                Ok(())
            }
        }
    }
}

/// Says what is heard when that changes, without its numbers: they change with each byte.
fn tell(status: &MeterStatus, told: &mut String) {
    let gist: String = status
        .text
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .collect();
    let gist = format!("{gist}{:?}", status.serial);
    if gist != *told {
        eprintln!("{}: {}", status.source, status.text);
        *told = gist;
    }
}
