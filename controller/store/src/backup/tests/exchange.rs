//! What was staged takes the place of what was there, whatever happens meanwhile.

use super::*;

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
