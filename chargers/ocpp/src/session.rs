//! The session of whichever version of OCPP the two ends have agreed upon.
//!
//! One session speaks one version; what was learnt of the other one is kept beside it, because a
//! charge point may come back with another version after an update.

use std::time::Duration;

use crate::{
    types::{Capabilities, Counters, LimitRequest, Now, Operation, Output, Settings},
    v16::{self, ladder::Ladder},
    v201,
};

/// A version of OCPP, as the websocket's subprotocol names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// OCPP 1.6, edition 2.
    V16,
    /// OCPP 2.0.1.
    V201,
    /// OCPP 2.1, of which nothing is used that 2.0.1 has not, but `maxOfflineDuration`.
    V21,
}

impl Version {
    const ALL: [Self; 3] = [Self::V16, Self::V201, Self::V21];

    /// The subprotocol of this version (OCPP-J 1.6 section 3.1.2, OCPP-J 2.0.1 section 3.1.2).
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
            Self::V21 => "ocpp2.1",
        }
    }

    /// The version that a subprotocol names, if it is spoken here.
    pub fn of_subprotocol(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.subprotocol() == name)
    }
}

/// What connections have learnt that is worth keeping for the next one.
#[derive(Debug, Clone, Default)]
pub struct Learnt {
    v16: v16::session::Learnt,
    v201: v201::session::Learnt,
}

/// What of it outlives a restart of the program: what the charge point can do, and which forms of a profile it takes.
/// What is in force, and what the clock said, has to be seen anew.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Kept {
    v16: Known,
    v201: Known,
}

/// The same of one version.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    pub(crate) capabilities: Capabilities,
    pub(crate) ladder: Ladder,
}

impl Learnt {
    /// What may be kept over a restart, as text for [`Learnt::of_text`].
    pub fn text(&self) -> String {
        let kept = Kept {
            v16: self.v16.known(),
            v201: self.v201.known(),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// What was kept; what cannot be read is learnt anew.
    pub fn of_text(text: &str) -> Self {
        let kept: Kept = serde_json::from_str(text).unwrap_or_default();
        Self {
            v16: v16::session::Learnt::of(kept.v16),
            v201: v201::session::Learnt::of(kept.v201),
        }
    }

    /// What the charge point can do: of each the best that either version has shown.
    pub fn capabilities(&self) -> Capabilities {
        let (old, new) = (
            self.v16.known().capabilities,
            self.v201.known().capabilities,
        );
        Capabilities {
            limits: old.limits.max(new.limits),
            lease: old.lease.max(new.lease),
            composite_schedule: old.composite_schedule.max(new.composite_schedule),
            triggers: old.triggers.max(new.triggers),
            phase_switching: old.phase_switching.max(new.phase_switching),
        }
    }
}

/// One connection with one charge point; see the session of each version for its rules.
#[derive(Debug)]
pub struct Session {
    speaks: Speaks,
    learnt: Learnt,
}

#[derive(Debug)]
enum Speaks {
    V16(Box<v16::session::Session>),
    V201(Box<v201::session::Session>),
}

impl Session {
    /// A connection that has just been made. `random` gives transaction ids (and the ids of calls
    /// their start), which must not be guessable.
    pub fn new(
        version: Version,
        settings: Settings,
        learnt: Learnt,
        random: Box<dyn FnMut() -> u32 + Send>,
        now: Now,
    ) -> Self {
        let speaks = match version {
            Version::V16 => {
                let own = learnt.v16.clone();
                Speaks::V16(Box::new(v16::session::Session::new(
                    settings, own, random, now,
                )))
            }
            Version::V201 | Version::V21 => {
                let own = learnt.v201.clone();
                let is_21 = version == Version::V21;
                Speaks::V201(Box::new(v201::session::Session::new(
                    settings, is_21, own, random, now,
                )))
            }
        };
        Self { speaks, learnt }
    }

    /// What is worth keeping for the next connection with the same charge point.
    pub fn learnt(&self) -> Learnt {
        let mut learnt = self.learnt.clone();
        match &self.speaks {
            Speaks::V16(session) => learnt.v16 = session.learnt(),
            Speaks::V201(session) => learnt.v201 = session.learnt(),
        }
        learnt
    }

    /// Counts for diagnosis.
    pub fn counters(&self) -> Counters {
        match &self.speaks {
            Speaks::V16(session) => session.counters(),
            Speaks::V201(session) => session.counters(),
        }
    }

    /// What the charge point can do, as far as it has said or shown.
    pub fn capabilities(&self) -> Capabilities {
        match &self.speaks {
            Speaks::V16(session) => session.capabilities(),
            Speaks::V201(session) => session.capabilities(),
        }
    }

    /// How many profiles the charge point may be sent in a day; reductions are never held up. Without a
    /// word: [`crate::WRITES_PER_DAY`].
    pub fn set_writes_per_day(&mut self, writes: u32) {
        if let Speaks::V16(session) = &mut self.speaks {
            session.set_writes_per_day(writes);
        }
    }

    /// The next output; call until `None` after every input.
    pub fn poll(&mut self) -> Option<Output> {
        match &mut self.speaks {
            Speaks::V16(session) => session.poll(),
            Speaks::V201(session) => session.poll(),
        }
    }

    /// Changed settings; in force at once.
    pub fn configure(&mut self, settings: Settings, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.configure(settings, now),
            Speaks::V201(session) => session.configure(settings, now),
        }
    }

    /// Gives a limit. It replaces one that waits.
    pub fn set_limit(&mut self, request: LimitRequest, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.set_limit(request, now),
            Speaks::V201(session) => session.set_limit(request, now),
        }
    }

