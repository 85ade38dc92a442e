//! What a charge point says by itself (OCPP 1.6 edition 2, section 4): boot, heartbeat, status,
//! sessions, meter values.
//!
//! Pure: [`Reporter::next`] gives the next call when the one before is answered, [`Reporter::answered`]
//! takes the answer. Meter values are sent every few seconds and soon after a change.

use std::collections::VecDeque;

use headroom_sim::charge_point::{Readings, Transaction};
use headroom_sim::{ChargePoint, ConnectorStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::Trigger;
use super::settings::Settings;

/// A change of a current by this much is told at once, in amperes.
const CHANGE_A: f64 = 0.8;
/// Meter values are not sent closer than this, in milliseconds.
const VALUES_APART_MS: u64 = 1000;
/// Wait after a boot that was not accepted, if the answer names none, in seconds.
const BOOT_AGAIN_S: u64 = 10;
/// Things to say that wait for their turn; a central system that asks for more is not heard.
const TRIGGERS_MAX: usize = 8;

/// A call to the central system.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) action: &'static str,
    pub(super) payload: Value,
}

/// The session that the central system knows of.
#[derive(Clone, Copy, Debug)]
struct Told {
    number: i64,
    id: Option<i64>,
    energy_wh: f64,
}

/// Keeps track of what has been said.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    accepted: bool,
    boot_at_ms: u64,
    heartbeat_at_ms: u64,
    whole_status: bool,
    status: Option<ConnectorStatus>,
    session: Option<Told>,
    values_at_ms: u64,
    values: Option<Readings>,
    triggers: VecDeque<Trigger>,
}

impl Reporter {
    /// Whether the central system has accepted the boot.
    pub(super) fn accepted(&self) -> bool {
        self.accepted
    }

    /// A new connection: everything is said again, except the session, which goes on.
    pub(super) fn reconnected(&mut self) {
        let session = self.session.take();
        *self = Self {
            session,
            ..Self::default()
        };
    }

    /// Says something soon that nobody would say otherwise.
    pub(super) fn trigger(&mut self, trigger: Trigger) {
        if self.triggers.len() < TRIGGERS_MAX {
            self.triggers.push_back(trigger);
        }
    }

    /// The next call, if there is something to say.
    pub(super) fn next(
        &mut self,
        now_ms: u64,
        charge_point: &ChargePoint,
        settings: &Settings,
    ) -> Option<Call> {
        let clock = Timestamp::from_millisecond(charge_point.clock_at(now_ms)).unwrap_or_default();
        if !self.accepted {
            self.triggers
                .retain(|trigger| *trigger != Trigger::BootNotification);
            return (now_ms >= self.boot_at_ms).then(|| boot(charge_point));
        }
        if let Some(trigger) = self.triggers.pop_front() {
            return Some(match trigger {
                Trigger::BootNotification => boot(charge_point),
                Trigger::Heartbeat => heartbeat(),
                Trigger::StatusNotification => status(1, charge_point.status().ocpp(), clock),
                Trigger::MeterValues => {
                    self.meter_values(now_ms, clock, charge_point, settings, "Trigger")
                }
            });
        }
        if !self.whole_status {
            self.whole_status = true;
            return Some(status(0, "Available", clock));
        }
        if let Some(call) = self.session(clock, charge_point) {
            return Some(call);
        }
        let state = charge_point.status();
        if self.status != Some(state) {
            self.status = Some(state);
            return Some(status(1, state.ocpp(), clock));
        }
        if self.values_due(now_ms, charge_point, settings) {
            return Some(self.meter_values(
                now_ms,
                clock,
                charge_point,
                settings,
                "Sample.Periodic",
            ));
        }
        if settings.heartbeat_s > 0 && now_ms >= self.heartbeat_at_ms {
            self.heartbeat_at_ms = later(now_ms, settings.heartbeat_s);
            return Some(heartbeat());
        }
        None
    }

