//! What the station itself says that it will do (`GetCompositeSchedule`, use case K08).
//!
//! "Accepted" is not "applied". The station's own schedule is evidence: it shall stay at or below
//! the limit now, and come down to the safe current before the lease has ended. It is no proof
//! either; that is for the current to give.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    v16::composite::{self, Composite},
    value::member,
};

/// Amounts that differ by less are the same: roundings, in milliamperes.
const SAME_MA: u32 = 500;

/// What the schedule shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Limited now, and coming down.
    Agrees,
    /// More than the limit is in force now, in milliamperes.
    AboveLimit(u32),
    /// Limited now, and it stays so.
    DoesNotFall,
}

/// Reads the answer to `GetCompositeSchedule` by the rules of 1.6, whose fields lie elsewhere.
pub(crate) fn read(
    payload: &Value,
    charger_time: Option<Timestamp>,
    phases: u8,
    voltage_v: u32,
) -> Option<Composite> {
    let schedule = member(payload, "schedule")?;
    let plain = json!({
        "status": member(payload, "status"),
        "scheduleStart": member(schedule, "scheduleStart"),
        "chargingSchedule": schedule,
    });
    composite::read(&plain, charger_time, phases, voltage_v)
}

/// Judges a schedule that reaches beyond the end of the lease.
pub(crate) fn judge(told: Composite, limit_ma: u32, safe_ma: u32) -> Verdict {
    if told.now_ma > limit_ma.saturating_add(SAME_MA) {
        return Verdict::AboveLimit(told.now_ma);
    }
    let lowest = told
        .later_ma
        .map_or(told.now_ma, |later| later.min(told.now_ma));
    if lowest <= safe_ma.saturating_add(SAME_MA) {
        Verdict::Agrees
    } else {
        Verdict::DoesNotFall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_that_agree_and_that_do_not() {
        let cases = [
            (
                "as written",
                json!([[0, 16.0], [118, 6.0]]),
                Some(Verdict::Agrees),
            ),
            ("lower still", json!([[0, 0]]), Some(Verdict::Agrees)),
            ("no end", json!([[0, 16.0]]), Some(Verdict::DoesNotFall)),
            (
                "another is in force",
                json!([[0, 32.0], [118, 6.0]]),
                Some(Verdict::AboveLimit(32_000)),
            ),
            ("empty", json!([]), None),
        ];
        for (name, periods, want) in cases {
            let periods: Vec<Value> = periods
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| json!({"startPeriod": pair[0], "limit": pair[1]}))
                .collect();
            let answer = json!({"status": "Accepted", "schedule": {"evseId": 1, "duration": 150,
                "scheduleStart": "2026-01-15T12:00:00Z", "chargingRateUnit": "A",
                "chargingSchedulePeriod": periods}});
            let now = "2026-01-15T12:00:01Z".parse().ok();
            let told = read(&answer, now, 3, 230);
            assert_eq!(told.map(|told| judge(told, 16_000, 6_000)), want, "{name}");
        }
        for odd in [
            json!({"status": "Rejected"}),
            json!([]),
            json!({"schedule": 7}),
        ] {
            assert_eq!(read(&odd, None, 3, 230), None, "{odd}");
        }
    }
}
