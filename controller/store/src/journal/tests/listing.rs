//! The list by kind answers as a look at each decision does.

use super::*;

const LOADS: [&str; 4] = ["ev1", "ev2", "ev3", "heater"];
const CODES: [ReasonCode; 4] = [
    ReasonCode::MainFuse,
    ReasonCode::Priority,
    ReasonCode::Lease,
    ReasonCode::User,
];
const STATES: [&str; 4] = [
    "operating.normal",
    "operating.curtailing",
    "degraded.charger_lost",
    "observe",
];
const DECISIONS: i64 = 400;

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Mostly the first.
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let bound = self.below(all.len()) + 1;
        all[self.below(bound)]
    }
}

/// Decisions of all sorts; the clock jumps now and then.
async fn mixed(directory: &Path, first_command: u64) -> Vec<Arc<Decision>> {
    let journal = open(directory).await;
    let mut dice = Dice(first_command);
    let mut all = Vec::new();
    for n in 0..DECISIONS {
        let mut snapshot = Snapshot::clone(&snapshot(n.unsigned_abs()));
        snapshot.state = dice.one_of(&STATES);
        snapshot.reason = Reason::plain(dice.one_of(&CODES), "because");
        if dice.below(4) == 0 {
            snapshot.reason.load = Some(dice.one_of(&LOADS).to_owned());
        }
        let actions = (0..dice.below(4)).map(|place| {
            let command = first_command + n.unsigned_abs() * 10 + place as u64;
            let renewal = dice.below(3) > 0;
            action(command, dice.one_of(&LOADS), dice.one_of(&CODES), renewal)
        });
        let actions = actions.collect();
        let would_be = (0..dice.below(3)).map(|_| dice.one_of(&LOADS).to_owned());
        let would_be = would_be.collect();
        let jump = if dice.below(20) == 0 { 100_000 } else { 0 };
        let event = Event::Tick(Tick {});
        all.push(journal.decision(Step {
            event,
            time: at(n * 1000 - jump),
            actions,
            snapshot: Arc::new(snapshot),
            state_changed: dice.below(5) == 0,
            would_be,
        }));
    }
    journal.close().await;
    all
}

/// What a look at each decision finds, newest first.
fn looked_for(all: &[Arc<Decision>], filter: &DecisionFilter) -> Vec<i64> {
    let is = |it: &&Arc<Decision>| {
        let codes = it.actions.iter().map(|it| it.action.reason.code);
        let codes: Vec<_> = codes
            .chain([it.reason.code])
            .map(|code| rows::code(&code).unwrap())
            .collect();
        let loads = it.actions.iter().map(|it| it.action.what.load());
        let mut loads = loads
            .chain(it.reason.load.as_deref())
            .chain(it.would_be.iter().map(String::as_str));
        filter
            .load
            .as_deref()
            .is_none_or(|load| loads.any(|it| it == load))
            && filter.code.as_ref().is_none_or(|code| codes.contains(code))
            && filter.state.as_ref().is_none_or(|state| {
                it.state == *state || it.state.starts_with(&format!("{state}."))
            })
            && filter.from.is_none_or(|from| it.time >= from)
            && filter.to.is_none_or(|to| it.time < to)
            && filter.before.is_none_or(|before| it.id < before)
            && (filter.renewals || !it.renewal_only)
    };
    all.iter().rev().filter(is).map(|it| it.id).collect()
}

/// All combinations of filters, also of what never was, each from the newest on and from the middle on.
fn questions() -> Vec<DecisionFilter> {
    let some = |it: &str| Some(it.to_owned());
    let mut questions = Vec::new();
    for load in [None, some("ev1"), some("heater"), some("nobody"), some("")] {
        for code in [None, some("main_fuse"), some("user"), some("meter_lost")] {
            for state in [
                None,
                some("operating"),
                some("degraded.charger_lost"),
                some("manual"),
            ] {
                for (from, to) in [(None, None), (Some(at(120_000)), Some(at(250_000)))] {
                    for renewals in [false, true] {
                        for before in [None, Some(DECISIONS / 2)] {
                            questions.push(DecisionFilter {
                                load: load.clone(),
                                code: code.clone(),
                                state: state.clone(),
                                from,
                                to,
                                renewals,
                                before,
                                limit: 7,
                            });
                        }
                    }
                }
            }
        }
    }
    questions
}

async fn compare(journal: &Journal, all: &[Arc<Decision>]) {
    for question in questions() {
        let expected = looked_for(all, &question);
        let next = expected.get(6).filter(|_| expected.len() > 7);
        let page = expected.iter().copied().take(7).collect();
        assert_eq!(
            ids(journal, &question).await,
            (page, next.map(ToString::to_string)),
            "{question:?}"
        );
    }
}

async fn count(connection: &mut sqlx::SqliteConnection, table: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM {table}");
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(statement));
    count.fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn each_question_finds_what_a_look_at_each_decision_finds() {
    let directory = tempfile::tempdir().unwrap();
    let all = mixed(directory.path(), 1).await;
    let journal = open(directory.path()).await;
    compare(&journal, &all).await;
    // All pages one behind the other are all that there is.
    let mut filter = DecisionFilter {
        load: Some("ev2".to_owned()),
        limit: 3,
        ..DecisionFilter::default()
    };
    let expected = looked_for(&all, &filter);
    let mut found = Vec::new();
    loop {
        let (page, next) = ids(&journal, &filter).await;
        found.extend(page);
        let Some(next) = next else { break };
        filter.before = Some(next.parse().unwrap());
    }
    assert_eq!(found, expected);
}

