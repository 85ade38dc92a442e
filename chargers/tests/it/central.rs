//! Charge points at the central system.

use std::time::Duration;

use headroom_chargers::{DeviceCommand, DeviceEvent, Grade, RefusedFor};
use headroom_core::{
    event::{ChargerStatus, Outcome},
    units::{Milliamps, WattHours},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    house::{House, PATIENCE, charger},
    point::{Knock, Point, limits},
};

const OCPP: Option<&str> = Some("ocpp1.6");

#[tokio::test]
async fn from_boot_to_a_limit_and_back_to_a_report() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    assert_eq!(point.protocol.as_deref(), OCPP);
    assert!(
        house
            .charger(|report| report.connected)
            .await
            .current_a
            .is_none()
    );

    let boot = point.boot().await;
    assert_eq!(
        (&boot["status"], &boot["interval"]),
        (&json!("Accepted"), &json!(60))
    );
    let (name, base) = point.serve(json!({"status": "Accepted"})).await;
    assert_eq!(
        (name.as_str(), limits(&base)),
        ("SetChargingProfile", vec![(0, 6.0)])
    );

    house.limit(1, "ev1", 13);
    let unknown = house.devices.capabilities("ev1").unwrap();
    assert_eq!(unknown.lease, Grade::Unknown);
    let lease = point.serve_until("SetChargingProfile").await;
    assert_eq!(limits(&lease), [(0, 13.0), (120, 6.0)]);
    assert_eq!(house.outcome().await, (1, Outcome::Accepted));
    let claimed = house.devices.capabilities("ev1").unwrap();
    assert_eq!(
        (claimed.limits, claimed.lease),
        (Grade::Claimed, Grade::Claimed)
    );
    assert_eq!(house.devices.capabilities("nobody"), None);

    let values = json!({"connectorId": 1, "meterValue": [{"timestamp": "2026-01-15T12:00:00Z",
        "sampledValue": [
            {"value": "12.8", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
            {"value": "0.0", "measurand": "Current.Import", "phase": "L2", "unit": "A"},
            {"value": "0.0", "measurand": "Current.Import", "phase": "L3", "unit": "A"},
            {"value": "13.0", "measurand": "Current.Offered", "unit": "A"},
            {"value": "3.2", "measurand": "Energy.Active.Import.Register", "unit": "kWh"}]}]});
    let status = json!({"connectorId": 1, "status": "Charging", "errorCode": "NoError"});
    for (id, action, payload) in [
        ("s", "StatusNotification", status),
        ("m", "MeterValues", values),
    ] {
        point
            .send_text(json!([2, id, action, payload]).to_string())
            .await
            .unwrap();
    }
    let report = house.charger(|report| report.current_a.is_some()).await;
    assert_eq!(report.status, ChargerStatus::Charging);
    let amps = |ma| Some(Milliamps(ma));
    assert_eq!(report.current_a, Some(vec![amps(12_800), amps(0), amps(0)]));
    assert_eq!(
        (report.limit_a, report.energy_kwh),
        (amps(13_000), Some(WattHours(3_200)))
    );

    drop(point);
    let gone = house.charger(|report| !report.connected).await;
    assert_eq!(
        (gone.status, gone.current_a),
        (ChargerStatus::Unknown, None)
    );
}

/// Name, path, credentials, and whether it is let in.
type Case<'a> = (&'a str, &'a str, Option<&'a str>, Result<(), u16>);

