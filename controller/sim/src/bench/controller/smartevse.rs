//! The law of `SmartEVSE`'s "smart" mode: on every reading a quarter of the room up or all of the excess
//! down on the worst line, shared equally; without room for 6 A each for some readings all stop, and may
//! start after a minute.

use headroom_core::event::Event;
use headroom_core::units::Instant;

use super::view::View;
use super::{Controller, Order};
use crate::bench::scenario::Scenario;

/// Readings without room for 6 A each until all stop.
const PATIENCE: u32 = 2;
/// Time until they may start again, in milliseconds.
const RESTART_MS: u64 = 60_000;

pub(super) struct Smartevse {
    view: View,
    /// What all of them may draw together.
    total_a: f64,
    without_room: u32,
    stopped_at: Option<Instant>,
    on: Vec<bool>,
}

impl Smartevse {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let view = View::new(scenario);
        Self {
            on: vec![false; view.points.len()],
            view,
            total_a: 0.0,
            without_room: 0,
            stopped_at: None,
        }
    }

    fn share(&mut self) -> Vec<Order> {
        let mut left = self.total_a;
        let mut order: Vec<usize> = (0..self.on.len()).collect();
        let most = |view: &View, index: &usize| view.points.get(*index).map_or(0.0, |p| p.most_a);
        // Who can take least first, so that the rest is shared by the others.
        order.sort_by(|a, b| most(&self.view, a).total_cmp(&most(&self.view, b)));
        order.retain(|index| self.on.get(*index) == Some(&true));
        let mut limits = vec![0.0; self.on.len()];
        let mut waiting = order.len();
        for index in order {
            let equal = left / f64::from(u32::try_from(waiting).unwrap_or(1));
            let amps = equal.min(most(&self.view, &index));
            left -= amps;
            waiting -= 1;
            if let Some(limit) = limits.get_mut(index) {
                *limit = amps;
            }
        }
        (0..)
            .zip(limits)
            .filter_map(|(index, amps)| self.view.tell(index, amps))
            .collect()
    }
}

impl Controller for Smartevse {
    fn take(&mut self, event: Event, now: Instant) -> Vec<Order> {
        if !self.view.take(&event, now) {
            return Vec::new();
        }
        let idle = self.view.left_on_worst_line();
        let mains = self.view.rating.0.into_iter().fold(f64::INFINITY, f64::min);
        let drawn: f64 = self.view.points.iter().map(|point| point.amps).sum();
        // Below 0 when the cars hang on different lines, as in the original.
        let base = mains - idle - drawn;
        for (on, point) in self.on.iter_mut().zip(&self.view.points) {
            *on &= point.plugged;
        }
        let mut active = self.on.iter().filter(|on| **on).count();
        let least = |count: usize| 6.0 * f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let may_start = self
            .stopped_at
            .is_none_or(|at| now.since_ms(at) >= RESTART_MS);
        if may_start {
            let waiting = (0..)
                .zip(self.on.iter_mut().zip(&self.view.points))
                .find(|(_, (on, point)): &(usize, _)| !**on && point.plugged);
            if let Some((_, (on, _))) = waiting
                && mains - base >= least(active + 1)
            {
                *on = true;
                active += 1;
                self.total_a = self.total_a.max(least(active));
            }
        }
        if active == 0 {
            self.total_a = 0.0;
            return self.share();
        }
        self.total_a += if idle > 0.0 { idle / 4.0 } else { idle };
        let most: f64 = (self.on.iter().zip(&self.view.points))
            .filter(|(on, _)| **on)
            .map(|(_, point)| point.most_a)
            .sum();
        self.total_a = self.total_a.min(mains - base).min(most);
        if self.total_a < least(active) {
            self.total_a = least(active);
            self.without_room += u32::from(idle < 0.0);
            if self.without_room > PATIENCE || mains - idle > 2.0 * mains {
                self.on.fill(false);
                self.stopped_at = Some(now);
                self.without_room = 0;
            }
        } else {
            self.without_room = 0;
        }
        self.share()
    }
}
