//! What a device has shown that it can do: what was only claimed becomes proven, or turns out not to be there.
//!
//! Inputs: the orders, their answers, and what was read. Output: [`Capabilities`], shared with whoever asks for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headroom_core::{trial::Guard, units::Milliamps};
use headroom_ocpp::{Capabilities, Grade};

use super::{CallError, Order, Seen};

/// A terminal that carries less than this carries nothing, and a device that draws no more than this above what it was
/// told follows.
const NOTHING: Milliamps = Milliamps(1_000);

/// What is known of one device; the clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    can: Capabilities,
    guard: Guard,
}

/// What is to be seen yet of the order that holds.
#[derive(Debug, Default)]
pub(super) struct Watched {
    order: Option<Order>,
    /// It drew more than the order allows when it was given.
    above: bool,
    /// It drew from several terminals when it was told to use one.
    spread: bool,
    /// It took an order once.
    took: bool,
}

impl Shown {
    pub(crate) fn new(known: Capabilities) -> Self {
        Self(Arc::new(Mutex::new(Known {
            can: known,
            guard: Guard::default(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Every change under the lock is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self) -> Capabilities {
        self.lock().can
    }

    /// What its driver knows of how it falls back.
    pub(crate) fn guard(&self) -> Guard {
        self.lock().guard
    }

    pub(crate) fn set_guard(&self, guard: Guard) {
        self.lock().guard = guard;
    }

    /// Whether what it was told runs out there, as far as its driver knows by now; `None`: it cannot tell yet.
    pub(super) fn falls(&self, falls: Option<bool>) {
        let known = &mut self.lock().can;
        match falls {
            Some(false) => known.lease = Grade::NotThere,
            Some(true) => known.lease = known.lease.max(Grade::Claimed),
            None => {}
        }
    }

    /// Whether it can be told how many phases to use, as far as its driver knows by now.
    pub(super) fn switches(&self, switches: bool) {
        let known = &mut self.lock().can;
        if switches && known.phase_switching < Grade::Claimed {
            known.phase_switching = Grade::Claimed;
        }
    }
}

impl Watched {
    /// An order was answered; `seen` is what the device showed before.
    pub(super) fn answered(
        &mut self,
        order: Order,
        answer: Result<(), &CallError>,
        seen: Option<&Seen>,
        shown: &Shown,
    ) {
        let Order::Limit { limit, phases, .. } = order else {
            return;
        };
        match answer {
            Ok(()) => {
                self.took = true;
                if !self.order.is_some_and(|before| before.repeats(&order)) {
                    self.above = draws(seen).is_some_and(|draws| most(draws) > limit + NOTHING);
                    self.spread = phases == 1 && used(seen) > 1;
                }
                self.order = Some(order);
                let known = &mut shown.lock().can;
                known.limits = known.limits.max(Grade::Claimed);
            }
            Err(error) => {
                self.order = None;
                let refused = matches!(error, CallError::Refused(_)) && !self.took;
                let known = &mut shown.lock().can;
                if refused && known.limits == Grade::Claimed {
                    known.limits = Grade::NotThere;
                }
            }
        }
    }

    /// It was read.
    pub(super) fn read(&mut self, seen: &Seen, shown: &Shown) {
        let Some(Order::Limit { limit, .. }) = self.order else {
            return;
        };
        let Some(draws) = draws(Some(seen)) else {
            return;
        };
        let known = &mut shown.lock().can;
        if self.above && most(draws) <= limit + NOTHING {
            known.limits = Grade::Proven;
            self.above = false;
        }
        if self.spread && used(Some(seen)) == 1 {
            known.phase_switching = Grade::Proven;
            self.spread = false;
        }
    }
}

fn draws(seen: Option<&Seen>) -> Option<&[Option<Milliamps>]> {
    match seen {
        Some(Seen::Charger { current_a, .. }) => current_a.as_deref(),
        _ => None,
    }
}

fn most(draws: &[Option<Milliamps>]) -> Milliamps {
    draws.iter().copied().flatten().max().unwrap_or_default()
}

/// How many terminals carry current.
fn used(seen: Option<&Seen>) -> usize {
    let draws = draws(seen).unwrap_or_default();
    let carries = |draw: &&Option<Milliamps>| draw.is_some_and(|draw| draw > NOTHING);
    draws.iter().filter(carries).count()
}
