//! The cut test: whether a limit runs out by itself, and who has seen it.

use headroom_core::config::LeaseProof;
use headroom_core::trial::Verdict;
use serde_json::json;

use crate::house::{House, Manner, expect, expect_no_proof};

#[test]
fn nothing_is_renewed_during_the_cut_and_its_room_stays_reserved() {
    let mut house = House::new(Manner::default()).in_silence();
    let (renewals, commands) = (house.renewals, house.told.len());
    while house.engine.test().unwrap().is_silent() {
        let setpoint = serde_json::to_value(house.engine.checkpoint()).unwrap();
        let setpoint = setpoint["engine"]["loads"][0]["setpoint"].clone();
        assert_eq!(setpoint, json!(10.0), "what it was told last counts on");
        assert_eq!((house.renewals, house.told.len()), (renewals, commands));
        house.second();
    }
    let report = house.engine.test().unwrap().report().unwrap();
    assert_eq!(report.result, Verdict::Passed);
}

/// Where the fuse would not bear it, limits are told for a shorter time: not in the test of the whole.
#[test]
fn the_whole_lease_is_tested() {
    let mut house = House::with(Manner::default(), &json!({"lease_s": 120}));
    house.background = [24_000; 3];
    house.seconds(30);
    house.background = [3_000; 3];
    let report = expect(house.run(true), Verdict::Passed, "");
    let cut = report.cut.unwrap();
    assert_eq!(cut.lease_s, 120);
    assert!(
        (110_000..140_000).contains(&cut.fell_after_ms.unwrap()),
        "{cut:?}"
    );
}

#[test]
fn one_whose_limit_does_not_run_out_has_no_lease() {
    let manner = Manner {
        forever: true,
        ..Manner::default()
    };
    let report = expect(House::new(manner).run(true), Verdict::Failed, "");
    assert!(report.follow.unwrap().passed);
    let cut = report.cut.unwrap();
    assert!(
        !cut.passed && cut.text.contains("still draws 10 A"),
        "{}",
        cut.text
    );
    assert_eq!(report.limits.lease, Some(LeaseProof::None));
}

#[test]
fn one_with_a_shorter_time_of_its_own_is_proven_by_its_own_word_and_the_meter() {
    let manner = Manner {
        own_s: Some(4),
        guard_s: Some(4),
        tells: true,
        ..Manner::default()
    };
    let report = House::new(manner.clone()).run(true);
    let cut = report.cut.expect(&report.text);
    assert!(cut.passed, "{cut:?}");
    assert!(
        cut.text.contains("after it heard the last of us"),
        "{cut:?}"
    );
    assert_eq!(report.limits.lease, Some(LeaseProof::Proven));

    // Without its word it may be the car that stopped.
    let manner = Manner {
        tells: false,
        ..manner
    };
    let report = House::new(manner).run(true);
    expect_no_proof(report, "may have stopped by itself");
}

#[test]
fn one_that_is_not_asked_in_the_silence_is_judged_by_the_meter() {
    let manner = Manner {
        unasked: true,
        ..Manner::default()
    };
    let report = House::new(manner.clone()).run(true);
    let cut = report.cut.expect(&report.text);
    assert!(cut.passed, "{cut:?}");
    assert_eq!(cut.seen_by.as_deref(), Some("meter"));

    let manner = Manner {
        forever: true,
        ..manner
    };
    let report = House::new(manner).run(true);
    let cut = report.cut.expect(&report.text);
    assert!(!cut.passed, "{cut:?}");
    assert_eq!(report.limits.lease, Some(LeaseProof::None));
}
