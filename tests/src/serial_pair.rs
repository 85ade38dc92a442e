//! Two serial ports that are joined: what is sent into one comes out of the other (Debian's socat).

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{process::Process, tools, wait};

const START: Duration = Duration::from_secs(20);

/// The pair; it ends when it is dropped.
#[derive(Debug)]
pub struct SerialPair {
    /// One end.
    pub near: PathBuf,
    /// The other.
    pub far: PathBuf,
    _process: Process,
}

impl SerialPair {
    /// Makes the two ends in a folder; `None` without socat.
    pub fn start(folder: &Path) -> Option<Self> {
        let socat = tools::tool("socat")?;
        let (near, far) = (folder.join("near"), folder.join("far"));
        let end = |path: &Path| format!("PTY,link={},raw,echo=0", path.display());
        let process = Process::start(Command::new(socat).args([end(&near), end(&far)]));
        wait::until("both ends", START, || {
            (near.exists() && far.exists()).then_some(())
        });
        Some(Self {
            near,
            far,
            _process: process,
        })
    }
}