#[tokio::test]
async fn passwords_and_identities() {
    let chargers = [
        charger("ev1", "CP1", Some("secret")),
        charger("ev2", "CP2", None),
    ];
    let house = House::with_chargers(&chargers).await;
    let long = format!("/{}", "x".repeat(49));
    let huge = format!("/{}", "x".repeat(4_096));
    let cases: [Case<'_>; 15] = [
        ("right", "/CP1", Some("CP1:secret"), Ok(())),
        (
            "any prefix",
            "/steve/websocket/CP1",
            Some("CP1:secret"),
            Ok(()),
        ),
        ("percent-encoded", "/%43P1", Some("CP1:secret"), Ok(())),
        ("wrong password", "/CP1", Some("CP1:guess"), Err(401)),
        (
            "prefix of the password",
            "/CP1",
            Some("CP1:secre"),
            Err(401),
        ),
        ("another's user", "/CP1", Some("CP2:secret"), Err(401)),
        ("no password", "/CP1", None, Err(401)),
        ("no authentication wanted", "/CP2", None, Ok(())),
        ("unknown", "/CP9", None, Ok(())),
        ("unknown, with a password", "/CP8", Some("CP8:x"), Ok(())),
        ("no identity", "/", None, Err(400)),
        ("traversal", "/%2e%2e%2fCP1", Some("CP1:secret"), Err(400)),
        ("zero byte", "/CP1%00", Some("CP1:secret"), Err(400)),
        ("49 characters", &long, None, Err(400)),
        ("4 kB", &huge, None, Err(400)),
    ];
    for (name, path, basic, want) in cases {
        let got = Point::knock(
            house.ocpp,
            Knock {
                path,
                protocols: OCPP,
                basic,
            },
        )
        .await;
        assert_eq!(got.map(drop), want, "{name}");
    }
}

#[tokio::test]
async fn a_refused_charge_point_is_shown_until_it_gets_in() {
    let chargers = [
        charger("ev1", "CP1", Some("secret")),
        charger("ev2", "CP2", Some("secret")),
    ];
    let house = House::with_chargers(&chargers).await;
    assert_eq!(house.devices.refused(), []);
    let knock = |path, basic| {
        let knock = Knock {
            path,
            protocols: OCPP,
            basic,
        };
        Point::knock(house.ocpp, knock)
    };
    for (basic, why) in [
        (None, RefusedFor::NoPassword),
        (Some("CP2:secret"), RefusedFor::WrongUser),
        (Some("CP1:guess"), RefusedFor::WrongPassword),
    ] {
        assert_eq!(knock("/CP1", basic).await.err(), Some(401));
        assert_eq!(house.devices.refused()[0].why, why);
    }
    let refused = house.devices.refused();
    let [one] = refused.as_slice() else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (one.load.as_str(), one.charge_point_id.as_str(), one.count),
        ("ev1", "CP1", 3)
    );
    let text = one.to_string();
    assert!(
        text.contains("ev1") && text.contains("127.0.0.1") && text.contains("a wrong password"),
        "{text}"
    );
    drop(knock("/CP1", Some("CP1:secret")).await.unwrap());
    assert_eq!(house.devices.refused(), [], "it got in");

    // Too many guesses are not looked at any more, and shown all the same.
    while knock("/CP2", Some("CP2:guess")).await.err() == Some(401) {}
    assert!(house.devices.refused()[0].count > 5);
    house.devices.configure(&chargers, &[], false);
    assert_eq!(house.devices.refused().len(), 1, "its access is the same");
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(15)).await;
    assert_eq!(house.devices.refused(), [], "nobody knocks any more");
}

