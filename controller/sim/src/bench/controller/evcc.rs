//! Control by steps of the worst line, as evcc does it in a circuit: every 30 s one charger, in turn, may
//! change by what the highest of the three lines leaves; no model of the background, no phases.

use headroom_core::event::Event;
use headroom_core::units::Instant;

use super::view::View;
use super::{Controller, Order};
use crate::bench::scenario::Scenario;

/// Time between two decisions, in milliseconds.
const INTERVAL_MS: u64 = 30_000;
/// A reading older than this counts as a load without end, in milliseconds.
const STALE_MS: u64 = 60_000;

pub(super) struct Evcc {
    view: View,
    next: Instant,
    turn: usize,
}

impl Evcc {
    pub(super) fn new(scenario: &Scenario, now: Instant) -> Self {
        Self {
            view: View::new(scenario),
            next: now.after_ms(INTERVAL_MS),
            turn: 0,
        }
    }
}

impl Controller for Evcc {
    fn take(&mut self, event: Event, now: Instant) -> Vec<Order> {
        self.view.take(&event, now);
        if now < self.next || self.view.points.is_empty() {
            return Vec::new();
        }
        self.next = self.next.after_ms(INTERVAL_MS);
        let index = self.turn % self.view.points.len();
        self.turn += 1;
        let Some(point) = self.view.points.get(index) else {
            return Vec::new();
        };
        let wanted = if point.plugged { point.most_a } else { 0.0 };
        let left = if now.since_ms(self.view.read_at) > STALE_MS {
            f64::NEG_INFINITY
        } else {
            self.view.left_on_worst_line()
        };
        // The change is capped by what is left, also when nothing shall change.
        let change = (wanted - point.amps).max(0.0).min(left);
        let amps = (point.amps + change).min(wanted).max(0.0);
        self.view.tell(index, amps).into_iter().collect()
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.next)
    }
}
