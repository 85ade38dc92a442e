//! What can go wrong with the data directory and its databases, in words for the person who must act.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why something could not be stored or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process uses the directory.
    #[error(
        "another Headroom runs with the data directory {}: stop it, or name another directory with --data",
        directory.display()
    )]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory or a file in it cannot be used.
    #[error("{} cannot be used: {}", path.display(), advice(source))]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A database cannot be opened.
    #[error("{} cannot be opened: restore a backup, or check the disk and the owner of the file", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: sqlx::Error,
    },
    /// A database holds no database any more.
    #[error(
        "{} is damaged and was left as it is: restore a backup of it, or move the file away to begin {}",
        path.display(),
        without(path)
    )]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The configuration is gone, though there is a journal of it.
    #[error(
        "{} is missing or empty, though there is a journal beside it, so the configuration of the house is lost: restore a \
         backup, or move journal.db away to begin anew",
        path.display()
    )]
    Gone {
        /// Which.
        path: PathBuf,
    },
    /// A database was written by a newer program.
    #[error(
        "{} was written by a newer Headroom and was left as it is: install that version again, or restore a backup",
        path.display()
    )]
    Newer {
        /// Which.
        path: PathBuf,
    },
    /// A database that is only read was written by an older program.
    #[error(
        "{} was written by an older Headroom: start the service once, which brings it up to date",
        path.display()
    )]
    Older {
        /// Which.
        path: PathBuf,
    },
    /// A schema could not be brought up to date.
    #[error("{} could not be brought up to date and was left as it is: restore a backup", path.display())]
    Migrate {
        /// Which.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error(
        "the database did not do it, and nothing was changed: check the disk's space and health"
    )]
    Database(#[source] sqlx::Error),
    /// A row holds what this program cannot read.
    #[error("the database holds a row that cannot be read")]
    Content(#[source] serde_json::Error),
    /// The journal is not there.
    #[error("the journal is not available: check the disk's space and health")]
    NoJournal,
    /// Something of that name is there already.
    #[error("there is one of that name already")]
    Exists,
    /// There are as many as there may be.
    #[error("there are as many as there may be: remove one first")]
    TooMany,
    /// Nothing of that name is there.
    #[error("there is none of that name")]
    NotFound,
    /// Without it nobody could configure the house any more.
    #[error("the last installer cannot be removed")]
    LastInstaller,
    /// The first set-up is over.
    #[error("the set-up has been done already")]
    AlreadySetUp,
    /// The code of the first set-up is another one.
    #[error("the set-up code is another one")]
    WrongCode,
    /// A password could not be hashed.
    #[error("the password could not be stored")]
    Password,
}

/// What to do where the system refused a file or a directory.
pub(crate) fn advice(refused: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match refused.kind() {
        Kind::NotFound => "it is not there; check its name",
        Kind::PermissionDenied => {
            "this user may not; run this as the user of the service (under systemd: with sudo), or change its owner"
        }
        Kind::ReadOnlyFilesystem => {
            "it may only be read; look whether the disk was mounted so, or was made so after an error"
        }
        Kind::AlreadyExists | Kind::NotADirectory => {
            "a file, or a link that leads nowhere, stands where a directory must be; name another place"
        }
        Kind::IsADirectory => "a directory stands where a file must be; name another place",
        Kind::StorageFull | Kind::QuotaExceeded => "no space is left; make room on the disk",
        _ => "check the disk's space and health",
    }
}

/// What is lost with a file.
fn without(path: &std::path::Path) -> &'static str {
    if path.file_name().is_some_and(|name| name == "journal.db") {
        "a new journal, without what happened so far; the configuration is in state.db and stays"
    } else {
        "without configuration"
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        match &source {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(error) if error.is_unique_violation() => Self::Exists,
            _ => Self::Database(source),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(source: serde_json::Error) -> Self {
        Self::Content(source)
    }
}
