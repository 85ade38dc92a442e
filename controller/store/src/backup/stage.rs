//! Verifying a backup, beside the data that it shall replace.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use headroom_core::{Milliamps, PerPhase};
use jiff::Timestamp;
use sqlx::Connection;
use sqlx::sqlite::SqliteSynchronous;

use super::takeover::READY;
use super::write::copy_all;
use super::{
    BackupError, FORMAT, KIND, MANIFEST, MANIFEST_MAX, Manifest, Temporary, archive, blocking,
    file_error, profiles, sync_directory,
};
use crate::directory::FILE_MODE;
use crate::error::StoreError;
use crate::inspect::{Database, inspect};
use crate::state::StateDb;
use crate::{database, directory};

/// A verified backup in the data directory, not yet in force. Dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    manifest: Manifest,
    temporary: Temporary,
}

/// Reads a backup into a directory of its own within the data directory, and verifies all of it: the archive and its
/// checksums, that the databases are whole and of a schema that is known here, and that the configuration is valid. The
/// schemas are brought up to date there.
///
/// # Errors
/// What is wrong with it. Nothing was changed then.
pub async fn stage(
    directory: &Path,
    backup: impl Read + Send + 'static,
) -> Result<Staged, BackupError> {
    let temporary = Temporary::new(directory, "restore")?;
    let mut staged = blocking(move || unpack(backup, temporary)).await?;
    staged.leave_out_what_is_no_text()?;
    let folder = &staged.temporary.0;
    for entry in &staged.manifest.files {
        let path = folder.join(&entry.name);
        if profiles::is_one(&entry.name, entry.size) {
            continue;
        }
        let database = database_of(&entry.name)?;
        let verified = verify(&path, database).await;
        verified.map_err(|error| match error {
            StoreError::Newer { .. } => BackupError::Newer(staged.manifest.version.clone()),
            StoreError::Damaged { .. } => {
                BackupError::Damaged(format!("{} in it is damaged", entry.name))
            }
            error => error.into(),
        })?;
    }
    let state = StateDb::open(folder).await?;
    let house = state.house();
    state.close().await;
    // What was learnt of the house does not matter: it was valid with it.
    house
        .validate(PerPhase::all(Milliamps::ZERO))
        .map_err(BackupError::Configuration)?;
    Ok(staged)
}

/// Looks whether a database is whole, and brings its schema up to date.
async fn verify(path: &Path, database: Database) -> Result<(), StoreError> {
    inspect(path, database).await?;
    let options = database::options(path, SqliteSynchronous::Full);
    let connection = database::open(options, database.migrator())
        .await
        .map_err(|error| database::migrate_error(path, error))?;
    // Writes everything into the one file.
    connection
        .close()
        .await
        .map_err(|error| database::open_error(path, error))
}

fn database_of(name: &str) -> Result<Database, BackupError> {
    Database::ALL
        .into_iter()
        .find(|database| database.file() == name)
        .ok_or_else(|| BackupError::Damaged("it holds what no backup has".to_owned()))
}

