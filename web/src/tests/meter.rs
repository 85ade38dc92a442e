//! The meter: its keys and passwords go in and never come out, and go with the source that they were written for.

use axum::http::Method;
use serde_json::json;

use super::*;

#[tokio::test]
async fn ports_where_a_meter_may_be_are_listed_by_their_stable_names() {
    let rig = Rig::new().await;
    let candidates = rig.read("meter/candidates").await;
    let source = "serial:/dev/serial/by-id/usb-cable-if00-port0";
    assert_eq!(
        candidates,
        json!({"items": [{"source": source, "in_use": false, "text": null}], "next": null})
    );
}

#[tokio::test]
async fn keys_of_the_meter_go_in_and_never_come_out() {
    let mut rig = Rig::new().await;
    let key = "00112233445566778899aabbccddeeff";
    let put = |rig: &Rig, body: Value| {
        let call = rig.installer(Method::PUT, "meter").json(&body);
        async move { call.send().await }
    };
    let answer = put(
        &rig,
        json!({"source": "tcp://192.0.2.9:2001", "key": key, "ct_ratio": 40}),
    )
    .await;
    let expected = json!({"source": "tcp://192.0.2.9:2001", "key_set": true, "ct_ratio": 40.0});
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &expected));
    assert_eq!(rig.read("meter").await, expected);
    let Some(ControlRequest::Configure(_, meter)) = rig.loop_was_told() else {
        panic!()
    };
    assert_eq!(meter.key.unwrap().expose(), key);
    let answer = put(&rig, rig.read("meter").await).await;
    assert_eq!(answer.body["key_set"], true, "a key that is left out stays");
    let moved = json!({"source": "tcp://192.0.2.10:2001", "ct_ratio": 40});
    let answer = put(&rig, moved).await;
    assert_eq!(
        answer.body["key_set"], false,
        "another meter has another key"
    );
    let again = json!({"source": "tcp://192.0.2.10:2001", "key": key});
    assert_eq!(put(&rig, again).await.body["key_set"], true);
    let answer = put(&rig, json!({"source": null, "key": null})).await;
    assert_eq!(
        answer.body,
        json!({"source": null, "key_set": false, "ct_ratio": null})
    );
    let secret = json!({"source": "mqtt://jo:secret@192.0.2.9/ams"});
    let shown = json!("mqtt://jo:***@192.0.2.9/ams");
    assert_eq!(put(&rig, secret).await.body["source"], shown);
    let answer = put(&rig, json!({"source": shown, "ct_ratio": 2})).await;
    assert_eq!(answer.body["source"], shown);
    let stored = rig.app.state.house().meter.source_password.clone();
    assert_eq!(stored.unwrap().expose(), "secret", "*** keeps the password");
    let topic = json!({"source": "mqtt://jo:***@192.0.2.9/other"});
    assert_eq!(put(&rig, topic).await.status, 200);
    for stranger in [
        "mqtt://jo:***@192.0.2.10/ams",
        "mqtt://al:***@192.0.2.9/ams",
        "tcp://jo:***@192.0.2.9:1",
    ] {
        let answer = put(&rig, json!({"source": stranger})).await;
        assert_eq!(answer.field(), ("source", "required"), "{stranger}");
    }
    for (body, field, code) in [
        (json!({"source": "telepathy"}), "source", "format"),
        (json!({"key": "0011"}), "key", "format"),
        (json!({"ct_ratio": 0}), "ct_ratio", "range"),
        (json!({"speed": 1}), "speed", "unknown"),
    ] {
        assert_eq!(put(&rig, body).await.field(), (field, code));
    }
}

#[tokio::test]
async fn a_source_that_the_command_line_pins_is_shown_and_not_stored() {
    let rig = Rig::with(|app| app.pinned_meter = Some("serial:/dev/ttyUSB0".into())).await;
    let shown = |stored: Value| {
        json!({"source": "serial:/dev/ttyUSB0", "pinned": true, "stored_source": stored,
            "key_set": false, "ct_ratio": null})
    };
    assert_eq!(rig.read("meter").await, shown(Value::Null));
    let stored = json!({"source": "mqtt://jo:secret@192.0.2.9/ams"});
    let answer = rig.do_it(Method::PUT, "meter", stored).await;
    assert_eq!(answer.body, shown(json!("mqtt://jo:***@192.0.2.9/ams")));

    // What was read can be sent back; the pinned source does not become the stored one.
    let mut read = rig.read("meter").await;
    read["ct_ratio"] = json!(40.0);
    let back = rig.do_it(Method::PUT, "meter", read.clone()).await;
    assert_eq!((back.status.as_u16(), &back.body), (200, &read));
    let meter = rig.app.state.house().meter.clone();
    assert_eq!(meter.source.as_deref(), Some("mqtt://jo:***@192.0.2.9/ams"));
    assert_eq!(meter.source_password.unwrap().expose(), "secret");
}

/// The wizard's way: what the command line names is found to be right, and stored.
#[tokio::test]
async fn a_pinned_source_is_stored_by_who_sends_it() {
    let rig = Rig::with(|app| {
        app.pinned_meter = Some("mqtt://jo:***@192.0.2.9/ams".into());
        app.pinned_password = Some(headroom_core::config::Secret::new("secret".into()));
    })
    .await;
    let read = rig.read("meter").await;
    assert_eq!(read["stored_source"], Value::Null);
    let back = rig.do_it(Method::PUT, "meter", read.clone()).await;
    assert_eq!(
        (back.status.as_u16(), &back.body),
        (200, &read),
        "sent back is not taken"
    );
    let take = json!({"source": read["source"]});
    let taken = rig.do_it(Method::PUT, "meter", take).await;
    assert_eq!(
        taken.body["stored_source"], read["source"],
        "{}",
        taken.text
    );
    assert!(!taken.text.contains("secret"));
    let meter = rig.app.state.house().meter.clone();
    assert_eq!(meter.source.as_deref(), Some("mqtt://jo:***@192.0.2.9/ams"));
    assert_eq!(meter.source_password.unwrap().expose(), "secret");
}
