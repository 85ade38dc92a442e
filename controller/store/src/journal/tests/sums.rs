//! Alarms, and the timeline.

use super::*;

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
