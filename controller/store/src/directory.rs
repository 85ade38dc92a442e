//! The data directory: one process at a time, readable by its owner alone.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::backup::take_over;
use crate::error::StoreError;

const LOCK_FILE: &str = "lock";
const DIRECTORY_MODE: u32 = 0o700;
/// Of every file in the directory: they hold secrets.
pub(crate) const FILE_MODE: u32 = 0o600;

/// A data directory that this process has for itself until the value is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if it is not there, and locks it. A restored backup that waits there takes the place of the
    /// data first.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it, [`StoreError::File`] if it cannot be used.
    pub fn lock(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(path)
            .map_err(|source| StoreError::File {
                path: path.to_owned(),
                source,
            })?;
        let lock_path = path.join(LOCK_FILE);
        // Whoever may not make a file there may not use the directory: that is what is to be told.
        let lock = private_file(&lock_path).map_err(|error| match error {
            StoreError::File { source, .. } if !lock_path.exists() => StoreError::File {
                path: path.to_owned(),
                source,
            },
            other => other,
        })?;
        match lock.try_lock() {
            Ok(()) => {
                take_over(path)?;
                Ok(Self {
                    path: path.to_owned(),
                    _lock: lock,
                })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
                directory: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(StoreError::File {
                path: lock_path,
                source,
            }),
        }
    }

    /// Whether another process has it now. Changes nothing.
    pub fn is_in_use(path: &Path) -> bool {
        let lock = File::open(path.join(LOCK_FILE));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Does something while no service uses the directory, and keeps one from starting meanwhile; does nothing where one runs
    /// or has never run.
    pub(crate) fn while_unused(path: &Path, work: impl FnOnce()) {
        if let Ok(lock) = File::open(path.join(LOCK_FILE))
            && lock.try_lock().is_ok()
        {
            work();
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What in a directory has a name that begins so, in the order of the names.
pub(crate) fn entries(directory: &Path, prefix: &str) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::File {
        path: directory.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Opens a file for its owner alone, making it if it is not there.
pub(crate) fn private_file(path: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::File {
        path: path.to_owned(),
        source,
    };
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_process_is_told_clearly() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDirectory::lock(&path).unwrap();
        let error = DataDirectory::lock(&path).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }));
        assert!(error.to_string().contains("another Headroom runs"));
        drop(first);
        DataDirectory::lock(&path).unwrap();
    }

    #[test]
    fn the_directory_belongs_to_its_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/data");
        let _held = DataDirectory::lock(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let lock = path.join(LOCK_FILE).metadata().unwrap();
        assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_in_the_way_is_told_clearly() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        std::fs::write(&path, "x").unwrap();
        assert!(matches!(
            DataDirectory::lock(&path),
            Err(StoreError::File { .. })
        ));
    }
}
