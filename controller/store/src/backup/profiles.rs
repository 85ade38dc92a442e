//! The house's own profiles of chargers in a backup: what a new box needs besides the databases.
//!
//! Small text files in the folder `profiles`, each with a plain name: no name of an archive leads anywhere else. They matter less than
//! the databases: one that cannot be taken along, or put in its place, is told and holds up nothing.

use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::{BackupError, file_error};
use crate::directory::FILE_MODE;

/// The folder in the data directory and in a backup.
pub(super) const FOLDER: &str = "profiles";
/// As many as the service looks at, and as long as it reads, in bytes (`chargers/src/http/shipped.rs`).
pub(super) const MOST: usize = 64;
const LONGEST: u64 = 64 * 1024;

/// Whether a file of an archive may be a profile: its name, and its size in bytes.
pub(super) fn is_one(name: &str, size: u64) -> bool {
    let own = name
        .strip_prefix(FOLDER)
        .and_then(|name| name.strip_prefix('/'));
    own.is_some_and(is_name) && size <= LONGEST
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.strip_suffix(".toml")
        .is_some_and(|name| (1..=32).contains(&name.len()) && name.chars().all(plain))
}

/// The names of the files in a folder of profiles, in order. A link is what it leads to: each file of a folder that Kubernetes mounts
/// is one. What is none, by its name or its length, is left out.
pub(super) fn names(folder: &Path) -> Vec<String> {
    // There need not be a folder.
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => Some(entries),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(folder = %folder.display(), %error, "the profiles of the house cannot be read: check the owner of the folder");
            }
            None
        }
    };
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_name(name))
        .filter(|name| {
            let file = std::fs::metadata(folder.join(name)).ok();
            file.is_some_and(|file| file.is_file() && file.len() <= LONGEST)
        })
        .collect();
    names.sort();
    names.truncate(MOST);
    names
}

/// The text of a profile; an error says why it is none.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).map_err(io::Error::other)? > LONGEST {
        return Err(io::Error::other("it is too long"));
    }
    Ok(text)
}

/// Copies the profiles of a data directory into another; answers their names as an archive has them. What is none is left out.
pub(super) fn copy(directory: &Path, to: &Path) -> Result<Vec<String>, BackupError> {
    let folder = directory.join(FOLDER);
    let mut copied = Vec::new();
    for name in names(&folder) {
        let from = folder.join(&name);
        let text = match read(&from) {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(profile = %from.display(), %error, "a profile is not in the backup, since it cannot be read as text: mend it, then write another backup");
                continue;
            }
        };
        if copied.is_empty() {
            make_folder(to)?;
        }
        let name = format!("{FOLDER}/{name}");
        let to = to.join(&name);
        write(&to, text.as_bytes()).map_err(file_error(&to))?;
        copied.push(name);
    }
    Ok(copied)
}

/// The folder for them, for its owner alone.
pub(super) fn make_folder(parent: &Path) -> Result<(), BackupError> {
    let folder = parent.join(FOLDER);
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    made.map_err(file_error(&folder))
}

/// Writes a file that is not there yet, for its owner alone, so that it lasts.
pub(super) fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)?;
    file.write_all(text)?;
    file.sync_all()
}
