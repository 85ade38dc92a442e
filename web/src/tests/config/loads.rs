//! Loads: made, changed in part, deleted.

use super::*;

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
async fn no_charger_takes_the_name_of_those_that_wait() {
    let rig = Rig::new().await;
    let driver = json!({"kind": "ocpp", "charge_point_id": "CP1"});
    let body = json!({"id": "unmatched", "driver": driver});
    let refused = rig.do_it(Method::POST, "chargers", body).await;
    assert_eq!(refused.problem(), (422, "invalid"));
    let body = json!({"name": "Unmatched", "driver": driver});
    let made = rig.do_it(Method::POST, "chargers", body).await;
    assert_eq!(made.body["id"], "unmatched-2");
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
