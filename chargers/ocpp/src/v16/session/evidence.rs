//! "Accepted" is not "applied": what the charge point shows after it said yes.
//!
//! Three witnesses: the current that flows, the limit that it reports with its meter values, and
//! its composite schedule. Against a limit that is taken and not followed another form is tried
//! once; a lower limit of somebody else is told and never answered.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Kind, Session, learnt::InForce};
use crate::{
    clock::ClockOffset,
    time::ReadTime,
    types::{Grade, LimitRequest, Note, Now, Status},
    v16::{composite, outgoing},
};

/// Time to follow, for the charge point and the car; the slowest known ones ramp for six seconds.
const FOLLOWS_WITHIN: SignedDuration = SignedDuration::from_secs(12);
/// Above the limit by more than this is not followed, in milliamperes.
const ABOVE_MA: u32 = 1_500;
/// Within this a current or limit is the same, in milliamperes.
const SAME_MA: u32 = 700;
/// A charge point of the slow kind falls this long after its lease at the latest.
const FALLS_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// A limit is asked for this long after it was taken at the earliest.
const ASK_AFTER: Duration = Duration::from_secs(3);
/// Least time between two questions.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Answers without use after which nothing is asked any more.
const USELESS_MAX: u8 = 2;
/// How far ahead is asked beyond the lease, in seconds.
const AHEAD_S: u32 = 60;
/// After a pause the first limit goes out again after this, where the model wants it.
const REPEAT_AFTER: Duration = Duration::from_secs(3);

/// What is watched since the last limit was taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    accepted_at: Option<Timestamp>,
    was_above: bool,
    phases_from: Option<u8>,
    judged: bool,
    /// It drew more than its safe current since the limit was taken.
    drew: bool,
    ask_at: Option<Duration>,
    asked_at: Option<Duration>,
    useless: u8,
    foreign_ma: Option<u32>,
    repeat_at: Option<Duration>,
    endless_until: Option<Duration>,
}

