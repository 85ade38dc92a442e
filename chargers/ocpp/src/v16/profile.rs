//! Charging profiles (OCPP 1.6 sections 3.13, 5.16 and 7.8 to 7.14) as this system writes them.
//!
//! *Base*: one period at the safe current, stack level 0, without an end. It is where the charge
//! point falls when everything above it has ended: without any profile it would charge with full
//! power. *Lease*: the limit now, the safe current after `lease_s`, both in one `Absolute`
//! schedule, so that the charge point falls by itself, by its own clock, with nobody connected.
//! `validTo` is not used (some never look at it again), nor `Relative` (it counts from the start
//! of the transaction, not from now).
//!
//! The start lies [`START_SLACK_S`] in the past, so that cut fractions and the way through the
//! network never make a schedule start in the charge point's future; the lease ends that much
//! earlier, never later.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::time;

/// Seconds by which a schedule starts before now.
pub(crate) const START_SLACK_S: i64 = 2;
/// The base has begun long ago, whatever the charge point's clock does within a day.
const BASE_START: SignedDuration = SignedDuration::from_hours(-24);

/// Unit of the limits in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Unit {
    Amperes,
    Watts,
}

impl Unit {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Amperes => Self::Watts,
            Self::Watts => Self::Amperes,
        }
    }
}

/// Purpose of a profile (7.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Default,
    Transaction(i32),
    Maximum,
}

/// Where and how a profile is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) purpose: Purpose,
    pub(crate) connector: u32,
    pub(crate) stack: u32,
    pub(crate) unit: Unit,
}

/// When a schedule begins and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// One period without an end, from a day ago in the charge point's clock.
    Base { charger_time: Timestamp },
    /// One period without an end, counted from the start of the transaction: for charge points
    /// that refuse anything absolute. Its only period makes it independent of when it starts.
    Relative,
    /// Two periods: the limit, then the safe current.
    Lease {
        charger_time: Timestamp,
        lease_s: u32,
    },
    /// The limit for a time, then whatever is below: for charge points that take one period only,
    /// or whose clock is unknowable. Without a start some count from receipt, and others from the
    /// start of the transaction: then it is soon over, which is the safe side. It needs the base.
    Duration {
        charger_time: Option<Timestamp>,
        lease_s: u32,
    },
}

/// Amounts of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) limit_ma: u32,
    pub(crate) safe_ma: u32,
    /// 0: not known.
    pub(crate) phases: u8,
    /// Over how many phases a limit in watts is shared; 0: not known.
    pub(crate) power_phases: u8,
    pub(crate) nominal_voltage_v: u32,
}

/// Id of the base; a lease at stack level 0 takes its place and so its id.
const BASE_ID: u32 = 1;
const LEASE_ID: u32 = 2;
const TRANSACTION_ID: u32 = 3;
const MAXIMUM_ID: u32 = 4;
/// The ids of a connector are so many; those of the next one follow. An id belongs to one profile of the charge point,
/// whichever connector it is for.
const IDS: u32 = 4;

/// What the ids of a connector begin after; those of the whole charge point are the first connector's.
pub(crate) const fn ids_before(connector: u32) -> u32 {
    connector.saturating_sub(1).saturating_mul(IDS)
}

/// The payload of `SetChargingProfile`.
pub(crate) fn payload(form: Form, schedule: Schedule, amounts: Amounts) -> Value {
    let Amounts {
        limit_ma,
        safe_ma,
        phases,
        power_phases,
        nominal_voltage_v,
    } = amounts;
    let period = |start: u32, ma: u32| {
        let limit = match form.unit {
            Unit::Amperes => whole_amperes(ma),
            Unit::Watts => watts(ma, power_phases, nominal_voltage_v),
        };
        let mut period = json!({"startPeriod": start, "limit": f64::from(limit)});
        if let (1..=3, Some(object)) = (phases, period.as_object_mut()) {
            object.insert("numberPhases".into(), phases.into());
        }
        period
    };
    let unit = match form.unit {
        Unit::Amperes => "A",
        Unit::Watts => "W",
    };
    let mut charging_schedule = json!({"chargingRateUnit": unit});
    let mut set = |name: &str, value: Value| {
        if let Some(object) = charging_schedule.as_object_mut() {
            object.insert(name.into(), value);
        }
    };
    let mut kind = "Absolute";
    match schedule {
        Schedule::Base { charger_time } => {
            set("startSchedule", start(charger_time, BASE_START));
            set("chargingSchedulePeriod", json!([period(0, limit_ma)]));
        }
        Schedule::Relative => {
            kind = "Relative";
            set("chargingSchedulePeriod", json!([period(0, limit_ma)]));
        }
        Schedule::Lease {
            charger_time,
            lease_s,
        } => {
            set(
                "startSchedule",
                start(charger_time, SignedDuration::from_secs(-START_SLACK_S)),
            );
            set(
                "chargingSchedulePeriod",
                json!([period(0, limit_ma), period(lease_s.max(1), safe_ma)]),
            );
        }
        Schedule::Duration {
            charger_time,
            lease_s,
        } => {
            let slack = SignedDuration::from_secs(-START_SLACK_S);
            if let Some(charger_time) = charger_time {
                set("startSchedule", start(charger_time, slack));
            }
            set("duration", json!(lease_s.max(1)));
            set("chargingSchedulePeriod", json!([period(0, limit_ma)]));
        }
    }
    let (purpose, id) = match form.purpose {
        Purpose::Default if form.stack == 0 => ("TxDefaultProfile", BASE_ID),
        Purpose::Default => ("TxDefaultProfile", LEASE_ID),
        Purpose::Transaction(_) => ("TxProfile", TRANSACTION_ID),
        Purpose::Maximum => ("ChargePointMaxProfile", MAXIMUM_ID),
    };
    let mut profile = json!({
        "chargingProfileId": ids_before(form.connector).saturating_add(id),
        "stackLevel": form.stack,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": charging_schedule,
    });
    if let (Purpose::Transaction(transaction), Some(object)) =
        (form.purpose, profile.as_object_mut())
    {
        object.insert("transactionId".into(), transaction.into());
    }
    json!({"connectorId": form.connector, "csChargingProfiles": profile})
}

