//! Whatever comes, in whatever order.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::types::Operation;

/// Something that a charge point or the controller may do.
#[derive(Debug, Clone)]
enum Step {
    Text(String),
    Call(&'static str, bool),
    Answer(&'static str),
    Limit(u32),
    Wait(u16),
    Control(bool),
    Operate(u8),
    /// An answer to the question what is in force.
    Schedule(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop::sample::select(vec![
        "BootNotification",
        "StatusNotification",
        "MeterValues",
        "StartTransaction",
        "StopTransaction",
        "Heartbeat",
        "Nonsense",
    ]);
    let status = prop::sample::select(vec!["Accepted", "Rejected", "NotSupported", ""]);
    prop_oneof![
        ".{0,40}".prop_map(Step::Text),
        (action, any::<bool>()).prop_map(|(action, good)| Step::Call(action, good)),
        status.prop_map(Step::Answer),
        (0_u32..40).prop_map(Step::Limit),
        any::<u16>().prop_map(Step::Wait),
        any::<bool>().prop_map(Step::Control),
        any::<u8>().prop_map(Step::Operate),
        (0_u32..40).prop_map(Step::Schedule),
    ]
}

proptest! {
    /// Whatever happens: no panic, one call at a time, no deadline that has passed, every limit a
    /// lease, and each command one outcome at most.
    #[test]
    fn invariant_8_any_sequence_of_events(steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new(SETTINGS);
        bench.tells_schedules = true;
        let mut command = 0;
        let mut control = true;
        let mut refusals = 0;
        for step in steps {
            match step {
                Step::Text(text) => bench.session.receive(&text, bench.now()),
                Step::Call(action, good) => {
                    let payload = if good {
                        json!({"connectorId": 1, "status": "Charging", "meterStart": 5,
                            "transactionId": 3, "meterValue": [{"timestamp": bench.stamp(0),
                                "sampledValue": [{"value": "7", "measurand": "Current.Import"}]}]})
                    } else {
                        json!({"connectorId": [], "status": 7, "meterValue": {"sampledValue": 1}})
                    };
                    let text = json!([2, "x", action, payload]).to_string();
                    bench.session.receive(&text, bench.now());
                }
                Step::Answer(status) => {
                    if let Some(call) = bench.calls.pop() {
                        refusals += u32::from(status != "Accepted");
                        let text = json!([3, call[1], {"status": status}]).to_string();
                        bench.session.receive(&text, bench.now());
                    }
                }
                Step::Operate(which) => {
                    let operation = match which % 3 {
                        0 => Operation::ClearForeignProfiles,
                        1 => Operation::RemoteStop,
                        _ => Operation::Reset { hard: false },
                    };
                    bench.session.operate(u64::from(which), &operation, bench.now());
                }
                Step::Schedule(ampere) => {
                    if let Some(call) = bench.calls.pop() {
                        let answer = json!({"status": "Accepted", "chargingSchedule": {
                            "chargingRateUnit": "A", "chargingSchedulePeriod": [
                                {"startPeriod": 0, "limit": ampere}]}});
                        let text = json!([3, call[1], answer]).to_string();
                        bench.session.receive(&text, bench.now());
                    }
                }
                Step::Limit(ampere) => {
                    command += 1;
                    bench.session.set_limit(request(command, ampere), bench.now());
                }
                Step::Wait(milliseconds) => {
                    bench.calls.clear();
                    bench.pass(Duration::from_millis(u64::from(milliseconds)));
                }
                Step::Control(on) => {
                    control = on;
                    bench.session.configure(Settings { control, ..SETTINGS }, bench.now());
                }
            }
            let before = bench.calls.len();
            bench.collect();
            let new = &bench.calls[before..];
            prop_assert!(new.len() <= 1, "one call at a time: {:?}", new);
            prop_assert!(control || new.is_empty(), "observing: {:?}", new);
            for call in new.iter().filter(|call| call[2] == "SetChargingProfile") {
                let schedule = &profile(call)["chargingSchedule"];
                let lease = limits(call).len() == 2 || schedule["duration"].is_u64();
                let base = limits(call) == [(0, 6.0)] || limits(call) == [(0, 1_380.0)];
                // The last resort of one that has refused every form that ends by itself.
                let endless = profile(call)["chargingProfileKind"] == "Relative" && refusals >= 3;
                prop_assert!(lease || base || endless, "{}", call);
            }
        }
        let mut seen: Vec<_> = bench.outcomes.iter().map(|(command, _)| *command).collect();
        seen.sort_unstable();
        let all = seen.len();
        seen.dedup();
        prop_assert_eq!(all, seen.len(), "one outcome each");
    }
}
