//! The file that a user can attach to a report: what was heard, without what tells whose it is.
//!
//! Input: what a source gave, with its bytes. Output: a file of raw bytes that `headroom decode` reads to the same values,
//! ids masked and checksums made anew. A file that exists is never overwritten, and an empty one is not left behind.

use headroom_codec::Reason;
use headroom_meter_io::{Heard, Item, Key, PUBLIC_AUTH_KEY, PUBLIC_KEY, anonymous};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file being written.
#[derive(Debug)]
pub(crate) struct Capture {
    path: PathBuf,
    file: File,
    /// Encryption and authentication key of the meter.
    keys: [Option<Key>; 2],
    written: u64,
    /// Of these, telegrams that were opened and ciphered anew.
    ciphered: u64,
    /// Messages that could not be made anonymous.
    left_out: u64,
}

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    /// It exists.
    #[error("{} exists already, and nothing is overwritten: name another file for the capture", .0.display())]
    Exists(PathBuf),
    /// It cannot be made.
    #[error("the capture {} cannot be written: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Capture {
    /// Makes a new file, for a meter with these keys.
    pub(crate) fn create(path: PathBuf, keys: [Option<Key>; 2]) -> Result<Self, CaptureError> {
        match File::create_new(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                keys,
                written: 0,
                ciphered: 0,
                left_out: 0,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(CaptureError::Exists(path))
            }
            Err(error) => Err(CaptureError::Io { path, error }),
        }
    }

    /// Keeps a telegram, and a frame that is right with a list that is not known: that is what a report is about. What is
    /// damaged is not kept.
    pub(crate) fn add(&mut self, heard: &Heard) -> io::Result<()> {
        let (protocol, encrypted) = match &heard.item {
            Item::Telegram(telegram) => (telegram.protocol, telegram.encrypted),
            Item::Rejected(lost) if lost.reason == Reason::Unknown => (lost.protocol, false),
            Item::Rejected(_) => return Ok(()),
        };
        let [key, auth_key] = self.keys.each_ref().map(Option::as_ref);
        match anonymous(protocol, &heard.raw, key, auth_key) {
            Some(masked) => {
                self.ciphered += u64::from(encrypted);
                self.file.write_all(&masked)?;
                self.written += 1;
            }
            None => self.left_out += 1,
        }
        Ok(())
    }

    /// Ends the file; says what is in it.
    pub(crate) fn close(self) -> Vec<String> {
        let mut lines = Vec::new();
        let name = self.path.display();
        if self.written > 0 {
            lines.push(format!(
                "capture {name}: {} telegrams, the meter's number masked; please look through it before you send it",
                self.written
            ));
        } else {
            lines.push(match remove(&self.path) {
                Ok(()) => format!("nothing to keep: there is no capture {name}"),
                Err(error) => format!("capture {name}: empty, and it cannot be removed: {error}"),
            });
        }
        if self.ciphered > 0 {
            lines.push(format!(
                "your keys are not in it: {} of them were ciphered anew with --key {PUBLIC_KEY} --auth-key {PUBLIC_AUTH_KEY}",
                self.ciphered
            ));
        }
        if self.left_out > 0 {
            lines.push(format!(
                "not in the capture: {} messages that cannot be made anonymous",
                self.left_out
            ));
        }
        lines
    }
}

fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}
