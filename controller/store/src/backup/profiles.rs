//! The house's own profiles of chargers in a backup: what a new box needs besides the databases.
//!
//! Small text files in the folder `profiles`, each with a plain name: no name of an archive leads anywhere else.

use std::io::Read;
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
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    own.and_then(|name| name.strip_suffix(".toml"))
        .is_some_and(|name| (1..=32).contains(&name.len()) && name.chars().all(plain))
        && size <= LONGEST
}

/// Copies the profiles of a data directory into another; answers their names as an archive has them. What is none is left out.
pub(super) fn copy(directory: &Path, to: &Path) -> Result<Vec<String>, BackupError> {
    let folder = directory.join(FOLDER);
    // There need not be one.
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = format!("{FOLDER}/{}", entry.file_name().to_str()?);
            let file = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            is_one(&name, file.len()).then_some(name)
        })
        .take(MOST)
        .collect();
    names.sort();
    if !names.is_empty() {
        make_folder(to)?;
    }
    for name in &names {
        let (from, to) = (directory.join(name), to.join(name));
        let mut text = Vec::new();
        std::fs::File::open(&from)
            .and_then(|file| file.take(LONGEST).read_to_end(&mut text))
            .map_err(file_error(&from))?;
        write(&to, &text)?;
    }
    Ok(names)
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

fn write(path: &Path, text: &[u8]) -> Result<(), BackupError> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path);
    file.and_then(|mut file| std::io::Write::write_all(&mut file, text))
        .map_err(file_error(path))
}
