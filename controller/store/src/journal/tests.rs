use headroom_core::action::{Command, ReasonCode};
use headroom_core::event::{PhaseReading, Reading, Tick};
use headroom_core::snapshot::{MeterSnapshot, MeterState};
use headroom_core::units::{Milliamps, Millivolts, PerPhase, Watts};
use headroom_core::{Action, Config, Reason, Snapshot};
use sqlx::{Executor, SqlSafeStr};

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

/// The fixture's days are long past: nothing of it is too old.
const FOR_EVER: Retention = Retention {
    inputs_days: 100_000,
    renewals_days: 100_000,
    decisions_days: 100_000,
    ten_seconds_days: 100_000,
    minutes_days: 100_000,
    sums_days: 100_000,
};

async fn open(directory: &Path) -> Journal {
    Journal::open(directory, "0.1.0", at(0), FOR_EVER).await
}

fn reading(amps: [Option<i64>; 3]) -> Event {
    let line = |amps| PhaseReading {
        current_a: Some(Milliamps::from_amps(amps)),
        voltage_v: Some(Millivolts(230_100)),
        power_w: None,
    };
    Event::Reading(Reading {
        phases: amps.map(|amps| amps.map(line)).to_vec(),
        power_w: Some(Watts(-70)),
        reactive_var: None,
        circuit: None,
    })
}

fn snapshot(t: u64) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        at: Instant(t),
        state: "operating.curtailing",
        reason: Reason::plain(ReasonCode::MainFuse, "L2 of the main fuse"),
        phases: Vec::new(),
        meter: MeterSnapshot {
            state: MeterState::Ok,
            last: None,
            period_ms: None,
        },
        loads: Vec::new(),
        alarms: Vec::new(),
        highest_background: PerPhase::default(),
    })
}

fn action(command: u64, load: &str, code: ReasonCode, renewal: bool) -> Action {
    Action {
        command,
        what: Command::SetLimit {
            load: load.into(),
            limit_a: Milliamps::from_amps(10),
            phases: 3,
            lease_s: 120,
        },
        renewal,
        reason: Reason::plain(code, "because"),
    }
}

