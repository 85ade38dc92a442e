//! Replay of a captured stream: one telegram per interval, once; then silence, as when a meter stops.

use headroom_codec::{Decoder, Item, Options};
use std::{fs, io, path::Path, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Longer captures are for `headroom decode`.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Bytes without a telegram that are given at once.
const MAX_CHUNK: usize = 64 * 1024;

/// A capture and how far it has been played.
#[derive(Debug)]
pub(crate) struct Replay {
    bytes: Vec<u8>,
    at: usize,
    /// Finds where telegrams end; what it decodes is not used.
    cutter: Decoder,
    interval: Duration,
    next: Instant,
}

impl Replay {
    /// Blocks on the file system.
    pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
        let metadata = fs::metadata(path)?;
        // Reading a pipe or a device could wait for ever.
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        if metadata.len() > MAX_FILE {
            return Err(io::Error::other("the file is larger than 64 MiB"));
        }
        let raw = fs::read(path)?;
        Ok(from_hex(&raw).unwrap_or(raw))
    }

    pub(crate) fn new(bytes: Vec<u8>, interval: Duration, options: &Options) -> Self {
        Self {
            bytes,
            at: 0,
            cutter: Decoder::new(options),
            interval,
            next: Instant::now(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The bytes up to the end of the next telegram, when their time has come; never again after the last. Cancel-safe.
    pub(crate) async fn read(&mut self, into: &mut Vec<u8>) -> usize {
        if self.is_over() {
            std::future::pending::<()>().await;
        }
        sleep_until(self.next).await;
        self.next += self.interval;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut taken = 0;
        for byte in rest.iter().take(MAX_CHUNK) {
            taken += 1;
            let items = self.cutter.push(std::slice::from_ref(byte));
            if items.iter().any(|item| matches!(item, Item::Telegram(_))) {
                break;
            }
        }
        into.extend_from_slice(rest.get(..taken).unwrap_or_default());
        self.at += taken;
        taken
    }
}

/// Hexadecimal text, white space ignored. `None` if it is anything else.
pub(crate) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(text.len());
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        digits.push(
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())?,
        );
    }
    (!digits.is_empty() && digits.len() % 2 == 0).then(|| {
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit))
            .collect()
    })
}
