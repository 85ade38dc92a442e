//! `headroom listen`: what a live source gives, for trouble-shooting.
//!
//! Input: a meter source. Output: one JSON line per telegram on standard output; what is heard, the line parameters, and
//! what was rejected, on standard error, and a summary at the end. It runs until it is interrupted, or until a replayed
//! file is over. Exit 0 when at least one telegram was valid, 2 when none, 1 when the source cannot be, or its output or
//! the capture cannot be written.

mod capture;
mod summary;

use capture::Capture;
use clap::Args;
use headroom_meter_io::{
    Heard, Item, Key, MeterStatus, Settings, Source, SourceKind, start_tapped,
};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};
use summary::Summary;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

const NONE_VALID: u8 = 2;
const WRONG_USAGE: u8 = 1;
/// A burst of a replayed file or a network reader; a serial line gives one item at a time.
const QUEUE: usize = 1024;

/// Show what a meter source gives
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Where the meter is
    #[arg(value_name = "serial:PORT | tcp://HOST:PORT | file:PATH | …")]
    source: String,
    /// Encryption key, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    key: Option<Key>,
    /// Authentication key, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    auth_key: Option<Key>,
    /// Write what is heard, without ids and with new checksums, to this file; it must not exist yet
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: ListenArgs) -> ExitCode {
    let source = match Source::parse(&args.source) {
        Ok(source) => source,
        Err(error) => {
            tell!("headroom listen: {error}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    if let SourceKind::File { path, .. } = source.kind() {
        let name = path.display();
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => {
                tell!("headroom listen: there is no file {name}");
                return ExitCode::from(WRONG_USAGE);
            }
            Err(error) => {
                tell!("headroom listen: {name} cannot be read ({error})");
                return ExitCode::from(WRONG_USAGE);
            }
        }
        if path.is_dir() {
            tell!("headroom listen: {name} is a directory: name a file with telegrams");
            return ExitCode::from(WRONG_USAGE);
        }
    }
    let keys = [args.key.clone(), args.auth_key.clone()];
    let capture = match args
        .capture
        .map(|path| Capture::create(path, keys))
        .transpose()
    {
        Ok(capture) => capture,
        Err(error) => {
            tell!("headroom listen: {error}");
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
        summary: Summary::new(Instant::now()),
    };
    let mut failed = false;
    let status = match listen(source, settings, &mut shown).await {
        Ok(status) => Some(status),
        // Whoever read the lines has enough of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
        Err(error) => {
            tell!("headroom listen: {error}");
            failed = true;
            None
        }
    };
    for line in shown.summary.lines(status.as_ref(), Instant::now()) {
        tell!("{line}");
    }
    if let Some(capture) = shown.capture {
        for line in capture.close() {
            tell!("{line}");
        }
    }
    if failed {
        ExitCode::from(WRONG_USAGE)
    } else if shown.summary.valid() > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NONE_VALID)
    }
}

/// Listens until it is told to stop; gives the last status.
async fn listen(source: Source, settings: Settings, shown: &mut Shown) -> io::Result<MeterStatus> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let (tap, mut queue) = mpsc::channel(QUEUE);
    let meter = start_tapped(source, settings, tap);
    let mut status = meter.status();
    let mut told = String::new();
    loop {
        tokio::select! {
            biased;
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
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
    let last = status.borrow().clone();
    Ok(last)
}

/// What was shown, and where it is kept.
struct Shown {
    capture: Option<Capture>,
    summary: Summary,
}

impl Shown {
    fn show(&mut self, heard: &Heard) -> io::Result<()> {
        match &heard.item {
            Item::Telegram(telegram) => {
                let mut output = io::stdout().lock();
                writeln!(output, "{}", escaped(&serde_json::to_string(telegram)?))?;
                output.flush()?;
            }
            Item::Rejected(lost) => tell!(
                "rejected: {}, {} bytes: {}",
                lost.protocol,
                lost.bytes,
                lost.reason
            ),
        }
        self.summary.add(&heard.item, Instant::now());
        match &mut self.capture {
            Some(capture) => capture.add(heard),
            None => Ok(()),
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
        tell!("{}: {}", status.source, escaped(&status.text));
        *told = gist;
    }
}

/// Without control characters, as JSON writes them: a terminal would obey those of a meter's texts.
pub(crate) fn escaped(text: &str) -> String {
    let each = |c: char| match c {
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)).chars().collect(),
        c => vec![c],
    };
    text.chars().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_terminal_obeys_nothing_that_a_meter_says() {
        assert_eq!(
            escaped("\u{1b}]0;x\u{7}\u{7f}\u{9b}2J å"),
            "\\u001b]0;x\\u0007\\u007f\\u009b2J å"
        );
    }
}
