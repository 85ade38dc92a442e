//! Where the data of a house lie, for the service and for the commands beside it.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use headroom_store::StateDb;

/// The data directory that a command means.
///
/// # Errors
/// When nothing tells where it could be.
pub(crate) fn data_directory(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    given
        .map(Path::to_owned)
        .or_else(|| variable("STATE_DIRECTORY"))
        .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("headroom")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/headroom")))
        .context("no place for the data is known: name one with --data")
}

/// Where the data are, for commands beside the service.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The data directory; default: the platform's state directory
    #[arg(long = "data", env = "HEADROOM_DATA", value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl DataArgs {
    /// Where the data are.
    ///
    /// # Errors
    /// When nothing tells where they could be.
    pub(crate) fn directory(&self) -> anyhow::Result<PathBuf> {
        data_directory(self.directory.as_deref())
    }

    /// Opens the database of the configuration. It takes several programs at once, so the service may run
    /// beside it.
    ///
    /// # Errors
    /// When there is none, so that a forgotten `--data` is not answered from an empty house.
    pub(crate) async fn open_state(&self) -> anyhow::Result<StateDb> {
        let directory = data_directory(self.directory.as_deref())?;
        if !has_state(&directory)? {
            bail!(
                "there is no Headroom in the data directory {}: name the one that the service uses with --data DIR or in \
                 $STATE_DIRECTORY; under systemd it is /var/lib/headroom",
                directory.display()
            );
        }
        Ok(StateDb::open(&directory).await?)
    }

    /// The same before the service's first start: what is not there is begun. Who asked is to be told so once it is there
    /// to stay.
    ///
    /// # Errors
    /// When it cannot be made or opened.
    pub(crate) async fn open_or_begin_state(&self) -> anyhow::Result<(StateDb, Begun)> {
        let directory = data_directory(self.directory.as_deref())?;
        let missing = !has_state(&directory)?;
        // Made for its owner alone, and let go of at once: the service may start beside this.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("cannot make the data directory {}", directory.display()))?;
        let state = StateDb::open(&directory).await?;
        Ok((state, Begun(missing.then_some(directory))))
    }
}

/// A data directory that was begun, or none.
#[derive(Debug)]
#[must_use]
pub(crate) struct Begun(Option<PathBuf>);

impl Begun {
    /// Tells who asked where it is.
    pub(crate) fn tell(&self) {
        if let Some(directory) = &self.0 {
            tracing::warn!(
                "there was no Headroom in the data directory {}: one is begun there, which the service must use too (--data \
                 DIR or $STATE_DIRECTORY)",
                directory.display()
            );
        }
    }
}

/// Whether a data directory holds a configuration.
///
/// # Errors
/// When this user may not look: that is another thing than not there.
pub(crate) fn has_state(directory: &Path) -> anyhow::Result<bool> {
    let there = directory.join("state.db").try_exists();
    if let Err(error) = &there
        && error.kind() == std::io::ErrorKind::NotADirectory
    {
        bail!(
            "{} is a file: name the data directory that the service uses",
            directory.display()
        );
    }
    there.with_context(|| {
        format!(
            "it cannot be told whether a Headroom is in the data directory {}, which this user may not look into: run this as \
             the user of the service (under systemd: with sudo)",
            directory.display()
        )
    })
}
