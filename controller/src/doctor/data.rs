//! The data directory: who uses it, whom it belongs to, its disk, its databases.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use headroom_store::{Database, StoreError, inspect};

use super::Finding;

/// A journal of years takes less than this; below it the service may not get far.
const SPACE_WARNING: u64 = 2 * 1024 * 1024 * 1024;
/// Below this not even the next days fit.
const SPACE_PROBLEM: u64 = 100 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;
/// What others than the owner may do.
const OTHERS: u32 = 0o077;

/// What to do where this user may not look.
const AS_ITS_USER: &str = "run this as the user of the service (under systemd: with sudo), or give the files to this user (chown -R)";

/// Whether this user may know of a file whether it is there.
fn may_look(path: &Path) -> bool {
    !matches!(path.try_exists(), Err(error) if error.kind() == ErrorKind::PermissionDenied)
}

/// Whether this user may read a file that is there.
fn may_read(path: &Path) -> bool {
    let opened = std::fs::File::open(path);
    !matches!(opened, Err(error) if error.kind() == ErrorKind::PermissionDenied)
}

pub(super) fn lock(directory: &Path, running: bool) -> Finding {
    let shown = directory.display();
    if !running && !may_read(&directory.join("lock")) {
        return Finding::warning(
            "lock",
            format!(
                "it cannot be told whether a Headroom runs with the data directory {shown}: this user may not look"
            ),
            AS_ITS_USER,
        );
    }
    Finding::ok(
        "lock",
        if running {
            format!("Headroom runs with the data directory {shown}")
        } else {
            format!("no Headroom runs with the data directory {shown}")
        },
    )
}

pub(super) fn directory(directory: &Path) -> Vec<Finding> {
    const CHECK: &str = "directory";
    let shown = directory.display();
    let metadata = match directory.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return vec![Finding::warning(
                CHECK,
                format!("{shown} is not there"),
                "name the one that the service uses with --data DIR (under systemd: /var/lib/headroom); the first start makes one",
            )];
        }
        Err(error) => {
            return vec![Finding::problem(
                CHECK,
                format!("{shown} cannot be looked at by this user ({error})"),
                AS_ITS_USER,
            )];
        }
    };
    if !metadata.is_dir() {
        return vec![Finding::problem(
            CHECK,
            format!("{shown} is no directory"),
            "name another one with --data DIR",
        )];
    }
    let mut findings = Vec::new();
    let writable = rustix::fs::access(
        directory,
        rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    );
    if writable.is_err() {
        findings.push(Finding::problem(
            CHECK,
            format!("{shown} cannot be read and written by this user"),
            AS_ITS_USER,
        ));
    }
    let names = Database::ALL.map(Database::file);
    let mut paths = vec![directory.to_owned()];
    paths.extend(names.map(|name| directory.join(name)));
    for path in paths {
        let Ok(metadata) = path.metadata() else {
            continue;
        };
        if metadata.mode() & OTHERS != 0 {
            findings.push(Finding::warning(
                CHECK,
                format!(
                    "{} is open to others than its owner, and holds passwords",
                    path.display()
                ),
                format!("chmod go= {}", path.display()),
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            format!("{shown} belongs to its owner alone, and can be written"),
        ));
    }
    findings
}

pub(super) fn space(directory: &Path) -> Finding {
    const CHECK: &str = "disk";
    // One that is not there yet will lie on the disk of its parents.
    let whole = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let existing = whole.ancestors().find(|path| path.exists());
    let free = existing.and_then(|path| rustix::fs::statvfs(path).ok());
    let Some(free) = free.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)) else {
        return Finding::warning(
            CHECK,
            "its space cannot be read",
            "check that it is mounted",
        );
    };
    enough(free)
}

fn enough(free: u64) -> Finding {
    const CHECK: &str = "disk";
    let text = format!("{} MiB are free", free / MIB);
    let to_do = "make room: a journal of years takes 2 GiB at most; without room nothing is recorded, and no change can be stored";
    if free < SPACE_PROBLEM {
        Finding::problem(CHECK, text, to_do)
    } else if free < SPACE_WARNING {
        Finding::warning(CHECK, text, to_do)
    } else {
        Finding::ok(CHECK, text)
    }
}

pub(super) async fn databases(directory: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for database in Database::ALL {
        let path = directory.join(database.file());
        if !may_look(&path) || !may_read(&path) {
            findings.push(Finding::problem(
                "database",
                format!(
                    "{} may not be read by this user: whether it is whole is not known",
                    database.file()
                ),
                AS_ITS_USER,
            ));
        } else if path.exists() {
            findings.push(looked_at(database, inspect(&path, database).await));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::warning(
            "database",
            "there is none yet",
            "if there should be one, name the service's directory with --data DIR",
        ));
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("journal.db.damaged-")
            && !name.ends_with("-wal")
            && !name.ends_with("-shm")
        {
            findings.push(Finding::warning(
                "database",
                format!("{name} was set aside because it was damaged"),
                "check the disk or card; remove the file when nothing in it is missed",
            ));
        }
    }
    findings
}

fn looked_at(database: Database, result: Result<i64, StoreError>) -> Finding {
    const CHECK: &str = "database";
    let (name, known) = (database.file(), database.known_schema());
    match result {
        Ok(schema) if schema == known => {
            Finding::ok(CHECK, format!("{name} is whole (schema {schema})"))
        }
        Ok(schema) => Finding::ok(
            CHECK,
            format!("{name} is whole (schema {schema}; the next start brings it to {known})"),
        ),
        Err(error @ StoreError::Newer { .. }) => Finding::problem(
            CHECK,
            error.to_string(),
            "install that version, or put a backup back (headroom restore)",
        ),
        Err(StoreError::Damaged { .. }) if database == Database::Journal => Finding::problem(
            CHECK,
            format!("{name} is damaged"),
            "the next start sets it aside and begins a new one; check the disk or card",
        ),
        Err(error) => Finding::problem(
            CHECK,
            error.to_string(),
            "stop the service and put a backup back (headroom restore FILE); check the disk or card",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn little_room_is_told() {
        assert_eq!(enough(0).state, State::Problem);
        assert_eq!(enough(SPACE_PROBLEM).state, State::Warning);
        assert_eq!(enough(SPACE_WARNING).state, State::Ok);
    }

    #[tokio::test]
    async fn a_damaged_database_is_a_problem_and_stays_as_it_is() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("state.db"), vec![b'x'; 8192]).unwrap();
        let findings = databases(data.path()).await;
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].state, State::Problem, "{findings:?}");
        assert_eq!(
            std::fs::read(data.path().join("state.db")).unwrap(),
            vec![b'x'; 8192]
        );
    }

    #[test]
    fn what_others_can_read_is_told() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        let set = |mode| {
            std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o755);
        assert_eq!(directory(data.path())[0].state, State::Warning);
        set(0o700);
        assert_eq!(directory(data.path())[0].state, State::Ok);
        assert_eq!(directory(&data.path().join("no"))[0].state, State::Warning);
    }
}
