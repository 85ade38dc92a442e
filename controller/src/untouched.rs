//! A command that fails leaves no data directory behind that was not there before.

use std::path::{Path, PathBuf};

/// What a data directory was before a command.
#[derive(Debug)]
pub(crate) struct Untouched {
    directory: PathBuf,
    /// The outermost directory that was missing.
    missing: Option<PathBuf>,
    /// Whether it held something.
    held: bool,
}

impl Untouched {
    /// Looks at a directory; changes nothing.
    pub(crate) fn look(directory: &Path) -> Self {
        let ways = directory.ancestors();
        let missing = ways.take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let held = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
        Self {
            directory: directory.to_owned(),
            missing: missing.last().map(Path::to_owned),
            held,
        }
    }

    /// Removes what the command made there, where nothing was before.
    pub(crate) fn restore(&self) {
        let remove = |path: &Path| {
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
            if let Err(error) = removed {
                tracing::debug!(%error, path = %path.display(), "it was not removed");
            }
        };
        if let Some(missing) = &self.missing {
            remove(missing);
        } else if !self.held
            && let Ok(entries) = std::fs::read_dir(&self.directory)
        {
            for entry in entries.flatten() {
                remove(&entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_there_goes_and_what_was_stays() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        std::fs::create_dir(path("empty")).unwrap();
        std::fs::create_dir(path("full")).unwrap();
        std::fs::write(path("full/state.db"), "x").unwrap();
        for (name, left) in [("a/b/c", None), ("empty", Some(0)), ("full", Some(2))] {
            let before = Untouched::look(&path(name));
            std::fs::create_dir_all(path(name)).unwrap();
            std::fs::write(path(name).join("lock"), "").unwrap();
            before.restore();
            let count = std::fs::read_dir(path(name)).ok().map(Iterator::count);
            assert_eq!(count, left, "{name}");
        }
        assert!(!path("a").exists());
    }
}
