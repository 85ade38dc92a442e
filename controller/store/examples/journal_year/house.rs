//! The loop without the world around it: a house with four chargers, a reading each second, through the real engine and the real writer.
//! The example that asks what if has it too.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use headroom_core::action::Command;
use headroom_core::event::Outcome;
use headroom_core::{Engine, Event, Instant};
use headroom_store::{EnergyMeter, Journal, Step};
use jiff::Timestamp;
use serde_json::json;

pub(crate) const HOUR_S: u64 = 3600;
/// When the first hour begins, in milliseconds since 1970.
pub(crate) const BEGIN_MS: i64 = 1_767_225_600_000;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGIN_MS + ms).unwrap()
}

/// So many hours, in which each charger says something each `report_s` seconds.
pub(crate) async fn hours(journal: &Journal, hours: u64, report_s: u64) {
    let chargers: Vec<_> = (1..=4)
        .map(|n| json!({"id": format!("ev{n}"), "name": format!("Bay {n}"), "phases": ["l1", "l2", "l3"], "accept_risk": true}))
        .collect();
    let configure = json!({"type": "configure",
        "site": {"mode": "control", "main_fuse": {"rating_a": 35}}, "chargers": chargers, "slow_loads": []});
    let mut engine = Engine::new(headroom_core::Config::default(), Instant(0));
    let mut energy = EnergyMeter::default();
    let mut limits: BTreeMap<String, i64> = BTreeMap::new();
    let mut state = "";
    let mut random = 1_u64;
    let mut background = [4_000_i64, 6_000, 3_000];
    for second in 0..=hours * HOUR_S {
        let ms = second * 1000;
        let mut events = VecDeque::new();
        if second == 0 {
            events.push_back(configure.clone());
        } else {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // An appliance goes on or off each few minutes; noise always.
            if second % 150 == 0 {
                let line = usize::try_from(second / 150 % 3).unwrap();
                background[line] = 3_000 + i64::try_from((random >> 33) % 15_000).unwrap();
            }
            let noise = i64::try_from((random >> 40) % 200).unwrap();
            let cars: i64 = limits.values().sum();
            let lines: Vec<_> = background
                .iter()
                .map(|line| {
                    let milliamps = line + cars + noise;
                    json!({"current_a": milliamps as f64 / 1000.0, "voltage_v": 230.0 + noise as f64 / 100.0})
                })
                .collect();
            events.push_back(json!({"type": "reading", "phases": lines, "power_w": (cars + 13_000) * 690 / 1000}));
            if second % report_s == 0 {
                for n in 1..=4 {
                    let id = format!("ev{n}");
                    let draw = limits.get(&id).copied().unwrap_or(0) as f64 / 1000.0;
                    events.push_back(
                        json!({"type": "charger", "id": id, "connected": true, "status": "charging",
                        "current_a": [draw, draw, draw], "energy_kwh": second as f64 / 1000.0}),
                    );
                }
            }
        }
        while let Some(event) = events.pop_front() {
            let event: Event = serde_json::from_value(event).unwrap();
            let now = Instant(ms);
            let actions = engine.step(event.clone(), now);
            let time = at(i64::try_from(ms).unwrap());
            let snapshot = Arc::new(engine.snapshot());
            let changed = actions.state != state;
            state = actions.state;
            for action in &actions.actions {
                if let Command::SetLimit { load, limit_a, .. } = &action.what {
                    limits.insert(load.clone(), limit_a.0);
                }
            }
            let rows = energy.step(&event, &snapshot, engine.config(), time);
            journal.energy_rows(rows);
            if actions.actions.is_empty() && !changed {
                journal.event(time, now, event);
            } else {
                let commands: Vec<_> = actions.actions.iter().map(|it| it.command).collect();
                journal.decision(Step {
                    event,
                    time,
                    actions: actions.actions,
                    snapshot,
                    state_changed: changed,
                    would_be: Vec::new(),
                });
                for command in commands {
                    journal.sent(command, time);
                    journal.answered(command, Outcome::Accepted, time);
                    let accepted =
                        json!({"type": "result", "command": command, "outcome": "accepted"});
                    events.push_back(accepted);
                }
            }
        }
        if second % HOUR_S == 0 && second < hours * HOUR_S {
            journal.checkpoint(
                at(i64::try_from(ms).unwrap()),
                Instant(ms),
                engine.checkpoint(),
            );
        }
        if second % 60 == 0 {
            journal.flush().await;
        }
    }
    journal.flush().await;
}