/// As an earlier version left it: nothing is listed. It is found all the same, before, while and after it is listed.
#[tokio::test]
async fn what_an_earlier_version_left_is_found_while_it_is_being_listed() {
    let directory = tempfile::tempdir().unwrap();
    let mut all = mixed(directory.path(), 1).await;
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let listed = count(&mut connection, "decision_listed").await;
    forget_the_list(&mut connection).await;
    // New ones are listed beside them.
    all.extend(mixed(directory.path(), 100_000).await);
    let journal = Journal::open(directory.path(), "0.1.0", at(0), FOR_EVER).await;
    for most in [0, 30, 200] {
        if most > 0 {
            kinds::catch_up(&mut connection, most).await.unwrap();
        }
        compare(&journal, &all).await;
    }
    while kinds::catch_up(&mut connection, 500).await.unwrap() {}
    assert_eq!(count(&mut connection, "decision_unlisted").await, 0);
    assert!(count(&mut connection, "decision_listed").await > listed);
    compare(&journal, &all).await;
}

/// Nothing is listed, as an earlier version left it.
async fn forget_the_list(connection: &mut sqlx::SqliteConnection) {
    for statement in [
        "DELETE FROM decision_listed",
        "DELETE FROM decision_kind",
        "INSERT INTO decision_unlisted SELECT max(id) + 1 FROM decision",
    ] {
        let done = sqlx::query(statement).execute(&mut *connection);
        done.await.unwrap();
    }
}

/// What cannot be read is told as such or left out, and closes no page, listed or not.
#[tokio::test]
async fn a_damaged_decision_holds_up_no_page() {
    let directory = tempfile::tempdir().unwrap();
    let all = mixed(directory.path(), 1).await;
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    for damage in [
        "UPDATE decision SET reason = '{' WHERE id = 5",
        "UPDATE decision SET reason = '{', reason_code = '?' WHERE id = 6",
        "UPDATE action SET body = '{' WHERE (run, command) IN (SELECT run, min(command) FROM action)",
    ] {
        let done = sqlx::query(damage).execute(&mut connection).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{damage}");
    }
    let renewals = true;
    let page = DecisionFilter {
        renewals,
        limit: 500,
        ..DecisionFilter::default()
    };
    let every = all.iter().rev().map(|it| it.id);
    let every: Vec<i64> = every.filter(|id| *id != 6).collect();
    for listed in [true, false, true] {
        if listed {
            while kinds::catch_up(&mut connection, 500).await.unwrap() {}
        } else {
            forget_the_list(&mut connection).await;
        }
        let journal = Journal::open(directory.path(), "0.1.0", at(0), FOR_EVER).await;
        assert_eq!(ids(&journal, &page).await.0, every, "listed: {listed}");
        let missed = journal.decisions_after(0, renewals, 500).await.unwrap();
        assert_eq!(missed.len(), every.len());
        let read = journal.decision_by_id(5).await.unwrap().unwrap();
        let told = &all[4];
        assert_eq!(
            (&read.state, read.reason.code),
            (&told.state, told.reason.code)
        );
        assert!(read.reason.text.contains("cannot be read"), "{read:?}");
        assert_eq!(read.actions, told.actions);
        // Of this one not even the code can be read.
        assert_eq!(journal.decision_by_id(6).await.unwrap(), None);
        for question in questions() {
            journal.decisions(&question).await.unwrap();
        }
        journal.close().await;
    }
}

/// The list goes with its decisions, a damaged one too.
#[tokio::test]
async fn nothing_of_what_is_forgotten_stays_in_the_list() {
    let directory = tempfile::tempdir().unwrap();
    mixed(directory.path(), 1).await;
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    let damage = "UPDATE decision SET reason = '{' WHERE id % 9 = 5";
    sqlx::query(damage).execute(&mut connection).await.unwrap();
    let before = count(&mut connection, "decision_listed").await;
    let mut tidying = retention::Tidying::new(Retention::default());
    let later = at(8 * 86_400_000);
    while tidying.piece(&mut connection, later).await.unwrap() {}
    let renewals = "decision_listed JOIN decision_kind ON id = kind WHERE renewal = 1";
    assert_eq!(count(&mut connection, renewals).await, 0);
    let left = count(&mut connection, "decision_listed").await;
    assert!((1..before).contains(&left), "{left} of {before}");
    let later = at(500 * 86_400_000);
    while tidying.piece(&mut connection, later).await.unwrap() {}
    assert_eq!(count(&mut connection, "decision_listed").await, 0);
}

/// Catching up takes long on a slow disk: what is due has its turn meanwhile.
#[tokio::test]
async fn catching_up_holds_up_neither_packing_nor_forgetting() {
    let directory = tempfile::tempdir().unwrap();
    mixed(directory.path(), 1).await;
    let mut connection = file::open(&directory.path().join(FILE)).await.unwrap();
    forget_the_list(&mut connection).await;
    let mut tidying = retention::Tidying::new(Retention::default());
    let later = at(8 * 86_400_000);
    let renewals = count(&mut connection, "decision WHERE renewal_only = 1").await;
    assert!(renewals > 10);
    while count(&mut connection, "input_block").await == 0
        || count(&mut connection, "decision WHERE renewal_only = 1").await > 0
    {
        assert!(tidying.piece(&mut connection, later).await.unwrap());
    }
    assert_eq!(count(&mut connection, "decision_unlisted").await, 1);
    while tidying.piece(&mut connection, later).await.unwrap() {}
    assert_eq!(count(&mut connection, "decision_unlisted").await, 0);
}
