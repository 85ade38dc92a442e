//! Loads that cannot be: told by field, and nothing has changed.

use headroom_core::units::Milliamps;
use headroom_store::House;

use super::*;
use crate::apply::{ApplyError, Wanted, apply};

#[tokio::test]
async fn wrong_loads_are_told_by_field_and_change_nothing() {
    let mut rig = house_with_loads().await;
    let before = rig.everything();
    let ocpp = json!({"kind": "ocpp", "charge_point_id": "CP9"});
    for (body, field, code) in [
        (
            json!({"driver": ocpp, "max_current_a": -1}),
            "max_current_a",
            "range",
        ),
        (
            json!({"driver": ocpp, "max_current_a": 1e9}),
            "max_current_a",
            "range",
        ),
        (
            json!({"driver": ocpp, "max_current_a": "16"}),
            "max_current_a",
            "type",
        ),
        (
            json!({"driver": ocpp, "phases": ["l4"]}),
            "phases[0]",
            "unknown",
        ),
        (json!({"driver": ocpp, "phases": []}), "phases", "format"),
        (
            json!({"driver": ocpp, "circuit": "nowhere"}),
            "circuit",
            "unknown",
        ),
        (
            json!({"driver": ocpp, "colour": "red"}),
            "colour",
            "unknown",
        ),
        (json!({"driver": ocpp, "id": "EV 1"}), "id", "format"),
        (
            json!({"driver": ocpp, "lease": "proven"}),
            "lease",
            "conflict",
        ),
        (json!({"driver": ocpp, "lease_s": 0}), "lease_s", "range"),
        (json!({"driver": ocpp, "lease_s": -5}), "lease_s", "range"),
        (
            json!({"driver": ocpp, "safe_current_a": 3}),
            "safe_current_a",
            "range",
        ),
        (
            json!({"driver": {"kind": "ocpp", "charge_point_id": "CP1"}}),
            "driver.charge_point_id",
            "duplicate",
        ),
        (
            json!({"driver": {"kind": "ocpp"}}),
            "driver.charge_point_id",
            "required",
        ),
        (
            json!({"driver": {"kind": "teleport"}}),
            "driver.kind",
            "unknown",
        ),
        (
            json!({"driver": {"kind": "shelly_gen2", "host": "192.0.2.8"}}),
            "driver.kind",
            "conflict",
        ),
        (json!({"name": "No driver"}), "driver", "required"),
    ] {
        let answer = rig.do_it(Method::POST, "chargers", body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}: {}", answer.text);
    }
    let taken = rig
        .do_it(
            Method::POST,
            "chargers",
            json!({"id": "heater", "driver": ocpp}),
        )
        .await;
    assert_eq!(taken.problem(), (409, "exists"));
    let shelly = json!({"kind": "shelly_gen2", "host": "192.0.2.8"});
    for (body, field, code) in [
        (json!({"driver": shelly}), "rated_w", "required"),
        (json!({"driver": shelly, "rated_w": -5}), "rated_w", "range"),
        (
            json!({"driver": {"kind": "shelly_gen2", "host": "http://x/"}, "rated_w": 5}),
            "driver.host",
            "format",
        ),
        (
            json!({"driver": ocpp, "rated_w": 5}),
            "driver.kind",
            "conflict",
        ),
    ] {
        let answer = rig.do_it(Method::POST, "slow-loads", body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}: {}", answer.text);
    }
    for (path, body, field, code) in [
        ("chargers/ev1", json!({"id": "other"}), "id", "conflict"),
        (
            "chargers/ev1",
            json!({"min_current_a": 20}),
            "min_current_a",
            "conflict",
        ),
        (
            "chargers/ev1",
            json!({"driver": null}),
            "driver",
            "required",
        ),
        (
            "chargers/ev1",
            json!({"max_current_a": null}),
            "max_current_a",
            "type",
        ),
        ("chargers/ev1", json!([]), "", "type"),
        (
            "slow-loads/heater",
            json!({"min_off_s": 604_801}),
            "min_off_s",
            "range",
        ),
    ] {
        let answer = rig.do_it(Method::PATCH, path, body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}: {}", answer.text);
    }
    for (method, path) in [
        (Method::GET, "chargers/none"),
        (Method::PATCH, "chargers/none"),
        (Method::DELETE, "chargers/none"),
        (Method::PATCH, "slow-loads/ev1"),
        (Method::DELETE, "slow-loads/ev1"),
    ] {
        let answer = rig.do_it(method, path, json!({})).await;
        assert_eq!(answer.problem(), (404, "not_found"), "{path}");
    }
    assert_eq!(rig.everything(), before);
    assert!(rig.loop_was_told().is_none());
}

