//! A limit that never changes: what an installer sets who has seen the highest background of the very
//! day. Equal whole amperes for all chargers, or for as many as fit with their least.

use headroom_core::event::Event;
use headroom_core::units::{Instant, PerPhase};

use super::view::View;
use super::{Controller, Order};
use crate::bench::scenario::Scenario;
use crate::bench::share::{Claim, fair};
use crate::bench::with_slow_loads;
use crate::current::Currents;

pub(super) struct Fixed {
    view: View,
    limits: Vec<f64>,
    told: bool,
}

impl Fixed {
    pub(super) fn new(scenario: &Scenario, background: &[Currents]) -> Self {
        let view = View::new(scenario);
        let highest = background
            .iter()
            .map(|currents| with_slow_loads(scenario, currents).line_amps())
            .fold(PerPhase::all(0.0), |highest: PerPhase<f64>, amps| {
                highest.zip_with(&amps, f64::max)
            });
        let claims: Vec<Claim> = view
            .points
            .iter()
            .map(|point| Claim {
                class: point.class,
                rows: point.rows.clone(),
                least_a: point.least_a,
                most_a: point.most_a,
            })
            .collect();
        let order: Vec<usize> = (0..claims.len()).collect();
        let limits = fair(&view.room(highest), &claims, &order);
        Self {
            view,
            limits,
            told: false,
        }
    }
}

impl Controller for Fixed {
    fn take(&mut self, _event: Event, _now: Instant) -> Vec<Order> {
        if std::mem::replace(&mut self.told, true) {
            return Vec::new();
        }
        let limits = self.limits.clone();
        (0..)
            .zip(limits)
            .filter_map(|(index, amps)| self.view.tell(index, amps))
            .collect()
    }
}