impl Watch {
    /// When something of it is due.
    pub(super) fn next(&self, asks: bool) -> Option<Duration> {
        [
            self.ask_at.filter(|_| asks),
            self.repeat_at,
            self.endless_until,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the next question may go out, not before `at`.
    fn may_ask_at(&self, at: Duration) -> Option<Duration> {
        self.asked_at.map(|asked| asked + ASK_EVERY).max(Some(at))
    }

    pub(super) fn repeat_is_due(&mut self, now: Duration) -> bool {
        let due = self.repeat_at.is_some_and(|at| at <= now);
        if due {
            self.repeat_at = None;
        }
        due
    }

    pub(super) fn endless_ended(&mut self, now: Duration) -> bool {
        let ended = self.endless_until.is_some_and(|at| at <= now);
        if ended {
            self.endless_until = None;
        }
        ended
    }
}

impl Session {
    /// A limit was taken: what it is seen by later. `before` was in force until now.
    pub(super) fn watch_limit(
        &mut self,
        request: LimitRequest,
        before: Option<LimitRequest>,
        now: Now,
    ) {
        let changed = before.is_none_or(|before| {
            (before.limit_ma, before.phases) != (request.limit_ma, request.phases)
        });
        self.watch.endless_until = (!self.learnt.ladder.lease_ends())
            .then(|| now.monotonic + Duration::from_secs(u64::from(request.lease_s)));
        if !changed {
            return;
        }
        self.connector.limit_changed();
        let draws = self.connector.draw_ma();
        let phases = self.connector.phases_drawing();
        let resumed = before.is_some_and(|before| before.limit_ma == 0) && request.limit_ma > 0;
        self.watch = Watch {
            accepted_at: Some(now.wall),
            was_above: draws.is_some_and(|ma| ma > request.limit_ma + ABOVE_MA),
            phases_from: phases.filter(|phases| *phases > 1 && request.phases == 1),
            judged: false,
            drew: false,
            ask_at: self.watch.may_ask_at(now.monotonic + ASK_AFTER),
            repeat_at: (resumed && self.quirks.repeats_after_pause())
                .then(|| now.monotonic + REPEAT_AFTER),
            ..self.watch
        };
    }

    /// New meter values of this connector: does it follow?
    pub(super) fn watch_values(&mut self, stamp: Option<ReadTime>, now: Now) {
        let draws = self.connector.draw_ma();
        self.watch_fall(draws, now);
        let Some(InForce { request, .. }) = self.learnt.lease_now(now.wall) else {
            return;
        };
        self.learnt.drew_ma = self.learnt.drew_ma.max(draws);
        let limit_ma = request.limit_ma;
        if let Some(draws) = draws
            && draws <= limit_ma + SAME_MA
        {
            if self.watch.was_above {
                self.learnt.capabilities.limits = Grade::Proven;
            }
            if self.watch.phases_from.is_some() && self.connector.phases_drawing() == Some(1) {
                self.learnt.capabilities.phase_switching = Grade::Proven;
            }
        }
        let above_safe = draws.is_some_and(|ma| ma > request.safe_ma + ABOVE_MA);
        if self.watch.drew && draws.is_some_and(|ma| ma <= request.safe_ma + SAME_MA) {
            // It fell although the lease holds: does the lease count?
            self.watch.ask_at = self.watch.may_ask_at(now.monotonic);
        }
        self.watch.drew = above_safe;
        let sampled = self.sampled_at(stamp, now);
        let settled = self
            .watch
            .accepted_at
            .is_some_and(|at| sampled.duration_since(at) >= FOLLOWS_WITHIN);
        let offers = self.connector.offered_ma();
        let shows = draws.or(offers).unwrap_or_default();
        if settled && shows > limit_ma + ABOVE_MA {
            self.ignored(limit_ma, shows, now);
        } else if settled && let Some(offers) = offers {
            self.lower(request, offers, now);
        }
    }

    /// Less than our limit is in force. Exactly the base means that the lease does not count in
    /// this transaction; anything else is somebody else's limit, and that is never fought.
    fn lower(&mut self, request: LimitRequest, shown_ma: u32, now: Now) {
        let limit_ma = self.quirks.step_down(request.limit_ma);
        if shown_ma + SAME_MA + 1_000 > limit_ma {
            self.watch.foreign_ma = None;
            return;
        }
        let is_base = shown_ma.abs_diff(request.safe_ma) <= SAME_MA;
        if is_base && self.learnt.clock.zone().is_some() && !self.learnt.writes_local {
            // It has read the lease's start as its local time: then it is over, or not begun.
            self.learnt.writes_local = true;
            self.watch.ask_at = Some(now.monotonic + ASK_EVERY);
            self.connector.limit_changed();
            self.restore_lease(now);
        } else if is_base && self.learnt.transaction.is_some() {
            self.ignored(limit_ma, shown_ma, now);
        } else if self.watch.foreign_ma != Some(shown_ma) {
            self.watch.foreign_ma = Some(shown_ma);
            self.note(Note::ForeignLimit { limit_ma, shown_ma });
        }
    }

    /// When values were sampled, by our clock; some come late. Without a word: now.
    fn sampled_at(&self, stamp: Option<ReadTime>, now: Now) -> Timestamp {
        let offset = match self.learnt.clock.offset() {
            ClockOffset::Assumed => Some(SignedDuration::ZERO),
            ClockOffset::Measured(offset) => Some(offset),
            ClockOffset::Unknowable => None,
        };
        let sampled = stamp
            .zip(offset)
            .and_then(|(stamp, offset)| stamp.at.checked_sub(offset).ok());
        sampled.map_or(now.wall, |at| at.min(now.wall))
    }

    /// A lease that ran out by itself: did the charge point fall?
    fn watch_fall(&mut self, draws: Option<u32>, now: Now) {
        let (Some(in_force), Some(drew), Some(draws)) =
            (self.learnt.in_force, self.learnt.drew_ma, draws)
        else {
            return;
        };
        let safe_ma = in_force.request.safe_ma;
        let over = now.wall.duration_since(in_force.until);
        if over < SignedDuration::ZERO || drew <= safe_ma + ABOVE_MA {
            return;
        }
        let offered_still = matches!(
            self.connector.status(),
            Status::Charging | Status::SuspendedEvse
        );
        if draws <= safe_ma + SAME_MA && offered_still && self.learnt.ladder.lease_ends() {
            self.learnt.capabilities.lease = Grade::Proven;
            self.learnt.drew_ma = None;
        } else if over > FALLS_WITHIN && draws > safe_ma + ABOVE_MA {
            self.learnt.capabilities.lease = Grade::NotThere;
            self.learnt.drew_ma = None;
        }
    }

    /// It said yes and shows otherwise. Told once for each limit; another form is tried once.
    fn ignored(&mut self, limit_ma: u32, shown_ma: u32, now: Now) {
        if std::mem::replace(&mut self.watch.judged, true) {
            return;
        }
        self.note(Note::LimitIgnored { limit_ma, shown_ma });
        if self.learnt.ladder.lease_ignored(self.learnt.transaction) {
            self.watch.accepted_at = Some(now.wall);
            self.watch.judged = false;
            self.watch.ask_at = Some(now.monotonic + ASK_EVERY);
            self.connector.limit_changed();
            self.restore_lease(now);
        }
    }

    pub(super) fn can_ask_composite(&self) -> bool {
        self.watch.useless < USELESS_MAX
            && self.learnt.capabilities.composite_schedule != Grade::NotThere
            && self.setup.is_done()
            && self.setup_done_once
            && self.waiting.is_none()
    }

    /// Asks what is in force. Comes after everything else.
    pub(super) fn send_composite(&mut self, now: Now) -> bool {
        let due = self.watch.ask_at.is_some_and(|at| at <= now.monotonic);
        let Some(lease) = self.learnt.lease_now(now.wall) else {
            return false;
        };
        if !due || !self.can_ask_composite() || !self.ready_for_setup(now) {
            return false;
        }
        self.watch.ask_at = None;
        self.watch.asked_at = Some(now.monotonic);
        let call = outgoing::get_composite_schedule(
            self.settings.connector,
            lease.request.lease_s + AHEAD_S,
            self.learnt.ladder.unit_name(),
        );
        self.send(Kind::Composite, &call, now);
        true
    }

    pub(super) fn composite_answered(&mut self, payload: &Value, now: Now) {
        let Some(InForce { request, .. }) = self.learnt.lease_now(now.wall) else {
            return;
        };
        let charger_time = self.learnt.charger_time(now.wall);
        let phases = self.power_phases(request.phases);
        let volts = self.settings.nominal_voltage_v;
        let Some(said) = composite::read(payload, charger_time, phases, volts) else {
            self.composite_useless();
            return;
        };
        self.watch.useless = 0;
        self.learnt.capabilities.composite_schedule = Grade::Proven;
        let limit_ma = self.quirks.step_down(request.limit_ma);
        let shown_ma = said.now_ma;
        let falls = said
            .later_ma
            .is_some_and(|ma| ma <= request.safe_ma + SAME_MA);
        if falls && self.learnt.capabilities.lease == Grade::Unknown {
            self.learnt.capabilities.lease = Grade::Claimed;
        }
        if shown_ma > limit_ma + SAME_MA {
            // Without a transaction a default does not show everywhere.
            if self.learnt.transaction.is_some() {
                self.ignored(limit_ma, shown_ma, now);
            }
        } else {
            let same = shown_ma.abs_diff(limit_ma) <= SAME_MA;
            self.lower(request, shown_ma, now);
            let confirmed = if same { request.limit_ma } else { shown_ma };
            self.connector.confirm_limit(confirmed);
        }
    }

    /// No answer to the question, or none that says anything.
    pub(super) fn composite_useless(&mut self) {
        self.watch.useless += 1;
        if self.watch.useless >= USELESS_MAX {
            self.learnt.capabilities.composite_schedule = Grade::NotThere;
        }
    }
}
