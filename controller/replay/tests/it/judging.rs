//! What a replay proves, what it finds, and what it says that it cannot judge.

use headroom_replay::{GapKind, Range, Report, Verdict, judge};
use headroom_store::DecisionFilter;
use serde_json::json;

use crate::house::{House, KEPT_DAYS, at, config, tamper};

async fn report(house: &House) -> Report {
    judge(&house.reader().await, Range::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_recorded_comes_out_again() {
    let mut house = House::new().await;
    house.lively().await;
    let report = report(&house).await;
    println!("{} inputs, {} decisions", report.inputs, report.decisions);
    assert_eq!(report.verdict, Verdict::Reproduced, "{report:#?}");
    assert!(report.gaps.is_empty(), "{:?}", report.gaps);
    assert!(report.inputs > 1000 && report.decisions > 10);
    assert_eq!(report.checkpoints, 2);
    assert!(!report.other_version);
    let json = serde_json::to_string(&report).unwrap();
    assert!(!json.contains("canary"));
}

#[tokio::test]
async fn what_would_have_been_done_comes_out_again() {
    let mut house = House::new().await;
    let mut observing = config();
    observing["type"] = json!("configure");
    observing["site"]["mode"] = json!("observe");
    house.tell(observing);
    house.lively().await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Reproduced, "{report:#?}");
    let told = DecisionFilter {
        load: Some("ev1".into()),
        limit: 1,
        ..DecisionFilter::default()
    };
    let told = house.journal.decisions(&told).await.unwrap();
    assert!(!told.items.is_empty(), "something would have been told");
}

#[tokio::test]
async fn a_tampered_action_is_shown_with_both_sides() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "UPDATE action SET body = replace(body, '\"limit_a\":8.0', '\"limit_a\":32.0') \
         WHERE body LIKE '%\"limit_a\":8.0%' AND renewal = 0",
    )
    .await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Different);
    let difference = report.difference.unwrap();
    let limit = |side: Option<headroom_replay::Side>| side.unwrap().actions[0]["limit_a"].clone();
    assert_eq!(limit(difference.recorded), json!(32.0));
    assert_eq!(limit(difference.replayed), json!(8.0));
    assert!(difference.event.is_some());
}

#[tokio::test]
async fn a_tampered_reading_is_found_by_what_follows_from_it() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "UPDATE reading SET l3_ma = 60000 WHERE seq = (SELECT max(seq) - 60 FROM reading)",
    )
    .await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Different);
    let difference = report.difference.unwrap();
    assert!(difference.recorded.is_none() && difference.replayed.is_some());
}

#[tokio::test]
async fn an_invented_decision_is_found() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "INSERT INTO decision SELECT max(id) + 1, run, seq + 3, time_ms, t_ms, state, reason_code, reason, \
         renewal_only, inputs, packed FROM decision",
    )
    .await;
    let report = report(&house).await;
    let difference = report.difference.unwrap();
    assert!(difference.recorded.is_some() && difference.replayed.is_none());
}

#[tokio::test]
async fn a_tampered_checkpoint_is_found_by_the_one_that_comes_to_it() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "UPDATE checkpoint SET body = replace(body, '\"next_command\":', '\"next_command\":9') \
         WHERE seq = (SELECT max(seq) FROM checkpoint)",
    )
    .await;
    let report = report(&house).await;
    let difference = report.difference.unwrap();
    assert_eq!(difference.state.unwrap().path, "/engine/next_command");
}

#[tokio::test]
async fn rows_that_are_missing_are_a_gap_and_all_after_the_next_checkpoint_is_judged() {
    let mut house = House::new().await;
    house.lively().await;
    let whole = report(&house).await;
    tamper(
        house.dir.path(),
        "DELETE FROM reading WHERE seq IN (SELECT seq FROM reading ORDER BY seq LIMIT 3 OFFSET 50)",
    )
    .await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Reproduced);
    let [gap] = &report.gaps[..] else {
        panic!("{:?}", report.gaps)
    };
    assert_eq!((gap.kind, gap.missing), (GapKind::Inputs, 3));
    assert_eq!((gap.from, gap.to), (at(50_000), at(200_000)));
    assert!(
        gap.text().contains("3 inputs are missing"),
        "{}",
        gap.text()
    );
    assert_eq!(report.inputs + gap.not_judged + gap.missing, whole.inputs);
    assert_eq!(report.checkpoints, 1, "the second is not come to");
}

