//! What would have been: figures that must differ the way that the change goes.

use headroom_replay::{Asked, Range, WhatIf, WhatIfError};
use serde_json::{Value, json};

use crate::house::{House, at, config, tamper};

const ENOUGH: usize = 100_000;

async fn asked(house: &House, change: Value) -> Result<WhatIf, WhatIfError> {
    let range = Range::default();
    let asked = Asked::of(&house.reader().await, range, ENOUGH, &change).await?;
    Ok(asked.answer())
}

fn energy(side: &headroom_replay::WhatIfSide, id: &str) -> (f64, f64) {
    let load = side.loads.iter().find(|load| load.id == id).unwrap();
    (load.energy_kwh, load.curtailed_kwh)
}

#[tokio::test]
async fn nothing_changed_gives_nearly_what_was_recorded() {
    let mut house = House::new().await;
    house.lively().await;
    let told = asked(&house, json!({})).await.unwrap();
    println!("{}", serde_json::to_string_pretty(&told).unwrap());
    assert_eq!(told.covered_s, 599);
    assert_eq!(
        serde_json::to_value(&told.same).unwrap(),
        serde_json::to_value(&told.changed).unwrap()
    );
    assert!(told.recorded.energy_kwh > 1.0);
    let apart = (told.recorded.energy_kwh - told.same.energy_kwh).abs();
    assert!(apart < 0.15 * told.recorded.energy_kwh, "{apart} kWh");
    assert!(told.recorded.phases[0].thermal_margin > Some(0.0));
}

#[tokio::test]
async fn a_smaller_fuse_takes_energy_and_a_larger_one_gives_it() {
    let mut house = House::new().await;
    house.lively().await;
    let fuse = |amps: u8| json!({"site": {"main_fuse": {"rating_a": amps}}});
    let small = asked(&house, fuse(16)).await.unwrap();
    let large = asked(&house, fuse(50)).await.unwrap();
    assert!(small.changed.energy_kwh < small.same.energy_kwh);
    assert!(small.changed.curtailed_kwh > small.same.curtailed_kwh);
    assert!(large.changed.energy_kwh > large.same.energy_kwh);
    assert!(large.changed.curtailed_kwh < large.same.curtailed_kwh);
    let holds = |told: &WhatIf| told.changed.phases.iter().all(|it| it.thermal < Some(1.0));
    assert!(holds(&small) && holds(&large));
}

#[tokio::test]
async fn other_priorities_move_energy_from_one_car_to_the_other() {
    let mut house = House::new().await;
    house.lively().await;
    let order = json!({"priorities": {"order": [["heater"], ["ev2"], ["ev1"]]}});
    let told = asked(&house, order).await.unwrap();
    assert!(energy(&told.changed, "ev2").0 > energy(&told.same, "ev2").0);
    assert!(energy(&told.changed, "ev1").0 < energy(&told.same, "ev1").0);
}

#[tokio::test]
async fn loads_come_and_go() {
    let mut house = House::new().await;
    house.lively().await;
    let without = json!({"slow_loads": [], "chargers": [{"id": "ev1"}]});
    let told = asked(&house, without).await.unwrap();
    assert_eq!(told.changed.loads.len(), 1);
    assert!(energy(&told.changed, "ev1").0 > energy(&told.same, "ev1").0);
    let another = json!({"chargers": [{"id": "ev1"}, {"id": "ev2"}, {"id": "ev3", "phases": ["l3"], "accept_risk": true}]});
    let told = asked(&house, another).await.unwrap();
    assert!(energy(&told.changed, "ev3").0 > 0.1);
    assert!(told.notes[0].contains("ev3"), "{:?}", told.notes);
}