    /// Takes the answer to a call.
    pub(super) fn answered(
        &mut self,
        action: &str,
        answer: &Value,
        now_ms: u64,
        charge_point: &mut ChargePoint,
        settings: &mut Settings,
    ) {
        match action {
            "BootNotification" => {
                set_clock(answer, charge_point);
                let named_s = answer
                    .get("interval")
                    .and_then(Value::as_u64)
                    .filter(|s| *s > 0);
                self.accepted = answer.get("status").and_then(Value::as_str) == Some("Accepted");
                if self.accepted {
                    settings.heartbeat_s = named_s.unwrap_or(settings.heartbeat_s);
                    self.heartbeat_at_ms = later(now_ms, settings.heartbeat_s);
                } else {
                    self.boot_at_ms = later(now_ms, named_s.unwrap_or(BOOT_AGAIN_S));
                }
            }
            "Heartbeat" => set_clock(answer, charge_point),
            "StartTransaction" => {
                let id = answer.get("transactionId").and_then(Value::as_i64);
                let running = charge_point.transaction().map(|running| running.number);
                if let (Some(id), Some(told)) = (id, &mut self.session) {
                    told.id = Some(id);
                    if running == Some(told.number) {
                        charge_point.name_transaction(id);
                    }
                }
                let verdict = answer.pointer("/idTagInfo/status").and_then(Value::as_str);
                if verdict != Some("Accepted") {
                    charge_point.stop_transaction();
                }
            }
            _ => {}
        }
    }

    /// Begin and end of sessions.
    fn session(&mut self, clock: Timestamp, charge_point: &ChargePoint) -> Option<Call> {
        let running = charge_point.transaction();
        let energy_wh = charge_point.readings().energy_wh;
        if let Some(told) = self.session {
            if running.map(|running| running.number) == Some(told.number) {
                self.session = Some(Told { energy_wh, ..told });
                return None;
            }
            self.session = None;
            // What the central system never numbered cannot be ended there.
            return told
                .id
                .map(|id| stop(id, told.energy_wh, clock, charge_point));
        }
        let Transaction {
            number,
            central_id,
            began_wh,
            ..
        } = running?;
        self.session = Some(Told {
            number,
            id: central_id,
            energy_wh,
        });
        Some(Call {
            action: "StartTransaction",
            payload: json!({"connectorId": 1, "idTag": "DEMO", "meterStart": whole(began_wh),
                "timestamp": timestamp(clock)}),
        })
    }

    fn values_due(&self, now_ms: u64, charge_point: &ChargePoint, settings: &Settings) -> bool {
        let Some(said) = &self.values else {
            return true;
        };
        let since_ms = now_ms.saturating_sub(self.values_at_ms);
        let now = charge_point.readings();
        let moved = (now.offered_a - said.offered_a).abs() > 0.05
            || now
                .amps
                .iter()
                .zip(&said.amps)
                .any(|(now, said)| (now - said).abs() >= CHANGE_A);
        let interval = settings.sample_interval();
        let periodic = interval.is_some_and(|every| u128::from(since_ms) >= every.as_millis());
        periodic || (moved && since_ms >= VALUES_APART_MS)
    }

    fn meter_values(
        &mut self,
        now_ms: u64,
        clock: Timestamp,
        charge_point: &ChargePoint,
        settings: &Settings,
        context: &str,
    ) -> Call {
        let readings = charge_point.readings();
        let mut sampled = Vec::new();
        for measurand in &settings.measurands {
            let mut add = |value: f64, unit: &str, phase: Option<String>| {
                let mut entry = json!({"value": format!("{value:.1}"), "context": context,
                    "measurand": measurand, "unit": unit, "location": "Outlet"});
                if let (Some(phase), Some(fields)) = (phase, entry.as_object_mut()) {
                    fields.insert("phase".to_owned(), Value::String(phase));
                }
                sampled.push(entry);
            };
            match *measurand {
                "Current.Import" => {
                    for (amps, phase) in readings.amps.iter().zip(1..) {
                        add(*amps, "A", Some(format!("L{phase}")));
                    }
                }
                "Voltage" => {
                    for (volts, phase) in readings.volts.iter().zip(1..) {
                        add(*volts, "V", Some(format!("L{phase}-N")));
                    }
                }
                "Current.Offered" => add(readings.offered_a, "A", None),
                "Power.Active.Import" => add(readings.power_w, "W", None),
                _ => add(readings.energy_wh, "Wh", None),
            }
        }
        self.values_at_ms = now_ms;
        self.values = Some(readings);
        let mut payload = json!({"connectorId": 1,
            "meterValue": [{"timestamp": timestamp(clock), "sampledValue": sampled}]});
        let id = self.session.and_then(|told| told.id);
        if let (Some(id), Some(fields)) = (id, payload.as_object_mut()) {
            fields.insert("transactionId".to_owned(), json!(id));
        }
        Call {
            action: "MeterValues",
            payload,
        }
    }
}