fn step(journal: &Journal, ms: i64, actions: Vec<Action>, state_changed: bool) -> Arc<Decision> {
    let t = Instant(ms.unsigned_abs());
    let event = reading([Some(20), None, Some(3)]);
    let seq = journal.event(at(ms), t, event.clone());
    let snapshot = snapshot(t.0);
    journal.decision(Step {
        seq,
        event,
        time: at(ms),
        actions,
        snapshot,
        state_changed,
        would_be: Vec::new(),
    })
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.unwrap();
    crate::migrations::journal().run(&pool).await.unwrap();
    for statement in sql::ALL {
        pool.prepare(statement.into_sql_str())
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

#[tokio::test]
async fn a_decision_tells_what_became_of_its_commands() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let actions = vec![
        action(1, "ev1", ReasonCode::MainFuse, false),
        action(2, "ev2", ReasonCode::Priority, false),
        action(3, "ev3", ReasonCode::Lease, true),
    ];
    let told = step(&journal, 1000, actions, false);
    assert_eq!((told.id, told.renewal_only), (1, false));
    journal.sent(1, at(1001));
    journal.answered(1, Outcome::Accepted, at(1200));
    journal.seen(1, at(3000));
    journal.seen(1, at(9000));
    journal.answered(2, Outcome::Timeout, at(6000));

    let read = journal.decision_by_id(1).await.unwrap().unwrap();
    let [first, second, third] = &read.actions[..] else {
        panic!("{read:?}")
    };
    assert_eq!(first.outcome, Some(Outcome::Accepted));
    assert_eq!(first.sent_at, Some(at(1001)));
    assert_eq!(first.acknowledged_at, Some(at(1200)));
    assert_eq!(first.seen_at, Some(at(3000)));
    assert_eq!(
        (second.outcome, second.acknowledged_at),
        (Some(Outcome::Timeout), None)
    );
    assert_eq!(third.outcome, None);
    let inputs = read.inputs.as_ref().unwrap();
    assert_eq!(inputs["event"]["type"], "reading");
    assert_eq!(inputs["event"]["phases"][0]["current_a"], 20.0);
    assert_eq!(inputs["seq"], 1);

    let json = serde_json::to_value(&read).unwrap();
    assert_eq!(json["actions"][2]["outcome"], "pending");
    assert_eq!(json["actions"][0]["type"], "set_limit");
    assert_eq!(json["actions"][0]["limit_a"], 10.0);
    assert_eq!(json["t_ms"], 1000);
    assert_eq!(journal.decision_by_id(2).await.unwrap(), None);

    let page = journal.decisions(&DecisionFilter::default()).await.unwrap();
    assert_eq!(page.items[0].inputs, None);
    assert_eq!(page.items[0].actions, read.actions);
}

/// Five decisions: cut, renewal, cut of another, renewal with a new state, a new state alone.
async fn five_decisions(directory: &Path) -> Journal {
    let journal = open(directory).await;
    for (n, load, code, renewal, state_changed) in [
        (1_u64, "ev1", ReasonCode::MainFuse, false, false),
        (2, "ev1", ReasonCode::Lease, true, false),
        (3, "ev2", ReasonCode::Priority, false, false),
        (4, "ev2", ReasonCode::Lease, true, true),
    ] {
        let actions = vec![action(n, load, code, renewal)];
        step(&journal, n.cast_signed() * 1000, actions, state_changed);
    }
    step(&journal, 5000, Vec::new(), true);
    journal
}

async fn ids(journal: &Journal, filter: &DecisionFilter) -> (Vec<i64>, Option<String>) {
    let page = journal.decisions(filter).await.unwrap();
    (page.items.iter().map(|item| item.id).collect(), page.next)
}

#[tokio::test]
async fn decisions_are_filtered() {
    let directory = tempfile::tempdir().unwrap();
    let journal = five_decisions(directory.path()).await;
    let all = DecisionFilter::default;
    for (filter, expected) in [
        (all(), &[5, 4, 3, 1][..]),
        (
            DecisionFilter {
                renewals: true,
                ..all()
            },
            &[5, 4, 3, 2, 1],
        ),
        (
            DecisionFilter {
                load: Some("ev2".into()),
                ..all()
            },
            &[4, 3],
        ),
        (
            DecisionFilter {
                code: Some("priority".into()),
                ..all()
            },
            &[3],
        ),
        (
            DecisionFilter {
                code: Some("main_fuse".into()),
                ..all()
            },
            &[5, 4, 3, 1],
        ),
        (
            DecisionFilter {
                from: Some(at(3000)),
                ..all()
            },
            &[5, 4, 3],
        ),
        (
            DecisionFilter {
                to: Some(at(3000)),
                ..all()
            },
            &[1],
        ),
    ] {
        assert_eq!(
            ids(&journal, &filter).await,
            (expected.to_vec(), None),
            "{filter:?}"
        );
    }
    let missed = journal.decisions_after(3, false, 10).await.unwrap();
    assert_eq!(
        missed.iter().map(|item| item.id).collect::<Vec<_>>(),
        [4, 5]
    );
}

#[tokio::test]
async fn what_would_have_been_commanded_is_found_by_its_load() {
    let directory = tempfile::tempdir().unwrap();
    let journal = five_decisions(directory.path()).await;
    let event = Event::Tick(Tick {});
    let noted = journal.decision(Step {
        seq: journal.event(at(6000), Instant(6000), event.clone()),
        event,
        time: at(6000),
        actions: Vec::new(),
        snapshot: snapshot(6000),
        state_changed: false,
        would_be: vec!["ev1".into(), "ev3".into()],
    });
    let about = |load: &str, code: Option<&str>| DecisionFilter {
        load: Some(load.into()),
        code: code.map(str::to_owned),
        ..DecisionFilter::default()
    };
    assert_eq!(ids(&journal, &about("ev3", None)).await.0, [noted.id]);
    assert_eq!(ids(&journal, &about("ev1", None)).await.0[0], noted.id);
    assert!(
        !ids(&journal, &about("ev2", None))
            .await
            .0
            .contains(&noted.id)
    );
    let code = rows::code(&noted.reason.code).unwrap();
    assert_eq!(
        ids(&journal, &about("ev3", Some(&code))).await.0,
        [noted.id]
    );
    // What is told of it is what was told before it was written.
    let read = journal.decision_by_id(noted.id).await.unwrap().unwrap();
    assert_eq!(read.reason, noted.reason);
}

#[tokio::test]
async fn decisions_are_found_by_a_part_of_their_state() {
    let directory = tempfile::tempdir().unwrap();
    let journal = five_decisions(directory.path()).await;
    let all = ids(&journal, &DecisionFilter::default()).await;
    for (state, found) in [
        ("operating", true),
        ("operating.curtailing", true),
        ("oper", false),
        ("degraded", false),
        ("operating.curtailin_", false),
    ] {
        let filter = DecisionFilter {
            state: Some(state.into()),
            ..DecisionFilter::default()
        };
        let expected = if found { all.0.clone() } else { Vec::new() };
        assert_eq!(ids(&journal, &filter).await.0, expected, "{state}");
    }
}

#[tokio::test]
async fn decisions_come_in_pages() {
    let directory = tempfile::tempdir().unwrap();
    let journal = five_decisions(directory.path()).await;
    let filter = DecisionFilter {
        limit: 3,
        ..DecisionFilter::default()
    };
    assert_eq!(
        ids(&journal, &filter).await,
        (vec![5, 4, 3], Some("3".into()))
    );
    let second = DecisionFilter {
        before: Some(3),
        ..filter
    };
    assert_eq!(ids(&journal, &second).await, (vec![1], None));
}

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
    let seq = journal.event(at(0), Instant(0), event.clone());
    let snapshot = snapshot(0);
    let actions = Vec::new();
    journal.decision(Step {
        seq,
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
        let aside = journal.set_aside().unwrap_or_else(|| panic!("{damage}"));
        assert!(aside.exists());
        assert_eq!(*journal.problem().borrow(), None);
        step(&journal, 1, Vec::new(), true);
        let page = journal.decisions(&DecisionFilter::default()).await.unwrap();
        assert_eq!(page.items.len(), 1, "{damage}");
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

#[tokio::test]
async fn alarms_begin_once_and_end() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let mut book = AlarmBook::new(journal.clone());
    let alarm = |code: &str, text: &str| headroom_core::snapshot::Alarm {
        code: code.into(),
        load: None,
        since: Instant(0),
        text: text.into(),
    };
    let lost = alarm("meter_lost", "one");
    let begun = book.update([(&lost, at(0))], at(0));
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].id, 1);
    let lost = alarm("meter_lost", "two");
    assert_eq!(book.update([(&lost, at(0))], at(1)), []);
    assert_eq!(book.open()[0].text, "two");
    let other = alarm("journal", "x");
    let changed = book.update([(&other, at(2))], at(2));
    assert_eq!(changed.len(), 2);
    assert_eq!((changed[0].id, changed[0].until), (2, None));
    assert_eq!((changed[1].id, changed[1].until), (1, Some(at(2))));
    let page = journal.alarms(None, 50).await.unwrap();
    let rows: Vec<_> = page
        .items
        .iter()
        .map(|alarm| (alarm.id, alarm.until))
        .collect();
    assert_eq!(rows, [(2, None), (1, Some(at(2)))]);
    journal.close().await;

    // What a dead process left open is closed by the next.
    let journal = open(directory.path()).await;
    journal.event(at(0), Instant(0), Event::Tick(Tick {}));
    let page = journal.alarms(None, 1).await.unwrap();
    assert_eq!(page.items[0].until, Some(at(0)));
    assert_eq!(page.next.as_deref(), Some("2"));
    assert_eq!(
        AlarmBook::new(journal).update([(&lost, at(0))], at(0))[0].id,
        3
    );
}

