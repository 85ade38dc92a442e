//! What a charge point makes us say again and again: each kind once a minute, over all of its connections.
//!
//! A charge point that boots each second, or comes back each second, would fill the log otherwise. What is
//! left out is said at the level `debug`, and kept in the trace of messages.

use std::{
    mem::Discriminant,
    sync::{Arc, Mutex, PoisonError},
};

use headroom_ocpp::Note;

use crate::once::OnceAMinute;

/// A kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A note of a session, and the action that it is about, if it names one.
    Note(Discriminant<Note>, &'static str),
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

/// When each kind was said last; cheap to clone. There are as many kinds as the program has lines for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Said(Arc<Mutex<Vec<(Kind, OnceAMinute)>>>);

impl Said {
    /// Whether it may be said now; then it counts as said.
    pub(super) fn may(&self, kind: Kind) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, last)) = said.iter_mut().find(|(own, _)| *own == kind) {
            return last.now();
        }
        let mut last = OnceAMinute::default();
        let may = last.now();
        said.push((kind, last));
        may
    }

    /// The same of a line.
    pub(super) fn line(&self, what: &'static str) -> bool {
        self.may(Kind::Line(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::once::EVERY;

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_said_once_a_minute_whatever_else_is_said() {
        let said = Said::default();
        let refused = |action| Kind::of(&Note::CallRefused(action, "no".into()));
        let all = [
            Kind::Line("connected"),
            Kind::of(&Note::BootLoop),
            refused("Reset"),
            refused("TriggerMessage"),
            Kind::of(&Note::CallTimedOut("Reset")),
        ];
        for kind in all {
            assert!(said.may(kind), "{kind:?}");
        }
        let other_connection = said.clone();
        for kind in all {
            assert!(!other_connection.may(kind), "{kind:?}");
        }
        tokio::time::advance(EVERY).await;
        for kind in all {
            assert_eq!([said.may(kind), said.may(kind)], [true, false], "{kind:?}");
        }
    }
}
