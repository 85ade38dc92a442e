//! What goes wrong in a run.

use headroom_core::event::{ChargerReport, ChargerStatus, Event};
use headroom_core::units::Instant;

use super::{Due, Run, STEP_MS};
use crate::bench::link::PointState;
use crate::bench::scenario::Fault;
use crate::millis;
use crate::profile::Limit;

impl Run<'_> {
    pub(super) fn begin(&mut self, index: usize) {
        let Some(fault) = self.scenario.faults.get(index) else {
            return;
        };
        match fault {
            Fault::Stuck {
                charger, current_a, ..
            } => {
                let amps = *current_a;
                if let Ok(charge_point) = self.house.charge_point(charger) {
                    charge_point
                        .lease(Limit { amps, phases: 3 }, u32::MAX, amps)
                        .ok();
                }
                self.point(charger, |point| point.stuck = true);
            }
            Fault::Dead {
                charger,
                noticed_after_s,
                ..
            } => {
                self.point(charger, |point| point.dead = true);
                if let Some(place) = self.place(charger) {
                    let at_ms = self.now_ms + millis(*noticed_after_s);
                    self.push(at_ms, Due::Noticed(place, false));
                }
            }
            Fault::Restart { .. } => {
                self.process += 1;
                self.note_refusals();
                self.controller = None;
            }
            Fault::MeterGap { .. } => self.house.set_meter_cable(false),
            Fault::MeterFrozen { .. } => self.frozen = true,
        }
    }

    pub(super) fn end(&mut self, index: usize) {
        match self.scenario.faults.get(index) {
            Some(Fault::Dead { charger, .. }) => {
                self.point(charger, |point| point.dead = false);
                if let Some(place) = self.place(charger) {
                    self.push(self.now_ms + STEP_MS, Due::Noticed(place, true));
                }
            }
            Some(Fault::Restart { .. }) => {
                let now = Instant(self.now_ms);
                self.controller = self.kind.make(self.scenario, self.background, now);
                for place in 0..self.points.len() {
                    self.push(self.now_ms + STEP_MS, Due::Noticed(place, true));
                }
            }
            Some(Fault::MeterGap { .. }) => self.house.set_meter_cable(true),
            Some(Fault::MeterFrozen { .. }) => self.frozen = false,
            Some(Fault::Stuck { .. }) | None => {}
        }
    }

    pub(super) fn place(&self, charger: &str) -> Option<usize> {
        self.points.iter().position(|point| point.id == charger)
    }

    fn point(&mut self, charger: &str, change: impl FnOnce(&mut PointState)) {
        if let Some(point) = self.points.iter_mut().find(|point| point.id == charger) {
            change(point);
        }
    }

    pub(super) fn connection(&mut self, index: usize, connected: bool) {
        if connected {
            self.charger_report(index, 0);
        } else if let Some(point) = self.points.get(index).filter(|point| point.dead) {
            let report = ChargerReport {
                id: point.id.clone(),
                connected: false,
                status: ChargerStatus::Unknown,
                current_a: None,
                limit_a: None,
                energy_kwh: None,
            };
            self.tell(Event::Charger(report));
        }
    }
}
