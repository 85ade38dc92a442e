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

#[tokio::test]
async fn a_backup_is_private_and_replaces_nothing_unasked() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, file) = backup_of("New").await;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let data = directory.path().join("data");
    let again = back_up(&data, &file, VERSION, false).await;
    assert!(matches!(again, Err(BackupError::Exists { .. })));
    back_up(&data, &file, VERSION, true).await.unwrap();
    assert!(
        crate::directory::entries(directory.path(), TEMPORARY)
            .unwrap()
            .is_empty()
    );
    let nothing = back_up(directory.path(), &file, VERSION, true).await;
    assert!(matches!(nothing, Err(BackupError::Nothing { .. })));
}

#[tokio::test]
async fn what_is_put_back_is_what_was_backed_up_and_the_old_is_kept() {
    let (_kept, file) = backup_of("New").await;
    let data = tempfile::tempdir().unwrap();
    house(data.path(), "Old").await;
    let lock = DataDirectory::lock(data.path()).unwrap();
    let staged = stage(data.path(), File::open(&file).unwrap())
        .await
        .unwrap();
    assert_eq!(staged.manifest().files.len(), 2);
    assert_eq!(name_of(data.path()).await, "Old");
    staged.commit().unwrap();
    let aside = take_over_now(&lock).unwrap().unwrap();
    assert_eq!(name_of(data.path()).await, "New");
    assert_eq!(name_of(&aside).await, "Old");
    let state = StateDb::open(data.path()).await.unwrap();
    let key = state.house().meter.key.clone().unwrap();
    assert_eq!(key.expose(), "00112233445566778899aabbccddeeff");
}

#[tokio::test]
async fn every_cut_and_every_flipped_byte_is_refused_and_changes_nothing() {
    let (_kept, file) = backup_of("New").await;
    let whole = std::fs::read(&file).unwrap();
    let data = tempfile::tempdir().unwrap();
    house(data.path(), "Old").await;
    let before = files_of(data.path());
    // The last block is padding alone.
    let step = whole.len() / 40;
    for length in (0..whole.len() - 512).step_by(step) {
        let refused = try_stage(data.path(), whole[..length].to_vec()).await;
        assert!(
            matches!(refused, Err(BackupError::Damaged(_))),
            "{length} bytes"
        );
    }
    let content = 2048..whole.len() - 2048;
    for at in content.step_by(step) {
        let mut bad = whole.clone();
        bad[at] ^= 0x10;
        let padding = whole[at] == 0 && try_stage(data.path(), bad.clone()).await.is_ok();
        assert!(
            padding
                || matches!(
                    try_stage(data.path(), bad).await,
                    Err(BackupError::Damaged(_))
                ),
            "byte {at}"
        );
    }
    for rubbish in [Vec::new(), vec![b'x'; 5000], vec![0; 5000]] {
        assert!(try_stage(data.path(), rubbish).await.is_err());
    }
    assert_eq!(files_of(data.path()), before);
}

