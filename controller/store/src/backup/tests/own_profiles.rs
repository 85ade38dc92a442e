//! The house's own profiles in a backup.

use super::*;

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
