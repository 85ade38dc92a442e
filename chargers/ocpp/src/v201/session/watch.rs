//! "Accepted" is not "applied": what the station shows after it said yes.
//!
//! Three witnesses: the current that flows, the limit that it reports with its values, and its own
//! schedule. Against a limit that is taken and not followed another form is tried once; a lower
//! limit of somebody else is told and never answered.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::{Base, Kind, Session, Urgency, Waiting, learnt::InForce};
use crate::{
    types::{Grade, LimitRequest, Note, Now, Status},
    v16::ladder::Shape,
    v201::{
        evidence::{self, Verdict},
        outgoing,
    },
};

/// Time to follow, for the station and the car; the slowest known ones ramp for six seconds.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(12);
/// Above the limit by more than this is not followed, in milliamperes.
const ABOVE_MA: u32 = 1_500;
/// Within this a current is at the limit, in milliamperes.
const SAME_MA: u32 = 700;
/// A slow station falls this long after its lease at the latest.
const FALLS_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// The station's own schedule is asked for this long after a limit was taken at the earliest.
const ASK_AFTER: Duration = Duration::from_secs(3);
/// Least time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// How far beyond the end of the lease is asked, in seconds.
const AHEAD_S: i64 = 30;
/// Answers without use after which nothing is asked any more.
const USELESS_MAX: u8 = 2;

/// A lease with less left than this is not worth sending again, in seconds.
const RESTORE_MIN_S: i64 = 10;

/// What is watched since the last limit was taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    accepted_at: Option<Duration>,
    was_above: bool,
    phases_from: Option<u8>,
    judged: bool,
    ask_at: Option<Duration>,
    asked_at: Option<Duration>,
    useless: u8,
    foreign_ma: Option<u32>,
    endless_until: Option<Duration>,
}

impl Watch {
    /// When something of it is due.
    pub(super) fn next(&self, asks: bool) -> Option<Duration> {
        let ask_at = self.ask_at.filter(|_| asks);
        ask_at.into_iter().chain(self.endless_until).min()
    }

    /// A limit that does not end by itself is to be ended.
    pub(super) fn endless_ended(&mut self, now: Duration) -> bool {
        let ended = self.endless_until.is_some_and(|at| at <= now);
        if ended {
            self.endless_until = None;
        }
        ended
    }
}

impl Session {
    /// A limit was taken: what it is seen by later. `before` held until now.
    pub(super) fn watch_limit(
        &mut self,
        request: LimitRequest,
        before: Option<LimitRequest>,
        ends: bool,
        now: Now,
    ) {
        let lease = Duration::from_secs(u64::from(request.lease_s));
        self.watch.endless_until = (!ends).then(|| now.monotonic + lease);
        let same = |before: LimitRequest| {
            (before.limit_ma, before.phases) == (request.limit_ma, request.phases)
        };
        if before.is_some_and(same) {
            return;
        }
        let values = self.evse.values_mut();
        values.limit_changed();
        let draws = values.draw_ma();
        let phases = values.phases_drawing();
        let earliest = self.watch.asked_at.map(|at| at + ASK_EVERY);
        self.watch = Watch {
            accepted_at: Some(now.monotonic),
            was_above: draws.is_some_and(|ma| ma > request.limit_ma + ABOVE_MA),
            phases_from: phases.filter(|phases| *phases > 1 && request.phases == 1),
            judged: false,
            ask_at: Some(now.monotonic + ASK_AFTER).max(earliest),
            ..self.watch
        };
    }

    /// New values of the EVSE: does it follow?
    pub(super) fn watch_values(&mut self, now: Now) {
        let values = self.evse.values();
        let (draws, offered) = (values.draw_ma(), values.offered_ma());
        let phases = values.phases_drawing();
        self.watch_fall(draws, now);
        let Some(InForce { request, .. }) = self.learnt.lease_now(now.wall) else {
            return;
        };
        self.learnt.drew_ma = self.learnt.drew_ma.max(draws);
        let limit_ma = request.limit_ma;
        if draws.is_some_and(|draws| draws <= limit_ma + SAME_MA) {
            if self.watch.was_above {
                self.learnt.capabilities.limits = Grade::Proven;
            }
            if self.watch.phases_from.is_some() && phases == Some(1) {
                self.learnt.capabilities.phase_switching = Grade::Proven;
            }
        }
        let settled = self
            .watch
            .accepted_at
            .is_some_and(|at| at + FOLLOWS_WITHIN <= now.monotonic);
        let shows = draws.or(offered).unwrap_or_default();
        if settled && shows > limit_ma + ABOVE_MA {
            self.ignored(limit_ma, shows, now);
        }
    }

    /// A lease that ran out by itself: did the station fall?
    fn watch_fall(&mut self, draws: Option<u32>, now: Now) {
        let (Some(lease), Some(drew), Some(draws)) =
            (self.learnt.in_force, self.learnt.drew_ma, draws)
        else {
            return;
        };
        let safe_ma = lease.request.safe_ma;
        let over = now.wall.duration_since(lease.until);
        if !lease.ends || over < SignedDuration::ZERO || drew <= safe_ma + ABOVE_MA {
            return;
        }
        let offered_still = matches!(
            self.evse.values().status(),
            Status::Charging | Status::SuspendedEvse
        );
        if draws <= safe_ma + SAME_MA && offered_still {
            self.learnt.capabilities.lease = Grade::Proven;
            self.learnt.drew_ma = None;
        } else if over > FALLS_WITHIN && draws > safe_ma + ABOVE_MA {
            self.learnt.capabilities.lease = Grade::NotThere;
            self.learnt.drew_ma = None;
        }
    }

