//! What is read: status, decisions, readings, alarms, health, the page, and what is not there.

use axum::http::Method;
use headroom_core::action::Command;
use headroom_core::event::{Outcome, PhaseReading, Reading};
use headroom_core::snapshot::{LoadDetail, LoadSnapshot, PhaseState, Source, Wish, WishKind};
use headroom_core::units::{Milliamps, Phase};
use headroom_core::{Action, Event};
use headroom_store::{AlarmBook, Decision, Step};
use serde_json::json;

use super::*;

pub(super) fn decide(rig: &Rig, command: u64, load: &str, renewal: bool) -> Arc<Decision> {
    let event = Event::Reading(Reading {
        phases: vec![Some(PhaseReading {
            current_a: Some(Milliamps(25_400)),
            ..Default::default()
        })],
        ..Default::default()
    });
    let time = Timestamp::now();
    let code = if renewal {
        ReasonCode::Lease
    } else {
        ReasonCode::MainFuse
    };
    let action = Action {
        command,
        what: Command::SetLimit {
            load: load.into(),
            limit_a: Milliamps::from_amps(10),
            phases: 3,
            lease_s: 120,
        },
        renewal,
        reason: Reason::plain(code, "=because, \"so\""),
    };
    rig.app.journal.decision(Step {
        event,
        time,
        actions: vec![action],
        snapshot: Arc::new(snapshot(command)),
        state_changed: false,
        would_be: Vec::new(),
    })
}

#[tokio::test]
async fn the_status_has_the_shape_of_the_contract() {
    let rig = Rig::new().await;
    let config: Config = serde_json::from_value(json!({
        "chargers": [{"id": "ev1", "name": "Garage", "max_current_a": 16}],
        "slow_loads": [{"id": "heater", "name": "Water heater", "rated_w": 2000, "priority": 2}],
    }))
    .unwrap();
    let mut snapshot = snapshot(2000);
    snapshot.meter.last = Some(Instant(1600));
    snapshot.phases = vec![PhaseState {
        phase: Phase::L1,
        measured_a: Some(Milliamps(25_400)),
        background_a: None,
        headroom_a: Some(Milliamps(-400)),
        limit_a: Milliamps(25_000),
        thermal: Some(0.61),
        source: Source::Measured,
    }];
    let reason = || Reason::plain(ReasonCode::Normal, "It has what it can use.");
    let wish = |kind, ms| Wish {
        kind,
        until: Instant(ms),
    };
    let wishes = [
        wish(WishKind::Pause, 60_000),
        wish(WishKind::Limit(Milliamps::from_amps(7)), 61_000),
        wish(WishKind::Boost, 62_000),
    ];
    let load = |id: &str, connected, detail| {
        Arc::new(LoadSnapshot {
            id: id.into(),
            connected,
            reason: reason(),
            wishes: if id == "ev1" {
                wishes.to_vec()
            } else {
                Vec::new()
            },
            detail,
        })
    };
    snapshot.loads = vec![
        load(
            "ev1",
            Some(true),
            LoadDetail::Charger {
                status: headroom_core::event::ChargerStatus::Charging,
                setpoint: Some(Milliamps::from_amps(10)),
                measured: Some(vec![Some(Milliamps(9_800)), None]),
                acknowledged: None,
                lease_until: Some(Instant(122_000)),
                following: None,
            },
        ),
        load(
            "heater",
            None,
            LoadDetail::SlowLoad {
                on: Some(true),
                power: None,
                following: None,
            },
        ),
    ];
    let alarms = [headroom_store::Alarm {
        id: 3,
        code: "not_obeying".into(),
        load: Some("ev1".into()),
        since: Timestamp::UNIX_EPOCH,
        until: None,
        text: "It draws more.".into(),
    }];
    let meter = MeterInfo {
        protocol: Some("p1".into()),
        meter_id: Some("0000".into()),
        model: Some("M1".into()),
        source: Some("tcp://192.0.2.9:2001".into()),
        serial: None,
        text: Some("P1 telegrams of M1.".into()),
        rejected: [("checksum".to_owned(), 2)].into(),
    };
    let status = Status::new(&StatusInputs {
        snapshot: &snapshot,
        config: &config,
        mode: headroom_core::config::Mode::Control,
        meter: &meter,
        alarms: &alarms,
        now: Instant(2000),
        time_of: &|at| Timestamp::from_millisecond(at.0.cast_signed()).unwrap(),
        version: "0.1.0",
        demo: false,
    });
    rig.status.send_replace(Arc::new(status));
    let reason = json!({"code": "normal", "text": "It has what it can use."});
    let expected = json!({
        "state": "operating.normal", "mode": "control",
        "reason": {"code": "normal", "text": "Every load has what it can use."},
        "time": "1970-01-01T00:00:02.000Z",
        "phases": [{"phase": "l1", "measured_a": 25.4, "background_a": null, "headroom_a": -0.4, "limit_a": 25.0,
            "thermal": 0.61, "source": "measured"}],
        "meter": {"state": "ok", "age_s": 0.4, "period_s": 1.0, "protocol": "p1", "meter_id": "0000",
            "model": "M1", "source": "tcp://192.0.2.9:2001", "serial": null, "text": "P1 telegrams of M1.", "rejected": {"checksum": 2}},
        "loads": [
            {"id": "ev1", "kind": "charger", "name": "Garage", "connected": true, "status": "charging",
                "setpoint_a": 10.0, "measured_a": [9.8, null], "acknowledged_a": null, "max_current_a": 16.0,
                "priority": 1, "lease_s": 120, "lease_until": "1970-01-01T00:02:02.000Z", "following": null,
                "reason": reason, "wishes": [
                    {"kind": "pause", "until": "1970-01-01T00:01:00.000Z"},
                    {"kind": "limit", "until": "1970-01-01T00:01:01.000Z", "limit_a": 7.0},
                    {"kind": "boost", "until": "1970-01-01T00:01:02.000Z"}]},
            {"id": "heater", "kind": "slow_load", "name": "Water heater", "connected": null, "on": true,
                "power_w": null, "priority": 2, "reason": reason, "wishes": []},
        ],
        "alarms": [{"id": 3, "code": "not_obeying", "load": "ev1", "since": "1970-01-01T00:00:00.000Z",
            "text": "It draws more."}],
        "version": "0.1.0",
    });
    assert_eq!(rig.read("status").await, expected);
    let metrics = rig.installer(Method::GET, "/metrics").send().await;
    for line in [
        "headroom_phase_current_amperes{phase=\"l1\"} 25.4",
        "headroom_charger_setpoint_amperes{load=\"ev1\"} 10",
        "headroom_slow_load_on{load=\"heater\"} 1",
        "headroom_meter_rejected_total{reason=\"checksum\"} 2",
        "headroom_loop_alive 0",
    ] {
        assert!(
            metrics.text.lines().any(|found| found == line),
            "{line}\n{}",
            metrics.text
        );
    }
    assert!(
        !metrics.text.contains("phase_background_amperes{"),
        "not known is no sample"
    );
}

