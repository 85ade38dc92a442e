//! What meters, chargers and slow loads say in a run.

use headroom_core::event::{ChargerReport, Event, Reading, SlowLoadReport};
use headroom_core::units::{Milliamps, WattHours, Watts};

use super::{Due, Run, STEP_MS};
use crate::bench::link::{charger_status, reading};
use crate::millis;

/// Between reports of a slow load, in milliseconds.
const SLOW_REPORT_MS: u64 = 5000;

impl Run<'_> {
    /// What meters, chargers and slow loads say of the second that has passed.
    pub(super) fn say(&mut self, now_ms: u64) {
        while let Some(sample) = self.house.fetch_sample_by(now_ms + STEP_MS - 1) {
            let at_ms = sample.measured_at_ms + millis(self.scenario.meter.latency_s);
            let event = if self.frozen {
                self.last_reading.clone()
            } else {
                Some(Event::Reading(reading(
                    &sample,
                    self.scenario.site.grid,
                    self.scenario.meter.l2,
                )))
            };
            if let Some(event) = event {
                self.last_reading = Some(event.clone());
                self.push(at_ms.max(now_ms), Due::Event(event));
            }
        }
        self.circuit_readings(now_ms);
        for index in 0..self.points.len() {
            let Some(point) = self.points.get(index) else {
                continue;
            };
            let (due, age_ms) = (point.report_due(now_ms), millis(point.link.report_age_s));
            let Some(status) = self.house.charge_points().get(index).map(charger_status) else {
                continue;
            };
            if due || point.status != Some(status) {
                self.charger_report(index, age_ms);
            }
        }
        if now_ms.is_multiple_of(SLOW_REPORT_MS) {
            for index in 0..self.scenario.slow_loads.len() {
                self.slow_report(index);
            }
        }
    }

    fn circuit_readings(&mut self, now_ms: u64) {
        let (grid, latency_ms) = (
            self.scenario.site.grid,
            millis(self.scenario.circuit_meter.latency_s),
        );
        let mut readings: Vec<(u64, Reading)> = Vec::new();
        for (meter, circuit) in self
            .circuit_meters
            .iter_mut()
            .zip(&self.scenario.site.circuits)
        {
            let Some(meter) = meter else {
                continue;
            };
            while let Some(sample) = meter.fetch(now_ms + STEP_MS - 1) {
                let mut said = reading(&sample, grid, self.scenario.circuit_meter.l2);
                said.circuit = Some(circuit.id.clone());
                readings.push((sample.measured_at_ms + latency_ms, said));
            }
        }
        for (at_ms, said) in readings {
            self.push(at_ms.max(now_ms), Due::Event(Event::Reading(said)));
        }
    }

    pub(super) fn charger_report(&mut self, index: usize, age_ms: u64) {
        let now_ms = self.house.now_ms();
        let (Some(point), Some(charge_point)) = (
            self.points.get_mut(index),
            self.house.charge_points().get(index),
        ) else {
            return;
        };
        if point.dead {
            return;
        }
        let status = charger_status(charge_point);
        let due = point.report_due(now_ms);
        point.reported(now_ms, status, due);
        let readings = charge_point.readings();
        let report = ChargerReport {
            id: point.id.clone(),
            connected: true,
            status,
            current_a: Some(
                readings
                    .amps
                    .iter()
                    .map(|amps| Milliamps::from_f64((amps * 10.0).round() / 10.0))
                    .collect(),
            ),
            limit_a: point
                .link
                .reports_limit
                .then(|| Milliamps::from_f64(readings.offered_a))
                .flatten(),
            energy_kwh: WattHours::from_f64(readings.energy_wh / 1000.0),
        };
        let at_ms = self.now_ms.max(now_ms + age_ms);
        self.push(at_ms, Due::Event(Event::Charger(report)));
    }

    pub(super) fn slow_report(&mut self, index: usize) {
        let Some(load) = self.scenario.slow_loads.get(index) else {
            return;
        };
        let Ok(heater) = self.house.heater(&load.id) else {
            return;
        };
        let report = SlowLoadReport {
            id: load.id.clone(),
            connected: true,
            on: Some(heater.is_on()),
            power_w: Watts::from_f64(heater.power_w()),
        };
        let at_ms = self.now_ms.max(self.house.now_ms());
        self.push(at_ms, Due::Event(Event::SlowLoad(report)));
    }
}
