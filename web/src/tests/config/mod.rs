//! Changing the configuration: what is right is in force at once, what is wrong changes nothing.

mod commands;
mod loads;
mod site;
mod wrong_loads;

use axum::http::Method;
use serde_json::json;

use super::*;

/// Two chargers and a heater, of which the loop was told.
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