/// A car that came to the house in the middle, and another that went: each counts while it was there.
#[tokio::test]
async fn a_configuration_that_changed_meanwhile_holds_for_its_own_time() {
    let mut house = House::new().await;
    let mut alone = config();
    alone["type"] = json!("configure");
    let both = alone.clone();
    alone["chargers"].as_array_mut().unwrap().remove(1);
    house.tell(alone.clone());
    house.only = Some(0);
    house.seconds(300).await;
    house.tell(both);
    house.only = None;
    house.seconds(300).await;
    alone["site"]["main_fuse"]["rating_a"] = json!(20);
    house.tell(alone);
    house.only = Some(0);
    house.seconds(300).await;

    let told = asked(&house, json!({})).await.unwrap();
    assert!(
        told.notes[0].contains("changed 3 times"),
        "{:?}",
        told.notes
    );
    let ids: Vec<_> = told
        .same
        .loads
        .iter()
        .map(|load| load.id.as_str())
        .collect();
    assert_eq!(ids, ["ev1", "ev2", "heater"]);
    // The second car was there for a third of the time, and counts in all three sides.
    let recorded = energy(&told.recorded, "ev2").0;
    assert!(recorded > 0.05, "{told:?}");
    for side in [&told.same, &told.changed] {
        let (in_model, _) = energy(side, "ev2");
        assert!(
            (in_model - recorded).abs() < recorded * 0.3,
            "{in_model} {recorded}"
        );
    }
    let whole: f64 = told.same.loads.iter().map(|load| load.energy_kwh).sum();
    assert!((whole - told.same.energy_kwh).abs() < 0.005, "{told:?}");

    // The change is made to each: the fuse of the last third would have been as small all the time.
    let small = asked(&house, json!({"site": {"main_fuse": {"rating_a": 16}}}));
    let small = small.await.unwrap();
    assert!(energy(&small.changed, "ev1").0 < energy(&small.same, "ev1").0);
    // An order that names both, though there was a time with one alone.
    let order = json!({"priorities": {"order": [["ev2"], ["ev1"], ["heater"]]}});
    let ordered = asked(&house, order).await.unwrap();
    assert!(energy(&ordered.changed, "ev2").0 >= energy(&ordered.same, "ev2").0 - 0.01);
    // Another charger is there all the time, as it was when it was there.
    let another = json!({"chargers": [{"id": "ev2"}], "slow_loads": []});
    let another = asked(&house, another).await.unwrap();
    assert_eq!(another.changed.loads.len(), 1);
    assert!(energy(&another.changed, "ev2").0 >= recorded - 0.01);
    let nobody = json!({"priorities": {"order": [["ev2"], ["ev1"], ["heater"], ["ev9"]]}});
    assert!(asked(&house, nobody).await.is_err());
}

/// A circuit and a charger behind it that came in the middle, and a charger that was there for a second.
#[tokio::test]
async fn what_came_later_can_be_named() {
    let mut house = House::new().await;
    let mut alone = config();
    alone["type"] = json!("configure");
    let mut later = alone.clone();
    alone["chargers"].as_array_mut().unwrap().remove(1);
    house.tell(alone);
    house.only = Some(0);
    house.seconds(60).await;
    later["site"]["circuits"] = json!([{"id": "garage", "rating_a": 20}]);
    later["chargers"][1]["circuit"] = json!("garage");
    let mut for_a_second = later.clone();
    for_a_second["chargers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "ev3", "phases": ["l3"], "accept_risk": true, "circuit": "garage"}));
    house.tell(for_a_second);
    house.only = None;
    house.seconds(1).await;
    house.tell(later);
    house.seconds(60).await;

    let told = asked(&house, json!({})).await.unwrap();
    let note = "Nothing was recorded of ev3: it wants its most here as long as it was there.";
    assert!(told.notes.iter().any(|it| it == note), "{:?}", told.notes);
    let named =
        |circuit: &str| json!({"chargers": [{"id": "ev1"}, {"id": "ev2", "circuit": circuit}]});
    let told = asked(&house, named("garage")).await.unwrap();
    assert!(energy(&told.changed, "ev2").0 > 0.0);
    let error = asked(&house, named("nowhere")).await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test]
async fn a_part_of_the_time_and_what_cannot_be_told() {
    let mut house = House::new().await;
    house.lively().await;
    let reader = house.reader().await;
    let range = Range {
        from: Some(at(250_000)),
        to: Some(at(350_000)),
    };
    let told = Asked::of(&reader, range, ENOUGH, &json!({}))
        .await
        .unwrap()
        .answer();
    assert_eq!((told.from, told.covered_s), (at(250_000), 99));
    let few = Asked::of(&reader, Range::default(), 10, &json!({})).await;
    assert!(matches!(few, Err(WhatIfError::TooLong)));
    let later = Range {
        from: Some(at(9_000_000)),
        to: None,
    };
    let nothing = Asked::of(&reader, later, ENOUGH, &json!({})).await;
    assert!(matches!(nothing, Err(WhatIfError::Nothing)));
    let wrong = json!({"site": {"main_fuse": {"rating_a": -1}}});
    let error = asked(&house, wrong).await.unwrap_err().to_string();
    assert!(error.contains("site.main_fuse.rating_a"), "{error}");
    let delta = asked(&house, json!({"site": {"grid": "it_3ph"}})).await;
    assert!(delta.is_err());
}

/// Three times as long: as it is in the end, then with a weaker charger, then as in the beginning.
async fn a_weak_charger_meanwhile() -> House {
    let mut house = House::new().await;
    let mut own = config();
    own["type"] = json!("configure");
    let mut weak = own.clone();
    weak["chargers"][1]["max_current_a"] = json!(10);
    house.seconds(200).await;
    house.tell(weak);
    house.seconds(200).await;
    house.tell(own);
    house.seconds(200).await;
    house
}

#[tokio::test]
async fn an_earlier_configuration_that_cannot_bear_the_change_is_left_out_and_named() {
    let mut house = a_weak_charger_meanwhile().await;
    let change = json!({"chargers": [{"id": "ev2", "min_current_a": 12}], "slow_loads": []});
    let told = asked(&house, change.clone()).await.unwrap();
    assert_eq!((told.from, told.to), (at(1000), at(600_000)));
    assert!((397..=399).contains(&told.covered_s), "{}", told.covered_s);
    assert!(
        (199..=201).contains(&told.left_out_s),
        "{}",
        told.left_out_s
    );
    let note = told.notes.iter().find(|note| note.contains("left out"));
    let note = note.unwrap_or_else(|| panic!("{:?}", told.notes));
    for part in [
        format!("From {:.0} to {:.0} ", at(200_000), at(400_000)),
        "chargers.ev2.min_current_a".to_owned(),
    ] {
        assert!(note.contains(&part), "{part}: {note}");
    }
    // What is left out counts on no side, so that they can be compared.
    let whole = asked(&house, json!({})).await.unwrap();
    assert!(told.recorded.energy_kwh < whole.recorded.energy_kwh * 0.8);
    assert!(told.same.energy_kwh < whole.same.energy_kwh * 0.8);
    assert!(told.recorded.commands <= whole.recorded.commands);
    let ids: Vec<_> = told.changed.loads.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["ev2"]);

    // At the beginning too; what is left begins where it can be told.
    let range = Range {
        from: Some(at(300_000)),
        to: None,
    };
    let late = Asked::of(&house.reader().await, range, ENOUGH, &change).await;
    let late = late.unwrap().answer();
    assert_eq!((late.from, late.to), (at(400_000), at(600_000)));
    assert_eq!((late.covered_s, late.left_out_s), (200, 0), "within it");
    // Where it is the newest, or all that there is, nothing can be told.
    let range = Range {
        from: Some(at(300_000)),
        to: Some(at(390_000)),
    };
    let error = Asked::of(&house.reader().await, range, ENOUGH, &change).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("chargers.ev2.min_current_a"), "{error}");
    let mut weak = config();
    weak["type"] = json!("configure");
    weak["chargers"][1]["max_current_a"] = json!(10);
    house.tell(weak);
    house.seconds(10).await;
    let error = asked(&house, change).await.unwrap_err().to_string();
    assert!(error.contains("chargers.ev2.min_current_a"), "{error}");
}

