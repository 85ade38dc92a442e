//! What a charge point answers to its central system (OCPP 1.6 edition 2, sections 5 and 7).
//!
//! Strict where a controller could be wrong: an Absolute schedule needs its start, limits are
//! multiples of 0.1, and what is missing or of the wrong type is a violation, not a guess.

use headroom_sim::ChargePoint;
use headroom_sim::profile::{Filter, Period, Profile, Purpose, Start, Unit};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::settings::Settings;

/// Codes of a `CALLERROR`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallError {
    pub(super) code: &'static str,
    pub(super) description: String,
}

/// Something that the charge point is asked to say by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Trigger {
    BootNotification,
    Heartbeat,
    MeterValues,
    StatusNotification,
}

/// An answer, and what follows from it.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) payload: Value,
    pub(super) then: Option<Then>,
}

/// What the charge point does after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Says this.
    Say(Trigger),
    /// Reboots.
    Reboot,
}

impl Answer {
    /// An answer with this status and nothing else.
    fn status(status: &str) -> Self {
        Self {
            payload: json!({"status": status}),
            then: None,
        }
    }

    fn yes_or_no(yes: bool) -> Self {
        Self::status(if yes { "Accepted" } else { "Rejected" })
    }
}

/// Answers one call and does what it asks for.
pub(super) fn answer(
    action: &str,
    payload: &Value,
    charge_point: &mut ChargePoint,
    settings: &mut Settings,
) -> Result<Answer, CallError> {
    Ok(match action {
        "SetChargingProfile" => set_profile(read(payload)?, charge_point)?,
        "ClearChargingProfile" => {
            let Clear {
                id,
                connector_id,
                charging_profile_purpose,
                stack_level,
            } = read(payload)?;
            let cleared = charge_point.clear_profiles(Filter {
                id,
                connector: connector_id,
                purpose: charging_profile_purpose,
                stack_level,
            });
            Answer::status(if cleared > 0 { "Accepted" } else { "Unknown" })
        }
        "GetCompositeSchedule" => composite(&read(payload)?, charge_point),
        "GetConfiguration" => {
            let GetConfiguration { key } = read(payload)?;
            Answer {
                payload: settings.get(&key),
                then: None,
            }
        }
        "ChangeConfiguration" => {
            let ChangeConfiguration { key, value } = read(payload)?;
            Answer::status(settings.change(&key, &value))
        }
        "TriggerMessage" => {
            let TriggerMessage { requested_message } = read(payload)?;
            match serde_json::from_value(requested_message) {
                Ok(trigger) => Answer {
                    then: Some(Then::Say(trigger)),
                    ..Answer::status("Accepted")
                },
                Err(_) => Answer::status("NotImplemented"),
            }
        }
        "RemoteStartTransaction" => Answer::yes_or_no(charge_point.start_transaction()),
        "RemoteStopTransaction" => {
            let RemoteStop { transaction_id } = read(payload)?;
            let running = charge_point.transaction().map(|running| running.id());
            Answer::yes_or_no(running == Some(transaction_id) && charge_point.stop_transaction())
        }
        "Reset" => Answer {
            then: Some(Then::Reboot),
            ..Answer::status("Accepted")
        },
        "ChangeAvailability" => {
            Answer::yes_or_no(payload.get("type").and_then(Value::as_str) == Some("Operative"))
        }
        "ClearCache" => Answer::status("Accepted"),
        "UnlockConnector" => Answer::status("NotSupported"),
        "DataTransfer" => Answer::status("UnknownVendorId"),
        _ => {
            return Err(CallError {
                code: "NotImplemented",
                description: format!("this charge point does not know {action}"),
            });
        }
    })
}

