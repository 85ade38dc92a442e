//! What a load asks for: what people want of it, what its car takes, and what it can be given at all.

use serde::{Deserialize, Serialize};

use super::{Kind, Load};
use crate::event::{ChargerStatus, Outcome};
use crate::snapshot::{Wish, WishKind};
use crate::units::{Instant, Milliamps};

/// What a person wants of a load, each until a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// Nothing for it.
    pub pause: Option<Instant>,
    /// No more than this for it.
    pub limit: Option<(Milliamps, Instant)>,
    /// Highest class for it.
    pub boost: Option<Instant>,
    /// No more than this for it, as the test of it goes on.
    #[serde(default)]
    pub test: Option<(Milliamps, Instant)>,
    /// Nothing is said to it, to see whether it falls back by itself; what it was told stays reserved.
    #[serde(default)]
    pub silent: bool,
}

impl Wishes {
    /// Forgets what has ended.
    pub fn expire(&mut self, now: Instant) {
        self.pause = self.pause.filter(|until| *until > now);
        self.limit = self.limit.filter(|(_, until)| *until > now);
        self.boost = self.boost.filter(|until| *until > now);
    }

    /// When the limit ends, if there is one.
    pub fn limit_end(&self) -> Option<Instant> {
        self.limit.map(|(_, until)| until)
    }

    /// Those that people have, as they are shown.
    pub fn told(&self) -> Vec<Wish> {
        let wish = |kind, until| Wish { kind, until };
        let pause = self.pause.map(|until| wish(WishKind::Pause, until));
        let limit = (self.limit).map(|(most, until)| wish(WishKind::Limit(most), until));
        let boost = self.boost.map(|until| wish(WishKind::Boost, until));
        [pause, limit, boost].into_iter().flatten().collect()
    }

    /// When the next of them ends.
    pub fn next_end(&self) -> Option<Instant> {
        [self.pause, self.limit.map(|(_, until)| until), self.boost]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Why a load asks for less than its most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// Nothing holds it back.
    Most,
    /// No car, or the car takes no more.
    Demand,
    /// A person wanted it so, until then.
    User(Instant),
}

impl Load {
    /// The ceiling that people have set, and until when.
    pub fn user_ceiling(
        &self,
        manual: Option<(Milliamps, Instant)>,
    ) -> Option<(Milliamps, Instant)> {
        let pause = self.wishes.pause.map(|until| (Milliamps::ZERO, until));
        let wishes = [pause, self.wishes.limit, self.wishes.test, manual];
        // Nearly always there is none, and this is asked often.
        if wishes.iter().all(Option::is_none) {
            return None;
        }
        let (lowest, until) = wishes.into_iter().flatten().min()?;
        (lowest < self.spec.most).then(|| (self.allowed(lowest), until))
    }

    /// What it asks for, and why no more.
    pub fn ceiling(&self, manual: Option<(Milliamps, Instant)>) -> (Milliamps, Ceiling) {
        let user = self.user_ceiling(manual);
        if let Some((Milliamps::ZERO, until)) = user {
            return (Milliamps::ZERO, Ceiling::User(until));
        }
        if self.spec.kind == Kind::Charger && !wants(self.status) {
            return (Milliamps::ZERO, Ceiling::Demand);
        }
        let (most, why) = user.map_or((self.spec.most, Ceiling::Most), |(most, until)| {
            (most, Ceiling::User(until))
        });
        match self.demand_cap {
            Some(cap) if cap < most => (self.allowed(cap), Ceiling::Demand),
            _ => (most, why),
        }
    }

    /// A step of its test begins: what its car took before says nothing, and a start is not one after a pause.
    pub fn begin_test_step(&mut self) {
        self.demand_cap = None;
        self.unused_since = None;
        self.fresh_session = true;
    }

    /// Whether a car is there that wants current, or may.
    pub const fn has_car(&self) -> bool {
        wants(self.status)
    }

    /// Whether its last command was refused or not answered.
    pub const fn has_refused(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Rejected | Outcome::Timeout))
    }

    /// The nearest current below that it can be given: 0, or from its least to its most, in whole amperes
    /// where it is not its most.
    pub fn allowed(&self, current: Milliamps) -> Milliamps {
        if current >= self.spec.most {
            self.spec.most
        } else if current < self.spec.least || self.spec.kind == Kind::SlowLoad {
            Milliamps::ZERO
        } else {
            current.floor_to_amps().max(self.spec.least)
        }
    }
}

/// Whether a connector in this state wants current, or may.
pub(super) const fn wants(status: ChargerStatus) -> bool {
    !matches!(
        status,
        ChargerStatus::Available
            | ChargerStatus::Finishing
            | ChargerStatus::Reserved
            | ChargerStatus::Unavailable
            | ChargerStatus::Faulted
    )
}