/// So many seconds after a moment in milliseconds.
fn later(now_ms: u64, s: u64) -> u64 {
    now_ms.saturating_add(s.saturating_mul(1000))
}

fn boot(charge_point: &ChargePoint) -> Call {
    Call {
        action: "BootNotification",
        payload: json!({"chargePointVendor": "Headroom", "chargePointModel": "Demo",
            "chargePointSerialNumber": charge_point.id(), "firmwareVersion": env!("CARGO_PKG_VERSION")}),
    }
}

fn heartbeat() -> Call {
    Call {
        action: "Heartbeat",
        payload: json!({}),
    }
}

fn status(connector: u32, status: &str, clock: Timestamp) -> Call {
    Call {
        action: "StatusNotification",
        payload: json!({"connectorId": connector, "status": status, "errorCode": "NoError",
            "timestamp": timestamp(clock)}),
    }
}

fn stop(id: i64, energy_wh: f64, clock: Timestamp, charge_point: &ChargePoint) -> Call {
    let reason = match charge_point.status() {
        ConnectorStatus::Available => "EVDisconnected",
        ConnectorStatus::Finishing => "Remote",
        _ => "Reboot",
    };
    Call {
        action: "StopTransaction",
        payload: json!({"transactionId": id, "meterStop": whole(energy_wh),
            "timestamp": timestamp(clock), "reason": reason}),
    }
}

/// The charge point lives by the time of its central system.
fn set_clock(answer: &Value, charge_point: &mut ChargePoint) {
    let time = answer.get("currentTime").and_then(Value::as_str);
    if let Some(Ok(time)) = time.map(str::parse::<Timestamp>) {
        charge_point.set_clock(time.as_millisecond());
    } else {
        tracing::debug!(
            ?time,
            "the answer has no time that a charge point could take"
        );
    }
}

/// Whole watt-hours, as registers show.
#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
fn whole(watt_hours: f64) -> i64 {
    watt_hours.clamp(0.0, 1e15) as i64
}