#[tokio::test]
async fn a_charge_point_with_colons_in_its_name_can_prove_itself() {
    let mac = "02:00:00:00:00:01";
    let house = House::with_chargers(&[charger("ev1", mac, Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, mac).await;
    assert_eq!(point.boot().await["status"], "Accepted");
}

#[tokio::test]
async fn subprotocols() {
    let house = House::with_chargers(&[charger("ev1", "CP1", None)]).await;
    let cases = [
        (Some("ocpp1.6"), Ok(OCPP)),
        (Some("ocpp2.0.1, ocpp1.6"), Ok(Some("ocpp2.0.1"))),
        (Some("ocpp1.6, ocpp2.0.1"), Ok(OCPP)),
        (Some("ocpp2.1,ocpp2.0.1"), Ok(Some("ocpp2.1"))),
        (Some("nonsense,ocpp1.6"), Ok(OCPP)),
        (None, Ok(None)),
        (Some("ocpp2.0.1"), Ok(Some("ocpp2.0.1"))),
        (Some("ocpp2.0"), Err(400)),
        (Some("ocpp1.5,nonsense"), Err(400)),
    ];
    for (index, (protocols, want)) in cases.into_iter().enumerate() {
        let path = format!("/UNKNOWN{index}");
        let got = Point::knock(
            house.ocpp,
            Knock {
                path: &path,
                protocols,
                basic: None,
            },
        )
        .await;
        let got = got.map(|point| point.protocol);
        assert_eq!(
            got.as_ref().map(Option::as_deref),
            want.as_ref().copied(),
            "{protocols:?}"
        );
    }
}

#[tokio::test]
async fn a_plain_http_request_gets_a_plain_answer() {
    let house = House::start().await;
    let response = reqwest::get(format!("http://{}/CP1", house.ocpp))
        .await
        .unwrap();
    assert!(response.status().is_client_error());
}

#[tokio::test]
async fn an_unknown_one_is_listed_never_commanded_and_comes_back_adopted() {
    let mut house = House::with_chargers(&[]).await;
    let knock = Knock {
        path: "/CP1",
        protocols: OCPP,
        basic: Some("CP1:secret"),
    };
    let mut stranger = Point::knock(house.ocpp, knock).await.unwrap();
    assert_eq!(stranger.boot().await["status"], "Pending");
    let listed = house.devices.unmatched();
    let listed = listed.first().unwrap();
    assert_eq!(
        (
            listed.charge_point_id.as_str(),
            listed.vendor.as_deref(),
            listed.model.as_deref()
        ),
        ("CP1", Some("Maker"), Some("Box"))
    );
    assert_eq!(
        (listed.remote.as_deref(), listed.connected),
        (Some("127.0.0.1"), true)
    );
    house.limit(1, "ev1", 16);
    assert_eq!(house.outcome().await, (1, Outcome::Timeout));
    // Nothing but the answer has come, or this call would meet it.
    stranger.call("Heartbeat", json!({})).await;

    house
        .devices
        .configure(&[charger("ev1", "CP1", Some("secret"))], &[], true);
    stranger.end().await;
    assert!(house.devices.unmatched().is_empty());
    let mut adopted = Point::connect(house.ocpp, "CP1").await;
    assert_eq!(adopted.boot().await["status"], "Accepted");
    assert_eq!(
        adopted.serve(json!({"status": "Accepted"})).await.0,
        "SetChargingProfile"
    );
}

#[tokio::test]
async fn an_unknown_one_that_is_gone_is_listed_as_gone() {
    let house = House::start().await;
    let knock = Knock {
        path: "/CP1",
        protocols: OCPP,
        basic: None,
    };
    let point = Point::knock(house.ocpp, knock).await.unwrap();
    let connected = |house: &House| house.devices.unmatched().first().map(|one| one.connected);
    assert_eq!(connected(&house), Some(true));
    drop(point);
    let gone = async {
        while connected(&house) != Some(false) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn no_more_than_fifty_unknown_ones() {
    let house = House::start().await;
    let mut points = Vec::new();
    for index in 0..50 {
        let path = format!("/CP{index}");
        let knock = Knock {
            path: &path,
            protocols: OCPP,
            basic: None,
        };
        points.push(Point::knock(house.ocpp, knock).await.unwrap());
    }
    let knock = Knock {
        path: "/ONEMORE",
        protocols: OCPP,
        basic: None,
    };
    assert_eq!(Point::knock(house.ocpp, knock).await.err(), Some(503));
    assert_eq!(house.devices.unmatched().len(), 50);
}

#[tokio::test]
async fn a_second_connection_with_the_right_password_replaces_the_first() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut first = Point::connect(house.ocpp, "CP1").await;
    first.settle().await;
    let wrong = Knock {
        path: "/CP1",
        protocols: OCPP,
        basic: Some("CP1:guess"),
    };
    assert_eq!(Point::knock(house.ocpp, wrong).await.err(), Some(401));
    first.call("Heartbeat", json!({})).await;

    let mut second = Point::connect(house.ocpp, "CP1").await;
    second.settle().await;
    first.end().await;
    // The late end of the first does not touch the second.
    house.limit(1, "ev1", 10);
    second.serve(json!({"status": "Accepted"})).await;
    assert_eq!(house.outcome().await, (1, Outcome::Accepted));
    second.call("Heartbeat", json!({})).await;
    let disconnected = house
        .so_far()
        .iter()
        .any(|event| matches!(event, DeviceEvent::Charger(report) if !report.connected));
    assert!(!disconnected, "the charger was connected all the time");
}

#[tokio::test]
async fn without_authentication_a_second_connection_waits_for_the_first_to_be_silent() {
    let house = House::with_chargers(&[charger("ev1", "CP1", None)]).await;
    let knock = Knock {
        path: "/CP1",
        protocols: OCPP,
        basic: None,
    };
    let mut first = Point::knock(house.ocpp, knock.clone()).await.unwrap();
    first.settle().await;
    assert_eq!(Point::knock(house.ocpp, knock).await.err(), Some(409));
    first.call("Heartbeat", json!({})).await;
}

#[tokio::test]
async fn a_changed_configuration_touches_only_what_it_changes() {
    let kept = charger("ev1", "CP1", Some("secret"));
    let changed = charger("ev2", "CP2", Some("secret"));
    let removed = charger("ev3", "CP3", Some("secret"));
    let house = House::with_chargers(&[kept.clone(), changed, removed]).await;
    let mut points = Vec::new();
    for identity in ["CP1", "CP2", "CP3"] {
        let mut point = Point::connect(house.ocpp, identity).await;
        point.settle().await;
        points.push(point);
    }
    let kept = headroom_core::config::Charger {
        safe_current_a: Milliamps::from_amps(8),
        ..kept
    };
    house.devices.configure(
        &[kept, charger("ev2", "CP2", Some("another secret"))],
        &[],
        true,
    );
    let base = points[0].serve_until("SetChargingProfile").await;
    assert_eq!(
        limits(&base),
        [(0, 8.0)],
        "the same connection, the new base"
    );
    points[1].end().await;
    points[2].end().await;
}

#[tokio::test]
async fn in_observe_mode_nothing_is_sent_but_answers() {
    let mut house = House::start().await;
    let ev1 = charger("ev1", "CP1", Some("secret"));
    house
        .devices
        .configure(std::slice::from_ref(&ev1), &[], false);
    let mut point = Point::connect(house.ocpp, "CP1").await;
    assert_eq!(point.boot().await["status"], "Accepted");
    house.limit(1, "ev1", 10);
    let status = json!({"connectorId": 1, "status": "Charging", "errorCode": "NoError"});
    point.call("StatusNotification", status).await;
    house
        .charger(|report| report.status == ChargerStatus::Charging)
        .await;
    point.call("Heartbeat", json!({})).await;
    house.devices.configure(&[ev1], &[], true);
    assert_eq!(
        limits(&point.serve_until("SetChargingProfile").await),
        [(0, 6.0)]
    );
}

/// The limit that ends an overload comes in the same moment as the control over the charger.
#[tokio::test]
async fn a_limit_that_comes_together_with_control_is_sent_right_after_the_base() {
    let mut house = House::start().await;
    let ev1 = charger("ev1", "CP1", Some("secret"));
    house
        .devices
        .configure(std::slice::from_ref(&ev1), &[], false);
    let mut point = Point::connect(house.ocpp, "CP1").await;
    assert_eq!(point.boot().await["status"], "Accepted");
    // Nothing yields between these, as in the loop: the connection hears of both at once.
    house.devices.configure(&[ev1], &[], true);
    house.limit(1, "ev1", 13);
    house.limit(2, "ev1", 11);
    let (_, base) = point.serve(json!({"status": "Accepted"})).await;
    assert_eq!(limits(&base), [(0, 6.0)]);
    let (name, lease) = point.serve(json!({"status": "Accepted"})).await;
    assert_eq!(name, "SetChargingProfile");
    assert_eq!(limits(&lease), [(0, 11.0), (120, 6.0)]);
    assert_eq!(house.outcome().await, (2, Outcome::Accepted));
}

#[tokio::test]
async fn a_limit_while_observing_has_an_outcome_and_is_not_sent() {
    let mut house = House::start().await;
    let ev1 = charger("ev1", "CP1", Some("secret"));
    house.devices.configure(&[ev1], &[], false);
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.boot().await;
    house.limit(1, "ev1", 10);
    assert_eq!(house.outcome().await, (1, Outcome::Timeout));
    // Nothing but the answer has come, or this call would meet it.
    point.call("Heartbeat", json!({})).await;
}

#[tokio::test]
async fn of_many_limits_the_newest_is_sent_and_each_sent_one_has_one_outcome() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.settle().await;
    for command in 1..=20 {
        house.limit(command, "ev1", 26 - i64::try_from(command).unwrap());
    }
    let mut sent = 0;
    loop {
        let (_, lease) = point.serve(json!({"status": "Accepted"})).await;
        sent += 1;
        if limits(&lease) == [(0, 6.0), (120, 6.0)] {
            break;
        }
    }
    assert!(sent <= 3, "{sent} of 20 were sent");
    let mut outcomes = vec![house.outcome().await];
    while outcomes.last() != Some(&(20, Outcome::Accepted)) {
        outcomes.push(house.outcome().await);
    }
    assert_eq!(outcomes.len(), sent);
}

#[tokio::test]
async fn a_limit_overtakes_the_set_up() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.boot().await;
    point.serve(json!({"status": "Accepted"})).await;
    // The first call of the set-up is under way; a limit waits behind it and not behind the rest.
    let call = point.frame().await.unwrap();
    house.limit(1, "ev1", 6);
    let renewal = DeviceCommand::SetLimit {
        command: 2,
        load: "ev1".to_owned(),
        limit: Milliamps::from_amps(6),
        phases: 3,
        lease_s: 60,
        safe: Milliamps::from_amps(6),
        renewal: true,
    };
    house.devices.send(renewal);
    // The charge point answers after the limit was handed over.
    point.call("Heartbeat", json!({})).await;
    point
        .send_text(json!([3, call[1], {"status": "Accepted"}]).to_string())
        .await
        .unwrap();
    let (name, lease) = point.serve(json!({"status": "Accepted"})).await;
    assert_eq!(
        (name.as_str(), limits(&lease)),
        ("SetChargingProfile", vec![(0, 6.0), (60, 6.0)])
    );
    assert_eq!(house.outcome().await, (2, Outcome::Accepted));
}

#[tokio::test]
async fn a_message_above_the_limit_closes_that_connection_alone() {
    let chargers = [
        charger("ev1", "CP1", Some("secret")),
        charger("ev2", "CP2", Some("secret")),
    ];
    let mut house = House::with_chargers(&chargers).await;
    let mut good = Point::connect(house.ocpp, "CP2").await;
    good.settle().await;

    let mut bad = Point::connect(house.ocpp, "CP1").await;
    let fits = json!([2, "1", "DataTransfer", {"vendorId": "x".repeat(200 * 1024)}]);
    bad.send_text(fits.to_string()).await.unwrap();
    assert_eq!(bad.frame().await.unwrap()[2]["status"], "UnknownVendorId");
    // The other end closes while this is still being written.
    drop(bad.send_text("x".repeat(2 * 1024 * 1024)).await);
    bad.end().await;
    house
        .charger(|report| report.id == "ev1" && !report.connected)
        .await;

    let knock = Knock {
        path: "/STRANGER",
        protocols: OCPP,
        basic: None,
    };
    let mut stranger = Point::knock(house.ocpp, knock).await.unwrap();
    stranger.send_text("x".repeat(17 * 1024)).await.unwrap();
    assert_eq!(stranger.end().await, Some(1009));

    house.limit(1, "ev2", 10);
    good.serve(json!({"status": "Accepted"})).await;
    assert_eq!(house.outcome().await, (1, Outcome::Accepted));
}

#[tokio::test]
async fn a_flood_closes_that_connection_alone() {
    let chargers = [
        charger("ev1", "CP1", Some("secret")),
        charger("ev2", "CP2", Some("secret")),
    ];
    let mut house = House::with_chargers(&chargers).await;
    let mut good = Point::connect(house.ocpp, "CP2").await;
    good.settle().await;
    let mut bad = Point::connect(house.ocpp, "CP1").await;
    for _ in 0..10_000 {
        if bad
            .send_text("[2,\"1\",\"Heartbeat\",{}]".to_owned())
            .await
            .is_err()
        {
            break;
        }
    }
    house
        .charger(|report| report.id == "ev1" && !report.connected)
        .await;
    house.limit(1, "ev2", 10);
    good.serve(json!({"status": "Accepted"})).await;
    assert_eq!(house.outcome().await, (1, Outcome::Accepted));
}

#[tokio::test]
async fn garbage_is_survived() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    for garbage in [
        "",
        "{",
        "[]",
        "[2]",
        "[3,\"no such call\",{}]",
        "null",
        "[[[[[[[",
    ] {
        point.send_text(garbage.to_owned()).await.unwrap();
    }
    let deep = format!("[2,\"1\",\"Heartbeat\",{}", "[".repeat(100_000));
    point.send_text(deep).await.unwrap();
    point.settle().await;
    house.limit(1, "ev1", 10);
    point.serve(json!({"status": "Accepted"})).await;
    assert_eq!(house.outcome().await, (1, Outcome::Accepted));
}

