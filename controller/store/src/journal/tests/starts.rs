//! Starts: a file that is whole, damaged, of another schema, or cannot be there.

use super::*;

#[tokio::test]
async fn numbers_go_on_after_a_death_without_closing() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    step(
        &journal,
        1000,
        vec![action(1, "ev1", ReasonCode::MainFuse, false)],
        true,
    );
    journal.flush().await;
    let left = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    let again = open(left.path()).await;
    assert_eq!(again.set_aside(), None);
    assert_eq!(again.run(), 2);
    assert_eq!(step(&again, 2000, Vec::new(), true).id, 2);
    let page = again.decisions(&DecisionFilter::default()).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let runs = again.reader().await.unwrap().runs().await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_damaged_journal_is_set_aside_and_a_new_one_begun() {
    for damage in ["truncated", "rubbish", "newer"] {
        let directory = tempfile::tempdir().unwrap();
        let journal = open(directory.path()).await;
        for n in 0..500 {
            step(&journal, n, Vec::new(), true);
        }
        journal.close().await;
        let path = directory.path().join(FILE);
        // Nothing is left in a log from which the file could be made whole again.
        let pool = SqlitePool::connect(&format!("sqlite:{}", path.display()))
            .await
            .unwrap();
        let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        moved.execute(&pool).await.unwrap();
        pool.close().await;
        let bytes = std::fs::read(&path).unwrap();
        match damage {
            "truncated" => std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
            "rubbish" => std::fs::write(&path, vec![b'x'; bytes.len()]).unwrap(),
            _ => {
                let url = format!("sqlite:{}", path.display());
                let pool = SqlitePool::connect(&url).await.unwrap();
                sqlx::query(
                    "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                     execution_time) VALUES (9999, 'later', 1, x'00', 0)",
                )
                .execute(&pool)
                .await
                .unwrap();
            }
        }
        let journal = open(directory.path()).await;
        let aside = journal
            .set_aside()
            .unwrap_or_else(|| panic!("{damage}: {:?}", *journal.problem().borrow()));
        assert!(aside.exists());
        assert_eq!(*journal.problem().borrow(), None);
        step(&journal, 1, Vec::new(), true);
        let page = journal.decisions(&DecisionFilter::default()).await.unwrap();
        assert_eq!(page.items.len(), 1, "{damage}");
    }
}

/// A connection that goes on behind a file which was moved removes the log of the file that is begun anew in its place.
#[tokio::test]
async fn nothing_holds_a_journal_that_cannot_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    open(directory.path()).await.close().await;
    let bytes = std::fs::read(&path).unwrap();
    for damaged in [vec![b'x'; bytes.len()], bytes[..bytes.len() / 2].to_vec()] {
        std::fs::write(&path, damaged).unwrap();
        for _ in 0..50 {
            file::open(&path).await.unwrap_err();
            let held: Vec<PathBuf> = std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
                .filter(|file| file.starts_with(directory.path()))
                .collect();
            assert_eq!(held, Vec::<PathBuf>::new());
        }
    }
}

/// A journal of the first schema, which another process holds, so that it cannot be brought up to date yet.
#[tokio::test]
async fn nobody_waits_for_a_journal_that_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let options = crate::database::options(&path, sqlx::sqlite::SqliteSynchronous::Normal);
    let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = one.connect_with(options).await.unwrap();
    let all = crate::migrations::journal();
    let first = sqlx::migrate::Migrator::with_migrations(all.iter().take(1).cloned().collect());
    first.run(&pool).await.unwrap();
    for statement in [
        "INSERT INTO run VALUES (7, 0, '0.0.1')",
        "INSERT INTO decision VALUES (41, 7, 1, 0, 0, 'starting', 'restored', '{\"code\":\"restored\",\"text\":\"\"}', 0, '{}')",
        "BEGIN IMMEDIATE",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let journal = Journal::begin(directory.path(), "0.1.0", at(0), FOR_EVER).await;
    assert!(!*journal.shared.opened.borrow());
    assert_eq!(journal.run(), 8, "numbers go on");
    let told = step(&journal, 1000, Vec::new(), true);
    assert_eq!(told.id, 42);
    assert!(journal.has_room());
    sqlx::query("COMMIT").execute(&pool).await.unwrap();
    pool.close().await;
    journal.opened().await;
    assert_eq!(
        (journal.set_aside(), journal.problem().borrow().clone()),
        (None, None)
    );
    let (found, _) = ids(&journal, &DecisionFilter::default()).await;
    assert_eq!(found, [42, 41]);
    let inputs = journal
        .reader()
        .await
        .unwrap()
        .inputs(8, 0, 10)
        .await
        .unwrap();
    assert_eq!((inputs.len(), journal.dropped()), (1, 0));
}

#[tokio::test]
async fn files_set_aside_do_not_pile_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    for n in 0..5 {
        std::fs::write(&path, vec![b'x'; 4096]).unwrap();
        std::fs::write(format!("{}-wal", path.display()), "x").unwrap();
        file::set_aside(&path, at(n)).unwrap();
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 4);
}

#[tokio::test]
async fn without_a_place_for_it_records_are_counted_and_nothing_stops() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(FILE)).unwrap();
    let journal = open(directory.path()).await;
    assert!(journal.problem().borrow().is_some());
    for n in 0..10_000 {
        journal.event(at(n), Instant(0), Event::Tick(Tick {}));
    }
    assert!(
        journal.dropped() >= 10_000 - QUEUE as u64 - 600,
        "{}",
        journal.dropped()
    );
    let page = journal.decisions(&DecisionFilter::default()).await;
    assert!(matches!(page, Err(StoreError::NoJournal)), "{page:?}");
}

/// The queue takes both or none: an input alone would look as if nothing had been decided.
#[tokio::test]
async fn an_input_and_its_decision_are_dropped_together() {
    for room in [0, 1] {
        let directory = tempfile::tempdir().unwrap();
        let journal = open(directory.path()).await;
        // The writer has no turn until somebody waits.
        for n in 0..QUEUE - room {
            journal.event(at(0), Instant(n as u64), Event::Tick(Tick {}));
        }
        step(&journal, 5000, Vec::new(), true);
        let after = journal.event(at(5000), Instant(5000), Event::Tick(Tick {}));
        while !journal.has_room() {
            tokio::task::yield_now().await;
        }
        let reader = journal.reader().await.unwrap();
        let inputs = reader.inputs(journal.run(), after - 2, 10).await.unwrap();
        let inputs: Vec<_> = inputs.iter().map(|input| input.seq).collect();
        let decided = reader.decided(journal.run(), 0, 10).await.unwrap();
        let decided: Vec<_> = decided.iter().map(|decision| decision.seq).collect();
        assert_eq!(inputs, decided);
        assert_eq!(inputs.len(), room);
    }
}
