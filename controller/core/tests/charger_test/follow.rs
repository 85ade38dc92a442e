//! The follow test: what a charger is found to be.

use headroom_core::config::LeaseProof;
use headroom_core::trial::Verdict;
use headroom_core::units::{Milliamps, Phase};
use serde_json::json;

use crate::house::{House, LEASE_S, Manner, expect};

#[test]
fn one_that_follows_passes_and_its_lease_is_proven() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    let begun = house.s;
    let report = expect(house.end(), Verdict::Passed, "");
    println!("{report:#?}");
    let follow = report.follow.unwrap();
    assert_eq!(follow.lowest_a, Some(Milliamps(6_000)));
    assert!(follow.pauses && follow.resumes);
    assert_eq!(follow.phases_agree, Some(true), "{follow:?}");
    let told: Vec<i64> = report.steps.iter().map(|step| step.told_a.0).collect();
    assert_eq!(told, [10_000, 6_000, 13_000, 0, 10_000]);
    let cut = report.cut.unwrap();
    assert!(cut.passed, "{cut:?}");
    assert_eq!(report.limits.lease, Some(LeaseProof::Proven));
    assert_eq!(report.limits.min_current_a, None);
    println!(
        "benchmark: the follow test and the cut test of {LEASE_S} s: {} s",
        house.s - begun
    );
    // It goes on as before.
    house.seconds(90);
    assert_eq!(house.draw[0], 16_000);
}

#[test]
fn one_that_ignores_6_a_is_given_no_less_than_it_keeps_to() {
    let manner = Manner {
        least: 9_000,
        ..Manner::default()
    };
    let report = House::new(manner).run(true);
    let report = expect(report, Verdict::Failed, "draws 9 A instead of 6 A");
    let follow = report.follow.unwrap();
    assert!(follow.pauses && !follow.passed);
    assert_eq!(follow.lowest_a, Some(Milliamps(9_000)));
    assert_eq!(report.limits.min_current_a, Some(Milliamps(9_000)));
    assert_eq!(report.limits.lease, None, "its lease was not tested");
    assert!(
        report.steps[2].skipped,
        "13 A is not given to one that does not come down"
    );
}

#[test]
fn a_deaf_one_fails_with_its_reason() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.manner.deaf = true;
    let words = "said yes and draws 16 A instead of 10 A";
    let report = expect(house.end(), Verdict::Failed, words);
    assert!(!report.follow.unwrap().pauses);
    assert_eq!(report.limits.min_current_a, Some(Milliamps(16_000)));

    // One that is known for it already.
    let manner = Manner {
        deaf: true,
        ..Manner::default()
    };
    let report = House::new(manner).run(true);
    expect(report, Verdict::Failed, "draws 16 A although it was told");
}

#[test]
fn a_slow_one_passes_and_its_time_is_told() {
    let slow = |slow_s| {
        let manner = Manner {
            slow_s,
            ..Manner::default()
        };
        let report = expect(House::new(manner).run(false), Verdict::Passed, "");
        report.follow.unwrap().reaction_ms.unwrap()
    };
    let (prompt, late) = (slow(0), slow(3));
    assert!(
        (prompt + 2_000..=prompt + 3_000).contains(&late),
        "{prompt} ms and {late} ms"
    );
}

#[test]
fn phases_that_are_not_as_configured_are_found() {
    // Its terminals 1 and 2 are configured on L1 and L2, and hang on L1 and L3.
    let manner = Manner {
        lines: vec![Phase::L1, Phase::L3],
        car: vec![32_000; 2],
        ..Manner::default()
    };
    let report = House::with(manner, &json!({"phases": ["l1", "l2"]})).run(true);
    let words = "It draws from L1, L3 and is configured on L1, L2";
    let report = expect(report, Verdict::Failed, words);
    let follow = report.follow.unwrap();
    assert_eq!(follow.phases_found, Some(vec![Phase::L1, Phase::L3]));
    assert!(report.limits.phases_unknown);

    // A car of one phase on three terminals, of which two are swapped.
    let manner = Manner {
        lines: vec![Phase::L2, Phase::L1, Phase::L3],
        car: vec![32_000, 0, 0],
        ..Manner::default()
    };
    // What it draws from the other line counts as the house's: there must be room for it twice.
    let report = House::behind(40, manner, &json!({})).run(false);
    let follow = report.follow.unwrap();
    assert_eq!(follow.phases_expected, Some(vec![Phase::L1]));
    assert_eq!(follow.phases_found, Some(vec![Phase::L2]));
    assert_eq!(follow.phases_agree, Some(false));
}

#[test]
fn one_that_says_nothing_of_its_draw_is_judged_by_the_meter() {
    let manner = Manner {
        says: false,
        ..Manner::default()
    };
    let report = expect(House::new(manner).run(true), Verdict::Passed, "");
    assert_eq!(report.cut.unwrap().seen_by.as_deref(), Some("meter"));
}

#[test]
fn one_that_falls_silent_is_judged_by_the_meter() {
    let mut house = House::new(Manner::default());
    house.begin(false);
    house.manner.every_s = 10_000;
    let report = expect(house.end(), Verdict::Passed, "");
    assert!(report.steps[0].metered_after_ms.is_some(), "{report:#?}");
}

#[test]
fn one_that_says_what_it_does_not_do_is_not_believed() {
    // It says that it follows, and hangs on nothing that the meter sees.
    let manner = Manner {
        unseen: true,
        ..Manner::default()
    };
    let report = House::new(manner.clone()).run(true);
    let words = "The house meter shows nothing of it";
    let report = expect(report, Verdict::Failed, words);
    assert_eq!((report.cut, report.limits.lease), (None, None));
    let report = House::with(manner, &json!({"phases": null})).run(true);
    expect(report, Verdict::Failed, "");
}

#[test]
fn one_that_reports_once_a_minute_is_waited_for() {
    let manner = Manner {
        every_s: 50,
        ..Manner::default()
    };
    let report = House::with(manner, &json!({"lease_s": 20})).run(true);
    assert!(expect(report, Verdict::Passed, "").cut.unwrap().passed);
}

#[test]
fn a_car_that_takes_little_is_no_fault_of_its_charger() {
    for most in [6_400, 8_000, 11_000] {
        let manner = Manner {
            car: vec![most; 3],
            ..Manner::default()
        };
        let report = expect(House::new(manner).run(true), Verdict::Passed, "");
        assert_eq!(report.limits.min_current_a, None);
        assert_eq!(report.follow.unwrap().lowest_a, Some(Milliamps(6_000)));
    }
}

#[test]
fn one_that_does_not_go_up_again_does_not_follow() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.manner.car = vec![6_000; 3];
    expect(
        house.end(),
        Verdict::Failed,
        "did not go up from 6 A to 13 A",
    );
}
