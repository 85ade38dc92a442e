//! What people ask of loads: their order, their wishes, what a charger shall do.

use headroom_core::event::UserCommand;

use super::*;

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
async fn a_loop_that_is_gone_is_told_in_words() {
    let mut rig = house_with_loads().await;
    rig.told.close();
    let answer = rig
        .do_it(Method::POST, "loads/ev1/pause", json!({"for_s": 60}))
        .await;
    assert_eq!(answer.problem(), (503, "unavailable"));
}