#[tokio::test]
async fn a_time_whose_readings_were_thinned_is_a_gap() {
    let mut house = House::new().await;
    house.lively().await;
    let whole = report(&house).await;
    // Full readings are kept for so long; those of the first 300 s are older then.
    let days = i64::from(KEPT_DAYS);
    let then = at(300_000) + jiff::SignedDuration::from_hours(24 * days);
    house.journal.tidy(then).await.unwrap();
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Reproduced);
    let [thinned, unjudged] = &report.gaps[..] else {
        panic!("{:?}", report.gaps)
    };
    assert_eq!(thinned.kind, GapKind::Inputs);
    assert_eq!((thinned.from, thinned.to), (at(0), at(300_000)));
    assert!(thinned.missing > 300, "{}", thinned.missing);
    assert_eq!(unjudged.kind, GapKind::NoCheckpoint);
    assert_eq!((unjudged.from, unjudged.to), (at(300_000), at(400_000)));
    assert_eq!(
        report.inputs + unjudged.not_judged + thinned.missing,
        whole.inputs
    );
}

#[tokio::test]
async fn a_decision_that_is_missing_is_a_gap_and_nothing_else() {
    let mut house = House::new().await;
    house.lively().await;
    let whole = report(&house).await;
    tamper(
        house.dir.path(),
        "DELETE FROM decision WHERE id IN (SELECT id FROM decision ORDER BY id LIMIT 2 OFFSET 4)",
    )
    .await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Reproduced, "{report:#?}");
    let [gap] = &report.gaps[..] else {
        panic!("{:?}", report.gaps)
    };
    assert_eq!((gap.kind, gap.missing), (GapKind::Decisions, 2));
    assert_eq!(report.decisions, whole.decisions - 2);
    assert_eq!(report.inputs, whole.inputs);
}

#[tokio::test]
async fn the_last_decision_may_not_be_written_yet() {
    let mut house = House::new().await;
    house.seconds(100).await;
    // The stop of a car: the newest input is one that is decided on.
    let pause =
        json!({"type": "command", "command": {"kind": "pause", "load": "ev1", "for_s": 600}});
    assert!(house.tell(pause) > 0);
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "DELETE FROM decision WHERE id = (SELECT max(id) FROM decision)",
    )
    .await;
    let found = report(&house).await;
    assert_eq!(found.verdict, Verdict::Reproduced);
    assert_eq!(found.gaps[0].kind, GapKind::Decisions);
    // A little later it should be there.
    house.seconds(1).await;
    assert_eq!(report(&house).await.verdict, Verdict::Different);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_gap() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "UPDATE event SET body = '{}' WHERE seq = (SELECT max(seq) - 20 FROM event)",
    )
    .await;
    tamper(
        house.dir.path(),
        "UPDATE checkpoint SET body = replace(body, '\"shape\":', '\"shape\":47') WHERE seq = 1",
    )
    .await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Reproduced);
    let kinds: Vec<_> = report.gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::Checkpoint, GapKind::Unreadable]);
    assert!(report.gaps[0].text().contains("shape 471"));
    assert!(report.gaps[0].not_judged > 200);
}

#[tokio::test]
async fn a_run_without_a_checkpoint_is_a_gap() {
    let mut house = House::new().await;
    house.seconds(20).await;
    house.journal.flush().await;
    tamper(house.dir.path(), "DELETE FROM checkpoint").await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Nothing);
    assert_eq!(report.gaps[0].kind, GapKind::NoCheckpoint);
}

#[tokio::test]
async fn what_is_packed_gives_the_same_decisions() {
    let mut house = House::new().await;
    house.lively().await;
    let before = report(&house).await;
    let later = house.now() + jiff::SignedDuration::from_hours(2);
    house.journal.tidy(later).await.unwrap();
    let packed = report(&house).await;
    assert_eq!(packed.verdict, Verdict::Reproduced);
    assert!(packed.inputs > 500 && packed.gaps.is_empty());
    assert_eq!(
        (packed.inputs, packed.decisions, packed.checkpoints),
        (before.inputs, before.decisions, before.checkpoints)
    );
    // Nothing but blocks is left to read from.
    tamper(house.dir.path(), "DELETE FROM input_block").await;
    let gone = report(&house).await;
    assert_eq!(gone.inputs, 0);
}

#[tokio::test]
async fn a_stretch_that_is_thinned_out_wholly_is_a_gap() {
    let mut house = House::new().await;
    house.lively().await;
    tamper(house.dir.path(), "DELETE FROM reading").await;
    tamper(house.dir.path(), "DELETE FROM event").await;
    // Decisions are kept for longer than what they rest on, and than the checkpoints.
    tamper(house.dir.path(), "DELETE FROM checkpoint").await;
    let gaps = report(&house).await.gaps;
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert_eq!((gaps[0].kind, gaps[0].from), (GapKind::Inputs, at(0)));
    assert!(
        gaps[0].to > at(400_000) && gaps[0].missing > 500,
        "{gaps:#?}"
    );
    let reader = house.reader().await;
    let range = Range {
        from: Some(at(100_000)),
        to: Some(at(300_000)),
    };
    let part = judge(&reader, range).await.unwrap().gaps;
    assert_eq!((part.len(), part[0].from), (1, at(100_000)));
    assert!(part[0].to < at(300_000));
    let after = Range {
        from: Some(at(9_000_000)),
        to: None,
    };
    assert_eq!(judge(&reader, after).await.unwrap().gaps, []);
}

