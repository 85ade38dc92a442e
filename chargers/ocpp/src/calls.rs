//! The one outstanding call of our direction (OCPP-J 1.6 section 4.1.1).
//!
//! A call ends by its answer or by its time-out; either frees the line, so that a lost answer
//! never blocks the calls behind it. An answer that comes later, twice, or to no call of ours is
//! dropped and counted.

use std::time::Duration;

use crate::types::Counters;

/// A call under way; `K` says what it was for.
#[derive(Debug, Clone)]
struct InFlight<K> {
    id: String,
    kind: K,
    deadline: Duration,
}

/// The line for calls.
#[derive(Debug)]
pub(crate) struct CallLine<K> {
    salt: u32,
    next: u32,
    in_flight: Option<InFlight<K>>,
}

impl<K> CallLine<K> {
    /// `salt` keeps the ids of two connections apart.
    pub(crate) fn new(salt: u32) -> Self {
        Self {
            salt,
            next: 0,
            in_flight: None,
        }
    }

    pub(crate) fn is_free(&self) -> bool {
        self.in_flight.is_none()
    }

    pub(crate) fn kind(&self) -> Option<&K> {
        self.in_flight.as_ref().map(|call| &call.kind)
    }

    /// Takes the line and gives the id of the call (at most 36 characters).
    pub(crate) fn start(&mut self, kind: K, deadline: Duration) -> String {
        let id = format!("{:08x}-{}", self.salt, self.next);
        self.next = self.next.wrapping_add(1);
        self.in_flight = Some(InFlight {
            id: id.clone(),
            kind,
            deadline,
        });
        id
    }

    /// An answer came: the call that it ends, if it is the one under way.
    pub(crate) fn answered(&mut self, id: &str, counters: &mut Counters) -> Option<K> {
        if self.in_flight.as_ref().is_some_and(|call| call.id == id) {
            return self.in_flight.take().map(|call| call.kind);
        }
        counters.answers_dropped += 1;
        None
    }

    /// The call that has run out of time, if any.
    pub(crate) fn timed_out(&mut self, now: Duration, counters: &mut Counters) -> Option<K> {
        if self
            .in_flight
            .as_ref()
            .is_some_and(|call| call.deadline <= now)
        {
            counters.timeouts += 1;
            return self.in_flight.take().map(|call| call.kind);
        }
        None
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.in_flight.as_ref().map(|call| call.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_double_and_unknown_answers_are_dropped_and_counted() {
        let mut counters = Counters::default();
        let mut line = CallLine::new(7);
        let first = line.start("first", Duration::from_secs(5));
        assert!(!line.is_free());
        assert_eq!(line.answered("nobody", &mut counters), None);
        assert_eq!(
            line.timed_out(Duration::from_millis(4_999), &mut counters),
            None
        );
        assert_eq!(
            line.timed_out(Duration::from_secs(5), &mut counters),
            Some("first")
        );
        let second = line.start("second", Duration::from_secs(10));
        assert_eq!(line.answered(&first, &mut counters), None, "late");
        assert_eq!(line.answered(&second, &mut counters), Some("second"));
        assert_eq!(line.answered(&second, &mut counters), None, "twice");
        assert_eq!(counters.answers_dropped, 3);
        assert_eq!(counters.timeouts, 1);
    }
}
