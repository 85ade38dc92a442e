//! What a charge point makes us say again and again: each kind once a minute, over all of its connections.
//!
//! A charge point that boots each second, or comes back each second, would fill the log otherwise. What is
//! left out is said at the level `debug`.

use std::{
    fmt::Arguments,
    mem::Discriminant,
    sync::{Arc, Mutex, PoisonError},
};

use headroom_ocpp::{Capabilities, Note};
use tokio::time::Instant;
use tracing::debug;

use crate::once::EVERY;

/// Kinds said in a minute. There are fewer in the program, but what a charge point can do has many forms.
const MOST_KINDS: usize = 100;

/// A kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A note of a session, and the action that it is about, if it names one.
    Note(Discriminant<Note>, &'static str),
    /// What a connector can do. It is found out bit by bit: each other answer is another kind, so that the last one is said.
    Capabilities(usize, Capabilities),
    /// A line of the connection itself.
    Line(&'static str),
}

impl Kind {
    pub(super) fn of(note: &Note) -> Self {
        let about = match note {
            Note::CallTimedOut(what)
            | Note::CallRefused(what, _)
            | Note::ProfileFormRefused(what)
            | Note::FrameIgnored(what) => what,
            _ => "",
        };
        Self::Note(std::mem::discriminant(note), about)
    }
}

/// What was said within the last minute, and when; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Said(Arc<Mutex<Vec<(Kind, Instant)>>>);

impl Said {
    /// Whether it may be said now; then it counts as said. If not, `what` is said at the level `debug`.
    pub(super) fn may(&self, kind: Kind, what: Arguments<'_>) -> bool {
        let now = Instant::now();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|(_, at)| now.saturating_duration_since(*at) < EVERY);
        let may = said.len() < MOST_KINDS && said.iter().all(|(own, _)| *own != kind);
        if may {
            said.push((kind, now));
        } else {
            debug!("once more within a minute: {what}");
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use headroom_ocpp::Grade;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_said_once_a_minute_whatever_else_is_said() {
        let said = Said::default();
        let refused = |action| Kind::of(&Note::CallRefused(action, "no".into()));
        let claimed = Capabilities {
            limits: Grade::Claimed,
            ..Capabilities::default()
        };
        let all = [
            Kind::Line("connected"),
            Kind::of(&Note::BootLoop),
            refused("Reset"),
            refused("TriggerMessage"),
            Kind::of(&Note::CallTimedOut("Reset")),
            Kind::Capabilities(0, Capabilities::default()),
            Kind::Capabilities(1, Capabilities::default()),
            Kind::Capabilities(0, claimed),
        ];
        let may = |said: &Said, kind| said.may(kind, format_args!("{kind:?}"));
        for kind in all {
            assert!(may(&said, kind), "{kind:?}");
        }
        let other_connection = said.clone();
        for kind in all {
            assert!(!may(&other_connection, kind), "{kind:?}");
        }
        tokio::time::advance(EVERY).await;
        for kind in all {
            assert_eq!(
                [may(&said, kind), may(&said, kind)],
                [true, false],
                "{kind:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_without_end_is_said_so_often_in_a_minute_and_no_more() {
        let said = Said::default();
        for minute in 0..3 {
            let kinds =
                (0..10 * MOST_KINDS).map(|seat| Kind::Capabilities(seat, Capabilities::default()));
            let told = kinds.filter(|kind| said.may(*kind, format_args!("{kind:?}")));
            assert_eq!(told.count(), MOST_KINDS, "in minute {minute}");
            tokio::time::advance(EVERY).await;
        }
    }
}
