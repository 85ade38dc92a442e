//! Putting a verified backup in the place of the data.
//!
//! Every step is a rename, and doing all of them again from any point ends the same: a database that still lies in the
//! staged directory has not been put in its place, so what stands there is the old one.

use std::io;
use std::path::{Path, PathBuf};

use super::{TEMPORARY, profiles, sync_directory};
use crate::directory::{DataDirectory, entries};
use crate::error::StoreError;
use crate::inspect::Database;

/// A directory that shall be taken over, and behind it the time of the decision.
pub(super) const READY: &str = "restore-ready-";
/// What was there before, and behind it the same time.
const ASIDE: &str = "before-restore-";
/// Directories with what was there before that are kept.
const ASIDE_KEPT: usize = 2;

/// Takes over at once what was committed in a directory that this process has locked; answers where the data that were
/// there before are kept, if there were any.
///
/// # Errors
/// When the disk fails; the next start goes on with it.
pub fn take_over_now(directory: &DataDirectory) -> Result<Option<PathBuf>, StoreError> {
    take_over(directory.path())
}

/// The same in a directory that is known to be locked. Removes what commands that were killed left behind.
pub(crate) fn take_over(directory: &Path) -> Result<Option<PathBuf>, StoreError> {
    for left in entries(directory, TEMPORARY)? {
        drop(if left.is_dir() {
            std::fs::remove_dir_all(&left)
        } else {
            std::fs::remove_file(&left)
        });
    }
    let mut kept = None;
    for ready in entries(directory, READY)? {
        let name = ready.file_name().unwrap_or_default().to_string_lossy();
        let aside = directory.join(name.replacen(READY, ASIDE, 1));
        exchange(directory, &ready, &aside).map_err(|source| StoreError::File {
            path: ready.clone(),
            source,
        })?;
        kept = aside.exists().then_some(aside);
        if let Some(aside) = &kept {
            tracing::warn!(aside = %aside.display(), "a backup was put in the place of the data; what was there is kept aside");
        } else {
            tracing::info!("a backup was put in an empty place");
        }
    }
    if kept.is_some() {
        for old in entries(directory, ASIDE)?.iter().rev().skip(ASIDE_KEPT) {
            drop(std::fs::remove_dir_all(old));
        }
    }
    Ok(kept)
}

fn exchange(directory: &Path, ready: &Path, aside: &Path) -> io::Result<()> {
    let databases = Database::ALL.map(Database::file);
    for name in databases.into_iter().chain([profiles::FOLDER]) {
        let staged = ready.join(name);
        if !staged.exists() {
            // It is in its place already, or the backup has none.
            continue;
        }
        for suffix in ["", "-wal", "-shm"] {
            let name = format!("{name}{suffix}");
            let old = directory.join(&name);
            if old.exists() {
                make_private(aside)?;
                std::fs::rename(&old, free_name(aside, &name))?;
                sync_directory(aside)?;
            }
        }
        // A log of the old database beside the new one would spoil it: it is gone for good first.
        sync_directory(directory)?;
        std::fs::rename(&staged, directory.join(name))?;
        sync_directory(directory)?;
    }
    std::fs::remove_dir_all(ready)?;
    sync_directory(directory)
}

fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// A name that replaces nothing: somebody may have begun a database anew between two attempts.
fn free_name(aside: &Path, name: &str) -> PathBuf {
    let mut path = aside.join(name);
    let mut again = 1;
    while path.exists() {
        again += 1;
        path = aside.join(format!("{name}.{again}"));
    }
    path
}
