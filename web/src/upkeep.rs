//! What backups, restoring and diagnostics need of the program: where its data are, and how it starts anew.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

/// Where the data are, and how the program starts anew.
#[derive(Clone, Debug)]
pub struct Upkeep {
    /// The data directory.
    pub directory: PathBuf,
    /// Set to true, the program ends in order and starts again. `None` where nothing can be restored: the demo makes its
    /// house anew at each start.
    pub restart: Option<watch::Sender<bool>>,
    /// Since when it runs.
    pub(crate) started: Instant,
    /// One backup is written or restored at a time: each takes the room of the databases twice.
    pub(crate) turn: Arc<Semaphore>,
}

impl Upkeep {
    /// Of a program that starts now.
    pub fn new(directory: PathBuf, restart: Option<watch::Sender<bool>>) -> Self {
        Self {
            directory,
            restart,
            started: Instant::now(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}
