//! Changing the configuration: what is right is in force at once, what is wrong changes nothing.

use axum::http::Method;
use headroom_core::event::UserCommand;
use headroom_core::units::Milliamps;
use serde_json::json;

use super::*;

async fn house_with_loads() -> Rig {
    let mut rig = Rig::new().await;
    for (path, body) in [
        (
            "chargers",
            json!({"id": "ev1", "name": "Garage", "driver": {"kind": "ocpp", "charge_point_id": "CP1"}}),
        ),
        (
            "chargers",
            json!({"id": "ev2", "name": "Yard", "driver": {"kind": "ocpp", "charge_point_id": "CP2"}}),
        ),
        (
            "slow-loads",
            json!({"id": "heater", "rated_w": 2000, "driver": {"kind": "shelly_gen2", "host": "192.0.2.7"}}),
        ),
    ] {
        let made = rig.do_it(Method::POST, path, body).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    while rig.loop_was_told().is_some() {}
    rig
}

#[tokio::test]
async fn the_site_is_replaced_and_the_loop_is_told() {
    let mut rig = Rig::new().await;
    let body = json!({"name": "Home", "time_zone": "Europe/Oslo", "mode": "control", "grid": "it_3ph",
        "main_fuse": {"rating_a": [25, 25, 20], "characteristic": "b", "curve": "band"}, "margin_a": 0.5,
        "circuits": [{"id": "garage", "parent": "main", "rating_a": 20, "meter": null}],
        "tuning": {"raise_after_s": 60}});
    let answer = rig.do_it(Method::PUT, "site", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body, rig.read("site").await);
    assert_eq!(
        answer.body["main_fuse"]["rating_a"],
        json!([25.0, 25.0, 20.0])
    );
    assert_eq!(answer.body["tuning"]["raise_after_s"], 60);
    assert_eq!(
        answer.body["tuning"]["restart_after_s"], 180,
        "missing fields take their defaults"
    );
    let Some(ControlRequest::Configure(config, _)) = rig.loop_was_told() else {
        panic!()
    };
    assert_eq!(config.site.margin_a, Milliamps(500));
    assert_eq!(rig.app.state.house().config, *config);

    let again = rig.do_it(Method::PUT, "site", json!({})).await;
    assert_eq!(again.body["grid"], "tn_3ph", "PUT replaces");
    assert!(rig.loop_was_told().is_some());
    let same = rig.do_it(Method::PUT, "site", json!({})).await;
    assert_eq!(same.status, 200);
    assert!(rig.loop_was_told().is_none(), "nothing has changed");
}

#[tokio::test]
async fn wrong_values_of_the_site_are_told_by_field_and_change_nothing() {
    let mut rig = Rig::new().await;
    let before = rig.everything();
    for (body, field, code) in [
        (r#"{"margin_a": -1}"#, "margin_a", "range"),
        (r#"{"margin_a": NaN}"#, "margin_a", "range"),
        (
            r#"{"main_fuse": {"rating_a": -Infinity}}"#,
            "rating_a",
            "range",
        ),
        (r#"{"margin_a": 1e999}"#, "margin_a", "range"),
        (r#"{"margin_a": 1e9}"#, "margin_a", "range"),
        (r#"{"margin_a": "1"}"#, "margin_a", "type"),
        (r#"{"margin_a": null}"#, "margin_a", "type"),
        (
            r#"{"main_fuse": {"rating_a": 0}}"#,
            "main_fuse.rating_a",
            "range",
        ),
        (
            r#"{"main_fuse": {"rating_a": -25}}"#,
            "main_fuse.rating_a",
            "range",
        ),
        (
            r#"{"main_fuse": {"rating_a": [25, 25]}}"#,
            "main_fuse.rating_a",
            "format",
        ),
        (
            r#"{"main_fuse": {"rating_a": "25"}}"#,
            "main_fuse.rating_a",
            "type",
        ),
        (r#"{"main_fuse": {}}"#, "main_fuse.rating_a", "required"),
        (
            r#"{"main_fuse": {"rating_a": 25, "volts": 1}}"#,
            "main_fuse.volts",
            "unknown",
        ),
        (
            r#"{"main_fuse": {"rating_a": 25, "characteristic": "z"}}"#,
            "main_fuse.characteristic",
            "unknown",
        ),
        (r#"{"fuse": 25}"#, "fuse", "unknown"),
        (r#"{"tuning": {"hold_s": 0}}"#, "tuning.hold_s", "range"),
        (r#"{"tuning": {"hold_s": -1}}"#, "tuning.hold_s", "range"),
        (r#"{"tuning": {"hold_s": 1.5}}"#, "tuning.hold_s", "type"),
        (r#"{"tuning": {"hold_s": 3601}}"#, "tuning.hold_s", "range"),
        (
            r#"{"time_zone": "Europe/Atlantis"}"#,
            "time_zone",
            "unknown",
        ),
        (r#"{"grid": "dc"}"#, "grid", "unknown"),
        (r#"{"mode": true}"#, "mode", "type"),
        (
            r#"{"circuits": [{"id": "main", "rating_a": 20}]}"#,
            "circuits.main.id",
            "conflict",
        ),
        (
            r#"{"circuits": [{"rating_a": 20}]}"#,
            "circuits[0].id",
            "required",
        ),
        ("[]", "", "type"),
        (r#"{"tuning": []}"#, "tuning", "type"),
        (r#"{"main_fuse": [25]}"#, "main_fuse", "type"),
        (
            r#"{"circuits": [["a", "main", 20]]}"#,
            "circuits[0]",
            "type",
        ),
        ("3", "", "type"),
    ] {
        let answer = rig.installer(Method::PUT, "site").text(body).send().await;
        assert_eq!(answer.field(), (field, code), "{body}: {}", answer.text);
    }
    for body in [
        "",
        "{",
        "{\"margin_a\": }",
        "margin_a=1",
        "{\"a\": 1,}",
        "\u{0}",
    ] {
        let answer = rig.installer(Method::PUT, "site").text(body).send().await;
        assert_eq!(answer.problem(), (400, "malformed"), "{body}");
    }
    let deep = "[".repeat(100_000);
    let answer = rig.installer(Method::PUT, "site").text(deep).send().await;
    assert_eq!(answer.problem(), (400, "malformed"));
    let large = vec![b' '; 2 * 1024 * 1024];
    let answer = rig
        .installer(Method::PUT, "site")
        .text(large.clone())
        .send()
        .await;
    assert_eq!(answer.problem(), (413, "too_large"));
    let announced = rig
        .installer(Method::PUT, "site")
        .header("content-length", "9999999999");
    assert_eq!(announced.send().await.problem(), (413, "too_large"));
    let pieces = futures_util::stream::iter(
        large
            .chunks(4096)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect::<Vec<_>>(),
    );
    let answer = rig
        .installer(Method::PUT, "site")
        .text(Body::from_stream(pieces))
        .send()
        .await;
    assert_eq!(answer.problem(), (413, "too_large"));
    assert_eq!(rig.everything(), before);
    assert!(rig.loop_was_told().is_none());
}

#[tokio::test]
async fn a_charger_is_made_with_a_password_that_is_told_once() {
    let mut rig = Rig::new().await;
    let body = json!({"name": "Garage", "driver": {"kind": "ocpp", "charge_point_id": "CP1"},
        "phases": ["l1", "l2", "l3"], "max_current_a": 32});
    let made = rig.do_it(Method::POST, "chargers", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["id"], "garage");
    let password = made.body["driver"]["password"].as_str().unwrap().to_owned();
    assert!(password.len() >= 20);
    assert_eq!(made.body["driver"]["password_set"], true);
    assert_eq!(made.body["min_current_a"], 6.0);
    assert_eq!(made.body["lease"], "claimed");
    let Some(ControlRequest::Configure(config, _)) = rig.loop_was_told() else {
        panic!()
    };
    assert!(
        serde_json::to_string(&config).unwrap().contains(&password),
        "the drivers need it"
    );

    let mut expected = made.body.clone();
    expected["driver"]
        .as_object_mut()
        .unwrap()
        .remove("password");
    assert_eq!(rig.read("chargers/garage").await, expected);
    assert_eq!(
        rig.read("chargers").await,
        json!({"items": [expected], "next": null})
    );
    assert!(!rig.read("status").await.to_string().contains(&password));
    assert!(!rig.read("decisions").await.to_string().contains(&password));

    let second = rig.do_it(
        Method::POST,
        "chargers",
        json!({"name": "Garage", "driver": {"kind": "ocpp", "charge_point_id": "CP2", "password": "my own secret"}}),
    );
    let second = second.await;
    assert_eq!(second.body["id"], "garage-2");
    assert!(!second.text.contains("my own secret"));
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let mut rig = house_with_loads().await;
    let stored = |rig: &Rig| rig.everything()["config"]["chargers"][0].clone();
    let before = stored(&rig);
    let patched = rig
        .do_it(
            Method::PATCH,
            "chargers/ev1",
            json!({"max_current_a": 10, "phases": ["l2"]}),
        )
        .await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(
        (&patched.body["max_current_a"], &patched.body["name"]),
        (&json!(10.0), &json!("Garage"))
    );
    assert!(rig.loop_was_told().is_some());
    assert_eq!(
        stored(&rig)["driver"],
        before["driver"],
        "the password stays"
    );

    let patched = rig
        .do_it(
            Method::PATCH,
            "chargers/ev1",
            json!({"driver": {"connector": 2}, "phases": null}),
        )
        .await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(patched.body["driver"]["charge_point_id"], "CP1");
    assert_eq!(patched.body["phases"], json!(null));
    assert_eq!(
        stored(&rig)["driver"]["password"],
        before["driver"]["password"]
    );

    let read = rig.read("chargers/ev1").await;
    let back = rig.do_it(Method::PATCH, "chargers/ev1", read).await;
    assert_eq!(back.status, 200, "what was read can be sent back: {back:?}");
    assert_eq!(
        stored(&rig)["driver"]["password"],
        before["driver"]["password"]
    );

    let open = rig
        .do_it(
            Method::PATCH,
            "chargers/ev1",
            json!({"driver": {"auth": "none"}}),
        )
        .await;
    assert_eq!(open.body["driver"]["password_set"], false, "{open:?}");
    let closed = rig
        .do_it(
            Method::PATCH,
            "chargers/ev1",
            json!({"driver": {"auth": "basic"}}),
        )
        .await;
    assert!(
        closed.body["driver"]["password"].is_string(),
        "a new one is made"
    );

    let relay = rig
        .do_it(
            Method::PATCH,
            "slow-loads/heater",
            json!({"driver": {"password": "canary"}}),
        )
        .await;
    assert_eq!(relay.body["driver"]["password_set"], true);
    assert!(!relay.text.contains("canary"));
    let relay = rig
        .do_it(Method::PATCH, "slow-loads/heater", json!({"rated_w": 3000}))
        .await;
    assert_eq!(relay.body["driver"]["password_set"], true);
}

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

#[tokio::test]
async fn what_is_asked_of_a_charger_is_checked_before_it_is_asked() {
    let rig = house_with_loads().await;
    for (path, body, field, code) in [
        ("chargers/ev1/reset", json!({}), "id", "conflict"),
        (
            "chargers/ev1/availability",
            json!({}),
            "operative",
            "required",
        ),
        (
            "chargers/ev1/start",
            json!({"id_tag": "a b"}),
            "id_tag",
            "format",
        ),
        (
            "chargers/ev1/start",
            json!({"id_tag": ""}),
            "id_tag",
            "format",
        ),
        ("chargers/ev1/stop", json!({"now": true}), "now", "unknown"),
    ] {
        let answer = rig.do_it(Method::POST, path, body.clone()).await;
        assert_eq!(
            answer.field(),
            (field, code),
            "{path} {body}: {}",
            answer.text
        );
    }
    let nobody = rig
        .do_it(Method::POST, "chargers/none/reset", json!({}))
        .await;
    assert_eq!(nobody.problem(), (404, "not_found"));
}

#[tokio::test]
async fn a_load_is_deleted() {
    let mut rig = house_with_loads().await;
    for path in ["chargers/ev1", "slow-loads/heater"] {
        let gone = rig.installer(Method::DELETE, path).send().await;
        assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
        assert!(rig.loop_was_told().is_some());
        assert_eq!(rig.installer(Method::GET, path).send().await.status, 404);
    }
}

#[tokio::test]
async fn priorities_name_each_load_once() {
    let mut rig = house_with_loads().await;
    let order = json!({"order": [["heater"], ["ev1", "ev2"]]});
    let answer = rig
        .call(Method::PUT, "priorities")
        .token(&rig.user)
        .json(&order)
        .send()
        .await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &order));
    assert_eq!(rig.read("priorities").await, order);
    assert_eq!(rig.read("slow-loads/heater").await["priority"], 2);
    assert_eq!(rig.read("chargers/ev1").await["priority"], 1);
    assert!(rig.loop_was_told().is_some());
    let before = rig.everything();
    for (order, field, code) in [
        (json!([["heater"], ["ev1"]]), "order", "required"),
        (
            json!([["heater"], ["ev1", "ev2", "ev1"]]),
            "order[1][2]",
            "duplicate",
        ),
        (
            json!([["heater"], ["ev1", "ev2", "ev3"]]),
            "order[1][2]",
            "unknown",
        ),
        (
            json!([["heater"], [], ["ev1", "ev2"]]),
            "order[1]",
            "required",
        ),
        (json!([["heater"], "ev1"]), "order[1]", "type"),
        (json!([]), "order", "required"),
    ] {
        let answer = rig
            .do_it(Method::PUT, "priorities", json!({"order": order}))
            .await;
        assert_eq!(answer.field(), (field, code), "{order}: {}", answer.text);
    }
    assert_eq!(
        rig.do_it(Method::PUT, "priorities", json!({}))
            .await
            .field(),
        ("order", "required")
    );
    assert_eq!(rig.everything(), before);
}

#[tokio::test]
async fn wishes_for_loads_reach_the_loop() {
    let mut rig = house_with_loads().await;
    let user = |rig: &Rig, path: &str, body: Value| {
        rig.call(Method::POST, path)
            .token(&rig.user)
            .json(&body)
            .send()
    };
    for (path, body) in [
        ("loads/ev1/pause", json!({"for_s": 3600})),
        ("loads/heater/pause", json!({"for_s": 1})),
        ("loads/ev1/boost", json!({"for_s": 86400})),
        ("loads/ev1/limit", json!({"for_s": 60, "limit_a": 10})),
        ("loads/ev1/resume", json!({})),
    ] {
        let answer = user(&rig, path, body).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        let Some(ControlRequest::User(command)) = rig.loop_was_told() else {
            panic!("{path}")
        };
        assert_eq!(serde_json::to_value(command).unwrap(), answer.body);
    }
    let empty = rig
        .call(Method::POST, "loads/ev1/resume")
        .token(&rig.user)
        .send()
        .await;
    assert_eq!(empty.status, 201);
    let resumed = rig.loop_was_told();
    assert!(
        matches!(
            resumed,
            Some(ControlRequest::User(UserCommand::Resume { .. }))
        ),
        "{resumed:?}"
    );
    for (path, body, field, code) in [
        ("loads/ev1/pause", json!({"for_s": 0}), "for_s", "range"),
        ("loads/ev1/pause", json!({"for_s": 86401}), "for_s", "range"),
        ("loads/ev1/pause", json!({"for_s": -1}), "for_s", "range"),
        ("loads/ev1/pause", json!({}), "for_s", "required"),
        (
            "loads/ev1/pause",
            json!({"for_s": 60, "limit_a": 3}),
            "limit_a",
            "unknown",
        ),
        (
            "loads/ev1/limit",
            json!({"for_s": 60}),
            "limit_a",
            "required",
        ),
        (
            "loads/ev1/limit",
            json!({"for_s": 60, "limit_a": -1}),
            "limit_a",
            "range",
        ),
        (
            "loads/ev1/limit",
            json!({"for_s": 60, "limit_a": 1e9}),
            "limit_a",
            "range",
        ),
        (
            "loads/heater/limit",
            json!({"for_s": 60, "limit_a": 3}),
            "limit_a",
            "conflict",
        ),
    ] {
        let answer = user(&rig, path, body.clone()).await;
        assert_eq!(
            answer.field(),
            (field, code),
            "{path} {body}: {}",
            answer.text
        );
    }
    for path in ["loads/none/pause", "loads/ev1/explode"] {
        assert_eq!(
            user(&rig, path, json!({"for_s": 60})).await.problem(),
            (404, "not_found")
        );
    }
    assert!(rig.loop_was_told().is_none());
}

#[tokio::test]
async fn passwords_of_charge_points_are_not_short() {
    let mut rig = house_with_loads().await;
    let before = rig.everything();
    let driver =
        |password: &str| json!({"kind": "ocpp", "charge_point_id": "CP9", "password": password});
    let answer = rig
        .do_it(
            Method::POST,
            "chargers",
            json!({"driver": driver("seven77")}),
        )
        .await;
    assert_eq!(answer.field(), ("driver.password", "range"));
    let answer = rig
        .do_it(
            Method::PATCH,
            "chargers/ev1",
            json!({"driver": {"password": "seven77"}}),
        )
        .await;
    assert_eq!(answer.field(), ("driver.password", "range"));
    assert_eq!(rig.everything(), before);
    assert!(rig.loop_was_told().is_none());
    let made = rig
        .do_it(
            Method::POST,
            "chargers",
            json!({"driver": driver("eight888")}),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    // A relay takes what it takes.
    let relay = json!({"driver": {"password": "short"}});
    let relay = rig.do_it(Method::PATCH, "slow-loads/heater", relay).await;
    assert_eq!(relay.status, 200, "{relay:?}");
}

#[tokio::test]
async fn a_change_is_told_even_when_the_asker_has_gone() {
    let mut rig = Rig::new().await;
    // The loop is busy and its queue full, so that telling it takes a while.
    let resume = || UserCommand::Resume {
        load: "x".into(),
        for_s: None,
    };
    while rig
        .app
        .control
        .try_send(ControlRequest::User(resume()))
        .is_ok()
    {}
    let mut house = rig.app.state.watch_house();
    let call = rig
        .installer(Method::PUT, "site")
        .json(&json!({"name": "Here"}));
    {
        let request = std::pin::pin!(call.send());
        tokio::select! {
            answer = request => panic!("{answer:?}"),
            changed = house.changed() => changed.unwrap(),
        }
        // It is stored, and the client hangs up.
    }
    let told = async {
        loop {
            if let Some(ControlRequest::Configure(config, _)) = rig.told.recv().await {
                return config.site.name;
            }
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), told).await;
    assert_eq!(told.as_deref(), Ok("Here"));
}

#[tokio::test]
async fn a_loop_that_is_gone_is_told_in_words() {
    let mut rig = house_with_loads().await;
    rig.told.close();
    let answer = rig
        .do_it(Method::POST, "loads/ev1/pause", json!({"for_s": 60}))
        .await;
    assert_eq!(answer.problem(), (503, "unavailable"));
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
async fn what_is_found_in_the_network_says_whether_it_is_configured() {
    let rig = Rig::new().await;
    let found = rig.read("discovery").await;
    assert_eq!(found["searching"], true);
    let relay = json!({"kind": "relay", "name": "A relay", "host": "192.0.2.7", "host_name": null,
        "driver": {"kind": "shelly_gen2", "host": "192.0.2.7", "channel": 0}, "source": null,
        "already_configured": false});
    assert_eq!(found["items"][0], relay);
    // The driver is ready to be used.
    let mut load = json!({"id": "heater", "rated_w": 2000, "driver": found["items"][1]["driver"]});
    load["driver"]["host"] = json!("SHELLY-2.local:8080");
    assert_eq!(
        rig.do_it(Method::POST, "slow-loads", load).await.status,
        201
    );
    let first = json!({"id": "floor", "rated_w": 2000, "driver": relay["driver"]});
    assert_eq!(
        rig.do_it(Method::POST, "slow-loads", first).await.status,
        201
    );
    let meter = json!({"source": "tcp://p1.local:2001"});
    assert_eq!(rig.do_it(Method::PUT, "meter", meter).await.status, 200);
    let found = rig.read("discovery?limit=2").await;
    assert_eq!(found["next"], "192.0.2.8:8080");
    let configured = |found: &Value| {
        let items = found["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|it| it["already_configured"] == true)
            .collect::<Vec<_>>()
    };
    assert_eq!(configured(&found), [true, true]);
    let rest = rig.read("discovery?cursor=192.0.2.8:8080").await;
    assert_eq!(configured(&rest), [true]);
}