#[tokio::test]
async fn a_lost_connection_is_a_time_out_for_the_limit_under_way() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.settle().await;
    house.limit(1, "ev1", 10);
    point.frame().await.unwrap();
    drop(point);
    assert_eq!(house.outcome().await, (1, Outcome::Timeout));
    house.charger(|report| !report.connected).await;
    house.limit(2, "ev1", 10);
    assert_eq!(
        house.outcome().await,
        (2, Outcome::Timeout),
        "nobody is there"
    );
}

#[tokio::test]
async fn a_storm_of_reconnections_is_slowed_down() {
    let house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut refused = 0;
    for _ in 0..60 {
        let knock = Knock {
            path: "/CP1",
            protocols: OCPP,
            basic: Some("CP1:secret"),
        };
        if Point::knock(house.ocpp, knock).await.err() == Some(503) {
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused} of 60 were refused");
}

#[tokio::test]
async fn one_that_says_nothing_is_dropped() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    // Connected without a request: the head is waited for, but not for ever.
    let mut slow = TcpStream::connect(house.ocpp).await.unwrap();
    slow.write_all(b"GET /CP1 HTTP/1.1\r\nhost: a")
        .await
        .unwrap();
    // Connected with a request, and then silent: not even pings are answered, as nobody reads.
    let silent = Point::connect(house.ocpp, "CP1").await;
    house.charger(|report| report.connected).await;
    tokio::time::pause();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    tokio::time::advance(Duration::from_mins(4)).await;
    tokio::time::resume();
    house.charger(|report| !report.connected).await;
    drop(silent);
}

