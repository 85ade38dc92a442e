//! What was decided, and what became of it: pages, filters, one by its number.

use super::*;

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
