//! Values that the engine can bear and nobody can mean: refused by field, with what to do, and nothing is changed.

use axum::http::Method;
use serde_json::json;

use super::*;

fn relay(host: &str, channel: u32) -> Value {
    json!({"rated_w": 2000, "driver": {"kind": "shelly_gen2", "host": host, "channel": channel}})
}

async fn rig_with_loads() -> Rig {
    let mut rig = Rig::new().await;
    let heater = json!({"id": "heater", "rated_w": 2000, "phases": ["l1"],
        "driver": {"kind": "shelly_gen2", "host": "192.0.2.7"}});
    let ev1 = json!({"id": "ev1", "phases": ["l1"], "driver": {"kind": "ocpp", "charge_point_id": "CP1"}});
    for (path, body) in [("slow-loads", heater), ("chargers", ev1)] {
        assert_eq!(rig.do_it(Method::POST, path, body).await.status, 201);
        assert!(rig.loop_was_told().is_some());
    }
    rig
}

#[tokio::test]
async fn a_site_that_nobody_can_mean_is_told_by_field_and_changes_nothing() {
    let mut rig = rig_with_loads().await;
    let before = rig.everything();
    let circuit =
        |meter: &str| json!({"circuits": [{"id": "garage", "rating_a": 20, "meter": meter}]});
    for (body, field, code) in [
        (circuit("bogus://"), "circuits.garage.meter", "format"),
        (
            circuit("mqtt://jo:secret@192.0.2.9/x"),
            "circuits.garage.meter",
            "conflict",
        ),
        (json!({"name": ""}), "name", "format"),
        (json!({"name": "  "}), "name", "format"),
        (
            json!({"tuning": {"stale_after_s": 61}}),
            "tuning.stale_after_s",
            "conflict",
        ),
        (
            json!({"tuning": {"stale_after_s": 31, "lost_after_s": 30}}),
            "tuning.stale_after_s",
            "conflict",
        ),
        (
            json!({"main_fuse": {"rating_a": 25}, "largest_step_a": 1000}),
            "largest_step_a",
            "range",
        ),
        (
            json!({"main_fuse": {"rating_a": [25, 25, 20]}, "largest_step_a": 25.1}),
            "largest_step_a",
            "range",
        ),
        (json!({"grid": "it_3ph"}), "chargers.ev1.phases", "conflict"),
        (
            json!({"main_fuse": {"rating_a": 1e9}}),
            "main_fuse.rating_a",
            "range",
        ),
        (
            json!({"main_fuse": {"rating_a": [25, 25, 1e9]}}),
            "main_fuse.rating_a",
            "range",
        ),
        (
            json!({"circuits": [{"id": "garage", "rating_a": 1e9}]}),
            "circuits[0].rating_a",
            "range",
        ),
    ] {
        let answer = rig.do_it(Method::PUT, "site", body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}: {}", answer.text);
    }
    assert_eq!(rig.everything(), before);
    assert!(rig.loop_was_told().is_none());
    for body in [
        circuit("tcp://192.0.2.9:2001"),
        json!({"tuning": {"stale_after_s": 60}}),
        json!({"main_fuse": {"rating_a": 25}, "largest_step_a": 25}),
    ] {
        let answer = rig.do_it(Method::PUT, "site", body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_an_older_version_took_stands_in_the_way_of_nothing_else() {
    let rig = rig_with_loads().await;
    let mut edit = rig.app.state.edit().await;
    edit.house.config.site = serde_json::from_value(json!({
        "name": "", "largest_step_a": 1000, "grid": "it_3ph",
        "tuning": {"stale_after_s": 100, "lost_after_s": 60},
        "circuits": [{"id": "garage", "rating_a": 20, "meter": "bogus://"}],
    }))
    .unwrap();
    let mut twin = edit.house.config.slow_loads[0].clone();
    twin.id = "twin".to_owned();
    edit.house.config.slow_loads.push(twin);
    edit.commit("test", "an older version").await.unwrap();
    drop(edit);
    let patched = rig.do_it(Method::PATCH, "chargers/ev1", json!({"name": "Garage"}));
    let patched = patched.await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    let mut site = rig.read("site").await;
    site["margin_a"] = json!(1);
    let put = rig.do_it(Method::PUT, "site", site).await;
    assert_eq!(put.status, 200, "{}", put.text);
}

#[tokio::test]
async fn a_device_belongs_to_one_load() {
    let rig = rig_with_loads().await;
    let before = rig.everything();
    for host in ["192.0.2.7", "192.0.2.7:80"] {
        let answer = rig.do_it(Method::POST, "slow-loads", relay(host, 0)).await;
        assert_eq!(answer.field(), ("driver.channel", "duplicate"), "{host}");
        let told = answer.body["detail"].as_str().unwrap();
        assert!(
            told.contains("\"heater\"") && told.contains("choose"),
            "{told}"
        );
    }
    assert_eq!(rig.everything(), before);
    let second = rig
        .do_it(Method::POST, "slow-loads", relay("192.0.2.7", 1))
        .await;
    assert_eq!(second.status, 201, "{}", second.text);
    let id = second.body["id"].as_str().unwrap();
    let path = format!("slow-loads/{id}");
    let moved = json!({"driver": {"channel": 0}});
    let answer = rig.do_it(Method::PATCH, &path, moved).await;
    assert_eq!(answer.field(), ("driver.channel", "duplicate"));
    let same = json!({"name": "Floor", "driver": {"channel": 1}});
    assert_eq!(rig.do_it(Method::PATCH, &path, same).await.status, 200);
}

#[tokio::test]
async fn a_charger_between_two_lines_names_both() {
    let rig = Rig::new().await;
    let it = json!({"grid": "it_3ph"});
    assert_eq!(rig.do_it(Method::PUT, "site", it).await.status, 200);
    let charger = |phases: Value| json!({"phases": phases, "driver": {"kind": "ocpp", "charge_point_id": format!("CP{}", phases.as_array().map_or(0, Vec::len))}});
    let answer = rig
        .do_it(Method::POST, "chargers", charger(json!(["l1"])))
        .await;
    assert_eq!(answer.field(), ("phases", "conflict"), "{}", answer.text);
    for phases in [json!(["l1", "l2"]), json!(["l1", "l2", "l3"]), Value::Null] {
        let answer = rig.do_it(Method::POST, "chargers", charger(phases)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

#[tokio::test]
async fn the_field_of_a_driver_that_is_wrong_is_named() {
    let rig = rig_with_loads().await;
    for (driver, field, code) in [
        (
            json!({"kind": "shelly_gen2", "host": "192.0.2.8", "channel": "x"}),
            "driver.channel",
            "type",
        ),
        (
            json!({"kind": "shelly_gen2", "host": "192.0.2.8", "channel": -1}),
            "driver.channel",
            "range",
        ),
        (
            json!({"kind": "shelly_gen2", "host": 5}),
            "driver.host",
            "type",
        ),
        (
            json!({"kind": "modbus", "profile": "p", "address": "192.0.2.8", "unit": 300}),
            "driver.unit",
            "range",
        ),
        (
            json!({"kind": "http", "profile": "p", "host": "192.0.2.8", "params": []}),
            "driver.params",
            "type",
        ),
        (json!({"kind": "shelly_gen2"}), "driver.host", "required"),
        (
            json!({"kind": "shelly_gen2", "host": "a", "b": 1}),
            "driver.b",
            "unknown",
        ),
    ] {
        let body = json!({"rated_w": 2000, "driver": driver});
        let answer = rig.do_it(Method::POST, "slow-loads", body).await;
        assert_eq!(answer.field(), (field, code), "{driver}: {}", answer.text);
    }
    let auth = json!({"driver": {"kind": "ocpp", "charge_point_id": "CP2", "auth": "magic"}});
    let answer = rig.do_it(Method::POST, "chargers", auth).await;
    assert_eq!(
        answer.field(),
        ("driver.auth", "unknown"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn an_id_that_is_none_is_not_made_up() {
    let rig = rig_with_loads().await;
    let before = rig.everything();
    for id in [json!(""), json!(5), json!("A B")] {
        for (path, rest) in [
            (
                "chargers",
                json!({"driver": {"kind": "ocpp", "charge_point_id": "CP2"}}),
            ),
            ("slow-loads", relay("192.0.2.8", 0)),
        ] {
            let mut body = rest;
            body["id"] = id.clone();
            let answer = rig.do_it(Method::POST, path, body).await;
            assert_eq!(answer.field().0, "id", "{id}");
        }
    }
    assert_eq!(rig.everything(), before);
}

#[tokio::test]
async fn a_limit_below_the_chargers_least_is_refused_and_nothing_pauses() {
    let mut rig = rig_with_loads().await;
    let limit = |amps: f64| json!({"for_s": 60, "limit_a": amps});
    let answer = rig.do_it(Method::POST, "loads/ev1/limit", limit(5.9)).await;
    assert_eq!(answer.field(), ("limit_a", "range"));
    let told = answer.body["detail"].as_str().unwrap();
    assert!(told.contains("6 A") && told.contains("pauses"), "{told}");
    assert!(rig.loop_was_told().is_none());
    for amps in [0.0, 6.0] {
        let answer = rig
            .do_it(Method::POST, "loads/ev1/limit", limit(amps))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_known_is_told_by_every_call() {
    let rig = Rig::new().await;
    for path in [
        "status",
        "site",
        "meter",
        "priorities",
        "chargers",
        "decisions.csv",
        "users",
        "diagnostics",
    ] {
        let answer = rig
            .installer(Method::GET, &format!("{path}?x=1"))
            .send()
            .await;
        assert_eq!(answer.field(), ("x", "unknown"), "{path}");
        let plain = rig.installer(Method::GET, path).send().await;
        assert_eq!(plain.status, 200, "{path}");
    }
    let before = rig.everything();
    let answer = rig
        .do_it(Method::PUT, "site?dry_run=1", json!({"name": "Other"}))
        .await;
    assert_eq!(answer.field(), ("dry_run", "unknown"));
    assert!(
        answer.text.contains("Nothing was changed"),
        "{}",
        answer.text
    );
    assert_eq!(rig.everything(), before);
    // Who may not ask is told that first.
    let nobody = rig.call(Method::GET, "status?x=1").send().await;
    assert_eq!(nobody.problem().0, 401);
}

/// Several channels of one device are profiles of their own there.
#[tokio::test]
async fn channels_that_are_profiles_are_devices_of_their_own() {
    let rig = rig_with_loads().await;
    let charger = |profile: &str| {
        json!({
            "name": profile, "max_current_a": 16, "phases": ["l1"],
            "driver": {"kind": "modbus", "profile": profile, "address": "192.0.2.8"},
        })
    };
    for (profile, status) in [("point_1", 201), ("point_2", 201), ("point_2", 422)] {
        let answer = rig.do_it(Method::POST, "chargers", charger(profile)).await;
        assert_eq!(answer.status, status, "{profile}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_circuit_is_not_measured_by_the_main_meter_and_what_was_in_force_can_be_taken_back() {
    let rig = rig_with_loads().await;
    let circuit = |id: &str| json!({"id": id, "rating_a": 20, "meter": "tcp://192.0.2.9:2000"});
    let mut site = rig.read("site").await;
    site["circuits"] = json!([circuit("garage"), circuit("yard")]);
    let put = rig.do_it(Method::PUT, "site", site.clone()).await;
    assert_eq!(put.field(), ("circuits.garage.meter", "duplicate"));
    // An older version took it.
    let mut edit = rig.app.state.edit().await;
    edit.house.config.site.circuits =
        serde_json::from_value(json!([circuit("garage"), circuit("yard")])).unwrap();
    let version = edit.commit("test", "an older version").await.unwrap();
    drop(edit);
    site["circuits"] = json!([]);
    assert_eq!(rig.do_it(Method::PUT, "site", site).await.status, 200);
    let path = format!("config/versions/{version}/restore");
    let back = rig.do_it(Method::POST, &path, json!({})).await;
    assert_eq!(back.status, 201, "{}", back.text);
}
