//! Meter and chargers are not heard at the same instant: what a load draws is between bounds, and the house
//! is not blamed for it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod rig;

use headroom_core::action::Command;
use rig::*;
use serde_json::json;

/// One charger at 16 A beside 4 A of the house, its car on the way up: it says 6 A, then 10 A.
fn rising() -> Rig {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    let first = rig.calm(1..6, "ev1", 4.0, 0.0);
    assert_eq!(limits(&first), [(16.0, false)]);
    rig.report(7, "ev1", 6.0, None);
    rig.read(8, [Some(11.0); 3]);
    rig.report(12, "ev1", 10.0, None);
    rig
}

#[test]
fn an_overload_while_a_car_ramps_up_leaves_it_what_fits() {
    let mut rig = rising();
    // The oven goes on: 14 A of the house and the 12 A that the car has by now.
    let cut = limits(&rig.read(13, [Some(26.0); 3]));
    assert_eq!(cut, [(11.0, false)], "10 A of the car are not the house's");
}

#[test]
fn a_report_that_comes_twice_is_one_word() {
    let mut rig = rising();
    // A change of the state brings the same currents once more.
    rig.report(12, "ev1", 10.0, None);
    let cut = limits(&rig.read(13, [Some(26.0); 3]));
    assert_eq!(cut, [(11.0, false)]);
}

#[test]
fn a_car_that_ramps_up_between_two_reports_is_not_the_house() {
    let mut rig = rising();
    for s in 13..20 {
        let draw = f64::from(u32::try_from(s).unwrap()) - 3.0;
        assert_eq!(limits(&rig.read(s, [Some(4.0 + draw); 3])), []);
    }
}

#[test]
fn a_slow_charger_is_told_once() {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    rig.calm(1..6, "ev1", 4.0, 0.0);
    rig.calm(6..60, "ev1", 4.0, 16.0);
    let cut = limits(&rig.calm(60..61, "ev1", 11.0, 16.0));
    assert_eq!(cut, [(14.0, false)]);
    // Behind a cloud it still draws 16 A after 15 s: telling it less would not make it faster.
    let again = rig.calm(61..76, "ev1", 11.0, 16.0);
    assert!(
        limits(&again).iter().all(|(limit, _)| *limit == 14.0),
        "{again:?}"
    );
    // A charger that stays above what it was told is told so much less.
    let stays = rig.calm(76..90, "ev1", 11.0, 16.0);
    assert!(
        limits(&stays).iter().any(|(limit, _)| *limit < 14.0),
        "{stays:?}"
    );
}

#[test]
fn the_others_make_room_for_what_a_slow_charger_still_draws() {
    let mut low = charger("ev2");
    low["priority"] = json!(0);
    let mut rig = Rig::new(&house(&json!([charger("ev1"), low]), &json!([])));
    let both = |rig: &mut Rig, s: u64, house: f64, draws: [f64; 2]| {
        let mut all = rig.report(s, "ev1", draws[0], None);
        all.extend(rig.report(s, "ev2", draws[1], None));
        all.extend(rig.read(s, [Some(house + draws[0] + draws[1]); 3]));
        all
    };
    for s in 1..10 {
        both(&mut rig, s, 1.0, [0.0, 0.0]);
    }
    for s in 10..90 {
        both(&mut rig, s, 1.0, [16.0, 8.0]);
    }
    // The house takes 12 A more; the second car stops at once, the first stays slow for a while.
    for s in 90..106 {
        both(&mut rig, s, 13.0, [16.0, 0.0]);
    }
    for s in 106..180 {
        for action in both(&mut rig, s, 1.0, [16.0, 0.0]) {
            if let Command::SetLimit { load, limit_a, .. } = &action.what {
                assert!(load == "ev1" || limit_a.to_f64() <= 8.0, "{action:?}");
            }
        }
    }
}

#[test]
fn an_ampere_is_not_passed_to_and_fro_between_equals() {
    let config = json!({"site": {"mode": "control", "main_fuse": {"rating_a": 40}},
                        "chargers": [charger("ev1"), charger("ev2")], "slow_loads": []});
    let mut rig = Rig::new(&config);
    let mut told = [0.0, 0.0];
    let mut changes = 0;
    for s in 1..7200 {
        let mut all = Vec::new();
        for (id, draw) in ["ev1", "ev2"].into_iter().zip(told) {
            all.extend(rig.report(s, id, draw, None));
        }
        // 9 A of the house leave 31 A: 16 A and 15 A.
        all.extend(rig.read(s, [Some(9.0 + told[0] + told[1]); 3]));
        for action in &all {
            if let Command::SetLimit { load, limit_a, .. } = &action.what {
                told[usize::from(load == "ev2")] = limit_a.to_f64();
                changes += usize::from(!action.renewal && s > 600);
            }
        }
    }
    assert_eq!(changes, 0, "{told:?}");
}

/// Two cars on 25 A beside 9 A of the house: the first is idle from second 100 on, the second charges.
#[test]
fn what_a_car_stops_drawing_by_itself_is_not_taken_for_a_smaller_house() {
    for report_s in [1, 2, 5, 10, 20] {
        let mut rig = Rig::new(&house(&json!([charger("ev1"), charger("ev2")]), &json!([])));
        let mut told = [0.0_f64, 0.0];
        for s in 1..900_u64 {
            // It wants nothing by itself for a while, and then again.
            let wants = !(100..600).contains(&s);
            let draws = [if wants { told[0] } else { 0.0 }, told[1]];
            let mut all = rig.read(s, [Some(9.0 + draws[0] + draws[1]); 3]);
            for (index, id) in ["ev1", "ev2"].into_iter().enumerate() {
                if (s + index as u64).is_multiple_of(report_s) {
                    let draw = draws[index];
                    let status = if wants || index == 1 {
                        "charging"
                    } else {
                        "suspended_ev"
                    };
                    let event = json!({"type": "charger", "id": id, "connected": true, "status": status,
                                       "current_a": [draw, draw, draw], "limit_a": null});
                    all.extend(rig.give(s, event));
                }
            }
            for action in &all {
                if let Command::SetLimit { load, limit_a, .. } = &action.what {
                    told[usize::from(load == "ev2")] = limit_a.to_f64();
                }
            }
            assert!(
                9.0 + told[0] + told[1] <= 25.3,
                "{s} s, a report each {report_s} s: {told:?} beside 9 A"
            );
        }
        assert!(
            told[0] + told[1] >= 12.0,
            "they are not kept from what there is: {told:?}"
        );
    }
}

