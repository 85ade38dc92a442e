use super::*;
use crate::source::SourceKind;
use headroom_codec::{FrameCounter, Protocol};

fn task(source: &str) -> Task {
    let (status, _) = watch::channel(MeterStatus::new(source.to_owned()));
    let source = Source::parse(source).unwrap();
    Task::new(
        source,
        &Settings::default(),
        Arc::new(Slot::default()),
        status,
        watch::channel(Place::default()).1,
        None,
    )
}

fn hearing() -> Hearing {
    Hearing::new()
}

fn hear(hearing: &mut Hearing) {
    let now = Instant::now();
    hearing.last_byte = Some(now);
    hearing.trial.get_or_insert(now);
}

fn next(task: &mut Task, hearing: &mut Hearing) -> Option<String> {
    task.next_line(hearing).map(|line| line.to_string())
}

#[tokio::test(start_paused = true)]
async fn silence_changes_no_line_parameters() {
    let (mut task, mut hearing) = (task("serial:/dev/null"), hearing());
    tokio::time::advance(Duration::from_hours(1)).await;
    assert_eq!(next(&mut task, &mut hearing), None);
    // The first bytes after a long silence get their whole time.
    hear(&mut hearing);
    assert_eq!(next(&mut task, &mut hearing), None);
    tokio::time::advance(TRIAL).await;
    assert_eq!(next(&mut task, &mut hearing).as_deref(), Some("2400 8E1"));
    assert_eq!(next(&mut task, &mut hearing), None);
}

#[tokio::test(start_paused = true)]
async fn all_line_parameters_are_tried_in_turn() {
    let (mut task, mut hearing) = (task("serial:/dev/null"), hearing());
    let mut tried = Vec::new();
    for _ in 0..7 {
        hear(&mut hearing);
        tokio::time::advance(TRIAL).await;
        tried.push(next(&mut task, &mut hearing).unwrap());
    }
    let order = [
        "2400 8E1",
        "2400 8N1",
        "9600 8N1",
        "115200 8E1",
        "38400 8N1",
        "1200 8N1",
        "115200 8N1",
    ];
    assert_eq!(tried, order);
}

#[tokio::test(start_paused = true)]
async fn what_worked_before_is_tried_first() {
    let lines = SourceKind::Serial {
        path: "/dev/null".into(),
        baud: None,
        parity: None,
    }
    .lines(None);
    let order = |remembered: &str| -> Vec<String> {
        let lines = first(Some(remembered.parse().unwrap()), lines.clone());
        lines.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        order("9600 8N1")[..3],
        ["9600 8N1", "115200 8N1", "2400 8E1"]
    );
    assert_eq!(order("9600 8N1").len(), 7);
    assert_eq!(order("600 8N1")[0], "115200 8N1");
    let pinned = vec!["2400 8E1".parse().unwrap()];
    let pinned = first(Some("9600 8N1".parse().unwrap()), pinned);
    assert_eq!(pinned[0].to_string(), "2400 8E1");
}

#[tokio::test(start_paused = true)]
async fn proven_line_parameters_stay_until_bytes_mean_nothing_for_a_minute() {
    let (mut task, mut hearing) = (task("serial:/dev/null"), hearing());
    hear(&mut hearing);
    task.proven = true;
    hearing.last_good = Some(Instant::now());
    tokio::time::advance(Duration::from_secs(50)).await;
    hear(&mut hearing);
    assert_eq!(next(&mut task, &mut hearing), None);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(
        next(&mut task, &mut hearing),
        None,
        "nothing was heard since"
    );
    hear(&mut hearing);
    assert!(next(&mut task, &mut hearing).is_some());
}

#[tokio::test(start_paused = true)]
async fn pinned_line_parameters_are_never_changed() {
    let mut task = task("serial:/dev/null?baud=2400&parity=even");
    let mut hearing = hearing();
    hear(&mut hearing);
    tokio::time::advance(TRIAL * 3).await;
    assert_eq!(next(&mut task, &mut hearing), None);
}

/// Takes one telegram with a clock; tells whether it was given on.
fn given(task: &mut Task, clock: &str, model: &str, now: Instant) -> bool {
    let lines = format!("0-0:1.0.0(260115{clock}W)\r\n1-0:1.7.0(00.912*kW)\r\n");
    take(task, model, &lines, now)
}

