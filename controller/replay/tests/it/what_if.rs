//! What would have been: figures that must differ the way that the change goes.

use headroom_replay::{Asked, Range, WhatIf, WhatIfError};
use serde_json::{Value, json};

use crate::house::{House, at};

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