fn read<T: DeserializeOwned>(payload: &Value) -> Result<T, CallError> {
    T::deserialize(payload).map_err(|error| CallError {
        code: "FormationViolation",
        description: error.to_string(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetProfile {
    connector_id: u32,
    cs_charging_profiles: ChargingProfile,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChargingProfile {
    #[serde(rename = "chargingProfileId")]
    id: i64,
    transaction_id: Option<i64>,
    stack_level: u32,
    #[serde(rename = "chargingProfilePurpose")]
    purpose: Purpose,
    #[serde(rename = "chargingProfileKind")]
    kind: String,
    recurrency_kind: Option<String>,
    valid_from: Option<Timestamp>,
    valid_to: Option<Timestamp>,
    charging_schedule: Schedule,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Schedule {
    duration: Option<u32>,
    #[serde(rename = "startSchedule")]
    start: Option<Timestamp>,
    charging_rate_unit: Unit,
    charging_schedule_period: Vec<SchedulePeriod>,
    #[serde(rename = "minChargingRate")]
    _min_charging_rate: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SchedulePeriod {
    start_period: u32,
    limit: f64,
    number_phases: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Clear {
    id: Option<i64>,
    connector_id: Option<u32>,
    charging_profile_purpose: Option<Purpose>,
    stack_level: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GetComposite {
    connector_id: u32,
    duration: u32,
    charging_rate_unit: Option<Unit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetConfiguration {
    #[serde(default)]
    key: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeConfiguration {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TriggerMessage {
    requested_message: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RemoteStop {
    transaction_id: i64,
}

fn set_profile(call: SetProfile, charge_point: &mut ChargePoint) -> Result<Answer, CallError> {
    let SetProfile {
        connector_id,
        cs_charging_profiles: profile,
    } = call;
    let schedule = profile.charging_schedule;
    if connector_id > 1 {
        return Err(CallError {
            code: "PropertyConstraintViolation",
            description: "there is one connector, 1".to_owned(),
        });
    }
    let kind = (profile.kind.as_str(), schedule.start);
    let start = match kind {
        ("Absolute", Some(at)) => Start::Absolute(at.as_millisecond()),
        ("Relative", _) if profile.recurrency_kind.is_none() => Start::Relative,
        _ => {
            return Ok(refuse(
                "a schedule must be Absolute with its start, or Relative",
            ));
        }
    };
    let tenths = |limit: f64| (limit * 10.0 - (limit * 10.0).round()).abs() < 1e-6;
    if !schedule
        .charging_schedule_period
        .iter()
        .all(|period| tenths(period.limit))
    {
        return Ok(refuse("limits are multiples of 0.1"));
    }
    let taken = charge_point.set_profile(Profile {
        id: profile.id,
        connector: connector_id,
        stack_level: profile.stack_level,
        purpose: profile.purpose,
        transaction: profile.transaction_id,
        start,
        duration_s: schedule.duration,
        valid_from_ms: profile.valid_from.map(Timestamp::as_millisecond),
        valid_to_ms: profile.valid_to.map(Timestamp::as_millisecond),
        unit: schedule.charging_rate_unit,
        periods: schedule
            .charging_schedule_period
            .iter()
            .map(|period| Period {
                start_s: period.start_period,
                limit: period.limit,
                phases: period.number_phases.unwrap_or(3),
            })
            .collect(),
    });
    Ok(match taken {
        Ok(()) => Answer::status("Accepted"),
        Err(error) => refuse(&error.to_string()),
    })
}

fn refuse(why: &str) -> Answer {
    tracing::debug!(why, "a charge point of the demo refuses a charging profile");
    Answer::status("Rejected")
}

fn composite(call: &GetComposite, charge_point: &ChargePoint) -> Answer {
    if call.connector_id > 1 || call.charging_rate_unit == Some(Unit::Watts) {
        return Answer::status("Rejected");
    }
    let start = Timestamp::from_millisecond(charge_point.clock_ms()).unwrap_or_default();
    let periods: Vec<Value> = charge_point
        .composite(call.duration)
        .into_iter()
        .map(|(start_s, limit)| {
            json!({"startPeriod": start_s, "limit": limit.amps, "numberPhases": limit.phases})
        })
        .collect();
    if periods.is_empty() {
        return Answer::status("Rejected");
    }
    let start = super::reports::timestamp(start);
    let payload = json!({
        "status": "Accepted", "connectorId": call.connector_id, "scheduleStart": start,
        "chargingSchedule": {
            "duration": call.duration, "startSchedule": start, "chargingRateUnit": "A",
            "chargingSchedulePeriod": periods,
        },
    });
    Answer {
        payload,
        then: None,
    }
}

#[cfg(test)]
mod tests {
    use headroom_sim::{House, demo::house};

    use super::*;

    fn ask(house: &mut House, action: &str, payload: &Value) -> Result<Value, CallError> {
        let charge_point = house.charge_point("ev1").unwrap();
        answer(action, payload, charge_point, &mut Settings::default()).map(|answer| answer.payload)
    }

    fn lease(start: &str, limits: &Value) -> Value {
        json!({"connectorId": 1, "csChargingProfiles": {
            "chargingProfileId": 7, "stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute", "chargingSchedule": {
                "startSchedule": start, "chargingRateUnit": "A", "chargingSchedulePeriod": limits}}})
    }

    fn demo() -> House {
        let mut house = House::new(house(), 1);
        house.step(2000);
        let clock = "2026-01-15T12:00:00Z".parse::<Timestamp>().unwrap();
        house
            .charge_point("ev1")
            .unwrap()
            .set_clock(clock.as_millisecond());
        house
    }

    #[test]
    fn a_lease_is_taken_followed_and_shown() {
        let mut house = demo();
        let limits = json!([{"startPeriod": 0, "limit": 10.0}, {"startPeriod": 120, "limit": 0.0}]);
        let call = lease("2026-01-15T12:00:00Z", &limits);
        assert_eq!(
            ask(&mut house, "SetChargingProfile", &call),
            Ok(json!({"status": "Accepted"}))
        );
        house.step(60_000);
        assert!(house.charge_points()[0].readings().offered_a > 9.9);
        let call = json!({"connectorId": 1, "duration": 300});
        let answer = ask(&mut house, "GetCompositeSchedule", &call).unwrap();
        let periods = &answer["chargingSchedule"]["chargingSchedulePeriod"];
        assert_eq!(
            (&periods[0]["limit"], &periods[1]["limit"]),
            (&json!(10.0), &json!(0.0))
        );
        assert_eq!(periods[1]["startPeriod"], json!(62));
        house.step(130_000);
        assert!(house.charge_points()[0].readings().offered_a < 0.1);
    }

    #[test]
    fn what_is_wrong_changes_nothing() {
        let mut house = demo();
        let before = house.charge_points()[0].profiles().clone();
        let good = json!([{"startPeriod": 0, "limit": 10.0}]);
        let mut on_second = lease("2026-01-15T12:00:00Z", &good);
        on_second["connectorId"] = json!(2);
        let mut without_start = lease("2026-01-15T12:00:00Z", &good);
        let profile = &mut without_start["csChargingProfiles"];
        profile["chargingSchedule"]
            .as_object_mut()
            .unwrap()
            .remove("startSchedule");
        for (payload, expected) in [
            (lease("yesterday", &good), Err("FormationViolation")),
            (on_second, Err("PropertyConstraintViolation")),
            (json!({}), Err("FormationViolation")),
            (without_start, Ok("Rejected")),
            (lease("2026-01-15T12:00:00Z", &json!([])), Ok("Rejected")),
            (
                lease(
                    "2026-01-15T12:00:00Z",
                    &json!([{"startPeriod": 0, "limit": 9.99}]),
                ),
                Ok("Rejected"),
            ),
        ] {
            let answer = ask(&mut house, "SetChargingProfile", &payload);
            match expected {
                Ok(status) => assert_eq!(answer, Ok(json!({"status": status})), "{payload}"),
                Err(code) => assert_eq!(answer.unwrap_err().code, code, "{payload}"),
            }
            assert_eq!(house.charge_points()[0].profiles(), &before);
        }
        assert_eq!(
            ask(&mut house, "Sing", &json!({})).unwrap_err().code,
            "NotImplemented"
        );
    }

    #[test]
    fn clearing_without_a_filter_clears_everything() {
        let mut house = demo();
        let clear = |house: &mut House| ask(house, "ClearChargingProfile", &json!({}));
        assert_eq!(clear(&mut house), Ok(json!({"status": "Accepted"})));
        assert_eq!(clear(&mut house), Ok(json!({"status": "Unknown"})));
    }
}
