//! Whatever is wrong with a backup, and wherever its taking over is interrupted: the old data or the new, whole.

use headroom_core::config::Secret;

use super::*;
use crate::directory::DataDirectory;
use crate::inspect::Database;
use crate::journal::{Journal, Retention};
use crate::state::StateDb;

const VERSION: &str = "0.1.0";

/// A data directory whose house has this name.
async fn house(directory: &Path, name: &str) {
    let state = StateDb::open(directory).await.unwrap();
    let mut edit = state.edit().await;
    edit.house.config.site.name = name.to_owned();
    edit.house.meter.key = Some(Secret::new("00112233445566778899aabbccddeeff".into()));
    edit.commit("ada", "site").await.unwrap();
    drop(edit);
    state.close().await;
    let journal = Journal::open(directory, name, Timestamp::now(), Retention::default()).await;
    journal.close().await;
}

async fn name_of(directory: &Path) -> String {
    let state = StateDb::open(directory).await.unwrap();
    let name = state.house().config.site.name.clone();
    state.close().await;
    name
}

/// A backup of a house of this name.
async fn backup_of(name: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    house(&data, name).await;
    let file = directory.path().join("backup.tar");
    back_up(&data, &file, VERSION, false).await.unwrap();
    (directory, file)
}

fn files_of(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap_or_default()))
        .collect();
    files.sort();
    files
}

async fn try_stage(directory: &Path, bytes: Vec<u8>) -> Result<Staged, BackupError> {
    stage(directory, io::Cursor::new(bytes)).await
}

mod exchange;
mod own_profiles;
mod refused;