#[tokio::test]
async fn what_is_thinned_out_before_the_first_checkpoint_is_a_gap() {
    let mut house = House::new().await;
    house.lively().await;
    tamper(house.dir.path(), "DELETE FROM checkpoint WHERE seq < 300").await;
    let cut = "DELETE FROM reading WHERE seq <= (SELECT min(seq) FROM checkpoint)";
    tamper(house.dir.path(), cut).await;
    let cut = "DELETE FROM event WHERE seq <= (SELECT min(seq) FROM checkpoint)";
    tamper(house.dir.path(), cut).await;
    for from in [None, Some(at(50_000))] {
        let reader = house.reader().await;
        let report = judge(&reader, Range { from, to: None }).await.unwrap();
        assert_eq!(report.verdict, Verdict::Reproduced);
        assert_eq!(report.gaps.len(), 1, "{:#?}", report.gaps);
        assert_eq!(report.gaps[0].kind, GapKind::Inputs);
        assert_eq!(report.gaps[0].from, from.unwrap_or(at(0)));
        assert!(report.gaps[0].missing >= 300);
    }
}

#[tokio::test]
async fn a_part_of_the_time_is_judged_from_the_checkpoint_before_it() {
    let mut house = House::new().await;
    house.lively().await;
    let reader = house.reader().await;
    let range = Range {
        from: Some(at(300_000)),
        to: Some(at(400_000)),
    };
    let report = judge(&reader, range).await.unwrap();
    assert_eq!(report.verdict, Verdict::Reproduced);
    assert_eq!(report.runs[0].from, at(300_000));
    assert_eq!(report.runs[0].to, at(399_000));
    assert_eq!(report.checkpoints, 0);
    let later = Range {
        from: Some(at(4_000_000)),
        to: None,
    };
    let report = judge(&reader, later).await.unwrap();
    assert_eq!(report.verdict, Verdict::Nothing);
}

#[tokio::test]
async fn another_start_and_another_version_are_told() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.close().await;
    let ms = u64::try_from(house.now().duration_since(at(0)).as_millis()).unwrap();
    let House { dir, .. } = house;
    let mut house = House::on(dir, "0.0.9", ms + 60_000).await;
    house.lively().await;
    let report = report(&house).await;
    assert_eq!(report.verdict, Verdict::Reproduced, "{report:#?}");
    assert!(report.other_version && report.gaps.is_empty());
    let versions: Vec<_> = report.runs.iter().map(|run| run.version.as_str()).collect();
    assert_eq!(versions, ["0.1.0", "0.0.9"]);
}

#[tokio::test]
async fn decisions_behind_the_last_input_are_a_gap() {
    let mut house = House::new().await;
    house.lively().await;
    let whole = report(&house).await;
    house.journal.flush().await;
    for cut in [
        "DELETE FROM reading WHERE seq >= (SELECT max(seq) FROM decision) - 20",
        "DELETE FROM event WHERE seq >= (SELECT max(seq) FROM decision) - 20",
    ] {
        tamper(house.dir.path(), cut).await;
    }
    let reader = house.reader().await;
    let everything = Range::default();
    let cut = judge(&reader, everything).await.unwrap();
    assert_eq!(cut.verdict, Verdict::Reproduced, "{cut:#?}");
    assert!(cut.decisions < whole.decisions);
    let [gap] = &cut.gaps[..] else {
        panic!("{:#?}", cut.gaps)
    };
    assert_eq!((gap.kind, gap.missing), (GapKind::Inputs, 21));
    assert_eq!(gap.not_judged, 0);
    assert!(gap.from >= at(400_000) && gap.to > gap.from, "{gap:?}");
    // Also where nothing else is asked about; but not where that time is over before.
    for (range, gaps) in [
        (
            Range {
                from: Some(gap.to),
                to: None,
            },
            1,
        ),
        (
            Range {
                from: None,
                to: Some(gap.from),
            },
            0,
        ),
    ] {
        let part = judge(&reader, range).await.unwrap();
        assert_eq!(part.gaps.len(), gaps, "{range:?}: {:#?}", part.gaps);
    }
}

#[tokio::test]
async fn an_invented_decision_behind_the_last_input_is_a_gap() {
    let mut house = House::new().await;
    house.lively().await;
    house.journal.flush().await;
    tamper(
        house.dir.path(),
        "INSERT INTO decision SELECT max(id) + 1, run, (SELECT max(seq) FROM reading) + 7, max(time_ms) + 60000, t_ms, state, \
         reason_code, reason, renewal_only, inputs, packed FROM decision",
    )
    .await;
    let gaps = report(&house).await.gaps;
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert_eq!(gaps[0].kind, GapKind::Inputs);
}
