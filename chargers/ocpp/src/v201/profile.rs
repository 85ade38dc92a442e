//! Charging profiles (OCPP 2.0.1 part 2, use case K01 and `ChargingProfileType`) as this system
//! writes them.
//!
//! The same two as in 1.6. *Base*: one period at the safe current, stack level 0, without an end.
//! *Lease*: the limit now and the safe current after `lease_s`, both in one `Absolute` schedule.
//! Each place (purpose, stack level, EVSE) keeps its id for ever, because two profiles in one place
//! are forbidden (K01.FR.06) and one with a known id replaces (K01.FR.05).
//!
//! `startSchedule` is required of `Absolute` (K01.FR.41) and the first period starts at 0
//! (K01.FR.31). OCPP 2.1 adds `maxOfflineDuration`: the profile ends by itself when the station has
//! been offline for so long, whatever its clock says.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    time,
    v16::profile::{Form, Purpose, Unit, ids_before},
};

/// Seconds by which a schedule starts before now, so that cut fractions and the way through the
/// network never make it start in the station's future; the lease ends that much earlier.
pub(crate) const START_SLACK_S: i64 = 2;
/// The base has begun long ago, whatever the station's clock does within a day.
const BASE_START: SignedDuration = SignedDuration::from_hours(-24);
/// Every profile here has one schedule; its id must be there and says nothing.
const SCHEDULE_ID: u32 = 1;

/// Id of the base; a lease in the base's place takes its id.
const BASE_ID: i64 = 1;
const LEASE_ID: i64 = 2;
const TRANSACTION_ID: i64 = 3;
const MAXIMUM_ID: i64 = 4;

/// Whether a profile with this id is one of ours for this EVSE or for the whole station.
pub(crate) fn is_own(id: i64, evse: u32) -> bool {
    [0, i64::from(ids_before(evse))].iter().any(|before| {
        let kind = id.saturating_sub(*before);
        matches!(kind, BASE_ID | LEASE_ID | TRANSACTION_ID | MAXIMUM_ID)
    })
}

/// When a schedule begins and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// One period without an end, from a day ago in the station's clock.
    Base { charger_time: Timestamp },
    /// One period without an end from the start of the transaction, for stations that refuse an
    /// absolute base.
    RelativeBase,
    /// Two periods: the limit, then the safe current.
    Lease {
        charger_time: Timestamp,
        lease_s: u32,
    },
    /// One period from now without an end: for stations that take nothing else.
    Endless { charger_time: Timestamp },
    /// One period with an end, and then what lies below: it needs the base. Without a clock it
    /// counts from receipt, which strict stations refuse.
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

/// What only some profiles carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extras<'a> {
    /// Required of a profile for a transaction.
    pub(crate) transaction: Option<&'a str>,
    /// OCPP 2.1: seconds offline after which the profile ends.
    pub(crate) max_offline_s: Option<u32>,
}

/// As `ChargingRateUnitEnumType` writes it.
pub(crate) const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Amperes => "A",
        Unit::Watts => "W",
    }
}

/// The payload of `SetChargingProfile`. The form's connector is the EVSE; 0 is the whole station.
pub(crate) fn payload(
    form: Form,
    schedule: Schedule,
    amounts: Amounts,
    extras: Extras<'_>,
) -> Value {
    let mut charging_schedule = json!({
        "id": SCHEDULE_ID,
        "chargingRateUnit": unit_name(form.unit),
        "chargingSchedulePeriod": periods(form, schedule, amounts),
    });
    match schedule {
        Schedule::Base { charger_time } => {
            let start = start(charger_time, BASE_START);
            set(&mut charging_schedule, "startSchedule", start);
        }
        Schedule::RelativeBase => {}
        Schedule::Lease { charger_time, .. } | Schedule::Endless { charger_time } => {
            let slack = SignedDuration::from_secs(-START_SLACK_S);
            set(
                &mut charging_schedule,
                "startSchedule",
                start(charger_time, slack),
            );
        }
        Schedule::Duration {
            charger_time,
            lease_s,
        } => {
            set(&mut charging_schedule, "duration", lease_s.max(1).into());
            if let Some(charger_time) = charger_time {
                let slack = SignedDuration::from_secs(-START_SLACK_S);
                set(
                    &mut charging_schedule,
                    "startSchedule",
                    start(charger_time, slack),
                );
            }
        }
    }
    let (purpose, id) = match form.purpose {
        Purpose::Default if form.stack == 0 => ("TxDefaultProfile", BASE_ID),
        Purpose::Default => ("TxDefaultProfile", LEASE_ID),
        Purpose::Transaction(_) => ("TxProfile", TRANSACTION_ID),
        Purpose::Maximum => ("ChargingStationMaxProfile", MAXIMUM_ID),
    };
    let kind = match schedule {
        Schedule::RelativeBase => "Relative",
        Schedule::Base { .. }
        | Schedule::Lease { .. }
        | Schedule::Endless { .. }
        | Schedule::Duration { .. } => "Absolute",
    };
    let mut profile = json!({
        "id": i64::from(ids_before(form.connector)) + id,
        "stackLevel": form.stack,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [charging_schedule],
    });
    if let (Purpose::Transaction(_), Some(transaction)) = (form.purpose, extras.transaction) {
        set(&mut profile, "transactionId", transaction.into());
    }
    if let Some(seconds) = extras.max_offline_s {
        set(&mut profile, "maxOfflineDuration", seconds.into());
    }
    json!({"evseId": form.connector, "chargingProfile": profile})
}