#[tokio::test]
async fn without_authentication_a_silent_connection_is_replaced() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", None)]).await;
    let knock = Knock {
        path: "/CP1",
        protocols: OCPP,
        basic: None,
    };
    let mut first = Point::knock(house.ocpp, knock.clone()).await.unwrap();
    house.charger(|report| report.connected).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    let mut second = Point::knock(house.ocpp, knock).await.unwrap();
    first.end().await;
    second.boot().await;
}

#[tokio::test]
async fn what_people_ask_of_a_charge_point_is_told_and_answered() {
    use headroom_chargers::{Operation, OperationOutcome};
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let none = house.devices.operate("ev1", Operation::RemoteStop);
    assert!(none.is_none(), "it is not connected");
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.settle().await;
    let start = Operation::RemoteStart {
        id_tag: "me".to_owned(),
    };
    let (yes, no) = (OperationOutcome::Accepted, OperationOutcome::Rejected);
    for (operation, action, answer, outcome) in [
        (
            Operation::SetAvailability { operative: false },
            "ChangeAvailability",
            "Accepted",
            yes,
        ),
        (Operation::Reset { hard: false }, "Reset", "Rejected", no),
        (start, "RemoteStartTransaction", "Accepted", yes),
    ] {
        let answered = house.devices.operate("ev1", operation).unwrap();
        loop {
            let call = point.frame().await.unwrap();
            let asked = call[2].as_str() == Some(action);
            let status = if asked { answer } else { "Accepted" };
            let reply = json!([3, call[1], {"status": status}]).to_string();
            point.send_text(reply).await.unwrap();
            if asked {
                break;
            }
        }
        let told = tokio::time::timeout(PATIENCE, answered).await.unwrap();
        assert_eq!(told.unwrap(), outcome, "{action}");
    }
    // A connection that ends leaves nobody waiting.
    let reset = Operation::Reset { hard: true };
    let answered = house.devices.operate("ev1", reset).unwrap();
    drop(point);
    house.charger(|report| !report.connected).await;
    let end = tokio::time::timeout(PATIENCE, answered).await.unwrap();
    assert!(matches!(end, Ok(OperationOutcome::Timeout) | Err(_)));
}