#[tokio::test]
async fn a_timeline_has_means_and_maxima() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    for (ms, amps) in [(0, 10), (1000, 20), (60_000, 5)] {
        journal.event(at(ms), Instant(0), reading([Some(amps), None, Some(0)]));
    }
    let circuit = Reading {
        circuit: Some("garage".into()),
        ..Reading::default()
    };
    journal.event(at(0), Instant(0), Event::Reading(circuit));
    // The fixture begins 20 s into a minute.
    let points = journal
        .timeline(at(-60_000), at(120_000), 60_000, 500)
        .await
        .unwrap();
    assert_eq!(points.len(), 2);
    let first = &points[0];
    assert_eq!(first.time.as_millisecond() % 60_000, 0);
    assert_eq!(first.phases.len(), 3);
    assert_eq!(first.phases[0].current_a, Some(Milliamps::from_amps(15)));
    assert_eq!(first.phases[0].max_a, Some(Milliamps::from_amps(20)));
    assert_eq!(first.phases[0].voltage_v, Some(Millivolts(230_100)));
    assert_eq!(first.phases[1].current_a, None);
    assert_eq!(first.power_w, Some(Watts(-70)));
}

#[tokio::test]
async fn the_old_goes_and_the_young_stays() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let day = 86_400_000;
    let mut command = 0;
    for days in [0, 10, 40, 500] {
        for renewal in [true, false] {
            command += 1;
            step(
                &journal,
                -days * day,
                vec![action(command, "ev1", ReasonCode::Lease, renewal)],
                false,
            );
        }
    }
    journal.close().await;
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let mut tidying = retention::Tidying::new(Retention::default());
    while tidying.piece(&mut connection, at(1)).await.unwrap() {}
    let count = async |connection: &mut sqlx::SqliteConnection, statement: &'static str| {
        sqlx::query_scalar::<_, i64>(statement)
            .fetch_one(connection)
            .await
            .unwrap()
    };
    assert_eq!(
        count(&mut connection, "SELECT count(*) FROM reading").await,
        2
    );
    // Those of ten days ago are in a block.
    assert_eq!(
        count(
            &mut connection,
            "SELECT sum(last_seq - first_seq + 1) FROM input_block"
        )
        .await,
        2
    );
    assert_eq!(
        count(&mut connection, "SELECT count(*) FROM decision").await,
        4
    );
    assert_eq!(
        count(&mut connection, "SELECT count(*) FROM action").await,
        4
    );
}

/// The queue is full from before the writer begins to its end.
#[tokio::test]
async fn the_old_goes_though_there_is_always_more_to_write() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let old = 30;
    for second in 0..old {
        journal.event(
            at(second * 1000),
            Instant(0),
            reading([Some(10), None, None]),
        );
    }
    journal.close().await;
    let now = Timestamp::now();
    // Nothing else runs until the first wait, which is for the end.
    let journal = Journal::begin(directory.path(), "0.1.0", now, Retention::default()).await;
    for _ in 0..2000 {
        journal.event(now, Instant(0), reading([Some(10), None, None]));
    }
    journal.close().await;
    assert_eq!(journal.dropped(), 0);
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let rows = "SELECT count(*) FROM reading";
    let left: i64 = sqlx::query_scalar(rows)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!((2000..2000 + old).contains(&left), "{left}");
}