#[tokio::test]
async fn decisions_are_listed_filtered_and_told_with_their_inputs() {
    let rig = Rig::new().await;
    decide(&rig, 1, "ev1", false);
    decide(&rig, 2, "ev1", true);
    decide(&rig, 3, "ev2", false);
    rig.app
        .journal
        .answered(3, Outcome::Accepted, Timestamp::now());
    let ids = async |query: &str| -> Vec<i64> {
        let page = rig.read(&format!("decisions{query}")).await;
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(ids("").await, [3, 1]);
    assert_eq!(ids("?renewals=true").await, [3, 2, 1]);
    assert_eq!(ids("?load=ev1").await, [1]);
    assert_eq!(ids("?code=lease&renewals=true").await, [2]);
    assert_eq!(ids("?state=operating").await, [3, 1]);
    assert_eq!(
        ids("?state=operating.normal&code=lease&renewals=true").await,
        [2]
    );
    assert_eq!(ids("?state=degraded").await, Vec::<i64>::new());
    for unknown in ["normal", "oper", "operating.", "operating.normal.x", "%25"] {
        let answer = rig.installer(Method::GET, &format!("decisions?state={unknown}"));
        assert_eq!(answer.send().await.status, 422, "{unknown}");
    }
    assert_eq!(ids("?from=2020-01-01T00:00:00Z").await, [3, 1]);
    assert_eq!(ids("?from=2020-01-01T00:00:00+01:00").await, [3, 1]);
    assert_eq!(ids("?to=2020-01-01T00:00:00Z").await, Vec::<i64>::new());
    let first = rig.read("decisions?limit=1").await;
    assert_eq!(first["next"], "3");
    assert_eq!(ids("?limit=1&cursor=3").await, [1]);
    assert_eq!(first["items"][0]["actions"][0]["outcome"], "accepted");
    assert!(first["items"][0]["inputs"].is_null());
    let one = rig.read("decisions/3").await;
    assert_eq!(one["inputs"]["event"]["phases"][0]["current_a"], 25.4);
    for query in [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=x",
        "from=yesterday",
        "renewals=maybe",
        "code=zzz",
        "colour=red",
        "load=a&load=b",
    ] {
        let answer = rig
            .installer(Method::GET, &format!("decisions?{query}"))
            .send()
            .await;
        let name = query.split('=').next().unwrap();
        assert_eq!(answer.field().0, name, "{query}");
    }
    assert_eq!(ids("?load=%65v1").await, [1]);
    for query in ["load=%zz", "load=ev1%", "load=%6", "%=1"] {
        let answer = rig.installer(Method::GET, &format!("decisions?{query}"));
        assert_eq!(answer.send().await.problem(), (400, "malformed"), "{query}");
    }
    for id in ["99", "x", "-1"] {
        let answer = rig
            .installer(Method::GET, &format!("decisions/{id}"))
            .send()
            .await;
        assert_eq!(answer.problem(), (404, "not_found"));
    }
}

#[tokio::test]
async fn decisions_as_csv_are_safe_in_a_spreadsheet() {
    let rig = Rig::new().await;
    decide(&rig, 1, "ev1", false);
    let answer = rig.installer(Method::GET, "decisions.csv").send().await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<_> = answer.text.split("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("id,time,state,"));
    assert!(lines[1].starts_with("1,"), "{}", lines[1]);
    assert!(
        lines[1].contains(",ev1,10,,3,false,main_fuse,\"'=because, \"\"so\"\"\",pending,"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[0].matches(',').count(), 16);
}

#[tokio::test]
async fn decisions_as_json_lines_are_those_of_the_list() {
    let rig = Rig::new().await;
    decide(&rig, 1, "ev1", false);
    decide(&rig, 2, "ev2", false);
    decide(&rig, 3, "ev1", true);
    let answer = rig.installer(Method::GET, "decisions.jsonl").send().await;
    assert_eq!(answer.headers["content-type"], "application/jsonl");
    let lines: Vec<Value> = answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(json!(lines), rig.read("decisions").await["items"]);
    let all = rig.installer(Method::GET, "decisions.jsonl?renewals=true&load=ev1");
    assert_eq!(all.send().await.text.lines().count(), 2);
    let one = rig
        .installer(Method::GET, "decisions.jsonl?limit=1")
        .send()
        .await;
    assert_eq!(one.text.lines().count(), 1);
    let head_and_one = rig
        .installer(Method::GET, "decisions.csv?limit=1")
        .send()
        .await;
    assert_eq!(
        head_and_one.text.lines().count(),
        2,
        "{}",
        head_and_one.text
    );
    for wrong in ["limit=0", "limit=100001", "limit=x"] {
        let answer = rig.installer(Method::GET, &format!("decisions.csv?{wrong}"));
        assert_eq!(answer.send().await.field(), ("limit", "range"), "{wrong}");
    }
}

#[tokio::test]
async fn readings_come_in_steps() {
    let rig = Rig::new().await;
    decide(&rig, 1, "ev1", false);
    let page = rig.read("readings").await;
    assert_eq!(
        page["items"],
        json!([]),
        "the last hour is one of the house's time"
    );
    rig.live_now();
    let page = rig.read("readings").await;
    assert_eq!(page["items"][0]["phases"][0]["current_a"], 25.4);
    assert_eq!(page["items"][0]["phases"][0]["max_a"], 25.4);
    assert_eq!(page["next"], json!(null));
    let old = rig
        .read("readings?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z&step_s=60")
        .await;
    assert_eq!(old["items"], json!([]));
    for query in [
        "from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z",
        "from=2020-01-01T00:00:00Z",
        "step_s=0",
        "step_s=x",
    ] {
        let answer = rig
            .installer(Method::GET, &format!("readings?{query}"))
            .send()
            .await;
        assert_eq!(answer.problem(), (422, "invalid"), "{query}");
    }
}

#[tokio::test]
async fn alarms_of_the_past_are_there_too() {
    let rig = Rig::new().await;
    let mut book = AlarmBook::new(rig.app.journal.clone());
    let lost = headroom_core::snapshot::Alarm {
        code: "meter_lost".into(),
        load: None,
        since: Instant(0),
        text: "Nothing is heard of the meter.".into(),
    };
    book.update([(&lost, Timestamp::UNIX_EPOCH)], Timestamp::UNIX_EPOCH);
    book.update([], Timestamp::UNIX_EPOCH);
    let page = rig.read("alarms").await;
    assert_eq!(
        page["items"][0],
        json!({"id": 1, "code": "meter_lost", "load": null, "since": "1970-01-01T00:00:00.000Z",
            "until": "1970-01-01T00:00:00.000Z", "text": "Nothing is heard of the meter."})
    );
    let unmatched = rig.read("chargers/unmatched").await;
    assert_eq!(unmatched["items"][0]["charge_point_id"], "CP9");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let rig = Rig::new().await;
    for id in ["a", "b", "c"] {
        let body = json!({"id": id, "driver": {"kind": "ocpp", "charge_point_id": id}});
        assert_eq!(rig.do_it(Method::POST, "chargers", body).await.status, 201);
    }
    let first = rig.read("chargers?limit=2").await;
    assert_eq!(
        (first["items"].as_array().unwrap().len(), &first["next"]),
        (2, &json!("b"))
    );
    let second = rig.read("chargers?limit=2&cursor=b").await;
    assert_eq!(
        (&second["items"][0]["id"], &second["next"]),
        (&json!("c"), &json!(null))
    );
    let wrong = rig
        .installer(Method::GET, "chargers?cursor=zz")
        .send()
        .await;
    assert_eq!(wrong.field(), ("cursor", "unknown"));
}

#[tokio::test]
async fn health_follows_the_loop_and_readiness_the_start() {
    let rig = Rig::new().await;
    let ask = async |path| rig.call(Method::GET, path).send().await.status.as_u16();
    assert_eq!((ask("/healthz").await, ask("/readyz").await), (503, 503));
    rig.app.health.stepped();
    rig.app.health.set_ready(true);
    assert_eq!((ask("/healthz").await, ask("/readyz").await), (200, 200));
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let rig = Rig::new().await;
    for path in [
        "nothing",
        "/api",
        "/api/v2/status",
        "config",
        "/nothing.js",
        "/../Cargo.toml",
        "/..%2fCargo.toml",
    ] {
        let answer = rig.installer(Method::GET, path).send().await;
        assert_eq!(answer.problem(), (404, "not_found"), "{path}");
    }
    let browser = rig
        .call(Method::GET, "/nothing")
        .header("accept", "text/html");
    let answer = browser.send().await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("<a href=\"/\">"), "{}", answer.text);
    for (method, path) in [
        (Method::DELETE, "status"),
        (Method::POST, "/healthz"),
        (Method::PUT, "chargers/ev1"),
    ] {
        let answer = rig.installer(method, path).send().await;
        assert_eq!(answer.problem(), (405, "method_not_allowed"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_guard_the_page() {
    let rig = Rig::new().await;
    for path in ["/", "status", "/healthz", "/nothing"] {
        let answer = rig.installer(Method::GET, path).send().await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    }
    assert_eq!(
        rig.installer(Method::GET, "status").send().await.headers["cache-control"],
        "no-store"
    );
    let page = rig.call(Method::GET, "/").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let tag = page.headers["etag"].to_str().unwrap();
    let again = rig
        .call(Method::GET, "/")
        .header("if-none-match", tag)
        .send()
        .await;
    assert_eq!(again.status, 304);
}

/// The conventions of Prometheus ("Metric and label naming"), as `promtool check metrics` has them: a prefix, base units last,
/// `_total` for counters alone, each family told once with a help and a type.
#[tokio::test]
async fn the_metrics_are_named_by_convention() {
    let rig = Rig::new().await;
    let answer = rig.installer(Method::GET, "/metrics").send().await;
    let mut families = std::collections::BTreeMap::new();
    let mut helped = std::collections::BTreeSet::new();
    for line in answer.text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(families.insert(name, kind).is_none(), "{name} twice");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(helped.insert(name) && help.len() > 5, "{line}");
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(families.contains_key(name), "{line}");
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(families.len() > 10);
    for (name, kind) in families {
        assert!(helped.contains(name), "{name} has no help");
        assert!(name.starts_with("headroom_"), "{name}");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(name.bytes().all(plain), "{name}");
        assert_eq!(
            name.ends_with("_total"),
            kind == "counter",
            "{name} is a {kind}"
        );
        assert!(["counter", "gauge"].contains(&kind), "{name} is a {kind}");
        let words: Vec<&str> = name.split('_').collect();
        for abbreviation in ["a", "v", "w", "s", "ms", "kwh", "milliseconds", "kilowatts"] {
            assert!(!words.contains(&abbreviation), "{name}: base units in full");
        }
    }
}