fn periods(form: Form, schedule: Schedule, amounts: Amounts) -> Vec<Value> {
    let period = |start: u32, ma: u32| {
        let limit = match form.unit {
            Unit::Amperes => whole_amperes(ma),
            Unit::Watts => watts(ma, amounts.power_phases, amounts.nominal_voltage_v),
        };
        let mut period = json!({"startPeriod": start, "limit": f64::from(limit)});
        if (1..=3).contains(&amounts.phases) {
            set(&mut period, "numberPhases", amounts.phases.into());
        }
        period
    };
    let mut periods = vec![period(0, amounts.limit_ma)];
    if let Schedule::Lease { lease_s, .. } = schedule {
        periods.push(period(lease_s.max(1), amounts.safe_ma));
    }
    periods
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn start(charger_time: Timestamp, shift: SignedDuration) -> Value {
    time::write(charger_time.checked_add(shift).unwrap_or(charger_time)).into()
}

/// Whole amperes, rounded down: few stations take tenths.
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
        let schedule = Schedule::Lease {
            charger_time: now(),
            lease_s: 120,
        };
        assert_eq!(
            payload(FORM, schedule, AMOUNTS, Extras::default()),
            json!({"evseId": 1, "chargingProfile": {
                "id": 2, "stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [{"id": 1, "chargingRateUnit": "A",
                    "startSchedule": "2026-01-15T12:00:08Z",
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 10.0, "numberPhases": 3},
                        {"startPeriod": 120, "limit": 6.0, "numberPhases": 3}]}]}})
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
        let charger_time = now();
        let base = payload(
            form,
            Schedule::Base { charger_time },
            amounts,
            Extras::default(),
        );
        assert_eq!(
            base["chargingProfile"],
            json!({"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [{"id": 1, "chargingRateUnit": "A",
                    "startSchedule": "2026-01-14T12:00:10Z",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}]})
        );
    }

    #[test]
    fn watts_are_rounded_down_and_unknown_phases_are_one() {
        let cases = [
            // mA, phases, W
            (10_000, 3, 6_900.0),
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
            let body = payload(form, schedule, amounts, Extras::default());
            let schedule = &body["chargingProfile"]["chargingSchedule"][0];
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
            purpose: Purpose::Transaction(0),
            stack: 0,
            ..FORM
        };
        let extras = Extras {
            transaction: Some("tx-77"),
            max_offline_s: Some(90),
        };
        let duration = Schedule::Duration {
            charger_time: None,
            lease_s: 90,
        };
        let body = payload(transaction, duration, AMOUNTS, extras);
        let profile = &body["chargingProfile"];
        assert_eq!(profile["transactionId"], "tx-77");
        assert_eq!(profile["maxOfflineDuration"], 90);
        let schedule = &profile["chargingSchedule"][0];
        assert_eq!(schedule["duration"], 90);
        assert_eq!(schedule["startSchedule"], Value::Null);

        let maximum = Form {
            purpose: Purpose::Maximum,
            connector: 0,
            stack: 0,
            ..FORM
        };
        let body = payload(maximum, Schedule::RelativeBase, AMOUNTS, Extras::default());
        let profile = &body["chargingProfile"];
        assert_eq!(body["evseId"], 0);
        assert_eq!(profile["chargingProfileKind"], "Relative");
        assert_eq!(
            profile["chargingProfilePurpose"],
            "ChargingStationMaxProfile"
        );
    }
}