/// The backup with another manifest of the same length.
fn with_manifest(whole: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = whole.to_vec();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("no {from}"));
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[tokio::test]
async fn a_newer_manifest_is_refused_with_words() {
    let (_kept, file) = backup_of("New").await;
    let whole = std::fs::read(&file).unwrap();
    let data = tempfile::tempdir().unwrap();
    let schema = format!("\"schema\": {}", Database::State.known_schema());
    for (from, to) in [
        ("\"version\": \"0.1.0\"", "\"version\": \"9.1.0\""),
        (schema.as_str(), "\"schema\": 9"),
    ] {
        let refused = try_stage(data.path(), with_manifest(&whole, from, to)).await;
        let error = refused.unwrap_err();
        assert!(matches!(error, BackupError::Newer(_)), "{error}");
        assert!(
            error
                .to_string()
                .contains("which is newer; nothing was changed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_of_a_few_bytes_is_told_in_words() {
    let data = tempfile::tempdir().unwrap();
    for bytes in [Vec::new(), b"hello".to_vec(), vec![0; 600]] {
        let error = try_stage(data.path(), bytes).await.unwrap_err().to_string();
        assert!(
            error.contains("shorter than it must be") && !error.contains("buffer"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_newer_database_or_format_is_refused() {
    let (directory, file) = backup_of("New").await;
    let text = std::fs::read(&file).unwrap();
    let newer = String::from_utf8_lossy(&text[512..1024]).replace("\"format\": 1", "\"format\": 3");
    let mut bytes = text.clone();
    bytes[512..1024].copy_from_slice(newer.as_bytes());
    let data = tempfile::tempdir().unwrap();
    let refused = try_stage(data.path(), bytes).await;
    assert!(matches!(refused, Err(BackupError::Newer(_))), "{refused:?}");

    for database in Database::ALL {
        let source = directory.path().join("data");
        let path = source.join(database.file());
        let options = crate::database::options(&path, sqlx::sqlite::SqliteSynchronous::Full);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', 1, x'00', 0)",
        )
        .execute(&pool)
        .await
        .unwrap();
        // Written by the newer program, which this one cannot be: packed by hand.
        let temporary = Temporary::new(directory.path(), "newer").unwrap();
        for other in Database::ALL {
            let to = temporary.0.join(other.file());
            let copy = sqlx::query("VACUUM INTO ?").bind(to.to_str().unwrap().to_owned());
            let from = crate::database::options(
                &source.join(other.file()),
                sqlx::sqlite::SqliteSynchronous::Full,
            );
            let pool = sqlx::SqlitePool::connect_with(from).await.unwrap();
            copy.execute(&pool).await.unwrap();
            pool.close().await;
        }
        let newer = directory.path().join("newer.tar");
        let copies = Database::ALL
            .map(|it| (it.file().to_owned(), 9999))
            .to_vec();
        write::pack(&temporary, copies, &newer, "9.0.0".to_owned(), true).unwrap();
        let refused = stage(data.path(), File::open(&newer).unwrap()).await;
        assert!(
            matches!(&refused, Err(BackupError::Newer(version)) if version == "9.0.0"),
            "{refused:?}"
        );
        sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 9999")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
    }
    assert!(files_of(data.path()).is_empty());
}

#[tokio::test]
async fn a_configuration_that_cannot_be_right_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let state = StateDb::open(&data).await.unwrap();
    let mut edit = state.edit().await;
    edit.house.config.site.time_zone = "Nowhere/Land".to_owned();
    edit.commit("ada", "site").await.unwrap();
    drop(edit);
    state.close().await;
    let file = directory.path().join("backup.tar");
    back_up(&data, &file, VERSION, false).await.unwrap();
    let refused = stage(directory.path(), File::open(&file).unwrap()).await;
    let Err(error @ BackupError::Configuration(_)) = refused else {
        panic!("{refused:?}");
    };
    assert!(error.to_string().contains("site.time_zone"), "{error}");
}

/// Each rename of the exchange is a moment at which the program may die: the start after it must end it.
#[tokio::test]
async fn an_interrupted_exchange_is_ended_by_the_next_start() {
    let (_kept, file) = backup_of("New").await;
    for steps in 0..=5 {
        let data = tempfile::tempdir().unwrap();
        house(data.path(), "Old").await;
        let staged = stage(data.path(), File::open(&file).unwrap())
            .await
            .unwrap();
        // Logs that a killed program leaves behind would spoil the new database.
        for name in ["state.db-wal", "journal.db-wal"] {
            std::fs::write(data.path().join(name), b"log of the old one").unwrap();
        }
        if steps > 0 {
            staged.commit().unwrap();
            let ready = crate::directory::entries(data.path(), takeover::READY).unwrap();
            let aside = PathBuf::from(
                ready[0]
                    .to_str()
                    .unwrap()
                    .replace(takeover::READY, "before-restore-"),
            );
            std::fs::create_dir(&aside).unwrap();
            let old = |name: &str| (data.path().join(name), aside.join(name));
            let new = |name: &str| (ready[0].join(name), data.path().join(name));
            let renames = [
                old("state.db"),
                old("state.db-wal"),
                new("state.db"),
                old("journal.db"),
            ];
            for (from, to) in renames.iter().take(steps - 1) {
                std::fs::rename(from, to).unwrap();
            }
        } else {
            drop(staged);
            for name in ["state.db-wal", "journal.db-wal"] {
                std::fs::remove_file(data.path().join(name)).unwrap();
            }
        }
        let _lock = DataDirectory::lock(data.path()).unwrap();
        for name in ["state.db-wal", "journal.db-wal"] {
            assert!(!data.path().join(name).exists(), "{name}, {steps} steps");
        }
        let expected = if steps == 0 { "Old" } else { "New" };
        assert_eq!(name_of(data.path()).await, expected, "after {steps} steps");
        let journal = data.path().join("journal.db");
        crate::inspect::inspect(&journal, Database::Journal)
            .await
            .unwrap();
        assert!(
            crate::directory::entries(data.path(), takeover::READY)
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn what_a_killed_command_left_behind_goes() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("tmp-restore-0123")).unwrap();
    std::fs::write(data.path().join("tmp-restore-0123/state.db"), b"half").unwrap();
    let lock = DataDirectory::lock(data.path()).unwrap();
    assert!(!data.path().join("tmp-restore-0123").exists());
    assert!(DataDirectory::is_in_use(data.path()));
    drop(lock);
    assert!(!DataDirectory::is_in_use(data.path()));
}

#[tokio::test]
async fn the_houses_own_profiles_come_along_and_nothing_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let folder = data.join("profiles");
    std::fs::create_dir_all(&folder).unwrap();
    house(&data, "New").await;
    std::fs::write(folder.join("my-box.toml"), "name = 1").unwrap();
    for other in ["notes.txt", "UPPER.toml", ".hidden.toml"] {
        std::fs::write(folder.join(other), "x").unwrap();
    }
    std::fs::write(folder.join("long.toml"), "#".repeat(70_000)).unwrap();
    std::fs::create_dir(folder.join("folder.toml")).unwrap();
    let file = directory.path().join("backup.tar");
    let manifest = back_up(&data, &file, VERSION, false).await.unwrap();
    let names: Vec<_> = manifest
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(names, ["state.db", "journal.db", "profiles/my-box.toml"]);
    assert_eq!(manifest.format, FORMAT);

    let target = tempfile::tempdir().unwrap();
    house(target.path(), "Old").await;
    let old = target.path().join("profiles");
    std::fs::create_dir(&old).unwrap();
    std::fs::write(old.join("old-box.toml"), "name = 2").unwrap();
    let lock = DataDirectory::lock(target.path()).unwrap();
    let staged = stage(target.path(), File::open(&file).unwrap()).await;
    staged.unwrap().commit().unwrap();
    assert!(old.join("old-box.toml").exists());
    let aside = take_over_now(&lock).unwrap().unwrap();
    assert_eq!(
        std::fs::read_to_string(old.join("my-box.toml")).unwrap(),
        "name = 1"
    );
    assert!(!old.join("old-box.toml").exists());
    assert!(aside.join("profiles/old-box.toml").exists());
    assert_eq!(name_of(target.path()).await, "New");
}

/// An archive as anybody may make one, with a file of any name beside a whole configuration.
#[tokio::test]
async fn no_name_in_a_backup_leads_out_of_its_folder() {
    let (kept, _) = backup_of("New").await;
    let state = std::fs::read(kept.path().join("data/state.db")).unwrap();
    let sum = |bytes: &[u8]| write::copy_all(&mut &*bytes, &mut io::sink()).unwrap().1;
    let data = tempfile::tempdir().unwrap();
    let schema = Database::State.known_schema();
    for (name, size, good) in [
        ("profiles/my-box.toml", 10, true),
        ("profiles/../../evil.toml", 10, false),
        ("profiles//etc/evil.toml", 10, false),
        ("profiles/a/b.toml", 10, false),
        ("../evil.toml", 10, false),
        ("/tmp/evil.toml", 10, false),
        ("profiles/evil.sh", 10, false),
        ("profiles/.toml", 10, false),
        ("profiles/long.toml", 70_000, false),
        ("profiles/\u{e9}.toml", 10, false),
    ] {
        let text = vec![b'#'; size];
        let file = |name: &str, bytes: &[u8], schema| BackupFile {
            name: name.to_owned(),
            size: bytes.len() as u64,
            sha256: sum(bytes),
            schema,
        };
        let manifest = Manifest {
            kind: KIND.to_owned(),
            format: FORMAT,
            version: VERSION.to_owned(),
            made: Timestamp::now(),
            files: vec![file("state.db", &state, schema), file(name, &text, 0)],
        };
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let mut bytes = Vec::new();
        for (name, content) in [(MANIFEST, &manifest), ("state.db", &state), (name, &text)] {
            let size = content.len() as u64;
            bytes.extend(archive::header(name, size, 0).unwrap());
            bytes.extend(content);
            bytes.extend(archive::padding(size));
        }
        bytes.extend(archive::END);
        let staged = try_stage(data.path(), bytes).await;
        assert_eq!(staged.is_ok(), good, "{name}: {staged:?}");
        drop(staged);
        assert!(files_of(data.path()).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn zeros_are_told_to_be_no_backup() {
    let data = tempfile::tempdir().unwrap();
    let refused = try_stage(data.path(), vec![0; 100_000]).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("it holds no file: it is no backup"), "{text}");
}

/// A backup of a house that has these profiles, as bytes.
async fn backup_with(profiles: &[(&str, &[u8])]) -> (Manifest, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir_all(data.join("profiles")).unwrap();
    house(&data, "New").await;
    for (name, text) in profiles {
        std::fs::write(data.join("profiles").join(name), text).unwrap();
    }
    let file = directory.path().join("backup.tar");
    let manifest = back_up(&data, &file, VERSION, false).await.unwrap();
    (manifest, std::fs::read(file).unwrap())
}

fn names_of(manifest: &Manifest) -> Vec<&str> {
    manifest.files.iter().map(|it| it.name.as_str()).collect()
}

#[tokio::test]
async fn a_profile_that_is_no_text_is_left_out_and_nothing_else() {
    let (manifest, bytes) = backup_with(&[("bad.toml", b"\xff\xfe"), ("my-box.toml", b"x")]).await;
    assert_eq!(
        names_of(&manifest),
        ["state.db", "journal.db", "profiles/my-box.toml"]
    );
    let data = tempfile::tempdir().unwrap();
    assert!(try_stage(data.path(), bytes).await.is_ok());
}

/// An archive of a program that did not look.
#[tokio::test]
async fn a_profile_in_a_backup_that_is_no_text_is_left_out_and_nothing_else() {
    for (texts, whole) in [(&[b"#\xff" as &[u8], b"x = 1"][..], 1), (&[b"\xff\xff"], 0)] {
        let (kept, _) = backup_of("New").await;
        let temporary = Temporary::new(kept.path(), "by-hand").unwrap();
        std::fs::create_dir(temporary.0.join("profiles")).unwrap();
        let state = kept.path().join("data/state.db");
        std::fs::copy(state, temporary.0.join("state.db")).unwrap();
        let mut copies = vec![("state.db".to_owned(), Database::State.known_schema())];
        for (number, text) in texts.iter().enumerate() {
            let name = format!("profiles/box{number}.toml");
            std::fs::write(temporary.0.join(&name), text).unwrap();
            copies.push((name, 0));
        }
        let file = kept.path().join("by-hand.tar");
        write::pack(&temporary, copies, &file, VERSION.to_owned(), false).unwrap();

        let data = tempfile::tempdir().unwrap();
        house(data.path(), "Old").await;
        let own = data.path().join("profiles");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("old-box.toml"), "x = 2").unwrap();
        let lock = DataDirectory::lock(data.path()).unwrap();
        let staged = stage(data.path(), File::open(&file).unwrap()).await;
        let manifest = staged.unwrap().commit().unwrap();
        assert_eq!(manifest.files.len(), 1 + whole);
        take_over_now(&lock).unwrap();
        assert_eq!(name_of(data.path()).await, "New");
        assert!(!own.join("box0.toml").exists());
        assert_eq!(own.join("box1.toml").exists(), whole == 1);
        // A backup without any leaves those that are there.
        assert_eq!(own.join("old-box.toml").exists(), whole == 0);
    }
}

/// As Kubernetes mounts a folder: each file is a link into a folder beside it.
#[tokio::test]
async fn profiles_that_are_links_come_along() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let folder = data.join("profiles");
    std::fs::create_dir_all(folder.join("..2026_01")).unwrap();
    house(&data, "New").await;
    std::fs::write(folder.join("..2026_01/my-box.toml"), "name = 1").unwrap();
    std::fs::write(folder.join("..2026_01/long.toml"), "#".repeat(70_000)).unwrap();
    std::os::unix::fs::symlink("..2026_01", folder.join("..data")).unwrap();
    for name in ["my-box.toml", "long.toml", "nowhere.toml"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), folder.join(name)).unwrap();
    }
    let file = directory.path().join("backup.tar");
    let manifest = back_up(&data, &file, VERSION, false).await.unwrap();
    assert_eq!(
        names_of(&manifest),
        ["state.db", "journal.db", "profiles/my-box.toml"]
    );
}

#[tokio::test]
async fn a_folder_of_profiles_that_leads_nowhere_is_put_aside() {
    let (_, bytes) = backup_with(&[("my-box.toml", b"x = 1")]).await;
    let data = tempfile::tempdir().unwrap();
    house(data.path(), "Old").await;
    let own = data.path().join("profiles");
    std::os::unix::fs::symlink("/nowhere/at/all", &own).unwrap();
    let lock = DataDirectory::lock(data.path()).unwrap();
    let staged = try_stage(data.path(), bytes).await;
    staged.unwrap().commit().unwrap();
    let aside = take_over_now(&lock).unwrap().unwrap();
    assert_eq!(name_of(data.path()).await, "New");
    assert_eq!(std::fs::read(own.join("my-box.toml")).unwrap(), b"x = 1");
    assert!(
        aside
            .join("profiles")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
}

fn busy(_: &Path, _: &Path, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::ResourceBusy.into())
}

/// A data directory, with what is staged in it, the old profiles and what stays aside, each with these files.
fn three_folders(new: &[&str], old: &[&str]) -> (tempfile::TempDir, [PathBuf; 3]) {
    let data = tempfile::tempdir().unwrap();
    let ready = data.path().join("ready");
    for (folder, names) in [(&ready, new), (&data.path().to_owned(), old)] {
        std::fs::create_dir_all(folder.join("profiles")).unwrap();
        for name in names {
            let text = if folder == &ready { "new" } else { "old" };
            std::fs::write(folder.join("profiles").join(name), text).unwrap();
        }
    }
    let folders = [
        ready.join("profiles"),
        data.path().join("profiles"),
        data.path().join("aside/profiles"),
    ];
    (data, folders)
}

fn texts_of(folder: &Path) -> Vec<(String, String)> {
    let texts = profiles::names(folder).into_iter().map(|name| {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        (name, text)
    });
    texts.collect()
}

fn texts(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// A mount point cannot be renamed.
#[test]
fn the_files_of_a_folder_that_cannot_be_renamed_are_exchanged() {
    let (data, [_, folder, kept]) = three_folders(&["a.toml", "b.toml"], &["b.toml", "c.toml"]);
    // The second time as after an interruption.
    for _ in 0..2 {
        let (ready, aside) = (data.path().join("ready"), data.path().join("aside"));
        takeover::exchange_profiles(data.path(), &ready, &aside, busy);
        assert_eq!(
            texts_of(&folder),
            texts(&[("a.toml", "new"), ("b.toml", "new")])
        );
        let old: Vec<_> = texts_of(&kept)
            .into_iter()
            .skip(usize::from(texts_of(&kept).len() > 2))
            .collect();
        assert_eq!(old, texts(&[("b.toml", "old"), ("c.toml", "old")]));
        assert!(!aside.join("profiles-of-the-backup").exists());
    }
}

/// What cannot be exchanged either is kept for whoever mends it, and nothing is lost.
#[test]
fn profiles_that_cannot_be_exchanged_hold_up_nothing() {
    let (data, [_, folder, kept]) = three_folders(&["a.toml", "b.toml"], &["b.toml"]);
    let (ready, aside) = (data.path().join("ready"), data.path().join("aside"));
    // A folder in the place of a file: nothing can be written there.
    std::fs::create_dir(folder.join("a.toml")).unwrap();
    takeover::exchange_profiles(data.path(), &ready, &aside, busy);
    assert_eq!(texts_of(&folder), texts(&[("b.toml", "new")]));
    assert_eq!(texts_of(&kept), texts(&[("b.toml", "old")]));
    assert_eq!(
        texts_of(&aside.join("profiles-of-the-backup")),
        texts(&[("a.toml", "new"), ("b.toml", "new")])
    );
}
