//! Putting a verified backup in the place of the data.
//!
//! Every step is a rename, and doing all of them again from any point ends the same: a database that still lies in the
//! staged directory has not been put in its place, so what stands there is the old one.
//!
//! The profiles come last, and whatever is wrong with their folder never keeps a house from starting: where it cannot be renamed,
//! such as a mount point, its files are exchanged one by one, and what fails even so is told.

use std::collections::BTreeSet;
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
    for name in Database::ALL.map(Database::file) {
        if !is_there(&ready.join(name)) {
            // It is in its place already, or the backup has none.
            continue;
        }
        for suffix in ["", "-wal", "-shm"] {
            put_aside(directory, aside, &format!("{name}{suffix}"))?;
        }
        // A log of the old database beside the new one would spoil it: it is gone for good first.
        sync_directory(directory)?;
        std::fs::rename(ready.join(name), directory.join(name))?;
        sync_directory(directory)?;
    }
    if is_there(&ready.join(profiles::FOLDER)) {
        exchange_profiles(directory, ready, aside, put_aside);
    }
    // Under this name nobody tries again: what cannot be removed now goes at the next start.
    let done = ready.file_name().unwrap_or_default().to_string_lossy();
    let done = directory.join(done.replacen(READY, TEMPORARY, 1));
    std::fs::rename(ready, &done)?;
    sync_directory(directory)?;
    drop(std::fs::remove_dir_all(&done));
    Ok(())
}

/// Moves what has this name out of the way, if there is anything; a link itself, wherever it leads.
fn put_aside(directory: &Path, aside: &Path, name: &str) -> io::Result<()> {
    let old = directory.join(name);
    if is_there(&old) {
        make_private(aside)?;
        std::fs::rename(&old, free_name(aside, name))?;
        sync_directory(aside)?;
    }
    Ok(())
}

/// How something is moved out of the way; a test has another one.
pub(super) type PutAside = fn(&Path, &Path, &str) -> io::Result<()>;

pub(super) fn exchange_profiles(directory: &Path, ready: &Path, aside: &Path, put_aside: PutAside) {
    let staged = ready.join(profiles::FOLDER);
    let folder = directory.join(profiles::FOLDER);
    let renamed = put_aside(directory, aside, profiles::FOLDER)
        .and_then(|()| std::fs::rename(&staged, &folder))
        .and_then(|()| sync_directory(directory));
    let Err(error) = renamed else { return };
    tracing::info!(folder = %folder.display(), %error, "the folder of the profiles stays, and its files are exchanged");
    let failed = exchange_files(&staged, &folder, &aside.join(profiles::FOLDER));
    if failed.is_empty() {
        return;
    }
    // For whoever mends it by hand.
    let kept = free_name(aside, "profiles-of-the-backup");
    drop(make_private(aside).and_then(|()| std::fs::rename(&staged, &kept)));
    tracing::warn!(
        folder = %folder.display(),
        kept = %kept.display(),
        problems = failed.join("; "),
        "the backup is in force, but some profiles of chargers could not be exchanged: make the folder writable and copy them there from where they are kept, or from the backup, which is a tar archive"
    );
}

/// Exchanges the files of a folder that stays; answers what did not work. Nothing is removed before it lies aside.
fn exchange_files(staged: &Path, folder: &Path, aside: &Path) -> Vec<String> {
    let mut failed = Vec::new();
    let mut attempt = |what: &str, path: &Path, done: io::Result<()>| {
        let good = done.is_ok();
        failed.extend(
            done.err()
                .map(|error| format!("{what} {}: {error}", path.display())),
        );
        good
    };
    let new = profiles::names(staged);
    let old = profiles::names(folder);
    let mut stay = BTreeSet::new();
    for name in &old {
        let (path, copy) = (folder.join(name), aside.join(name));
        // An attempt that was interrupted has put it there already.
        let kept = is_there(&copy) || {
            let copied = make_private(aside)
                .and_then(|()| std::fs::read(&path))
                .and_then(|bytes| profiles::write(&copy, &bytes));
            attempt("keeping", &path, copied)
        };
        // On a folder that cannot be written to, the same profile may stay.
        let same = || profiles::read(&path).ok() == profiles::read(&staged.join(name)).ok();
        if !kept || same() || !attempt("removing", &path, std::fs::remove_file(&path)) {
            stay.insert(name);
        }
    }
    for name in new.iter().filter(|name| !stay.contains(name)) {
        let path = folder.join(name);
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| profiles::read(&staged.join(name)))
            .and_then(|text| profiles::write(&path, text.as_bytes()));
        attempt("writing", &path, written);
    }
    failed
}

/// Whether there is anything of this name; a link that leads nowhere is there too.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
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
    while is_there(&path) {
        again += 1;
        path = aside.join(format!("{name}.{again}"));
    }
    path
}