    /// Asks something else of the charge point. Its outcome comes once, with `number`.
    pub fn operate(&mut self, number: u64, operation: &Operation, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.operate(number, operation, now),
            Speaks::V201(session) => session.operate(number, operation, now),
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.tick(now),
            Speaks::V201(session) => session.tick(now),
        }
    }

    /// The connection has ended: what was under way or waited has no answer and gets none.
    pub fn closed(&mut self, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.closed(now),
            Speaks::V201(session) => session.closed(now),
        }
    }

    /// A text frame has come. Any text is taken.
    pub fn receive(&mut self, text: &str, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.receive(text, now),
            Speaks::V201(session) => session.receive(text, now),
        }
    }

    /// When [`Session::tick`] must be called at the latest.
    pub fn next_deadline(&self) -> Option<Duration> {
        match &self.speaks {
            Speaks::V16(session) => session.next_deadline(),
            Speaks::V201(session) => session.next_deadline(),
        }
    }

    /// Whether others share the connection, and which is the first of them.
    pub(crate) fn share(&mut self, shared: bool, first: bool) {
        match &mut self.speaks {
            Speaks::V16(session) => session.share(shared, first),
            Speaks::V201(session) => session.share(shared, first),
        }
    }

    /// Whether it has to leave the line to others.
    pub(crate) fn hold(&mut self, held: bool) {
        match &mut self.speaks {
            Speaks::V16(session) => session.hold(held),
            Speaks::V201(session) => session.hold(held),
        }
    }

    /// So long may a call of ours that is no profile take, for the sake of others.
    pub(crate) fn press(&mut self, patience: Option<Duration>) {
        match &mut self.speaks {
            Speaks::V16(session) => session.press(patience),
            Speaks::V201(session) => session.press(patience),
        }
    }

    /// Whether a call of ours is under way.
    pub(crate) fn is_calling(&self) -> bool {
        match &self.speaks {
            Speaks::V16(session) => session.is_calling(),
            Speaks::V201(session) => session.is_calling(),
        }
    }

    /// How long what waits to be sent can wait; `None`: nothing waits.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match &self.speaks {
            Speaks::V16(session) => session.can_wait(),
            Speaks::V201(session) => session.can_wait(),
        }
    }

    /// A call has come that another session answers.
    pub(crate) fn overhear(&mut self, text: &str, now: Now) {
        match &mut self.speaks {
            Speaks::V16(session) => session.overhear(text, now),
            Speaks::V201(session) => session.overhear(text, now),
        }
    }

    /// The connector that it controls.
    pub(crate) fn connector(&self) -> u32 {
        match &self.speaks {
            Speaks::V16(session) => session.connector(),
            Speaks::V201(session) => session.connector(),
        }
    }

    /// Whether profiles were cleared since it was asked last, perhaps more than was asked for. In 2.0.1 they are cleared
    /// by their ids, so that no other one is.
    pub(crate) fn take_cleared(&mut self) -> bool {
        match &mut self.speaks {
            Speaks::V16(session) => session.take_cleared(),
            Speaks::V201(_) => false,
        }
    }

    /// Another session has cleared profiles: the base may be gone.
    pub(crate) fn renew_base(&mut self) {
        if let Speaks::V16(session) = &mut self.speaks {
            session.renew_base();
        }
    }
}
