//! Backups: both databases in one file, written while the service runs, and put back as a whole.
//!
//! The file is a tar archive of `manifest.json` (version, schemas, checksums), `state.db`, `journal.db`, and the house's own profiles
//! of chargers (`profiles/NAME.toml`). It holds passwords and keys, so it belongs to its owner alone (mode 0600).
//!
//! Invariants
//! - Writing a backup changes nothing and holds nobody up: SQLite copies each database in one read transaction.
//! - Everything in a backup is verified before anything is replaced.
//! - Putting back is one rename ([`Staged::commit`]); what follows ([`take_over`]) is finished at the next start if it is
//!   interrupted, before any database is opened. What was there is kept aside.

mod archive;
mod profiles;
mod stage;
mod takeover;
#[cfg(test)]
mod tests;
mod write;

use std::fs::File;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use headroom_core::validate::FieldError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::{StoreError, advice};

pub use stage::{Staged, stage};
pub(crate) use takeover::take_over;
pub use takeover::take_over_now;
pub use write::back_up;

/// The first file of the archive.
const MANIFEST: &str = "manifest.json";
/// What a manifest calls itself.
const KIND: &str = "headroom backup";
/// The formats of the archive: of databases alone, and with profiles, which earlier programs do not know.
const DATABASES_ALONE: u32 = 1;
const FORMAT: u32 = 2;
/// Largest manifest that is read, in bytes; a real one has a few hundred.
const MANIFEST_MAX: u64 = 64 * 1024;
/// Directories and files that only last as long as a command; a start removes those that a killed one left behind.
const TEMPORARY: &str = "tmp-";
/// Bytes that are copied at a time.
const CHUNK: usize = 64 * 1024;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    kind: String,
    format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// When it was written.
    #[serde(serialize_with = "crate::times::one")]
    pub made: Timestamp,
    /// The files, in the order in which they follow.
    pub files: Vec<BackupFile>,
}

/// A file in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// `state.db`, `journal.db` or `profiles/NAME.toml`.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The number of its schema; 0 of a profile.
    pub schema: i64,
}

/// Why a backup could not be written or put back. Then nothing was changed.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is a file of that name.
    #[error("{} is there already: choose another name, or overwrite it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no configuration to back up.
    #[error("there is no Headroom in the data directory {}: name the one that the service uses with --data DIR", directory.display())]
    Nothing {
        /// The directory.
        directory: PathBuf,
    },
    /// A file cannot be written or read.
    #[error("{} cannot be used: {}", path.display(), advice(source))]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is none, or not whole.
    #[error("this is no whole backup of Headroom ({0}); nothing was changed: take another one")]
    Damaged(String),
    /// A newer program wrote it.
    #[error(
        "the backup was written by Headroom {0}, which is newer; nothing was changed: install that version first"
    )]
    Newer(String),
    /// Its configuration cannot be in force.
    #[error("the configuration in the backup cannot be right; nothing was changed:{}", words(.0))]
    Configuration(Vec<FieldError>),
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn words(errors: &[FieldError]) -> String {
    let words: Vec<_> = errors
        .iter()
        .map(|error| format!("\n  {} {}", error.field, error.message))
        .collect();
    words.concat()
}

/// For `map_err`.
fn file_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}

/// A directory for its owner alone that goes with the value.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Temporary {
    fn new(parent: &Path, what: &str) -> Result<Self, BackupError> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)
            .map_err(|_| file_error(parent)(io::Error::other("no random numbers")))?;
        let name = format!("{TEMPORARY}{what}-{:016x}", u64::from_ne_bytes(bytes));
        let path = parent.join(name);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(file_error(parent))?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // The next start removes what is left behind.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Makes renames in a directory last.
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Runs what waits for a disk where nobody else waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(BackupError::Damaged(format!(
            "the work was broken off: {error}"
        )))
    })
}
