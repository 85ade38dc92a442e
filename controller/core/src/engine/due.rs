//! When time alone asks for something: until then a report that says nothing new needs no plan, within a second of the
//! last one.

use super::Engine;
use super::view::OVERLOAD_LASTS_MS;
use crate::load::Load;
use crate::units::Instant;

/// Without anything else to do the engine wants to be stepped again after this, in milliseconds.
const IDLE_MS: u64 = 60_000;
/// A plan is good for no longer than this while something is heard, in milliseconds: what else time changes (what is late,
/// what was missed) is found by then.
const GOOD_FOR_MS: u64 = 1_000;

impl Engine {
    /// When the engine must be stepped again at the latest.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.plan_due.or_else(|| Some(self.due()))
    }

    /// When time alone may change something next.
    pub(super) fn due(&self) -> Instant {
        let idle = self.now.after_ms(IDLE_MS);
        let loads = self.loads.iter().flat_map(|load| {
            let unseen = load.link.is_unseen().then(|| self.unseen_until(load));
            [
                load.repeat_at(),
                load.next_change(self.now),
                load.wishes.next_end(),
                unseen,
            ]
        });
        let tuning = &self.config.site.tuning;
        let meters = (self.circuits.iter()).map(|it| it.meter.next_change(tuning, self.now));
        let overloads = self.circuits.iter().flat_map(|it| it.over_since.0);
        let overloads = overloads.map(|since| Some(since?.after_ms(OVERLOAD_LASTS_MS)));
        loads
            .chain(meters)
            .chain(overloads)
            .chain([
                self.wake,
                self.manual.as_ref().map(|manual| manual.until),
                self.test.as_ref().and_then(|test| test.wake(self.now)),
            ])
            .flatten()
            .filter(|time| *time > self.now)
            .fold(idle, Ord::min)
    }

    /// Whether time alone asks for a plan.
    pub(super) fn is_due(&self) -> bool {
        self.plan_due.is_none_or(|due| due <= self.now)
            || self.now.since_ms(self.planned_at) >= GOOD_FOR_MS
    }

    fn unseen_until(&self, load: &Load) -> Instant {
        load.created_at()
            .after_s(self.config.site.tuning.lost_after_s)
    }
}