#[tokio::test]
async fn a_profile_that_is_none_is_refused_with_the_ones_there_are() {
    let mut rig = Rig::new().await;
    let driver = |profile| json!({"kind": "modbus", "profile": profile, "address": "192.0.2.9"});
    let wrong = json!({"id": "ev1", "driver": driver("nobody")});
    let answer = rig.do_it(Method::POST, "chargers", wrong).await;
    assert_eq!(answer.field(), ("driver.profile", "unknown"));
    assert!(
        answer.text.contains("there are somebody"),
        "{}",
        answer.text
    );
    let relay = json!({"id": "heater", "rated_w": 2000, "driver": driver("somebody")});
    let answer = rig.do_it(Method::POST, "slow-loads", relay).await;
    assert_eq!(answer.field(), ("driver.profile", "unknown"));
    assert!(rig.loop_was_told().is_none());
    let right = json!({"id": "ev1", "driver": driver("somebody")});
    assert_eq!(rig.do_it(Method::POST, "chargers", right).await.status, 201);
    let answer = rig
        .do_it(
            Method::PATCH,
            "chargers/ev1",
            json!({"driver": {"profile": "nobody"}}),
        )
        .await;
    assert_eq!(answer.field(), ("driver.profile", "unknown"));
}

#[tokio::test]
async fn safe_currents_must_fit_beside_the_highest_background() {
    let rig = Rig::new().await;
    rig.status.send_modify(|status| {
        Arc::make_mut(status).highest_background = PerPhase::all(Milliamps::from_amps(8));
    });
    let charger = |risk: bool| {
        json!({"id": "ev1", "driver": {"kind": "ocpp", "charge_point_id": "CP1"}, "safe_current_a": 10,
            "accept_risk": risk})
    };
    let answer = rig.do_it(Method::POST, "chargers", charger(false)).await;
    assert_eq!(answer.field(), ("safe_current_a", "conflict"));
    assert_eq!(
        rig.do_it(Method::POST, "chargers", charger(true))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn safe_currents_that_were_confirmed_are_not_asked_for_again() {
    let rig = Rig::new().await;
    rig.status.send_modify(|status| {
        Arc::make_mut(status).highest_background = PerPhase::all(Milliamps::from_amps(8));
    });
    let charger = |id: &str, risk: bool| json!({"id": id, "driver": {"kind": "ocpp", "charge_point_id": id}, "safe_current_a": 6, "accept_risk": risk});
    // The first fits by itself; both together do not, and are confirmed with the second.
    for (id, risk, status) in [("ev1", false, 201), ("ev2", false, 422), ("ev2", true, 201)] {
        let answer = rig.do_it(Method::POST, "chargers", charger(id, risk)).await;
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
    }
    for (path, body) in [
        ("chargers/ev1", json!({"name": "Garage"})),
        ("chargers/ev2", json!({"accept_risk": false, "priority": 3})),
        ("chargers/ev1", json!({"safe_current_a": 0})),
    ] {
        let answer = rig.do_it(Method::PATCH, path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    // Two more are worse, and are asked for.
    let site = rig.do_it(Method::PUT, "site", json!({"margin_a": 1})).await;
    assert_eq!(site.status, 200, "{}", site.text);
    for id in ["ev3", "ev4"] {
        let answer = rig
            .do_it(Method::POST, "chargers", charger(id, false))
            .await;
        if id == "ev4" {
            assert_eq!(answer.field(), ("safe_current_a", "conflict"));
        }
    }
}

/// Earlier versions took one. The house goes on with it, and everything else of it can be changed.
#[tokio::test]
async fn a_relay_that_is_a_charger_already_holds_up_no_other_change() {
    let rig = house_with_loads().await;
    let relay = json!({"kind": "shelly_gen2", "host": "192.0.2.8"});
    let mut edit = rig.app.state.edit().await;
    let driver = serde_json::from_value(relay.clone()).unwrap();
    edit.house.config.chargers[0].driver = Some(driver);
    edit.commit("somebody", "an earlier version").await.unwrap();
    drop(edit);
    let lower = json!({"main_fuse": {"rating_a": 16}});
    for (method, path, body) in [
        (Method::PUT, "site", lower),
        (Method::PUT, "meter", json!({"source": "tcp://192.0.2.9:1"})),
        (Method::PATCH, "chargers/ev1", json!({"name": "Old"})),
        (Method::PATCH, "chargers/ev2", json!({"name": "Other"})),
    ] {
        let answer = rig.do_it(method, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let mut own = House::clone(&rig.app.state.house());
    own.hide_secrets();
    own.config.site.name = "Home".to_owned();
    let apply = async |house: House| {
        let wanted = Wanted {
            house,
            order: None,
            says_mode: true,
        };
        apply(&rig.app, "somebody", "a file", wanted).await
    };
    apply(own.clone()).await.unwrap();
    // Another one is refused, on every way.
    own.config.chargers[1].driver = own.config.chargers[0].driver.clone();
    let Err(ApplyError::Invalid(errors)) = apply(own).await else {
        panic!("it was taken");
    };
    let told = |field: &str| errors.iter().any(|error| error.field == field);
    assert!(told("chargers.ev2.driver.kind"), "{errors:?}");
    assert!(!told("chargers.ev1.driver.kind"), "{errors:?}");
    let body = json!({"driver": {"kind": "shelly_gen2", "host": "192.0.2.10"}});
    for load in ["chargers/ev1", "chargers/ev2"] {
        let answer = rig.do_it(Method::PATCH, load, body.clone()).await;
        assert_eq!(answer.field(), ("driver.kind", "conflict"), "{load}");
    }
}