fn start(charger_time: Timestamp, shift: SignedDuration) -> Value {
    time::write(charger_time.checked_add(shift).unwrap_or(charger_time)).into()
}

/// Whole amperes, rounded down: few charge points take tenths.
fn whole_amperes(ma: u32) -> u32 {
    ma / 1000
}

/// Watts, rounded down. With one phase where the number is not known, because a car that charges
/// on one phase would draw all of it there.
fn watts(ma: u32, phases: u8, nominal_voltage_v: u32) -> u32 {
    let watts = u64::from(ma) * u64::from(nominal_voltage_v) * u64::from(phases.max(1)) / 1000;
    u32::try_from(watts).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form {
        purpose: Purpose::Default,
        connector: 1,
        stack: 1,
        unit: Unit::Amperes,
    };
    const AMOUNTS: Amounts = Amounts {
        limit_ma: 10_900,
        safe_ma: 6_000,
        phases: 3,
        power_phases: 3,
        nominal_voltage_v: 230,
    };

    fn now() -> Timestamp {
        "2026-01-15T12:00:10.9Z".parse().unwrap()
    }

    #[test]
    fn a_lease_is_two_periods_from_now() {
        let lease = payload(
            FORM,
            Schedule::Lease {
                charger_time: now(),
                lease_s: 120,
            },
            AMOUNTS,
        );
        assert_eq!(
            lease,
            json!({"connectorId": 1, "csChargingProfiles": {
                "chargingProfileId": 2, "stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {"chargingRateUnit": "A", "startSchedule": "2026-01-15T12:00:08Z",
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 10.0, "numberPhases": 3},
                        {"startPeriod": 120, "limit": 6.0, "numberPhases": 3}]}}})
        );
    }

    #[test]
    fn a_base_is_one_period_without_an_end() {
        let form = Form { stack: 0, ..FORM };
        let amounts = Amounts {
            limit_ma: 6_000,
            phases: 0,
            ..AMOUNTS
        };
        let base = payload(
            form,
            Schedule::Base {
                charger_time: now(),
            },
            amounts,
        );
        assert_eq!(
            base["csChargingProfiles"],
            json!({"chargingProfileId": 1, "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
                "chargingSchedule": {"chargingRateUnit": "A", "startSchedule": "2026-01-14T12:00:10Z",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}})
        );
    }

    #[test]
    fn watts_are_rounded_down_and_unknown_phases_are_one() {
        let cases = [
            // mA, phases, W
            (10_000, 3, 6_900.0),
            (10_000, 1, 2_300.0),
            (10_000, 0, 2_300.0),
            (6_001, 1, 1_380.0),
            (0, 3, 0.0),
        ];
        for (limit_ma, phases, want) in cases {
            let form = Form {
                unit: Unit::Watts,
                ..FORM
            };
            let amounts = Amounts {
                limit_ma,
                phases,
                power_phases: phases,
                ..AMOUNTS
            };
            let schedule = Schedule::Lease {
                charger_time: now(),
                lease_s: 60,
            };
            let body = payload(form, schedule, amounts);
            let schedule = &body["csChargingProfiles"]["chargingSchedule"];
            assert_eq!(schedule["chargingRateUnit"], "W");
            assert_eq!(
                schedule["chargingSchedulePeriod"][0]["limit"], want,
                "{limit_ma} {phases}"
            );
        }
    }

    #[test]
    fn the_other_forms() {
        let transaction = Form {
            purpose: Purpose::Transaction(77),
            ..FORM
        };
        let duration = |charger_time| Schedule::Duration {
            charger_time,
            lease_s: 90,
        };
        let body = payload(transaction, duration(Some(now())), AMOUNTS);
        let schedule = &body["csChargingProfiles"]["chargingSchedule"];
        assert_eq!(schedule["startSchedule"], "2026-01-15T12:00:08Z");
        let body = payload(transaction, duration(None), AMOUNTS);
        assert_eq!(body["csChargingProfiles"]["transactionId"], 77);
        let schedule = &body["csChargingProfiles"]["chargingSchedule"];
        assert_eq!(schedule["duration"], 90);
        assert_eq!(schedule["startSchedule"], Value::Null);
        assert_eq!(
            schedule["chargingSchedulePeriod"].as_array().unwrap().len(),
            1
        );

        let maximum = Form {
            purpose: Purpose::Maximum,
            connector: 0,
            stack: 0,
            ..FORM
        };
        let body = payload(maximum, Schedule::Relative, AMOUNTS);
        assert_eq!(body["connectorId"], 0);
        assert_eq!(
            body["csChargingProfiles"]["chargingProfileKind"],
            "Relative"
        );
        assert_eq!(
            body["csChargingProfiles"]["chargingProfilePurpose"],
            "ChargePointMaxProfile"
        );
    }
}
