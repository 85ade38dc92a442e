//! Observe mode: what would have been commanded is noted, and nothing is commanded.

use serde::{Deserialize, Serialize};

use super::Engine;
use crate::action::Reason;
use crate::plan::Plan;
use crate::units::{Instant, Milliamps};

/// The same load is noted again after this at the earliest, unless it would be lowered further, in milliseconds.
const NOTE_EVERY_MS: u64 = 30_000;

/// Something that would have been commanded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WouldBe {
    load: String,
    to: Milliamps,
    /// When it was noted.
    pub(super) at: Instant,
    /// Why.
    pub(super) reason: Reason,
}

impl Engine {
    /// Loads of which something was noted at this time.
    pub(super) fn would_be_at(&self, now: Instant) -> Vec<String> {
        let noted = self.would_be.iter().filter(|noted| noted.at == now);
        noted.map(|noted| noted.load.clone()).collect()
    }

    /// Notes what the plan would change. A load that would be left as it is is forgotten.
    pub(super) fn note_would_be(&mut self, plan: &Plan, now: Instant) {
        let before = std::mem::take(&mut self.would_be);
        for load in &mut self.loads {
            load.reason = Reason::observe();
        }
        for target in &plan.targets {
            let Some(load) = self.loads.get_mut(target.load) else {
                continue;
            };
            if target.to == load.current() {
                continue;
            }
            load.reason = target.reason.would_be();
            let known = before.iter().find(|noted| noted.load == load.spec.id);
            let noted = known.filter(|noted| {
                target.to >= noted.to && now.since_ms(noted.at) < NOTE_EVERY_MS
                    || target.to == noted.to
            });
            let (to, at) = noted.map_or((target.to, now), |noted| (noted.to, noted.at));
            self.would_be.push(WouldBe {
                load: load.spec.id.clone(),
                to,
                at,
                reason: target.reason.clone(),
            });
        }
        // What is new comes first: it is what the state's reason tells.
        self.would_be
            .sort_by_key(|noted| std::cmp::Reverse(noted.at));
    }
}
