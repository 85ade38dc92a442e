//! The switches of the demo: who may turn them, what is refused, and that a car that is added is configured.

use std::sync::{Mutex, PoisonError};

use headroom_core::config::Charger;
use serde_json::json;

use super::*;
use crate::demo::{Demo, DemoChange, DemoCharger, DemoState};

/// A house with place for two charge points, of which one is there.
#[derive(Debug)]
struct FakeDemo(Mutex<DemoState>);

impl FakeDemo {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(DemoState {
            oven: false,
            meter_cable: true,
            speed: 1.0,
            chargers: vec![charge_point("ev1")],
            cars_max: 2,
        })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut DemoState) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn charge_point(id: &str) -> DemoCharger {
    DemoCharger {
        id: id.to_owned(),
        network: true,
        car: true,
    }
}

impl Demo for FakeDemo {
    fn state(&self) -> DemoState {
        self.with(|state| state.clone())
    }

    fn turn(&self, change: &DemoChange) {
        self.with(|state| {
            state.oven = change.oven.unwrap_or(state.oven);
            state.speed = change.speed.unwrap_or(state.speed);
            for change in &change.chargers {
                let it = state.chargers.iter_mut().find(|it| it.id == change.id);
                let it = it.unwrap();
                it.network = change.network.unwrap_or(it.network);
            }
        });
    }

    fn another(&self, is_taken: &dyn Fn(&str) -> bool) -> Option<Charger> {
        let there = self.state().chargers.len();
        let id = if is_taken("ev2") { "ev3" } else { "ev2" };
        let charger = json!({"id": id, "phases": ["l1"],
            "driver": {"kind": "ocpp", "charge_point_id": id, "password": "canary of the demo"}});
        (there < 2).then(|| serde_json::from_value(charger).unwrap())
    }

    fn arrive(&self, charger: &Charger) {
        self.with(|state| state.chargers.push(charge_point(&charger.id)));
    }
}

async fn rig() -> Rig {
    Rig::with(|app| app.demo = Some(FakeDemo::new())).await
}

#[tokio::test]
async fn without_a_demo_there_are_no_switches() {
    let rig = Rig::new().await;
    for (method, path) in [
        (Method::GET, "demo"),
        (Method::PATCH, "demo"),
        (Method::POST, "demo/cars"),
    ] {
        let answer = rig.do_it(method, path, json!({})).await;
        assert_eq!(answer.problem(), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_user_turns_switches_and_a_viewer_looks() {
    let rig = rig().await;
    let begin = json!({"oven": false, "meter_cable": true, "speed": 1.0,
        "chargers": [{"id": "ev1", "network": true, "car": true}], "cars_max": 2});
    let seen = rig
        .call(Method::GET, "demo")
        .token(&rig.viewer)
        .send()
        .await;
    assert_eq!((seen.status.as_u16(), seen.body), (200, begin));
    let turn = |secret: &str| {
        let change =
            json!({"oven": true, "speed": 60, "chargers": [{"id": "ev1", "network": false}]});
        rig.call(Method::PATCH, "demo")
            .token(secret)
            .json(&change)
            .send()
    };
    assert_eq!(turn(&rig.viewer).await.problem(), (403, "forbidden"));
    let turned = turn(&rig.user).await.body;
    assert_eq!(
        turned,
        json!({"oven": true, "meter_cable": true, "speed": 60.0,
            "chargers": [{"id": "ev1", "network": false, "car": true}], "cars_max": 2})
    );
}

#[tokio::test]
async fn what_cannot_be_right_turns_nothing() {
    let rig = rig().await;
    let before = rig.read("demo").await;
    for (body, field, code) in [
        (json!({"oven": true, "speed": 0.5}), "speed", "range"),
        (json!({"oven": true, "speed": 61}), "speed", "range"),
        (json!({"oven": "on"}), "oven", "type"),
        (json!({"oven": true, "hob": true}), "hob", "unknown"),
        (
            json!({"oven": true, "chargers": [{"id": "ev9", "car": true}]}),
            "chargers[0].id",
            "unknown",
        ),
        (
            json!({"chargers": [{"car": true}]}),
            "chargers[0].id",
            "required",
        ),
    ] {
        let answer = rig.do_it(Method::PATCH, "demo", body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}");
        assert_eq!(rig.read("demo").await, before, "{body}");
    }
}

#[tokio::test]
async fn a_car_that_is_added_is_configured_and_arrives() {
    let mut rig = rig().await;
    let add = || rig.call(Method::POST, "demo/cars").token(&rig.user).send();
    let added = add().await;
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(added.body["chargers"][1]["id"], "ev2");
    assert!(!added.text.contains("canary"));
    let house = rig.app.state.house();
    assert_eq!(house.config.chargers[0].id, "ev2");
    let full = add().await;
    assert_eq!(full.problem(), (409, "exists"));
    let told = rig.loop_was_told();
    assert!(
        matches!(told, Some(ControlRequest::Configure(config, _)) if config.chargers.len() == 1)
    );
}

#[tokio::test]
async fn a_name_that_a_load_has_is_not_given_to_a_car() {
    let rig = rig().await;
    let own = json!({"id": "ev2", "rated_w": 2000, "driver": {"kind": "shelly_gen2", "host": "192.0.2.7"}});
    assert_eq!(rig.do_it(Method::POST, "slow-loads", own).await.status, 201);
    let added = rig.do_it(Method::POST, "demo/cars", json!({})).await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.body["chargers"][1]["id"], "ev3");
    assert_eq!(rig.app.state.house().config.chargers[0].id, "ev3");
}
