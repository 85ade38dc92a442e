//! A meter with Modbus registers in a process of its own, served by pymodbus (`peers/modbus_meter.py`).

use std::{path::Path, time::Duration};

use serde_json::Value;

use crate::{process::Process, tools};

/// Python starts in a second; on a busy machine in some.
const START: Duration = Duration::from_secs(30);

/// One meter.
#[derive(Debug)]
pub struct ModbusMeter {
    process: Process,
}

impl ModbusMeter {
    /// The meter `name` as unit 7, over TCP; `None` without pymodbus.
    pub fn on_tcp(name: &str, port: u16, framer: &str) -> Option<Self> {
        Self::start(name, &["--port", &port.to_string(), "--framer", framer])
    }

    /// The same on a serial port of 9600 baud.
    pub fn on_serial(name: &str, port: &Path) -> Option<Self> {
        Self::start(name, &["--serial", port.to_str().unwrap()])
    }

    fn start(name: &str, way: &[&str]) -> Option<Self> {
        let mut command = tools::script("modbus_meter.py", "pymodbus")?;
        command.arg(name).args(["--unit", "7"]).args(way);
        let mut meter = Self {
            process: Process::start(&mut command),
        };
        meter.answered(0, "ready");
        Some(meter)
    }

    /// Sets values, from the next answer on.
    pub fn set(&mut self, values: &Value) {
        let mark = self.process.stdout.mark();
        self.process.write_line(&values.to_string());
        self.answered(mark, "ok");
    }

    /// Pulls the plug.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn answered(&mut self, mark: usize, word: &str) {
        let said = |line: &str| (line == word).then_some(());
        let found = self.process.stdout.find(mark, START, said);
        found.unwrap_or_else(|| {
            panic!(
                "the meter never said {word:?}: {}",
                self.process.stderr.all().join("\n")
            )
        });
    }
}
