use super::*;
use crate::source::SourceKind;

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
