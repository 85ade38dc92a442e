//! What a replay reads.

use super::*;

#[tokio::test]
async fn inputs_come_back_exactly_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let events = [
        Event::Configure(Box::default()),
        reading([Some(20), None, Some(3)]),
        Event::Tick(Tick {}),
        Event::Reading(Reading {
            phases: vec![None],
            ..Reading::default()
        }),
        Event::Reading(Reading {
            phases: vec![Some(PhaseReading::default())],
            circuit: Some("garage".into()),
            ..Reading::default()
        }),
        Event::Reading(Reading {
            phases: vec![None; 7],
            ..Reading::default()
        }),
    ];
    for (n, event) in (1_u64..).zip(&events) {
        journal.event(at(0), Instant(n * 10), event.clone());
    }
    let run = journal.run();
    let inputs = journal
        .reader()
        .await
        .unwrap()
        .inputs(run, 0, 500)
        .await
        .unwrap();
    let read: Vec<_> = inputs
        .iter()
        .map(|input| input.event.clone().unwrap())
        .collect();
    assert_eq!(read, events);
    assert_eq!(
        inputs.iter().map(|input| input.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(inputs[5].t, Instant(60));
    let middle = journal
        .reader()
        .await
        .unwrap()
        .inputs(run, 1, 2)
        .await
        .unwrap();
    assert_eq!(
        middle.iter().map(|input| input.seq).collect::<Vec<_>>(),
        [2, 3]
    );
}

#[tokio::test]
async fn a_checkpoint_stands_behind_the_newest_input_and_can_be_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let mut engine = headroom_core::Engine::new(Config::default(), Instant(0));
    step(&journal, 1000, Vec::new(), true);
    let reading = reading([Some(7), Some(8), Some(9)]);
    journal.event(at(2000), Instant(2000), reading.clone());
    engine.step(reading, Instant(2000));
    journal.checkpoint(at(2000), Instant(2000), engine.checkpoint());
    journal.flush().await;

    // Beside the running service.
    let reader = JournalReader::open(directory.path()).await.unwrap();
    let run = journal.run();
    assert_eq!(reader.last_input(run).await.unwrap(), 2);
    assert_eq!(reader.last_input(run + 1).await.unwrap(), 0);
    let marks = reader.checkpoints(run).await.unwrap();
    let mark = CheckpointMark {
        seq: 2,
        t: Instant(2000),
        time: at(2000),
        decision: 1,
        version: "0.1.0".into(),
    };
    assert_eq!(marks, [mark]);
    let text = reader.checkpoint(run, 2).await.unwrap();
    let again = headroom_core::Engine::from_checkpoint(serde_json::from_str(&text).unwrap());
    assert_eq!(again.snapshot(), engine.snapshot());
    assert!(matches!(
        reader.checkpoint(run, 1).await,
        Err(StoreError::NotFound)
    ));
    let decided = reader.decided(run, 0, 10).await.unwrap();
    assert_eq!((decided.len(), decided[0].seq), (1, 1));
    assert_eq!(decided[0].state, "operating.curtailing");
    assert!(reader.decided(run, 1, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_and_not_fatal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let now = Timestamp::now();
    for n in 1..=2 {
        journal.event(now, Instant(n), Event::Tick(Tick {}));
    }
    journal.flush().await;
    let path = directory.path().join(FILE);
    let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let damage = "UPDATE event SET body = '{\"type\":\"of tomorrow\"}' WHERE seq = 1";
    sqlx::query(damage).execute(&pool).await.unwrap();
    let reader = JournalReader::open(directory.path()).await.unwrap();
    let inputs = reader.inputs(journal.run(), 0, 10).await.unwrap();
    assert!(
        inputs[0]
            .event
            .as_ref()
            .unwrap_err()
            .contains("of tomorrow")
    );
    assert!(inputs[1].event.is_ok());
}

#[tokio::test]
async fn a_journal_that_is_not_there_or_of_another_time_is_told_clearly() {
    let directory = tempfile::tempdir().unwrap();
    let error = JournalReader::open(directory.path()).await.unwrap_err();
    assert!(error.to_string().contains("journal.db"), "{error}");
    open(directory.path()).await.close().await;
    let path = directory.path().join(FILE);
    let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    for (statement, word) in [
        ("DELETE FROM _sqlx_migrations WHERE version > 1", "older"),
        ("UPDATE _sqlx_migrations SET version = 9999", "newer"),
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
        let error = JournalReader::open(directory.path()).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn no_password_reaches_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let config: Config =
        serde_json::from_value(serde_json::json!({"chargers": [{"id": "ev1", "driver":
        {"kind": "ocpp", "charge_point_id": "CP1", "password": "canary-password"}}]}))
        .unwrap();
    let event = Event::Configure(Box::new(config));
    let snapshot = snapshot(0);
    let actions = Vec::new();
    journal.decision(Step {
        event,
        time: at(0),
        actions,
        snapshot,
        state_changed: true,
        would_be: Vec::new(),
    });
    assert!(journal.decision_by_id(1).await.unwrap().is_some());
    journal.close().await;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
}