    /// It said yes and does otherwise. Told once for each limit; another form is tried once.
    fn ignored(&mut self, limit_ma: u32, shown_ma: u32, now: Now) {
        if std::mem::replace(&mut self.watch.judged, true) {
            return;
        }
        self.note(Note::LimitIgnored { limit_ma, shown_ma });
        if self.learnt.ladder.lease_ignored(self.transaction_mark()) {
            self.watch.accepted_at = Some(now.monotonic);
            self.watch.judged = false;
            self.restore_lease(now);
        }
    }

    /// Whether the question for the station's own schedule may go out.
    pub(super) fn may_ask(&self) -> bool {
        self.watch.useless < USELESS_MAX
            && self.learnt.capabilities.composite_schedule != Grade::NotThere
            && self.setup.is_done()
            && self.setup_done_once
    }

    /// Asks for the station's own schedule. Comes after everything else.
    pub(super) fn send_evidence(&mut self, now: Now) -> bool {
        let due = self.watch.ask_at.is_some_and(|at| at <= now.monotonic);
        if !due || !self.may_ask() {
            return false;
        }
        self.watch.ask_at = None;
        let Some(lease) = self.learnt.lease_now(now.wall) else {
            return false;
        };
        self.watch.asked_at = Some(now.monotonic);
        let left_s = lease.until.duration_since(now.wall).as_secs().max(0);
        let duration_s = u32::try_from(left_s + AHEAD_S).unwrap_or(u32::MAX);
        let call = outgoing::composite_schedule(self.settings.connector, duration_s);
        self.send(Kind::Evidence, &call, now);
        true
    }

    pub(super) fn on_evidence(&mut self, payload: &Value, now: Now) {
        let Some(lease) = self.learnt.lease_now(now.wall) else {
            return;
        };
        let charger_time = self.learnt.clock.charger_time(now.wall);
        let phases = self.power_phases(lease.request.phases);
        let volts = self.settings.nominal_voltage_v;
        let Some(told) = evidence::read(payload, charger_time, phases, volts) else {
            self.evidence_useless();
            return;
        };
        self.watch.useless = 0;
        self.learnt.capabilities.composite_schedule = Grade::Proven;
        let LimitRequest {
            limit_ma, safe_ma, ..
        } = lease.request;
        let verdict = evidence::judge(told, limit_ma, safe_ma);
        if let Verdict::AboveLimit(shown_ma) = verdict {
            // Without a transaction a default does not show everywhere.
            if self.learnt.transaction.is_some() {
                self.ignored(limit_ma, shown_ma, now);
            }
            return;
        }
        match (verdict, self.learnt.capabilities.lease) {
            (Verdict::DoesNotFall, Grade::Unknown | Grade::Claimed) => {
                self.learnt.capabilities.lease = Grade::NotThere;
                self.note(Note::LeaseImpossible);
            }
            (Verdict::Agrees, Grade::NotThere) if lease.ends => {
                self.learnt.capabilities.lease = Grade::Claimed;
            }
            _ => {}
        }
        let foreign = told.now_ma + SAME_MA + 1_000 <= limit_ma;
        if foreign && self.watch.foreign_ma != Some(told.now_ma) {
            let shown_ma = told.now_ma;
            self.note(Note::ForeignLimit { limit_ma, shown_ma });
        }
        self.watch.foreign_ma = foreign.then_some(told.now_ma);
        self.evse.values_mut().confirm_limit(told.now_ma);
    }

    /// No answer to the question, or none that says anything.
    pub(super) fn evidence_useless(&mut self) {
        self.watch.useless += 1;
        if self.watch.useless >= USELESS_MAX {
            self.learnt.capabilities.composite_schedule = Grade::NotThere;
        }
    }

    /// The lease that is in force goes in again with what is left of it: after a boot, after
    /// profiles were cleared, or in another form.
    pub(super) fn restore_lease(&mut self, now: Now) {
        let Some(lease) = self.learnt.lease_now(now.wall) else {
            return;
        };
        let left = lease.until.duration_since(now.wall).as_secs();
        if self.waiting.is_some() || !self.may_send() || left < RESTORE_MIN_S {
            return;
        }
        let lease_s = u32::try_from(left).unwrap_or(1).min(lease.request.lease_s);
        self.waiting = Some(Waiting {
            request: LimitRequest {
                lease_s,
                ..lease.request
            },
            sent_at: None,
            attempt: 1,
            restored: true,
            shape: Shape::Lease,
            urgency: Urgency::Renewal,
        });
    }

    /// A limit that does not end by itself ends by the base, as long as there is a connection.
    pub(super) fn end_endless(&mut self, now: Now) {
        if self.watch.endless_ended(now.monotonic) {
            self.learnt.in_force = None;
            self.base = Base::Due;
        }
    }
}