fn take(task: &mut Task, model: &str, lines: &str, now: Instant) -> bool {
    let text = format!("/{model}\r\n\r\n{lines}!\r\n");
    let mut decoder = Decoder::new(&Options::default());
    let telegrams = task.status.borrow().telegrams;
    for item in decoder.push(text.as_bytes()) {
        let raw = Vec::new();
        task.take(Heard { item, raw }, now, &mut hearing());
    }
    task.status.borrow().telegrams > telegrams
}

#[tokio::test]
async fn old_telegrams_are_counted_and_go_no_further() {
    let start = Instant::now();
    for (source, last) in [("tcp://host:1", false), ("file:capture", true)] {
        let mut task = task(source);
        let mut each = (0..30).map(|second| {
            let now = start + Duration::from_secs(second);
            given(&mut task, "120000", "HRM5TEST", now)
        });
        assert!(each.by_ref().take(20).all(|given| given), "{source}");
        assert!(each.all(|given| given == last), "{source}");
        let old = task.status.borrow().rejected.get("old").copied();
        assert_eq!(old, (!last).then_some(10), "{source}");
    }
}

#[tokio::test]
async fn a_terminal_obeys_nothing_in_the_name_of_a_meter() {
    let mut task = task("tcp://host:1");
    assert!(given(
        &mut task,
        "120000",
        "HRM5\u{1b}]0;x\u{7}",
        Instant::now()
    ));
    let model = task.status.borrow().meter_model.clone();
    assert_eq!(model.as_deref(), Some("HRM5]0;x"));
    let id = "0-0:96.1.1(48\u{9b}2J\u{7f}49)\r\n1-0:1.7.0(00.912*kW)\r\n";
    assert!(take(&mut task, "HRM5TEST", id, Instant::now()));
    let id = task.status.borrow().meter_id.clone();
    assert_eq!(id.as_deref(), Some("482J49"));
}

#[tokio::test]
async fn each_list_of_a_meter_is_watched_and_another_meter_has_its_own() {
    let mut task = task("tcp://host:1");
    let start = Instant::now();
    let mut hear = |id: &str, more: &str, second| {
        let lines = format!("0-0:96.1.1({id})\r\n1-0:1.7.0(00.912*kW)\r\n{more}");
        let at = start + Duration::from_secs(second);
        assert!(take(&mut task, "HRM5TEST", &lines, at));
        let lists = task.status.borrow().lists.clone();
        let ages = lists.iter().map(|(name, list)| {
            let last = list.last.duration_since(start).as_secs();
            (*name, list.period_s, last)
        });
        ages.collect::<Vec<_>>()
    };
    let currents = "1-0:31.7.0(004*A)\r\n";
    hear("48", currents, 0);
    for second in (2..=8).step_by(2) {
        hear("48", "", second);
    }
    hear("48", currents, 10);
    assert_eq!(
        hear("48", "", 12),
        [("currents", Some(10.0), 10), ("power", Some(2.0), 12)]
    );
    assert_eq!(hear("49", "", 14), [("power", None, 14)], "another meter");
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_as_soon_as_it_is_one() {
    let mut hearing = hearing();
    assert_eq!(hearing.until(PAUSE, TICK), TICK);
    hear(&mut hearing);
    tokio::time::advance(Duration::from_millis(300)).await;
    assert_eq!(hearing.until(PAUSE, TICK), Duration::from_millis(500));
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(hearing.until(PAUSE, TICK), TICK);
}

#[tokio::test]
async fn frame_counters_outlive_a_link_and_a_task_that_failed() {
    let sealed = FrameCounter {
        title: *b"HRM\x10\x20\x30\x40\x50",
        counter: 7,
    };
    for (source, known) in [("tcp://host:1", Some(7)), ("file:capture", None)] {
        let mut task = task(source);
        let mut telegram = Telegram::new(Protocol::P1);
        telegram.import_mw = Some(912_000);
        telegram.frame_counter = Some(sealed);
        let heard = Heard {
            item: Item::Telegram(telegram),
            raw: Vec::new(),
        };
        task.take(heard, Instant::now(), &mut hearing());
        assert_eq!(task.options.counters.of(sealed.title), known, "{source}");
        let again = Task::new(
            task.source,
            &Settings::default(),
            task.slot,
            task.status,
            task.place,
            None,
        );
        assert_eq!(again.options.counters.of(sealed.title), known, "{source}");
    }
}
