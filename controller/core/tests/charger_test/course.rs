//! When a test begins, what goes before it, and that it gives a car no more than the engine without it.

use headroom_core::Engine;
use headroom_core::engine::TestRefusal;
use headroom_core::trial::{Limits, Verdict};
use headroom_core::units::Instant;
use proptest::prelude::*;
use serde_json::json;

use crate::house::{House, Manner, config, expect};

#[test]
fn a_safe_current_that_is_too_high_is_told_before() {
    let mut house = House::with(Manner::default(), &json!({"safe_current_a": 15}));
    house.seconds(30);
    let may_test = |charger, cut| house.engine.may_test(charger, cut);
    assert_eq!(may_test("ev1", true), Err(TestRefusal::SafeTooHigh));
    assert_eq!(may_test("ev1", false), Ok(()));
    assert_eq!(may_test("ev9", false), Err(TestRefusal::Unknown));
}

#[test]
fn without_a_car_it_does_not_begin_and_when_it_leaves_it_ends() {
    let mut house = House::new(Manner::default());
    house.plugged = false;
    house.seconds(10);
    let refusal = house.engine.may_test("ev1", true).unwrap_err().to_string();
    assert!(refusal.contains("no car"), "{refusal}");

    let mut house = House::new(Manner::default());
    house.begin(true);
    house.seconds(3);
    house.plugged = false;
    let report = expect(house.end(), Verdict::Aborted, "no car");
    assert_eq!(report.limits, Limits::default());

    // A car that is full is there and draws nothing.
    let manner = Manner {
        car: vec![0; 3],
        ..Manner::default()
    };
    expect(
        House::new(manner).run(true),
        Verdict::Aborted,
        "draws nothing",
    );
}

#[test]
fn it_ends_for_whatever_goes_before_it() {
    let ends = |what: &str, change: &dyn Fn(&mut House)| {
        let mut house = House::new(Manner::default());
        house.begin(true);
        house.seconds(8);
        change(&mut house);
        let report = house.end();
        assert_eq!(report.result, Verdict::Aborted, "{what}: {}", report.text);
        report.text
    };
    let text = ends("an overload", &|house| house.background[1] = 20_000);
    assert!(
        text.contains("L2 of main carries too much") || text.contains("needed for something else"),
        "{text}"
    );
    ends("a lost link", &|house| house.connected = false);
    ends("a pause", &|house| {
        house.take(
            json!({"type": "command", "command": {"kind": "pause", "load": "ev1", "for_s": 60}}),
        );
    });
    let text = ends("by hand", &|house| {
        house.take(json!({"type": "command", "command": {"kind": "end_test", "load": "ev1"}}));
    });
    assert_eq!(text, "It was ended by hand.");
    ends("a stale meter", &|house| {
        house.s += 20;
        house.take(json!({"type": "tick"}));
    });
    let text = ends("another configuration", &|house| {
        let mut config = serde_json::to_value(config(&json!({"safe_current_a": 6}))).unwrap();
        config["type"] = json!("configure");
        house.take(config);
    });
    assert_eq!(text, "Its configuration was changed.");
}

#[test]
fn a_step_without_room_waits_and_then_ends_with_the_reason() {
    let mut house = House::new(Manner::default());
    house.background = [1_000, 17_500, 1_000];
    house.begin(true);
    let words = "There was no room for 10 A";
    let report = expect(house.end(), Verdict::Aborted, words);
    assert!(report.text.contains("L2"), "{}", report.text);
    assert!(
        house.told.iter().all(|told| *told <= 7_000),
        "{:?}",
        house.told
    );
}

#[test]
fn an_overload_during_the_cut_is_answered_at_once() {
    let mut house = House::new(Manner::default()).in_silence();
    house.background[0] = 17_000;
    house.second();
    assert!(!house.engine.test().unwrap().is_running());
    assert!(
        house.told.last().is_some_and(|told| *told <= 8_000),
        "{:?}",
        house.told
    );
}

#[test]
fn what_the_plan_needs_of_it_is_done_in_the_same_step() {
    // It takes 8 A of the 10 A that are reserved for it: the house may need the rest without any overload.
    let manner = Manner {
        car: vec![8_000; 3],
        ..Manner::default()
    };
    let mut house = House::new(manner).in_silence();
    house.background[0] = 16_000;
    let commands = house.told.len();
    while house.told.len() == commands {
        assert!(house.engine.test().unwrap().is_running());
        house.second();
    }
    let report = house.engine.test().unwrap().report().unwrap();
    expect(
        report.clone(),
        Verdict::Aborted,
        "needed for something else",
    );
}

#[test]
fn a_test_goes_on_from_a_checkpoint_as_it_would_have() {
    let mut house = House::new(Manner::default());
    house.begin(true);
    house.seconds(20);
    let text = serde_json::to_string(&house.engine.checkpoint()).unwrap();
    house.engine = Engine::from_checkpoint(serde_json::from_str(&text).unwrap());
    assert_eq!(house.end().result, Verdict::Passed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a test gives a car at any moment, the same engine without the test would have given it at that moment too.
    #[test]
    fn a_test_gives_no_more_than_the_engine_without_it(
        steps in proptest::collection::vec((0_u64..25, 0_usize..3, 500_i64..20_000), 1..12),
        slow_s in 0_u64..4,
        forever in any::<bool>(),
    ) {
        let mut house = House::new(Manner { slow_s, forever, ..Manner::default() });
        // Without waiting times, which keep a house calm and no fuse safe: a start in a test has none after its pause.
        let mut calm = config(&json!({}));
        calm.site.tuning.raise_after_s = 1;
        calm.site.tuning.restart_after_s = 1;
        house.engine = Engine::new(calm, Instant(0));
        house.begin(true);
        house.compare = true;
        for (wait, line, level) in steps {
            house.seconds(wait);
            house.background[line] = level;
            house.second();
        }
    }
}
