//! The circuits of a house: what is behind which fuse.

use serde::{Deserialize, Serialize};

use crate::meter::Meter;
use crate::reason::is_overloaded;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A circuit with its limit on each line and its meter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Circuit {
    /// Its name.
    pub id: String,
    /// Where the circuit that feeds it stands; `None` for the main one.
    pub parent: Option<usize>,
    /// Rating of the fuse of each line.
    pub rating: PerPhase<Milliamps>,
    /// Rating less margin of each line.
    pub limit: PerPhase<Milliamps>,
    /// Its meter, which may never say anything.
    pub meter: Meter,
    /// Whether it has a meter: the main circuit always, another if it is configured or was heard.
    pub metered: bool,
    /// Whether its meter says the same for too long.
    pub frozen: bool,
    /// Since when more is measured on a line than its limit, by more than noise.
    pub over_since: PerPhase<Option<Instant>>,
}

impl Circuit {
    /// Notes which lines carry too much, after a reading.
    pub fn watch_overload(&mut self, now: Instant) {
        for phase in Phase::ALL {
            let over = is_overloaded(self.meter.measured(phase), self.limit.get(phase));
            let since = self.over_since.get(phase);
            *self.over_since.get_mut(phase) = over.then(|| since.unwrap_or(now));
        }
    }
}

/// Whether a circuit feeds another, itself or through others. What is not known hangs on the main one.
pub fn feeds(circuits: &[Circuit], circuit: usize, id: &str) -> bool {
    feeds_at(circuits, circuit, place_of(circuits, id))
}

/// Where a circuit stands; what is not known hangs on the main one.
pub(super) fn place_of(circuits: &[Circuit], id: &str) -> usize {
    circuits.iter().position(|c| c.id == id).unwrap_or(0)
}

/// Whether a circuit feeds the one that stands there.
pub(super) fn feeds_at(circuits: &[Circuit], circuit: usize, place: usize) -> bool {
    let mut at = Some(place);
    // A configuration is checked for rings; the count keeps it finite all the same.
    for _ in 0..=circuits.len() {
        match at {
            Some(index) if index == circuit => return true,
            Some(index) => at = circuits.get(index).and_then(|c| c.parent),
            None => return false,
        }
    }
    false
}