/// Unpacks an archive whose every byte is as its manifest says.
fn unpack(mut backup: impl Read, temporary: Temporary) -> Result<Staged, BackupError> {
    let manifest = read_manifest(&mut backup)?;
    if manifest.files.iter().any(|entry| entry.schema == 0) {
        profiles::make_folder(&temporary.0)?;
    }
    for entry in &manifest.files {
        let found = archive::next(&mut backup).map_err(BackupError::Damaged)?;
        if found != Some((entry.name.clone(), entry.size)) {
            return Err(BackupError::Damaged(
                "it holds something else than its manifest says".to_owned(),
            ));
        }
        let path = temporary.0.join(&entry.name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(file_error(&path))?;
        let mut content = (&mut backup).take(entry.size);
        let (size, sha256) = copy_all(&mut content, &mut file).map_err(file_error(&path))?;
        if size != entry.size {
            return Err(BackupError::Damaged("it ends too early".to_owned()));
        }
        if sha256 != entry.sha256 {
            return Err(BackupError::Damaged(format!(
                "the checksum of {} does not fit",
                entry.name
            )));
        }
        archive::skip_padding(&mut backup, size).map_err(BackupError::Damaged)?;
    }
    match archive::next(&mut backup).map_err(BackupError::Damaged)? {
        None => Ok(Staged {
            manifest,
            temporary,
        }),
        Some(_) => Err(BackupError::Damaged(
            "it holds something else than its manifest says".to_owned(),
        )),
    }
}

fn read_manifest(backup: &mut impl Read) -> Result<Manifest, BackupError> {
    let damaged = |what: &str| BackupError::Damaged(what.to_owned());
    let first = archive::next(backup).map_err(BackupError::Damaged)?;
    let Some((name, size)) = first else {
        return Err(damaged(
            "it holds no file: it is no backup, or an empty archive",
        ));
    };
    if name != MANIFEST || size > MANIFEST_MAX {
        return Err(damaged("it does not begin with a manifest"));
    }
    let mut text = Vec::new();
    backup
        .take(size)
        .read_to_end(&mut text)
        .map_err(|error| BackupError::Damaged(error.to_string()))?;
    archive::skip_padding(backup, size).map_err(BackupError::Damaged)?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| BackupError::Damaged(format!("its manifest cannot be read: {error}")))?;
    if manifest.kind != KIND {
        return Err(damaged("its manifest is of something else"));
    }
    let newer_schema = manifest.files.iter().any(|entry| {
        database_of(&entry.name).is_ok_and(|database| entry.schema > database.known_schema())
    });
    if manifest.format > FORMAT || newer_schema || is_newer(&manifest.version) {
        return Err(BackupError::Newer(manifest.version));
    }
    let names: BTreeSet<_> = manifest.files.iter().map(|entry| &entry.name).collect();
    let known = manifest
        .files
        .iter()
        .all(|entry| match database_of(&entry.name) {
            Ok(_) => entry.schema > 0,
            Err(_) => entry.schema == 0 && profiles::is_one(&entry.name, entry.size),
        });
    let has_state = names.iter().any(|name| *name == Database::State.file());
    let too_many = manifest.files.len() > Database::ALL.len() + profiles::MOST;
    if !known || !has_state || too_many || names.len() != manifest.files.len() {
        return Err(damaged("its manifest names other files than a backup has"));
    }
    Ok(manifest)
}

/// Whether a version, such as `0.2.0`, comes after this program's. One that is none is judged by the schemas alone.
fn is_newer(version: &str) -> bool {
    let numbers = |version: &str| {
        let release = version.split(['-', '+']).next()?;
        release
            .split('.')
            .map(|number| number.parse::<u64>().ok())
            .collect::<Option<Vec<_>>>()
    };
    numbers(version)
        .is_some_and(|theirs| numbers(env!("CARGO_PKG_VERSION")).is_some_and(|ours| theirs > ours))
}

impl Staged {
    /// Takes out the profiles that no service could read: a whole configuration does not depend on them.
    fn leave_out_what_is_no_text(&mut self) -> Result<(), BackupError> {
        let mut bad = Vec::new();
        self.manifest.files.retain(|entry| {
            let path = self.temporary.0.join(&entry.name);
            let good = !profiles::is_one(&entry.name, entry.size) || profiles::read(&path).is_ok();
            if !good {
                tracing::warn!(
                    profile = entry.name,
                    "a profile in the backup is no text and is left out: write it anew"
                );
                bad.push(path);
            }
            good
        });
        bad.iter()
            .try_for_each(|path| std::fs::remove_file(path).map_err(file_error(path)))?;
        if !self.manifest.files.iter().any(|entry| entry.schema == 0) {
            // Without any it is a backup without profiles: those that are there stay.
            drop(std::fs::remove_dir(self.temporary.0.join(profiles::FOLDER)));
        }
        Ok(())
    }

    /// What the backup holds, without what is left out of it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Decides for it: from here on it replaces the data at the next [`crate::DataDirectory::lock`], whatever happens
    /// in between. One that was decided for before and did not come into force is dropped.
    ///
    /// # Errors
    /// When the disk fails; then nothing was changed.
    pub fn commit(self) -> Result<Manifest, BackupError> {
        let folder = &self.temporary.0;
        let parent = folder.parent().unwrap_or(Path::new("."));
        for entry in &self.manifest.files {
            let path = folder.join(&entry.name);
            let file = File::open(&path).map_err(file_error(&path))?;
            file.sync_all().map_err(file_error(&path))?;
        }
        let own = folder.join(profiles::FOLDER);
        for folder in [&own, folder].into_iter().filter(|folder| folder.is_dir()) {
            sync_directory(folder).map_err(file_error(folder))?;
        }
        for older in directory::entries(parent, READY)? {
            std::fs::remove_dir_all(&older).map_err(file_error(&older))?;
        }
        let stamp = Timestamp::now().as_millisecond();
        let ready = parent.join(format!("{READY}{stamp:015}"));
        std::fs::rename(folder, &ready).map_err(file_error(&ready))?;
        sync_directory(parent).map_err(file_error(parent))?;
        Ok(self.manifest.clone())
    }
}
