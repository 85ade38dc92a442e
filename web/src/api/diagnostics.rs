//! `GET /diagnostics`: what somebody who helps needs to know, and no secret: no password, key, token or meter number.

use std::path::Path;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use headroom_core::config::Driver;
use headroom_store::{Database, House};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::app::{App, Inner, Shared};
use crate::identity::{By, Who};
use crate::plain::{PAGE_IN_CLEAR, in_clear};
use crate::problem::Problem;
use crate::query::Params;
use crate::status::{LoadStatus, Status};

pub(crate) async fn get(
    State(shared): State<Shared>,
    who: Who,
    params: Params,
) -> Result<Json<Value>, Problem> {
    // The traces are for those who look after the house, not for everybody in its network.
    if matches!(who.by, By::Public) {
        return Err(Problem::unauthenticated(
            "Diagnostics are no part of the public view: log in.",
        ));
    }
    params.finish()?;
    let app = &shared.app;
    let status = app.status.borrow().clone();
    let house = app.state.house();
    let site = &house.config.site;
    let (chargers, relays) = loads(app, &status);
    Ok(Json(json!({
        "time": format!("{:.3}", Timestamp::now()),
        "version": app.version,
        "uptime_s": app.upkeep.started.elapsed().as_secs(),
        "system": system(),
        "loop": {"alive": app.health.is_alive(), "ready": app.health.is_ready()},
        "state": status.state,
        "reason": status.reason.code,
        "site": {
            "mode": status.mode, "grid": site.grid, "main_fuse": site.main_fuse, "margin_a": site.margin_a,
            "circuits": site.circuits.len(), "time_zone": site.time_zone,
        },
        "databases": databases(&app.upkeep.directory),
        "journal": {
            "problem": *app.journal.problem().borrow(),
            "set_aside": app.journal.set_aside().is_some(),
            "dropped": app.journal.dropped(),
            "gaps": app.journal.gaps(),
            "run": app.journal.run(),
        },
        "meter": meter(&status),
        "chargers": chargers,
        "relays": relays,
        "ocpp_listen": app.devices.ocpp_listen(),
        "unmatched_charge_points": app.devices.unmatched().len(),
        "alarms": status.alarms.iter().map(|alarm| json!({
            "code": alarm.code, "load": alarm.load, "since": alarm.since,
        })).collect::<Vec<_>>(),
        "in_clear": sent_in_clear(&shared, &house),
        "ocpp_trace": app.devices.ocpp_trace(),
        "meter_trace": app.devices.meter_trace(),
    })))
}

/// Secrets that go through the network in clear.
fn sent_in_clear(shared: &Inner, house: &House) -> Vec<String> {
    let mut told = in_clear(house);
    if shared.page_in_clear.load(Ordering::Relaxed) {
        told.push(PAGE_IN_CLEAR.to_owned());
    }
    told
}

/// The machine, as far as it tells.
fn system() -> Value {
    let line = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        let number = value.trim().trim_end_matches(" kB").parse::<u64>().ok()?;
        Some(number * 1024)
    };
    json!({
        "architecture": std::env::consts::ARCH,
        "os": std::env::consts::OS,
        "memory_used_bytes": line("/proc/self/status", "VmRSS:"),
        "memory_most_bytes": line("/proc/self/status", "VmHWM:"),
        "memory_free_bytes": line("/proc/meminfo", "MemAvailable:"),
    })
}

fn databases(directory: &Path) -> Vec<Value> {
    let size = |name: String| {
        let metadata = directory.join(name).metadata();
        metadata.ok().map(|metadata| metadata.len())
    };
    Database::ALL
        .into_iter()
        .map(|database| {
            json!({
                "file": database.file(),
                "bytes": size(database.file().to_owned()),
                "log_bytes": size(format!("{}-wal", database.file())),
                "schema": database.known_schema(),
            })
        })
        .collect()
}

/// As the status has it, without the number of the meter.
fn meter(status: &Status) -> Value {
    let mut meter = json!(status.meter);
    if let Some(fields) = meter.as_object_mut() {
        fields.remove("meter_id");
        fields.insert(
            "meter_id_known".to_owned(),
            status.meter.meter_id.is_some().into(),
        );
    }
    meter
}

/// Chargers, and slow loads.
fn loads(app: &App, status: &Status) -> (Vec<Value>, Vec<Value>) {
    let house = app.state.house();
    let driver = |id: &str| -> Value {
        let chargers = house.config.chargers.iter().map(|it| (&it.id, &it.driver));
        let slow_loads = house
            .config
            .slow_loads
            .iter()
            .map(|it| (&it.id, &it.driver));
        let driver = chargers.chain(slow_loads).find(|(known, _)| *known == id);
        driver
            .and_then(|(_, driver)| driver.as_ref())
            .map_or(Value::Null, named)
    };
    let (mut chargers, mut relays) = (Vec::new(), Vec::new());
    for load in &status.loads {
        match load {
            LoadStatus::Charger(load) => chargers.push(json!({
                "id": load.id,
                "driver": driver(&load.id),
                "connected": load.connected,
                "status": load.status,
                "setpoint_a": load.setpoint_a,
                "acknowledged_a": load.acknowledged_a,
                "measured_a": load.measured_a,
                "following": load.following,
                "capabilities": app.devices.capabilities(&load.id),
            })),
            LoadStatus::SlowLoad(load) => relays.push(json!({
                "id": load.id,
                "driver": driver(&load.id),
                "connected": load.connected,
                "on": load.on,
                "power_w": load.power_w,
            })),
        }
    }
    (chargers, relays)
}

/// The kind of a driver and its profile: not its address, and none of its parameters, which may be secrets.
fn named(driver: &Driver) -> Value {
    let all = serde_json::to_value(driver).unwrap_or_default();
    let kept = ["kind", "profile"].into_iter();
    let kept = kept.filter_map(|name| Some((name.to_owned(), all.get(name)?.clone())));
    Value::Object(kept.collect::<Map<_, _>>())
}
