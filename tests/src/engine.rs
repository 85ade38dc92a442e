//! `headroom engine`: the decision core alone, by lines.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    controller,
    process::{self, Process},
};

/// What the core says to a list of events, one value for each.
///
/// # Panics
/// If the program fails, or does not give one line for each line.
pub fn run(events: &[Value]) -> Vec<Value> {
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    let outcome = run_text(&text);
    let lines = outcome.json_lines();
    assert_eq!(lines.len(), events.len(), "one line for each event");
    lines
}

/// The same with any text.
pub fn run_text(text: &str) -> process::Outcome {
    let mut command = controller::command(&["engine"]);
    let outcome = process::run(&mut command, text.as_bytes(), Duration::from_secs(60));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome
}

/// The program while it runs: one line in, one line out.
#[derive(Debug)]
pub struct Session {
    process: Process,
}

impl Session {
    /// Starts it with a configuration.
    pub fn new(configure: &Value) -> Self {
        let process = Process::start(&mut controller::command(&["engine"]));
        let mut session = Self { process };
        drop(session.send(configure));
        session
    }

    /// What it says to an event.
    ///
    /// # Panics
    /// If it says nothing.
    pub fn send(&mut self, event: &Value) -> Value {
        let mark = self.process.stdout.mark();
        self.process.write_line(&event.to_string());
        let line = self
            .process
            .stdout
            .find(mark, Duration::from_secs(20), |line| Some(line.to_owned()));
        let line = line.unwrap_or_else(|| panic!("no answer to {event}"));
        serde_json::from_str(&line).unwrap()
    }
}

/// A house with a 25 A fuse in control, with the given chargers and slow loads.
pub fn configure(chargers: &[Value], slow_loads: &[Value]) -> Value {
    json!({
        "t_ms": 0, "type": "configure",
        "site": {"mode": "control", "grid": "tn_3ph", "main_fuse": {"rating_a": 25, "characteristic": "gg"}},
        "chargers": chargers, "slow_loads": slow_loads,
    })
}

/// A charger on three phases from 6 to 16 A.
pub fn charger(id: &str, priority: u32) -> Value {
    json!({"id": id, "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"], "safe_current_a": 0,
           "lease_s": 120, "priority": priority})
}

/// A reading with currents, at voltages with the small noise of a real grid.
pub fn reading(t_ms: u64, current_a: [f64; 3]) -> Value {
    let noise = f64::from(u32::try_from(t_ms / 1000 % 7).unwrap()) / 10.0;
    let voltage_v = ((230.0 + noise) * 10.0).round() / 10.0;
    let phases: Vec<Value> = current_a
        .iter()
        .map(|current_a| json!({"current_a": current_a, "voltage_v": voltage_v, "power_w": null}))
        .collect();
    let power_w: f64 = current_a.iter().sum::<f64>() * 230.0;
    json!({"t_ms": t_ms, "type": "reading", "phases": phases, "power_w": power_w.round()})
}

/// A charger's report.
pub fn report(t_ms: u64, id: &str, status: &str, current_a: Option<[f64; 3]>) -> Value {
    json!({"t_ms": t_ms, "type": "charger", "id": id, "connected": true, "status": status, "current_a": current_a,
           "limit_a": null, "energy_kwh": null})
}

/// The actions of an output line.
pub fn actions(line: &Value) -> &[Value] {
    line["actions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}
