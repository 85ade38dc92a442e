//! The log on standard error. Standard output belongs to results.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged where nothing else is asked for.
const USUAL: LevelFilter = LevelFilter::INFO;

/// How the log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// Lines of JSON for programs
    Json,
}

/// Starts it. A wish in `RUST_LOG` that cannot be read is told and not obeyed: nobody's fuse waits for a log.
pub(crate) fn start(format: LogFormat) {
    let (filter, wrong) = match filter(env::var_os("RUST_LOG")) {
        Ok(filter) => (filter, None),
        Err(wrong) => (Targets::new().with_default(USUAL), Some(wrong)),
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(stderr)
        // It would be told on the same standard error, in vain and with a panic.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => {
            let log = log.with_ansi(stderr().is_terminal());
            log.finish().with(filter).init();
        }
        LogFormat::Json => log.json().finish().with(filter).init(),
    }
    if let Some(wrong) = wrong {
        tracing::warn!("RUST_LOG: {wrong}. Logging as if it were not set");
    }
}

/// Reads `LEVEL`, `TARGET=LEVEL` or several of these with commas between them.
///
/// A target takes in all that begins with it: `headroom` is every part of this program.
fn filter(text: Option<OsString>) -> Result<Targets, String> {
    let mut filter = Targets::new().with_default(USUAL);
    let text = text.unwrap_or_default();
    let text = text.to_str().ok_or("it is not UTF-8")?;
    for wish in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let wrong = || {
            format!(
                "{wish:?} is neither a level (off, error, warn, info, debug, trace) nor a target with one (headroom=debug)"
            )
        };
        let (target, level) = match wish.rsplit_once('=') {
            Some((target, level)) => (Some(target), level),
            None => (None, wish),
        };
        let level: LevelFilter = level.parse().map_err(|_| wrong())?;
        filter = match target {
            None => filter.with_default(level),
            Some(target) if is_target(target) => filter.with_target(target, level),
            Some(_) => return Err(wrong()),
        };
    }
    Ok(filter)
}

/// Whether it is a path of Rust, as targets are.
fn is_target(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    fn logs(text: &str, target: &str, level: Level) -> bool {
        let filter = filter(Some(text.into())).unwrap();
        filter.would_enable(target, &level)
    }

    #[test]
    fn levels_and_targets_are_obeyed() {
        assert!(logs("", "hyper", Level::INFO));
        assert!(!logs("", "headroom", Level::DEBUG));
        assert!(logs("warn", "headroom", Level::WARN));
        assert!(!logs("warn", "headroom", Level::INFO));
        assert!(!logs("off", "headroom", Level::ERROR));
        let both = "headroom=debug, WARN";
        assert!(logs(both, "headroom_meter_io::task", Level::DEBUG));
        assert!(!logs(both, "headroom_meter_io::task", Level::TRACE));
        assert!(logs(both, "hyper", Level::WARN));
        assert!(!logs(both, "hyper", Level::INFO));
        // What is not named stays as it is: a target that does not exist silences nothing.
        assert!(logs("nobody=trace", "headroom", Level::INFO));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in [
            "inof",
            "headroom=loud",
            "=debug",
            "headroom[x]=debug",
            "warn;headroom=debug",
        ] {
            let wrong = filter(Some(text.into())).unwrap_err();
            assert!(wrong.contains("headroom=debug"), "{text}: {wrong}");
        }
        let bytes = std::os::unix::ffi::OsStringExt::from_vec(vec![0xFF]);
        assert!(filter(Some(bytes)).unwrap_err().contains("UTF-8"));
    }
}
