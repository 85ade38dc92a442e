//! A stored secret goes to nobody but whom it was written for: not by a PATCH, not by a file, not by an old version.

use headroom_store::House;
use serde_json::json;

use super::*;
use crate::apply::{Applied, ApplyError, Wanted, apply};

const RELAY: &str = "slow-loads/heater";
const PLUG: &str = "chargers/plug";

/// A relay and a charger with passwords, which their devices are sent.
async fn house_with_passwords() -> Rig {
    let rig = Rig::new().await;
    let http = json!({"kind": "http", "profile": "openevse", "host": "192.0.2.8", "params": {"user": "jo", "client": "20"},
        "password": "canary-plug"});
    for (path, body) in [
        (
            "slow-loads",
            json!({"id": "heater", "rated_w": 2000, "driver":
                {"kind": "shelly_gen2", "host": "192.0.2.7", "password": "canary-relay"}}),
        ),
        ("chargers", json!({"id": "plug", "driver": http})),
        (
            "chargers",
            json!({"id": "ev1", "driver": {"kind": "ocpp", "charge_point_id": "CP1", "password": "canary-ocpp"}}),
        ),
    ] {
        let made = rig.do_it(Method::POST, path, body).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    rig
}

async fn patch(rig: &Rig, path: &str, driver: Value) -> Answer {
    rig.do_it(Method::PATCH, path, json!({ "driver": driver }))
        .await
}

#[tokio::test]
async fn a_patch_sends_no_stored_password_to_another_place() {
    let rig = house_with_passwords().await;
    let before = rig.everything();
    for (path, driver) in [
        (RELAY, json!({"host": "192.0.2.66"})),
        (RELAY, json!({"host": "192.0.2.7:8080"})),
        (RELAY, json!({"host": "192.0.2.66", "password": "***"})),
        (
            RELAY,
            json!({"kind": "shelly_gen2", "host": "192.0.2.66", "password_set": true}),
        ),
        (
            RELAY,
            json!({"kind": "http", "profile": "tasmota", "host": "192.0.2.7", "password": "***"}),
        ),
        (PLUG, json!({"host": "192.0.2.66"})),
        (PLUG, json!({"params": {"user": "eve", "client": "20"}})),
        (PLUG, json!({"profile": "peblar"})),
    ] {
        let answer = patch(&rig, path, driver.clone()).await;
        assert_eq!(
            answer.field(),
            ("driver.password", "required"),
            "{path} {driver}"
        );
        assert!(answer.text.contains("write it again"), "{}", answer.text);
        assert_eq!(rig.everything(), before, "{path} {driver}");
    }
}

#[tokio::test]
async fn a_password_stays_where_its_place_stays() {
    let rig = house_with_passwords().await;
    let password = |pointer: &str| {
        let all = rig.everything();
        let at = format!("/config/{pointer}/driver/password");
        all.pointer(&at).cloned().unwrap_or_default()
    };
    for (path, driver) in [
        (RELAY, json!({"channel": 1})),
        (RELAY, json!({"host": "192.0.2.7", "password": "***"})),
        (PLUG, json!({"params": {"user": "jo", "client": "21"}})),
        // A charge point is sent nothing: it is the one that says the password.
        (
            "chargers/ev1",
            json!({"charge_point_id": "CP2", "password": "***"}),
        ),
        ("chargers/ev1", json!({"connector": 2})),
    ] {
        let answer = patch(&rig, path, driver.clone()).await;
        assert_eq!(answer.status, 200, "{path} {driver}: {answer:?}");
        assert_eq!(answer.body["driver"]["password_set"], true);
        assert!(
            answer.body["driver"]["password"].is_null(),
            "{}",
            answer.text
        );
        assert_eq!(password("slow_loads/0"), "canary-relay");
        assert_eq!(password("chargers/0"), "canary-plug");
        assert_eq!(password("chargers/1"), "canary-ocpp");
    }
    // Another place with another password, with none, and another kind without one.
    let moved = patch(
        &rig,
        RELAY,
        json!({"host": "192.0.2.66", "password": "new"}),
    );
    assert_eq!(moved.await.status, 200);
    assert_eq!(password("slow_loads/0"), "new");
    let none = patch(&rig, PLUG, json!({"host": "192.0.2.66", "password": null})).await;
    assert_eq!(none.body["driver"]["password_set"], false, "{none:?}");
    let kind = json!({"kind": "http", "profile": "tasmota", "host": "192.0.2.66"});
    let kind = patch(&rig, RELAY, kind).await;
    assert_eq!(kind.body["driver"]["password_set"], false, "{kind:?}");
    assert_eq!(password("slow_loads/0"), Value::Null);
    let bare = patch(&rig, RELAY, json!({"host": "192.0.2.67"})).await;
    assert_eq!(bare.status, 200, "where there is none, none is asked for");
}

#[tokio::test]
async fn stars_are_no_password_of_a_new_load() {
    let rig = Rig::new().await;
    let ocpp = json!({"kind": "ocpp", "charge_point_id": "CP1", "password": "***"});
    let relay = json!({"kind": "shelly_gen2", "host": "192.0.2.7", "password": "***"});
    for (path, driver) in [("chargers", ocpp), ("slow-loads", relay)] {
        let mut body = json!({"id": "one", "driver": driver});
        if path == "slow-loads" {
            body["rated_w"] = json!(2000);
        }
        let answer = rig.do_it(Method::POST, path, body).await;
        assert_eq!(answer.field(), ("driver.password", "required"), "{path}");
    }
}

#[tokio::test]
async fn stars_of_a_channel_are_the_token_of_its_place() {
    let rig = Rig::new().await;
    let put = |url: &str, token: &str| {
        let channel = json!({"url": url, "token": token});
        rig.do_it(Method::PUT, "notifications", json!({"webhook": channel}))
    };
    put("https://one.example/", "canary-hook").await;
    let kept = put("https://one.example/", "***").await;
    assert_eq!(kept.body["webhook"]["token_set"], true, "{kept:?}");
    assert!(rig.everything().to_string().contains("canary-hook"));
    let moved = put("https://two.example/", "***").await;
    assert_eq!(moved.field(), ("webhook.token", "required"));
    assert!(rig.everything().to_string().contains("one.example"));
}

/// Everything that can have a secret has one.
async fn full_house() -> (Rig, House) {
    let rig = house_with_passwords().await;
    let meter = json!({"source": "mqtt://jo:canary-source@192.0.2.9/ams"});
    let put = rig.do_it(Method::PUT, "meter", meter).await;
    assert_eq!(put.status, 200, "{put:?}");
    let channels = json!({
        "webhook": {"url": "https://one.example/", "token": "canary-hook"},
        "ntfy": {"url": "https://ntfy.example/house", "token": "canary-ntfy"},
        "email": {"host": "mail.example", "port": 587, "user": "house", "password": "canary-mail",
            "from": "house@example.org", "to": ["kari@example.org"]}});
    let put = rig.do_it(Method::PUT, "notifications", channels).await;
    assert_eq!(put.status, 200, "{put:?}");
    let mut hidden = House::clone(&rig.app.state.house());
    hidden.hide_secrets();
    (rig, hidden)
}

async fn apply_json(rig: &Rig, house: Value) -> Result<Applied, ApplyError> {
    let house = serde_json::from_value(house).unwrap();
    let wanted = Wanted {
        house,
        order: None,
        says_mode: true,
    };
    apply(&rig.app, "somebody", "a file", wanted).await
}

#[tokio::test]
async fn a_file_sends_no_stored_secret_to_another_place() {
    let (rig, hidden) = full_house().await;
    let hidden = serde_json::to_value(hidden).unwrap();
    assert!(!hidden.to_string().contains("canary"));
    let same = apply_json(&rig, hidden.clone()).await.unwrap();
    assert_eq!(
        same.version, None,
        "stars are what is stored: {:?}",
        same.changes
    );
    for (pointer, value, field) in [
        (
            "/config/slow_loads/0/driver/host",
            "192.0.2.66",
            "slow_loads.heater.driver.password",
        ),
        (
            "/config/chargers/0/driver/host",
            "192.0.2.66",
            "chargers.plug.driver.password",
        ),
        (
            "/config/chargers/0/driver/params/user",
            "eve",
            "chargers.plug.driver.password",
        ),
        (
            "/meter/source",
            "mqtt://jo:***@192.0.2.66/ams",
            "meter.source_password",
        ),
        (
            "/notifications/webhook/url",
            "https://two.example/",
            "notifications.webhook.token",
        ),
        (
            "/notifications/ntfy/url",
            "https://two.example/house",
            "notifications.ntfy.token",
        ),
        (
            "/notifications/email/host",
            "evil.example",
            "notifications.email.password",
        ),
        (
            "/notifications/email/user",
            "eve",
            "notifications.email.password",
        ),
        (
            "/notifications/email/tls",
            "none",
            "notifications.email.password",
        ),
    ] {
        let mut moved = hidden.clone();
        *moved.pointer_mut(pointer).unwrap() = json!(value);
        let before = rig.everything();
        let Err(ApplyError::Invalid(errors)) = apply_json(&rig, moved).await else {
            panic!("{pointer} was taken");
        };
        let told = |it: &FieldError| it.field == field && it.code == "required";
        assert!(errors.iter().any(told), "{pointer}: {errors:?}");
        assert_eq!(rig.everything(), before, "{pointer}");
    }
    // A password in the source itself is the newer one.
    let mut moved = hidden;
    moved["meter"]["source"] = json!("mqtt://jo:other@192.0.2.66/ams");
    apply_json(&rig, moved).await.unwrap();
    assert_eq!(rig.everything()["meter"]["source_password"], "other");
}

#[tokio::test]
async fn a_version_that_is_put_back_sends_no_password_to_another_place() {
    let rig = house_with_passwords().await;
    let source = |host: &str| json!({"source": format!("mqtt://jo:canary-source@{host}/ams")});
    let elsewhere = json!({"host": "192.0.2.66", "password": "bait"});
    patch(&rig, RELAY, elsewhere.clone()).await;
    patch(&rig, PLUG, elsewhere).await;
    rig.do_it(Method::PUT, "meter", source("192.0.2.66")).await;
    let bait = rig.app.state.versions(None, 1).await.unwrap().items[0].n;
    let home = json!({"host": "192.0.2.7", "password": "canary-again"});
    patch(&rig, RELAY, home.clone()).await;
    patch(&rig, PLUG, home).await;
    rig.do_it(Method::PUT, "meter", source("192.0.2.9")).await;
    let path = format!("config/versions/{bait}/restore");
    let restored = rig.do_it(Method::POST, &path, json!({})).await;
    assert_eq!(restored.status, 201, "{restored:?}");
    let all = rig.everything().to_string();
    assert!(all.contains("192.0.2.66"), "{all}");
    for canary in ["canary-again", "canary-source"] {
        assert!(!all.contains(canary), "{canary}: {all}");
    }
    assert!(all.contains("canary-ocpp"), "it has the place that it had");
}
