//! An engine driven by the lines of the engine protocol, for tests that tell a story second by second.
#![allow(dead_code, reason = "no test file uses all of it")]

use headroom_core::action::Command;
use headroom_core::{Action, Config, Engine, Event, Instant};
use serde_json::{Value, json};

/// An engine with its clock, driven by the lines of the engine protocol.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) answers: &'static str,
}

/// A site with a 25 A fuse in control, its chargers and slow loads.
pub(crate) fn house(chargers: &Value, slow_loads: &Value) -> Value {
    json!({"site": {"mode": "control", "main_fuse": {"rating_a": 25}},
           "chargers": chargers, "slow_loads": slow_loads})
}

pub(crate) fn charger(id: &str) -> Value {
    json!({"id": id, "phases": ["l1", "l2", "l3"]})
}

impl Rig {
    pub(crate) fn new(config: &Value) -> Self {
        let config: Config = serde_json::from_value(config.clone()).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            answers: "accepted",
        }
    }

    /// Gives an event; every command is answered in the same moment.
    pub(crate) fn give(&mut self, s: u64, event: Value) -> Vec<Action> {
        let now = Instant(s * 1000);
        let event: Event = serde_json::from_value(event).unwrap();
        self.engine.check(&event, now).unwrap();
        let mut all = self.engine.step(event, now).actions;
        let mut open: Vec<u64> = all.iter().map(|action| action.command).collect();
        while let Some(command) = open.pop().filter(|_| !self.answers.is_empty()) {
            let result = json!({"type": "result", "command": command, "outcome": self.answers});
            let event: Event = serde_json::from_value(result).unwrap();
            let more = self.engine.step(event, now).actions;
            open.extend(more.iter().map(|action| action.command));
            all.extend(more);
        }
        all
    }

    pub(crate) fn read(&mut self, s: u64, lines: [Option<f64>; 3]) -> Vec<Action> {
        let wobble = f64::from(u32::try_from(s % 7).unwrap()) / 10.0;
        let phases =
            lines.map(|current| json!({"current_a": current, "voltage_v": 230.1 + wobble}));
        self.give(s, json!({"type": "reading", "phases": phases}))
    }

    /// A reading of the total power, with currents or without.
    pub(crate) fn power(&mut self, s: u64, watts: f64, lines: Option<f64>) -> Vec<Action> {
        let voltage = 230.1 + f64::from(u32::try_from(s % 7).unwrap()) / 10.0;
        let line = lines.map_or(
            Value::Null,
            |current| json!({"current_a": current, "voltage_v": voltage}),
        );
        let phases = [&line; 3];
        self.give(
            s,
            json!({"type": "reading", "phases": phases, "power_w": watts}),
        )
    }

    pub(crate) fn report(
        &mut self,
        s: u64,
        id: &str,
        draw: f64,
        limit: Option<f64>,
    ) -> Vec<Action> {
        let event = json!({"type": "charger", "id": id, "connected": true, "status": "charging",
                           "current_a": [draw, draw, draw], "limit_a": limit});
        self.give(s, event)
    }

    /// Seconds of a calm house in which the charger draws what it is told.
    pub(crate) fn calm(
        &mut self,
        seconds: std::ops::Range<u64>,
        id: &str,
        house: f64,
        draw: f64,
    ) -> Vec<Action> {
        let mut all = Vec::new();
        for s in seconds {
            all.extend(self.report(s, id, draw, None));
            all.extend(self.read(s, [Some(house + draw); 3]));
        }
        all
    }
}

pub(crate) fn limits(actions: &[Action]) -> Vec<(f64, bool)> {
    actions
        .iter()
        .filter_map(|action| match &action.what {
            Command::SetLimit { limit_a, .. } => Some((limit_a.to_f64(), action.renewal)),
            Command::Switch { .. } => None,
        })
        .collect()
}

pub(crate) fn switches(actions: &[Action]) -> Vec<bool> {
    actions
        .iter()
        .filter_map(|action| match &action.what {
            Command::Switch { on, .. } => Some(*on),
            Command::SetLimit { .. } => None,
        })
        .collect()
}
