//! A charge point with a car, made with the crate `ocpp-client`: it reads every message into the types of OCPP 1.6 and
//! checks the limits that the types do not carry.
//!
//! `headroom-peer URL IDENTITY PASSWORD`. Its lines are those of `charge_point.py`. A message that does not pass is told
//! as `{"event": "violation", ...}`.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use ocpp_client::{ConnectOptions, connect_1_6, ocpp_types::validate::Validate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const MAX_A: f64 = 16.0;
const MIN_A: f64 = 6.0;
const STEP: Duration = Duration::from_millis(100);
/// Meter values are sent each so many steps.
const SAMPLE_STEPS: u32 = 10;

type Failure = Box<dyn Error + Send + Sync>;

/// The power side: it lives on without a connection.
#[derive(Debug, Default)]
struct Outlet {
    /// By stack level.
    profiles: BTreeMap<i64, Value>,
    transaction: Option<i64>,
    draw_a: f64,
    said: String,
}

impl Outlet {
    fn limit_a(&self) -> f64 {
        let mut limits = self.profiles.values().rev().filter_map(limit_of);
        limits.next().unwrap_or(MAX_A).min(MAX_A)
    }

    fn status(&self) -> &'static str {
        match self.transaction {
            None => "Preparing",
            Some(_) if self.draw_a > 0.0 => "Charging",
            Some(_) => "SuspendedEVSE",
        }
    }

    fn step(&mut self, since: Instant) {
        let limit = self.limit_a();
        let may = self.transaction.is_some() && limit >= MIN_A;
        let wanted = if may { limit } else { 0.0 };
        self.draw_a = wanted.min((self.draw_a + 2.0).max(MIN_A)).min(wanted);
        let currents = [self.draw_a; 3];
        let line = json!({"status": self.status(), "limit_a": limit, "current_a": currents,
            "transaction": self.transaction});
        let text = line.to_string();
        if text != self.said {
            let mut line = line;
            line["t"] = json!(since.elapsed().as_secs_f64());
            println!("{line}");
            self.said = text;
        }
    }
}

/// What a profile allows now.
fn limit_of(profile: &Value) -> Option<f64> {
    let schedule = &profile["chargingSchedule"];
    let start: Timestamp = schedule["startSchedule"].as_str()?.parse().ok()?;
    let elapsed = Timestamp::now().as_second() - start.as_second();
    let over = schedule["duration"]
        .as_i64()
        .is_some_and(|end| elapsed >= end);
    if elapsed < 0 || over {
        return None;
    }
    let periods = schedule["chargingSchedulePeriod"].as_array()?;
    let begun = |period: &&Value| {
        period["startPeriod"]
            .as_i64()
            .is_some_and(|at| at <= elapsed)
    };
    periods.iter().rev().find(begun)?["limit"].as_f64()
}

fn lock(outlet: &Mutex<Outlet>) -> MutexGuard<'_, Outlet> {
    outlet.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check(what: &str, message: &impl Validate) {
    if let Err(error) = message.validate() {
        println!(
            "{}",
            json!({"event": "violation", "what": what, "why": format!("{error:?}")})
        );
    }
}

/// A message of the crate's type from its JSON; the lines are the tests' own.
fn message<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(value)
}

fn stamp() -> String {
    format!("{:.0}", Timestamp::now())
}

async fn talk(
    outlet: Arc<Mutex<Outlet>>,
    url: &str,
    id: &str,
    password: &str,
) -> Result<(), Failure> {
    let options = ConnectOptions {
        username: Some(id),
        password: Some(password.as_bytes()),
        ..ConnectOptions::default()
    };
    let client = connect_1_6(&format!("{url}/{id}"), Some(options)).await?;
    let own = Arc::clone(&outlet);
    client
        .on_set_charging_profile(move |request, _| {
            let own = Arc::clone(&own);
            async move {
                check("SetChargingProfile", &request);
                let body = serde_json::to_value(&request).unwrap_or_default();
                let profile = body["csChargingProfiles"].clone();
                let taken = profile["chargingProfilePurpose"] == "TxDefaultProfile"
                    && profile["chargingSchedule"]["chargingRateUnit"] == "A";
                println!("{}", json!({"event": "profile", "taken": taken}));
                if taken {
                    let level = profile["stackLevel"].as_i64().unwrap_or_default();
                    lock(&own).profiles.insert(level, profile);
                }
                let status = if taken { "Accepted" } else { "Rejected" };
                Ok(message(json!({"status": status})).expect("an answer"))
            }
        })
        .await;
    client
        .on_get_configuration(|request, _| async move {
            check("GetConfiguration", &request);
            Ok(message(json!({"configurationKey": [
                {"key": "NumberOfConnectors", "readonly": true, "value": "1"},
                {"key": "ChargeProfileMaxStackLevel", "readonly": true, "value": "8"},
                {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true, "value": "Current"},
                {"key": "ChargingScheduleMaxPeriods", "readonly": true, "value": "8"}]}))
            .expect("an answer"))
        })
        .await;
    let boot = json!({"chargePointVendor": "Tests", "chargePointModel": "Rust-1"});
    let answer = client.send_boot_notification(message(boot)?).await?;
    check("BootNotification", &answer);
    let start = json!({"connectorId": 1, "idTag": "CAR", "meterStart": 0, "timestamp": stamp()});
    let answer = client.send_start_transaction(message(start)?).await?;
    check("StartTransaction", &answer);
    lock(&outlet).transaction = Some(answer.transaction_id);
    let mut told = "";
    loop {
        let (status, draw_a, transaction) = {
            let outlet = lock(&outlet);
            (outlet.status(), outlet.draw_a, outlet.transaction)
        };
        if status != told {
            told = status;
            let state = json!({"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": stamp()});
            client.send_status_notification(message(state)?).await?;
        }
        let phases = ["L1", "L2", "L3"].map(|phase| {
            json!({"measurand": "Current.Import", "unit": "A", "phase": phase, "value": format!("{draw_a:.1}")})
        });
        let values = json!({"connectorId": 1, "transactionId": transaction,
            "meterValue": [{"timestamp": stamp(), "sampledValue": phases}]});
        client.send_meter_values(message(values)?).await?;
        sleep(STEP * SAMPLE_STEPS).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, id, password] = arguments.as_slice() else {
        return Err("headroom-peer URL IDENTITY PASSWORD".into());
    };
    let outlet = Arc::new(Mutex::new(Outlet::default()));
    let own = Arc::clone(&outlet);
    let (url, id, password) = (url.clone(), id.clone(), password.clone());
    // Without the controller the car goes on charging, by what was set.
    tokio::spawn(async move {
        if let Err(error) = talk(own, &url, &id, &password).await {
            println!("{}", json!({"event": "ended", "why": error.to_string()}));
        }
    });
    let since = Instant::now();
    loop {
        lock(&outlet).step(since);
        sleep(STEP).await;
    }
}
