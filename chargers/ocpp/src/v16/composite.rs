//! `GetCompositeSchedule.conf` (OCPP 1.6 sections 5.7 and 6.22) as evidence: which limit the charge
//! point itself says is in force now.
//!
//! It is evidence, not proof: some do not answer it, some begin it a day ago, and what flows is for
//! the current to show. What makes no sense is no evidence.

use jiff::Timestamp;
use serde_json::Value;

use super::outgoing::is_accepted;
use crate::{
    time,
    value::{integer_member, member, milli, number, text_member},
};

/// Most periods that are looked at; the longest seen has 84.
const MAX_PERIODS: usize = 200;
/// Largest limit that is believed, in amperes; without a profile some say 48 A.
const MAX_LIMIT_A: f64 = 1_000.0;

/// What the charge point says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Composite {
    /// The limit now, in milliamperes per phase.
    pub(crate) now_ma: u32,
    /// The lowest limit after it, if the schedule goes on.
    pub(crate) later_ma: Option<u32>,
}

/// Reads an answer. `charger_time` is the charge point's own time; `phases` and `voltage_v` turn
/// watts into amperes where a period does not say its phases.
pub(crate) fn read(
    payload: &Value,
    charger_time: Option<Timestamp>,
    phases: u8,
    voltage_v: u32,
) -> Option<Composite> {
    if !is_accepted(payload) {
        return None;
    }
    let schedule = member(payload, "chargingSchedule")?;
    let start = text_member(payload, "scheduleStart")
        .or_else(|| text_member(schedule, "startSchedule"))
        .and_then(|text| time::read(&text));
    let elapsed_s = match (start, charger_time) {
        (Some(start), Some(now)) => now.duration_since(start.at).as_secs().max(0),
        _ => 0,
    };
    let ended = integer_member(schedule, "duration")
        .is_some_and(|duration| duration > 0 && i64::from(duration) < elapsed_s);
    let Some(Value::Array(periods)) = member(schedule, "chargingSchedulePeriod") else {
        return None;
    };
    if ended {
        return None;
    }
    let watts = text_member(schedule, "chargingRateUnit")
        .is_some_and(|unit| unit.eq_ignore_ascii_case("W"));
    let limit = |period: &Value| {
        let limit = member(period, "limit")
            .and_then(number)
            .filter(|l| *l >= 0.0)?;
        let own = integer_member(period, "numberPhases").filter(|n| (1..=3).contains(n));
        let phases = own.unwrap_or_else(|| i32::from(phases.max(1)));
        let per_ampere = f64::from(voltage_v) * f64::from(phases);
        milli(if watts { limit / per_ampere } else { limit }, MAX_LIMIT_A)
    };
    let mut now_ma = None;
    let mut later_ma = None;
    for period in periods.iter().take(MAX_PERIODS) {
        let begins = integer_member(period, "startPeriod")?;
        if i64::from(begins) <= elapsed_s {
            now_ma = Some(limit(period)?);
        } else {
            later_ma = [later_ma, limit(period)].into_iter().flatten().min();
        }
    }
    Some(Composite {
        now_ma: now_ma?,
        later_ma,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(payload: &Value) -> Option<(u32, Option<u32>)> {
        let now = "2026-01-15T12:00:10Z".parse().unwrap();
        read(payload, Some(now), 3, 230).map(|it| (it.now_ma, it.later_ma))
    }

    fn answer(start: &str, schedule: &Value) -> Value {
        json!({"status": "Accepted", "connectorId": 1, "scheduleStart": start,
            "chargingSchedule": schedule})
    }

    #[test]
    fn schedules_in_every_shape() {
        let two = json!({"chargingRateUnit": "A", "duration": 180, "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 10.0}, {"startPeriod": 110, "limit": "6"}]});
        let watts = |phases: Value| {
            json!({"chargingRateUnit": "W", "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 6900, "numberPhases": phases}]})
        };
        let day = json!({"chargingRateUnit": "A", "duration": 90_000, "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 32}, {"startPeriod": 86_390, "limit": 8}]});
        let cases = [
            (
                "now and later",
                answer("2026-01-15T12:00:10Z", &two),
                Some((10_000, Some(6_000))),
            ),
            (
                "its second period",
                answer("2026-01-15T11:58:10Z", &two),
                Some((6_000, None)),
            ),
            (
                "without a start",
                answer("", &two),
                Some((10_000, Some(6_000))),
            ),
            ("over", answer("2026-01-15T11:00:00Z", &two), None),
            (
                "the last day",
                answer("2026-01-14T12:00:10Z", &day),
                Some((8_000, None)),
            ),
            ("watts", answer("", &watts(json!(3))), Some((10_000, None))),
            (
                "watts on one",
                answer("", &watts(json!(1))),
                Some((30_000, None)),
            ),
            (
                "watts, phases not said",
                answer("", &watts(Value::Null)),
                Some((10_000, None)),
            ),
            ("refused", json!({"status": "Rejected"}), None),
            ("nothing in it", json!({"status": "Accepted"}), None),
            (
                "no numbers",
                answer(
                    "",
                    &json!({"chargingSchedulePeriod": [{"startPeriod": 0, "limit": "x"}]}),
                ),
                None,
            ),
            (
                "no periods",
                answer("", &json!({"chargingSchedulePeriod": []})),
                None,
            ),
        ];
        for (name, payload, want) in cases {
            assert_eq!(of(&payload), want, "{name}");
        }
    }
}