#[test]
fn what_a_resting_car_may_take_is_lowered_when_the_house_grows_meanwhile() {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    let mut told = 0.0_f64;
    for s in 1..300_u64 {
        let draw = if s < 100 { told } else { 0.0 };
        let home = if s < 120 { 9.0 } else { 19.0 };
        let mut all = Vec::new();
        if s.is_multiple_of(5) {
            all.extend(rig.report(s, "ev1", draw, None));
        }
        if s % 10 == 3 {
            all.extend(rig.read(s, [Some(home + draw); 3]));
        }
        for action in &all {
            if let Command::SetLimit { limit_a, .. } = &action.what {
                told = limit_a.to_f64();
            }
        }
        // Two readings, each with a report behind it, tell that it was the house.
        assert!(
            s < 150 || home + told <= 25.3,
            "{s} s: {told} A beside {home} A"
        );
    }
}

#[test]
fn what_no_car_that_says_it_rests_has_claimed_is_the_house() {
    let mut rig = Rig::new(&house(&json!([charger("ev1")]), &json!([])));
    let mut told = 0.0_f64;
    for s in 1..180_u64 {
        let (draw, status) = if s < 100 {
            (told, "charging")
        } else {
            (0.0, "suspended_ev")
        };
        let home = if s < 120 { 9.0 } else { 19.0 };
        let mut all = Vec::new();
        // What it draws comes once a minute, its state when it changes.
        if s < 90 && s % 10 == 5 || s == 100 {
            let event = json!({"type": "charger", "id": "ev1", "connected": true, "status": status,
                               "current_a": [draw, draw, draw], "limit_a": told});
            all.extend(rig.give(s, event));
        }
        all.extend(rig.read(s, [Some(home + draw); 3]));
        if let Some((limit, _)) = limits(&all).last() {
            told = *limit;
        }
        // It answers within 10 s, as far as is known.
        assert!(
            s < 132 || home + told <= 25.3,
            "{s} s: {told} A beside {home} A"
        );
        assert!(!(100..120).contains(&s) || told >= 13.0, "{s} s: {told} A");
    }
}

#[test]
fn a_refused_cut_is_not_done_because_the_car_stopped() {
    let mut rig = Rig::new(&house(&json!([charger("ev1"), charger("ev2")]), &json!([])));
    let mut told = [0.0_f64, 0.0];
    let mut step = |rig: &mut Rig, s: u64, house: f64, draws: [f64; 2]| {
        let mut all = rig.report(s, "ev1", draws[0], None);
        all.extend(rig.report(s, "ev2", draws[1], None));
        all.extend(rig.read(s, [Some(house + draws[0] + draws[1]); 3]));
        for action in &all {
            if let Command::SetLimit { load, limit_a, .. } = &action.what {
                told[usize::from(load == "ev2")] = limit_a.to_f64();
            }
        }
        told
    };
    let mut draws = [0.0, 0.0];
    for s in 1..200 {
        draws = step(&mut rig, s, 1.0, draws);
    }
    assert_eq!(draws, [12.0, 11.0]);
    rig.answers = "rejected";
    for s in 200..204 {
        step(&mut rig, s, 10.0, draws);
    }
    // Both cars stop by themselves, and the house needs less. The cut of neither was taken: both may go on with 12 A.
    for s in 204..500 {
        let told = step(&mut rig, s, 1.0, [0.0, 0.0]);
        assert!(told.iter().all(|told| *told <= 12.0), "{s} s: {told:?}");
    }
}

#[test]
fn a_charger_that_comes_back_counts_as_before_until_it_has_taken_its_limit() {
    let mut first = charger("ev1");
    first["lease"] = json!("none");
    first["max_current_a"] = json!(32);
    let config = json!({"site": {"mode": "control", "main_fuse": {"rating_a": 40}},
                        "chargers": [first, charger("ev2")], "slow_loads": []});
    let mut rig = Rig::new(&config);
    for s in 1..100 {
        rig.report(s, "ev1", 0.0, None);
        rig.report(s, "ev2", 0.0, None);
        rig.read(s, [Some(3.0); 3]);
    }
    let gone = json!({"type": "charger", "id": "ev1", "connected": false, "status": "unknown",
                      "current_a": null, "limit_a": null});
    rig.give(100, gone);
    for s in 101..400 {
        rig.report(s, "ev2", 0.0, None);
        rig.read(s, [Some(3.0); 3]);
    }
    rig.answers = "timeout";
    let mut most = 0.0_f64;
    for s in 400..420 {
        let mut all = rig.report(s, "ev1", 0.0, None);
        all.extend(rig.report(s, "ev2", 0.0, None));
        all.extend(rig.read(s, [Some(3.0); 3]));
        for action in &all {
            if let Command::SetLimit { load, limit_a, .. } = &action.what
                && load == "ev2"
            {
                most = most.max(limit_a.to_f64());
            }
        }
    }
    assert!(
        most <= 5.0,
        "{most} A beside 32 A that may still be in force"
    );
}
