//! `GET /metrics` for Prometheus (text format 0.0.4). What is not known has no sample.

use std::fmt::{Display, Write};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use headroom_core::snapshot::PhaseState;
use headroom_core::units::Milliamps;

use crate::app::Shared;
use crate::status::{LoadStatus, Status};

pub(crate) async fn get(State(shared): State<Shared>) -> impl IntoResponse {
    let status = std::sync::Arc::clone(&shared.app.status.borrow());
    let mut text = Text::default();
    house(&mut text, &status);
    loads(&mut text, &status);
    text.family(
        "headroom_journal_dropped_total",
        "counter",
        "Records that the journal had to drop.",
    );
    text.sample("", shared.app.journal.dropped());
    text.family(
        "headroom_loop_alive",
        "gauge",
        "Whether the loop stepped within 10 s.",
    );
    text.sample("", u8::from(shared.app.health.is_alive()));
    text.family("headroom_build_info", "gauge", "The version.");
    text.sample(
        &format!("{{version=\"{}\"}}", escaped(shared.app.version)),
        1,
    );
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text.text,
    )
}

/// A value of a line.
type Value = fn(&PhaseState) -> Option<f64>;

fn house(text: &mut Text, status: &Status) {
    text.family(
        "headroom_state",
        "gauge",
        "The present path in the state machine.",
    );
    text.sample(&format!("{{state=\"{}\"}}", escaped(&status.state)), 1);
    let label =
        |phase: headroom_core::Phase| format!("{{phase=\"{}\"}}", phase.to_string().to_lowercase());
    let families: [(&str, &str, Value); 5] = [
        (
            "headroom_phase_current_amperes",
            "Current through the main fuse.",
            |line| amps(line.measured_a),
        ),
        (
            "headroom_phase_background_amperes",
            "What no configured load draws.",
            |line| amps(line.background_a),
        ),
        ("headroom_phase_headroom_amperes", "What is left.", |line| {
            amps(line.headroom_a)
        }),
        (
            "headroom_phase_limit_amperes",
            "Rating less margin.",
            |line| Some(line.limit_a.to_f64()),
        ),
        (
            "headroom_phase_thermal_ratio",
            "Thermal state of the main fuse.",
            |line| line.thermal,
        ),
    ];
    for (name, help, value) in families {
        text.family(name, "gauge", help);
        for line in &status.phases {
            text.maybe(&label(line.phase), value(line));
        }
    }
    text.family(
        "headroom_meter_age_seconds",
        "gauge",
        "Age of the newest reading.",
    );
    text.maybe("", status.meter.age_s);
    text.family(
        "headroom_meter_rejected_total",
        "counter",
        "Bytes that gave no telegram.",
    );
    for (reason, count) in &status.meter.rejected {
        text.sample(&format!("{{reason=\"{}\"}}", escaped(reason)), count);
    }
    text.family("headroom_alarms", "gauge", "Alarms of now.");
    text.sample("", status.alarms.len());
}

fn loads(text: &mut Text, status: &Status) {
    text.family(
        "headroom_load_connected",
        "gauge",
        "Whether the load can be reached.",
    );
    for load in &status.loads {
        let (id, connected) = match load {
            LoadStatus::Charger(load) => (&load.id, load.connected),
            LoadStatus::SlowLoad(load) => (&load.id, load.connected),
        };
        text.maybe(&label(id), connected.map(u8::from));
    }
    text.family(
        "headroom_charger_setpoint_amperes",
        "gauge",
        "What the charger was told last.",
    );
    for load in &status.loads {
        if let LoadStatus::Charger(load) = load {
            text.maybe(&label(&load.id), amps(load.setpoint_a));
        }
    }
    text.family(
        "headroom_slow_load_on",
        "gauge",
        "Whether the relay is closed.",
    );
    for load in &status.loads {
        if let LoadStatus::SlowLoad(load) = load {
            text.maybe(&label(&load.id), load.on.map(u8::from));
        }
    }
}

fn label(load: &str) -> String {
    format!("{{load=\"{}\"}}", escaped(load))
}

fn amps(current: Option<Milliamps>) -> Option<f64> {
    current.map(Milliamps::to_f64)
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[derive(Default)]
struct Text {
    text: String,
    name: &'static str,
}

impl Text {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, labels: &str, value: impl Display) {
        let name = self.name;
        self.line(format_args!("{name}{labels} {value}\n"));
    }

    fn maybe(&mut self, labels: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.sample(labels, value);
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let written = self.text.write_fmt(line);
        debug_assert!(written.is_ok(), "a String takes everything");
    }
}