/// Without fractions, as old charge points and central systems like it best.
pub(super) fn timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use headroom_sim::profile::Limit;
    use headroom_sim::{House, demo::house};

    use super::*;

    /// A charge point whose central system says yes to everything at once.
    struct Talk {
        house: House,
        reporter: Reporter,
        settings: Settings,
    }

    impl Talk {
        fn new() -> Self {
            let house = House::new(house(), 1);
            Self {
                house,
                reporter: Reporter::default(),
                settings: Settings::default(),
            }
        }

        /// All that is said up to a time in seconds.
        fn until(&mut self, to_s: u64) -> Vec<Call> {
            let mut said = Vec::new();
            while self.house.now_ms() < to_s * 1000 {
                let now_ms = self.house.now_ms() + 100;
                self.house.step(now_ms);
                let charge_point = self.house.charge_point("ev1").unwrap();
                while let Some(call) = self.reporter.next(now_ms, charge_point, &self.settings) {
                    let answer = match call.action {
                        "BootNotification" => json!({"status": "Accepted", "interval": 60,
                            "currentTime": "2026-01-15T12:00:00Z"}),
                        "StartTransaction" => {
                            json!({"transactionId": 4711, "idTagInfo": {"status": "Accepted"}})
                        }
                        _ => json!({}),
                    };
                    let Talk {
                        reporter, settings, ..
                    } = self;
                    reporter.answered(call.action, &answer, now_ms, charge_point, settings);
                    said.push(call);
                }
            }
            said
        }
    }

    fn actions(said: &[Call]) -> Vec<&str> {
        said.iter().map(|call| call.action).collect()
    }

    #[test]
    fn it_boots_tells_its_state_and_then_its_session() {
        let mut talk = Talk::new();
        let said = talk.until(3);
        assert_eq!(
            actions(&said)[..4],
            [
                "BootNotification",
                "StatusNotification",
                "StatusNotification",
                "MeterValues"
            ]
        );
        let start = said
            .iter()
            .find(|call| call.action == "StartTransaction")
            .unwrap();
        assert_eq!(start.payload["timestamp"], "2026-01-15T12:00:01Z");
        let charge_point = talk.house.charge_point("ev1").unwrap();
        assert_eq!(charge_point.transaction().unwrap().id(), 4711);
        let last = said
            .iter()
            .rfind(|call| call.action == "StatusNotification")
            .unwrap();
        assert_eq!(last.payload["status"], "SuspendedEVSE");
    }

    #[test]
    fn meter_values_come_every_three_seconds_and_with_a_change() {
        let mut talk = Talk::new();
        talk.until(5);
        assert_eq!(talk.until(35).len(), 10);
        let limit = Limit {
            amps: 16.0,
            phases: 3,
        };
        talk.house
            .charge_point("ev1")
            .unwrap()
            .lease(limit, 600, 0.0)
            .unwrap();
        let ramp = talk.until(55);
        assert!(
            ramp.iter()
                .filter(|call| call.action == "MeterValues")
                .count()
                > 10
        );
        let values = &ramp.last().unwrap().payload;
        assert_eq!(values["transactionId"], 4711);
        let sampled = values["meterValue"][0]["sampledValue"].as_array().unwrap();
        let value = |measurand: &str, phase: Option<&str>| {
            let fits = |entry: &&Value| {
                entry["measurand"] == measurand
                    && entry.get("phase").and_then(Value::as_str) == phase
            };
            sampled
                .iter()
                .find(fits)
                .map(|entry| entry["value"].as_str().unwrap().to_owned())
        };
        assert_eq!(value("Current.Import", Some("L3")).as_deref(), Some("16.0"));
        assert_eq!(value("Current.Offered", None).as_deref(), Some("16.0"));
        assert!(value("Voltage", Some("L1-N")).is_some());
        assert_eq!(sampled.len(), 9);
    }

    #[test]
    fn the_end_of_a_session_is_told_and_a_heartbeat_follows() {
        let mut talk = Talk::new();
        talk.until(10);
        talk.house.charge_point("ev1").unwrap().car_mut().unplug();
        let said = talk.until(70);
        let stop = said
            .iter()
            .find(|call| call.action == "StopTransaction")
            .unwrap();
        assert_eq!(stop.payload["transactionId"], 4711);
        assert_eq!(stop.payload["reason"], "EVDisconnected");
        assert_eq!(
            said.iter()
                .filter(|call| call.action == "Heartbeat")
                .count(),
            1
        );
    }

    #[test]
    fn a_charge_point_that_is_not_accepted_asks_again_and_says_nothing_else() {
        let mut house = House::new(house(), 1);
        let (mut reporter, mut settings) = (Reporter::default(), Settings::default());
        house.step(5000);
        let charge_point = house.charge_point("ev1").unwrap();
        assert!(reporter.next(5000, charge_point, &settings).is_some());
        let pending =
            json!({"status": "Pending", "interval": 20, "currentTime": "2026-01-15T12:00:00Z"});
        reporter.answered(
            "BootNotification",
            &pending,
            5000,
            charge_point,
            &mut settings,
        );
        assert_eq!(reporter.next(24_900, charge_point, &settings), None);
        let again = reporter.next(25_000, charge_point, &settings).unwrap();
        assert_eq!(again.action, "BootNotification");
    }
}
