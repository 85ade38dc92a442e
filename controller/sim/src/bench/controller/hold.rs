//! Down at once, up only to what has been free for ten minutes, as load balancers of some makers are
//! described. It knows the phases of each charger and shares fairly, which flatters it.

use std::collections::VecDeque;

use headroom_core::event::Event;
use headroom_core::units::{Instant, PerPhase};

use super::view::View;
use super::{Controller, Order};
use crate::bench::scenario::Scenario;
use crate::bench::share::{Claim, fair};

/// What must have been free for a raise, in milliseconds.
const HOLD_MS: u64 = 600_000;
/// Before a first raise at least this is seen, in milliseconds.
const FIRST_MS: u64 = 60_000;
/// Above the rating by this the cars are lowered, in amperes.
const DEADBAND_A: f64 = 0.3;

pub(super) struct Hold {
    view: View,
    /// Highest backgrounds, each the highest of a minute.
    minutes: VecDeque<(u64, PerPhase<f64>)>,
    changed: Vec<Option<Instant>>,
    began: Option<Instant>,
}

impl Hold {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let view = View::new(scenario);
        Self {
            changed: vec![None; view.points.len()],
            minutes: VecDeque::new(),
            began: None,
            view,
        }
    }

    fn remember(&mut self, background: PerPhase<f64>, now: Instant) -> PerPhase<f64> {
        let minute = now.0 / 60_000;
        match self.minutes.back_mut() {
            Some((last, highest)) if *last == minute => {
                *highest = highest.zip_with(&background, f64::max);
            }
            _ => self.minutes.push_back((minute, background)),
        }
        while self
            .minutes
            .front()
            .is_some_and(|(first, _)| minute - first > HOLD_MS / 60_000)
        {
            self.minutes.pop_front();
        }
        self.minutes
            .iter()
            .fold(PerPhase::all(0.0), |highest, (_, amps)| {
                highest.zip_with(amps, f64::max)
            })
    }
}

impl Controller for Hold {
    fn take(&mut self, event: Event, now: Instant) -> Vec<Order> {
        if !self.view.take(&event, now) {
            return Vec::new();
        }
        let Some(background) = self.view.background() else {
            return Vec::new();
        };
        let began = *self.began.get_or_insert(now);
        let highest = self.remember(background, now);
        let claims: Vec<Claim> = self
            .view
            .points
            .iter()
            .map(|point| Claim {
                class: point.class,
                rows: point.rows.clone(),
                least_a: point.least_a,
                most_a: if point.plugged { point.most_a } else { 0.0 },
            })
            .collect();
        let order: Vec<usize> = (0..claims.len()).collect();
        let over = self.view.left_on_worst_line() < -DEADBAND_A;
        let now_free = fair(&self.view.room(background), &claims, &order);
        let long_free = fair(&self.view.room(highest), &claims, &order);
        let mut orders = Vec::new();
        for index in 0..claims.len() {
            let (Some(point), Some(now_a), Some(long_a)) = (
                self.view.points.get(index),
                now_free.get(index),
                long_free.get(index),
            ) else {
                continue;
            };
            let told = point.told;
            let waited = self.changed.get(index).copied().flatten().map_or_else(
                || now.since_ms(began) >= FIRST_MS,
                |at| now.since_ms(at) >= HOLD_MS,
            );
            let target = if !point.plugged {
                0.0
            } else if over && *now_a < told {
                *now_a
            } else if waited && long_a.floor() > told {
                *long_a
            } else {
                continue;
            };
            let plugged = point.plugged;
            if let Some(order) = self.view.tell(index, target) {
                if let Some(changed) = self.changed.get_mut(index) {
                    // A new session need not wait.
                    *changed = plugged.then_some(now);
                }
                orders.push(order);
            }
        }
        orders
    }
}
