//! Charging stations that speak OCPP 2.0.1, beside those of 1.6 on the same port.

use headroom_core::{
    event::{ChargerStatus, Outcome},
    units::Milliamps,
};
use serde_json::{Value, json};

use crate::{
    house::{House, charger},
    point::{Knock, Point},
};

async fn connect(house: &House, path: &str, basic: Option<&str>) -> Point {
    let knock = Knock {
        path,
        protocols: Some("ocpp2.0.1"),
        basic,
    };
    let point = Point::knock(house.ocpp, knock).await.expect("let in");
    assert_eq!(point.protocol.as_deref(), Some("ocpp2.0.1"));
    point
}

async fn boot(point: &mut Point) -> Value {
    let station = json!({"vendorName": "Maker", "model": "Box", "firmwareVersion": "1.2"});
    let boot = json!({"reason": "PowerUp", "chargingStation": station});
    point.call("BootNotification", boot).await
}

/// The limits of a profile's periods.
fn limits(payload: &Value) -> Vec<(u64, f64)> {
    let schedule = &payload["chargingProfile"]["chargingSchedule"][0];
    let periods = schedule["chargingSchedulePeriod"].as_array().unwrap();
    periods
        .iter()
        .map(|p| {
            let limit = p["limit"].as_f64().unwrap();
            (p["startPeriod"].as_u64().unwrap(), limit)
        })
        .collect()
}

#[tokio::test]
async fn a_station_is_given_its_base_and_its_limit_and_tells_what_it_draws() {
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = connect(&house, "/any/prefix/CP1", Some("CP1:secret")).await;
    assert_eq!(boot(&mut point).await["status"], "Accepted");
    let base = point.serve_until("SetChargingProfile").await;
    assert_eq!(
        (&base["evseId"], limits(&base)),
        (&json!(1), vec![(0, 6.0)])
    );
    house.limit(7, "ev1", 10);
    let lease = point.serve_until("SetChargingProfile").await;
    assert_eq!(limits(&lease), [(0, 10.0), (120, 6.0)]);
    assert_eq!(house.outcome().await, (7, Outcome::Accepted));

    // What it says while a call of ours waits is answered all the same.
    let stamp = jiff::Timestamp::now().to_string();
    let samples: Vec<Value> = ["L1", "L2", "L3"]
        .iter()
        .map(|phase| {
            json!({"value": 9.8, "measurand": "Current.Import", "phase": phase,
                "unitOfMeasure": {"unit": "A"}})
        })
        .collect();
    let event = json!({"eventType": "Started", "timestamp": stamp, "triggerReason": "CablePluggedIn",
        "seqNo": 0, "evse": {"id": 1, "connectorId": 1},
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "Charging"},
        "meterValue": [{"timestamp": stamp, "sampledValue": samples}]});
    point
        .send_text(json!([2, "mine", "TransactionEvent", event]).to_string())
        .await
        .unwrap();
    let report = house.charger(|report| report.current_a.is_some()).await;
    assert_eq!(report.status, ChargerStatus::Charging);
    assert_eq!(
        report.current_a,
        Some(vec![Some(Milliamps(9_800)); 3]),
        "of the transaction's event"
    );
}

#[tokio::test]
async fn one_that_nobody_knows_is_listed_and_may_do_nothing() {
    let house = House::start().await;
    let mut point = connect(&house, "/NEW", None).await;
    assert_eq!(boot(&mut point).await["status"], "Pending");
    assert_eq!(
        point.call("Heartbeat", json!({})).await,
        "SecurityError",
        "not before it is accepted"
    );
    let listed = house.devices.unmatched();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].vendor.as_deref(), listed[0].model.as_deref()),
        (Some("Maker"), Some("Box"))
    );
}

#[tokio::test]
async fn one_that_comes_back_with_another_version_is_spoken_to_in_that() {
    let house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut new = connect(&house, "/CP1", Some("CP1:secret")).await;
    boot(&mut new).await;
    let base = new.serve_until("SetChargingProfile").await;
    assert!(base["chargingProfile"].is_object(), "{base}");
    let mut old = Point::connect(house.ocpp, "CP1").await;
    assert_eq!(old.boot().await["status"], "Accepted");
    let base = old.serve_until("SetChargingProfile").await;
    assert!(base["csChargingProfiles"].is_object(), "{base}");
}
