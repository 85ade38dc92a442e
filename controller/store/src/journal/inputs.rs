//! The inputs of a decision as JSON: the event that led to it, and the meter, lines and loads as the engine
//! saw them.

use headroom_core::snapshot::{LoadDetail, LoadSnapshot};
use headroom_core::{Event, Snapshot};
use serde_json::{Value, json};

/// Written once, by the writer task, so that the loop does not spend its time on text.
pub(super) fn inputs(seq: i64, event: &Event, snapshot: &Snapshot) -> Value {
    json!({
        "seq": seq,
        "event": event,
        "meter": {
            "state": snapshot.meter.state,
            "last_ms": snapshot.meter.last,
            "period_ms": snapshot.meter.period_ms,
        },
        "phases": snapshot.phases,
        "highest_background_a": snapshot.highest_background.0,
        "loads": snapshot.loads.iter().map(|it| load(it)).collect::<Vec<_>>(),
    })
}

fn load(load: &LoadSnapshot) -> Value {
    match &load.detail {
        LoadDetail::Charger {
            status,
            setpoint,
            measured,
            acknowledged,
            lease_until,
            following,
        } => json!({
            "id": load.id,
            "kind": "charger",
            "connected": load.connected,
            "status": status,
            "setpoint_a": setpoint,
            "measured_a": measured,
            "acknowledged_a": acknowledged,
            "lease_until_ms": lease_until,
            "following": following,
            "reason": load.reason,
        }),
        LoadDetail::SlowLoad {
            on,
            power,
            following,
        } => json!({
            "id": load.id,
            "kind": "slow_load",
            "connected": load.connected,
            "on": on,
            "power_w": power,
            "following": following,
            "reason": load.reason,
        }),
    }
}
