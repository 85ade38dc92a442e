//! What one connection has learnt that is worth keeping for the next one.

use jiff::{SignedDuration, Timestamp};

use crate::{
    clock::Clock,
    session::Known,
    types::{Capabilities, Identity, LimitRequest},
    v16::ladder::Ladder,
    wear::{Urgency, Wear},
};

/// So many connections broken by the first early call are no chance any more.
const EARLY_BREAKS: u8 = 2;

/// What one connection has learnt that is worth keeping for the next one.
#[derive(Debug, Clone, Default)]
pub struct Learnt {
    pub(super) identity: Option<Identity>,
    pub(super) ladder: Ladder,
    pub(super) clock: Clock,
    pub(super) wear: Wear,
    /// The safe current of the base that is in place, in milliamperes. It outlives a connection,
    /// and may not outlive a boot.
    pub(super) base_ma: Option<u32>,
    /// It has taken a profile.
    pub(super) took_profile: bool,
    pub(super) capabilities: Capabilities,
    pub(super) transaction: Option<i32>,
    /// The last one that ended: values of it may still come.
    pub(super) ended: Option<i32>,
    pub(super) last_start: Option<(Start, i32)>,
    pub(super) in_force: Option<InForce>,
    /// A limit without an answer: it may be in force.
    pub(super) in_doubt: Option<LimitRequest>,
    pub(super) early_calls: EarlyCalls,
    /// Profiles of others were cleared.
    pub(super) cleared: bool,
    /// It does not know profiles at all; asked again after this.
    pub(super) uncontrollable_until: Option<Timestamp>,
    /// What it drew at most while the lease in force held, in milliamperes.
    pub(super) drew_ma: Option<u32>,
    pub(super) clock_told_s: i64,
    /// Times are written in its local time: it does not heed the `Z`.
    pub(super) writes_local: bool,
}

/// What a call before its boot does to a charge point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlyCalls {
    /// So many connections in a row broke on the very first one.
    Broke(u8),
    /// One was answered: what breaks its connections is something else.
    Borne,
}

impl Default for EarlyCalls {
    fn default() -> Self {
        Self::Broke(0)
    }
}

/// A lease that the charge point has taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct InForce {
    pub(super) request: LimitRequest,
    pub(super) until: Timestamp,
}

/// What tells a repeated `StartTransaction` from a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) connector: Option<u32>,
    pub(super) energy_wh: Option<u64>,
    pub(super) at: Option<Timestamp>,
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

    /// The lease that has not run out.
    pub(super) fn lease_now(&self, wall: Timestamp) -> Option<InForce> {
        self.in_force.filter(|in_force| wall < in_force.until)
    }

    /// The limits that may be in force.
    pub(super) fn may_be_in_force(&self, wall: Timestamp) -> [Option<LimitRequest>; 2] {
        let lease = self.lease_now(wall).map(|lease| lease.request);
        [lease, self.in_doubt]
    }

    /// What a limit is beside what may be in force: the lease, one in doubt, else the base.
    pub(super) fn urgency(&self, request: LimitRequest, safe_ma: u32, wall: Timestamp) -> Urgency {
        let Some(lease) = self.lease_now(wall) else {
            let possible = self.in_doubt.map_or(safe_ma, |doubt| doubt.limit_ma);
            return if request.limit_ma <= possible.max(safe_ma) {
                Urgency::Reduction
            } else {
                Urgency::Raise
            };
        };
        let lease = lease.request;
        let doubted = self.in_doubt.map_or(0, |doubt| doubt.limit_ma);
        let possible = lease.limit_ma.max(doubted);
        if request.limit_ma < possible || (1..lease.phases).contains(&request.phases) {
            Urgency::Reduction
        } else if request.limit_ma == possible && request.phases == lease.phases {
            Urgency::Renewal
        } else {
            Urgency::Raise
        }
    }

    /// The charge point's own time now, as it has to be written for it, as far as it is known.
    pub(super) fn charger_time(&self, wall: Timestamp) -> Option<Timestamp> {
        let time = self.clock.charger_time(wall)?;
        match self.clock.zone() {
            Some(zone) if self.writes_local => time.checked_add(zone).ok(),
            _ => Some(time),
        }
    }

    /// No answer came: it may be in force.
    pub(super) fn leave_in_doubt(&mut self, request: LimitRequest) {
        let higher = self
            .in_doubt
            .filter(|doubt| doubt.limit_ma > request.limit_ma);
        self.in_doubt = higher.or(Some(request));
    }

    /// The lease was taken at `sent_at`.
    pub(super) fn take(&mut self, request: LimitRequest, sent_at: Timestamp) {
        let lease = SignedDuration::from_secs(i64::from(request.lease_s));
        let until = sent_at.checked_add(lease).unwrap_or(sent_at);
        self.in_doubt = None;
        self.in_force = Some(InForce { request, until });
        self.drew_ma = None;
    }

    /// Whether it breaks the connection on a call before its boot. One may be chance.
    pub(super) fn breaks_on_early_call(&self) -> bool {
        matches!(self.early_calls, EarlyCalls::Broke(count) if count >= EARLY_BREAKS)
    }

    /// A connection broke on its first call, before its boot. True if that is now known of it.
    pub(super) fn broke_early(&mut self) -> bool {
        match &mut self.early_calls {
            EarlyCalls::Broke(count) if *count < EARLY_BREAKS => {
                *count += 1;
                *count == EARLY_BREAKS
            }
            EarlyCalls::Broke(_) | EarlyCalls::Borne => false,
        }
    }

    pub(super) fn is_uncontrollable(&self, wall: Timestamp) -> bool {
        self.uncontrollable_until.is_some_and(|until| wall < until)
    }
}
