//! `headroom engine`: the decision core alone, events as JSON lines in, one JSON line per event out.
//!
//! Reads no clock, file or socket: the time is in the events. What cannot be is answered with an error
//! on its line and changes nothing.

use std::io::{BufRead, Write};

use headroom_core::config::{Config, Grid};
use headroom_core::event::ChargerReport;
use headroom_core::{Engine, Event, EventError, Instant};
use headroom_web::{Unique, array_for_object};
use serde_json::{Value, json};

/// Longest line that is read, in bytes. A configuration with everything in it is far below.
const LINE_MAX: u64 = 1 << 20;

/// Runs until the input ends.
///
/// # Errors
/// When input or output break.
pub(crate) fn run(mut input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    let mut session = Session::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut input, LINE_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            return output.flush();
        }
        if u64::try_from(read).is_ok_and(|read| read == LINE_MAX) && line.last() != Some(&b'\n') {
            skip_line(&mut input)?;
            let answer = failure("too_large", "a line is longer than 1 MiB");
            writeln!(output, "{answer}")?;
            continue;
        }
        writeln!(output, "{}", session.answer(&line))?;
        output.flush()?;
    }
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[derive(Default)]
struct Session {
    engine: Option<Engine>,
}

impl Session {
    fn answer(&mut self, line: &[u8]) -> String {
        self.step(line).unwrap_or_else(|error| error)
    }

    fn step(&mut self, line: &[u8]) -> Result<String, String> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Err(failure(
                "malformed",
                "a line is an event; this one is empty",
            ));
        }
        let (event, now) = parse(line)?;
        if let (Some(engine), Event::Charger(report)) = (&self.engine, &event) {
            check_terminals(engine.config(), report)?;
        }
        let actions = match (&mut self.engine, event) {
            (Some(engine), event) => {
                engine.check(&event, now).map_err(|error| refusal(&error))?;
                engine.step(event, now)
            }
            (None, Event::Configure(config)) => {
                let mut engine = Engine::new(Config::default(), now);
                let event = Event::Configure(config);
                engine.check(&event, now).map_err(|error| refusal(&error))?;
                let actions = engine.step(event, now);
                self.engine = Some(engine);
                actions
            }
            (None, _) => {
                return Err(failure(
                    "not_configured",
                    "the first event must be \"configure\"; this one changed nothing",
                ));
            }
        };
        serde_json::to_string(&actions).map_err(|error| failure("internal", &error.to_string()))
    }
}

/// A report has one current for each terminal (contract, section 3). Devices of the service may say less; a caller of the
/// protocol that does has mixed something up.
fn check_terminals(config: &Config, report: &ChargerReport) -> Result<(), String> {
    let mut chargers = config.chargers.iter();
    let Some(charger) = chargers.find(|charger| charger.id == report.id) else {
        // The engine tells of it.
        return Ok(());
    };
    let grid = config.site.grid;
    let terminals = match &charger.phases {
        // Of a line alone it is not said which the other one is.
        Some(phases) if phases.len() == 1 && grid == Grid::It3ph => 1..=2,
        Some(phases) => phases.len()..=phases.len(),
        None => grid.phases().len()..=3,
    };
    match &report.current_a {
        Some(list) if !terminals.contains(&list.len()) => {
            let message = format!(
                "current_a: {} has {} terminals, not {}; a current that is not known is null",
                report.id,
                terminals.end(),
                list.len()
            );
            Err(failure("impossible", &message))
        }
        _ => Ok(()),
    }
}

/// Takes the time out of a line; the rest is the event.
fn parse(line: &[u8]) -> Result<(Event, Instant), String> {
    let Unique(mut value) = serde_json::from_slice(line).map_err(|error| {
        if error.is_data() {
            failure("invalid", &error.to_string())
        } else {
            failure("malformed", &format!("not JSON: {error}"))
        }
    })?;
    let fields = value
        .as_object_mut()
        .ok_or_else(|| failure("malformed", "an event is a JSON object"))?;
    let time = fields
        .remove("t_ms")
        .as_ref()
        .and_then(Value::as_u64)
        .filter(|time| i64::try_from(*time).is_ok())
        .ok_or_else(|| {
            failure(
                "invalid",
                "t_ms must be a whole number of milliseconds, 0 or more",
            )
        })?;
    let event: Event = serde_json::from_value(value.clone())
        .map_err(|error| failure("invalid", &format!("not an event: {error}")))?;
    let taken = serde_json::to_value(&event).unwrap_or_default();
    if let Some(path) = array_for_object(&value, &taken) {
        return Err(failure(
            "invalid",
            &format!("not an event: {path} must be an object, not an array"),
        ));
    }
    Ok((event, Instant(time)))
}

fn refusal(error: &EventError) -> String {
    failure(error.code(), &error.to_string())
}

fn failure(code: &str, message: &str) -> String {
    json!({ "error": { "code": code, "message": message } }).to_string()
}