#[tokio::test]
async fn who_guesses_one_password_keeps_no_other_charge_point_out() {
    let chargers = [
        charger("ev1", "CP1", Some("secret")),
        charger("ev2", "CP2", Some("secret")),
    ];
    let house = House::with_chargers(&chargers).await;
    let guess = async |basic| {
        let knock = Knock {
            path: "/CP1",
            protocols: OCPP,
            basic: Some(basic),
        };
        Point::knock(house.ocpp, knock).await.err()
    };
    let mut last = None;
    for _ in 0..40 {
        last = guess("CP1:guess").await;
    }
    assert_eq!(last, Some(429));
    drop(Point::connect(house.ocpp, "CP2").await);
    let refused = house.devices.refused();
    let loads: Vec<_> = refused
        .iter()
        .map(|refused| refused.load.as_str())
        .collect();
    assert_eq!(loads, ["ev1"]);
    // The right password is not a wrong one, though it has to wait.
    assert_eq!(guess("CP1:secret").await, Some(429));
    assert_eq!(house.devices.refused()[0].count, refused[0].count);
}

#[tokio::test]
async fn the_trace_has_both_directions_and_no_secret() {
    let house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.settle().await;
    let authorize = json!([2, "a", "Authorize", {"idTag": "04A1B2C3"}]).to_string();
    point.send_text(authorize).await.unwrap();
    let has = |direction: &str, word: &str| {
        let trace = house.devices.ocpp_trace();
        trace
            .iter()
            .any(|it| it.direction.as_str() == direction && it.message.contains(word))
    };
    while !has("in", "Authorize") {
        point.frame().await.unwrap();
    }
    assert!(has("in", "BootNotification") && has("out", "SetChargingProfile"));
    assert!(!has("in", "04A1B2C3"));
    let trace = house.devices.ocpp_trace();
    let own = |it: &headroom_chargers::Traced| {
        it.load.as_deref() == Some("ev1") && it.charge_point_id == "CP1"
    };
    assert!(trace.iter().all(own));
}
