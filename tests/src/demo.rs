//! `headroom demo` on loopback.

use std::{fs, path::PathBuf, time::Duration};

use tempfile::TempDir;

use crate::{
    api::Api,
    controller::{address, command},
    process::Process,
    wait,
};

/// A demo that has not decided by then is broken; a busy machine may be slow.
const DECIDES: Duration = Duration::from_secs(60);

/// A running demo, with its data in a folder of its own.
#[derive(Debug)]
pub struct Demo {
    /// Itself.
    pub process: Process,
    /// Everybody on loopback is installer.
    pub api: Api,
    folder: TempDir,
}

impl Demo {
    /// Starts it with more arguments.
    pub fn start(more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let arguments = [&["demo", "--listen", "127.0.0.1:0"], more].concat();
        let process = Process::start(command(&arguments).env("TMPDIR", folder.path()));
        let api = Api::new(&address(&process));
        Self {
            process,
            api,
            folder,
        }
    }

    /// At the highest speed that there is, with this many decisions already that are no renewals.
    pub fn fast(decisions: usize) -> Self {
        let demo = Self::start(&["--seed", "3", "--speed", "60"]);
        wait::until("the demo decides", DECIDES, || {
            let found = demo.api.get("decisions?limit=500");
            let items = found.expect(200).json["items"].as_array()?.len();
            (items >= decisions).then_some(())
        });
        demo
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut folders = entries.map(|entry| entry.unwrap().path());
        let data = folders.find(|path| path.join("journal.db").exists());
        data.unwrap()
    }
}
