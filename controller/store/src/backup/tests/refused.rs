//! What is a backup, and what is refused as none.

use super::*;

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

/// What is refused when it is new is not refused where an earlier version took it.
#[tokio::test]
async fn a_relay_that_an_earlier_version_took_for_a_charger_is_restored() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let state = StateDb::open(&data).await.unwrap();
    let mut edit = state.edit().await;
    let charger =
        serde_json::json!({"id": "ev1", "driver": {"kind": "shelly_gen2", "host": "192.0.2.7"}});
    let charger = serde_json::from_value(charger).unwrap();
    edit.house.config.chargers.push(charger);
    edit.commit("ada", "charger ev1").await.unwrap();
    drop(edit);
    state.close().await;
    let file = directory.path().join("backup.tar");
    back_up(&data, &file, VERSION, false).await.unwrap();
    let staged = stage(directory.path(), File::open(&file).unwrap()).await;
    assert!(staged.is_ok(), "{staged:?}");
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
