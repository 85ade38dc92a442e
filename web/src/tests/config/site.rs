//! The site: replaced as a whole, and told by field what is wrong with it.

use headroom_core::event::UserCommand;
use headroom_core::units::Milliamps;
use headroom_store::House;

use super::*;
use crate::apply::{ApplyError, Wanted, apply};

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
            "main_fuse.rating_a",
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
    assert_eq!(rig.everything(), before);
    assert!(rig.loop_was_told().is_none());
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_change_nothing() {
    let mut rig = Rig::new().await;
    let before = rig.everything();
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
    let told = tokio::time::timeout(std::time::Duration::from_secs(30), told).await;
    assert_eq!(told.as_deref(), Ok("Here"));
}

#[tokio::test]
async fn a_file_that_says_nothing_of_the_mode_takes_no_house_out_of_control() {
    let rig = Rig::new().await;
    for mode in ["observe", "control"] {
        rig.do_it(Method::PUT, "site", json!({"mode": mode})).await;
        let wanted = Wanted {
            house: House::default(),
            order: None,
            says_mode: false,
        };
        let applied = apply(&rig.app, "somebody", "a file", wanted).await;
        assert_eq!(applied.is_ok(), mode == "observe");
        if let Err(ApplyError::Invalid(errors)) = applied {
            assert_eq!(errors[0].field, "site.mode");
        }
    }
    assert_eq!(rig.read("site").await["mode"], "control");
}