/// It ran with a configuration that would be refused today; that is none of the change's doing.
#[tokio::test]
async fn what_is_wrong_with_an_earlier_configuration_itself_refuses_nothing() {
    let house = a_weak_charger_meanwhile().await;
    house.journal.flush().await;
    let of_another_time = "UPDATE event SET body = replace(body, '\"priority\":1', '\"priority\":9001') \
        WHERE body LIKE '%\"max_current_a\":10.0%' AND body LIKE '%\"priority\":1,%'";
    tamper(house.dir.path(), of_another_time).await;
    for change in [
        json!({}),
        json!({"site": {"main_fuse": {"rating_a": 16}}}),
        json!({"chargers": [{"id": "ev1"}, {"id": "ev2"}]}),
    ] {
        let told = asked(&house, change).await.unwrap();
        assert_eq!((told.covered_s, told.left_out_s), (599, 0));
        assert!(
            !told.notes.iter().any(|note| note.contains("left out")),
            "{:?}",
            told.notes
        );
    }
    // What the change does to it is told all the same.
    let worse = json!({"chargers": [{"id": "ev1", "priority": 9002}, {"id": "ev2"}]});
    let error = asked(&house, worse).await.unwrap_err().to_string();
    assert!(error.contains("chargers.ev1.priority"), "{error}");
}

/// Loads that say more than a meter are bounded too.
#[tokio::test]
async fn what_loads_say_is_bounded_in_memory() {
    let mut house = House::new().await;
    house.seconds(10).await;
    let word =
        json!({"type": "slow_load", "id": "heater", "connected": true, "on": false, "power_w": 0});
    for _ in 0..200 {
        house.tell(word.clone());
    }
    house.seconds(10).await;
    let reader = house.reader().await;
    let all = Asked::of(&reader, Range::default(), 50, &json!({})).await;
    assert!(all.is_ok());
    // Readings are few enough, words are not.
    let few = Asked::of(&reader, Range::default(), 30, &json!({})).await;
    assert!(matches!(few, Err(WhatIfError::TooLong)));
}
