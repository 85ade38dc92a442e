//! Writing a backup.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::{
    BackupError, BackupFile, CHUNK, DATABASES_ALONE, FORMAT, KIND, MANIFEST, Manifest, Temporary,
    archive, blocking, file_error, profiles, sync_directory,
};
use crate::database::open_error;
use crate::directory::FILE_MODE;
use crate::error::StoreError;
use crate::inspect::{Database, inspect};

/// A copy in one read transaction (SQLite, "VACUUM INTO"): consistent, and no writer waits for it.
const COPY: &str = "VACUUM INTO ?";
/// How long it waits for a lock that another process holds.
const BUSY: Duration = Duration::from_secs(5);

/// Writes both databases of a data directory and its profiles into one file for its owner alone; the service may run. A journal that is
/// damaged is left out, since the configuration matters more.
///
/// `version` is the program's own. The file appears whole or not at all.
///
/// # Errors
/// [`BackupError::Exists`] if the file is there and may not be overwritten; when a disk fails, or `state.db` is not whole.
pub async fn back_up(
    directory: &Path,
    file: &Path,
    version: &str,
    overwrite: bool,
) -> Result<Manifest, BackupError> {
    if !overwrite && file.exists() {
        return Err(BackupError::Exists {
            path: file.to_owned(),
        });
    }
    if !directory.join(Database::State.file()).exists() {
        return Err(BackupError::Nothing {
            directory: directory.to_owned(),
        });
    }
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = Temporary::new(parent, "backup")?;
    let mut copies = Vec::new();
    for database in Database::ALL {
        let from = directory.join(database.file());
        if !from.exists() {
            continue;
        }
        let copy = temporary.0.join(database.file());
        match copy_database(&from, &copy, database).await {
            Ok(schema) => copies.push((database.file().to_owned(), schema)),
            Err(error @ StoreError::Damaged { .. }) if database == Database::Journal => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the backup is written without the journal"
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    let found = profiles::copy(directory, &temporary.0)?;
    copies.extend(found.into_iter().map(|name| (name, 0)));
    let (file, version) = (file.to_owned(), version.to_owned());
    blocking(move || pack(&temporary, copies, &file, version, overwrite)).await
}

async fn copy_database(from: &Path, to: &Path, database: Database) -> Result<i64, StoreError> {
    let failed = |error| open_error(from, error);
    let options = SqliteConnectOptions::new()
        .filename(from)
        .read_only(true)
        .busy_timeout(BUSY);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(failed)?;
    let copied = sqlx::query(COPY)
        .bind(to.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await;
    // Nothing was written there.
    drop(connection.close().await);
    copied.map_err(failed)?;
    inspect(to, database).await
}

/// Puts the copies into one file.
pub(super) fn pack(
    temporary: &Temporary,
    copies: Vec<(String, i64)>,
    file: &Path,
    version: String,
    overwrite: bool,
) -> Result<Manifest, BackupError> {
    let mut files = Vec::new();
    for (name, schema) in copies {
        let path = temporary.0.join(&name);
        let mut copy = File::open(&path).map_err(file_error(&path))?;
        let (size, sha256) = copy_all(&mut copy, &mut io::sink()).map_err(file_error(&path))?;
        files.push(BackupFile {
            name,
            size,
            sha256,
            schema,
        });
    }
    let alone = files.iter().all(|file| file.schema > 0);
    let manifest = Manifest {
        kind: KIND.to_owned(),
        format: if alone { DATABASES_ALONE } else { FORMAT },
        version,
        made: Timestamp::now(),
        files,
    };
    let part = temporary.0.join("backup.tar");
    write(&manifest, &temporary.0, &part).map_err(file_error(file))?;
    publish(&part, file, overwrite)?;
    Ok(manifest)
}

fn write(manifest: &Manifest, copies: &Path, part: &PathBuf) -> io::Result<()> {
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(part)?;
    let seconds = manifest.made.as_second();
    let text = serde_json::to_vec_pretty(manifest)?;
    let size = u64::try_from(text.len()).map_err(io::Error::other)?;
    out.write_all(&archive::header(MANIFEST, size, seconds)?)?;
    out.write_all(&text)?;
    out.write_all(archive::padding(size))?;
    for entry in &manifest.files {
        out.write_all(&archive::header(&entry.name, entry.size, seconds)?)?;
        copy_all(&mut File::open(copies.join(&entry.name))?, &mut out)?;
        out.write_all(archive::padding(entry.size))?;
    }
    out.write_all(&archive::END)?;
    out.sync_all()
}

/// Gives the finished file its name. It lies in a directory beside it, so this is one step.
fn publish(part: &Path, file: &Path, overwrite: bool) -> Result<(), BackupError> {
    let done = if overwrite {
        std::fs::rename(part, file)
    } else {
        // Unlike a rename, a link never replaces what came meanwhile.
        std::fs::hard_link(part, file).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ => take_name(part, file),
        })
    };
    done.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists {
            path: file.to_owned(),
        },
        _ => file_error(file)(error),
    })?;
    let parent = part.parent().and_then(Path::parent);
    sync_directory(parent.unwrap_or(Path::new("."))).map_err(file_error(file))
}

/// The same where the disk knows no links, as a stick with FAT: takes the name if nobody has it, and puts the file there.
fn take_name(part: &Path, file: &Path) -> io::Result<()> {
    File::create_new(file)?;
    std::fs::rename(part, file).inspect_err(|_| {
        // What was begun is not left there.
        std::fs::remove_file(file).ok();
    })
}

/// Copies everything; answers how many bytes there were, and their SHA-256.
pub(super) fn copy_all(
    input: &mut impl Read,
    output: &mut impl Write,
) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = input.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
        output.write_all(bytes)?;
        size += u64::try_from(read).map_err(io::Error::other)?;
    }
    let digits: Vec<_> = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((size, digits.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_only_where_nobody_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        let (part, file) = (path("part"), path("backup.tar"));
        std::fs::write(&part, "first").unwrap();
        take_name(&part, &file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "first");
        assert!(!part.exists());
        std::fs::write(&part, "second").unwrap();
        let error = take_name(&part, &file).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "first");
        take_name(&path("missing"), &path("other.tar")).unwrap_err();
        assert!(!path("other.tar").exists());
    }
}
