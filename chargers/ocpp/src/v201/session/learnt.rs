//! What one connection has learnt that is worth keeping for the next one.

use jiff::{SignedDuration, Timestamp};

use crate::{
    clock::Clock,
    session::Known,
    types::{Capabilities, LimitRequest},
    v16::ladder::Ladder,
    wear::{Urgency, Wear},
};

/// What one connection has learnt that is worth keeping for the next one.
#[derive(Debug, Clone, Default)]
pub struct Learnt {
    pub(super) ladder: Ladder,
    pub(super) clock: Clock,
    pub(super) wear: Wear,
    pub(super) capabilities: Capabilities,
    pub(super) transaction: Option<String>,
    pub(super) in_force: Option<InForce>,
    /// A limit without an answer: it may be in force.
    pub(super) in_doubt: Option<LimitRequest>,
    /// What it drew at most while the lease in force held, in milliamperes.
    pub(super) drew_ma: Option<u32>,
    pub(super) clock_told_s: i64,
}

/// A limit that the station has taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct InForce {
    pub(super) request: LimitRequest,
    /// When it ends, or was to end.
    pub(super) until: Timestamp,
    /// Whether it ends by itself.
    pub(super) ends: bool,
}

impl Learnt {
    /// What may be kept over a restart of the program.
    pub(crate) fn known(&self) -> Known {
        Known {
            capabilities: self.capabilities,
            ladder: self.ladder.clone(),
        }
    }

    /// A charge point of which this was kept.
    pub(crate) fn of(known: Known) -> Self {
        Self {
            capabilities: known.capabilities,
            ladder: known.ladder,
            ..Self::default()
        }
    }

    /// The lease that holds: it has not run out, or does not do so by itself.
    pub(super) fn lease_now(&self, wall: Timestamp) -> Option<InForce> {
        self.in_force
            .filter(|lease| !lease.ends || wall < lease.until)
    }

    /// The limits that may be in force.
    pub(super) fn may_be_in_force(&self, wall: Timestamp) -> [Option<LimitRequest>; 2] {
        let lease = self.lease_now(wall).map(|lease| lease.request);
        [lease, self.in_doubt]
    }

    /// What a limit is beside what may be in force: the lease, one in doubt, else the base.
    pub(super) fn urgency(&self, request: LimitRequest, safe_ma: u32, wall: Timestamp) -> Urgency {
        let lease = self.lease_now(wall).map(|lease| lease.request);
        let doubted_ma = self.in_doubt.map_or(0, |doubt| doubt.limit_ma);
        let possible_ma = lease
            .map_or(safe_ma, |lease| lease.limit_ma)
            .max(doubted_ma);
        let phases = lease.map_or(request.phases, |lease| lease.phases);
        let fewer_phases = (1..phases).contains(&request.phases);
        if request.limit_ma < possible_ma || fewer_phases {
            Urgency::Reduction
        } else if request.limit_ma == possible_ma && request.phases == phases {
            // Without a lease it is the base once more, and as urgent as a reduction.
            lease.map_or(Urgency::Reduction, |_| Urgency::Renewal)
        } else {
            Urgency::Raise
        }
    }

    /// No answer came: it may be in force.
    pub(super) fn leave_in_doubt(&mut self, request: LimitRequest) {
        let higher = self
            .in_doubt
            .filter(|doubt| doubt.limit_ma > request.limit_ma);
        self.in_doubt = higher.or(Some(request));
    }

    /// A limit was taken that was sent at `sent_at`.
    pub(super) fn take(&mut self, request: LimitRequest, ends: bool, sent_at: Timestamp) {
        let lease = SignedDuration::from_secs(i64::from(request.lease_s));
        let until = sent_at.checked_add(lease).unwrap_or(sent_at);
        self.in_doubt = None;
        self.drew_ma = None;
        self.in_force = Some(InForce {
            request,
            until,
            ends,
        });
    }
}
